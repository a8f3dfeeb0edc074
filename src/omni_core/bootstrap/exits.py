"""Exit codes: the one table from what went wrong to a number, after BSD's sysexits.h.

docs/howto/exit-codes.md says what each of them asks of a script.
"""

from collections.abc import Mapping
from typing import Final

from omni_core.domain.kernel.errors import Kind, OmniError

OK: Final = 0
USAGE: Final = 64
UNFORESEEN: Final = 70
SETTINGS: Final = 78
INTERRUPTED: Final = 130

OF_KIND: Final[Mapping[Kind, int]] = {
    Kind.INVALID: 65,
    Kind.NOT_FOUND: 66,
    Kind.DEPENDENCY: 69,
    Kind.INTERNAL: UNFORESEEN,
    Kind.PRECONDITION: 72,
    Kind.CONFLICT: 73,
    Kind.QUOTA: 75,
    Kind.UNSUPPORTED: 76,
    Kind.UNAUTHENTICATED: 77,
    Kind.FORBIDDEN: 77,
}


def exit_code_of(error: OmniError) -> int:
    """Return the exit code of an error. Settings are told from other invalid input, for a supervisor must not retry."""
    return SETTINGS if error.code.startswith("settings.") else OF_KIND[error.kind]
