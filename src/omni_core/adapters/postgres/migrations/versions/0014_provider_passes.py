"""What a provider takes besides the fields of its kind."""

import sqlalchemy as sa
from alembic import op

revision = "0014_provider_passes"
down_revision = "0013_provider_limits"


def upgrade() -> None:
    """Add the column; a row of an earlier release takes nothing else."""
    op.add_column("provider", sa.Column("passes", sa.ARRAY(sa.Text), nullable=False, server_default="{}"))
