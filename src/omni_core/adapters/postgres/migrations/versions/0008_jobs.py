"""Jobs, and pgqueuer's tables, which carry the word to the workers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from omni_core.adapters.postgres.migrations.pgqueuer_schema import SEQUENCES, STATEMENTS, TABLES
from omni_core.adapters.postgres.migrations.rls import protect

revision = "0008_jobs"
down_revision = "0007_billing"

# The queue is everybody's, so no policy can keep tenants apart in it. Instead the program's role may only add to it,
# and a worker reads it as a role that reaches nothing else. What it carries is ids (of tenant and job).
_WORKER_ROLE = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'omni_worker') then
        create role omni_worker login nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
exception when duplicate_object or unique_violation then
    null; -- roles belong to the whole server: another database's migration made it at this moment
end $$
"""


def upgrade() -> None:
    """Make Omni's table, pgqueuer's, and the role that reads the latter."""
    op.create_table(
        "job",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("arguments", JSONB, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=True),
        sa.Column("max_attempts", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("ticket", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("progress", JSONB, nullable=True),
        sa.Column("result", JSONB, nullable=True),
        sa.Column("error", JSONB, nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("tenant_id", "kind", "idempotency_key", name="job_tenant_id_kind_idempotency_key_key"),
    )
    op.create_index("job_tenant_id_status_id_idx", "job", ["tenant_id", "status", "id"])
    protect("job", grants="select, insert, update")
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(_WORKER_ROLE)
    op.execute("grant omni_worker to current_user")
    op.execute("grant usage on schema public to omni_worker")
    op.execute("grant select on alembic_version to omni_worker")
    op.execute(f"grant select, insert, update, delete on {', '.join(TABLES)} to omni_worker")
    op.execute(f"grant usage on sequence {', '.join(SEQUENCES)} to omni_worker")
    op.execute("grant insert on pgqueuer to omni_app")
    op.execute("grant usage on sequence pgqueuer_id_seq to omni_app")
