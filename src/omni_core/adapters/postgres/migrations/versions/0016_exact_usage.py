"""Prices finer than a pico for a token, why usage is an estimate, and which limits of a model somebody declared.

Expanding only: processes of the release before go on reading and writing all of it beside this one. They append usage
by `omni_append_usage`, which a later release drops with its type; they cannot read a price that they could not make.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_exact_usage"
down_revision = "0015_keyed_calls"

_TYPE = """
create type omni_usage_line as (
    id uuid, idempotency_key text, key_id uuid, model text, provider text, status text,
    input bigint, cached_input bigint, cache_write bigint, output bigint, image bigint,
    audio_input bigint, audio_output bigint, request bigint, estimated boolean,
    price_id uuid, price_tier int, cost_picos text, currency text, latency_ms int, request_id text,
    occurred_at timestamptz, estimate_reason text)
"""

# `omni_append_usage` of 0006 with a reason, under a name of its own: by one name, the driver's untyped parameters would
# fit both. A cost has 38 digits before its point and 6 behind it.
_APPEND = """
create function omni_append_calls(
    tenants uuid[], first_events int[], last_events int[], first_charges int[], last_charges int[],
    events omni_usage_line[], charges omni_charge_row[])
    returns table (place int, is_same boolean)
    language plpgsql
as $$
declare
    outer_tenant text := current_setting('omni.tenant', true);
    one record;
    given omni_usage_line[];
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
                price_id, price_tier, cost_picos, currency, latency_ms, request_id, occurred_at, estimate_reason)
            select one.tenant, x.id, x.idempotency_key, x.key_id, x.model, x.provider, x.status,
                   x.input, x.cached_input, x.cache_write, x.output, x.image,
                   x.audio_input, x.audio_output, x.request, x.estimated,
                   x.price_id, x.price_tier, x.cost_picos::numeric(44, 6), x.currency, x.latency_ms, x.request_id,
                   x.occurred_at, x.estimate_reason
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

# Every limit but the defaults was given by somebody. The owner too sees only one tenant's rows, unless it is let off.
_DECLARED = """
alter table model no force row level security;
update model set is_context_declared = context_length <> 128000, is_output_declared = max_output_tokens <> 4096;
alter table model force row level security
"""


def upgrade() -> None:
    """Widen what holds exact amounts, and add the columns and the function that appends with a reason."""
    # Without a scale: no row of the usage is written anew for it. The lines of invoices are, but they are few.
    op.alter_column("usage_event", "cost_picos", type_=sa.Numeric)
    op.alter_column("invoice_line", "exact_picos", type_=sa.Numeric)
    op.alter_column("invoice_line", "unit_price_picos", type_=sa.Numeric)
    op.add_column("usage_event", sa.Column("estimate_reason", sa.Text, nullable=True))
    for column in ("is_context_declared", "is_output_declared"):
        op.add_column("model", sa.Column(column, sa.Boolean, nullable=False, server_default=sa.false()))
    for statement in _DECLARED.strip().split(";\n"):
        op.execute(statement)
    op.execute(_TYPE)
    op.execute(_APPEND)
    op.execute("revoke execute on function omni_append_calls from public")
    op.execute("grant execute on function omni_append_calls to omni_app")
