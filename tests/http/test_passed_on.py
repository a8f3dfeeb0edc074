"""A provider that was said to take a vendor's fields gets them, by HTTP as by settings."""

from collections.abc import AsyncIterator

import pytest

from omni_core import OPERATOR, AddModel
from tests.http.conftest import Running, running_with
from tests.http.serving import PRICES, Served, served
from tests.support.asgi import client_of

ASKED = {"messages": [{"role": "user", "content": "hello"}], "top_k": 40, "chat_template_kwargs": {"thinking": False}}


@pytest.fixture
async def desk() -> AsyncIterator[Served]:
    async with served("small") as desk:
        yield desk


@pytest.fixture(scope="module")
async def operator() -> AsyncIterator[Running]:
    async with running_with() as running:
        yield running


async def test_a_provider_is_said_to_take_fields(operator: Running, desk: Served) -> None:
    provider = {"name": "vllm", "kind": "openai", "base_url": desk.upstream.url}
    async with client_of(operator.app, operator.key) as client:
        wrong = await client.post("/v1/providers", json={**provider, "passes": ["model"]})
        assert (wrong.status_code, wrong.json()["field"]) == (400, "passes")
        added = await client.post("/v1/providers", json={**provider, "passes": ["top_k", "chat_template_kwargs"]})
        assert added.json()["passes"] == ["top_k", "chat_template_kwargs"]
        await operator.omni.catalogue.add_model(OPERATOR, AddModel("local", "vllm", PRICES))
        answer = await client.post("/v1/chat/completions", json={**ASKED, "model": "local"})
    assert answer.status_code == 200, answer.text
    sent = desk.upstream.calls[-1].fields
    assert {name: sent.get(name) for name in ASKED if name != "messages"} == {
        "top_k": 40,
        "chat_template_kwargs": {"thinking": False},
    }


async def test_another_does_not_get_them(desk: Served) -> None:
    answer = await desk.client.post("/v1/chat/completions", json={**ASKED, "model": "small"})
    assert (answer.status_code, answer.json()["field"]) == (422, "top_k")
    assert desk.upstream.calls == []
