"""Tenants and members: the use cases."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.described import NameText
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import Principal, Scope, TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.tenancy.errors import UnknownTenant
from omni_core.domain.tenancy.events import MemberAdded, MemberRemoved, TenantCreated
from omni_core.domain.tenancy.model import (
    EmailText,
    Member,
    MemberRole,
    SlugText,
    Tenant,
    TenantStatus,
    check_owner_remains,
    check_slug,
)
from omni_core.domain.tenancy.ports import Directory, TenantStore


class CreateTenant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a tenant; `owner_email`, where given, becomes its first member."""

    slug: SlugText
    name: NameText
    owner_email: EmailText | None = None


class Tenants:
    """Create, find, suspend tenants, and say who belongs to them."""

    def __init__(self, uow: UnitOfWork, store: TenantStore, directory: Directory, clock: Clock, ids: Ids) -> None:
        self._uow = uow
        self._store = store
        self._directory = directory
        self._clock = clock
        self._ids = ids

    async def create(self, principal: Principal, command: CreateTenant) -> Tenant:
        """Create a tenant (platform:admin); raise `TenantExists`, `InvalidSlug` or `InvalidValue`."""
        principal.require(Scope.PLATFORM_ADMIN)
        now = self._clock.now()
        tenant = Tenant(TenantId(self._ids.new()), command.slug, command.name, TenantStatus.ACTIVE, now)
        async with self._uow(tenant.id) as tx:
            await self._store.add(tx, tenant)
            await tx.record(TenantCreated(tenant.id, tenant.slug))
            if command.owner_email is not None:
                owner = Member(self._ids.new(), tenant.id, command.owner_email, MemberRole.OWNER, now)
                await self._store.add_member(tx, owner)
                await tx.record(MemberAdded(owner.id, owner.role))
        return tenant

    async def get(self, principal: Principal) -> Tenant:
        """Return the principal's own tenant (tenant:read)."""
        principal.require(Scope.TENANT_READ)
        async with self._uow(principal.tenant_id) as tx:
            return await self._store.get(tx)

    async def resolve(self, principal: Principal, slug_or_id: str) -> TenantId:
        """Return the id that belongs to a slug or an id (platform:admin); raise `UnknownTenant`."""
        principal.require(Scope.PLATFORM_ADMIN)
        tenant_id = None
        if len(slug_or_id) == 36:
            try:
                tenant_id = TenantId(UUID(slug_or_id))
            except ValueError:
                tenant_id = None
        if tenant_id is None:
            tenant_id = await self._directory.tenant_of_slug(check_slug(slug_or_id))
        if tenant_id is None:
            raise UnknownTenant(f"there is no tenant {slug_or_id!r}", tenant=slug_or_id)
        async with self._uow(tenant_id) as tx:
            return (await self._store.get(tx)).id

    async def list(self, principal: Principal, page: PageRequest) -> Page[Tenant]:
        """Return all tenants, oldest first (platform:admin)."""
        principal.require(Scope.PLATFORM_ADMIN)
        found = []
        for tenant_id in await self._directory.tenant_ids(page.limit + 1, page.after):
            async with self._uow(tenant_id) as tx:
                found.append(await self._store.get(tx))
        return page_of(found, page.limit, lambda tenant: tenant.id)

    async def suspend(self, principal: Principal) -> Tenant:
        """Shut the keys of the principal's tenant out, within a second (platform:admin)."""
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._uow(principal.tenant_id) as tx:
            tenant = await self._store.lock(tx)
            events = tenant.suspend()
            await self._store.save(tx, tenant)
            await tx.record(*events)
        return tenant

    async def reactivate(self, principal: Principal) -> Tenant:
        """Let the keys of the principal's tenant in again (platform:admin)."""
        principal.require(Scope.PLATFORM_ADMIN)
        async with self._uow(principal.tenant_id) as tx:
            tenant = await self._store.lock(tx)
            events = tenant.reactivate()
            await self._store.save(tx, tenant)
            await tx.record(*events)
        return tenant

    async def add_member(self, principal: Principal, email: str, role: MemberRole) -> Member:
        """Add a person to the principal's tenant (tenant:write); raise `MemberExists` or `InvalidValue`."""
        principal.require(Scope.TENANT_WRITE)
        member = Member(self._ids.new(), principal.tenant_id, email, role, self._clock.now())
        async with self._uow(principal.tenant_id) as tx:
            await self._store.lock(tx)
            await self._store.add_member(tx, member)
            await tx.record(MemberAdded(member.id, member.role))
        return member

    async def members(self, principal: Principal) -> Sequence[Member]:
        """Return the members of the principal's tenant, oldest first (tenant:read)."""
        principal.require(Scope.TENANT_READ)
        async with self._uow(principal.tenant_id) as tx:
            return await self._store.members(tx)

    async def remove_member(self, principal: Principal, member_id: UUID) -> None:
        """Remove a person (tenant:write); raise `UnknownMember` or `LastOwner`."""
        principal.require(Scope.TENANT_WRITE)
        async with self._uow(principal.tenant_id) as tx:
            await self._store.lock(tx)
            check_owner_remains(await self._store.members(tx), member_id)
            await self._store.remove_member(tx, member_id)
            await tx.record(MemberRemoved(member_id))
