"""What only the HTTP layer does of feedback: bodies, conditions in the query, pages, the shape of answers."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

WISH = {"title": "Export usage as CSV", "text": "A download would spare us copying.", "category": "feature_request"}


@pytest.fixture
async def item(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/v1/feedback", json=WISH)
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


async def test_an_item_is_submitted_voted_for_and_moved(client: httpx.AsyncClient, item: dict[str, Any]) -> None:
    url = f"/v1/feedback/{item['id']}"
    assert (item["status"], item["priority"], item["votes"]) == ("new", "medium", 0)
    for person in ("ann", "ann", "bob"):
        (await client.post(f"{url}/votes", json={"person": person})).raise_for_status()
    changed = (await client.patch(url, json={"status": "in_progress"})).raise_for_status().json()
    assert (changed["status"], changed["priority"], changed["votes"]) == ("in_progress", "medium", 2)
    assert [vote["person"] for vote in (await client.get(f"{url}/votes")).json()["items"]] == ["bob", "ann"]
    left = (await client.request("DELETE", f"{url}/votes", params={"person": "ann"})).raise_for_status().json()
    assert left["votes"] == 1
    assert (await client.get(url)).json() == left


@pytest.mark.parametrize(
    "where",
    ["title starts_with Export and votes < 1", '{"all": [{"field": "votes", "operator": "lt", "value": 1}]}'],
)
async def test_a_listing_takes_a_condition_in_both_forms(
    client: httpx.AsyncClient, item: dict[str, Any], where: str
) -> None:
    items = (await client.get(f"/v1/feedback?where={quote(where)}")).raise_for_status().json()["items"]
    assert item["id"] in [one["id"] for one in items]
    nothing = (await client.get("/v1/feedback", params={"where": f"votes >= {10**9}"})).json()
    assert nothing == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("where", ["", "votes >>", "colour = red", "(" * 10_000, '{"field": "votes"}'])
async def test_a_condition_that_makes_no_sense_is_refused(client: httpx.AsyncClient, where: str) -> None:
    answer = await client.get("/v1/feedback", params={"where": where})
    assert (answer.status_code, answer.json()["code"]) == (400, "kernel.invalid_condition")
    assert answer.json()["allowed"]


async def test_a_word_that_is_none_is_refused_with_those_that_are(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/feedback", json={**WISH, "category": "praise"})
    assert (answer.status_code, answer.json()["field"]) == (400, "category")
    answer = await client.post("/v1/feedback", json={**WISH, "title": "CSV"})
    assert (answer.json()["code"], answer.json()["field"]) == ("feedback.invalid_item", "title")


async def test_sums_need_postgresql(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/feedback/summary")
    assert (answer.status_code, answer.json()["code"]) == (422, "memory.needs_postgresql")
