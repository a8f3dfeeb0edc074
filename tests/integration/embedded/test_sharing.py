"""Several processes and one server, and every way in which one of them can end."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres, status, stop
from tests.integration.embedded.sql import ask, tell


async def test_two_processes_share_one_server_and_the_last_stops_it(home, start_holder):
    first, second = start_holder(home), start_holder(home)
    dsn = first.attached()
    assert second.attached() == dsn
    before = await status(home)
    assert (before.running, before.holders) == (True, 2)

    assert first.let_go() == 0
    after = await status(home)
    assert (after.pid, after.holders) == (before.pid, 1)
    assert await ask(dsn, "SELECT true")

    assert second.let_go() == 0
    assert not (await status(home)).running


async def test_four_processes_at_once_start_one_server_on_a_new_home(empty_home, start_holder):
    holders = [start_holder(empty_home) for _ in range(4)]
    assert len({holder.attached() for holder in holders}) == 1
    assert (await status(empty_home)).holders == 4
    log = "".join(path.read_text() for path in (empty_home / "postgresql" / "log").glob("postgresql-*.log"))
    assert log.count("ready to accept connections") == 1
    for holder in holders:
        assert holder.let_go() == 0
    assert not (await status(empty_home)).running


async def test_a_killed_holder_counts_no_more_and_the_other_goes_on(home, start_holder):
    killed, other = start_holder(home), start_holder(home)
    killed.attached()
    dsn = other.attached()
    killed.end()
    assert await ask(dsn, "SELECT true")
    assert (await status(home)).holders == 1
    assert other.let_go() == 0
    assert not (await status(home)).running


async def test_the_server_that_a_killed_process_left_is_taken_over(home, start_holder):
    last = start_holder(home)
    last.attached()
    last.end()
    left = await status(home)
    assert (left.running, left.holders) == (True, 0)
    async with EmbeddedPostgres(home).attached() as server:
        assert (await status(home)).pid == left.pid
        assert await ask(server.dsn(OWNER_ROLE), "SELECT true")
    assert not (await status(home)).running


async def test_the_server_that_a_killed_process_left_can_be_stopped(home, start_holder):
    last = start_holder(home)
    last.attached()
    last.end()
    assert await stop(home)
    assert not (await status(home)).running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_process_that_is_told_to_end_releases_first(home, start_holder, number):
    holder = start_holder(home)
    holder.attached()
    holder.process.send_signal(number)
    assert holder.process.wait(timeout=20) == 128 + number
    found = await status(home)
    assert (found.running, found.holders) == (False, 0)


async def test_a_process_that_exits_without_a_word_releases(home, start_holder):
    holder = start_holder(home, "leave")
    holder.attached()
    assert holder.let_go() == 0
    assert not (await status(home)).running


async def test_a_forked_child_that_exits_releases_nothing(home, start_holder):
    holder = start_holder(home, "fork")
    dsn = holder.attached()
    assert await ask(dsn, "SELECT true")
    assert (await status(home)).holders == 1
    assert holder.let_go() == 0


async def test_ctrl_c_in_the_terminal_of_the_first_leaves_the_server_to_the_second(home, start_holder):
    first = start_holder(home)
    dsn = first.attached()
    second = start_holder(home)
    second.attached()
    before = await status(home)
    os.killpg(first.process.pid, signal.SIGINT)
    assert first.process.wait(timeout=20) == -signal.SIGINT
    after = await status(home)
    assert (after.pid, after.holders) == (before.pid, 1)
    assert await ask(dsn, "SELECT true")
    assert second.let_go() == 0


async def test_a_server_that_was_killed_is_started_again_with_what_it_had_committed(home, start_holder):
    holder = start_holder(home)
    dsn = holder.attached()
    await tell(dsn, "CREATE TABLE survivor AS SELECT 42 AS answer")
    server_process = (await status(home)).pid
    assert server_process is not None
    os.kill(server_process, signal.SIGKILL)
    await down(home)

    async with EmbeddedPostgres(home).attached():
        assert await ask(dsn, "SELECT answer FROM survivor") == 42
        assert (await status(home)).holders == 2
    assert holder.let_go() == 0
    assert not (await status(home)).running


async def down(home: Path) -> None:
    """Wait until the kernel has carried the kill out: a connection may succeed until then."""
    for _ in range(200):
        if not (await status(home)).running:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the killed server still listens")
