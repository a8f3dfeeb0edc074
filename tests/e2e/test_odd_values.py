"""Odd values in every field of a body, in every query parameter and in every path: nothing makes the server fail."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.endpoints import Endpoint, endpoints_of
from tests.support.installation import Installation, calling
from tests.support.program import Program

TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "x" * 20_000,
    "'; drop table tenant; --",
    "%00%s",
    "../..",
    "-1",
    "1e400",
    "NaN",
    "ß\u202e🦉",
]
VALUES: list[Any] = [None, True, -1, 0, 2**31, 2**63, 10**400, 1.5, 1e308, [], {}, [None], {"a": {}}, *TEXTS]


@pytest.fixture(scope="module")
async def endpoints(server: Program) -> list[Endpoint]:
    async with calling(server) as anybody:
        document = (await anybody.get("/api/openapi.json")).raise_for_status().json()
    return endpoints_of(document)


def odd_bodies(example: Any) -> Iterator[Any]:
    """Yield an example with each of its values, at any depth, replaced by each odd one."""
    yield from VALUES
    if isinstance(example, dict):
        for name, value in example.items():
            yield from ({**example, name: odd} for odd in odd_bodies(value))
    elif isinstance(example, list):
        for place, value in enumerate(example):
            yield from ([*example[:place], odd, *example[place + 1 :]] for odd in odd_bodies(value))


def assert_it_stood(answer: httpx.Response, what: object) -> None:
    assert not answer.is_server_error, f"{what!r:.500}: {answer.text}"
    assert answer.is_success or answer.headers["content-type"] == "application/problem+json"


async def test_in_bodies(server: Program, installation: Installation, endpoints: list[Endpoint]) -> None:
    sent = 0
    async with calling(server, await installation.operator_key()) as client:
        for endpoint in endpoints:
            for body in (odd for example in endpoint.examples[:1] for odd in odd_bodies(example)):
                request = endpoint.request({}) | {"json": None, "content": json.dumps(body)}
                assert_it_stood(await client.request(**request), (str(endpoint), body))
                sent += 1
    assert sent > 1_000


async def test_in_queries(server: Program, installation: Installation, endpoints: list[Endpoint]) -> None:
    async with calling(server, await installation.operator_key()) as client:
        for endpoint in endpoints:
            for name in endpoint.query_names if endpoint.method == "GET" else ():
                for text in TEXTS:
                    request = endpoint.request({})
                    request["params"] = {**request["params"], name: text}
                    assert_it_stood(await client.request(**request), (str(endpoint), name, text))


async def test_in_paths(server: Program, installation: Installation, endpoints: list[Endpoint]) -> None:
    async with calling(server, await installation.operator_key()) as client:
        for endpoint in endpoints:
            for place in endpoint.places:
                for text in filter(None, TEXTS):
                    request = endpoint.request({place: quote(text, safe="")})
                    assert_it_stood(await client.request(**request), (str(endpoint), place, text))
