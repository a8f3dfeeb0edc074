"""Events and those who react to them: the use cases."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from omni_core.domain.events.errors import NotHeld, UnknownSubscription
from omni_core.domain.events.events import HeldEventRetried, HeldEventSkipped, SubscriptionReplayed
from omni_core.domain.events.model import Cursor, HeldEvent, HeldStatus
from omni_core.domain.events.ports import EventStorage
from omni_core.domain.events.subscription import Subscription, by_name
from omni_core.domain.events.turns import let_go
from omni_core.domain.events.views import FIELDS, MOST_COUNTED, HeldView, Replay, SubscriptionState
from omni_core.domain.kernel.clock import check_moment
from omni_core.domain.kernel.conditions.api import read_condition
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.kernel.uow import Transaction


class Events:
    """Read a tenant's log; see how subscriptions stand in it, and help those that are stuck.

    Each change is recorded with who made it, which also wakes the workers.
    """

    def __init__(self, storage: EventStorage, subscriptions: Sequence[Subscription]) -> None:
        self._s = storage
        self._subscriptions = by_name(subscriptions)

    async def list(self, principal: Principal, page: PageRequest, where: str | None = None) -> Page[RecordedEvent]:
        """Return the tenant's events, oldest first (events:read).

        `where` is a condition on their `FIELDS`, in either form of docs/howto/conditions.md; raises `InvalidCondition`.
        """
        principal.require(Scope.EVENTS_READ)
        condition = None if where is None else read_condition(where, FIELDS)
        async with self._s.uow(principal.tenant_id) as tx:
            return await self._s.log.read(tx, page, condition)

    async def get(self, principal: Principal, event_id: UUID) -> RecordedEvent:
        """Return an event (events:read); raise `UnknownEvent`."""
        principal.require(Scope.EVENTS_READ)
        async with self._s.uow(principal.tenant_id) as tx:
            return await self._s.log.get(tx, event_id)

    async def subscriptions(self, principal: Principal) -> Sequence[SubscriptionState]:
        """Return how each subscription stands in the tenant (platform:admin), by name.

        Those of other releases are there too, where they have been at work.
        """
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._s.uow(principal.tenant_id) as tx:
            cursors = {cursor.subscription: cursor for cursor in await self._s.cursors.list(tx)}
            counts = await self._s.held.counts(tx)
            return [
                await self._state(tx, name, cursors.get(name), counts)
                for name in sorted({*self._subscriptions, *cursors})
            ]

    async def held(self, principal: Principal, name: str | None, page: PageRequest) -> Page[HeldView]:
        """Return what is held, of one subscription where it is given, newest first (platform:admin)."""
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._s.uow(principal.tenant_id) as tx:
            rows = await self._s.held.list(tx, page.limit + 1, page.after, name)
        return page_of([_view(held) for held in rows], page.limit, lambda held: held.id)

    async def retry(self, principal: Principal, name: str, event_id: UUID) -> None:
        """Have a held event tried again at once, with all its attempts (platform:admin).

        Raises `UnknownSubscription`, `NotHeld`, or `HeldBehind` where it waits for another.
        """
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._s.uow(principal.tenant_id) as tx:
            held = await self._locked(tx, name, event_id)
            held.try_again(self._s.clock.now())
            await self._s.held.save(tx, held)
            await tx.record(HeldEventRetried(event_id, name, principal.subject))

    async def skip(self, principal: Principal, name: str, event_id: UUID) -> None:
        """Never handle a held event, and go on with what is behind it (platform:admin).

        Raises `UnknownSubscription` or `NotHeld`.
        """
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._s.uow(principal.tenant_id) as tx:
            held = await self._locked(tx, name, event_id)
            await let_go(self._s, tx, held)
            await tx.record(HeldEventSkipped(event_id, name, principal.subject))

    async def replay(self, principal: Principal, name: str, since: Replay) -> None:
        """Have a subscription handle everything from a point on again, held events included (platform:admin).

        A point that it has not yet reached changes nothing. Raises `UnknownSubscription`, `UnknownEvent` or
        `InvalidValue`.
        """
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._s.uow(principal.tenant_id) as tx:
            cursor = await self._lock(tx, name)
            position = await self._just_before(tx, since)
            if cursor is not None and position < cursor.position:
                cursor.set_back(position, self._s.clock.now())
                await self._s.cursors.save(tx, cursor)
                await self._s.inbox.forget(tx, name, position)
                await self._s.held.forget(tx, name, position)
            await tx.record(SubscriptionReplayed(principal.tenant_id, name, position, principal.subject))

    async def _lock(self, tx: Transaction, name: str) -> Cursor | None:
        cursor = await self._s.cursors.lock(tx, name)
        if cursor is None and name not in self._subscriptions:
            raise UnknownSubscription(f"there is no subscription {name!r}", subscription=name)
        return cursor

    async def _locked(self, tx: Transaction, name: str, event_id: UUID) -> HeldEvent:
        await self._lock(tx, name)
        held = await self._s.held.get(tx, name, event_id)
        if held is None:
            raise NotHeld(f"{name} holds no such event", subscription=name, event_id=str(event_id))
        return held

    async def _just_before(self, tx: Transaction, since: Replay) -> int:
        if since.event_id is not None and since.moment is not None:
            raise InvalidValue("give an event or a moment, not both", field="event_id", allowed="one of the two")
        if since.event_id is not None:
            return (await self._s.log.get(tx, since.event_id)).position - 1
        if since.moment is None:
            return 0
        check_moment(since.moment, "moment")
        first = await self._s.log.first_since(tx, since.moment)
        return await self._s.log.head(tx) if first is None else first - 1

    async def _state(
        self, tx: Transaction, name: str, cursor: Cursor | None, counts: Mapping[tuple[str, HeldStatus], int]
    ) -> SubscriptionState:
        known = self._subscriptions.get(name)
        types = known.event_types if known is not None else frozenset[str]()
        position = cursor.position if cursor is not None else 0
        return SubscriptionState(
            name=name,
            is_known=known is not None,
            event_types=tuple(sorted(types)),
            position=position,
            waiting=await self._s.log.count_after(tx, position, types, MOST_COUNTED),
            handled=cursor.handled if cursor is not None else 0,
            retrying=counts.get((name, HeldStatus.RETRYING), 0),
            set_aside=counts.get((name, HeldStatus.SET_ASIDE), 0),
            behind=counts.get((name, HeldStatus.BEHIND), 0),
            moved_at=cursor.moved_at if cursor is not None else None,
        )


def _view(held: HeldEvent) -> HeldView:
    return HeldView(
        held.id,
        held.subscription,
        held.event_id,
        held.event_type,
        held.aggregate_id,
        held.status,
        held.attempts,
        held.retry_at,
        held.failure,
        held.held_at,
    )
