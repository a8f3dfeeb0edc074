"""The unit of work: everything done inside one happens, or none of it does."""

from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.tenancy import TenantId


class Transaction(Protocol):
    """An open transaction. Stores take it as their first argument and work inside it.

    It commits when its block ends and rolls back when an exception leaves the block. Never keep one open across a
    call to a vendor or a model.
    """

    @property
    def tenant_id(self) -> TenantId:
        """The tenant whose rows this transaction sees; `PLATFORM` is the installation itself."""
        ...

    async def record(self, *events: Event) -> None:
        """Append events to the log of this tenant, to be committed with everything else."""
        ...


class UnitOfWork(Protocol):
    """Opens transactions: `async with uow(tenant_id) as tx:`."""

    def __call__(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction that sees the rows of `tenant_id` and of no other tenant."""
        ...


class UnitsOfWork(NamedTuple):
    """For services that do both: `cases` for what is changed or looked up, `reports` for what reads much."""

    cases: UnitOfWork
    reports: UnitOfWork
