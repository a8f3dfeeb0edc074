"""Who calls: every endpoint wants an API key, but those that say `opt={"public": True}`."""

from collections.abc import Iterable

from litestar.types import ASGIApp, Receive, Scope, Send

from omni_core import Omni, Principal
from omni_core.domain.kernel.ids import parse_id
from omni_core.domain.tenancy.errors import KeyMissing

_TENANT_HEADER = b"omni-tenant"


class Authentication:
    """Puts the caller's `Principal` into the scope as its user."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or raise the error that says why not."""
        if not scope["route_handler"].opt.get("public"):
            omni: Omni = scope["litestar_app"].state.omni
            scope["user"] = await authenticate(omni, scope["headers"])
        await self._app(scope, receive, send)


async def authenticate(omni: Omni, headers: Iterable[tuple[bytes, bytes]]) -> Principal:
    """Return whom `Authorization: Bearer <key>` stands for.

    An operator's key (platform:admin) may act for the tenant whose id `Omni-Tenant` gives. Raises `UnknownTenant` where
    there is none, lest keys and usage be written for nobody.
    """
    key = acting_for = None
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            key = value[7:].decode("latin-1").strip()
        elif name == _TENANT_HEADER:
            acting_for = value.decode("latin-1")
    if not key:
        raise KeyMissing("send your API key as Authorization: Bearer omni_sk_…")
    principal = await omni.authenticator.authenticate(key)
    if acting_for is not None:
        tenant_id = await omni.tenants.resolve(principal, str(parse_id(acting_for, "Omni-Tenant")))
        return principal.acting_for(tenant_id)
    return principal
