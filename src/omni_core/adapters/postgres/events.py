"""The event log on PostgreSQL."""

import sqlalchemy as sa

from omni_core.adapters.postgres.tables.kernel import event
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction


class PostgresEventLog:
    """The port `EventLog`."""

    async def read(self, tx: Transaction, page: PageRequest) -> Page[RecordedEvent]:
        """Return the tenant's events, oldest first."""
        query = sa.select(event).order_by(event.c.seq).limit(page.limit + 1)
        if page.after is not None:
            seen = sa.select(event.c.seq).where(event.c.id == page.after).scalar_subquery()
            query = query.where(event.c.seq > seen)
        rows = (await connection_of(tx).execute(query)).all()
        return page_of([_from_row(row) for row in rows], page.limit, lambda recorded: recorded.id)


def _from_row(row: sa.Row[tuple[object, ...]]) -> RecordedEvent:
    return RecordedEvent(
        id=row.id,
        tenant_id=TenantId(row.tenant_id),
        event_type=row.event_type,
        aggregate_id=row.aggregate_id,
        recorded_at=row.recorded_at,
        data=row.data,
    )
