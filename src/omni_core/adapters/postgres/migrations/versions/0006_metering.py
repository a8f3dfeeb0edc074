"""Usage events, and the function that appends a batch of them together with their charges on budgets."""

import sqlalchemy as sa
from alembic import op

from omni_core.adapters.postgres.migrations.rls import protect

revision = "0006_metering"
down_revision = "0005_budgets"

_METERS = ("input", "cached_input", "cache_write", "output", "image", "audio_input", "audio_output", "request")

# One array of rows, not an array for each column: the driver writes it in half the time. Money comes as text, which the
# driver writes many times faster than a numeric.
_TYPES = """
create type omni_usage_row as (
    id uuid, idempotency_key text, key_id uuid, model text, provider text, status text,
    input bigint, cached_input bigint, cache_write bigint, output bigint, image bigint,
    audio_input bigint, audio_output bigint, request bigint, estimated boolean,
    price_id uuid, price_tier int, cost_picos text, currency text, latency_ms int, request_id text,
    occurred_at timestamptz);
create type omni_charge_row as (place int, budget_id uuid, period_start timestamptz, lease_id uuid, picos text)
"""

# Events come tenant by tenant, in the order of the tenants' ids: `first_events[n]` to `last_events[n]` are the places
# of the nth tenant's events, and likewise its charges; a charge's `place` is that of its event. Returned are the places
# of events whose key was there before (the first of several in a batch is not), and whether it is the same event.
#
# Plans are generic: to plan each statement anew for each tenant of a batch takes longer than to run it.
#
# Order of locks, the same in every process: tenants by id, then periods by budget and start, then keys as text. Had
# two batches met in another order, each could wait for the other.
_APPEND = """
create function omni_append_usage(
    tenants uuid[], first_events int[], last_events int[], first_charges int[], last_charges int[],
    events omni_usage_row[], charges omni_charge_row[])
    returns table (place int, is_same boolean)
    language plpgsql
as $$
declare
    outer_tenant text := current_setting('omni.tenant', true);
    one record;
    given omni_usage_row[];
    due omni_charge_row[];
    new_ids uuid[];
    seen int[];
    same boolean[];
begin
    for one in
        select * from unnest(tenants, first_events, last_events, first_charges, last_charges)
            as x(tenant, e1, e2, c1, c2)
         order by tenant
    loop
        perform set_config('omni.tenant', one.tenant::text, true);
        given := events[one.e1:one.e2];
        due := charges[one.c1:one.c2];
        if cardinality(due) > 0 then
            perform omni_lock_periods(one.tenant, due);
        end if;
        with inserted as (
            insert into usage_event (
                tenant_id, id, idempotency_key, key_id, model, provider, status,
                input_quantity, cached_input_quantity, cache_write_quantity, output_quantity, image_quantity,
                audio_input_quantity, audio_output_quantity, request_quantity, estimated,
                price_id, price_tier, cost_picos, currency, latency_ms, request_id, occurred_at)
            select one.tenant, x.id, x.idempotency_key, x.key_id, x.model, x.provider, x.status,
                   x.input, x.cached_input, x.cache_write, x.output, x.image,
                   x.audio_input, x.audio_output, x.request, x.estimated,
                   x.price_id, x.price_tier, x.cost_picos::numeric, x.currency, x.latency_ms, x.request_id,
                   x.occurred_at
              from unnest(given) with ordinality as x
             order by x.idempotency_key collate "C", x.ordinality
            on conflict (tenant_id, idempotency_key) do nothing
            returning id)
        select coalesce(array_agg(id), '{}') into new_ids from inserted;
        seen := '{}';
        if cardinality(new_ids) < cardinality(given) then
            select coalesce(array_agg(one.e1 + x.nth - 1), '{}'),
                   coalesce(array_agg(x.turn = 1 and exists (
                       select from usage_event u where u.tenant_id = one.tenant and u.id = x.id)), '{}')
              into seen, same
              from (select g.id, g.ordinality as nth,
                           row_number() over (partition by g.idempotency_key order by g.ordinality) as turn
                      from unnest(given) with ordinality as g) as x
             where x.turn > 1 or x.id <> all (new_ids);
            return query select * from unnest(seen, same);
        end if;
        if cardinality(due) > 0 then
            perform omni_book_charges(one.tenant, seen, due);
        end if;
    end loop;
    perform set_config('omni.tenant', coalesce(outer_tenant, ''), true);
end
$$
"""

