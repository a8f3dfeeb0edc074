"""Identifiers and random bytes from the operating system's generator."""

import secrets
import time
from uuid import UUID

from omni_core.domain.kernel.ids import uuid7

_BITS = 74


class SystemIds:
    """UUIDv7 that grow within a process, also within a millisecond and when the clock is set back

    (RFC 9562, section 6.2, method 2: the random part counts up).
    """

    def __init__(self) -> None:
        self._last_ms = 0
        self._random = 0

    def new(self) -> UUID:
        """Return the next identifier. Not for use from several threads at once."""
        now_ms = time.time_ns() // 1_000_000
        if now_ms > self._last_ms:
            self._last_ms = now_ms
            # The top bit is left clear, so that counting up within a millisecond cannot overflow.
            self._random = secrets.randbits(_BITS - 1)
        else:
            self._random += 1 + secrets.randbits(32)
        return uuid7(self._last_ms, self._random)


class SystemEntropy:
    """Random bytes for secrets."""

    def token(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""
        return secrets.token_bytes(size)
