"""Who made a budget: the operator, or the tenant for itself."""

import sqlalchemy as sa
from alembic import op

revision = "0017_budget_makers"
down_revision = "0016_exact_usage"


def upgrade() -> None:
    """Add the column. What an earlier release made counts as the operator's, which no key of a tenant's may change."""
    op.add_column("budget", sa.Column("made_by", sa.Text, nullable=False, server_default="operator"))
