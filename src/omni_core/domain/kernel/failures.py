"""What may be kept of an error that befell work in the background."""

from typing import Self

import msgspec

from omni_core.domain.kernel.errors import OmniError

_MAX_TEXT = 2000


class Failure(msgspec.Struct, frozen=True):
    """Why an attempt failed: the error's stable code and a sentence. Never a secret, never a stack trace."""

    code: str
    detail: str

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Tell what may be told of an error: of one that Omni did not raise itself, nothing but that it happened."""
        if isinstance(error, OmniError):
            return cls(error.code, storable(error.detail))
        return cls(OmniError.code, OmniError.title())


def storable(text: str) -> str:
    """Return `text` without what no database stores (NUL, lone surrogates), and not endless."""
    return text[:_MAX_TEXT].replace("\0", "").encode("utf-8", "replace").decode()
