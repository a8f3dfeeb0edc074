"""The header Idempotency-Key over HTTP, and asking what became of a call that could not be recorded."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from openai import AsyncOpenAI

from omni_core import OPERATOR, CreateKey, CreateTenant
from omni_core.domain.metering.api import CallStatus
from omni_core.domain.metering.errors import UnknownCall, UsageNotRecorded
from omni_core.testing.upstream import Script
from tests.http.serving import Served, served
from tests.http.test_streaming import until

CHAT = "/v1/chat/completions"
_keys = (f"key-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Served]:
    async with served("plain", "slow", "cut", "down") as serving:
        yield serving


@pytest.fixture(autouse=True)
async def clean(serving: Served) -> AsyncIterator[None]:
    serving.log.events.clear()
    yield
    serving.log.failure = None
    serving.log.gate.set()


@pytest.fixture
def key() -> str:
    return next(_keys)


def asked(model: str = "plain", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Which animal jumps?"}], **more}


async def post(serving: Served, key: str | None, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    headers = headers if key is None else {"Idempotency-Key": key, **headers}
    return await serving.client.post(CHAT, json=body or asked(), headers=headers)


@pytest.mark.parametrize("more", [{}, {"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}])
async def test_the_same_bytes_come_again(serving: Served, key: str, more: dict[str, Any]):
    before = len(serving.upstream.calls)
    first, second = [await post(serving, key, asked(**more)) for _ in range(2)]
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert len(serving.upstream.calls) == before + 1
    assert len(serving.log.events) == 1


@pytest.mark.parametrize("more", [{}, {"stream": True}])
async def test_twenty_at_once_get_one_answer(serving: Served, key: str, more: dict[str, Any]):
    before = len(serving.upstream.calls)
    answers = await asyncio.gather(*(post(serving, key, asked("slow", **more)) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotent-replayed", "") for answer in answers) == [""] + ["true"] * 19
    assert len(serving.upstream.calls) == before + 1
    assert len(serving.log.events) == 1


@pytest.mark.parametrize("more", [{"stream": True}, {"temperature": 0}, {"max_tokens": 5}, {"model": "slow"}])
async def test_another_body_is_refused(serving: Served, key: str, more: dict[str, Any]):
    await post(serving, key)
    before = len(serving.upstream.calls)
    answer = await post(serving, key, asked() | more)
    assert (answer.status_code, answer.json()["code"]) == (422, "llm.idempotency_key_reused")
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"]["param"] == "Idempotency-Key"
    assert len(serving.upstream.calls) == before


async def test_an_invalid_body_leaves_the_key_unused(serving: Served, key: str):
    assert (await post(serving, key, asked(temperature=9))).status_code == 400
    assert (await post(serving, key)).status_code == 200


@pytest.mark.parametrize("bad", ["", "a b", "x" * 256, "ü"])
async def test_a_bad_key_is_refused_by_name(serving: Served, bad: str):
    before = len(serving.upstream.calls)
    headers = [(b"Idempotency-Key", bad.encode("latin-1"))]
    answer = await serving.client.post(CHAT, json=asked(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "llm.invalid_idempotency_key")
    assert answer.json()["field"] == "Idempotency-Key"
    assert len(serving.upstream.calls) == before


async def test_two_keys_are_refused(serving: Served, key: str):
    answer = await serving.client.post(CHAT, json=asked(), headers=[("Idempotency-Key", key), ("idempotency-key", "b")])
    assert (answer.status_code, answer.json()["code"]) == (400, "llm.invalid_idempotency_key")


async def test_another_api_key_has_keys_of_its_own(serving: Served, key: str):
    other = await serving.omni.keys.create(serving.principal, CreateKey("other"))
    await post(serving, key)
    answer = await post(serving, key, Authorization=f"Bearer {other.secret}")
    assert answer.status_code == 200
    assert "idempotent-replayed" not in answer.headers


async def test_a_provider_that_is_down_is_asked_again(serving: Served, key: str):
    before = len(serving.upstream.calls)
    assert [(await post(serving, key, asked("down"))).status_code for _ in range(2)] == [503, 503]
    assert len(serving.upstream.calls) == before + 2
    assert serving.log.events == []


async def test_a_stream_that_is_cut_is_told_again_as_it_was(serving: Served, key: str):
    before = len(serving.upstream.calls)
    answers = [await post(serving, key, asked("cut", stream=True), **{"X-Request-ID": "same"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert b'"code":"llm.provider_' in answers[0].content
    assert len(serving.upstream.calls) == before + 1
    assert [event.status for event in serving.log.events] == [CallStatus.FAILED]


async def test_who_hangs_up_finds_the_whole_answer_later(serving: Served, key: str):
    serving.upstream.script("slow", Script(pieces=5, delay_s=0.02))
    before = len(serving.upstream.calls)
    headers = {"Idempotency-Key": key}
    async with (
        serving.client.stream("POST", CHAT, json=asked("slow", stream=True), headers=headers) as response,
    ):
        assert (await anext(response.aiter_raw())).startswith(b"data: ")
    await until(lambda: len(serving.log.events) == 1)
    assert serving.log.events[0].status is CallStatus.COMPLETED
    again = await post(serving, key, asked("slow", stream=True))
    assert again.content.endswith(b"data: [DONE]\n\n")
    assert again.headers["idempotent-replayed"] == "true"
    assert len(serving.upstream.calls) == before + 1


# ------------------------------------------------------------------ what became of it


async def became_of(serving: Served, call_id: str) -> Any:
    """Return the event of a call, or the code of the problem where there is none."""
    answer = await serving.client.get(f"/v1/usage/events/{call_id}")
    assert answer.status_code in (200, 404)
    return answer.json() if answer.is_success else answer.json()["code"]


@pytest.mark.parametrize("streamed", [False, True])
async def test_who_is_told_that_a_call_is_not_recorded_can_ask_for_it(serving: Served, streamed: bool):
    serving.log.failure = UsageNotRecorded("the database is away")
    answer = await post(serving, None, asked(stream=streamed))
    assert b"metering.not_recorded" in answer.content
    call_id = answer.content.partition(b'"call_id":"')[2][:36].decode()
    assert await became_of(serving, call_id) == "metering.unknown_call"


async def test_what_was_charged_is_told_of_an_answer(serving: Served):
    answer = (await post(serving, None)).json()
    event = await became_of(serving, answer["id"].removeprefix("chatcmpl-"))
    assert event["quantities"]["output"] == answer["usage"]["completion_tokens"]
    assert event["cost"]["value"] == "0.000045"


async def test_a_call_of_another_tenant_is_none(serving: Served):
    call_id = (await post(serving, None)).json()["id"].removeprefix("chatcmpl-")
    elsewhere = await serving.omni.tenants.create(OPERATOR, CreateTenant("elsewhere", "Elsewhere"))
    with pytest.raises(UnknownCall):
        await serving.omni.metering.event(serving.omni.operator(elsewhere.id), UUID(call_id))
    assert (await became_of(serving, call_id))["id"] == str(UUID(call_id))


async def test_under_a_key_the_record_is_tried_on_and_the_answer_kept(serving: Served, key: str):
    before = len(serving.upstream.calls)
    serving.log.failure = UsageNotRecorded("the database is away")
    told = await post(serving, key)
    assert (told.status_code, told.json()["code"]) == (503, "metering.not_recorded")
    assert await became_of(serving, told.json()["call_id"]) == "metering.unknown_call"
    serving.log.failure = None
    answer = await post(serving, key)
    assert answer.status_code == 200
    assert answer.headers["idempotent-replayed"] == "true"
    assert answer.json()["id"] == "chatcmpl-" + told.json()["call_id"].replace("-", "")
    assert (await became_of(serving, told.json()["call_id"]))["id"] == told.json()["call_id"]
    assert len(serving.upstream.calls) == before + 1
    assert len(serving.log.events) == 1


@pytest.mark.parametrize("call_id", ["x", "1", "chatcmpl-1"])
async def test_what_is_no_id_is_no_call(serving: Served, call_id: str):
    assert (await serving.client.get(f"/v1/usage/events/{call_id}")).status_code in (400, 404)


async def test_an_official_client_sends_the_key_with_each_attempt(serving: Served, key: str):
    url = str(serving.client.base_url).rstrip("/")
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key=serving.client.headers["authorization"][len("Bearer ") :])
    async with client:
        ask: Any = client.chat.completions.create
        first, second = [await ask(**asked(), extra_headers={"Idempotency-Key": key}) for _ in range(2)]
        assert first == second
        streams = [await ask(**asked(stream=True), extra_headers={"Idempotency-Key": f"{key}s"}) for _ in range(2)]
        one, other = [[chunk async for chunk in stream] for stream in streams]
        assert one == other
    assert len(serving.log.events) == 2
