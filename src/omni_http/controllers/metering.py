"""Usage."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.params import FromPath, QueryParameter

from omni_core import PageRequest, UsageQuery
from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.kernel.pages import DEFAULT_LIMIT
from omni_core.domain.metering.api import Grouping
from omni_http.amounts import MOMENT_PATTERN, Cursor, Limit, Listing, listing
from omni_http.services import KeyedRequest, omni_of
from omni_http.wire.metering import UsageEventView, UsageSumView

_MOMENT = "A date (midnight UTC) or a time with an offset."
_FORM = {"pattern": MOMENT_PATTERN}
_Since = Annotated[str, QueryParameter(name="since", description=f"From when on. {_MOMENT}", schema_extra=_FORM)]
_Until = Annotated[
    str, QueryParameter(name="until", description=f"Up to when, not included. {_MOMENT}", schema_extra=_FORM)
]
_Model = Annotated[str | None, QueryParameter(name="model", description="Only this model.")]
_Key = Annotated[UUID | None, QueryParameter(name="key_id", description="Only calls under this key.")]
_By = Annotated[list[Grouping] | None, QueryParameter(name="by", description="Groupings; repeat for several.")]


def _query(since: str, until: str, model: str | None, key_id: UUID | None) -> UsageQuery:
    return UsageQuery(parse_moment(since, "since"), parse_moment(until, "until"), model, key_id)


class MeteringController(Controller):
    """What was used, call by call and added up."""

    path = "/v1/usage"
    tags: Sequence[str] | None = ["metering"]

    @get()
    async def sum_usage(
        self,
        request: KeyedRequest,
        since: _Since,
        until: _Until,
        by: _By = None,
        model: _Model = None,
        key_id: _Key = None,
    ) -> list[UsageSumView]:
        """Add usage up, for each group, costliest first (scope `usage:read`)."""
        sums = await omni_of(request).metering.summary(request.user, _query(since, until, model, key_id), by or ())
        return [UsageSumView.of(one) for one in sums]

    @get("/events")
    async def list_usage_events(
        self,
        request: KeyedRequest,
        since: _Since,
        until: _Until,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        model: _Model = None,
        key_id: _Key = None,
    ) -> Listing[UsageEventView]:
        """List single calls, newest first (scope `usage:read`)."""
        query = _query(since, until, model, key_id)
        page = await omni_of(request).metering.events(request.user, query, PageRequest(limit, cursor))
        return listing(page, UsageEventView.of)

    @get("/events/{call_id:uuid}")
    async def get_usage_event(self, request: KeyedRequest, call_id: FromPath[UUID]) -> UsageEventView:
        """Tell what was charged for a call; 404 where it is not on record, and not charged (scope `usage:read`).

        Its id is the `call_id` of an error such as `metering.not_recorded`, or what follows `chatcmpl-` in an answer's.
        """
        return UsageEventView.of(await omni_of(request).metering.event(request.user, call_id))
