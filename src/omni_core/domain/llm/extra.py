"""Fields beyond the message model: those of OpenAI's that not every provider knows, and vendors' own.

They go to a provider that takes them, as they are, and are refused by name before a call to one that does not.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.llm.errors import InvalidRequest

MOST_EXTRAS = 32
LONGEST_EXTRAS = 64 * 1024
"""Bytes of all extra fields together, as JSON."""
DEEPEST_EXTRA = 16
"""Lists and objects in one another."""
MOST_CHOICES = 128
MOST_PASSED = 64

NO_EFFECT = frozenset({"metadata", "prompt_cache_key", "safety_identifier", "service_tier", "user"})
"""Clients send these to whomever: where a provider does not take them, they are left out instead of refused."""

SPECIAL_FIELDS = frozenset({"n", "logprobs", "top_logprobs", "logit_bias", "verbosity", "store"})
"""OpenAI's own, which the message model has words for."""

OWN = frozenset(
    """
    audio frequency_penalty function_call functions max_completion_tokens max_tokens messages modalities model
    output_config parallel_tool_calls presence_penalty reasoning_effort response_format seed stop stop_sequences stream
    stream_options system temperature tool_choice tools top_p
    """.split()
)
"""What Omni says itself in one protocol or another, so that nothing may stand beside it."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
EXTRA_NAME_PATTERN = f"^{_NAME.pattern}$"
PassedField = Annotated[str, Meta(extra_json_schema={"pattern": EXTRA_NAME_PATTERN, "not": {"enum": sorted(OWN)}})]


def check_passed(names: Sequence[str]) -> None:
    """Raise `InvalidValue` unless `names` are at most 64 names of fields that are not Omni's own to set."""
    wrong = [name for name in names if name in OWN or not _NAME.fullmatch(name)]
    if wrong or len(names) > MOST_PASSED:
        raise InvalidValue(
            f"passes takes no field {wrong[0]!r}" if wrong else f"passes takes at most {MOST_PASSED} names",
            field="passes",
            allowed=f"up to {MOST_PASSED} names of fields that Omni does not set itself, such as top_k",
        )


def check_extra(extra: Mapping[str, Any]) -> None:
    """Raise `InvalidRequest`, which names the field, for more extra fields than the limits above, or one of `OWN`."""
    if len(extra) > MOST_EXTRAS:
        raise InvalidRequest(f"there are {len(extra)} fields that Omni does not know", allowed=f"up to {MOST_EXTRAS}")
    for name, value in extra.items():
        if name in OWN | SPECIAL_FIELDS or not _NAME.fullmatch(name):
            raise InvalidRequest(f"{name[:64]!r} is no name of an extra field", field=name[:64], allowed="another name")
        if _is_deeper(value, DEEPEST_EXTRA):
            raise InvalidRequest(f"{name} is nested too deeply", field=name, allowed=f"up to {DEEPEST_EXTRA} levels")
    if len(encoded(extra)) > LONGEST_EXTRAS:
        raise InvalidRequest("the extra fields are too long", allowed=f"up to {LONGEST_EXTRAS} bytes of JSON")


def encoded(extra: Mapping[str, Any]) -> bytes:
    """Return extra fields as a JSON object; raise `InvalidRequest` where they are none."""
    try:
        return msgspec.json.encode(extra)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest("the extra fields are not JSON", allowed="what can be said in JSON") from error


def _is_deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else None
    if inner is None:
        return False
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)
