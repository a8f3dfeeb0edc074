"""The limits of each provider: what was set for it, and nothing where the settings' are meant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013_provider_limits"
down_revision = "0012_joint_leases"


def upgrade() -> None:
    """Add the column. Where it is null, a release wrote the row that had only the two columns of before."""
    op.add_column("provider", sa.Column("limits", JSONB, nullable=True))
