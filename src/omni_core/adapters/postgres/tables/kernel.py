"""The event log, and the column types that every table uses."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def tenant_column() -> sa.Column[UUID]:
    """Return the column that leads the primary key of every table."""
    return sa.Column("tenant_id", sa.Uuid, primary_key=True)


def moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    """Return a column that holds a moment, with its offset."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


event = sa.Table(
    "event",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("event_type", sa.Text, nullable=False),
    sa.Column("aggregate_id", sa.Uuid, nullable=False),
    moment("recorded_at"),
    sa.Column("data", JSONB, nullable=False),
    sa.Index("event_tenant_id_seq_idx", "tenant_id", "seq"),
    sa.Index("event_tenant_id_event_type_seq_idx", "tenant_id", "event_type", "seq"),
)
