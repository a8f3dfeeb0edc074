"""The end of each tenant's log, and how far subscriptions are in it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column

# Kept by a trigger on `event`. `due_at` says when a worker should visit the tenant: '-infinity' from the moment when
# something is recorded, null when there is nothing to do. `settled_by` are the crews that have come to the end.
event_head = sa.Table(
    "event_head",
    metadata,
    tenant_column(),
    sa.Column("position", sa.BigInteger, nullable=False),
    moment("due_at", nullable=True),
    sa.Column("settled_by", ARRAY(sa.Text), nullable=False),
    sa.Index("event_head_due_idx", "tenant_id", postgresql_where=sa.text("due_at is not null")),
)

event_cursor = sa.Table(
    "event_cursor",
    metadata,
    tenant_column(),
    sa.Column("subscription", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("handled", sa.BigInteger, nullable=False),
    moment("moved_at"),
)

event_inbox = sa.Table(
    "event_inbox",
    metadata,
    tenant_column(),
    sa.Column("subscription", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    moment("handled_at"),
)

event_held = sa.Table(
    "event_held",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("subscription", sa.Text, nullable=False),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("event_type", sa.Text, nullable=False),
    sa.Column("aggregate_id", sa.Uuid, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    moment("held_at"),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    moment("retry_at", nullable=True),
    sa.Column("code", sa.Text, nullable=True),
    sa.Column("detail", sa.Text, nullable=True),
    sa.UniqueConstraint("tenant_id", "subscription", "event_id"),
    sa.Index("event_held_aggregate_idx", "tenant_id", "subscription", "aggregate_id", "position"),
    sa.Index(
        "event_held_retry_idx",
        "tenant_id",
        "subscription",
        "retry_at",
        postgresql_where=sa.text("retry_at is not null"),
    ),
)
