from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.events import memory_event_storage
from omni_core.domain.events.api import Replay
from omni_core.domain.events.errors import UnknownEvent
from omni_core.domain.kernel.errors import Invalid, InvalidValue, MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import TENANT_SCOPES, Principal, Scope
from omni_core.testing import FixedClock, SequentialIds
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import NOON
from omni_core.testing.reactor import Bench, Reactor


@pytest.fixture
def bench() -> Bench:
    return Bench(memory_event_storage(MemoryDatabase(FixedClock(), SequentialIds())))


def reader(bench: Bench) -> Principal:
    return Principal(bench.tenant_id, "key:abc", frozenset({Scope.EVENTS_READ}))


async def test_the_log_is_read_by_its_tenant(bench: Bench):
    happened = await bench.happen(0, 1, 2)
    service = bench.service()
    first = await service.list(reader(bench), PageRequest(limit=2))
    rest = await service.list(reader(bench), PageRequest(2, first.next_cursor))
    assert [*first.items, *rest.items] == list(happened)
    assert await service.get(reader(bench), happened[0].id) == happened[0]
    stranger = Principal(a_tenant_id(), "key:abc", frozenset({Scope.EVENTS_READ}))
    assert (await service.list(stranger, PageRequest())).items == ()
    with pytest.raises(UnknownEvent):
        await service.get(stranger, happened[0].id)


@pytest.mark.parametrize("use_case", ["list", "get", "subscriptions", "held", "retry", "skip", "replay"])
async def test_each_use_case_wants_its_scope(bench: Bench, use_case: str):
    service, page, event_id = bench.service(), PageRequest(), a_tenant_id()
    needed = Scope.EVENTS_READ if use_case in ("list", "get") else Scope.PLATFORM_ADMIN
    somebody = Principal(bench.tenant_id, "key:abc", frozenset(Scope) - {needed})
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "list": lambda: service.list(somebody, page),
        "get": lambda: service.get(somebody, event_id),
        "subscriptions": lambda: service.subscriptions(somebody),
        "held": lambda: service.held(somebody, None, page),
        "retry": lambda: service.retry(somebody, "testing.first", event_id),
        "skip": lambda: service.skip(somebody, "testing.first", event_id),
        "replay": lambda: service.replay(somebody, "testing.first", Replay()),
    }
    with pytest.raises(MissingScope) as refused:
        await calls[use_case]()
    assert refused.value.fields == {"scope": needed.value}


def test_a_tenants_key_may_read_its_events():
    assert Scope.EVENTS_READ in TENANT_SCOPES


@pytest.mark.parametrize(
    "since, field",
    [
        (Replay(a_tenant_id(), NOON), "event_id"),
        (Replay(moment=datetime(2026, 11, 21)), "moment"),  # noqa: DTZ001 - that is what is refused
    ],
)
async def test_a_replay_begins_at_one_point(bench: Bench, since: Replay, field: str):
    reactor = Reactor()
    with pytest.raises(InvalidValue) as refused:
        await bench.service(reactor).replay(bench.operator, reactor.name, since)
    assert refused.value.fields["field"] == field


async def test_what_is_held_is_shown_in_pages(bench: Bench):
    reactor = Reactor()
    reactor.failing.update(dict.fromkeys((0, 1, 2), Invalid("no")))
    happened = await bench.happen(0, 1, 2)
    await bench.run(reactor)
    service = bench.service(reactor)
    first = await service.held(bench.operator, reactor.name, PageRequest(limit=2))
    rest = await service.held(bench.operator, reactor.name, PageRequest(2, first.next_cursor))
    assert [held.event_id for held in (*first.items, *rest.items)] == [event.id for event in happened][::-1]
    assert (await service.held(bench.operator, "testing.other", PageRequest())).items == ()
