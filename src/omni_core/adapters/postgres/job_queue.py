"""The queue on PostgreSQL: what goes into pgqueuer's table, on the connection of the transaction that wants it."""

from datetime import timedelta

import msgspec
import sqlalchemy as sa

from omni_core.adapters.postgres.tables.jobs import message
from omni_core.adapters.postgres.uow import connection_of
from omni_core.domain.jobs.model import Job
from omni_core.domain.kernel.uow import Transaction

ENTRYPOINT = "omni.job"


class PgQueuerJobQueue:
    """The port `JobQueue`. It needs no pgqueuer installed: only the worker does, which reads what this writes.

    The delay counts on the database's clock, as the worker's waiting does.
    """

    async def enqueue(self, tx: Transaction, job: Job, delay: timedelta = timedelta()) -> None:
        """Add a row as pgqueuer's own `enqueue` would; its trigger wakes the workers when the transaction commits."""
        row = {
            "priority": 0,
            "entrypoint": ENTRYPOINT,
            "payload": msgspec.json.encode(job.delivery),
            "execute_after": sa.func.now() + delay,
            "status": "queued",
        }
        await connection_of(tx).execute(sa.insert(message).values(row))
