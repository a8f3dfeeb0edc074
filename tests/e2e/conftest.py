"""The started program: one server, on a database and with a home of its own, for all tests that do it no harm."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.installation import Customer, Installation, installed
from tests.support.program import Program


@pytest.fixture(scope="session")
async def installation(
    make_database_url: Callable[[], Awaitable[str]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    async with installed(await make_database_url(), tmp_path_factory.mktemp("home")) as installation:
        yield installation


@pytest.fixture(scope="session")
async def server(installation: Installation) -> AsyncIterator[Program]:
    """A server that every test may use and none may harm."""
    async with installation.program() as program:
        yield program


@pytest.fixture
async def customer(installation: Installation) -> Customer:
    """A tenant of this test's own."""
    return await installation.customer()
