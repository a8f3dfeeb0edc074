"""Invoices: their lines, their numbers, and what keeps an issued one as it is."""

import sqlalchemy as sa
from alembic import op

from omni_core.adapters.postgres.migrations.rls import protect

revision = "0007_billing"
down_revision = "0006_metering"

# Triggers bind the owner and a superuser too, whom neither grants nor row-level security stop.
_IMMUTABLE = """
create function omni_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'what is invoiced never changes: a row of %', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger invoice_immutable before update or delete on invoice
    for each row when (old.status = 'finalized') execute function omni_refuse_change();

create trigger invoice_not_emptied before truncate on invoice
    execute function omni_refuse_change();

create trigger invoice_line_not_emptied before truncate on invoice_line
    execute function omni_refuse_change();

create function omni_refuse_line_of_finalized() returns trigger language plpgsql as $$
begin
    if exists (select from invoice i where i.status = 'finalized'
                and (   (tg_op <> 'DELETE' and i.tenant_id = new.tenant_id and i.id = new.invoice_id)
                     or (tg_op <> 'INSERT' and i.tenant_id = old.tenant_id and i.id = old.invoice_id))) then
        raise exception 'a line of a finalized invoice never changes' using errcode = 'restrict_violation';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$;

create trigger invoice_line_immutable before insert or update or delete on invoice_line
    for each row execute function omni_refuse_line_of_finalized();

create trigger usage_event_immutable_when_billed before update or delete on usage_event
    for each row when (old.invoice_id is not null) execute function omni_refuse_change()
"""


def upgrade() -> None:
    """Make the tables, and the triggers that keep issued invoices."""
    op.create_table(
        "invoice_register",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("last_number", sa.Integer, nullable=False),
    )
    op.create_table(
        "invoice",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("month", sa.Date, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=True),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finalized_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("tenant_id", "month", name="invoice_tenant_id_month_key"),
        sa.UniqueConstraint("tenant_id", "number", name="invoice_tenant_id_number_key"),
        sa.CheckConstraint("(status = 'finalized') = (number is not null)", name="invoice_number_check"),
        sa.CheckConstraint("(status = 'finalized') = (finalized_at is not null)", name="invoice_finalized_at_check"),
    )
    op.create_table(
        "invoice_line",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("invoice_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("usage_month", sa.Date, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("meter", sa.Text, nullable=False),
        sa.Column("price_id", sa.Uuid, nullable=False),
        sa.Column("price_tier", sa.Integer, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("unit_price_picos", sa.BigInteger, nullable=False),
        sa.Column("exact_picos", sa.Numeric(38, 0), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        # Deferred: lines are stored before their invoice is, which takes none once it is finalized.
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name="invoice_line_invoice_fkey",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.CheckConstraint("exact_picos = quantity::numeric * unit_price_picos", name="invoice_line_exact_picos_check"),
    )
    op.create_index(
        "usage_event_invoiced_idx",
        "usage_event",
        ["tenant_id", "invoice_id", "id"],
        postgresql_where=sa.text("invoice_id is not null"),
    )
    protect("invoice_register", grants="select, insert, update")
    protect("invoice", grants="select, insert, update")
    protect("invoice_line", grants="select, insert, delete")
    for statement in _IMMUTABLE.strip().split(";\n\n"):
        op.execute(statement)
