"""Items of feedback, and the votes for them."""

import sqlalchemy as sa

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column

feedback_item = sa.Table(
    "feedback_item",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("submitted_by", sa.Text, nullable=False),
    sa.Column("votes", sa.BigInteger, nullable=False),
    moment("created_at"),
    moment("changed_at"),
    sa.Index("feedback_item_tenant_id_status_id_idx", "tenant_id", "status", "id"),
)

feedback_vote = sa.Table(
    "feedback_vote",
    metadata,
    tenant_column(),
    sa.Column("item_id", sa.Uuid, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    moment("cast_at"),
    sa.UniqueConstraint("tenant_id", "item_id", "id"),
    sa.ForeignKeyConstraint(["tenant_id", "item_id"], ["feedback_item.tenant_id", "feedback_item.id"]),
)
