"""What becomes of an account whose caller leaves while its usage is being written."""

import asyncio
from collections.abc import Sequence

import pytest

from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.memory.pricing import MemoryPriceStore
from omni_core.domain.budgets.api import BudgetDesk, Charge
from omni_core.domain.kernel.tenancy import PLATFORM, Principal
from omni_core.domain.llm.accounts import Accounts, Caller
from omni_core.domain.llm.api import ChatRequest, Message, Model, Role, TokenUsage
from omni_core.domain.metering.api import CallStatus, UsageEvent
from omni_core.domain.pricing.api import PriceBook
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.clock import NOON
from tests.support.backends import Backend

QUESTION = ChatRequest("m", (Message.of(Role.USER, "Well?"),))


class StuckLog:
    """A usage log whose first append never comes back."""

    def __init__(self) -> None:
        self.stuck = asyncio.Event()
        self.appended: list[UsageEvent] = []

    async def append(self, event: UsageEvent, charges: Sequence[Charge] = ()) -> bool:
        if not self.stuck.is_set():
            self.stuck.set()
            await asyncio.Event().wait()
        self.appended.append(event)
        return True

    async def close(self) -> None:
        """Nothing to close."""


async def test_usage_whose_caller_leaves_while_it_is_written_is_written_all_the_same(memory: Backend):
    price = a_price(model="m", effective_from=NOON)
    async with memory.uow(PLATFORM) as tx:
        await memory.make(MemoryPriceStore).add(tx, price)
    log, unrecorded = StuckLog(), []
    desk = BudgetDesk(memory.uow, memory.make(MemoryBudgetStore), memory.make(MemoryLeases), memory.clock, memory.ids)
    prices = PriceBook(memory.uow, memory.make(MemoryPriceStore), memory.clock)
    accounts = Accounts(prices, desk, log, lambda *told: unrecorded.append(told), memory.clock, memory.ids)
    caller = Caller(Principal.operator(a_tenant_id()), "req-1")
    account = await accounts.open(caller, Model("m", "p", "m", 1000, 100, NOON), QUESTION)

    commit = asyncio.create_task(account.commit(TokenUsage(10, 5), CallStatus.COMPLETED))
    await log.stuck.wait()
    commit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await commit
    await accounts.late.settled()
    assert [(event.request_id, event.quantities.output) for event in log.appended] == [("req-1", 5)]
    assert unrecorded == []
