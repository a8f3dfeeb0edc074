"""A client that leaves while it sends is no fault of the server's."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from tests.http.serving import Served, served
from tests.http.wire import Wire, request, wired
from tests.support.waiting import eventually


@pytest.fixture
async def serving() -> AsyncIterator[Served]:
    async with served() as serving:
        yield serving


@pytest.mark.parametrize("leave", [Wire.reset, Wire.leave])
@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_who_leaves_while_uploading_is_told_of_as_that(serving: Served, framing: str, leave) -> None:
    key = f"Authorization: {serving.client.headers['Authorization']}"
    with capture_logs() as logs:
        async with wired(serving.port) as wire:
            await wire.send(request("/v1/chat/completions", framing, key, "Expect: 100-continue", method="POST"))
            assert (await wire.answer()).status == 100
            await wire.send(b'9\r\n{"model":\r\n')
            leave(wire)

            async def is_counted() -> bool:
                return b'route="/v1/chat/completions",status="499"' in serving.metrics.exposition()

            await eventually(is_counted)
    assert b'status="500"' not in serving.metrics.exposition()
    assert [entry["log_level"] for entry in logs] == ["info"]
    assert (logs[0]["status"], logs[0]["code"]) == (499, "http.client_left")
