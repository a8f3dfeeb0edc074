"""One-way digests of machine secrets, and two-way seals of secrets that Omni must use."""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from omni_core.adapters.crypto.master_key import MasterKey
from omni_core.domain.kernel.errors import Precondition

_NONCE_SIZE = 12
_TAG_SIZE = 16
_VERSION = b"\x01"


class SealBroken(Precondition):
    """A sealed secret cannot be opened with this installation's key."""

    code = "crypto.seal_broken"


class HmacDigest:
    """HMAC-SHA-256 of machine secrets; those carry 192 random bits, so no slow hash is wanted."""

    def __init__(self, master: MasterKey) -> None:
        self._key = master.derive("api-key-digest")

    def digest(self, secret: str) -> bytes:
        """Return 32 bytes."""
        return hmac.digest(self._key, secret.encode(), "sha256")


class AesGcmSeal:
    """AES-256-GCM: a version byte, a random 96-bit nonce, then the text and its tag. `context` is authenticated."""

    def __init__(self, master: MasterKey) -> None:
        self._cipher = AESGCM(master.derive("seal"))

    def seal(self, secret: str, context: str) -> bytes:
        """Return `secret` sealed, to be opened with the same `context` only."""
        nonce = os.urandom(_NONCE_SIZE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """Return what was sealed; raise `SealBroken` for another key, another context or changed bytes."""
        nonce, text = sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :]
        try:
            if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE_SIZE + _TAG_SIZE:
                raise SealBroken(context=context)
            return self._cipher.decrypt(nonce, text, context.encode()).decode()
        except InvalidTag as error:
            raise SealBroken(context=context) from error
