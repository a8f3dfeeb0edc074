"""Tenants, members, API keys, and the directory that finds them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from omni_core.adapters.postgres.migrations.rls import let_the_directory_tell, protect

revision = "0002_tenancy"
down_revision = "0001_kernel"

# The program's role sees one tenant at a time. What it must know before it has one, these functions tell it, and
# nothing more: they run as omni_directory, a role that nobody can log in as and that may only read two tables.
_DIRECTORY = """
create policy tenant_directory on tenant for select to omni_directory using (true);

create policy api_key_directory on api_key for select to omni_directory using (true);

grant select on tenant, api_key to omni_directory;

create function omni_tenant_of_slug(wanted text) returns uuid
    language sql stable security definer set search_path = public, pg_temp
    as $$ select tenant_id from tenant where slug = wanted $$;

create function omni_tenant_ids(how_many int, after_id uuid) returns setof uuid
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select tenant_id from tenant where after_id is null or tenant_id > after_id order by tenant_id limit how_many
    $$;

create function omni_find_key(wanted text)
    returns table (tenant_id uuid, id uuid, public_id text, digest bytea, name text, scopes text[],
                   created_at timestamptz, expires_at timestamptz, revoked_at timestamptz, tenant_status text)
    language sql stable security definer set search_path = public, pg_temp
    as $$
        select k.tenant_id, k.id, k.public_id, k.digest, k.name, k.scopes, k.created_at, k.expires_at, k.revoked_at,
               t.status
          from api_key k join tenant t on t.tenant_id = k.tenant_id
         where k.public_id = wanted
    $$
"""
_FUNCTIONS = ("omni_tenant_of_slug(text)", "omni_tenant_ids(int, uuid)", "omni_find_key(text)")


def upgrade() -> None:
    """Make the tables and the directory."""
    op.create_table(
        "tenant",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("slug", name="tenant_slug_key"),
    )
    op.create_table(
        "member",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "email", name="member_tenant_id_email_key"),
    )
    op.create_table(
        "api_key",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("public_id", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("public_id", name="api_key_public_id_key"),
    )
    protect("tenant", grants="select, insert, update")
    protect("member")
    protect("api_key", grants="select, insert, update")
    let_the_directory_tell(_DIRECTORY, _FUNCTIONS)
