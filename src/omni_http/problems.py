"""Errors as `application/problem+json` (RFC 9457), with the one table from kind to status."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException

from omni_core.domain.kernel.errors import Invalid, Kind, NotFound, OmniError, Unsupported
from omni_core.domain.llm.errors import IdempotencyKeyReused, ProviderQuotaExhausted, ProviderRateLimited
from omni_http.openai_errors import OpenAIError
from omni_http.refusals import (
    ClientLeft,
    HeadersTooLarge,
    RequestTimedOut,
    TargetTooLong,
    UpgradeNotOffered,
)
from omni_http.remedies import remedy_of
from omni_http.services import PROBLEM, request_id_of

MEDIA_TYPE = "application/problem+json"
STATUS_OF = {
    Kind.INVALID: HTTPStatus.BAD_REQUEST,
    Kind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.PRECONDITION: HTTPStatus.PRECONDITION_FAILED,
    Kind.QUOTA: HTTPStatus.TOO_MANY_REQUESTS,
    Kind.UNSUPPORTED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Kind.DEPENDENCY: HTTPStatus.BAD_GATEWAY,
    Kind.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}
# What a limit's refusal asks callers to wait where its end is not the one of a period, in seconds.
SOON_S = 1
_log = structlog.get_logger("omni.http")


class MalformedBody(Invalid):
    """The body is not what this endpoint takes."""

    code = "http.malformed_body"


class BodyTooLarge(Invalid):
    """The body is too large."""

    code = "http.body_too_large"


class InvalidParameter(Invalid):
    """A parameter is not valid."""

    code = "http.invalid_parameter"


class NoSuchEndpoint(NotFound):
    """There is no such endpoint."""

    code = "http.no_such_endpoint"


class MethodNotAllowed(Unsupported):
    """The endpoint does not take this method."""

    code = "http.method_not_allowed"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong: `code` is stable and for programs, `detail` for people, further members are facts about it.

    `error` says it once more as OpenAI does: its clients look there. `message` is `detail`, for those that look here.
    `remedy` says what to do about it, where a code is explained.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    kind: str
    request_id: str = ""
    message: str = ""
    error: OpenAIError | None = None
    remedy: str = ""


_OWN_MEMBERS = frozenset({*Problem.__struct_fields__, *OpenAIError.__struct_fields__})
# As nginx has it: nobody is there to read it, but it stands in logs and metrics.
_CLIENT_LEFT = 499
_STATUS_OF_LEAF: dict[type[OmniError], int] = {
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ClientLeft: _CLIENT_LEFT,
    HeadersTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    RequestTimedOut: HTTPStatus.REQUEST_TIMEOUT,
    TargetTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    UpgradeNotOffered: HTTPStatus.NOT_IMPLEMENTED,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    # As the draft of the header Idempotency-Key has it: a 409 says that the call is under way.
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    # As the provider said it: by this status clients tell a limit from a failure.
    ProviderRateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    ProviderQuotaExhausted: HTTPStatus.TOO_MANY_REQUESTS,
}


def status_of(error: OmniError) -> int:
    """Return the HTTP status of an error; a dependency that may recover is 503, so that clients try again."""
    if type(error) in _STATUS_OF_LEAF:
        return int(_STATUS_OF_LEAF[type(error)])
    if error.kind is Kind.DEPENDENCY and error.retryable:
        return HTTPStatus.SERVICE_UNAVAILABLE.value
    return STATUS_OF[error.kind].value


def problem_body(error: OmniError, request_id: str) -> bytes:
    """Return the problem document of an error."""
    return msgspec.json.encode({**_members(error, request_id), "error": OpenAIError.of(error)})


def event_body(error: OmniError, request_id: str) -> bytes:
    """Return what stands under `error` in a stream's event: the problem's members, but `type` is OpenAI's word."""
    return msgspec.json.encode({**_members(error, request_id), **msgspec.structs.asdict(OpenAIError.of(error))})


def _members(error: OmniError, request_id: str) -> dict[str, Any]:
    problem = Problem(
        type=f"/api/problems/{error.code}",
        title=error.title(),
        status=status_of(error),
        detail=error.detail,
        code=error.code,
        kind=error.kind.value,
        request_id=request_id,
        message=error.detail,
    )
    facts = {name: value for name, value in error.fields.items() if name not in _OWN_MEMBERS}
    members = msgspec.structs.asdict(problem)
    del members["error"], members["remedy"]  # the one is the document's or the event itself, the other of the code
    return {**members, **facts}


