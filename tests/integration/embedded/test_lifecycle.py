"""One process and its server: first start, warm start, release, stop."""

import asyncio
import os

import pytest

from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres, Status, status, stop
from tests.integration.embedded.sql import ask, tell


async def test_starts_from_nothing(empty_home):
    assert await status(empty_home) == Status(data=str(empty_home / "postgresql" / "data"))
    async with EmbeddedPostgres(empty_home).attached() as server:
        dsn = server.dsn(OWNER_ROLE)
        assert await ask(dsn, "SELECT current_database()") == "omni"
        assert await ask(dsn, "SHOW server_version_num") >= "180000"
        assert await ask(dsn, "SHOW TimeZone") == "UTC"
        assert await ask(dsn, "SHOW fsync") == "on"
        assert await ask(dsn, "SHOW listen_addresses") == ""
        assert await ask(dsn, "SHOW data_checksums") == "on"
        locale = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'omni'"
        assert await ask(dsn, locale) == "b C.UTF-8"
        await tell(dsn, "CREATE EXTENSION vector")
        assert await ask(dsn, "SELECT '[1,2]'::vector <-> '[1,3]'::vector") == 1.0
        found = await status(empty_home)
        assert (found.running, found.version, found.holders) == (True, 18, 1)
    assert not (await status(empty_home)).running


async def test_a_first_start_that_was_killed_half_way_is_made_again(empty_home):
    left = empty_home / "postgresql" / "data.unfinished"
    left.mkdir(parents=True)
    (left / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(empty_home, settings={"fsync": "off"}).attached() as server:
        assert await ask(server.dsn(OWNER_ROLE), "SELECT 1") == 1
    assert not left.exists()


async def test_a_warm_start_finds_the_data(home):
    async with EmbeddedPostgres(home).attached() as server:
        await tell(server.dsn(OWNER_ROLE), "CREATE TABLE kept AS SELECT 42 AS answer")
    async with EmbeddedPostgres(home).attached() as server:
        assert await ask(server.dsn(OWNER_ROLE), "SELECT answer FROM kept") == 42


async def test_settings_override_the_defaults_for_one_start(home):
    async with EmbeddedPostgres(home, settings={"fsync": "off"}).attached() as server:
        assert await ask(server.dsn(OWNER_ROLE), "SHOW fsync") == "off"
    async with EmbeddedPostgres(home).attached() as server:
        assert await ask(server.dsn(OWNER_ROLE), "SHOW fsync") == "on"


async def test_a_second_release_does_nothing(home):
    first = await EmbeddedPostgres(home).attach()
    second = await EmbeddedPostgres(home).attach()
    await first.release()
    await first.release()
    assert (await status(home)).running
    await second.release()
    assert not (await status(home)).running


async def test_a_cancelled_attach_gives_the_server_back(home):
    attaching = asyncio.create_task(EmbeddedPostgres(home).attach())
    await asyncio.sleep(0.05)
    attaching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attaching
    found = await status(home)
    assert (found.running, found.holders) == (False, 0)


async def test_stop_says_whether_a_server_ran(home):
    assert not await stop(home)
    server = await EmbeddedPostgres(home).attach()
    assert await stop(home)
    assert not await stop(home)
    await server.release()


async def test_it_starts_again_for_a_holder_whose_server_was_stopped(home):
    first = await EmbeddedPostgres(home).attach()
    await stop(home)
    async with EmbeddedPostgres(home).attached():
        assert await ask(first.dsn(OWNER_ROLE), "SELECT 1") == 1
        assert (await status(home)).holders == 2
    assert (await status(home)).running
    await first.release()


async def test_a_pid_left_by_a_crash_and_since_given_to_another_process(home):
    data = home / "postgresql" / "data"
    async with EmbeddedPostgres(home).attached():
        left = (data / "postmaster.pid").read_text().splitlines()
    left[0] = str(os.getppid())
    (data / "postmaster.pid").write_text("\n".join(left) + "\n")
    async with EmbeddedPostgres(home).attached() as server:
        assert await ask(server.dsn(OWNER_ROLE), "SELECT 1") == 1
