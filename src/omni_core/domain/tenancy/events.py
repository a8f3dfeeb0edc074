"""What happened to tenants, members and keys."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from omni_core.domain.kernel.events import Event


class TenantCreated(Event, frozen=True):
    """A tenant was created."""

    event_type: ClassVar[str] = "tenancy.tenant_created"
    aggregate: ClassVar[str] = "tenant_id"
    tenant_id: UUID
    slug: str


class TenantWasSuspended(Event, frozen=True):
    """A tenant's keys were shut out."""

    event_type: ClassVar[str] = "tenancy.tenant_suspended"
    aggregate: ClassVar[str] = "tenant_id"
    tenant_id: UUID


class TenantReactivated(Event, frozen=True):
    """A tenant's keys were let in again."""

    event_type: ClassVar[str] = "tenancy.tenant_reactivated"
    aggregate: ClassVar[str] = "tenant_id"
    tenant_id: UUID


class MemberAdded(Event, frozen=True):
    """A person joined a tenant."""

    event_type: ClassVar[str] = "tenancy.member_added"
    aggregate: ClassVar[str] = "member_id"
    member_id: UUID
    role: str


class MemberRemoved(Event, frozen=True):
    """A person left a tenant."""

    event_type: ClassVar[str] = "tenancy.member_removed"
    aggregate: ClassVar[str] = "member_id"
    member_id: UUID


class ApiKeyCreated(Event, frozen=True):
    """An API key was made."""

    event_type: ClassVar[str] = "tenancy.api_key_created"
    aggregate: ClassVar[str] = "key_id"
    key_id: UUID
    scopes: tuple[str, ...]


class ApiKeyExpirySet(Event, frozen=True):
    """An API key was given its last moment, so that another one can take its place until then."""

    event_type: ClassVar[str] = "tenancy.api_key_expiry_set"
    aggregate: ClassVar[str] = "key_id"
    key_id: UUID
    public_id: str
    expires_at: datetime


class ApiKeyRevoked(Event, frozen=True):
    """An API key was revoked. `public_id` names it in what it did (`key:<public id>`); older releases left it out."""

    event_type: ClassVar[str] = "tenancy.api_key_revoked"
    aggregate: ClassVar[str] = "key_id"
    key_id: UUID
    public_id: str = ""
