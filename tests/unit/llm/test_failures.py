"""A provider's message is passed on without what looks like a key, and a wait in whichever form it is told."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest

from omni_core.adapters.llm.failures import Failures, retry_after_s
from omni_core.domain.llm.errors import (
    ProviderGarbage,
    ProviderQuotaExhausted,
    ProviderRateLimited,
    ProviderRefusedKey,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)

failures = Failures("vendor", "opaque/key+of=theirs")


def said(message: str) -> str:
    body = msgspec.json.encode({"error": {"message": message}})
    return failures.of_status(400, {}, body).detail.removeprefix("Provider 'vendor' answered 400: ")


@pytest.mark.parametrize(
    "secret",
    [
        "opaque/key+of=theirs",
        "sk-proj-abcdefgh1234",
        "sk-ant-api03-AbC_d-9",
        "sk-abc***************xyz9",
        "omni_sk_0123456789abcdef",
        "gsk_0123456789",
        "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x",
        "0123456789abcdef0123456789abcdef",
        "AIzaSyA1bCdEfGhIjKlMnOpQrStUvWxYz01234",
    ],
)
def test_what_looks_like_a_key_is_removed(secret):
    assert (
        said(f"Incorrect API key provided: {secret}, see the site.")
        == "Incorrect API key provided: [key], see the site."
    )


@pytest.mark.parametrize(
    "message",
    [
        "model: claude-3-5-sonnet-20241022 not found",
        "The model `meta-llama/Llama-3.3-70B-Instruct` does not exist",
        "req 019a9f3e-7c1b-7d4a-9f00-0123456789ab: max_tokens must be at most 4096",
    ],
)
def test_names_and_numbers_stay(message):
    assert said(message) == message


@pytest.mark.parametrize(
    "body,detail",
    [
        (b'{"error":{"message":"no"}}', "no"),
        (b'{"error":"no"}', "no"),
        (b'{"object":"error","message":"no"}', "no"),
        (b'{"detail":"no"}', "no"),
        (b"404 page not found", "404 page not found"),
    ],
)
def test_the_message_is_found_wherever_it_stands(body, detail):
    assert failures.of_status(404, {}, body).detail == f"Provider 'vendor' answered 404: {detail}"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":{}}', b'{"detail":[{"msg":"no"}]}', b"null"])
def test_no_message_is_no_message(body):
    assert failures.of_status(404, {}, body).detail == "Provider 'vendor' answered 404"


@pytest.mark.parametrize(
    "status,leaf",
    [
        (301, ProviderGarbage),
        (402, ProviderRefusedKey),
        (408, ProviderTimeout),
        (409, ProviderUnavailable),
        (418, ProviderRejected),
        (504, ProviderUnavailable),
    ],
)
def test_every_status_has_a_name(status, leaf):
    assert type(failures.of_status(status, {}, b"")) is leaf


@pytest.mark.parametrize(
    "error,leaf",
    [
        ({"type": "insufficient_quota", "code": "insufficient_quota"}, ProviderQuotaExhausted),
        ({"type": "requests", "code": "rate_limit_exceeded"}, ProviderRateLimited),
        ("slow down", ProviderRateLimited),
    ],
)
def test_a_quota_that_is_used_up_is_not_a_limit_that_passes(error, leaf):
    failure = failures.of_status(429, {}, msgspec.json.encode({"error": error}))
    assert (type(failure), failure.retryable) == (leaf, leaf is ProviderRateLimited)


@pytest.mark.parametrize(
    "report,leaf",
    [
        ({"type": "overloaded_error", "message": "busy"}, ProviderUnavailable),
        ({"type": "rate_limit_error"}, ProviderRateLimited),
        ({"type": "BadRequestError", "code": 400}, ProviderRejected),
        ({"code": 401}, ProviderRefusedKey),
        ({"type": "invalid_request_error", "code": "context_length_exceeded"}, ProviderRejected),
        ({"code": "insufficient_quota"}, ProviderQuotaExhausted),
        ({}, ProviderUnavailable),
        ("exploded", ProviderUnavailable),
    ],
)
def test_an_error_within_an_answer_has_a_name(report, leaf):
    assert type(failures.of_report(report)) is leaf


@pytest.mark.parametrize(
    "headers,seconds",
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "1e300"}, 86_400.0),
        ({"retry-after-ms": "1e300"}, 86_400.0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_a_wait_is_told_in_seconds(headers, seconds):
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    "echoed",
    [
        "OPAQUE/KEY+OF=THEIRS",
        "opaque/key\n+of=theirs",
        "opaque/k ey+of=\t\r\n theirs",
        r"opaque/key\n+of=theirs",
        "Opaque/key+of\u2028=theirs",
    ],
)
def test_a_key_is_known_in_another_case_and_when_it_is_broken(echoed):
    assert said(f"no such key: {echoed}.") == "no such key: [key]."


@pytest.mark.parametrize("start", [b"[", b'{"error":', b'{"error":{"message":"no","x":['])
@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_refusal_nested_in_depth_is_a_refusal_still(start, status):
    error = failures.of_status(status, {}, start * 100_000)
    assert error.fields["status"] == status
    assert len(error.detail) < 400


def test_a_wait_until_a_date_is_told_in_seconds():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (retry_after_s({"Retry-After": date}) or 0) <= 60
