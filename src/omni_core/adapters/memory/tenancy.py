"""Tenants, members and keys in memory."""

from collections.abc import Sequence
from uuid import UUID

from omni_core.adapters.memory.database import MemoryDatabase, memory_tx
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.tenancy.errors import MemberExists, TenantExists, UnknownKey, UnknownMember, UnknownTenant
from omni_core.domain.tenancy.keys import ApiKey
from omni_core.domain.tenancy.model import Member, Tenant
from omni_core.domain.tenancy.ports import KeyRecord


class MemoryTenantStore:
    """The port `TenantStore`."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def add(self, tx: Transaction, tenant: Tenant) -> None:
        """Store a new tenant."""
        if any(self._database.every("tenant", lambda other: other.slug == tenant.slug)):
            raise TenantExists(f"there is a tenant {tenant.slug!r} already", slug=tenant.slug)
        memory_tx(tx).put("tenant", tenant.id, tenant)

    async def get(self, tx: Transaction) -> Tenant:
        """Return the transaction's tenant."""
        tenant: Tenant = memory_tx(tx).one("tenant", tx.tenant_id, UnknownTenant(tenant=str(tx.tenant_id)))
        return tenant

    async def lock(self, tx: Transaction) -> Tenant:
        """Return the transaction's tenant; a memory transaction holds the tenant's lock anyway."""
        return await self.get(tx)

    async def save(self, tx: Transaction, tenant: Tenant) -> None:
        """Store name and status."""
        memory_tx(tx).put("tenant", tenant.id, tenant)

    async def add_member(self, tx: Transaction, member: Member) -> None:
        """Store a new member."""
        if any(other.email == member.email for other in memory_tx(tx).look("member").values()):
            raise MemberExists(member_id=str(member.id))
        memory_tx(tx).put("member", member.id, member)

    async def members(self, tx: Transaction) -> list[Member]:
        """Return the tenant's members, oldest first."""
        return sorted(memory_tx(tx).find("member"), key=lambda member: member.id)

    async def remove_member(self, tx: Transaction, member_id: UUID) -> None:
        """Remove a member."""
        if not memory_tx(tx).delete("member", member_id):
            raise UnknownMember(member_id=str(member_id))


class MemoryKeyStore:
    """The port `KeyStore`."""

    async def add(self, tx: Transaction, key: ApiKey) -> None:
        """Store a new key."""
        memory_tx(tx).put("api_key", key.id, key)

    async def has(self, tx: Transaction, key_id: UUID) -> bool:
        """Tell whether there is a key with this id."""
        return key_id in memory_tx(tx).look("api_key")

    async def lock(self, tx: Transaction, key_id: UUID) -> ApiKey:
        """Return a key."""
        key: ApiKey = memory_tx(tx).one("api_key", key_id, UnknownKey(key_id=str(key_id)))
        return key

    async def save(self, tx: Transaction, key: ApiKey) -> None:
        """Store how a key ends: its expiry and its revocation."""
        memory_tx(tx).put("api_key", key.id, key)

    async def list(self, tx: Transaction, limit: int, before: UUID | None) -> Sequence[ApiKey]:
        """Return keys, newest first."""
        return memory_tx(tx).newest("api_key", limit, before)


class MemoryDirectory:
    """The port `Directory`."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def tenant_of_slug(self, slug: str) -> TenantId | None:
        """Return the id of the tenant with this slug."""
        return next((tenant.id for tenant in self._database.committed("tenant", lambda one: one.slug == slug)), None)

    async def tenant_ids(self, limit: int, after: UUID | None) -> Sequence[TenantId]:
        """Return ids, oldest first."""
        younger = self._database.committed("tenant", lambda tenant: after is None or tenant.id > after)
        return sorted(tenant.id for tenant in younger)[:limit]

    async def find_key(self, public_id: str) -> KeyRecord | None:
        """Return the key with this public id."""
        key: ApiKey | None = next(self._database.committed("api_key", lambda key: key.public_id == public_id), None)
        if key is None:
            return None
        owner = self._database.committed("tenant", lambda tenant: tenant.id == key.tenant_id)
        return next((KeyRecord(key, tenant.status) for tenant in owner), None)
