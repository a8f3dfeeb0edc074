"""What every BillableUsage does."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest

from omni_core.domain.billing.ports import BillableUsage
from omni_core.domain.billing.rating import UsageTotal
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.metering.api import Meter, Quantities, UsageEvent, UsageLog
from omni_core.domain.pricing.api import Rates, Tier
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import USED, a_call, a_call_of_another_release
from omni_core.testing.builders.pricing import a_price

NOVEMBER = Month(2026, 11)
OCTOBER = Month(2026, 10)
INSTANT = timedelta(microseconds=1)


class BillableUsageContract:
    """Fixtures: `billable_usage`, and of the same technology `usage_log` and `uow`; and `ids`."""

    async def test_sums_every_meter_by_month_model_price_and_tier(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog
    ) -> None:
        tenant_id = a_tenant_id()
        dear = Tier(1000, Rates.parse({"input": "5", "output": "20"}))
        price, other = a_price(dear), a_price()
        newer = a_price(model=price.model)
        every_meter = Quantities(**{meter: number for number, meter in enumerate(Meter, start=1)})
        calls = [
            a_call(tenant_id, price, quantities=every_meter),
            a_call(tenant_id, price, quantities=every_meter, provider="elsewhere"),
            a_call(tenant_id, price, quantities=Quantities(input=1001)),
            a_call(tenant_id, price, occurred_at=NOVEMBER.start - INSTANT),
            a_call(tenant_id, newer),
            a_call(tenant_id, other),
        ]
        await record(usage_log, calls)
        async with uow(tenant_id) as tx:
            totals = await billable_usage.unbilled(tx, NOVEMBER.end)
        assert alike(totals) == alike(
            [
                total(calls[:2], NOVEMBER),
                total(calls[2:3], NOVEMBER),
                total(calls[3:4], OCTOBER),
                total(calls[4:5], NOVEMBER),
                total(calls[5:6], NOVEMBER),
            ]
        )

    async def test_months_begin_and_end_in_utc(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog
    ) -> None:
        tenant_id, price = a_tenant_id(), a_price()
        moments = [NOVEMBER.start - INSTANT, NOVEMBER.start, NOVEMBER.end - INSTANT, NOVEMBER.end]
        await record(usage_log, [a_call(tenant_id, price, occurred_at=moment) for moment in moments])
        async with uow(tenant_id) as tx:
            totals = await billable_usage.unbilled(tx, NOVEMBER.end)
        assert {one.usage_month: one.calls for one in totals} == {OCTOBER: 1, NOVEMBER: 2}

    async def test_sums_exceed_64_bits(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog
    ) -> None:
        tenant_id = a_tenant_id()
        price = a_price(prices={"input": "1", "output": "1", "request": "500000"})
        calls = [a_call(tenant_id, price, quantities=Quantities(request=10)) for _ in range(3)]
        await record(usage_log, calls)
        async with uow(tenant_id) as tx:
            (only,) = await billable_usage.unbilled(tx, NOVEMBER.end)
        assert only.cost_picos == 15_000_000 * 10**12
        assert isinstance(only.cost_picos, int)

    async def test_sums_of_what_is_finer_than_a_pico_are_exact(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog
    ) -> None:
        tenant_id, price = a_tenant_id(), a_price(prices={"input": "0.000000000001", "output": "1"})
        await record(usage_log, [a_call(tenant_id, price, quantities=Quantities(input=number)) for number in (1, 2)])
        async with uow(tenant_id) as tx:
            (only,) = await billable_usage.unbilled(tx, NOVEMBER.end)
        assert only.cost_picos * 10**6 == 3

    async def test_what_is_claimed_is_claimed_once(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog, ids: Ids
    ) -> None:
        tenant_id, price = a_tenant_id(), a_price()
        early, late = a_call(tenant_id, price), a_call(tenant_id, price, quantities=USED + USED)
        first, second = ids.new(), ids.new()
        await record(usage_log, [early])
        async with uow(tenant_id) as tx:
            assert list(await billable_usage.claim(tx, first, NOVEMBER.end)) == [total([early], NOVEMBER)]
            assert list(await billable_usage.unbilled(tx, NOVEMBER.end)) == []
        await record(usage_log, [late])
        async with uow(tenant_id) as tx:
            assert list(await billable_usage.claim(tx, second, NOVEMBER.end)) == [total([late], NOVEMBER)]
            assert list(await billable_usage.claim(tx, second, NOVEMBER.end)) == []
            assert list(await billable_usage.events(tx, first, 10, None)) == [early]
            assert list(await billable_usage.events(tx, second, 10, None)) == [late]

    async def test_what_occurs_after_the_end_stays_unclaimed(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog, ids: Ids
    ) -> None:
        tenant_id, price = a_tenant_id(), a_price()
        later = a_call(tenant_id, price, occurred_at=NOVEMBER.end)
        await record(usage_log, [later])
        async with uow(tenant_id) as tx:
            assert list(await billable_usage.claim(tx, ids.new(), NOVEMBER.end)) == []
            assert list(await billable_usage.unbilled(tx, NOVEMBER.next().end)) == [total([later], NOVEMBER.next())]

    async def test_a_claim_that_is_rolled_back_claims_nothing(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog, ids: Ids
    ) -> None:
        tenant_id = a_tenant_id()
        call = a_call(tenant_id, a_price())
        invoice_id = ids.new()
        await record(usage_log, [call])

        async def fail() -> None:
            async with uow(tenant_id) as tx:
                assert len(await billable_usage.claim(tx, invoice_id, NOVEMBER.end)) == 1
                raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            await fail()
        async with uow(tenant_id) as tx:
            assert list(await billable_usage.events(tx, invoice_id, 10, None)) == []
            assert list(await billable_usage.unbilled(tx, NOVEMBER.end)) == [total([call], NOVEMBER)]

    async def test_what_is_recorded_meanwhile_is_in_the_sums_and_on_the_invoice_or_in_neither(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog, ids: Ids
    ) -> None:
        tenant_id, price = a_tenant_id(), a_price()
        calls = [a_call(tenant_id, price) for _ in range(40)]

        async def claim() -> None:
            invoice_id = ids.new()
            async with uow(tenant_id) as tx:
                totals = await billable_usage.claim(tx, invoice_id, NOVEMBER.end)
                claimed = await billable_usage.events(tx, invoice_id, 100, None)
            assert sum(one.calls for one in totals) == len(claimed)
            assert sum(one.cost_picos for one in totals) == sum(call.cost_picos for call in claimed)
            on_invoices.extend(call.id for call in claimed)

        on_invoices: list[object] = []
        await asyncio.gather(*(usage_log.append(call) for call in calls), *(claim() for _ in range(4)))
        await claim()
        assert sorted(map(str, on_invoices)) == sorted(str(call.id) for call in calls)

    async def test_the_calls_of_an_invoice_are_listed_from_the_newest_in_pages(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog, ids: Ids
    ) -> None:
        tenant_id, price, invoice_id = a_tenant_id(), a_price(), ids.new()
        calls = [a_call(tenant_id, price, key_id=ids.new(), estimated=True) for _ in range(3)]
        await record(usage_log, calls)
        async with uow(tenant_id) as tx:
            await billable_usage.claim(tx, invoice_id, NOVEMBER.end)
            first = await billable_usage.events(tx, invoice_id, 2, None)
            rest = await billable_usage.events(tx, invoice_id, 2, first[-1].id)
        assert len(first) == 2
        assert [*first, *rest] == list(reversed(calls))

    async def test_a_tenants_transaction_reaches_no_other_tenant(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog, ids: Ids
    ) -> None:
        theirs = a_call(a_tenant_id(), a_price())
        invoice_id = ids.new()
        await record(usage_log, [theirs])
        async with uow(a_tenant_id()) as tx:
            assert list(await billable_usage.claim(tx, ids.new(), NOVEMBER.end)) == []
        async with uow(theirs.tenant_id) as tx:
            assert len(await billable_usage.claim(tx, invoice_id, NOVEMBER.end)) == 1
        async with uow(a_tenant_id()) as tx:
            assert list(await billable_usage.events(tx, invoice_id, 10, None)) == []

    async def test_a_call_of_another_release_is_added_up_and_claimed(
        self, uow: UnitOfWork, billable_usage: BillableUsage, usage_log: UsageLog, ids: Ids
    ) -> None:
        call, invoice_id = rebuilds(a_call_of_another_release)(), ids.new()
        await record(usage_log, [call])
        async with uow(call.tenant_id) as tx:
            totals = await billable_usage.unbilled(tx, NOVEMBER.end)
            assert list(await billable_usage.claim(tx, invoice_id, NOVEMBER.end)) == totals
            assert list(await billable_usage.events(tx, invoice_id, 10, None)) == [call]
        assert [(one.calls, one.quantities, one.cost_picos) for one in totals] == [
            (1, call.quantities, call.cost_picos)
        ]


async def record(usage_log: UsageLog, calls: Iterable[UsageEvent]) -> None:
    """Write calls to the log, each before the next."""
    for call in calls:
        assert await usage_log.append(call)


def total(calls: Sequence[UsageEvent], month: Month) -> UsageTotal:
    """Add up calls of one model, price and tier."""
    return UsageTotal(
        month,
        calls[0].model,
        calls[0].price_id,
        calls[0].price_tier,
        len(calls),
        sum((call.quantities for call in calls), Quantities()),
        sum(call.cost_picos for call in calls),
    )


def alike(totals: Iterable[UsageTotal]) -> list[UsageTotal]:
    """Return sums in an order that does not depend on the adapter."""
    return sorted(totals, key=lambda one: (one.usage_month, one.model, one.price_id, one.price_tier))
