"""Budgets, their periods, and the leases that processes hold on them."""

import sqlalchemy as sa
from alembic import op

from omni_core.adapters.postgres.migrations.rls import protect

revision = "0005_budgets"
down_revision = "0004_pricing"

# Whatever changes a lease locks its period first, and several periods in the order of their keys. `leased` of a period
# is the sum of its leases at the end of every transaction. Each function is called as a statement of its own; it takes
# back the tenant that it sets, so that it does no harm inside a transaction either. (A SET clause would do that by
# itself, but to make a function with one takes a superuser, and the owner of the tables need not be one.)
_ACQUIRE = """
create function omni_acquire_lease(
    in_tenant uuid, in_budget uuid, in_period timestamptz, in_lease uuid,
    need numeric, want numeric, in_now timestamptz, in_until timestamptz)
    returns table (granted numeric, spent_so_far numeric, limit_now numeric)
    language plpgsql
as $$
declare
    outer_tenant text := current_setting('omni.tenant', true);
    reclaimed numeric;
    leased_now numeric;
    available numeric;
begin
    perform set_config('omni.tenant', in_tenant::text, true);
    select limit_picos into limit_now from budget where tenant_id = in_tenant and id = in_budget;
    if not found then
        perform set_config('omni.tenant', coalesce(outer_tenant, ''), true);
        return;
    end if;
    select spent, leased into spent_so_far, leased_now from budget_period
     where tenant_id = in_tenant and budget_id = in_budget and period_start = in_period for no key update;
    if not found then
        insert into budget_period values (in_tenant, in_budget, in_period, 0, 0) on conflict do nothing;
        select spent, leased into spent_so_far, leased_now from budget_period
         where tenant_id = in_tenant and budget_id = in_budget and period_start = in_period for no key update;
    end if;
    with lapsed as (
        delete from budget_lease
         where tenant_id = in_tenant and budget_id = in_budget and period_start = in_period and expires_at <= in_now
        returning amount)
    select coalesce(sum(amount), 0) into reclaimed from lapsed;
    available := limit_now - spent_so_far - (leased_now - reclaimed);
    granted := case when available < need then 0
                    else least(available, greatest(want, least(div(available, 128), want * 64))) end;
    if granted > 0 then
        insert into budget_lease values (in_tenant, in_budget, in_period, in_lease, granted, in_until)
            on conflict (tenant_id, budget_id, period_start, lease_id) do update
            set amount = budget_lease.amount + excluded.amount,
                expires_at = greatest(budget_lease.expires_at, excluded.expires_at);
    end if;
    if granted <> reclaimed then
        update budget_period set leased = leased + granted - reclaimed
         where tenant_id = in_tenant and budget_id = in_budget and period_start = in_period;
    end if;
    perform set_config('omni.tenant', coalesce(outer_tenant, ''), true);
    return next;
end
$$
"""

# Several leases of several tenants: tenant by tenant, in the order of their ids.
_GIVE_BACK = """
create function omni_give_back_leases(
    tenants uuid[], budgets uuid[], periods timestamptz[], leases uuid[], amounts numeric[])
    returns void
    language plpgsql
as $$
declare
    outer_tenant text := current_setting('omni.tenant', true);
    one_tenant uuid;
begin
    for one_tenant in select distinct t from unnest(tenants) t order by t loop
        perform set_config('omni.tenant', one_tenant::text, true);
        perform from budget_period p
          where p.tenant_id = one_tenant and (p.budget_id, p.period_start) in (
                select b, s from unnest(tenants, budgets, periods) as given(t, b, s) where t = one_tenant)
          order by p.budget_id, p.period_start for no key update;
        with given as (
            select b, s, l, sum(a) as a from unnest(tenants, budgets, periods, leases, amounts) as x(t, b, s, l, a)
             where t = one_tenant group by b, s, l),
        returned as (
            select b, s, l, least(a, amount) as a, a >= amount as all_of_it from given
              join budget_lease on tenant_id = one_tenant and budget_id = b and period_start = s and lease_id = l),
        lessened as (
            update budget_lease set amount = amount - a from returned
             where tenant_id = one_tenant and budget_id = b and period_start = s and lease_id = l and not all_of_it),
        ended as (
            delete from budget_lease using returned
             where tenant_id = one_tenant and budget_id = b and period_start = s and lease_id = l and all_of_it)
        update budget_period set leased = leased - a
          from (select b, s, sum(a) as a from returned group by b, s) as by_period
         where tenant_id = one_tenant and budget_id = b and period_start = s;
    end loop;
    perform set_config('omni.tenant', coalesce(outer_tenant, ''), true);
end
$$
"""

_RENEW = """
create function omni_renew_leases(
    tenants uuid[], budgets uuid[], periods timestamptz[], leases uuid[], in_now timestamptz, in_until timestamptz)
    returns boolean[]
    language plpgsql
as $$
declare
    outer_tenant text := current_setting('omni.tenant', true);
    one_tenant uuid;
    alive boolean[] := array_fill(false, array[cardinality(leases)]);
    place int;
begin
    for one_tenant in select distinct t from unnest(tenants) t order by t loop
        perform set_config('omni.tenant', one_tenant::text, true);
        perform from budget_period p
          where p.tenant_id = one_tenant and (p.budget_id, p.period_start) in (
                select b, s from unnest(tenants, budgets, periods) as given(t, b, s) where t = one_tenant)
          order by p.budget_id, p.period_start for no key update;
        for place in
            update budget_lease set expires_at = greatest(expires_at, in_until)
              from unnest(tenants, budgets, periods, leases) with ordinality as given(t, b, s, l, nth)
             where t = one_tenant and tenant_id = one_tenant and budget_id = b and period_start = s and lease_id = l
               and expires_at > in_now
            returning nth loop
            alive[place] := true;
        end loop;
    end loop;
    perform set_config('omni.tenant', coalesce(outer_tenant, ''), true);
    return alive;
end
$$
"""

_FUNCTIONS = (
    "omni_acquire_lease(uuid, uuid, timestamptz, uuid, numeric, numeric, timestamptz, timestamptz)",
    "omni_give_back_leases(uuid[], uuid[], timestamptz[], uuid[], numeric[])",
    "omni_renew_leases(uuid[], uuid[], timestamptz[], uuid[], timestamptz, timestamptz)",
)


def upgrade() -> None:
    """Make the tables, and the functions that lease."""
    op.create_table(
        "budget",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("key_id", sa.Uuid, nullable=True),
        sa.Column("window", sa.Text, nullable=False),
        sa.Column("limit_picos", sa.Numeric(38, 0), nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint(
            "tenant_id",
            "key_id",
            "window",
            name="budget_tenant_id_key_id_window_key",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "budget_period",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("budget_id", sa.Uuid, primary_key=True),
        sa.Column("period_start", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("spent", sa.Numeric(38, 0), nullable=False),
        sa.Column("leased", sa.Numeric(38, 0), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "budget_id"], ["budget.tenant_id", "budget.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "budget_lease",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("budget_id", sa.Uuid, primary_key=True),
        sa.Column("period_start", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("lease_id", sa.Uuid, primary_key=True),
        sa.Column("amount", sa.Numeric(38, 0), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id", "period_start"],
            ["budget_period.tenant_id", "budget_period.budget_id", "budget_period.period_start"],
            ondelete="CASCADE",
        ),
    )
    for table in ("budget", "budget_period", "budget_lease"):
        protect(table)
    for definition in (_ACQUIRE, _GIVE_BACK, _RENEW):
        op.execute(definition)
    for function in _FUNCTIONS:
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to omni_app")
