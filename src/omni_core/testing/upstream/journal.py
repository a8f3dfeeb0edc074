"""What the fake provider remembers."""

from collections import defaultdict, deque
from typing import Any

import msgspec

from omni_core.domain.llm.model import TokenUsage


class Call(msgspec.Struct):
    """One request, as it came, and how it ended."""

    number: int
    protocol: str
    model: str
    stream: bool
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    usage: TokenUsage | None = None
    """What was reported, or would have been if asked for."""
    answered: bool = False
    """Everything was sent."""
    hung_up: bool = False
    """The caller closed the connection before that."""

    @property
    def fields(self) -> dict[str, Any]:
        """What the body says."""
        return msgspec.json.decode(self.body, type=dict[str, Any])


class Totals(msgspec.Struct):
    """What one model's answered calls come to."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0


class Journal:
    """Keeps the latest calls, and the totals of all."""

    def __init__(self, keep: int) -> None:
        self.calls: deque[Call] = deque(maxlen=keep)
        self.totals: defaultdict[str, Totals] = defaultdict(Totals)

    def answered(self, call: Call) -> None:
        call.answered = True
        totals = self.totals[call.model]
        totals.calls += 1
        if call.usage is not None:
            totals.input_tokens += call.usage.input_tokens
            totals.output_tokens += call.usage.output_tokens
            totals.cached_input_tokens += call.usage.cached_input_tokens
            totals.cache_write_tokens += call.usage.cache_write_tokens
