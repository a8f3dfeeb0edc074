"""Takes out of log entries what does not belong there, whoever put it in.

Two rules: a field whose name says that it holds a secret is masked whatever it holds, at any depth; in every other
text, what looks like a secret or like a person's data is masked where it stands. Numbers that are not text (an amount,
a duration) are left alone unless their field's name says otherwise.
"""

import dataclasses
import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import msgspec

from omni_core.adapters.telemetry.card_numbers import mask_card_numbers

MASK = "[redacted]"
# Deeper than anybody logs on purpose; what refers to itself ends here.
_DEEPEST = 8

_SENSITIVE = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|(?:api|private|access)[_-]?key|authorization|cookie|credential"
    r"|dsn|database_url|card(?:_?number)?|cvc|cvv|iban|ssn|e_?mail|phone|otp)"
)
_SENSITIVE_NAME = re.compile(rf"(?:^|[_-]){_SENSITIVE}s?(?:$|[_-])", re.IGNORECASE)
_HARMLESS_NAME = re.compile(r"_ids?$|_count$|_(?:error|exception)$", re.IGNORECASE)
_COUNT_OF_TOKENS = re.compile(r"tokens$", re.IGNORECASE)
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_AUTHORIZATION = re.compile(
    r"\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|digest|negotiate|token|api-?key)\s+[^\s\"',]+",
    re.IGNORECASE,
)
# `name=value`, `"name": "value"`, as in a query, a repr or JSON within a text.
_NAMED_VALUE = re.compile(
    rf"(?P<name>(?<![\w-])(?=[\w-]*{_SENSITIVE})[a-z_][\w-]*)(?P<sign>[\"']?\s?[=:]\s?)"
    r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s\"',;&)}\]]+)",
    re.IGNORECASE,
)
# Passwords in URLs come before e-mail addresses, which would take half of one.
_AT_SIGN = (
    re.compile(r"(?<=://)[^\s/@:\"']*:[^\s/\"']*(?=@)"),
    re.compile(r"[\w.%+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),
)
_LOOKS_SECRET = (
    re.compile(r"omni_sk_[0-9A-Za-z]+_[0-9A-Za-z]+"),
    re.compile(r"\b(?:sk|pk|rk|gsk|hf|xai|whsec|xox[abp]|gh[pousr]|github_pat|glpat)[-_][A-Za-z0-9_-]{12,}"),
    re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"(?i:\bbearer)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i:\bbasic)\s+(?=[a-z]*[A-Z0-9+/=])[A-Za-z0-9+/=]{8,}"),
)


def redact(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> dict[str, Any]:
    """Mask secrets and personal data in an entry; a structlog processor. `_names` are structlog's own."""
    return {name: value if name.startswith("_") else _mask_field(name, value, 0) for name, value in entry.items()}


def redact_text(text: str) -> str:
    """Mask API keys, tokens, e-mail addresses, card numbers, passwords in URLs and `secret=value` in a text."""
    # Most texts hold none of these signs, and looking for one is far quicker than a pattern.
    if "=" in text or ":" in text:
        text = _NAMED_VALUE.sub(_mask_named, _AUTHORIZATION.sub(MASK, text))
    if "@" in text:
        for pattern in _AT_SIGN:
            text = pattern.sub(MASK, text)
    for pattern in _LOOKS_SECRET:
        text = pattern.sub(MASK, text)
    return mask_card_numbers(text, MASK)


def _mask_named(match: re.Match[str]) -> str:
    name, sign, value = match["name"], match["sign"], match["value"]
    quote = value[0] if value[0] in "\"'" else ""
    is_count = _COUNT_OF_TOKENS.search(name) is not None and value.isdigit()
    # A mask without its last bracket is what the pattern sees of a text that was masked before.
    if is_count or not _is_secret(name) or MASK.startswith(value.strip("\"'")):
        return match[0]
    return f"{name}{sign}{quote}{MASK}{quote}"


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    """Tell whether a field's name says that it holds a secret, in snake_case, kebab-case or camelCase."""
    name = _CAMEL_HUMP.sub("_", name)
    return _SENSITIVE_NAME.search(name) is not None and _HARMLESS_NAME.search(name) is None


def _mask_field(name: str, value: object, depth: int) -> Any:
    if _is_secret(name) and value is not None:
        is_count = isinstance(value, int | float) and _COUNT_OF_TOKENS.search(name) is not None
        return value if is_count or isinstance(value, bool) else MASK
    return _mask(value, depth)


def _mask(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray):
        return redact_text(value.decode("utf-8", "replace"))
    if depth < _DEEPEST:
        if isinstance(value, msgspec.Struct):
            value = msgspec.structs.asdict(value)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        if isinstance(value, Mapping):
            return {str(name): _mask_field(str(name), inner, depth + 1) for name, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return _mask_items(list(value), depth)
    return redact_text(str(value))


def _mask_items(items: list[object], depth: int) -> list[Any]:
    """Mask each item; of a pair such as a header, the first may say what the second is."""
    if len(items) == 2 and isinstance(items[0], str | bytes):
        name = items[0] if isinstance(items[0], str) else items[0].decode("latin-1")
        return [name if _is_secret(name) else redact_text(name), _mask_field(name, items[1], depth + 1)]
    return [_mask(item, depth + 1) for item in items]
