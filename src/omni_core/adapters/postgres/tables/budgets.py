"""Budgets, what their periods have cost, and what processes hold on lease. Money is in 10⁻¹² of a major unit."""

from decimal import Decimal

import sqlalchemy as sa

from omni_core.adapters.postgres.tables.kernel import metadata, moment, tenant_column


def picos(name: str) -> sa.Column[Decimal]:
    """Return a column of money: a bigint would end at nine million major units."""
    return sa.Column(name, sa.Numeric(38, 0), nullable=False)


budget = sa.Table(
    "budget",
    metadata,
    tenant_column(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("key_id", sa.Uuid, nullable=True),
    sa.Column("window", sa.Text, nullable=False),
    # In picos, as everything that it is compared with; always a whole number of the currency's minor units.
    picos("limit_picos"),
    sa.Column("currency", sa.Text, nullable=False),
    moment("created_at"),
    sa.Column("made_by", sa.Text, nullable=False, server_default="operator"),
    sa.UniqueConstraint("tenant_id", "key_id", "window", postgresql_nulls_not_distinct=True),
)

budget_period = sa.Table(
    "budget_period",
    metadata,
    tenant_column(),
    sa.Column("budget_id", sa.Uuid, primary_key=True),
    sa.Column("period_start", sa.DateTime(timezone=True), primary_key=True),
    picos("spent"),
    picos("leased"),
    sa.ForeignKeyConstraint(["tenant_id", "budget_id"], ["budget.tenant_id", "budget.id"], ondelete="CASCADE"),
)

budget_lease = sa.Table(
    "budget_lease",
    metadata,
    tenant_column(),
    sa.Column("budget_id", sa.Uuid, primary_key=True),
    sa.Column("period_start", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("lease_id", sa.Uuid, primary_key=True),
    picos("amount"),
    moment("expires_at"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "budget_id", "period_start"],
        ["budget_period.tenant_id", "budget_period.budget_id", "budget_period.period_start"],
        ondelete="CASCADE",
    ),
)
