"""Tenants, members and API keys."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter

from omni_core import CreateKey, CreateTenant, PageRequest, TenantId
from omni_core.domain.kernel.pages import DEFAULT_LIMIT
from omni_core.domain.tenancy.api import LONGEST_OVERLAP_S
from omni_http.amounts import Cursor, Limit, Listing, listing
from omni_http.bodies import body_of
from omni_http.services import KeyedRequest, omni_of
from omni_http.wire.tenancy import AddMember, KeyView, MemberView, NewKeyView, TenantView

_TENANT = Example(value={"slug": "acme", "name": "Acme Inc.", "owner_email": "ada@example.com"})
_KEY = Example(value={"name": "production", "scopes": ["chat", "models:read"], "expires_at": "2099-01-01T00:00:00Z"})
_MEMBER = Example(value={"email": "ada@example.com", "role": "admin"})

AfterS = Annotated[
    int,
    QueryParameter(
        name="after_s",
        ge=0,
        le=LONGEST_OVERLAP_S,
        description="Seconds for which it still works, so that another can take its place; never longer than it would.",
    ),
]


class TenancyController(Controller):
    """Who there is. What concerns one tenant is about the tenant of the key, or of `Omni-Tenant` for an operator."""

    path = "/v1"
    tags: Sequence[str] | None = ["tenancy"]

    @post("/tenants", dto=body_of(CreateTenant), return_dto=None)
    async def create_tenant(
        self, request: KeyedRequest, data: Annotated[CreateTenant, Body(examples=[_TENANT])]
    ) -> TenantView:
        """Create a tenant (scope `platform:admin`)."""
        return TenantView.of(await omni_of(request).tenants.create(request.user, data))

    @get("/tenants")
    async def list_tenants(
        self, request: KeyedRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Listing[TenantView]:
        """List all tenants, oldest first (scope `platform:admin`)."""
        page = await omni_of(request).tenants.list(request.user, PageRequest(limit, cursor))
        return listing(page, TenantView.of)

    @get("/tenant")
    async def get_tenant(self, request: KeyedRequest) -> TenantView:
        """Show the key's own tenant (scope `tenant:read`)."""
        return TenantView.of(await omni_of(request).tenants.get(request.user))

    @post("/tenants/{tenant_id:uuid}/suspend", status_code=200)
    async def suspend_tenant(self, request: KeyedRequest, tenant_id: FromPath[UUID]) -> TenantView:
        """Shut a tenant's keys out, within a second (scope `platform:admin`)."""
        principal = request.user.acting_for(TenantId(tenant_id))
        return TenantView.of(await omni_of(request).tenants.suspend(principal))

    @post("/tenants/{tenant_id:uuid}/reactivate", status_code=200)
    async def reactivate_tenant(self, request: KeyedRequest, tenant_id: FromPath[UUID]) -> TenantView:
        """Let a tenant's keys in again (scope `platform:admin`)."""
        principal = request.user.acting_for(TenantId(tenant_id))
        return TenantView.of(await omni_of(request).tenants.reactivate(principal))

    @get("/members")
    async def list_members(self, request: KeyedRequest) -> list[MemberView]:
        """List the tenant's members, oldest first (scope `tenant:read`)."""
        return [MemberView.of(member) for member in await omni_of(request).tenants.members(request.user)]

    @post("/members", dto=body_of(AddMember), return_dto=None)
    async def add_member(
        self, request: KeyedRequest, data: Annotated[AddMember, Body(examples=[_MEMBER])]
    ) -> MemberView:
        """Add a person to the tenant (scope `tenant:write`)."""
        return MemberView.of(await omni_of(request).tenants.add_member(request.user, data.email, data.role))

    @delete("/members/{member_id:uuid}")
    async def remove_member(self, request: KeyedRequest, member_id: FromPath[UUID]) -> None:
        """Remove a person from the tenant; the last owner stays (scope `tenant:write`)."""
        await omni_of(request).tenants.remove_member(request.user, member_id)

    @post("/keys", dto=body_of(CreateKey), return_dto=None)
    async def create_key(self, request: KeyedRequest, data: Annotated[CreateKey, Body(examples=[_KEY])]) -> NewKeyView:
        """Make an API key with at most the caller's scopes; its secret is shown this once (scope `keys:write`).

        Without `scopes` it gets those of the caller's that move no money, give nobody access and erase nothing: `chat`
        and what ends in `:read` or `:write`, with exceptions (`budgets:write`, `billing:write`, `keys:write`,
        `tenant:write`). The others have to be named. `all` is every scope that the caller has within the tenant.
        """
        return NewKeyView.of(await omni_of(request).keys.create(request.user, data))

    @get("/keys")
    async def list_keys(
        self, request: KeyedRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Listing[KeyView]:
        """List the tenant's keys, newest first (scope `keys:read`)."""
        return listing(await omni_of(request).keys.list(request.user, PageRequest(limit, cursor)), KeyView.of)

    @delete("/keys/{key_id:uuid}", status_code=200)
    async def revoke_key(self, request: KeyedRequest, key_id: FromPath[UUID], after_s: AfterS = 0) -> KeyView:
        """Revoke a key, in every process within a second or after a while (scope `keys:write`)."""
        return KeyView.of(await omni_of(request).keys.revoke(request.user, key_id, after_s=after_s))
