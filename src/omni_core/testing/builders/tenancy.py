"""Tenants, members, keys and whom they stand for."""

import secrets
from typing import Any

from omni_core.domain.kernel.tenancy import TENANT_SCOPES, Principal, Scope, TenantId
from omni_core.domain.tenancy.keys import PUBLIC_ID_BYTES, SECRET_BYTES, ApiKey, KeyToken
from omni_core.domain.tenancy.model import Member, MemberRole, Tenant, TenantStatus
from omni_core.testing.builders.kernel import a_tenant_id, an_id
from omni_core.testing.clock import NOON


def a_tenant(**given: Any) -> Tenant:
    """Return an active tenant; `given` are fields of `Tenant`."""
    tenant_id = given.pop("id", None) or a_tenant_id()
    return Tenant(
        **{
            "id": tenant_id,
            "slug": f"tenant-{tenant_id.hex}",
            "name": "Acme",
            "status": TenantStatus.ACTIVE,
            "created_at": NOON,
            **given,
        }
    )


def a_member(tenant_id: TenantId, **given: Any) -> Member:
    """Return a member with the role `member`; `given` are fields of `Member`."""
    member_id = an_id()
    return Member(
        **{
            "id": member_id,
            "tenant_id": tenant_id,
            "email": f"{member_id.hex}@example.com",
            "role": MemberRole.MEMBER,
            "created_at": NOON,
            **given,
        }
    )


def a_key_token() -> KeyToken:
    """Return a key as its holder has it."""
    return KeyToken.generate(secrets.token_bytes(PUBLIC_ID_BYTES + SECRET_BYTES))


def an_api_key(tenant_id: TenantId, **given: Any) -> ApiKey:
    """Return a key with every scope of a tenant and a digest of nothing; `given` are fields of `ApiKey`."""
    return ApiKey(
        **{
            "id": an_id(),
            "tenant_id": tenant_id,
            "public_id": a_key_token().public_id,
            "digest": bytes(32),
            "name": "server",
            "scopes": TENANT_SCOPES,
            "created_at": NOON,
            **given,
        }
    )


def a_principal(tenant_id: TenantId, *scopes: Scope) -> Principal:
    """Return the holder of a key with these scopes, every scope of a tenant where none is named."""
    key = an_api_key(tenant_id, scopes=frozenset(scopes) or TENANT_SCOPES)
    return key.admit(NOON)
