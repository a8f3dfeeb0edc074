"""A server that is killed, stopped or restarted under processes that are attached to it."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres, program_folder, status, stop
from omni_core.adapters.embedded.account import server_account
from omni_core.adapters.embedded.programs import Programs
from tests.integration.embedded.sql import ask, tell
from tests.support.waiting import eventually

BUSY = "select count(*) from generate_series(1, 100000000000)"


async def killed(home: Path) -> int:
    """Kill the server and return the pid that it had."""
    pid = (await status(home)).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


async def answers(dsn: str) -> bool:
    try:
        return bool(await ask(dsn, "select 1"))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


async def runs_as_another(home: Path, before: int) -> bool:
    found = await status(home)
    return found.running and found.pid != before


def pg_ctl(home: Path, *words: str | Path) -> None:
    """Do by hand what an operator does, as PostgreSQL's own account."""
    Programs(program_folder(18), server_account()).run(
        "pg_ctl", *words, "--wait", "--silent", "--pgdata", home / "postgresql" / "data", "--log", "/dev/null"
    )


async def test_one_that_was_killed_comes_back_with_what_it_had_committed(home):
    async with EmbeddedPostgres(home).attached() as server:
        dsn = server.dsn(OWNER_ROLE)
        await tell(dsn, "create table came_back as select 42 as answer")
        before = await killed(home)
        await eventually(lambda: runs_as_another(home, before))
        assert await ask(dsn, "select answer from came_back") == 42
        await tell(dsn, "drop table came_back")
        assert (await status(home)).holders == 1
    assert not (await status(home)).running


async def test_it_comes_back_although_one_of_its_processes_is_busy_and_sees_nothing(home):
    async with EmbeddedPostgres(home).attached() as server:
        dsn = server.dsn(OWNER_ROLE)
        connection = await asyncpg.connect(dsn)
        busy = asyncio.create_task(connection.fetchval(BUSY))
        await asyncio.sleep(0.2)
        assert not busy.done()
        before = await killed(home)
        # An orphan would compute for an hour.
        await eventually(lambda: runs_as_another(home, before))
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await busy
        connection.terminate()


async def test_several_processes_start_it_once(home, start_holder):
    holders = [start_holder(home, "watch") for _ in range(3)]
    dsn = {holder.attached() for holder in holders}.pop()
    before = await killed(home)
    await eventually(lambda: runs_as_another(home, before))
    after = (await status(home)).pid
    # Whoever else looked meanwhile has found that one.
    await asyncio.sleep(1.5)
    found = await status(home)
    assert (found.pid, found.holders) == (after, 3)
    assert await ask(dsn, "select true")
    assert [holder.let_go() for holder in holders] == [0, 0, 0]
    assert not (await status(home)).running


async def test_one_that_was_stopped_for_good_stays_down_until_somebody_attaches(home):
    async with EmbeddedPostgres(home).attached() as server:
        await stop(home)
        assert server.how_it_ended() is None
        assert not server.bring_back()
        assert not (await status(home)).running
        async with EmbeddedPostgres(home).attached():
            assert await ask(server.dsn(OWNER_ROLE), "select true")
        assert (await status(home)).running


async def test_one_that_was_stopped_by_hand_comes_back_after_a_while(home):
    async with EmbeddedPostgres(home).attached() as server:
        pg_ctl(home, "stop", "--mode=fast")
        assert server.how_it_ended() == "stopped"
        await eventually(lambda: answers(server.dsn(OWNER_ROLE)))


@pytest.mark.parametrize("words", [("restart",), ("start",)], ids=["restarted", "started"])
async def test_one_that_was_restarted_by_hand_is_adopted(home, start_holder, words):
    async with EmbeddedPostgres(home).attached() as server:
        dsn = server.dsn(OWNER_ROLE)
        first = (await status(home)).pid
        if words == ("start",):
            pg_ctl(home, "stop", "--mode=fast")
        pg_ctl(home, *words)
        by_hand = (await status(home)).pid
        assert by_hand not in (None, first)
        assert server.how_it_ended() is None
        assert server.bring_back()
        assert await ask(dsn, "show max_connections") == "100"
        # The next to attach joins it, and it may be killed like any other.
        other = start_holder(home)
        assert other.attached() == dsn
        assert (await status(home)).pid == by_hand
        assert other.let_go() == 0
        await killed(home)
        await eventually(lambda: answers(dsn))
    assert not (await status(home)).running


async def test_stop_ends_one_that_was_started_by_hand(home):
    pg_ctl(home, "start")
    assert (await status(home)).running
    assert await stop(home)
    assert not (await status(home)).running
    assert not (home / "postgresql" / "data" / "postmaster.pid").exists()
