"""Places for calls are never more than there are, are given out in turns between tenants, and none is lost."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.llm.errors import ProviderBusy
from omni_core.domain.llm.limits import Limits
from omni_core.domain.llm.places import Load, Places

A, B, C = (TenantId(UUID(int=number)) for number in (1, 2, 3))
PATIENT_S = 30.0


def places(connections: int = 1, waiting: int = 100, wait_s: float = PATIENT_S) -> Places:
    limits = Limits(max_connections=connections, max_waiting=waiting, connection_wait_s=wait_s)
    return Places("vendor", limits)


class Queue:
    """Calls of tenants that wait for places; `served` are the tenants that got one, in that order."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.served: list[TenantId] = []
        self.refused: list[tuple[TenantId, int]] = []
        self._numbers: Counter[TenantId] = Counter()

    async def join(self, *tenants: TenantId) -> list[asyncio.Task[None]]:
        """Let a call of each tenant ask for a place, one after the other."""
        calls = []
        for tenant in tenants:
            calls.append(asyncio.create_task(self._call(tenant, self._numbers[tenant])))
            self._numbers[tenant] += 1
            await asyncio.sleep(0)
        await told()
        return calls

    async def serve(self, count: int) -> None:
        """Let that many calls end."""
        for _ in range(count):
            self.places.give_back()
            await told()

    async def _call(self, tenant: TenantId, number: int) -> None:
        try:
            await self.places.take(tenant)
        except ProviderBusy:
            self.refused.append((tenant, number))
        else:
            self.served.append(tenant)


async def told() -> None:
    """Let every call hear what became of it."""
    for _ in range(5):
        await asyncio.sleep(0)


async def ended(calls: list[asyncio.Task[None]]) -> None:
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_a_free_place_is_taken_at_once():
    free = places(connections=2)
    await free.take(A)
    await free.take(A)
    assert free.load == Load("vendor", calls=2, waiting=0, refused=0)
    free.give_back()
    await free.take(B)
    assert free.load.calls == 2


async def test_turns_go_round_the_tenants_that_wait():
    queue = Queue(places())
    await queue.places.take(A)
    await queue.join(A, A, A, A, B, C, C)
    await queue.serve(7)
    assert queue.served == [A, B, C, A, C, A, A]
    assert queue.places.load == Load("vendor", calls=1, waiting=0, refused=0)


async def test_one_tenants_thousands_do_not_keep_another_waiting():
    queue = Queue(places(waiting=10_000))
    await queue.places.take(A)
    calls = await queue.join(*[A] * 10_000)
    await queue.join(B)
    assert queue.places.load.waiting == 10_000  # one of A's made room
    await queue.serve(2)
    assert queue.served == [A, B]
    await ended(calls)


async def test_a_wait_in_vain_is_refused_as_omnis_own_limit():
    full = places(connections=1, wait_s=0.01)
    await full.take(A)
    with pytest.raises(ProviderBusy) as refused:
        await full.take(B)
    assert full.load == Load("vendor", calls=1, waiting=0, refused=1)
    assert refused.value.retryable
    assert refused.value.fields == {
        "provider": "vendor",
        "limit": "max_connections",
        "max_connections": 1,
        "retry_after_s": 1.0,
    }
    assert refused.value.detail.startswith("Omni calls provider 'vendor' over 1 connections at once; all are in use")


async def test_who_waits_with_the_most_makes_room_for_who_waits_with_few():
    queue = Queue(places(waiting=4))
    await queue.places.take(A)
    calls = await queue.join(A, A, A, A, B, B)
    assert queue.refused == [(A, 3), (A, 2)]  # the latest ones, and no more than make both wait with as many
    calls += await queue.join(B, A, C)
    assert queue.refused[2:] == [(B, 2), (A, 4), (A, 1)]
    assert queue.places.load.waiting == 4
    await ended(calls)
    assert queue.places.load == Load("vendor", calls=1, waiting=0, refused=5)


async def test_nobody_waits_where_nobody_may():
    full = places(waiting=0)
    await full.take(A)
    with pytest.raises(ProviderBusy):
        await full.take(B)


async def test_who_leaves_leaves_nothing_behind():
    queue = Queue(places())
    await queue.places.take(A)
    calls = await queue.join(A, B, B, C)
    await ended(calls[1:])
    assert queue.places.load.waiting == 1
    await queue.serve(2)
    assert queue.served == [A]
    assert queue.places.load == Load("vendor", calls=0, waiting=0, refused=0)


async def test_a_place_that_comes_at_the_moment_of_leaving_goes_to_the_next():
    queue = Queue(places())
    await queue.places.take(A)
    leaving, staying = await queue.join(B, C)
    queue.places.give_back()  # to B, who does not know yet
    leaving.cancel()
    await asyncio.gather(leaving, staying, return_exceptions=True)
    assert queue.served == [C]
    assert queue.places.load == Load("vendor", calls=1, waiting=0, refused=0)


async def test_another_limit_holds_at_once():
    queue = Queue(places(connections=1))
    await queue.places.take(A)
    await queue.join(A, B, C)
    queue.places.change(Limits(max_connections=3))
    await told()
    assert queue.served == [A, B]
    queue.places.change(Limits(max_connections=1))
    await queue.serve(2)
    assert queue.served == [A, B]  # too many were under way: none is given out until they have ended
    await queue.serve(1)
    assert queue.served == [A, B, C]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 3)),
        st.tuples(st.just("end"), st.integers(0, 50)),
        st.tuples(st.just("leave"), st.integers(0, 50)),
        st.tuples(st.just("change"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_no_place_is_given_twice_or_lost(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_keep_count(steps))


async def _keep_count(steps: list[tuple[str, int]]) -> None:
    limit, most = 2, 5
    given_out = Places("vendor", Limits(max_connections=limit, max_waiting=most, connection_wait_s=PATIENT_S))
    calls: list[asyncio.Task[None]] = []
    under_way: list[int] = []
    for step, number in steps:
        if step == "join":
            calls.append(asyncio.create_task(_hold(given_out, TenantId(UUID(int=number)), under_way)))
        elif step in {"end", "leave"} and calls:
            calls.pop(number % len(calls)).cancel()
        elif step == "change":
            limit = number
            given_out.change(Limits(max_connections=limit, max_waiting=most, connection_wait_s=PATIENT_S))
        elif step == "wait":
            await asyncio.sleep(0)
        assert given_out.load.waiting <= most
    await told()
    assert given_out.load.calls == len(under_way)
    waits = given_out.load.waiting > 0
    assert not waits or len(under_way) >= limit  # nobody waits while there is a free place
    await ended(calls)
    await told()
    assert (given_out.load.calls, given_out.load.waiting, under_way) == (0, 0, [])
    await given_out.take(A)


async def _hold(given_out: Places, tenant: TenantId, under_way: list[int]) -> None:
    try:
        await given_out.take(tenant)
    except ProviderBusy:
        return
    under_way.append(1)
    try:
        await asyncio.Event().wait()
    finally:
        under_way.pop()
        given_out.give_back()
