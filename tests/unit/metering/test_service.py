from datetime import timedelta

import pytest

from omni_core.adapters.memory.metering import MemoryUsageLog, MemoryUsageReader
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.metering.api import Metering, UsageQuery
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.builders.tenancy import a_principal
from omni_core.testing.clock import NOON

PRICE = a_price()
THAT_DAY = UsageQuery(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


@pytest.fixture
def metering(memory):
    return Metering(memory.uow, memory.make(MemoryUsageReader), "USD")


async def test_usage_is_told_in_pages_from_the_newest(metering, memory):
    tenant_id = a_tenant_id()
    calls = [a_call(tenant_id, PRICE) for _ in range(5)]
    for call in calls:
        await memory.make(MemoryUsageLog).append(call)
    reader = a_principal(tenant_id, Scope.USAGE_READ)
    first = await metering.events(reader, THAT_DAY, PageRequest(limit=3))
    rest = await metering.events(reader, THAT_DAY, PageRequest(limit=3, cursor=first.next_cursor))
    assert [*first.items, *rest.items] == calls[::-1]
    assert (len(first.items), rest.next_cursor) == (3, None)


async def test_sums_are_of_the_callers_tenant(metering, memory):
    ours, theirs = a_tenant_id(), a_tenant_id()
    for tenant_id in (ours, ours, theirs):
        await memory.make(MemoryUsageLog).append(a_call(tenant_id, PRICE, cost_picos=7))
    (only,) = await metering.summary(a_principal(ours, Scope.USAGE_READ), THAT_DAY, ["model"])
    assert (only.group, only.calls, only.cost_picos) == ({"model": PRICE.model}, 2, 14)


async def test_every_use_needs_its_scope(metering):
    caller = a_principal(a_tenant_id(), Scope.CHAT)
    with pytest.raises(MissingScope):
        await metering.summary(caller, THAT_DAY)
    with pytest.raises(MissingScope):
        await metering.events(caller, THAT_DAY, PageRequest())


async def test_a_grouping_named_twice_counts_once(metering, memory):
    caller = a_principal(a_tenant_id(), Scope.USAGE_READ)
    await memory.make(MemoryUsageLog).append(a_call(caller.tenant_id, PRICE))
    (only,) = await metering.summary(caller, THAT_DAY, ["model", "day", "model"])
    assert list(only.group) == ["model", "day"]


async def test_an_unknown_grouping_is_refused(metering):
    with pytest.raises(InvalidValue) as refused:
        await metering.summary(a_principal(a_tenant_id(), Scope.USAGE_READ), THAT_DAY, ["model", "colour"])
    assert refused.value.fields["field"] == "by"
