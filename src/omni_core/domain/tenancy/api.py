"""The face of tenancy: what shells and other contexts may use of it."""

from omni_core.domain.tenancy.api_keys import ApiKeys, Authenticator, CreateKey, NewKey
from omni_core.domain.tenancy.keys import ApiKey
from omni_core.domain.tenancy.model import Member, MemberRole, Tenant, TenantStatus
from omni_core.domain.tenancy.service import CreateTenant, Tenants

__all__ = [
    "ApiKey",
    "ApiKeys",
    "Authenticator",
    "CreateKey",
    "CreateTenant",
    "Member",
    "MemberRole",
    "NewKey",
    "Tenant",
    "TenantStatus",
    "Tenants",
]
