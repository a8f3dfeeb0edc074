"""Calls whose usage is known before they are made, and what they cost, worked out by hand."""

from dataclasses import dataclass
from typing import Any

from omni_core.domain.llm.api import ChatRequest, Image, Message, Role, Text, TokenUsage
from omni_core.domain.metering.api import Quantities

TEXT = "How much?"
PICTURE = "data:image/png;base64,iVBORw0KGgo="
LIMIT = 50_000


@dataclass(frozen=True)
class KnownCall:
    """A call that is made `times` times; each is billed for `quantities` and costs `cost` in 10⁻¹² of a dollar."""

    model: str
    usage: TokenUsage
    streamed: bool
    times: int
    quantities: Quantities
    cost: int
    tier: int = 0
    pictures: int = 0

    @property
    def body(self) -> dict[str, Any]:
        """The request, in OpenAI's protocol."""
        pictures = [{"type": "image_url", "image_url": {"url": PICTURE}}] * self.pictures
        messages = [{"role": "user", "content": [{"type": "text", "text": TEXT}, *pictures]}]
        return {"model": self.model, "stream": self.streamed, "max_tokens": LIMIT, "messages": messages}

    @property
    def request(self) -> ChatRequest:
        """The same in the message model."""
        content: tuple[Text | Image, ...] = (Text(TEXT), *[Image(PICTURE)] * self.pictures)
        return ChatRequest(self.model, (Message(Role.USER, content),), max_output_tokens=LIMIT)


# Unit prices in 10⁻¹² of a dollar for a token: $0.15 a million is 150,000. For a picture or a request: $0.0035 is
# 3,500,000,000. Each cost is a sum over the meters of quantity × unit price.
CALLS = (
    KnownCall("small", TokenUsage(60_011, 33_333), False, 3,
              Quantities(input=60_011, output=33_333, request=1),
              60_011 * 150_000 + 33_333 * 600_000),
    KnownCall("small", TokenUsage(77_777, 4_111, cached_input_tokens=51_200), True, 2,
              Quantities(input=26_577, cached_input=51_200, output=4_111, request=1),
              26_577 * 150_000 + 51_200 * 75_000 + 4_111 * 600_000),
    # A thousand tokens, cached ones included, are not yet above a thousand.
    KnownCall("tiered", TokenUsage(1_000, 700, cached_input_tokens=500), False, 4,
              Quantities(input=500, cached_input=500, output=700, request=1),
              500 * 2_500_000 + 500 * 250_000 + 700 * 10_000_000),
    # One more puts the whole call into the dearer tier, which has no price of its own for cached input.
    KnownCall("tiered", TokenUsage(1_001, 700, cached_input_tokens=500), True, 2,
              Quantities(input=501, cached_input=500, output=700, request=1),
              501 * 5_000_000 + 500 * 5_000_000 + 700 * 22_500_000, tier=1_000),
    KnownCall("seeing", TokenUsage(9_000, 1_100), False, 1,
              Quantities(input=9_000, output=1_100, image=2, request=1),
              9_000 * 1_000_000 + 1_100 * 2_000_000 + 2 * 3_500_000_000 + 10_100_000_000, pictures=2),
    KnownCall("seeing", TokenUsage(9_100, 0), True, 1,
              Quantities(input=9_100, image=1, request=1),
              9_100 * 1_000_000 + 3_500_000_000 + 10_100_000_000, pictures=1),
    KnownCall("claude", TokenUsage(300_000, 20_000, cached_input_tokens=100_000, cache_write_tokens=50_000), True, 1,
              Quantities(input=150_000, cached_input=100_000, cache_write=50_000, output=20_000, request=1),
              150_000 * 150_000 + 100_000 * 75_000 + 50_000 * 150_000 + 20_000 * 600_000),
)  # fmt: skip

# The same in figures, in 10⁻⁹ of a dollar:
#   small   3 × (9,001,650 + 19,999,800)             = 3 × 29,001,450 =  87,004,350
#   small   2 × (3,986,550 + 3,840,000 + 2,466,600)  = 2 × 10,293,150 =  20,586,300
#   tiered  4 × (1,250,000 + 125,000 + 7,000,000)    = 4 ×  8,375,000 =  33,500,000
#   tiered  2 × (2,505,000 + 2,500,000 + 15,750,000) = 2 × 20,755,000 =  41,510,000
#   seeing  9,000,000 + 2,200,000 + 7,000,000 + 10,100,000            =  28,300,000
#   seeing  9,100,000 + 3,500,000 + 10,100,000                        =  22,700,000
#   claude  22,500,000 + 7,500,000 + 7,500,000 + 12,000,000           =  49,500,000
#                                                                       283,100,650
COUNT = 14
COST = 283_100_650_000
COST_OF_MODEL = {
    "small": 107_590_650_000,
    "tiered": 75_010_000_000,
    "seeing": 51_000_000_000,
    "claude": 49_500_000_000,
}

# Model, tier, meter, quantity, exact cost and cents: a line of each meter in each tier, each rounded by itself, half a
# cent upwards. So the invoice is of 29 cents, although the calls cost 28.31.
LINES = (
    ("claude", 0, "input", 150_000, 22_500_000_000, 2),
    ("claude", 0, "cached_input", 100_000, 7_500_000_000, 1),
    ("claude", 0, "cache_write", 50_000, 7_500_000_000, 1),
    ("claude", 0, "output", 20_000, 12_000_000_000, 1),
    ("claude", 0, "request", 1, 0, 0),
    ("seeing", 0, "input", 18_100, 18_100_000_000, 2),
    ("seeing", 0, "output", 1_100, 2_200_000_000, 0),
    ("seeing", 0, "image", 3, 10_500_000_000, 1),
    ("seeing", 0, "request", 2, 20_200_000_000, 2),
    ("small", 0, "input", 233_187, 34_978_050_000, 3),
    ("small", 0, "cached_input", 102_400, 7_680_000_000, 1),
    ("small", 0, "output", 108_221, 64_932_600_000, 6),
    ("small", 0, "request", 5, 0, 0),
    ("tiered", 0, "input", 2_000, 5_000_000_000, 1),
    ("tiered", 0, "cached_input", 2_000, 500_000_000, 0),
    ("tiered", 0, "output", 2_800, 28_000_000_000, 3),
    ("tiered", 0, "request", 4, 0, 0),
    ("tiered", 1_000, "input", 1_002, 5_010_000_000, 1),
    ("tiered", 1_000, "cached_input", 1_000, 5_000_000_000, 1),
    ("tiered", 1_000, "output", 1_400, 31_500_000_000, 3),
    ("tiered", 1_000, "request", 2, 0, 0),
)
CENTS = 29
