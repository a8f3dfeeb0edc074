"""One subscription in one tenant: takes turns, each a transaction that holds the cursor."""

from dataclasses import dataclass, field
from datetime import datetime

from omni_core.domain.events.errors import UnknownEvent
from omni_core.domain.events.events import EventSetAside
from omni_core.domain.events.model import Cursor, HeldEvent, HeldStatus
from omni_core.domain.events.ports import EventStorage
from omni_core.domain.events.subscription import Subscription
from omni_core.domain.events.trying import Retries, Setback
from omni_core.domain.kernel.errors import DependencyFailed
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.failures import Failure
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction


@dataclass(slots=True)
class Attempt:
    """What a turn did before it committed or failed."""

    position: int = 0
    events: list[RecordedEvent] = field(default_factory=list)
    handled: int = 0
    failed_at: RecordedEvent | None = None
    raised: Exception | None = None

    def is_to_blame_for(self, error: Exception) -> bool:
        """Tell whether the events are: not where the database failed, nor before anything was handled.

        What the handler raised comes out of the transaction as it was. Where another error comes out in its stead, the
        unit of work knew better what had happened.
        """
        if self.raised is None:
            return self.handled > 0 and not isinstance(error, DependencyFailed)
        return error is self.raised or not isinstance(error, DependencyFailed)


