"""API keys: make, list, revoke, and let in."""

import asyncio
from datetime import timedelta
from hmac import compare_digest
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.described import MomentText, NameText
from omni_core.domain.kernel.ids import Entropy, Ids
from omni_core.domain.kernel.pages import Page, PageRequest, page_of
from omni_core.domain.kernel.tenancy import DEFAULT_SCOPES, TENANT_SCOPES, Principal, Scope
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.tenancy.errors import InvalidKeyRequest, KeyRejected, ScopeNotHeld, TenantSuspended
from omni_core.domain.tenancy.events import ApiKeyCreated
from omni_core.domain.tenancy.keys import PUBLIC_ID_BYTES, SECRET_BYTES, ApiKey, KeyToken
from omni_core.domain.tenancy.model import TenantStatus
from omni_core.domain.tenancy.ports import Directory, KeyRecord, KeyStore, SecretDigest

EVERY_SCOPE = "all"
"""Stands, among the scopes of a new key, for every one of its maker's that concerns a tenant."""
ScopeText = Annotated[str, Meta(extra_json_schema={"enum": [EVERY_SCOPE, *(scope.value for scope in Scope)]})]

LONGEST_OVERLAP_S = 30 * 24 * 3600
"""How long a key can go on while another one takes its place: 30 days."""


class CreateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make an API key with these scopes, of which `all` is every one that its maker has within the tenant.

    Without `scopes` it gets those of its maker that move no money, give nobody access and erase nothing.
    """

    name: NameText
    scopes: tuple[ScopeText, ...] = ()
    expires_at: MomentText | None = None


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just made. `secret` is the whole key and is shown this once."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"NewKey({self.key!r})"


class ApiKeys:
    """The keys of a tenant."""

    def __init__(
        self, uow: UnitOfWork, store: KeyStore, digest: SecretDigest, clock: Clock, ids: Ids, entropy: Entropy
    ) -> None:
        self._uow = uow
        self._store = store
        self._digest = digest
        self._clock = clock
        self._ids = ids
        self._entropy = entropy

    async def create(self, principal: Principal, command: CreateKey) -> NewKey:
        """Make a key (keys:write); raise `InvalidKeyRequest`, `InvalidValue` or `ScopeNotHeld`."""
        principal.require(Scope.KEYS_WRITE)
        scopes = _granted(principal, command.scopes)
        token = KeyToken.generate(self._entropy.token(PUBLIC_ID_BYTES + SECRET_BYTES))
        key = ApiKey(
            id=self._ids.new(),
            tenant_id=principal.tenant_id,
            public_id=token.public_id,
            digest=self._digest.digest(token.secret),
            name=command.name,
            scopes=scopes,
            created_at=self._clock.now(),
            expires_at=command.expires_at,
        )
        async with self._uow(principal.tenant_id) as tx:
            await self._store.add(tx, key)
            await tx.record(ApiKeyCreated(key.id, tuple(sorted(key.scopes))))
        return NewKey(key, token.reveal())

    async def list(self, principal: Principal, page: PageRequest) -> Page[ApiKey]:
        """Return the tenant's keys, newest first (keys:read)."""
        principal.require(Scope.KEYS_READ)
        async with self._uow(principal.tenant_id) as tx:
            rows = await self._store.list(tx, page.limit + 1, page.after)
        return page_of(rows, page.limit, lambda key: key.id)

    async def revoke(self, principal: Principal, key_id: UUID, *, after_s: int = 0) -> ApiKey:
        """End a key (keys:write), in every process within a second; raise `UnknownKey`.

        With `after_s` it works for so many seconds more, up to `LONGEST_OVERLAP_S`, and never longer than it would
        have: time to put another one in its place. Raises `InvalidKeyRequest` for more.
        """
        principal.require(Scope.KEYS_WRITE)
        if not 0 <= after_s <= LONGEST_OVERLAP_S:
            allowed = f"0 to {LONGEST_OVERLAP_S} seconds"
            raise InvalidKeyRequest(f"a key ends within {allowed}", field="after_s", allowed=allowed)
        async with self._uow(principal.tenant_id) as tx:
            key = await self._store.lock(tx, key_id)
            now = self._clock.now()
            events = key.expire(now + timedelta(seconds=after_s)) if after_s else key.revoke(now)
            await self._store.save(tx, key)
            await tx.record(*events)
        return key


