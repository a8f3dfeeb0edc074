"""What the fake provider says, and how it misbehaves."""

from enum import StrEnum
from itertools import pairwise
from typing import Literal

import msgspec

from omni_core.domain.llm.model import FinishReason, TokenUsage, ToolCall


class Fault(StrEnum):
    """A way to fail other than by an HTTP status. Streams fail half way, whole answers at once."""

    HANG = "hang"
    """Read the request and never answer."""
    STALL = "stall"
    """Send half and then nothing more, with the connection open."""
    CUT = "cut"
    """Send half and drop the connection."""
    UNFINISHED = "unfinished"
    """End the answer properly, but without its end."""
    GARBAGE = "garbage"
    """Answer something that is not JSON."""
    SHAPE = "shape"
    """Answer JSON of another shape."""
    DEEP = "deep"
    """Answer JSON that is nested deeper than anybody reads."""
    ERROR = "error"
    """Report an error with status 200."""
    HUGE = "huge"
    """Answer 17 MiB."""
    REDIRECT = "redirect"
    """Point elsewhere."""
    NOT_HTTP = "not-http"
    """Answer something that is not HTTP."""
    INTERIM = "interim"
    """Answer 100, 102 and 103, and then nothing more, with the connection open."""
    INTERIMS = "interims"
    """Answer 102 again and again, and never finally."""
    DRIP_HEAD = "drip-head"
    """Send the answer's head a byte at a time, and never the end of it."""
    DRIP = "drip"
    """Send half, and then a byte at a time that never comes to anything."""
    PINGS = "pings"
    """Send half, and then a stream's comments, or spaces, without end."""


_UNANSWERED = frozenset({Fault.HANG, Fault.NOT_HTTP, Fault.INTERIM, Fault.INTERIMS, Fault.DRIP_HEAD})
_HALF_ANSWERED = frozenset({Fault.STALL, Fault.CUT, Fault.DRIP, Fault.PINGS})


class Script(msgspec.Struct, frozen=True):
    """One model's answer. `usage` is reported as it stands; None reports nothing."""

    text: str = "The quick brown fox jumps over the lazy dog."
    usage: TokenUsage | None = TokenUsage(input_tokens=25, output_tokens=10)
    finish_reason: FinishReason = FinishReason.STOP
    tool_calls: tuple[ToolCall, ...] = ()
    pieces: int = 8
    """How many chunks a streamed text is cut into, and its reasoning likewise; fewer where it has fewer characters."""
    reasoning: str = ""
    """Words of thinking, before the text."""
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    """What servers of OpenAI's protocol call them."""
    running_usage: bool = False
    """Tell in each chunk of OpenAI's protocol what was used up to it, as vLLM's `continuous_usage_stats` does."""
    first_delay_s: float = 0.0
    """Before the answer begins."""
    delay_s: float = 0.0
    """Between two chunks, and between two bytes of a drip (there a hundredth of a second at least)."""
    interim: tuple[int, ...] = ()
    """Statuses of interim responses (1xx) that are sent `first_delay_s` before the answer."""
    echo: bool = False
    """Answer with the last user's words instead of `text`."""
    status: int = 200
    message: str = "the fake provider was told to fail"
    """Of an error, by status or by `Fault.ERROR`."""
    retry_after_s: float | None = None
    fault: Fault | None = None
    fault_after: int | None = None
    """How many events of a stream come before the fault; half of them where it is None."""

    @property
    def succeeds(self) -> bool:
        """Whether the answer is a good one."""
        return self.status == 200 and self.fault is None

    @property
    def answers(self) -> bool:
        """Whether a response begins at all."""
        return self.fault not in _UNANSWERED

    def at_once(self, *, stream: bool) -> bool:
        """Say whether the answer, once it is due, is one response in one piece."""
        if self.status != 200 or self.fault is Fault.REDIRECT:
            return True
        return not stream and self.fault not in {*_UNANSWERED, *_HALF_ANSWERED}

    def limited(self, tokens: int | None) -> "Script":
        """Return what is left within an output limit: as many pieces of the text as the limit allows tokens."""
        if tokens is None or self.usage is None or tokens >= self.usage.output_tokens:
            return self
        return msgspec.structs.replace(
            self,
            text=self.text[: len(self.text) * tokens // self.usage.output_tokens],
            usage=msgspec.structs.replace(self.usage, output_tokens=tokens),
            finish_reason=FinishReason.LENGTH,
        )

    def chunks(self) -> list[str]:
        """Return the text as it is streamed."""
        return self._cut(self.text)

    def thoughts(self) -> list[str]:
        """Return the reasoning as it is streamed."""
        return self._cut(self.reasoning)

    def _cut(self, text: str) -> list[str]:
        count = max(1, min(self.pieces, len(text)))
        edges = [len(text) * number // count for number in range(count + 1)]
        return [text[start:end] for start, end in pairwise(edges) if end > start]


FAULTS: dict[str, Script] = {
    "400": Script(status=400, message="temperature must be at most 2"),
    "401": Script(status=401, message="Incorrect API key provided: sk-fake-abcdefghijklmnop0123."),
    "404": Script(status=404, message="The model `404` does not exist"),
    "413": Script(status=413, message="request too large"),
    "429": Script(status=429, message="slow down", retry_after_s=7),
    "529": Script(status=529, message="overloaded"),
    "down": Script(status=503, message="no capacity"),
    "slow": Script(first_delay_s=0.2, delay_s=0.05),
    "no-usage": Script(usage=None),
    "echo": Script(echo=True),
    "tool": Script(
        text="",
        tool_calls=(ToolCall("call_1", "get_weather", '{"city":"Paris"}'), ToolCall("call_2", "get_time", "{}")),
        finish_reason=FinishReason.TOOL_CALLS,
    ),
    **{fault.value: Script(fault=fault) for fault in Fault},
}
"""Models that are there from the start, by name. Any other name is answered by the default script."""
