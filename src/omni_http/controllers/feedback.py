"""Feedback."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, QueryParameter

from omni_core import PageRequest
from omni_core.domain.feedback.api import ChangeFeedback, FeedbackTally, FeedbackVote, SubmitFeedback
from omni_core.domain.kernel.pages import DEFAULT_LIMIT
from omni_http.amounts import Cursor, Limit, Listing, listing
from omni_http.bodies import body_of
from omni_http.services import KeyedRequest, omni_of
from omni_http.wire.feedback import CastFeedbackVote, FeedbackItemView

_ITEM = Example(
    value={
        "title": "Export usage as CSV",
        "text": "We copy the table by hand each month; a download would do.",
        "category": "feature_request",
        "priority": "medium",
    }
)
_CHANGE = Example(value={"status": "reviewing", "priority": "high"})
_VOTE = Example(value={"person": "customer-42"})
_Where = Annotated[
    str | None,
    QueryParameter(name="where", description="A condition, such as `status = new and votes >= 3`, or its JSON form."),
]
_Person = Annotated[
    str | None, QueryParameter(name="person", description="Whose vote; the key's where nobody is named.")
]


class FeedbackController(Controller):
    """What a tenant's customers report and wish for, and which of it they want most."""

    path = "/v1/feedback"
    tags: Sequence[str] | None = ["feedback"]

    @post(dto=body_of(SubmitFeedback), return_dto=None)
    async def submit_feedback(
        self, request: KeyedRequest, data: Annotated[SubmitFeedback, Body(examples=[_ITEM])]
    ) -> FeedbackItemView:
        """Report or wish for something (scope `feedback:write`)."""
        return FeedbackItemView.of(await omni_of(request).feedback.submit(request.user, data))

    @get()
    async def list_feedback(
        self, request: KeyedRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, where: _Where = None
    ) -> Listing[FeedbackItemView]:
        """List the tenant's items, newest first (scope `feedback:read`)."""
        page = await omni_of(request).feedback.list(request.user, PageRequest(limit, cursor), where)
        return listing(page, FeedbackItemView.of)

    @get("/summary")
    async def summarise_feedback(self, request: KeyedRequest) -> list[FeedbackTally]:
        """Count items and votes by category and status (scope `feedback:read`)."""
        return list(await omni_of(request).feedback.summary(request.user))

    @get("/{item_id:uuid}")
    async def get_feedback(self, request: KeyedRequest, item_id: FromPath[UUID]) -> FeedbackItemView:
        """Show an item (scope `feedback:read`)."""
        return FeedbackItemView.of(await omni_of(request).feedback.get(request.user, item_id))

    @patch("/{item_id:uuid}", dto=body_of(ChangeFeedback), return_dto=None)
    async def change_feedback(
        self, request: KeyedRequest, item_id: FromPath[UUID], data: Annotated[ChangeFeedback, Body(examples=[_CHANGE])]
    ) -> FeedbackItemView:
        """Move an item to another status or priority (scope `feedback:manage`)."""
        return FeedbackItemView.of(await omni_of(request).feedback.change(request.user, item_id, data))

    @post("/{item_id:uuid}/votes", dto=body_of(CastFeedbackVote), return_dto=None, status_code=200)
    async def cast_feedback_vote(
        self, request: KeyedRequest, item_id: FromPath[UUID], data: Annotated[CastFeedbackVote, Body(examples=[_VOTE])]
    ) -> FeedbackItemView:
        """Vote for an item; a person's second vote changes nothing (scope `feedback:write`)."""
        return FeedbackItemView.of(await omni_of(request).feedback.vote(request.user, item_id, data.person))

    @get("/{item_id:uuid}/votes")
    async def list_feedback_votes(
        self, request: KeyedRequest, item_id: FromPath[UUID], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Listing[FeedbackVote]:
        """List who voted for an item, last first (scope `feedback:read`)."""
        page = await omni_of(request).feedback.votes(request.user, item_id, PageRequest(limit, cursor))
        return listing(page, lambda vote: vote)

    @delete("/{item_id:uuid}/votes", status_code=200)
    async def withdraw_feedback_vote(
        self, request: KeyedRequest, item_id: FromPath[UUID], person: _Person = None
    ) -> FeedbackItemView:
        """Take a person's vote back (scope `feedback:write`)."""
        return FeedbackItemView.of(await omni_of(request).feedback.withdraw(request.user, item_id, person))
