"""The addresses that an attached server hands out, and who may use them."""

import asyncio
import subprocess

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres
from tests.integration.embedded.sql import ask, tell


async def test_any_role_connects_and_is_no_more_than_itself(home):
    async with EmbeddedPostgres(home).attached() as server:
        await tell(server.dsn(OWNER_ROLE), "CREATE ROLE plain LOGIN")
        plain = server.dsn("plain")
        assert await ask(plain, "SELECT current_user") == "plain"
        assert await ask(plain, "SHOW is_superuser") == "off"


async def test_the_address_suits_sqlalchemy(home):
    async with EmbeddedPostgres(home).attached() as server:
        engine = create_async_engine(server.dsn(OWNER_ROLE, scheme="postgresql+asyncpg"))
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == OWNER_ROLE
        await engine.dispose()


async def test_only_the_servers_account_can_open_the_socket(home):
    async with EmbeddedPostgres(home).attached() as server:
        assert server.socket_folder.stat().st_mode & 0o777 == 0o700


async def test_the_programs_of_the_same_version_are_at_hand(home):
    async with EmbeddedPostgres(home).attached() as server:
        command = [str(server.programs / "pg_dump"), "--schema-only", server.dsn(OWNER_ROLE)]
        dumped = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert "PostgreSQL database dump complete" in dumped.stdout


@pytest.mark.parametrize("name", ["a" * 120, "one, two: 'three'"])
async def test_a_home_that_a_socket_cannot_live_in(empty_home, name):
    home = empty_home / name
    server = await EmbeddedPostgres(home, settings={"fsync": "off"}).attach()
    try:
        assert home not in server.socket_folder.parents
        assert await ask(server.dsn(OWNER_ROLE), "SELECT 1") == 1
    finally:
        await server.release()
        server.socket_folder.rmdir()
