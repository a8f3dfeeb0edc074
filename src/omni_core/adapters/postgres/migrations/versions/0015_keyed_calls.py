"""Calls under keys of clients, and whose of them have had their time."""

import sqlalchemy as sa
from alembic import op

from omni_core.adapters.postgres.migrations.rls import let_the_directory_tell, protect

revision = "0015_keyed_calls"
down_revision = "0014_provider_passes"

# Tenants that never call again have answers that are to be erased as well. The directory tells whose, and reads no more
# of a call than that takes.
_DIRECTORY = """
create policy keyed_call_directory on keyed_call for select to omni_directory using (true);

grant select (tenant_id, expires_at, held_until) on keyed_call to omni_directory;

create function omni_tenants_with_calls_expired(how_many int) returns setof uuid
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select distinct tenant_id from keyed_call where expires_at <= now() and held_until <= now() limit how_many
    $$
"""


def upgrade() -> None:
    """Make the table and the function."""
    op.create_table(
        "keyed_call",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Uuid, nullable=False),
        sa.Column("attempt_id", sa.Uuid, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=True),
        sa.UniqueConstraint("tenant_id", "attempt_id", name="keyed_call_tenant_id_attempt_id_key"),
    )
    op.create_index("keyed_call_expires_at_idx", "keyed_call", ["expires_at"])
    protect("keyed_call")
    let_the_directory_tell(_DIRECTORY, ("omni_tenants_with_calls_expired(int)",))
