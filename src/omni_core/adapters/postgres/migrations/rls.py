"""What every table of a migration gets (row-level security, forced, and the program's grants), and the directory's."""

from alembic import op

_CURRENT = "(select nullif(current_setting('omni.tenant', true), '')::uuid)"


def protect(table: str, *, grants: str = "select, insert, update, delete") -> None:
    """Let the program's role use `table`, and only the rows of the tenant of its transaction.

    The subselect makes PostgreSQL evaluate the setting once a statement; after a transaction that set it the value is
    an empty string, hence nullif.
    """
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy {table}_tenant on {table} to omni_app"
        f" using (tenant_id = {_CURRENT}) with check (tenant_id = {_CURRENT})"
    )
    op.execute(f"grant {grants} on {table} to omni_app")


def let_the_directory_tell(statements: str, functions: tuple[str, ...]) -> None:
    """Make functions that tell the program of all tenants, and nothing else: they run as `omni_directory`.

    Nobody logs in as that role, which may read what `statements` grant it. An empty line stands between them.
    """
    for statement in statements.strip().split(";\n\n"):
        op.execute(statement)
    op.execute("grant create on schema public to omni_directory")
    for function in functions:
        op.execute(f"alter function {function} owner to omni_directory")
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to omni_app")
    op.execute("revoke create on schema public from omni_directory")
