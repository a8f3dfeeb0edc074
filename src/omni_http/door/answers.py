"""Answers of the door itself, which no application has seen."""

from http import HTTPStatus

from omni_core.domain.kernel.errors import OmniError
from omni_http.problems import MEDIA_TYPE, problem_body, problem_headers, status_of


def answer_of(error: OmniError) -> bytes:
    """Return the whole HTTP answer that tells of an error, after which the connection is closed."""
    body = problem_body(error, "")
    status = status_of(error)
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
        **problem_headers(error),
    }
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
