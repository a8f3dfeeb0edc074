"""Invoices, their lines, and the register of their numbers."""

import sqlalchemy as sa

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column
from omni_core.adapters.postgres.tables.metering import usage_event

invoice_register = sa.Table(
    "invoice_register",
    metadata,
    tenant_column(),
    sa.Column("last_number", sa.Integer, nullable=False),
)

invoice = sa.Table(
    "invoice",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=True),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    moment("created_at"),
    moment("finalized_at", nullable=True),
    sa.UniqueConstraint("tenant_id", "month"),
    sa.UniqueConstraint("tenant_id", "number"),
)

invoice_line = sa.Table(
    "invoice_line",
    metadata,
    tenant_column(),
    sa.Column("invoice_id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("usage_month", sa.Date, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("meter", sa.Text, nullable=False),
    sa.Column("price_id", sa.Uuid, nullable=False),
    sa.Column("price_tier", sa.Integer, nullable=False),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    # A finer price makes parts of picos, and a line of nine million major units is more of them than a bigint holds.
    sa.Column("unit_price_picos", sa.Numeric, nullable=False),
    sa.Column("exact_picos", sa.Numeric, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(
        ["tenant_id", "invoice_id"],
        ["invoice.tenant_id", "invoice.id"],
        name="invoice_line_invoice_fkey",
        deferrable=True,
        initially="DEFERRED",
    ),
)

# Events enter it when they are claimed, so that recording them costs no more for it.
sa.Index(
    "usage_event_invoiced_idx",
    usage_event.c.tenant_id,
    usage_event.c.invoice_id,
    usage_event.c.id,
    postgresql_where=sa.text("invoice_id is not null"),
)
