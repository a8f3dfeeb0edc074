"""Roles and the event log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from omni_core.adapters.postgres.migrations.rls import protect

revision = "0001_kernel"
down_revision = None

_ROLES = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'omni_app') then
        create role omni_app login nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
    if not exists (select from pg_roles where rolname = 'omni_directory') then
        create role omni_directory nologin nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
exception when duplicate_object or unique_violation then
    null; -- roles belong to the whole server: another database's migration made them at this moment
end $$
"""


def upgrade() -> None:
    """Make the roles and the event log."""
    op.execute(_ROLES)
    op.execute("grant omni_app, omni_directory to current_user")
    op.execute("grant usage on schema public to omni_app, omni_directory")
    # The program looks whether the schema is this release's before it serves.
    op.execute("grant select on alembic_version to omni_app")
    op.create_table(
        "event",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("aggregate_id", sa.Uuid, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", JSONB, nullable=False),
    )
    op.create_index("event_tenant_id_seq_idx", "event", ["tenant_id", "seq"])
    protect("event", grants="select, insert")
