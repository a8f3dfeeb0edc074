"""The pages for people, in a browser on a machine without the internet: whole, and asking nobody else for anything."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.browser import Shown, show
from tests.support.program import Program

FROM_ELSEWHERE = b'<body><h1>here</h1><script src="http://elsewhere.example/script.js"></script></body>'


def hosts(shown: Shown) -> set[str]:
    return {urlsplit(url).netloc for url in shown.asked if not url.startswith(("data:", "blob:"))}


async def paths_of(server: Program) -> dict[str, dict[str, dict[str, str]]]:
    async with httpx.AsyncClient(base_url=server.url) as anybody:
        paths: dict[str, dict[str, dict[str, str]]] = (await anybody.get("/api/openapi.json")).json()["paths"]
        return paths


async def test_swagger_shows_every_operation_and_loads_nothing_from_elsewhere(server: Program, tmp_path: Path) -> None:
    shown = await show(f"{server.url}/api/docs", tmp_path)
    operations = [one["operationId"] for path in (await paths_of(server)).values() for one in path.values()]
    assert len(operations) > 30
    assert [name for name in operations if f"-{name}" not in shown.dom] == []
    assert hosts(shown) == {urlsplit(server.url).netloc}
    assert shown.console == ()


@pytest.mark.parametrize("tag, operation", [("llm", "createchatcompletion"), ("billing", "listinvoices")])
async def test_redoc_shows_operations_and_loads_nothing_from_elsewhere(
    server: Program, tmp_path: Path, tag: str, operation: str
) -> None:
    shown = await show(f"{server.url}/api/redoc#/{tag}", tmp_path)
    tags = {tag for path in (await paths_of(server)).values() for one in path.values() for tag in one["tags"]}
    assert [tag for tag in tags if f'href="#/{tag}"' not in shown.dom] == []
    assert f'href="#/{tag}/{operation}"' in shown.dom
    assert hosts(shown) == {urlsplit(server.url).netloc}
    # It tries to reach nobody either: its maker's telemetry is off. Its maker's badge is an image, which stays away.
    assert [line for line in shown.console if "Connecting to" in line or "connect-src" in line] == []


async def test_the_root_leads_on_and_loads_nothing_from_elsewhere(server: Program, tmp_path: Path) -> None:
    shown = await show(server.url, tmp_path)
    assert 'href="/api/docs"' in shown.dom
    assert hosts(shown) <= {urlsplit(server.url).netloc}
    assert shown.console == ()


async def test_a_page_that_loads_from_elsewhere_is_found_out(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(FROM_ELSEWHERE)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + FROM_ELSEWHERE)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as other:
        shown = await show(f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/", tmp_path)
    assert "here" in shown.dom
    assert "elsewhere.example" in hosts(shown)
