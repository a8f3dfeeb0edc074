"""Tenants, members and API keys."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column

tenant = sa.Table(
    "tenant",
    metadata,
    tenant_column(),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    moment("created_at"),
)

member = sa.Table(
    "member",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    moment("created_at"),
    sa.UniqueConstraint("tenant_id", "email"),
)

api_key = sa.Table(
    "api_key",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("public_id", sa.Text, nullable=False, unique=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
)