def _granted(principal: Principal, wanted: tuple[str, ...]) -> frozenset[Scope]:
    """Return the scopes of a new key; raise `InvalidKeyRequest`, `InvalidValue` or `ScopeNotHeld`."""
    if not wanted:
        return _granted_unasked(principal)
    every = principal.scopes & TENANT_SCOPES if EVERY_SCOPE in wanted else frozenset()
    scopes = frozenset(Scope.parse(name) for name in wanted if name != EVERY_SCOPE) | every
    if not scopes <= principal.scopes:
        missing = sorted(scope.value for scope in scopes - principal.scopes)
        raise ScopeNotHeld("nobody can grant a scope that they do not hold", field="scopes", missing=missing)
    return scopes


def _granted_unasked(principal: Principal) -> frozenset[Scope]:
    scopes = principal.scopes & DEFAULT_SCOPES
    if not scopes:
        allowed = sorted(scope.value for scope in principal.scopes)
        raise InvalidKeyRequest("the scopes of this key have to be named", field="scopes", allowed=allowed)
    return scopes


class Authenticator:
    """Lets presented keys in. What the directory says of a key is trusted for `fresh_s` seconds, never longer,

    so that a revoked key, a lapsed tenant or a rotated secret is refused within that time in every process, with no
    message that could be lost. Unknown ids are remembered as well, so that guessing costs the database nothing more.
    """

    def __init__(
        self,
        directory: Directory,
        digest: SecretDigest,
        clock: Clock,
        *,
        fresh_s: float = 0.5,
        max_entries: int = 50_000,
    ) -> None:
        self._directory = directory
        self._digest = digest
        self._clock = clock
        self._fresh_s = fresh_s
        self._max_entries = max_entries
        self._seen: dict[str, tuple[float, KeyRecord | None]] = {}
        self._asking: dict[str, tuple[float, asyncio.Task[KeyRecord | None]]] = {}

    async def authenticate(self, presented: str) -> Principal:
        """Return whom a key stands for; raise `KeyRejected`, `KeyRevoked`, `KeyExpired` or `TenantSuspended`."""
        token = KeyToken.parse(presented)
        record = await self._find(token.public_id)
        if record is None or not compare_digest(record.key.digest, self._digest.digest(token.secret)):
            raise KeyRejected
        principal = record.key.admit(self._clock.now())
        if record.tenant_status is not TenantStatus.ACTIVE:
            raise TenantSuspended(f"the tenant is {record.tenant_status}")
        return principal

    async def _find(self, public_id: str) -> KeyRecord | None:
        asked_at = self._clock.monotonic()
        entry = self._seen.get(public_id)
        if entry is not None and asked_at - entry[0] < self._fresh_s:
            return entry[1]
        # Whoever presents the key meanwhile waits for the same look-up; nobody who leaves takes it along.
        asking = self._asking.get(public_id)
        if asking is None or asked_at - asking[0] >= self._fresh_s:
            asking = self._asking[public_id] = asked_at, asyncio.create_task(self._ask(public_id, asked_at))
        return await asyncio.shield(asking[1])

    async def _ask(self, public_id: str, asked_at: float) -> KeyRecord | None:
        try:
            record = await self._directory.find_key(public_id)
        finally:
            if self._asking.get(public_id, (None,))[0] == asked_at:
                del self._asking[public_id]
        while len(self._seen) >= self._max_entries:
            del self._seen[next(iter(self._seen))]
        self._seen.pop(public_id, None)
        self._seen[public_id] = (asked_at, record)
        return record
