"""The price table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from omni_core.adapters.postgres.migrations.rls import protect

revision = "0004_pricing"
down_revision = "0003_llm"


def upgrade() -> None:
    """Make the table. Prices never change, so the program may only add them."""
    op.create_table(
        "price",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tiers", JSONB, nullable=False),
        sa.UniqueConstraint("tenant_id", "model", "effective_from", name="price_tenant_id_model_effective_from_key"),
    )
    protect("price", grants="select, insert")
