"""Runs subscriptions: finds the tenants in which something happened, and visits them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from omni_core.domain.events.ports import EventStorage
from omni_core.domain.events.subscription import Subscription, by_name
from omni_core.domain.events.trying import Retries, Visit
from omni_core.domain.events.turns import Turns
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction

BATCH = 100
# At least two: where a batch fails, the second handles what came before the event that failed.
TURNS = 10
TENANTS = 100
# What another release's subscription retries is that release's. It is not forgotten, and not looked at all the time.
OF_OTHERS = timedelta(minutes=1)


class Round(msgspec.Struct, frozen=True):
    """The visits of one look around. Where it is quiet there is nothing to do but to wait."""

    visits: tuple[Visit, ...]
    is_quiet: bool


def never() -> bool:
    """Go on."""
    return False


class SubscriptionRunner:
    """Calls the handlers of `subscriptions`, in any number of processes at once: what one does no other does.

    In one visit of a tenant each subscription has at most ten transactions of up to `batch` events, and ten single
    retries, so that no tenant keeps the others waiting. Raises `ValueError` where two have the same name.
    """

    def __init__(
        self,
        storage: EventStorage,
        subscriptions: Sequence[Subscription],
        retries: Retries,
        *,
        batch: int = BATCH,
        tenants_at_once: int = 4,
    ) -> None:
        self._storage = storage
        self._subscriptions: Mapping[str, Subscription] = by_name(subscriptions)
        self._event_types = frozenset().union(*(one.event_types for one in subscriptions))
        self._crew = sha256("\n".join(sorted(self._subscriptions)).encode()).hexdigest()[:16]
        self._retries = retries
        self._batch = batch
        self._tenants_at_once = tenants_at_once
        self._due_after: TenantId | None = None
        self._sweep_after: TenantId | None = None
        self._sweeping = True

    async def run(self, tenant_id: TenantId, stop: Callable[[], bool] = never) -> Visit:
        """Visit one tenant: let each subscription handle what it has not yet. End after a turn where `stop` says so.

        Raises nothing: where the database fails, that is the visit's `error`. What was handled before is handled.
        """
        taken: list[Turns] = []
        is_caught_up, failure = False, None
        try:
            work = await self._look(tenant_id)
            for subscription in work:
                taken.append(Turns(self._storage, self._retries, tenant_id, subscription, self._batch))
                await self._go(taken[-1], stop)
            is_caught_up = not work or not await self._look(tenant_id)
        except Exception as error:  # noqa: BLE001 - one tenant's trouble is not the others'
            failure = error
        handled = sum(turns.handled for turns in taken)
        setbacks = tuple(setback for turns in taken for setback in turns.setbacks)
        return Visit(tenant_id, handled, setbacks, is_caught_up, failure)

    async def pump(self, stop: Callable[[], bool] = never) -> Round:
        """Visit tenants in which something happened or is due, some at a time, and go on where the last call ended.

        The first calls also visit tenants where nothing happened, but the end of whose log these subscriptions have
        not come to. What goes wrong in a visit is in its `error`; only what keeps tenants from being found is raised.
        """
        due, around = await self._due()
        tenants = iter(dict.fromkeys([*due, *await self._swept()]))
        visits: list[Visit] = []

        async def visit_some() -> None:
            for tenant_id in tenants:
                if stop():
                    return
                visits.append(await self.run(tenant_id, stop))

        await asyncio.gather(*(visit_some() for _ in range(self._tenants_at_once)))
        is_quiet = around and not self._sweeping and not any(visit.should_go_on for visit in visits)
        return Round(tuple(visits), is_quiet)

    def sweep(self) -> None:
        """Let the next calls of `pump` also visit every tenant the end of whose log was not come to.

        A worker of another release may have told that a tenant is done with while this one was not.
        """
        self._sweep_after = None
        self._sweeping = True

    async def _due(self) -> tuple[Sequence[TenantId], bool]:
        """Return the next tenants that are due, and whether these are all that there are."""
        began = self._due_after
        found = await self._storage.waking.due(TENANTS, self._storage.clock.now(), began)
        self._due_after = found[-1] if len(found) == TENANTS else None
        return found, began is None and self._due_after is None

    async def _swept(self) -> Sequence[TenantId]:
        if not self._sweeping:
            return []
        found = await self._storage.waking.unsettled(self._crew, TENANTS, self._sweep_after)
        self._sweeping = len(found) == TENANTS
        self._sweep_after = found[-1] if found else None
        return found

    async def _go(self, turns: Turns, stop: Callable[[], bool]) -> None:
        for step in (turns.retry, turns.advance):
            for _ in range(TURNS):
                if stop() or not await step():
                    break

    async def _look(self, tenant_id: TenantId) -> Sequence[Subscription]:
        """Return the subscriptions that have something to do in a tenant; where none has, the tenant is settled."""
        async with self._storage.uow(tenant_id) as tx:
            # In this order each answer is at least as new as the one before, so that nothing falls in between: what
            # was not handled when cursors were read still shows, and what was held by then shows among the retries.
            head = await self._storage.log.head(tx)
            positions = {cursor.subscription: cursor.position for cursor in await self._storage.cursors.list(tx)}
            retries = await self._storage.held.retries(tx)
            last = await self._storage.log.last_of(tx, self._event_types)
            now = self._storage.clock.now()
            work = [
                one
                for one in self._subscriptions.values()
                if max(last.get(name, 0) for name in one.event_types) > positions.get(one.name, 0)
                or (one.name in retries and retries[one.name] <= now)
            ]
            if not work:
                await self._settle(tx, head, retries, now)
        return work

    async def _settle(self, tx: Transaction, head: int, retries: Mapping[str, datetime], now: datetime) -> None:
        moments = [
            moment if name in self._subscriptions else max(moment, now + OF_OTHERS) for name, moment in retries.items()
        ]
        await self._storage.waking.settle(tx, self._crew, head, min(moments, default=None))
