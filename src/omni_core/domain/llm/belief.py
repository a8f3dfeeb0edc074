"""Whether a provider's figures can be true of the model that it was asked for.

What can't be true is not charged: an estimate is, and somebody is told. Three limits are looked at, each with `MARGIN`:

- input: the model's context length, where whoever added the model said it;
- output without the thinking that the provider counts apart: the limit that was sent with the call, which binds the
  provider in both protocols, and without one the model's longest answer, where it was said;
- all output: the larger of those two where the longest answer was said, else the context length.

Of several choices each may have as much output.

A limit that nobody said, but that stands in the catalogue by default, refuses nothing. Beyond `MOST_TOKENS`, and below
0, nothing is believed.
"""

import msgspec

from omni_core.domain.llm.catalogue import BUILT_IN_PROVIDER, Model
from omni_core.domain.llm.model import ChatRequest, TokenUsage
from omni_core.domain.metering.api import EstimateReason

MOST_TOKENS = 100_000_000
"""No model of the catalogue has a longer context, so no call can have used more."""

MARGIN_DIVISOR = 10
MARGIN_TOKENS = 64
"""The margin: a tenth of the limit, and 64 tokens. People round limits (128,000 for 131,072), providers count the
delimiters of templates and the end of an answer beside what they limit, and some think a little beyond it."""


class Doubt(msgspec.Struct, frozen=True):
    """Figures that were not believed, and why."""

    reason: EstimateReason
    figures: TokenUsage


def doubt_of(usage: TokenUsage, model: Model, request: ChatRequest) -> Doubt | None:
    """Return why a provider's figures for a call cannot be true, or None where they can.

    Parts that exceed their whole are let pass, for some servers count them beside it; each is charged, and so is held
    against the limit of its whole. What Omni's own model counts needs no belief.
    """
    reason = _reason(usage, model, request)
    return None if reason is None else Doubt(reason, usage)


def _reason(usage: TokenUsage, model: Model, request: ChatRequest) -> EstimateReason | None:
    figures: tuple[int, ...] = msgspec.structs.astuple(usage)[:-1]
    if min(figures) < 0 or max(figures) > MOST_TOKENS:
        return EstimateReason.IMPOSSIBLE
    if model.provider == BUILT_IN_PROVIDER:
        return None
    parts = usage.cached_input_tokens + usage.cache_write_tokens + usage.audio_input_tokens
    if model.is_context_declared and max(usage.input_tokens, parts) > _at_most(model.context_length):
        return EstimateReason.BEYOND_CONTEXT
    # Each choice has the limits for itself.
    context = model.context_length * request.choices if model.is_context_declared else MOST_TOKENS
    declared = model.max_output_tokens * request.choices if model.is_output_declared else 0
    sent = (request.max_output_tokens or 0) * request.choices
    output = max(usage.output_tokens, usage.audio_output_tokens)
    if output > _at_most(max(sent, declared) if declared else context):
        return EstimateReason.BEYOND_OUTPUT
    if output - usage.reasoning_tokens > _at_most(sent or declared or context):
        return EstimateReason.BEYOND_OUTPUT
    return None


def _at_most(limit: int) -> int:
    return limit + limit // MARGIN_DIVISOR + MARGIN_TOKENS
