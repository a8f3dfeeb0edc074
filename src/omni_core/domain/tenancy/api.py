"""The face of tenancy: what shells and other contexts may use of it."""

from dataclasses import dataclass

from omni_core.domain.tenancy.api_keys import LONGEST_OVERLAP_S, ApiKeys, Authenticator, CreateKey, NewKey
from omni_core.domain.tenancy.events import ApiKeyRevoked
from omni_core.domain.tenancy.keys import ApiKey, subject_of
from omni_core.domain.tenancy.model import EmailText, Member, MemberRole, Tenant, TenantStatus
from omni_core.domain.tenancy.service import CreateTenant, Tenants

__all__ = [
    "LONGEST_OVERLAP_S",
    "ApiKey",
    "ApiKeyRevoked",
    "ApiKeys",
    "Authenticator",
    "CreateKey",
    "CreateTenant",
    "EmailText",
    "Member",
    "MemberRole",
    "NewKey",
    "Tenancy",
    "Tenant",
    "TenantStatus",
    "Tenants",
    "subject_of",
]


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The services of tenancy: who there is, the keys by which programs act, and who a presented key stands for."""

    tenants: Tenants
    keys: ApiKeys
    authenticator: Authenticator