# A period that is not there yet is made; a charge on a budget that was removed finds none and books nothing.
_LOCK_PERIODS = """
create function omni_lock_periods(one_tenant uuid, due omni_charge_row[]) returns void
    language plpgsql
as $$
declare
    locked int;
    wanted int;
begin
    perform from budget_period p
      where p.tenant_id = one_tenant
        and (p.budget_id, p.period_start) in (select d.budget_id, d.period_start from unnest(due) as d)
      order by p.budget_id, p.period_start for no key update;
    get diagnostics locked = row_count;
    select count(*) into wanted from (select distinct d.budget_id, d.period_start from unnest(due) as d) as x;
    if locked < wanted then
        perform from budget
          where tenant_id = one_tenant and id in (select d.budget_id from unnest(due) as d) order by id for key share;
        insert into budget_period
        select distinct one_tenant, d.budget_id, d.period_start, 0, 0 from unnest(due) as d
          join budget on tenant_id = one_tenant and id = d.budget_id
         order by d.budget_id, d.period_start
        on conflict do nothing;
        perform from budget_period p
          where p.tenant_id = one_tenant
            and (p.budget_id, p.period_start) in (select d.budget_id, d.period_start from unnest(due) as d)
          order by p.budget_id, p.period_start for no key update;
    end if;
end
$$
"""

# What a lease covers of its charges is set aside no longer. A lease that lapsed and was reclaimed covers nothing.
_BOOK_CHARGES = """
create function omni_book_charges(one_tenant uuid, seen int[], due omni_charge_row[]) returns void
    language plpgsql
as $$
begin
    with summed as (
        select d.budget_id as b, d.period_start as s, d.lease_id as l, sum(d.picos::numeric) as a from unnest(due) as d
         where d.place <> all (seen) group by b, s, l),
    booked as (
        select b, s, l, a, least(a, coalesce(amount, 0)) as covered from summed
          left join budget_lease on tenant_id = one_tenant and budget_id = b and period_start = s and lease_id = l),
    lessened as (
        update budget_lease set amount = amount - covered from booked
         where tenant_id = one_tenant and budget_id = b and period_start = s and lease_id = l and covered > 0)
    update budget_period set spent = spent + by_period.a, leased = leased - by_period.covered
      from (select b, s, sum(a) as a, sum(covered) as covered from booked group by b, s) as by_period
     where tenant_id = one_tenant and budget_id = b and period_start = s;
end
$$
"""

_FUNCTIONS = ("omni_lock_periods", "omni_book_charges", "omni_append_usage")


def upgrade() -> None:
    """Make the table and the functions. Usage never changes: the program may only add it, and put it on an invoice."""
    op.create_table(
        "usage_event",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("key_id", sa.Uuid, nullable=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        *(sa.Column(f"{meter}_quantity", sa.BigInteger, nullable=False) for meter in _METERS),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("price_id", sa.Uuid, nullable=False),
        sa.Column("price_tier", sa.Integer, nullable=False),
        sa.Column("cost_picos", sa.Numeric(38, 0), nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("latency_ms", sa.Integer, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("invoice_id", sa.Uuid, nullable=True),
        sa.UniqueConstraint("tenant_id", "idempotency_key", name="usage_event_tenant_id_idempotency_key_key"),
    )
    op.create_index("usage_event_tenant_id_occurred_at_idx", "usage_event", ["tenant_id", "occurred_at"])
    op.create_index(
        "usage_event_unbilled_idx",
        "usage_event",
        ["tenant_id", "occurred_at"],
        postgresql_where=sa.text("invoice_id is null"),
    )
    protect("usage_event", grants="select, insert, update (invoice_id)")
    for definition in (*_TYPES.split(";\n"), _LOCK_PERIODS, _BOOK_CHARGES, _APPEND):
        op.execute(definition)
    for function in _FUNCTIONS:
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to omni_app")
