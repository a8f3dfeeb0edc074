"""Types of commands' fields that say in a schema what constructors check.

Decoders do not look at them: what is wrong is refused where it is checked, with an error that says why.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

# What `str.strip` takes off, as far as a pattern can name it where it is read by JavaScript's rules, or by Python's.
_BLANK = r"\s\u0000-\u001f\u0085\ufeff"


# Controls, blanks other than the space, and what is no character; which others do not print, only Unicode's tables say.
_UNPRINTED = r"\u0000-\u001f\u007f-\u00a0\u00ad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"


def described_line(longest: int) -> Meta:
    """Return what is said of a text of up to so many characters that print, with no blank at either end."""
    end = rf"[^ {_UNPRINTED}]"
    return Meta(extra_json_schema={"maxLength": longest, "pattern": rf"^{end}([^{_UNPRINTED}]*{end})?$"})


def described_text(shortest: int, longest: int) -> Meta:
    """Return what is said of a text of so many characters, without the blanks around it, and without NUL."""
    seen = rf"[^{_BLANK}]"
    core = seen if shortest == 1 else rf"{seen}[^\u0000]{{{max(shortest - 2, 0)},}}{seen}"
    limits = {"minLength": shortest, "maxLength": longest}
    return Meta(extra_json_schema={**limits, "pattern": rf"^[^\u0000]*{core}[^\u0000]*$"})


NameText = Annotated[str, described_text(1, 200)]
MomentText = Annotated[datetime, Meta(extra_json_schema={"format": "date-time"})]
