"""Clients that Omni's users have, unchanged, against the started program: they answer, and show Omni's own words.

They are in an environment of their own, `.clients`, which `make clients` makes.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from omni_core.domain.llm.api import TokenUsage
from omni_core.testing.upstream import Script
from tests.support.installation import Customer, Installation, calling
from tests.support.program import Program
from tests.support.required import missing, program
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "clients"
INSTALLED = ROOT / ".clients"
CLIENTS = ["openai.mjs", "ai.mjs", "langchain_client.py", "pydantic_ai_client.py"]

SAID = "It rains in Paris."
NO_KEY = "omni_sk_" + "0" * 17 + "_" + "0" * 33
RETRY_AFTER_S = 4.0
# More than any of the clients waits by itself before it tries again for the first time.
AS_TOLD_S = 3.0
ENDED_WITHIN_S = 90
# What is asked for in vain, and the status that it is refused with.
REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "a key that is none": ({"key": NO_KEY}, 401),
    "no such model": ({"model": "no-such-model"}, 404),
    "what no model does": ({"modalities": ["audio"]}, 422),
    "a budget that is used up": ({"model": "flat"}, 429),
    "a provider's limit": ({"model": "fault-429"}, 429),
}


async def ask(client: str, *asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Ask by a client, one question after the other; return what it `said` or why it `refused`."""
    return json.loads(await asyncio.to_thread(_run, client, json.dumps(asked)))  # type: ignore[no-any-return]


def _run(client: str, asked: str) -> bytes:
    if not (INSTALLED / ".installed").exists():
        missing("the clients are not installed: make clients")
    script = SCRIPTS / client
    # Modules are looked for from the folder where a script lies, or, of one that is read from standard input, is run.
    is_node = script.suffix == ".mjs"
    command = [program("node"), "--input-type=module"] if is_node else [str(INSTALLED / "bin/python")]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "ASKED": asked}
    ended = subprocess.run(
        [*command, "-"],
        cwd=INSTALLED,
        env=environment,
        input=script.read_bytes(),
        capture_output=True,
        timeout=ENDED_WITHIN_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


@pytest.fixture
async def question(server: Program, customer: Customer) -> dict[str, Any]:
    """What each client is asked, unless a test asks for something else."""
    return {"base_url": f"{server.url}/v1", "key": customer.key, "model": "small", "stream": False, "retries": 0}


@pytest.mark.parametrize("client", CLIENTS)
async def test_it_chats_at_once_and_streamed(installation: Installation, question: dict[str, Any], client: str) -> None:
    cases = [
        {**question, "model": model, "stream": stream} for model in ("small", "claude") for stream in (False, True)
    ]
    for model in ("small", "claude"):
        installation.upstream.script(model, Script(text=SAID, usage=TokenUsage(25, 10)))
    assert await ask(client, *cases) == [{"said": SAID}] * len(cases)


@pytest.mark.parametrize("client", CLIENTS)
async def test_it_shows_what_omni_says(
    server: Program, installation: Installation, customer: Customer, question: dict[str, Any], client: str
) -> None:
    await installation.budget(customer, "0.01")
    installation.upstream.script("small", Script(text=SAID))
    assert await ask(client, {**question, "model": "flat"}) != []
    cases = [{**question, **asked, "stream": stream} for asked, _ in REFUSED.values() for stream in (False, True)]
    shown = await ask(client, *cases)
    for case, answer in zip(cases, shown, strict=True):
        problem = await refusal(server, case)
        assert problem["detail"] in answer.get("refused", ""), case
        assert answer["status"] == problem["status"], case
    assert [answer["status"] for answer in shown[::2]] == [status for _, status in REFUSED.values()]


async def refusal(server: Program, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return Omni's problem, as a client sees it that shows everything."""
    fields = {name: value for name, value in asked.items() if name not in {"base_url", "key", "retries"}}
    async with calling(server, asked["key"]) as plain:
        body = {**fields, "messages": [{"role": "user", "content": "Which weather?"}]}
        answer: httpx.Response = await plain.post("/v1/chat/completions", json=body)
        problem: dict[str, Any] = answer.json()
        return problem


@pytest.mark.parametrize("client", CLIENTS)
async def test_it_shows_why_a_stream_broke_off(question: dict[str, Any], client: str) -> None:
    shown = await ask(client, *({**question, "model": f"fault-{fault}", "stream": True} for fault in ("cut", "error")))
    assert [answer for answer in shown if "'impatient'" not in answer.get("refused", "")] == []


@pytest.mark.parametrize("client", CLIENTS)
async def test_it_tries_again_when_it_is_told(
    installation: Installation, question: dict[str, Any], client: str
) -> None:
    upstream = installation.upstream
    upstream.script("small", Script(status=429, message="slow down", retry_after_s=RETRY_AFTER_S))
    before = len(upstream.calls)
    asking = asyncio.create_task(ask(client, {**question, "retries": 1}))

    async def refused_once() -> bool:
        return len(upstream.calls) > before or asking.done()

    await eventually(refused_once, ENDED_WITHIN_S)
    refused_at = time.monotonic()
    upstream.script("small", Script(text=SAID))
    assert await asking == [{"said": SAID}]
    assert len(upstream.calls) == before + 2
    assert time.monotonic() - refused_at > AS_TOLD_S
