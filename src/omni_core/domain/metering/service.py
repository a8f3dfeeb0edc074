"""Usage: what readers may ask of it."""

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

import msgspec

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import Principal, Scope
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.metering.errors import TooManyGroups, UnknownCall
from omni_core.domain.metering.model import MOST_GROUPS, Grouping, UsageEvent, UsageQuery, UsageSum
from omni_core.domain.metering.ports import UsageReader

_GROUPINGS = get_args(Grouping)


class Metering:
    """The usage of a tenant, which costs money of `currency`."""

    def __init__(self, uow: UnitOfWork, reader: UsageReader, currency: str) -> None:
        self._uow = uow
        self._reader = reader
        self._currency = currency

    async def summary(self, principal: Principal, query: UsageQuery, by: Sequence[Grouping] = ()) -> Sequence[UsageSum]:
        """Return sums for each group, costliest first (usage:read); a grouping that is named twice counts once.

        Raises `InvalidValue` for an unknown grouping, and `TooManyGroups` for more than `MOST_GROUPS` sums.
        """
        principal.require(Scope.USAGE_READ)
        for grouping in by:
            if grouping not in _GROUPINGS:
                raise InvalidValue(f"usage is not grouped by {grouping!r}", field="by", allowed=_GROUPINGS)
        async with self._uow(principal.tenant_id) as tx:
            sums = await self._reader.sums(tx, query, tuple(dict.fromkeys(by)))
        if len(sums) > MOST_GROUPS:
            raise TooManyGroups(
                f"more than {MOST_GROUPS:,} groups: ask for less time, one model or one key, or group by less",
                field="by",
                allowed=f"up to {MOST_GROUPS:,} groups",
            )
        return [msgspec.structs.replace(one, currency=self._currency) for one in sums]

    async def events(self, principal: Principal, query: UsageQuery, page: PageRequest) -> Page[UsageEvent]:
        """Return single calls, newest first (usage:read)."""
        principal.require(Scope.USAGE_READ)
        async with self._uow(principal.tenant_id) as tx:
            rows = await self._reader.events(tx, query, page.limit + 1, page.after)
        return page_of(rows, page.limit, lambda event: event.id)

    async def event(self, principal: Principal, call_id: UUID) -> UsageEvent:
        """Return what was charged for a call, by the id that its answer or its error told (usage:read).

        Raises `UnknownCall` for one that is not on record, which is not charged. A call whose usage could not be
        recorded may yet come to be on record, for about ten minutes.
        """
        principal.require(Scope.USAGE_READ)
        async with self._uow(principal.tenant_id) as tx:
            event = await self._reader.event(tx, call_id)
        if event is None:
            raise UnknownCall(f"no call {call_id} is on record: nothing is charged for it", call_id=str(call_id))
        return event
