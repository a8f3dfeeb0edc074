"""What every table of a migration gets: row-level security, forced, and the program's grants."""

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
