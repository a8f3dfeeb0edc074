"""Tenants, members and keys over the wire: never a digest, and a secret once."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from omni_core.domain.tenancy.api import (
    ApiKey,
    EmailText,
    Member,
    MemberRole,
    NewKey,
    Tenant,
)


class TenantView(msgspec.Struct, frozen=True):
    """A tenant."""

    id: UUID
    slug: str
    name: str
    status: str
    created_at: datetime

    @classmethod
    def of(cls, tenant: Tenant) -> "TenantView":
        """Return a tenant for the wire."""
        return cls(tenant.id, tenant.slug, tenant.name, tenant.status, tenant.created_at)


class AddMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody to add to the tenant."""

    email: Annotated[EmailText, Meta(examples=["ada@example.com"])]
    role: MemberRole = MemberRole.MEMBER


class MemberView(msgspec.Struct, frozen=True):
    """A member."""

    id: UUID
    email: str
    role: str
    created_at: datetime

    @classmethod
    def of(cls, member: Member) -> "MemberView":
        """Return a member for the wire."""
        return cls(member.id, member.email, member.role, member.created_at)


class KeyView(msgspec.Struct, frozen=True):
    """An API key, as it can be shown."""

    id: UUID
    public_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        """Return a key for the wire."""
        return cls(key.id, key.public_id, key.name, sorted(key.scopes), key.created_at, key.expires_at, key.revoked_at)


class NewKeyView(msgspec.Struct, frozen=True):
    """A key that was just made. `secret` is the whole key, and is shown this once."""

    key: KeyView
    secret: str

    @classmethod
    def of(cls, new: NewKey) -> "NewKeyView":
        """Return a new key for the wire."""
        return cls(KeyView.of(new.key), new.secret)