class Turns:
    """Takes turns for one subscription in one tenant, and remembers what came of them."""

    def __init__(
        self, storage: EventStorage, retries: Retries, tenant_id: TenantId, subscription: Subscription, batch: int
    ) -> None:
        self._s = storage
        self._retries = retries
        self._tenant_id = tenant_id
        self._subscription = subscription
        self._batch = batch
        self._limit = batch
        self._alone_until = 0
        self.handled = 0
        self.setbacks: list[Setback] = []

    async def retry(self) -> bool:
        """Try the first event that is due again; tell whether there was one, and nobody else at work.

        Raises what the database raises.
        """
        attempt, held = Attempt(), None
        try:
            async with self._s.uow(self._tenant_id) as tx:
                cursor = await self._take(tx)
                held = None if cursor is None else await self._s.held.due(tx, cursor.subscription, self._s.clock.now())
                if cursor is None or held is None:
                    return False
                await self._handle_held(tx, cursor, held, attempt)
        except Exception as error:
            if held is None or not (attempt.is_to_blame_for(error) or isinstance(error, UnknownEvent)):
                raise
            return await self._fail_again(held, error)
        self.handled += attempt.handled
        return True

    async def advance(self) -> bool:
        """Handle the next events; tell whether there may be more, and nobody else at work.

        What fails is held. All that was done together with it was undone, and is done again by the next turn. Raises
        what the database raises.
        """
        attempt = Attempt()
        limit = self._limit
        try:
            async with self._s.uow(self._tenant_id) as tx:
                cursor = await self._take(tx)
                if cursor is None:
                    return False
                alone = cursor.position < self._alone_until
                limit = 1 if alone else self._limit
                await self._handle_next(tx, cursor, limit, attempt)
        except Exception as error:
            if not attempt.is_to_blame_for(error):
                raise
            return await self._isolate(attempt, error)
        self.handled += attempt.handled
        self._limit = self._batch
        return len(attempt.events) == limit

    async def _take(self, tx: Transaction) -> Cursor | None:
        return await self._s.cursors.take(tx, self._subscription.name, self._s.clock.now())

    async def _handle_next(self, tx: Transaction, cursor: Cursor, limit: int, attempt: Attempt) -> None:
        # The head before the events: what is committed in between is beyond it, and left for later.
        head = await self._s.log.head(tx)
        types = self._subscription.event_types
        events = list(await self._s.log.after(tx, cursor.position, types, head, limit))
        attempt.position, attempt.events = cursor.position, events
        now = self._s.clock.now()
        wanted = [event for event in events if self._subscription.wants(event)]
        free = await self._free(tx, wanted, now)
        claimed = await self._s.inbox.claim(tx, cursor.subscription, free, now)
        for event in free:
            if event.id in claimed:
                await self._handle(tx, event, attempt)
        cursor.move(head if len(events) < limit else events[-1].position, attempt.handled, now)
        await self._s.cursors.save(tx, cursor)

    async def _free(self, tx: Transaction, events: list[RecordedEvent], now: datetime) -> list[RecordedEvent]:
        """Return those of the events of whose aggregates none is held; the others are held from now on."""
        name = self._subscription.name
        blocked = await self._s.held.blocked(tx, name, {event.aggregate_id for event in events}) if events else set()
        behind = [event for event in events if event.aggregate_id in blocked]
        if behind:
            await self._s.held.add(tx, [HeldEvent.of(event, name, self._s.ids.new(), now) for event in behind])
        return [event for event in events if event.aggregate_id not in blocked]

    async def _handle(self, tx: Transaction, event: RecordedEvent, attempt: Attempt) -> None:
        try:
            await self._subscription.handler(tx, event)
        except Exception as error:
            attempt.failed_at, attempt.raised = event, error
            raise
        attempt.handled += 1

    async def _handle_held(self, tx: Transaction, cursor: Cursor, held: HeldEvent, attempt: Attempt) -> None:
        now = self._s.clock.now()
        event = await self._s.log.get(tx, held.event_id)
        if await self._s.inbox.claim(tx, cursor.subscription, [event], now):
            await self._handle(tx, event, attempt)
        await let_go(self._s, tx, held)
        cursor.move(cursor.position, attempt.handled, now)
        await self._s.cursors.save(tx, cursor)

    async def _isolate(self, attempt: Attempt, error: Exception) -> bool:
        """Hold the event that failed, or see to it that a later turn has it in front."""
        before = 0 if attempt.failed_at is None else attempt.events.index(attempt.failed_at)
        if attempt.failed_at is None and len(attempt.events) > 1:
            # It failed at the commit, as a deferred constraint does: each has to show by itself which it is.
            self._alone_until = attempt.events[-1].position
            return True
        if before > 0:
            self._limit = before
            return True
        self._limit = self._batch
        return await self._hold(attempt.events[0], attempt.position, error)

    async def _hold(self, event: RecordedEvent, position: int, error: Exception) -> bool:
        now = self._s.clock.now()
        async with self._s.uow(self._tenant_id) as tx:
            cursor = await self._take(tx)
            if cursor is None or cursor.position != position:
                return False  # somebody else went on from there, or back
            held = HeldEvent.of(event, cursor.subscription, self._s.ids.new(), now)
            setback = await self._note(tx, held, error, now)
            await self._s.held.add(tx, [held])
            cursor.move(event.position, 0, now)
            await self._s.cursors.save(tx, cursor)
        self.setbacks.append(setback)
        return True

    async def _fail_again(self, failed: HeldEvent, error: Exception) -> bool:
        async with self._s.uow(self._tenant_id) as tx:
            if await self._take(tx) is None:
                return False
            held = await self._s.held.get(tx, failed.subscription, failed.event_id)
            if held is None or (held.attempts, held.retry_at) != (failed.attempts, failed.retry_at):
                return False  # somebody else tried it, skipped it or had it replayed
            setback = await self._note(tx, held, error, self._s.clock.now())
            await self._s.held.save(tx, held)
        self.setbacks.append(setback)
        return True

    async def _note(self, tx: Transaction, held: HeldEvent, error: Exception, now: datetime) -> Setback:
        failure = Failure.of(error)
        held.fail(failure, self._retries.after(error, held.attempts + 1, now))
        is_set_aside = held.status is HeldStatus.SET_ASIDE
        # Who reacts to these and fails would cause another one, for ever.
        if is_set_aside and held.event_type != EventSetAside.event_type:
            await tx.record(EventSetAside(held.event_id, held.event_type, held.subscription, failure.code))
        return Setback(
            self._tenant_id,
            held.subscription,
            held.event_id,
            held.event_type,
            held.attempts,
            is_set_aside,
            failure,
            error,
        )


async def let_go(storage: EventStorage, tx: Transaction, held: HeldEvent) -> None:
    """Forget a held event; where it was in front of others of its aggregate, the next of them is tried at once."""
    await storage.held.remove(tx, held)
    if held.status is HeldStatus.BEHIND:
        return
    following = await storage.held.next_behind(tx, held.subscription, held.aggregate_id)
    if following is not None:
        following.come_first(storage.clock.now())
        await storage.held.save(tx, following)
