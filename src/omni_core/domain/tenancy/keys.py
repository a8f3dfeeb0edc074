"""API keys: a public id that names one, a secret that only its holder has, a digest that Omni keeps."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from omni_core.domain.kernel.clock import is_moment
from omni_core.domain.kernel.stored import is_rebuilding
from omni_core.domain.kernel.tenancy import Principal, Scope, TenantId
from omni_core.domain.tenancy.errors import InvalidKeyRequest, KeyExpired, KeyRejected, KeyRevoked
from omni_core.domain.tenancy.events import ApiKeyExpirySet, ApiKeyRevoked

PREFIX = "omni_sk_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PUBLIC_ID_BYTES = 12
SECRET_BYTES = 24
PUBLIC_ID_LENGTH = 17
SECRET_LENGTH = 33
_TOKEN_LENGTH = len(PREFIX) + PUBLIC_ID_LENGTH + 1 + SECRET_LENGTH


def base62(raw: bytes, length: int) -> str:
    """Write bytes as `length` characters of 0-9A-Za-z, so that a double click selects a whole key."""
    value = int.from_bytes(raw)
    digits = []
    for _ in range(length):
        value, rest = divmod(value, 62)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


class KeyToken(msgspec.Struct, frozen=True):
    """The key as its holder has it: `omni_sk_<public id>_<secret>`; the secret carries 192 random bits."""

    public_id: str
    secret: str

    @classmethod
    def generate(cls, entropy: bytes) -> "KeyToken":
        """Make a token from `PUBLIC_ID_BYTES` + `SECRET_BYTES` random bytes."""
        return cls(
            base62(entropy[:PUBLIC_ID_BYTES], PUBLIC_ID_LENGTH), base62(entropy[PUBLIC_ID_BYTES:], SECRET_LENGTH)
        )

    @classmethod
    def parse(cls, text: str) -> "KeyToken":
        """Read a presented key; raise `KeyRejected`, which never repeats it."""
        if len(text) != _TOKEN_LENGTH or not text.startswith(PREFIX) or not text.isascii():
            raise KeyRejected
        public_id, separator, secret = text[len(PREFIX) :].partition("_")
        if separator != "_" or len(public_id) != PUBLIC_ID_LENGTH or not (public_id + secret).isalnum():
            raise KeyRejected
        return cls(public_id, secret)

    def reveal(self) -> str:
        """Return the whole key, to be shown once to the person who asked for it."""
        return f"{PREFIX}{self.public_id}_{self.secret}"

    def __repr__(self) -> str:
        return f"KeyToken({self.public_id!r})"


@dataclass(slots=True)
class ApiKey:
    """An API key of a tenant. `digest` is HMAC-SHA-256 of the secret under the installation's key."""

    id: UUID
    tenant_id: TenantId
    public_id: str
    digest: bytes
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if not 1 <= len(self.name.strip()) <= 200 or "\0" in self.name:
            raise InvalidKeyRequest("name must be 1 to 200 characters", field="name", allowed="1 to 200 characters")
        if not self.scopes:
            raise InvalidKeyRequest("a key needs at least one scope", field="scopes", allowed=[s.value for s in Scope])
        if self.expires_at is not None and not is_moment(self.expires_at):
            raise InvalidKeyRequest("expires_at lacks a UTC offset", field="expires_at", allowed="a time with offset")
        if self.expires_at is not None and self.expires_at <= self.created_at:
            raise InvalidKeyRequest("expires_at must lie in the future", field="expires_at", allowed="a future time")

    def revoke(self, now: datetime) -> list[ApiKeyRevoked]:
        """End the key for good; a second time changes nothing."""
        if self.revoked_at is not None:
            return []
        self.revoked_at = now
        return [ApiKeyRevoked(self.id, self.public_id)]

    def expire(self, at: datetime) -> list[ApiKeyExpirySet]:
        """Let the key end at a moment; one that ends before it, or has ended, is left as it is."""
        if self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= at):
            return []
        self.expires_at = at
        return [ApiKeyExpirySet(self.id, self.public_id, at)]

    def admit(self, now: datetime) -> Principal:
        """Return whom the key stands for; raise `KeyRevoked` or `KeyExpired`."""
        if self.revoked_at is not None:
            raise KeyRevoked
        if self.expires_at is not None and now >= self.expires_at:
            raise KeyExpired
        return Principal(self.tenant_id, subject_of(self.public_id), self.scopes, self.id)

    def __repr__(self) -> str:
        return f"ApiKey(public_id={self.public_id!r}, tenant_id={self.tenant_id})"


def subject_of(public_id: str) -> str:
    """Return the name under which the holder of a key is on record, such as `requested_by` of a job."""
    return f"key:{public_id}"
