"""Events, and reactions to them."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter

from omni_core import PageRequest
from omni_core.domain.kernel.pages import DEFAULT_LIMIT
from omni_http.amounts import Cursor, Limit, Listing, listing
from omni_http.bodies import body_of
from omni_http.services import KeyedRequest, omni_of
from omni_http.wire.events import EventSubscriptionView, EventView, HeldEventView, ReplaySubscription

_REPLAY = Example(value={"moment": "2026-11-01T00:00:00Z"})
_Where = Annotated[
    str | None,
    QueryParameter(
        name="where",
        description="A condition, such as `event_type starts_with billing. and data.month exists`, or its JSON form.",
    ),
]
_Subscription = Annotated[str | None, QueryParameter(name="subscription", description="Only what this one holds.")]


class EventsController(Controller):
    """What happened in the tenant, and how the subscriptions stand that react to it."""

    path = "/v1/events"
    tags: Sequence[str] | None = ["events"]

    @get()
    async def list_events(
        self, request: KeyedRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, where: _Where = None
    ) -> Listing[EventView]:
        """List what happened in the tenant, oldest first (scope `events:read`)."""
        page = await omni_of(request).events.list(request.user, PageRequest(limit, cursor), where)
        return listing(page, EventView.of)

    @get("/{event_id:uuid}")
    async def get_event(self, request: KeyedRequest, event_id: FromPath[UUID]) -> EventView:
        """Show an event (scope `events:read`)."""
        return EventView.of(await omni_of(request).events.get(request.user, event_id))

    @get("/subscriptions")
    async def list_event_subscriptions(self, request: KeyedRequest) -> list[EventSubscriptionView]:
        """Show how each subscription stands in the tenant (scope `platform:admin`)."""
        return [EventSubscriptionView.of(one) for one in await omni_of(request).events.subscriptions(request.user)]

    @post("/subscriptions/{name:str}/replay", dto=body_of(ReplaySubscription), return_dto=None, status_code=204)
    async def replay_event_subscription(
        self, request: KeyedRequest, name: FromPath[str], data: Annotated[ReplaySubscription, Body(examples=[_REPLAY])]
    ) -> None:
        """Have a subscription handle everything from a point on again (scope `platform:admin`)."""
        await omni_of(request).events.replay(request.user, name, data.since)

    @get("/held")
    async def list_held_events(
        self,
        request: KeyedRequest,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        subscription: _Subscription = None,
    ) -> Listing[HeldEventView]:
        """List the events that subscriptions could not handle, newest first (scope `platform:admin`)."""
        page = await omni_of(request).events.held(request.user, subscription, PageRequest(limit, cursor))
        return listing(page, HeldEventView.of)

    @post("/subscriptions/{name:str}/held/{event_id:uuid}/retry", status_code=204)
    async def retry_held_event(self, request: KeyedRequest, name: FromPath[str], event_id: FromPath[UUID]) -> None:
        """Try a held event again at once, with all its attempts (scope `platform:admin`)."""
        await omni_of(request).events.retry(request.user, name, event_id)

    @post("/subscriptions/{name:str}/held/{event_id:uuid}/skip", status_code=204)
    async def skip_held_event(self, request: KeyedRequest, name: FromPath[str], event_id: FromPath[UUID]) -> None:
        """Never handle a held event, and go on with what is behind it (scope `platform:admin`)."""
        await omni_of(request).events.skip(request.user, name, event_id)
