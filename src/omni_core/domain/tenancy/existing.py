"""Nothing is stored for a tenant that does not exist, whoever made up the principal that names it."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from omni_core.domain.kernel.tenancy import PLATFORM, TenantId
from omni_core.domain.kernel.uow import Transaction, UnitOfWork
from omni_core.domain.tenancy.ports import TenantStore

MAX_TENANTS = 100_000


class ExistingTenants:
    """A `UnitOfWork` that commits for the platform and for existing tenants alone; raises `UnknownTenant` for others.

    A tenant is looked for once a process, at the end of its first transaction: that may be the one that creates it. No
    tenant is ever removed.
    """

    def __init__(self, uow: UnitOfWork, tenants: TenantStore) -> None:
        self._uow = uow
        self._tenants = tenants
        self._known = {PLATFORM}

    def __call__(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction of one tenant."""
        return self._uow(tenant_id) if tenant_id in self._known else self._first_of(tenant_id)

    @asynccontextmanager
    async def _first_of(self, tenant_id: TenantId) -> AsyncGenerator[Transaction, None]:
        async with self._uow(tenant_id) as tx:
            yield tx
            await self._tenants.get(tx)
        if len(self._known) >= MAX_TENANTS:
            self._known = {PLATFORM}
        self._known.add(tenant_id)
