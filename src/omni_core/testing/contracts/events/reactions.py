"""What subscriptions do on every technology: each event once, in order, whatever fails."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from omni_core.domain.events.api import EventStorage, Replay, SubscriptionRunner, Visit
from omni_core.domain.events.errors import HeldBehind, NotHeld, UnknownEvent, UnknownSubscription
from omni_core.domain.events.events import EventSetAside, HeldEventRetried, HeldEventSkipped, SubscriptionReplayed
from omni_core.domain.events.model import HeldStatus
from omni_core.domain.kernel.errors import DependencyFailed, Invalid
from omni_core.domain.kernel.failures import Failure
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction, UnitOfWork
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.clock import FixedClock
from omni_core.testing.reactor import Bench, Happened, Reacted, Reactor


class ReactingContract:
    """Fixtures: `storage`, of any technology, and the `clock` that it reads."""

    async def test_each_event_is_handled_once_and_in_order(self, storage: EventStorage) -> None:
        bench, reactor = Bench(storage), Reactor()
        await bench.happen(0, 1, 2)
        visit = await bench.run(reactor)
        assert (visit.handled, visit.is_caught_up, visit.setbacks, visit.error) == (3, True, (), None)
        await bench.happen(3)
        await bench.run(reactor)
        assert (await bench.run(reactor)).handled == 0
        assert reactor.calls == await bench.effects(reactor) == [0, 1, 2, 3]

    async def test_a_handler_gets_what_it_subscribed_to_and_what_others_recorded(self, storage: EventStorage) -> None:
        bench, first = Bench(storage), Reactor()
        second = Reactor("testing.second", Reacted)
        await bench.happen(0, 1)
        while not (await bench.run(first, second)).is_caught_up:
            pass
        assert await bench.effects(second) == [0, 1]
        assert (first.calls, second.calls) == ([0, 1], [0, 1])

    async def test_a_new_subscription_sees_what_was_there_before_it(
        self, storage: EventStorage, clock: FixedClock
    ) -> None:
        bench, old, new = Bench(storage), Reactor(), Reactor("testing.new")
        await bench.happen(0, 1)
        await bench.run(old)
        late = Reactor("testing.late", since=clock.advance(60))
        await bench.happen(2)
        await bench.run(old, new, late)
        assert [await bench.effects(one) for one in (old, new, late)] == [[0, 1, 2], [0, 1, 2], [2]]

    async def test_what_a_handler_wrote_is_undone_together_with_the_cursor(self, storage: EventStorage) -> None:
        bench, reactor = Bench(storage), Reactor()
        reactor.failing[2] = ValueError("no")
        await bench.happen(0, 1, 2)
        (setback,) = (await bench.run(reactor)).setbacks
        assert await bench.effects(reactor) == [0, 1]
        assert (setback.event_type, setback.cause) == (Happened.event_type, reactor.failing[2])
        state = await bench.state(reactor)
        assert (state.handled, state.waiting, state.retrying) == (2, 0, 1)

    async def test_what_cannot_be_committed_is_found_among_its_batch(self, storage: EventStorage) -> None:
        reactor = Reactor()
        storage = replace(storage, uow=refusing(storage, lambda: 1 in reactor.recent, ValueError("no"), reactor))
        bench = Bench(storage)
        await bench.happen(0, 1, 2)
        (setback,) = (await bench.run(reactor)).setbacks
        assert setback.failure == Failure("internal", Failure.of(ValueError()).detail)
        assert await bench.effects(reactor) == [0, 2]

    async def test_a_failure_of_the_database_is_nobodys_attempt(self, storage: EventStorage) -> None:
        reactor, down = Reactor(), [True]
        refuses = refusing(storage, lambda: down[0] and bool(reactor.recent), DependencyFailed("down"), reactor)
        bench = Bench(replace(storage, uow=refuses))
        await bench.happen(0, 1)
        visit = await bench.run(reactor)
        assert isinstance(visit.error, DependencyFailed)
        assert (visit.handled, visit.setbacks, visit.should_go_on) == (0, (), False)
        down[0] = False
        assert (await bench.run(reactor)).handled == 2
        assert await bench.effects(reactor) == [0, 1]

    async def test_what_was_claimed_already_is_not_handled(self, storage: EventStorage, clock: FixedClock) -> None:
        bench, reactor = Bench(storage), Reactor()
        await bench.happen(0, 1)
        (first, *_) = await bench.events()
        async with storage.uow(bench.tenant_id) as tx:
            await storage.inbox.claim(tx, reactor.name, [first], clock.now())
        assert (await bench.run(reactor)).handled == 1
        assert await bench.effects(reactor) == [1]

    async def test_runners_beside_each_other_do_nothing_twice(self, storage: EventStorage) -> None:
        bench, reactors = Bench(storage), [Reactor(), Reactor("testing.second")]
        await bench.happen(*range(40))
        runners = [bench.runner(*reactors, batch=7) for _ in range(4)]

        async def work(runner: SubscriptionRunner) -> None:
            while not (await runner.run(bench.tenant_id)).is_caught_up:
                pass

        async with asyncio.timeout(30):
            await asyncio.gather(*map(work, runners))
        assert [await bench.effects(reactor) for reactor in reactors] == [list(range(40))] * 2

    async def test_a_long_log_is_handled_in_several_visits(self, storage: EventStorage) -> None:
        bench, reactor = Bench(storage), Reactor()
        await bench.happen(*range(30))
        runner = bench.runner(reactor, batch=2)
        visits = [await runner.run(bench.tenant_id) for _ in range(2)]
        assert [(visit.handled, visit.should_go_on) for visit in visits] == [(20, True), (10, False)]

    async def test_a_stop_ends_a_visit_after_its_batch(self, storage: EventStorage) -> None:
        bench, reactor = Bench(storage), Reactor()
        await bench.happen(*range(6))
        visit = await bench.runner(reactor, batch=2).run(bench.tenant_id, lambda: bool(reactor.calls))
        assert (visit.handled, visit.is_caught_up) == (2, False)
        assert await bench.effects(reactor) == [0, 1]

    async def test_tenants_in_which_something_happened_are_found(self, storage: EventStorage) -> None:
        benches, reactor = [Bench(storage) for _ in range(3)], Reactor()
        runner = benches[0].runner(reactor)
        for bench in benches:
            await bench.happen(0)
        await until_quiet(runner)
        await benches[1].happen(1)
        await until_quiet(runner)
        assert [await bench.effects(reactor) for bench in benches] == [[0], [0, 1], [0]]

    async def test_a_release_with_more_subscriptions_finds_tenants_that_an_older_one_is_done_with(
        self, storage: EventStorage
    ) -> None:
        bench, old, new = Bench(storage), Reactor(), Reactor("testing.new")
        older, newer = bench.runner(old), bench.runner(old, new)
        await until_quiet(newer)
        await bench.happen(0)
        await bench.run(old)
        await until_quiet(older)
        await until_quiet(newer)
        assert await bench.effects(new) == []
        newer.sweep()
        await until_quiet(newer)
        assert [await bench.effects(one) for one in (old, new)] == [[0], [0]]


class HoldingContract:
    """Fixtures: `storage`, of any technology, and the `clock` that it reads."""

    async def test_what_fails_is_tried_again_after_pauses_and_set_aside_in_the_end(
        self, storage: EventStorage, clock: FixedClock
    ) -> None:
        bench, reactor = Bench(storage), Reactor()
        reactor.failing[0] = RuntimeError("password=hunter2")
        (event,) = await bench.happen(0)
        for attempt, pause in enumerate((1, 4, 16, 60), 1):
            (setback,) = (await bench.run(reactor)).setbacks
            assert (setback.attempt, setback.is_set_aside) == (attempt, False)
            assert await bench.run(reactor) == Visit(bench.tenant_id, is_caught_up=True)
            assert not await bench.is_due(clock.advance(pause - 0.001))
            assert await bench.is_due(clock.advance(0.001))
        (setback,) = (await bench.run(reactor)).setbacks
        assert (setback.attempt, setback.is_set_aside) == (5, True)
        (held,) = (await bench.service(reactor).held(bench.operator, None, PageRequest())).items
        assert (held.status, held.attempts, held.retry_at) == (HeldStatus.SET_ASIDE, 5, None)
        assert held.failure == Failure.of(RuntimeError())
        assert (await bench.told(EventSetAside)) == [
            EventSetAside(event.id, Happened.event_type, reactor.name, "internal")
        ]
        assert reactor.calls == [0] * 5

    async def test_what_is_not_worth_it_is_set_aside_at_once(self, storage: EventStorage) -> None:
        bench, reactor = Bench(storage), Reactor()
        reactor.failing[0] = Invalid("it is wrong")
        await bench.happen(0)
        (setback,) = (await bench.run(reactor)).setbacks
        assert (setback.attempt, setback.is_set_aside, setback.failure) == (1, True, Failure("invalid", "it is wrong"))

    async def test_others_go_on_and_what_is_behind_keeps_its_order(
        self, storage: EventStorage, clock: FixedClock
    ) -> None:
        bench, reactor, other = Bench(storage), Reactor(), Reactor("testing.other")
        ours, theirs = a_tenant_id(), a_tenant_id()
        reactor.failing[0] = ValueError("no")
        await bench.happen(0, 1, subject=ours)
        await bench.happen(2, subject=theirs)
        await bench.happen(3, subject=ours)
        await bench.run(reactor, other)
        await bench.happen(4, subject=ours)
        await bench.happen(5, subject=theirs)
        await bench.run(reactor, other)
        assert await bench.effects(reactor) == [2, 5]
        assert await bench.effects(other) == [0, 1, 2, 3, 4, 5]
        state = await bench.state(reactor)
        assert (state.retrying, state.behind, state.set_aside, state.waiting) == (1, 3, 0, 0)
        del reactor.failing[0]
        clock.advance(1)
        assert (await bench.run(reactor, other)).is_caught_up
        assert await bench.effects(reactor) == [2, 5, 0, 1, 3, 4]
        assert (await bench.state(reactor)).handled == 6

    async def test_of_those_behind_one_may_fail_too(self, storage: EventStorage, clock: FixedClock) -> None:
        bench, reactor = Bench(storage), Reactor()
        reactor.failing.update({0: ValueError("no"), 1: Invalid("never")})
        await bench.happen(0, 1, 2, subject=a_tenant_id())
        await bench.run(reactor)
        del reactor.failing[0]
        clock.advance(1)
        (setback,) = (await bench.run(reactor)).setbacks
        assert (setback.attempt, setback.is_set_aside) == (1, True)
        state = await bench.state(reactor)
        assert (state.retrying, state.behind, state.set_aside, state.handled) == (0, 1, 1, 1)

    async def test_somebody_may_have_it_tried_again_or_skip_it(self, storage: EventStorage) -> None:
        bench, reactor, subject = Bench(storage), Reactor(), a_tenant_id()
        service = bench.service(reactor)
        reactor.failing[0] = Invalid("no")
        zero, one, two = await bench.happen(0, 1, 2, subject=subject)
        await bench.run(reactor)
        with pytest.raises(HeldBehind):
            await service.retry(bench.operator, reactor.name, one.id)
        await service.retry(bench.operator, reactor.name, zero.id)
        assert len((await bench.run(reactor)).setbacks) == 1
        await service.skip(bench.operator, reactor.name, one.id)
        await service.skip(bench.operator, reactor.name, zero.id)
        assert await bench.is_due(storage.clock.now())
        await bench.run(reactor)
        assert await bench.effects(reactor) == [2]
        assert await bench.told(HeldEventRetried) == [HeldEventRetried(zero.id, reactor.name, "operator")]
        assert [told.event_id for told in await bench.told(HeldEventSkipped)] == [one.id, zero.id]
        with pytest.raises(NotHeld):
            await service.skip(bench.operator, reactor.name, two.id)
        with pytest.raises(UnknownSubscription):
            await service.retry(bench.operator, "testing.unheard_of", zero.id)

    async def test_whoever_fails_at_what_was_set_aside_causes_nothing_more(self, storage: EventStorage) -> None:
        bench, reactor = Bench(storage), Reactor()
        watcher = Reactor("testing.watcher", EventSetAside)
        reactor.failing[0] = watcher.failing[None] = Invalid("no")
        await bench.happen(0)
        while not (await bench.run(reactor, watcher)).is_caught_up:
            pass
        assert len(await bench.told(EventSetAside)) == 1
        assert (await bench.state(watcher)).set_aside == 1


class ReplayContract:
    """Fixtures: `storage`, of any technology, and the `clock` that it reads."""

    @pytest.mark.parametrize("since, again", [("beginning", [0, 1, 2, 3]), ("event", [2, 3]), ("moment", [1, 2, 3])])
    async def test_everything_from_a_point_on_is_handled_again(
        self, storage: EventStorage, clock: FixedClock, since: str, again: list[int]
    ) -> None:
        bench, reactor = Bench(storage), Reactor()
        first = (await bench.happen(0))[0]
        moment = clock.advance(60)
        events = [first, *await bench.happen(1, 2, 3)]
        await bench.run(reactor)
        point = {"beginning": Replay(), "event": Replay(event_id=events[2].id), "moment": Replay(moment=moment)}
        await bench.service(reactor).replay(bench.operator, reactor.name, point[since])
        assert await bench.is_due(clock.now())
        await bench.run(reactor)
        assert await bench.effects(reactor) == [0, 1, 2, 3, *again]
        (told,) = await bench.told(SubscriptionReplayed)
        assert (told.subscription, told.by) == (reactor.name, "operator")

    async def test_what_was_held_from_there_on_is_tried_as_if_for_the_first_time(self, storage: EventStorage) -> None:
        bench, reactor, subject = Bench(storage), Reactor(), a_tenant_id()
        reactor.failing[0] = Invalid("no")
        events = await bench.happen(0, 1, 2, subject=subject)
        await bench.run(reactor)
        service = bench.service(reactor)
        await service.replay(bench.operator, reactor.name, Replay(event_id=events[1].id))
        await bench.run(reactor)
        assert (await bench.state(reactor)).behind == 2
        reactor.failing.clear()
        await service.replay(bench.operator, reactor.name, Replay())
        await bench.run(reactor)
        assert await bench.effects(reactor) == [0, 1, 2]
        assert (await service.held(bench.operator, None, PageRequest())).items == ()

    async def test_a_point_that_is_not_reached_changes_nothing(self, storage: EventStorage, clock: FixedClock) -> None:
        bench, reactor = Bench(storage), Reactor()
        service = bench.service(reactor)
        await service.replay(bench.operator, reactor.name, Replay())
        await bench.happen(0)
        await bench.run(reactor)
        await service.replay(bench.operator, reactor.name, Replay(moment=clock.now() + timedelta(days=1)))
        await bench.happen(1)
        await bench.run(reactor)
        assert await bench.effects(reactor) == [0, 1]

    async def test_what_is_not_there_is_not_replayed(self, storage: EventStorage) -> None:
        bench, reactor = Bench(storage), Reactor()
        service = bench.service(reactor)
        with pytest.raises(UnknownSubscription):
            await service.replay(bench.operator, "testing.unheard_of", Replay())
        with pytest.raises(UnknownEvent):
            await service.replay(bench.operator, reactor.name, Replay(event_id=a_tenant_id()))

    async def test_subscriptions_of_other_releases_are_listed_too(self, storage: EventStorage) -> None:
        bench, gone, known = Bench(storage), Reactor("testing.gone"), Reactor("testing.known")
        await bench.happen(0, 1)
        await bench.run(gone)
        states = {state.name: state for state in await bench.service(known).subscriptions(bench.operator)}
        assert [(name, state.is_known, state.waiting, state.handled) for name, state in states.items()] == [
            ("testing.gone", False, 0, 2),
            ("testing.known", True, 2, 0),
        ]
        assert states["testing.known"].event_types == (Happened.event_type,)
        await bench.service(known).replay(bench.operator, "testing.gone", Replay())
        await bench.run(gone)
        assert await bench.effects(gone) == [0, 1, 0, 1]


def refusing(storage: EventStorage, refuses: Callable[[], bool], error: Exception, reactor: Reactor) -> UnitOfWork:
    """Return a unit of work whose commit fails where `refuses` says so; `reactor.recent` is what it did in it."""

    @asynccontextmanager
    async def begin(tenant_id: TenantId) -> AsyncGenerator[Transaction, None]:
        reactor.recent.clear()
        async with storage.uow(tenant_id) as tx:
            yield tx
            if refuses():
                raise error

    return begin


async def until_quiet(runner: SubscriptionRunner) -> None:
    """Visit tenants until there is nothing to do; other tests' may be among them."""
    async with asyncio.timeout(60):
        while not (await runner.pump()).is_quiet:
            pass
