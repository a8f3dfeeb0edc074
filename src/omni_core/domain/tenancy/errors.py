"""What goes wrong with tenants, members and keys."""

from omni_core.domain.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class UnknownTenant(NotFound):
    """There is no such tenant."""

    code = "tenancy.unknown_tenant"


class TenantExists(Conflict):
    """A tenant of that slug is there already."""

    code = "tenancy.tenant_exists"


class InvalidSlug(Invalid):
    """The slug is not valid."""

    code = "tenancy.invalid_slug"


class UnknownMember(NotFound):
    """There is no such member."""

    code = "tenancy.unknown_member"


class MemberExists(Conflict):
    """The tenant has a member with that e-mail address already."""

    code = "tenancy.member_exists"


class LastOwner(Conflict):
    """A tenant keeps at least one owner."""

    code = "tenancy.last_owner"


class UnknownKey(NotFound):
    """There is no such API key."""

    code = "tenancy.unknown_key"


class InvalidKeyRequest(Invalid):
    """The API key cannot be made like that."""

    code = "tenancy.invalid_key_request"


class ScopeNotHeld(Forbidden):
    """Nobody can grant a scope that they do not hold."""

    code = "tenancy.scope_not_held"


class KeyMissing(Unauthenticated):
    """The request carries no API key."""

    code = "tenancy.key_missing"


class KeyRejected(Unauthenticated):
    """The API key is not valid."""

    code = "tenancy.key_rejected"


class KeyRevoked(Unauthenticated):
    """The API key was revoked."""

    code = "tenancy.key_revoked"


class KeyExpired(Unauthenticated):
    """The API key has expired."""

    code = "tenancy.key_expired"


class TenantSuspended(Forbidden):
    """The tenant is suspended."""

    code = "tenancy.tenant_suspended"
