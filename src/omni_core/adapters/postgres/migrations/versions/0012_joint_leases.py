"""Leases for several calls on several periods in one step, by the database's clock."""

from alembic import op

revision = "0012_joint_leases"
down_revision = "0011_invoices_closed"

# Follows the rules of the functions of 0005_budgets: periods are locked one by one in the order of their keys, before
# any lease is touched, and the tenant is taken back.
#
# A budget that is being removed is waited for where its period is to be made, for that would refer to nothing. One that
# is gone stops no call: there is infinitely much left of it, and a limit that is null tells so.
#
# The nth call draws on the places up to ends[n]; it is served where each of them still has what it needs. What is left
# of a place includes `frees`, which its lease has for these calls already; where that does, nothing is granted. A
# surplus is the same on all places of a call, and a whole number of such calls: leases then do not drift apart, and
# none keeps a part of a call.
_ACQUIRE = """
create function omni_acquire_leases(
    in_tenant uuid, budgets uuid[], periods timestamptz[], leases uuid[], frees text[], held boolean[],
    needs text[], ends int[], places int[], lasting_s double precision)
    returns table (granted numeric, spent_so_far numeric, limit_now numeric, left_over numeric,
                   is_scarce boolean, is_valid boolean, moment timestamptz)
    language plpgsql
as $$
declare
    outer_tenant text := current_setting('omni.tenant', true);
    size int := cardinality(budgets);
    nothing numeric[] := array_fill(0::numeric, array[size]);
    limits numeric[] := array_fill(null::numeric, array[size]);
    spents numeric[] := nothing;
    availables numeric[] := nothing;
    lefts numeric[] := array_fill('Infinity'::numeric, array[size]);
    drawn numeric[] := nothing;
    asked numeric[] := nothing;
    most numeric[] := nothing;
    spares numeric[] := nothing;
    surplus numeric[] := array_fill(null::numeric, array[size]);
    valid boolean[] := array_fill(true, array[size]);
    served boolean[] := array_fill(true, array[cardinality(needs)]);
    one record;
    kind text;
    leased_now numeric;
    reclaimed numeric;
    need numeric;
    spare numeric;
    place int;
    nth int;
    step int;
    first int;
begin
    moment := clock_timestamp();
    perform set_config('omni.tenant', in_tenant::text, true);
    for one in
        select b, s, x from unnest(budgets, periods) with ordinality as given(b, s, x) order by b, s
    loop
        select limit_picos, "window" into limit_now, kind from budget where tenant_id = in_tenant and id = one.b;
        if not found then
            continue;
        end if;
        if kind in ('day', 'month') and one.s <> date_trunc(kind, moment, 'UTC') then
            limits[one.x] := limit_now;
            lefts[one.x] := 0;
            valid[one.x] := false;
            continue;
        end if;
        select spent, leased into spent_so_far, leased_now from budget_period
         where tenant_id = in_tenant and budget_id = one.b and period_start = one.s for no key update;
        if not found then
            select limit_picos into limit_now from budget where tenant_id = in_tenant and id = one.b for key share;
            if not found then
                continue;
            end if;
            insert into budget_period values (in_tenant, one.b, one.s, 0, 0) on conflict do nothing;
            select spent, leased into spent_so_far, leased_now from budget_period
             where tenant_id = in_tenant and budget_id = one.b and period_start = one.s for no key update;
        end if;
        with lapsed as (
            delete from budget_lease
             where tenant_id = in_tenant and budget_id = one.b and period_start = one.s and expires_at <= moment
            returning amount)
        select coalesce(sum(amount), 0) into reclaimed from lapsed;
        if reclaimed > 0 then
            update budget_period set leased = leased - reclaimed
             where tenant_id = in_tenant and budget_id = one.b and period_start = one.s;
        end if;
        limits[one.x] := limit_now;
        if held[one.x] and not exists (
            select from budget_lease where tenant_id = in_tenant and budget_id = one.b and period_start = one.s
               and lease_id = leases[one.x])
        then
            lefts[one.x] := 0;
            valid[one.x] := false;
            continue;
        end if;
        spents[one.x] := spent_so_far;
        availables[one.x] := greatest(limit_now - spent_so_far - leased_now + reclaimed, 0);
        lefts[one.x] := availables[one.x] + frees[one.x]::numeric;
    end loop;

    first := 1;
    for nth in 1 .. cardinality(needs) loop
        need := needs[nth]::numeric;
        for step in first .. ends[nth] loop
            most[places[step]] := greatest(most[places[step]], need);
        end loop;
        for step in first .. ends[nth] loop
            if lefts[places[step]] < need or not valid[places[step]] then
                served[nth] := false;
                exit;
            end if;
        end loop;
        if served[nth] then
            for step in first .. ends[nth] loop
                place := places[step];
                lefts[place] := lefts[place] - need;
                drawn[place] := drawn[place] + need;
                asked[place] := greatest(drawn[place] - frees[place]::numeric, 0);
            end loop;
        end if;
        first := ends[nth] + 1;
    end loop;

    for place in 1 .. size loop
        spares[place] := case when limits[place] is null then 'Infinity' else
            greatest(least(div(availables[place], 128), drawn[place] * 64) - asked[place], 0) end;
    end loop;
    first := 1;
    for nth in 1 .. cardinality(needs) loop
        if served[nth] then
            need := greatest(needs[nth]::numeric, 1);
            spare := 'Infinity';
            for step in first .. ends[nth] loop
                spare := least(spare, spares[places[step]]);
            end loop;
            spare := div(spare, need) * needs[nth]::numeric;
            for step in first .. ends[nth] loop
                surplus[places[step]] := least(surplus[places[step]], spare);
            end loop;
        end if;
        first := ends[nth] + 1;
    end loop;

    for place in 1 .. size loop
        granted := 0;
        spent_so_far := spents[place];
        limit_now := limits[place];
        left_over := lefts[place];
        is_scarce := div(availables[place], 128) <= greatest(asked[place], most[place]);
        is_valid := valid[place];
        if limit_now is not null and asked[place] > 0 then
            granted := asked[place] + coalesce(surplus[place], 0);
        end if;
        if granted > 0 then
            insert into budget_lease values (in_tenant, budgets[place], periods[place], leases[place], granted,
                                             moment + make_interval(secs => lasting_s))
                on conflict (tenant_id, budget_id, period_start, lease_id) do update
                set amount = budget_lease.amount + excluded.amount,
                    expires_at = greatest(budget_lease.expires_at, excluded.expires_at);
            update budget_period set leased = leased + granted
             where tenant_id = in_tenant and budget_id = budgets[place] and period_start = periods[place];
        end if;
        return next;
    end loop;
    perform set_config('omni.tenant', coalesce(outer_tenant, ''), true);
end
$$
"""

_PROLONG = """
create function omni_prolong_leases(
    tenants uuid[], budgets uuid[], periods timestamptz[], leases uuid[], lasting_s double precision,
    out alive boolean[], out moment timestamptz)
    language plpgsql
as $$
begin
    moment := clock_timestamp();
    alive := omni_renew_leases(
        tenants, budgets, periods, leases, moment, moment + make_interval(secs => lasting_s));
end
$$
"""

_FUNCTIONS = ("omni_acquire_leases", "omni_prolong_leases")


def upgrade() -> None:
    """Make the functions; releases before this one go on with `omni_acquire_lease` and `omni_renew_leases`."""
    for definition in (_ACQUIRE, _PROLONG):
        op.execute(definition)
    for function in _FUNCTIONS:
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to omni_app")
