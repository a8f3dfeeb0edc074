"""Calls under keys of clients: one row for each key of a caller, while its time lasts."""

import sqlalchemy as sa

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column

keyed_call = sa.Table(
    "keyed_call",
    metadata,
    tenant_column(),
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Uuid, nullable=False),
    sa.Column("attempt_id", sa.Uuid, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    moment("held_until"),
    moment("expires_at"),
    sa.Column("sealed", sa.LargeBinary, nullable=True),
    sa.UniqueConstraint("tenant_id", "attempt_id"),
    sa.Index("keyed_call_expires_at_idx", "expires_at"),
)
