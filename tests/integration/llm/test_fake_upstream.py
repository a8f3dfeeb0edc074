"""The fake provider is honest: the vendors' own clients and descriptions accept what it says."""

import asyncio
import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import msgspec
import openai
import pytest
from anthropic.types import Message as AnthropicMessage
from jsonschema import Draft202012Validator
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from omni_core.domain.llm.model import TokenUsage
from omni_core.testing.upstream import FakeUpstream, Script

SPEC = Path(__file__).parents[4] / "shared" / "specs" / "openai.json.gz"
ASKED: list[Any] = [{"role": "user", "content": "hi"}]
USAGE = TokenUsage(input_tokens=100, output_tokens=9, cached_input_tokens=60, reasoning_tokens=4)


@pytest.fixture
async def fake():
    exact = Script(text="Good day.", usage=USAGE)
    thinking = msgspec.structs.replace(exact, reasoning="It is day, and a good one.", running_usage=True)
    async with FakeUpstream(scripts={"exact": exact, "thinking": thinking}) as upstream:
        yield upstream


@pytest.fixture
async def openai_client(fake):
    async with openai.AsyncOpenAI(base_url=fake.url, api_key="sk-any", max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic_client(fake):
    async with anthropic.AsyncAnthropic(base_url=fake.anthropic_url, api_key="sk-any", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", ["exact", "tool", "thinking"])
async def test_openai_client_reads_it(openai_client, model):
    answer = await openai_client.chat.completions.create(model=model, messages=ASKED)
    ChatCompletion.model_validate(answer.model_dump(), strict=True)
    stream = await openai_client.chat.completions.create(
        model=model, messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == (answer.choices[0].message.content or "")
    assert chunks[-1].usage == answer.usage
    assert len({chunk.id for chunk in chunks}) == 1


async def test_usage_is_streamed_only_when_asked_for(openai_client):
    stream = await openai_client.chat.completions.create(model="exact", messages=ASKED, stream=True)
    assert all(chunk.usage is None and chunk.choices for chunk in [chunk async for chunk in stream])


@pytest.mark.parametrize("model", ["exact", "tool", "thinking"])
async def test_anthropic_client_reads_it(anthropic_client, model):
    answer = await anthropic_client.messages.create(model=model, messages=ASKED, max_tokens=100)
    AnthropicMessage.model_validate(answer.model_dump(), strict=True)
    async with anthropic_client.messages.stream(model=model, messages=ASKED, max_tokens=100) as stream:
        final = await stream.get_final_message()
    assert [block.model_dump() for block in final.content] == [block.model_dump() for block in answer.content]
    assert (final.stop_reason, final.usage.output_tokens) == (answer.stop_reason, answer.usage.output_tokens)


async def test_anthropic_counts_cached_input_apart(anthropic_client):
    usage = (await anthropic_client.messages.create(model="exact", messages=ASKED, max_tokens=100)).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (40, 60, 9)


@pytest.mark.parametrize(
    "model,error",
    [("401", "AuthenticationError"), ("429", "RateLimitError"), ("400", "BadRequestError"), ("404", "NotFoundError")],
)
async def test_both_clients_know_its_errors(openai_client, anthropic_client, model, error):
    with pytest.raises(getattr(openai, error)):
        await openai_client.chat.completions.create(model=model, messages=ASKED)
    with pytest.raises(getattr(anthropic, error)):
        await anthropic_client.messages.create(model=model, messages=ASKED, max_tokens=100)


async def test_answers_are_as_openai_describes_them(fake):
    if not SPEC.exists():
        pytest.skip(f"OpenAI's API description is not at {SPEC}")
    spec = json.loads(gzip.decompress(SPEC.read_bytes()))
    registry = Registry().with_resource("spec", DRAFT202012.create_resource(spec))
    shape = {"$ref": "spec#/components/schemas/CreateChatCompletionResponse"}
    async with aiohttp.ClientSession() as session:
        for model in ("exact", "tool", "no-usage"):
            async with session.post(
                f"{fake.url}/chat/completions", json={"model": model, "messages": ASKED}
            ) as response:
                answer = await response.json()
            Draft202012Validator(shape, registry=registry).validate(answer)


async def test_it_counts_what_it_answered(fake, openai_client, anthropic_client):
    for _ in range(3):
        await openai_client.chat.completions.create(model="exact", messages=ASKED)
    await anthropic_client.messages.create(model="exact", messages=ASKED, max_tokens=100)
    with pytest.raises(openai.InternalServerError):
        await openai_client.chat.completions.create(model="down", messages=ASKED)
    totals = fake.totals["exact"]
    assert (totals.calls, totals.input_tokens, totals.output_tokens, totals.cached_input_tokens) == (4, 400, 36, 240)
    assert "down" not in fake.totals
    assert [call.model for call in fake.calls] == ["exact"] * 4 + ["down"]
    assert fake.calls[0].headers["authorization"] == "Bearer sk-any"


async def test_an_output_limit_shortens_the_answer(openai_client):
    answer = await openai_client.chat.completions.create(model="exact", messages=ASKED, max_completion_tokens=3)
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 3)
    assert answer.choices[0].message.content == "Goo"


async def test_it_runs_as_a_process_and_is_scripted_over_http():
    command = [sys.executable, "-m", "omni_core.testing.upstream", "--key", "sk-one", "--script", '{"text": "First."}']
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=os.environ)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with openai.AsyncOpenAI(base_url=url, api_key="sk-one") as client, aiohttp.ClientSession() as session:
            first = await client.chat.completions.create(model="any", messages=ASKED)
            second = msgspec.json.encode(Script(text="Second.", usage=USAGE))
            (await session.put(f"{url[:-3]}/_upstream/scripts/any", data=second)).raise_for_status()
            changed = await client.chat.completions.create(model="any", messages=ASKED)
            async with session.get(f"{url[:-3]}/_upstream/totals") as response:
                totals = await response.json()
    finally:
        process.terminate()
    assert [answer.choices[0].message.content for answer in (first, changed)] == ["First.", "Second."]
    assert totals["any"]["input_tokens"] == 125
    assert await process.wait() == 0
