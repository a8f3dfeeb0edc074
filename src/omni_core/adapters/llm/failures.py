"""What a provider's refusals, faults and silences are called inside Omni."""

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.errors import (
    ProviderGarbage,
    ProviderQuotaExhausted,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)

MESSAGE_LIMIT = 300
"""Characters of a provider's own message that are passed on."""

LONGEST_WAIT_S = 86_400.0
"""What a provider asks for beyond that is a mistake of its own."""

_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|gsk|hf|xai|key|omni_sk)[-_][\w*.\-]{4,}"  # prefixed keys, also when starred out in the middle
    r"|\bBearer\s+[\w.~+/=\-]+"
    r"|\b[0-9a-fA-F]{32,}\b"
    r"|\b(?=\w*\d)(?=\w*[a-z])(?=\w*[A-Z])\w{24,}"
)

_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "timeout_error": 408,
    "request_too_large": 413,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
}
"""Error types of OpenAI, Anthropic and vLLM that stand in a body instead of a status; others are its fault."""

_LEAF_OF_STATUS: dict[int, type[OmniError]] = {
    401: ProviderRefusedKey,
    402: ProviderRefusedKey,  # the operator's account has no credit
    403: ProviderRefusedKey,
    408: ProviderTimeout,
    409: ProviderUnavailable,
    429: ProviderRateLimited,
}
_NO_QUOTA = "insufficient_quota"
"""What OpenAI calls a 429 that no waiting ends."""


class Failures:
    """Makes the errors of one provider. No message of it holds the provider's key, nor anything that looks like one."""

    def __init__(self, provider: str, api_key: str | None) -> None:
        self._provider = provider
        # Whatever echoes a key may change its case, or break its line.
        characters = (re.escape(character) for character in "".join((api_key or "").split()))
        self._own_key = re.compile(r"(?:\s|\\[nrt])*".join(characters), re.IGNORECASE) if api_key else None

    def of_status(self, status: int, headers: Mapping[str, str], body: bytes) -> OmniError:
        """Return the error for an HTTP answer other than 200."""
        return self._leaf(status, _json_or_text(body), retry_after_s(headers))

    def of_report(self, report: object) -> OmniError:
        """Return the error for an error object (or text) that came with status 200, in a body or in a stream."""
        facts = report if isinstance(report, dict) else {}
        code = facts.get("code")
        if not isinstance(code, int) or isinstance(code, bool) or code < 400:
            known = (_STATUS_OF_TYPE.get(word) for word in _words_of(facts))
            code = next((status for status in known if status), 500)
        return self._leaf(code, report, None)

    def of_unstreamed(self, body: bytes) -> OmniError:
        """Return the error for a plain JSON answer where a stream was asked for."""
        answer = _json_or_text(body)
        if isinstance(answer, dict) and answer.get("error"):
            return self.of_report(answer["error"])
        return self.garbage("answered without a stream")

    def unreachable(self, cause: Exception) -> OmniError:
        """Return the error for a connection that cannot be made or was closed unanswered."""
        return ProviderUnavailable(
            f"Provider {self._provider!r} cannot be reached ({type(cause).__name__})", provider=self._provider
        )

    def closed(self) -> OmniError:
        """Return the error for a call on a client that was closed."""
        return ProviderUnavailable(f"The client of provider {self._provider!r} is closed", provider=self._provider)

    def late(self, limit: str, limit_s: float, what: str) -> OmniError:
        """Return the error for a deadline that has passed: `limit` is the name by which it is set."""
        return ProviderTimeout(
            f"Provider {self._provider!r} did not {what} within {limit_s:g} s ({limit})",
            provider=self._provider,
            limit=limit,
            limit_s=limit_s,
        )

    def garbage(self, what: str) -> OmniError:
        """Return the error for an answer that breaks the protocol; `what` completes "the provider ..."."""
        return ProviderGarbage(f"Provider {self._provider!r} {what}", provider=self._provider)

    def _leaf(self, status: int, answer: object, retry_after: float | None) -> OmniError:
        fields: dict[str, Any] = {"provider": self._provider, "status": status}
        if status < 400:
            return ProviderGarbage(f"Provider {self._provider!r} answered with status {status}", **fields)
        leaf = _LEAF_OF_STATUS.get(status) or (ProviderUnavailable if status >= 500 else ProviderRejected)
        if leaf is ProviderRateLimited and _NO_QUOTA in _words_of(answer):
            leaf = ProviderQuotaExhausted
        if retry_after is not None and leaf in {ProviderRateLimited, ProviderUnavailable}:
            fields["retry_after_s"] = retry_after
        said = self._redacted(_message_in(answer))
        return leaf(f"Provider {self._provider!r} answered {status}" + (f": {said}" if said else ""), **fields)

    def _redacted(self, message: str) -> str:
        if self._own_key is not None:
            message = self._own_key.sub("[key]", message)
        # Cut afterwards, so that no half of a key is left at the end.
        return _KEY_LIKE.sub("[key]", message)[:MESSAGE_LIMIT]


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `retry-after-ms` or `Retry-After` (seconds or a date) asks for, if any; a day at most."""
    for name, unit in (("retry-after-ms", 1000.0), ("Retry-After", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        return min(max(0.0, seconds), LONGEST_WAIT_S) if math.isfinite(seconds) else None
    try:
        seconds = parsedate_to_datetime(headers["Retry-After"]).timestamp() - time.time()
    except (KeyError, ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), LONGEST_WAIT_S)


def _json_or_text(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        text = body[: 4 * MESSAGE_LIMIT].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text  # a proxy's HTML page says nothing to a caller


def _words_of(answer: object) -> list[str]:
    """Return the `type` and `code` of an error object, or of the one under `error`, in lower case."""
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        answer = answer["error"]
    return [str(answer.get(field)).lower() for field in ("type", "code")] if isinstance(answer, dict) else []


def _message_in(answer: object) -> str:
    """Find the sentence in `{"error": {"message"}}`, `{"error"}`, `{"message"}`, `{"detail"}` or plain text."""
    while isinstance(answer, dict):
        answer = next((answer[name] for name in ("error", "message", "detail") if answer.get(name)), "")
    return answer if isinstance(answer, str) else ""
