"""What tenancy needs from outside."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import Transaction
from omni_core.domain.tenancy.keys import ApiKey
from omni_core.domain.tenancy.model import Member, Tenant, TenantStatus


class TenantStore(Protocol):
    """Tenants and members. Every call works in a transaction of the tenant it is about."""

    async def add(self, tx: Transaction, tenant: Tenant) -> None:
        """Store a new tenant; raise `TenantExists` where the slug is taken."""
        ...

    async def get(self, tx: Transaction) -> Tenant:
        """Return the transaction's own tenant; raise `UnknownTenant`."""
        ...

    async def lock(self, tx: Transaction) -> Tenant:
        """Return the transaction's own tenant and keep others from changing it; raise `UnknownTenant`."""
        ...

    async def save(self, tx: Transaction, tenant: Tenant) -> None:
        """Store name and status of a tenant that was locked."""
        ...

    async def add_member(self, tx: Transaction, member: Member) -> None:
        """Store a new member; raise `MemberExists` where the address is taken within the tenant."""
        ...

    async def members(self, tx: Transaction) -> list[Member]:
        """Return the tenant's members, oldest first."""
        ...

    async def remove_member(self, tx: Transaction, member_id: UUID) -> None:
        """Remove a member; raise `UnknownMember`."""
        ...


class KeyStore(Protocol):
    """API keys of the transaction's tenant."""

    async def add(self, tx: Transaction, key: ApiKey) -> None:
        """Store a new key."""
        ...

    async def has(self, tx: Transaction, key_id: UUID) -> bool:
        """Tell whether there is a key with this id, revoked or not."""
        ...

    async def lock(self, tx: Transaction, key_id: UUID) -> ApiKey:
        """Return a key and keep others from changing it; raise `UnknownKey`."""
        ...

    async def save(self, tx: Transaction, key: ApiKey) -> None:
        """Store how a key ends: its expiry and its revocation."""
        ...

    async def list(self, tx: Transaction, limit: int, before: UUID | None) -> Sequence[ApiKey]:
        """Return up to `limit` keys older than `before`, newest first."""
        ...


class KeyRecord(msgspec.Struct, frozen=True):
    """What there is to know about a presented key."""

    key: ApiKey
    tenant_status: TenantStatus


class Directory(Protocol):
    """The only way to find a tenant without being in it already: it gives ids, and one key to whoever names it."""

    async def tenant_of_slug(self, slug: str) -> TenantId | None:
        """Return the id of the tenant with this slug."""
        ...

    async def tenant_ids(self, limit: int, after: UUID | None) -> Sequence[TenantId]:
        """Return up to `limit` ids of tenants younger than `after`, oldest first."""
        ...

    async def find_key(self, public_id: str) -> KeyRecord | None:
        """Return the key with this public id and its tenant's status."""
        ...


class SecretDigest(Protocol):
    """Keyed one-way function for machine secrets (HMAC-SHA-256)."""

    def digest(self, secret: str) -> bytes:
        """Return 32 bytes that only the holder of the installation's key can make from `secret`."""
        ...
