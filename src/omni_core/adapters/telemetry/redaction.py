"""Takes out of log entries what does not belong there, whoever put it in."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "[redacted]"
_SECRET_FIELD = re.compile(
    r"(^|_|-)(password|passwd|secret|token|api_?key|authorization|cookie|credential|private_?key|dsn|database_url|card(_number)?"
    r"|cvc|cvv|ssn|email|phone)s?($|_|-)",
    re.IGNORECASE,
)
_NOT_SECRET = frozenset({"input_tokens", "output_tokens", "max_tokens", "total_tokens", "cached_input_tokens"})
_PATTERNS = (
    re.compile(r"omni_sk_[0-9A-Za-z]+_[0-9A-Za-z]+"),
    re.compile(r"\b(?:sk|pk|rk|xox[abp])[-_][A-Za-z0-9_-]{12,}"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
_DIGITS = re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?![\d.])")


def redact(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> dict[str, Any]:
    """Mask secrets and personal data in an entry; a structlog processor."""
    return {name: _mask_field(name, value) for name, value in entry.items()}


def redact_text(text: str) -> str:
    """Mask API keys, bearer tokens, e-mail addresses, passwords in URLs and card numbers in a text."""
    for pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    return _DIGITS.sub(lambda match: MASK if _is_card_number(match[0]) else match[0], text)


def _mask_field(name: str, value: object) -> Any:
    if _SECRET_FIELD.search(name) and name not in _NOT_SECRET:
        return MASK
    return _mask(value)


def _mask(value: object) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {str(name): _mask_field(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))


def _is_card_number(text: str) -> bool:
    """Tell whether the digits pass Luhn's check (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
