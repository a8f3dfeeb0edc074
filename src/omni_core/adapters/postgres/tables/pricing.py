"""The price table."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column

price = sa.Table(
    "price",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    moment("effective_from"),
    sa.Column("tiers", JSONB, nullable=False),
    sa.UniqueConstraint("tenant_id", "model", "effective_from"),
)
