"""The databases of a test run: fixtures, loaded by tests/conftest.py."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from omni_core.adapters.postgres import migrate
from omni_core.adapters.postgres.engine import APP_ROLE, Database, open_database
from tests.support.server import running_server

TEMPLATE = "omni_template"
_numbers = itertools.count()


def at_database(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def database_name(url: str) -> str:
    """Return the name of the database that a URL leads to."""
    return urlsplit(url).path[1:]


def as_role(url: str, role: str) -> str:
    """Return the URL of the same database for somebody who logs in as `role`."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}@{host}"))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection of the test's own."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def run_sql(url: str, sql: str) -> None:
    """Run statements on a connection of their own."""
    async with connected(url) as connection:
        await connection.execute(sql)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL 18 of this test process, as its superuser; started when the first test needs it."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
async def template_url(server_url: str) -> str:
    """A migrated database that nobody connects to, so that others can be copied from it."""
    url = at_database(server_url, TEMPLATE)
    await run_sql(server_url, f"create database {TEMPLATE}")
    await migrate.upgrade(url)
    return url


@pytest.fixture(scope="session")
def make_database_url(server_url: str, template_url: str) -> Callable[[], Awaitable[str]]:
    """Call it for the owner's URL of a new, migrated, empty database."""

    async def make() -> str:
        name = f"omni_test_{next(_numbers)}"
        await run_sql(server_url, f"create database {name} template {TEMPLATE}")
        return at_database(server_url, name)

    return make


@pytest.fixture(scope="session")
async def owner_url(make_database_url: Callable[[], Awaitable[str]]) -> str:
    """The database that tests share, as its owner. A test keeps to itself by making tenants of its own."""
    return await make_database_url()


@pytest.fixture(scope="session")
def app_url(owner_url: str) -> str:
    """The shared database, logged in as the program's plain role."""
    return as_role(owner_url, APP_ROLE)


@pytest.fixture(scope="session")
async def database(app_url: str) -> AsyncIterator[Database]:
    """The shared database, opened as the program opens it."""
    async with open_database(app_url) as opened:
        yield opened


@pytest.fixture
async def fresh_database_url(server_url: str, make_database_url: Callable[[], Awaitable[str]]) -> AsyncIterator[str]:
    """A migrated database of this test's own, as its owner; dropped at the end, whoever is still connected."""
    url = await make_database_url()
    yield url
    await _drop(server_url, url)


@pytest.fixture
async def empty_database_url(server_url: str) -> AsyncIterator[str]:
    """A database of this test's own without any schema, as its owner."""
    name = f"omni_empty_{next(_numbers)}"
    await run_sql(server_url, f"create database {name}")
    yield at_database(server_url, name)
    await _drop(server_url, at_database(server_url, name))


async def _drop(server_url: str, url: str) -> None:
    await run_sql(server_url, f"drop database {database_name(url)} with (force)")
