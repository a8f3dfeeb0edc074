"""The price table."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, get, post
from litestar.openapi.spec import Example
from litestar.params import Body, QueryParameter

from omni_core import SetPrice
from omni_http.bodies import body_of
from omni_http.services import KeyedRequest, omni_of
from omni_http.wire.pricing import PriceView

_PRICE = Example(
    value={
        "model": "gpt-4o-mini",
        "prices": {"input": "0.15", "cached_input": "0.075", "output": "0.60"},
        "tiers": [{"above_input_tokens": 128000, "prices": {"input": "0.30", "output": "1.20"}}],
        "effective_from": "2099-01-01T00:00:00Z",
    }
)
_Model = Annotated[str | None, QueryParameter(name="model", description="Only the prices of this model.")]


class PricingController(Controller):
    """Prices never change; a later one takes over."""

    path = "/v1/prices"
    tags: Sequence[str] | None = ["pricing"]

    @get()
    async def list_prices(self, request: KeyedRequest, model: _Model = None) -> list[PriceView]:
        """List the price table, by model and then oldest first (scope `models:read`)."""
        return [PriceView.of(price) for price in await omni_of(request).pricing.list(request.user, model)]

    @post(dto=body_of(SetPrice), return_dto=None)
    async def set_price(self, request: KeyedRequest, data: Annotated[SetPrice, Body(examples=[_PRICE])]) -> PriceView:
        """Add a price: major units of a million tokens, or of one image or request (scope `platform:admin`)."""
        return PriceView.of(await omni_of(request).pricing.set_price(request.user, data))
