"""What `--json` prints: read models under their own names, with money that no program has to guess at."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import Money, Picos, format_picos, picos_text

_PICOS = "_picos"


def as_json(value: Any) -> Any:  # noqa: ANN401, PLR0911 - whatever there is, one line for each form
    """Return `value` in JSON types.

    Money is `{"minor": 1250, "currency": "USD", "amount": "12.50"}`, without an amount where the currency is one that
    this release does not know. Each `…_picos` (10⁻¹² of a major unit) is an integer, or a decimal string where a price
    is finer than one; beside it stands the same amount in major units, as a decimal string, without that ending. Raises
    `TypeError` for bytes: they are digests and sealed secrets, which nobody is shown.
    """
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency, "amount": value.major}
    if isinstance(value, Fraction):
        return picos_text(value)
    if isinstance(value, Month | Path):
        return str(value)
    if isinstance(value, msgspec.Struct) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        return _object(_fields(value))
    if isinstance(value, Mapping):
        return _object((str(name), inner) for name, inner in value.items())
    if isinstance(value, set | frozenset):
        return sorted(as_json(inner) for inner in value)
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    if isinstance(value, bytes):
        raise TypeError("bytes are not for showing")
    return msgspec.to_builtins(value)


def dumps(value: object, encoding: str | None) -> str:
    """Write JSON types as text that can be printed in `encoding`."""
    plain = (encoding or "ascii").lower().replace("-", "") == "utf8"
    return json.dumps(value, indent=2, ensure_ascii=not plain)


def _fields(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any Struct or dataclass
    described = msgspec.structs.fields(value) if isinstance(value, msgspec.Struct) else dataclasses.fields(value)
    for field in described:
        yield field.name, getattr(value, field.name)


def _object(fields: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, inner in fields:
        shown[name] = as_json(inner)
        if name.endswith(_PICOS) and isinstance(inner, Picos):
            shown[name.removesuffix(_PICOS)] = format_picos(inner)
    return shown
