"""The catalogue of providers and models."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column

provider = sa.Table(
    "provider",
    metadata,
    tenant_column(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("base_url", sa.Text, nullable=True),
    sa.Column("sealed_key", sa.LargeBinary, nullable=True),
    # What was set for this provider, by name. Null in rows of a release that had only the two columns below; they are
    # kept for it.
    sa.Column("limits", JSONB(none_as_null=True), nullable=True),
    sa.Column("connect_timeout_s", sa.Double, nullable=False),
    sa.Column("read_timeout_s", sa.Double, nullable=False),
    moment("created_at"),
    sa.Column("passes", sa.ARRAY(sa.Text), nullable=False, server_default="{}"),
)

model = sa.Table(
    "model",
    metadata,
    tenant_column(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("upstream_model", sa.Text, nullable=False),
    sa.Column("context_length", sa.Integer, nullable=False),
    sa.Column("max_output_tokens", sa.Integer, nullable=False),
    moment("created_at"),
    sa.Column("is_context_declared", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("is_output_declared", sa.Boolean, nullable=False, server_default=sa.false()),
)
