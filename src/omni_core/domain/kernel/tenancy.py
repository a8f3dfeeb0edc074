"""Who asks, for which tenant, and what they may do. Everything is denied that no scope allows."""

from enum import StrEnum
from typing import NewType
from uuid import UUID

import msgspec

from omni_core.domain.kernel.errors import InvalidValue, MissingScope

TenantId = NewType("TenantId", UUID)


class Scope(StrEnum):
    """What an API key may be allowed to do; `platform:admin` is the operator's and reaches beyond one tenant."""

    CHAT, MODELS_READ = "chat", "models:read"
    USAGE_READ, USAGE_WRITE = "usage:read", "usage:write"
    KEYS_READ, KEYS_WRITE = "keys:read", "keys:write"
    TENANT_READ, TENANT_WRITE = "tenant:read", "tenant:write"
    BUDGETS_READ, BUDGETS_WRITE = "budgets:read", "budgets:write"
    BILLING_READ, BILLING_WRITE = "billing:read", "billing:write"
    JOBS_READ, JOBS_WRITE = "jobs:read", "jobs:write"
    EVENTS_READ = "events:read"
    FEEDBACK_READ, FEEDBACK_WRITE, FEEDBACK_MANAGE = "feedback:read", "feedback:write", "feedback:manage"
    PLATFORM_ADMIN = "platform:admin"

    @classmethod
    def parse(cls, text: str, field: str = "scopes") -> "Scope":
        """Read a scope's name; raise `InvalidValue` that lists the known ones."""
        try:
            return cls(text)
        except ValueError as error:
            raise InvalidValue(f"{text!r} is not a scope", field=field, allowed=[s.value for s in cls]) from error


TENANT_SCOPES = frozenset(Scope) - {Scope.PLATFORM_ADMIN}

# What a key gets that is made without naming scopes: whatever reads, or writes what costs and erases nothing. A new
# scope says by its action which it is: `read` and `write` come by default, and any other (`manage`, `pay`, `erase`) has
# to be named. Those below are older than that rule.
_UNASKED = {"chat", "read", "write"}
NAMED_SCOPES = frozenset(scope for scope in Scope if scope.rpartition(":")[2] not in _UNASKED) | {
    Scope.BUDGETS_WRITE,  # lifts or removes the limit of what may be spent
    Scope.BILLING_WRITE,  # issues invoices
    Scope.KEYS_WRITE,  # makes and revokes keys
    Scope.TENANT_WRITE,  # removes members
}
DEFAULT_SCOPES = frozenset(Scope) - NAMED_SCOPES


class Principal(msgspec.Struct, frozen=True):
    """A caller whose identity is proved: the tenant it acts for, a name for the record, and its scopes.

    `subject` is `key:<public id>` for an API key and `operator` for somebody with the program in their hands.
    """

    tenant_id: TenantId
    subject: str
    scopes: frozenset[Scope]
    key_id: UUID | None = None

    @classmethod
    def operator(cls, tenant_id: TenantId) -> "Principal":
        """Return the operator of this installation, acting for one tenant."""
        return cls(tenant_id, "operator", frozenset(Scope))

    def acting_for(self, tenant_id: TenantId) -> "Principal":
        """Return this operator, acting for one tenant (platform:admin); raise `MissingScope` for anybody else."""
        self.require(Scope.PLATFORM_ADMIN)
        return Principal(tenant_id, self.subject, frozenset(Scope), self.key_id)

    @property
    def is_operator(self) -> bool:
        """Whether this is the operator of the installation, or acts for them, rather than a key of the tenant's own."""
        return Scope.PLATFORM_ADMIN in self.scopes

    def may(self, scope: Scope) -> bool:
        """Tell whether this caller has `scope`."""
        return scope in self.scopes

    def require(self, scope: Scope) -> None:
        """Raise `MissingScope` unless this caller has `scope`."""
        if scope not in self.scopes:
            raise MissingScope(f"this needs the scope {scope}", scope=scope.value)


# What belongs to the installation itself (the model catalogue, the price table) is kept as this tenant's, so that
# every table and every policy has one shape, and no customer's transaction sees it by accident.
PLATFORM = TenantId(UUID(int=0))
OPERATOR = Principal.operator(PLATFORM)
