"""Items of feedback, and the votes for them."""

import sqlalchemy as sa
from alembic import op

from omni_core.adapters.postgres.migrations.rls import protect

revision = "0010_feedback"
down_revision = "0009_events"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feedback_item",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("submitted_by", sa.Text, nullable=False),
        sa.Column("votes", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("feedback_item_tenant_id_status_id_idx", "feedback_item", ["tenant_id", "status", "id"])
    op.create_table(
        "feedback_vote",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("item_id", sa.Uuid, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "item_id", "id", name="feedback_vote_tenant_id_item_id_id_key"),
        sa.ForeignKeyConstraint(["tenant_id", "item_id"], ["feedback_item.tenant_id", "feedback_item.id"]),
    )
    protect("feedback_item", grants="select, insert, update")
    protect("feedback_vote", grants="select, insert, delete")
