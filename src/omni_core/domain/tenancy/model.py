"""Tenants and their members."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.stored import check_word, is_rebuilding
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.tenancy.errors import InvalidSlug, LastOwner
from omni_core.domain.tenancy.events import TenantReactivated, TenantWasSuspended

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s\0]{1,64}@[^@\s.\0]+(?:\.[^@\s.\0]+)+")
SlugText = Annotated[str, Meta(extra_json_schema={"pattern": f"^{_SLUG.pattern}$"})]
# Without what JavaScript takes for no blank, and Python for one.
_EMAIL_PATTERN = _EMAIL.pattern.replace(r"\0", r"\u0000-\u001f\u0085")
EmailText = Annotated[str, Meta(extra_json_schema={"maxLength": 254, "pattern": f"^{_EMAIL_PATTERN}$"})]


class TenantStatus(StrEnum):
    """Whether a tenant's keys are let in: only where it is active."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


def check_slug(slug: str) -> str:
    """Return `slug` if it is 1 to 63 of a-z, 0-9 and inner hyphens; raise `InvalidSlug`."""
    if not _SLUG.fullmatch(slug):
        raise InvalidSlug(
            "slug must be 1 to 63 lower-case letters, digits and inner hyphens", field="slug", allowed="[a-z0-9-]{1,63}"
        )
    return slug


@dataclass(slots=True)
class Tenant:
    """An organisation that uses Omni; everything that is not the platform's belongs to exactly one."""

    id: TenantId
    slug: str
    name: str
    status: TenantStatus
    created_at: datetime

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        check_slug(self.slug)
        # PostgreSQL's text holds every character but this one.
        if not 1 <= len(self.name.strip()) <= 200 or "\0" in self.name:
            raise InvalidValue("name must be 1 to 200 characters", field="name", allowed="1 to 200 characters")

    def suspend(self) -> list[TenantWasSuspended]:
        """Shut the tenant's keys out; nothing happens where they are already."""
        if self.status is TenantStatus.SUSPENDED:
            return []
        self.status = TenantStatus.SUSPENDED
        return [TenantWasSuspended(self.id)]

    def reactivate(self) -> list[TenantReactivated]:
        """Let the tenant's keys in again; nothing happens where they are already."""
        if self.status is TenantStatus.ACTIVE:
            return []
        self.status = TenantStatus.ACTIVE
        return [TenantReactivated(self.id)]


class MemberRole(StrEnum):
    """What a person is to a tenant."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


@dataclass(slots=True)
class Member:
    """A person who belongs to a tenant, known by e-mail address (kept lower-case)."""

    id: UUID
    tenant_id: TenantId
    email: str
    role: MemberRole
    created_at: datetime

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        check_word(MemberRole, self.role, "role")
        self.email = self.email.strip().lower()
        if len(self.email) > 254 or not _EMAIL.fullmatch(self.email):
            raise InvalidValue("email must be an e-mail address", field="email", allowed="name@example.com")


def check_owner_remains(members: list[Member], leaving: UUID) -> None:
    """Raise `LastOwner` if the tenant would have no owner without the member `leaving`."""
    owners = {member.id for member in members if member.role is MemberRole.OWNER}
    if owners == {leaving}:
        raise LastOwner(member_id=str(leaving))
