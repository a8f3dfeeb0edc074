"""Readiness: a database that answers and cannot be written, with the cause in the log."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from structlog.testing import capture_logs

from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres
from omni_core.adapters.postgres import migrate
from omni_core.adapters.postgres.connecting import DatabaseUnavailable
from omni_core.adapters.postgres.engine import APP_ROLE, open_database
from omni_core.adapters.postgres.writing import FRESH_S, CannotWrite, WriteProbe
from omni_core.testing import FixedClock
from tests.support.database import as_role, connected, database_name, run_sql
from tests.support.installation import calling, installed
from tests.support.waiting import eventually

pytestmark = pytest.mark.postgres
DISK = "160m"


async def test_a_database_that_can_be_written_is_ready_and_keeps_nothing_of_it(fresh_database_url: str) -> None:
    clock = FixedClock()
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database, connected(fresh_database_url) as owner:
        before = await owner.fetchval("select count(*) from pg_class")
        probe = WriteProbe(database.pool, clock)
        for _ in range(3):
            await probe.check()
            clock.advance(timedelta(seconds=FRESH_S))
        assert await owner.fetchval("select count(*) from pg_class") == before


async def test_the_probe_reaches_the_disk_and_the_log(fresh_database_url: str) -> None:
    """Otherwise a full disk would go unnoticed: the sort has to spill and the commit has to be flushed."""
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database, connected(fresh_database_url) as owner:
        spilled = "select temp_bytes from pg_stat_database where datname = current_database()"
        log = await owner.fetchval("select pg_current_wal_insert_lsn()")
        await WriteProbe(database.pool, FixedClock()).check()
        assert await owner.fetchval("select pg_current_wal_insert_lsn() > $1", log)
    async with connected(fresh_database_url) as owner:
        assert await owner.fetchval(spilled) > 200_000


@pytest.mark.parametrize(
    "made, cause",
    [
        ("alter database {0} set default_transaction_read_only = on", "read-only"),
        ("alter database {0} set temp_file_limit = '64kB'", "temporary file size exceeds"),
    ],
    ids=["read-only", "no room"],
)
async def test_one_that_cannot_be_written_is_not_ready_until_it_can(
    fresh_database_url: str, made: str, cause: str
) -> None:
    name, clock = database_name(fresh_database_url), FixedClock()
    await run_sql(fresh_database_url, made.format(name))
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database:
        await database.ping()
        probe = WriteProbe(database.pool, clock)
        with capture_logs() as logs, pytest.raises(CannotWrite):
            await probe.check()
        (entry,) = logs
        assert (entry["log_level"], entry["code"]) == ("error", "postgres.cannot_write")
        assert cause in entry["cause"]
    await run_sql(fresh_database_url, f"set transaction read write; alter database {name} reset all")
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database:
        await WriteProbe(database.pool, clock).check()


async def test_one_that_does_not_answer_is_unavailable_rather_than_unwritable(
    fresh_database_url: str, server_url: str
) -> None:
    async with open_database(as_role(fresh_database_url, APP_ROLE)) as database:
        await run_sql(server_url, f"alter database {database_name(fresh_database_url)} allow_connections false")
        ours = f"datname = '{database_name(fresh_database_url)}'"
        await run_sql(server_url, f"select pg_terminate_backend(pid) from pg_stat_activity where {ours}")
        with capture_logs() as logs, pytest.raises(DatabaseUnavailable):
            await WriteProbe(database.pool, FixedClock()).check()
        assert [one["code"] for one in logs] == ["postgres.unavailable"]


async def end_connections(owner_url: str) -> None:
    others = f"datname = '{database_name(owner_url)}' and pid <> pg_backend_pid()"
    await run_sql(owner_url, f"select pg_terminate_backend(pid) from pg_stat_activity where {others}")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own that can be filled; needs root."""
    with TemporaryDirectory(prefix="omni-disk-") as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "omni", folder], check=False)
        if mounted.returncode != 0:
            pytest.skip("no file system can be mounted here, so no disk can be filled")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            return


async def test_a_full_disk_is_noticed_and_so_is_room(small_disk: Path) -> None:
    clock = FixedClock()
    async with EmbeddedPostgres(small_disk / "home", settings={"shared_buffers": "16MB"}).attached() as server:
        await migrate.upgrade(server.dsn(OWNER_ROLE))
        async with open_database(server.dsn(APP_ROLE)) as database:
            probe = WriteProbe(database.pool, clock)
            await probe.check()
            fill(small_disk / "filler")
            await database.ping()
            clock.advance(timedelta(seconds=FRESH_S))
            with capture_logs() as logs, pytest.raises(CannotWrite):
                await probe.check()
            assert "No space left on device" in logs[0]["cause"]
            (small_disk / "filler").unlink()
            await probe.check()


async def test_load_balancers_are_told(fresh_database_url: str, tmp_path: Path) -> None:
    name = database_name(fresh_database_url)
    async with (
        installed(as_role(fresh_database_url, APP_ROLE), tmp_path) as installation,
        installation.program() as program,
        calling(program) as client,
    ):
        assert (await client.get("/health/ready")).json()["failing"] == []
        await run_sql(fresh_database_url, f"alter database {name} set default_transaction_read_only = on")
        # The setting is a new connection's; the probe asks again after a while.
        await end_connections(fresh_database_url)

        async def is_told() -> bool:
            answer = await client.get("/health/ready")
            return answer.status_code == 503 and answer.json()["failing"] == ["postgres.cannot_write"]

        await eventually(is_told)
        assert "transactions are read-only" in program.log
