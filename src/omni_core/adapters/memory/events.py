"""The event log in memory."""

from omni_core.adapters.memory.database import memory_tx
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.uow import Transaction


class MemoryEventLog:
    """The port `EventLog`."""

    async def read(self, tx: Transaction, page: PageRequest) -> Page[RecordedEvent]:
        """Return the tenant's events, oldest first."""
        events = list(memory_tx(tx).rows("event").values())
        if page.after is not None:
            ids = [event.id for event in events]
            events = events[ids.index(page.after) + 1 :] if page.after in ids else []
        return page_of(events[: page.limit + 1], page.limit, lambda event: event.id)
