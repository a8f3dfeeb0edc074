"""Whatever is recorded and closed in whatever order: every call is billed once, exactly, on the invoice that is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omni_core.domain.billing.api import Invoice
from omni_core.domain.billing.model import format_number
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import Picos
from omni_core.domain.metering.api import Quantities
from omni_core.domain.pricing.api import Price, Rates, Tier
from omni_core.testing.builders.pricing import a_price
from tests.support.accounts import Account

MONTHS = [Month(2026, number) for number in range(7, 11)]
# Closed by no plan, so that in the end there is an invoice for what came late.
LAST = Month(2026, 11)
HALF_A_CENT = 10**10 // 2
# Each example works for a tenant of its own, so that a backend can serve them all.
SHARED_BACKEND = HealthCheck.function_scoped_fixture


@dataclass(frozen=True)
class Record:
    """A call is recorded that occurred in some month."""

    month: Month
    offset: timedelta
    price: int
    quantities: Quantities

    @property
    def moment(self) -> datetime:
        return min(self.month.start + self.offset, self.month.end - timedelta(microseconds=1))


@dataclass(frozen=True)
class Draft:
    """A month is drafted, which must make no difference."""

    month: Month


@dataclass(frozen=True)
class Close:
    """A month is closed, for the first time or again."""

    month: Month


months = st.sampled_from(MONTHS)
amounts = st.one_of(st.just(0), st.integers(1, 200_000))
records = st.builds(
    Record,
    month=months,
    offset=st.timedeltas(timedelta(), timedelta(days=31)),
    price=st.integers(0, 3),
    quantities=st.builds(
        Quantities, input=amounts, cached_input=amounts, output=amounts, image=st.integers(0, 3), request=st.just(1)
    ),
)
plans = st.lists(st.one_of(records, records, records, st.builds(Close, months), st.builds(Draft, months)), max_size=20)


@pytest.fixture
async def prices(backend) -> list[Price]:
    backend.clock.advance(timedelta(days=365))
    dear = Tier(100_000, Rates.parse({"input": "0.3", "output": "1.2"}))
    table = [
        a_price(dear, prices={"input": "0.15", "cached_input": "0.075", "output": "0.60"}),
        a_price(prices={"input": "0.000333", "output": "7.77", "image": "0.005", "request": "0.0000005"}),
        a_price(prices={"input": "0", "output": "15", "request": "0.005"}),
        a_price(prices={"input": "0.150000000001", "cached_input": "0.000000000333", "output": "7.777777777777"}),
    ]
    for price in table:
        await Account(backend).price(price)
    return table


@dataclass
class Expectation:
    """What must come out, by the rule: a call is on the first invoice issued after it whose month is not over yet."""

    waiting: dict[UUID, datetime]
    billed: dict[Month, set[UUID]]

    def close(self, month: Month) -> None:
        if month not in self.billed:
            due = {call for call, moment in self.waiting.items() if moment < month.end}
            self.billed[month] = due
            self.waiting = {call: moment for call, moment in self.waiting.items() if call not in due}


async def carry_out(account: Account, prices: list[Price], plan: list[Record | Draft | Close]) -> list[Invoice]:
    """Do what the plan says, then close everything; return the invoices in the order of their issue."""
    expected = Expectation({}, {})
    issued: dict[Month, Invoice] = {}
    costs: dict[UUID, Picos] = {}
    for step in [*plan, *map(Close, [*MONTHS, LAST])]:
        match step:
            case Record():
                call = await account.call(prices[step.price], step.moment, quantities=step.quantities)
                expected.waiting[call.id] = call.occurred_at
                costs[call.id] = call.cost_picos
            case Draft() if step.month not in issued:
                draft = await account.billing.draft(account.principal, step.month)
                due = [call for call, moment in expected.waiting.items() if moment < step.month.end]
                assert sum(line.exact_picos for line in draft.lines) == sum(costs[call] for call in due)
            case Close():
                expected.close(step.month)
                invoice = await account.close(step.month)
                assert issued.setdefault(step.month, invoice) == invoice
    assert expected.waiting == {}
    for month, invoice in issued.items():
        assert {call.id for call in await account.calls_on(invoice)} == expected.billed[month]
        assert sum(line.exact_picos for line in invoice.lines) == sum(costs[call] for call in expected.billed[month])
    return list(issued.values())


async def check(account: Account, prices: list[Price], plan: list[Record | Draft | Close]) -> None:
    invoices = await carry_out(account, prices, plan)
    assert [invoice.number for invoice in invoices] == [format_number(n) for n in range(1, len(MONTHS) + 2)]
    for invoice in invoices:
        assert await account.billing.get(account.principal, invoice.id) == invoice
        assert all(abs(Fraction(line.amount.picos) - line.exact_picos) <= HALF_A_CENT for line in invoice.lines)
        assert [line.position for line in invoice.lines] == list(range(1, len(invoice.lines) + 1))
        assert invoice.total.minor == sum(line.amount.minor for line in invoice.lines)


@settings(max_examples=60, suppress_health_check=[SHARED_BACKEND, HealthCheck.too_slow])
@given(plan=plans)
async def test_every_call_is_billed_once_and_exactly(backend, prices, plan):
    await check(Account(backend), prices, plan)
