"""A PostgreSQL that neither answers nor refuses: whatever is asked of it ends, and so does the program."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from omni_core.adapters.postgres import migrate
from omni_core.adapters.postgres.budgets import PostgresLeases
from omni_core.adapters.postgres.connecting import DatabaseUnavailable, TakesTooLong
from omni_core.adapters.postgres.engine import Database, open_database
from omni_core.adapters.postgres.tenancy import PostgresDirectory
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.system import SystemClock, SystemIds
from omni_core.domain.budgets.model import Pot
from omni_core.domain.budgets.ports import Need, Wish
from omni_core.domain.kernel.tenancy import TenantId
from tests.support.server import running_server

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
# Longer than any limit of the adapters', shorter than a test run's patience.
WITHIN_S = 30.0
TENANT = TenantId(uuid4())


class Hangable:
    """A server that can be made to hang, whole."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._stopped: list[int] = []

    def hang(self) -> None:
        pid_file = Path(self.url.partition("host=")[2], "data", "postmaster.pid")
        postmaster = int(pid_file.read_text().splitlines()[0])
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True, check=True
        )
        self._stopped = [postmaster, *map(int, listed.stdout.split())]
        for pid in self._stopped:
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@pytest.fixture
def server() -> Iterator[Hangable]:
    with running_server() as url:
        hangable = Hangable(url)
        try:
            yield hangable
        finally:
            hangable.go_on()


async def begin(database: Database) -> None:
    async with PostgresUnitOfWork(database.engine, SystemClock(), SystemIds())(TENANT):
        pass


async def reserve(database: Database) -> None:
    pot = Pot(TENANT, uuid4(), datetime.now(UTC))
    await PostgresLeases(database.pool).acquire([Wish(pot, uuid4())], [Need(1, (0,))], 10)


async def test_everything_that_is_asked_of_it_ends_and_so_do_programs_with_a_part_in_it_and_without(
    server: Hangable,
) -> None:
    """Both programs wait for the same limits, so they do it at the same time."""
    await migrate.upgrade(server.url)
    async with AsyncExitStack() as asking, AsyncExitStack() as idle:
        asked = await asking.enter_async_context(open_database(server.url))
        await begin(asked)
        unasked = await idle.enter_async_context(open_database(server.url))
        await asyncio.gather(*(begin(unasked) for _ in range(5)))

        server.hang()
        async with asyncio.TaskGroup() as both:
            both.create_task(ask_and_end(asked, asking))
            both.create_task(end(idle))


async def ask_and_end(database: Database, program: AsyncExitStack) -> None:
    async with asyncio.timeout(WITHIN_S):
        asked: list[Awaitable[object]] = [database.ping(), begin(database), reserve(database)]
        # More than there are connections: those who wait for one are told as well.
        asked.extend(PostgresDirectory(database.pool).find_key("x") for _ in range(8))
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [DatabaseUnavailable] * len(asked)
    await end(program)


async def end(program: AsyncExitStack) -> None:
    async with asyncio.timeout(WITHIN_S):
        await program.aclose()


async def test_it_is_used_again_when_it_goes_on(server: Hangable) -> None:
    await migrate.upgrade(server.url)
    async with open_database(server.url) as database:
        server.hang()
        with pytest.raises(DatabaseUnavailable):
            await database.ping()
        server.go_on()

        await database.ping()
        await begin(database)


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(app_url: str) -> None:
    async with open_database(app_url, pool_size=1, statement_within_s=0.2) as database:
        uow = PostgresUnitOfWork(database.engine, SystemClock(), SystemIds())
        with pytest.raises(TakesTooLong):
            async with uow(TENANT) as tx:
                await tx.connection.execute(sa.text("select pg_sleep(60)"))

        await begin(database)