def problem_headers(error: OmniError) -> dict[str, str]:
    """Return the headers that go with an error: when to come back, how to prove who one is, whether to try again."""
    headers = {}
    if "retry_after_s" in error.fields:
        # Whole seconds are all that the header takes; a provider may have asked for a fraction.
        headers["Retry-After"] = str(math.ceil(error.fields["retry_after_s"]))
    if error.kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="omni"'
    if not error.retryable and not _passes_soon(error):
        # The vendors' own clients try 409, 429 and 5xx again unless they are told.
        headers["X-Should-Retry"] = "false"
    return headers


def _passes_soon(error: OmniError) -> bool:
    """Tell whether a limit is reached merely because of calls under way, rather than for the rest of a period."""
    return error.kind is Kind.QUOTA and 0 < error.fields.get("retry_after_s", 0) <= SOON_S


def log_failure(known: OmniError, error: Exception, request_id: str, **facts: str) -> None:
    """Log what is the server's or a dependency's to mend; callers' own mistakes are theirs to hear of."""
    if known.kind is Kind.INTERNAL:
        _log.error("request failed", request_id=request_id, code=known.code, **facts, exc_info=error)
    elif known.kind is Kind.DEPENDENCY:
        _log.warning("request failed", request_id=request_id, code=known.code, **facts, detail=known.detail)


def to_response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer any exception. What nobody foresaw is logged in full and told in one sentence."""
    limit = request.app.request_max_body_size
    known = as_omni_error(error, limit if isinstance(limit, int) else None)
    request_id = request_id_of(request.scope)
    request.scope.setdefault("state", {})[PROBLEM] = known.code
    log_failure(known, error, request_id, path=request.scope["path"])
    return Response(
        problem_body(known, request_id),
        status_code=status_of(known),
        media_type=MEDIA_TYPE,
        headers=problem_headers(known) | _allowed_methods(error),
    )


def _allowed_methods(error: Exception) -> dict[str, str]:
    """Return the header `Allow`, which every 405 has to carry (RFC 9110)."""
    if not isinstance(error, MethodNotAllowedException) or not error.headers:
        return {}
    methods = error.headers["allow"].split(", ")
    return {"Allow": ", ".join(sorted(methods))}


def as_omni_error(error: Exception, max_body_bytes: int | None = None) -> OmniError:
    """Translate what Litestar raises; anything unknown becomes an internal error that says nothing of itself."""
    if isinstance(error, OmniError):
        return error
    if isinstance(error, ValidationException):
        return _invalid_parameter(error)
    if isinstance(error, HTTPException):
        return _of_status(error.status_code, error.detail, max_body_bytes)
    return OmniError()


def _invalid_parameter(error: ValidationException) -> OmniError:
    first = error.extra[0] if isinstance(error.extra, list) and error.extra else None
    if isinstance(first, Mapping):
        field, message = str(first.get("key", "")), str(first.get("message", error.detail))
        if field == "data":
            # What there is of a body has been decoded by then, so there is none.
            return MalformedBody("the body is empty", field="", allowed="a JSON object in UTF-8")
        return InvalidParameter(f"{field}: {message}" if field else message, field=field, allowed=message)
    return InvalidParameter(error.detail)


def _of_status(status: int, detail: str, max_body_bytes: int | None) -> OmniError:
    if status == HTTPStatus.NOT_FOUND:
        return NoSuchEndpoint()
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return MethodNotAllowed()
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        if max_body_bytes is None:
            return BodyTooLarge()
        return BodyTooLarge(f"the body has more than {max_body_bytes:,} bytes", limit_bytes=max_body_bytes)
    return MalformedBody(detail) if status < HTTPStatus.INTERNAL_SERVER_ERROR else OmniError()


def explain(code: str) -> Problem:
    """Return what there is to say of a code in general; raise `NoSuchEndpoint` for one that no error has."""
    for leaf in _leaves(OmniError):
        if leaf.code == code:
            error = leaf()
            about = (leaf.__doc__ or "").strip()
            type_, status, kind = f"/api/problems/{code}", status_of(error), leaf.kind.value
            return Problem(type_, leaf.title(), status, about, code, kind, remedy=remedy_of(code))
    raise NoSuchEndpoint("no error has this code", field="code")


def _leaves(parent: type[OmniError]) -> list[type[OmniError]]:
    return [parent, *(leaf for child in parent.__subclasses__() for leaf in _leaves(child))]
