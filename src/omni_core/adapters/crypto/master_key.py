"""The installation's one secret, from which every other key is derived."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from omni_core.domain.kernel.errors import InvalidValue, Precondition

SIZE = 32


class MasterKeyUnreadable(Precondition):
    """The installation's secret key cannot be read."""

    code = "crypto.master_key_unreadable"


class MasterKey:
    """32 secret bytes. Losing them makes every API key and every sealed provider key useless; back them up."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != SIZE:
            raise InvalidValue(
                "OMNI_SECRET_KEY must be 32 bytes in base64", field="OMNI_SECRET_KEY", allowed="32 bytes, base64"
            )
        self._raw = raw

    @classmethod
    def parse(cls, text: str) -> "MasterKey":
        """Read base64 (standard or URL-safe); raise `InvalidValue`, which does not repeat it."""
        try:
            raw = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        return cls(raw)

    @classmethod
    def generate(cls) -> "MasterKey":
        """Make a new one, for installations on memory adapters."""
        return cls(secrets.token_bytes(SIZE))

    @classmethod
    def load_or_create(cls, path: Path) -> "MasterKey":
        """Read the key file, or make it, readable by its owner only. Two processes that start at once agree on one.

        Raises `MasterKeyUnreadable`, and never replaces a file that holds something else.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(base64.b64encode(secrets.token_bytes(SIZE)).decode() + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                try:
                    os.link(draft, path)
                except FileExistsError:
                    # Another process made it first; its key is the one.
                    return cls._read(path)
                finally:
                    draft.unlink()
            return cls._read(path)
        except OSError as error:
            raise MasterKeyUnreadable(f"{path}: {error.strerror}", path=str(path)) from error

    @classmethod
    def _read(cls, path: Path) -> "MasterKey":
        try:
            return cls.parse(path.read_text(errors="replace"))
        except InvalidValue as error:
            raise MasterKeyUnreadable(f"{path}: holds no key", path=str(path)) from error

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose (HKDF-SHA-256, RFC 5869)."""
        return HKDF(algorithm=SHA256(), length=SIZE, salt=None, info=f"omni/{purpose}".encode()).derive(self._raw)

    def __repr__(self) -> str:
        return "MasterKey(…)"
