"""What every UsageLog does."""

import asyncio
from collections.abc import Sequence
from fractions import Fraction

import pytest

from omni_core.domain.budgets.model import Pot, Spending
from omni_core.domain.budgets.ports import BudgetStore, Leases, Need, Wish
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.metering.api import (
    CallStatus,
    EstimateReason,
    Meter,
    Quantities,
    UsageEvent,
    UsageLog,
    UsageQuery,
)
from omni_core.domain.metering.errors import InvalidUsage, UsageNotRecorded
from omni_core.domain.metering.ports import UsageReader
from omni_core.testing.builders.budgets import (
    CENT,
    a_budget,
    a_charge,
    a_lease_id,
    acquire,
    pot_of,
    spending_of,
    stored,
)
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.clock import NOON

PRICE = a_price()
ALWAYS = UsageQuery(NOON.replace(year=2000), NOON.replace(year=2100))


class UsageLogContract:
    """Fixtures: `usage_log`, and of the same technology `usage_reader`, `budget_store`, `leases`, `uow`; and `ids`."""

    @pytest.fixture
    async def pot(self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases) -> Pot:
        return pot_of(await stored(uow, budget_store, a_budget(a_tenant_id())), await leases.now())

    async def test_an_event_comes_back_as_it_went_in(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader, ids: Ids
    ) -> None:
        event = a_call(
            a_tenant_id(),
            PRICE,
            idempotency_key="ключ 🔑 " * 20,
            key_id=ids.new(),
            status=CallStatus.INTERRUPTED,
            quantities=Quantities(**{meter: 10**15 + number for number, meter in enumerate(Meter)}),
            estimated=True,
            estimate_reason=EstimateReason.BEYOND_CONTEXT,
            price_tier=200_000,
            cost_picos=10**30 + Fraction(1, 10**6),
            currency="JPY",
            request_id="",
        )
        assert await usage_log.append(event)
        assert await events_of(uow, usage_reader, event.tenant_id) == [event]

    async def test_a_charge_is_spent_and_set_aside_no_longer(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, usage_log: UsageLog, pot: Pot
    ) -> None:
        lease_id = a_lease_id()
        await acquire(leases, pot, lease_id, 10 * CENT)
        assert await usage_log.append(a_call(pot.tenant_id, PRICE), [a_charge(pot, 3 * CENT, lease_id)])
        assert await spending_of(uow, budget_store, pot) == Spending(3 * CENT, 7 * CENT)

    async def test_a_charge_beyond_its_lease_is_spent_all_the_same(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, usage_log: UsageLog, pot: Pot
    ) -> None:
        short, other = a_lease_id(), a_lease_id()
        for lease_id in (short, other):
            await acquire(leases, pot, lease_id, 10 * CENT)
        await usage_log.append(a_call(pot.tenant_id, PRICE), [a_charge(pot, 12 * CENT, short)])
        assert await spending_of(uow, budget_store, pot) == Spending(12 * CENT, 10 * CENT)

    async def test_a_charge_on_a_lease_that_was_taken_back_is_spent_only(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, usage_log: UsageLog, pot: Pot
    ) -> None:
        lapsing = a_lease_id()
        await leases.acquire([Wish(pot, lapsing)], [Need(10 * CENT, (0,))], lasting_s=0)
        await acquire(leases, pot, a_lease_id(), CENT)
        await usage_log.append(a_call(pot.tenant_id, PRICE), [a_charge(pot, 3 * CENT, lapsing)])
        assert await spending_of(uow, budget_store, pot) == Spending(3 * CENT, CENT)

    async def test_charges_of_one_lease_at_once_add_up(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, usage_log: UsageLog, pot: Pot
    ) -> None:
        lease_id = a_lease_id()
        await acquire(leases, pot, lease_id, 100 * CENT)
        charge = a_charge(pot, 2 * CENT, lease_id)
        await asyncio.gather(*(usage_log.append(a_call(pot.tenant_id, PRICE), [charge]) for _ in range(40)))
        assert await spending_of(uow, budget_store, pot) == Spending(80 * CENT, 20 * CENT)

    async def test_a_call_may_be_charged_on_several_budgets(
        self, uow: UnitOfWork, budget_store: BudgetStore, leases: Leases, usage_log: UsageLog, ids: Ids
    ) -> None:
        tenant_id = a_tenant_id()
        budgets = [a_budget(tenant_id, key_id=key_id) for key_id in (None, ids.new())]
        now = await leases.now()
        pots = [pot_of(await stored(uow, budget_store, budget), now) for budget in budgets]
        await usage_log.append(a_call(tenant_id, PRICE), [a_charge(pot, CENT) for pot in reversed(pots)])
        assert [await spending_of(uow, budget_store, pot) for pot in pots] == [Spending(CENT, 0)] * 2

    async def test_a_charge_on_a_budget_that_was_removed_books_nothing(
        self, uow: UnitOfWork, budget_store: BudgetStore, usage_log: UsageLog, usage_reader: UsageReader, pot: Pot
    ) -> None:
        async with uow(pot.tenant_id) as tx:
            await budget_store.remove(tx, pot.budget_id)
        event = a_call(pot.tenant_id, PRICE)
        assert await usage_log.append(event, [a_charge(pot, CENT)])
        assert await events_of(uow, usage_reader, pot.tenant_id) == [event]
        assert await spending_of(uow, budget_store, pot) == Spending()

    async def test_a_key_that_was_used_changes_nothing(
        self, uow: UnitOfWork, budget_store: BudgetStore, usage_log: UsageLog, usage_reader: UsageReader, pot: Pot
    ) -> None:
        first = a_call(pot.tenant_id, PRICE)
        again = a_call(pot.tenant_id, PRICE, idempotency_key=first.idempotency_key, cost_picos=7)
        charges = [a_charge(pot, CENT)]
        assert await usage_log.append(first, charges)
        assert not await usage_log.append(again, charges)
        assert not await usage_log.append(first, charges)
        assert await events_of(uow, usage_reader, pot.tenant_id) == [first]
        assert await spending_of(uow, budget_store, pot) == Spending(CENT, 0)

    async def test_of_one_key_at_once_one_is_new(
        self, uow: UnitOfWork, budget_store: BudgetStore, usage_log: UsageLog, usage_reader: UsageReader, pot: Pot
    ) -> None:
        once = a_call(pot.tenant_id, PRICE)
        rivals = [once, once, *(a_call(pot.tenant_id, PRICE, idempotency_key="same") for _ in range(8))]
        charges = [a_charge(pot, CENT)]
        new = await asyncio.gather(*(usage_log.append(event, charges) for event in rivals))
        assert [event.idempotency_key for event, is_new in zip(rivals, new, strict=True) if is_new] == [
            once.idempotency_key,
            "same",
        ]
        assert len(await events_of(uow, usage_reader, pot.tenant_id)) == 2
        assert await spending_of(uow, budget_store, pot) == Spending(2 * CENT, 0)

    async def test_an_id_belongs_to_one_event(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        first, bystander = (a_call(a_tenant_id(), PRICE) for _ in range(2))
        await usage_log.append(first)
        impostor = a_call(first.tenant_id, PRICE, id=first.id)
        outcomes = await asyncio.gather(usage_log.append(impostor), usage_log.append(bystander), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [InvalidUsage, bool]
        assert await events_of(uow, usage_reader, first.tenant_id) == [first]
        assert await events_of(uow, usage_reader, bystander.tenant_id) == [bystander]

    async def test_events_of_several_tenants_go_together(
        self, uow: UnitOfWork, budget_store: BudgetStore, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        pots = [pot_of(await stored(uow, budget_store, a_budget(a_tenant_id()))) for _ in range(4)]
        calls = [(a_call(pot.tenant_id, PRICE, idempotency_key=f"{n}"), pot) for n in range(5) for pot in pots[::-1]]
        new = await asyncio.gather(*(usage_log.append(event, [a_charge(pot, CENT)]) for event, pot in calls))
        assert all(new)
        for pot in pots:
            theirs = [event for event, _ in calls if event.tenant_id == pot.tenant_id]
            assert await events_of(uow, usage_reader, pot.tenant_id) == theirs
            assert await spending_of(uow, budget_store, pot) == Spending(5 * CENT, 0)

    async def test_a_thousand_at_once_are_there_once_each(
        self, uow: UnitOfWork, budget_store: BudgetStore, usage_log: UsageLog, usage_reader: UsageReader, pot: Pot
    ) -> None:
        events = [a_call(pot.tenant_id, PRICE) for _ in range(1000)]
        picos = CENT // 100
        new = await asyncio.gather(*(usage_log.append(event, [a_charge(pot, picos)]) for event in events))
        assert all(new)
        assert await events_of(uow, usage_reader, pot.tenant_id, limit=2000) == events
        assert await spending_of(uow, budget_store, pot) == Spending(1000 * picos, 0)

    async def test_who_leaves_takes_nothing_back_and_harms_nobody(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id = a_tenant_id()
        events = [a_call(tenant_id, PRICE) for _ in range(3)]
        waiting = [asyncio.create_task(usage_log.append(event)) for event in events]
        await asyncio.sleep(0)
        waiting[1].cancel()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [outcomes[0], outcomes[2]] == [True, True]
        assert isinstance(outcomes[1], asyncio.CancelledError)
        await usage_log.close()
        assert await events_of(uow, usage_reader, tenant_id) == events

    async def test_closing_writes_what_waits_and_refuses_more(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id = a_tenant_id()
        events = [a_call(tenant_id, PRICE) for _ in range(20)]
        waiting = [asyncio.create_task(usage_log.append(event)) for event in events]
        await asyncio.sleep(0)
        await usage_log.close()
        with pytest.raises(UsageNotRecorded):
            await usage_log.append(a_call(tenant_id, PRICE))
        assert await events_of(uow, usage_reader, tenant_id) == events
        assert await asyncio.gather(*waiting) == [True] * 20


async def events_of(
    uow: UnitOfWork, usage_reader: UsageReader, tenant_id: TenantId, limit: int = 100
) -> Sequence[UsageEvent]:
    """Return the tenant's events as they are committed, oldest first."""
    async with uow(tenant_id) as tx:
        return list(await usage_reader.events(tx, ALWAYS, limit, None))[::-1]
