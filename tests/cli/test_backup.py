"""`omni db backup` and `omni db restore`: a round trip, and what is refused."""

import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from omni_core import OPERATOR, CreateKey, CreateTenant, Omni, Settings
from omni_core.adapters.postgres import backups
from omni_core.adapters.postgres.backups.programs import connection
from omni_core.adapters.postgres.connecting import Refused
from omni_core.adapters.postgres.engine import APP_ROLE
from tests.cli.conftest import MASTER_KEY, CommandLine
from tests.support.database import as_role, at_database, connected, run_sql

pytestmark = pytest.mark.postgres
NEWER = "9999_later"
_numbers = itertools.count(1)


async def a_key(url: str) -> str:
    """Make a tenant in a database, and return a key of it."""
    async with Omni.open(Settings(database_url=url, secret_key=MASTER_KEY)) as omni:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant(f"kept-{next(_numbers)}", "Kept"))
        return (await omni.keys.create(omni.operator(tenant.id), CreateKey("kept"))).secret


async def knows(url: str, key: str) -> bool:
    async with Omni.open(Settings(database_url=url, secret_key=MASTER_KEY)) as omni:
        return bool((await omni.authenticator.authenticate(key)).tenant_id)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(bare: CommandLine, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Call `omni` as a process of its own, for commands that start processes of theirs."""
    environment = {name: value for name, value in {**bare.variables, **variables}.items() if value is not None}
    command = [sys.executable, "-m", "omni_cli", *words]
    return subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
async def backup(fresh_database_url: str, bare: CommandLine, tmp_path: Path) -> tuple[Path, str]:
    """A backup, and a key of the tenant in it."""
    key = await a_key(fresh_database_url)
    file = tmp_path / "omni.dump"
    ended = run(bare, "db", "backup", str(file), DATABASE_URL=fresh_database_url)
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    assert line.startswith("backed up 1 tenants and 0 calls at 0")
    assert "secret key is not in it" in ended.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == ["omni.dump"]
    return file, key


async def test_there_and_back_into_an_empty_database(
    backup: tuple[Path, str], bare: CommandLine, empty_database_url: str
) -> None:
    file, key = backup
    ended = run(bare, "db", "restore", str(file), DATABASE_URL=empty_database_url)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("restored 1 tenants and 0 calls at 0")
    assert await knows(as_role(empty_database_url, APP_ROLE), key)


@pytest.fixture
async def boss_url(server_url: str, template_url: str) -> AsyncIterator[str]:
    """An empty database of an owner who is no superuser, on a server that has Omni's roles."""
    await run_sql(server_url, "create role boss login createrole")
    await run_sql(server_url, "grant omni_app, omni_directory, omni_worker to boss with admin option")
    await run_sql(server_url, "create database bosss owner boss")
    yield as_role(at_database(server_url, "bosss"), "boss")
    await run_sql(server_url, "drop database bosss with (force)")
    await run_sql(server_url, "drop role boss")


async def test_there_and_on_to_a_server_with_another_owner(
    backup: tuple[Path, str], bare: CommandLine, boss_url: str
) -> None:
    file, key = backup
    program = as_role(boss_url, APP_ROLE)
    ended = run(bare, "db", "restore", str(file), DATABASE_URL=program, OMNI_OWNER_DATABASE_URL=boss_url)
    assert ended.returncode == 0, ended.stderr
    assert await knows(program, key)
    # Row-level security binds that owner, so a backup by it would lack rows.
    refused = run(bare, "db", "backup", f"{file}.2", DATABASE_URL=program, OMNI_OWNER_DATABASE_URL=boss_url)
    assert refused.returncode == 72
    assert "postgres.bound_by_row_security" in refused.stderr
    assert names_in(file.parent) == ["omni.dump"]


async def test_a_database_with_tenants_is_replaced_only_where_that_is_said(
    backup: tuple[Path, str], bare: CommandLine, make_database_url: Callable[[], Awaitable[str]]
) -> None:
    file, key = backup
    url = await make_database_url()
    theirs = await a_key(url)
    refused = run(bare, "db", "restore", str(file), DATABASE_URL=url)
    assert refused.returncode == 73
    assert "postgres.not_empty" in refused.stderr
    assert await knows(url, theirs)
    async with connected(url):
        used = run(bare, "db", "restore", str(file), "--replace", DATABASE_URL=url)
    assert used.returncode == 73
    assert "postgres.in_use" in used.stderr
    replaced = run(bare, "db", "restore", str(file), "--replace", DATABASE_URL=url)
    assert replaced.returncode == 0, replaced.stderr
    assert await knows(url, key)


async def test_a_restore_that_fails_changes_nothing(
    backup: tuple[Path, str], bare: CommandLine, make_database_url: Callable[[], Awaitable[str]]
) -> None:
    file, _ = backup
    url = await make_database_url()
    theirs = await a_key(url)
    cut = file.with_name("cut.dump")
    whole = file.read_bytes()
    # Its table of contents is there, and so is the schema's version; the rest of the rows is not.
    cut.write_bytes(whole[: len(whole) * 9 // 10])
    ended = run(bare, "db", "restore", str(cut), "--replace", DATABASE_URL=url)
    assert ended.returncode in (65, 69)
    assert await knows(url, theirs)


async def test_a_backup_of_a_newer_release_is_refused(
    fresh_database_url: str, bare: CommandLine, empty_database_url: str, tmp_path: Path
) -> None:
    await run_sql(fresh_database_url, f"update alembic_version set version_num = '{NEWER}'")
    file = tmp_path / "newer.dump"
    assert run(bare, "db", "backup", str(file), DATABASE_URL=fresh_database_url).returncode == 0
    ended = run(bare, "db", "restore", str(file), DATABASE_URL=empty_database_url)
    assert ended.returncode == 72
    assert NEWER in ended.stderr
    async with connected(empty_database_url) as connection:
        assert not await connection.fetchval(
            "select count(*) from pg_class where relnamespace = 'public'::regnamespace"
        )


def test_a_file_is_not_overwritten_and_what_is_none_is_not_restored(bare: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a backup")
    nowhere = "postgresql://ann:hush@127.0.0.1:1/shop"
    assert run(bare, "db", "backup", str(file), DATABASE_URL=nowhere).returncode == 73
    assert file.read_text() == "not a backup"
    ended = run(bare, "db", "restore", str(file), DATABASE_URL=nowhere)
    assert ended.returncode == 65
    assert "postgres.not_a_backup" in ended.stderr


def test_a_password_is_never_among_the_arguments() -> None:
    for url in ("postgresql://ann:p%40ss@db:5433/shop?sslmode=require", "postgresql://ann@db/shop?password=p%40ss"):
        plain, environment = connection(url)
        assert environment["PGPASSWORD"] == "p@ss"
        assert "p@ss" not in plain
        assert "p%40ss" not in plain
    assert (
        connection("postgresql://ann:x@db:5433/shop?sslmode=require")[0]
        == "postgresql://ann@db:5433/shop?sslmode=require"
    )


async def test_a_database_that_is_not_there_is_named(tmp_path: Path, server_url: str) -> None:
    with pytest.raises(Refused, match="does not exist"):
        await backups.dump(at_database(server_url, "nowhere"), tmp_path / "x.dump", setting="DATABASE_URL")
