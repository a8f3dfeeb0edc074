"""Usage events: one row for each call. Nothing in a row changes but the invoice that it is on."""

import sqlalchemy as sa

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column
from omni_core.domain.metering.api import Meter


def meter_column(meter: Meter) -> str:
    """Return the name of the column that counts `meter`."""
    return f"{meter.value}_quantity"


usage_event = sa.Table(
    "usage_event",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("idempotency_key", sa.Text, nullable=False),
    sa.Column("key_id", sa.Uuid, nullable=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    *(sa.Column(meter_column(meter), sa.BigInteger, nullable=False) for meter in Meter),
    sa.Column("estimated", sa.Boolean, nullable=False),
    sa.Column("price_id", sa.Uuid, nullable=False),
    sa.Column("price_tier", sa.Integer, nullable=False),
    sa.Column("cost_picos", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("latency_ms", sa.Integer, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    moment("occurred_at"),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("invoice_id", sa.Uuid, nullable=True),
    sa.Column("estimate_reason", sa.Text, nullable=True),
    sa.UniqueConstraint("tenant_id", "idempotency_key"),
    sa.Index("usage_event_tenant_id_occurred_at_idx", "tenant_id", "occurred_at"),
    sa.Index(
        "usage_event_unbilled_idx",
        "tenant_id",
        "occurred_at",
        postgresql_where=sa.text("invoice_id is null"),
    ),
)
