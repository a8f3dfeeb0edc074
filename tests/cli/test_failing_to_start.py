"""Each way of failing to start: the documented exit code, one line that names the cause, and no traceback."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from omni_core.adapters.postgres.connecting import DatabaseUnavailable, Refused, not_connected
from omni_core.adapters.postgres.engine import APP_ROLE
from omni_core.domain.kernel.errors import OmniError
from tests.support.database import as_role, at_database, run_sql

PASSWORD = "hush-hush"
NEWER = "9999_later"
pytestmark = pytest.mark.postgres


def start(home: Path, *words: str, **variables: str) -> tuple[int, str]:
    """Run a program until it ends by itself; return its exit code and what it told as an error, all on one line."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DATABASE_"))}
    ended = subprocess.run(
        [sys.executable, "-m", *words],
        env={**known, "OMNI_HOME": str(home), "OMNI_PORT": "0", **variables},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    printed = ended.stdout + ended.stderr
    assert "Traceback" not in printed
    assert PASSWORD not in printed
    told = [line for line in printed.splitlines() if line.startswith(("error: ", "omni worker: "))]
    entries = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    told += [f"{entry['detail']} [{entry['code']}]" for entry in entries if entry["level"] == "error"]
    (line,) = told
    return ended.returncode, line


PROGRAMS = pytest.mark.parametrize("program", ["omni_http", "omni_workers"])


@PROGRAMS
def test_nobody_listens(program: str, tmp_path: Path) -> None:
    code, line = start(tmp_path, program, DATABASE_URL=f"postgresql://ann:{PASSWORD}@127.0.0.1:1/shop")
    assert code == 69
    assert "127.0.0.1:1, database shop, as ann (DATABASE_URL): Connection refused" in line
    assert "[postgres.unavailable]" in line


@pytest.mark.parametrize("program", [("omni_http",), ("omni_workers",), ("omni_cli", "tenants", "list")])
@pytest.mark.parametrize(
    "variable, value",
    [("DATABASE_URL", f"postgresql://ann:{PASSWORD}@[::1/shop"), ("OMNI_LOG_LEVEL", "\udcff")],
    ids=["url", "bytes"],
)
def test_a_setting_that_cannot_be_taken(program: tuple[str, ...], variable: str, value: str, tmp_path: Path) -> None:
    code, line = start(tmp_path, *program, **{variable: value})
    assert code == 78
    assert line.startswith(("error: ", "omni worker: "))
    assert variable in line


@PROGRAMS
def test_the_host_is_unknown(program: str, tmp_path: Path) -> None:
    code, line = start(
        tmp_path,
        program,
        DATABASE_URL="postgresql://omni_app@127.0.0.1:1/shop",
        OMNI_OWNER_DATABASE_URL=f"postgresql://boss:{PASSWORD}@no.such.invalid/shop",
    )
    assert code == 69
    assert "no.such.invalid:5432, database shop, as boss (OMNI_OWNER_DATABASE_URL)" in line


@PROGRAMS
def test_the_database_is_not_there(program: str, tmp_path: Path, server_url: str) -> None:
    code, line = start(tmp_path, program, DATABASE_URL=at_database(server_url, "nowhere"))
    assert code == 72
    assert 'database "nowhere" does not exist' in line
    assert "[postgres.refused]" in line


@PROGRAMS
def test_the_role_is_not_there(program: str, tmp_path: Path, empty_database_url: str) -> None:
    code, line = start(tmp_path, program, DATABASE_URL=as_role(empty_database_url, "nobody"))
    assert code == 72
    assert 'role "nobody" does not exist' in line


@PROGRAMS
def test_the_schema_was_never_made(program: str, tmp_path: Path, empty_database_url: str) -> None:
    code, line = start(tmp_path, program, DATABASE_URL=empty_database_url)
    assert code == 72
    assert "no schema yet" in line
    assert "omni db upgrade" in line


@pytest.mark.parametrize("words", [("omni_http",), ("omni_workers",), ("omni_cli", "db", "upgrade")])
async def test_the_schema_is_of_a_newer_release(
    words: tuple[str, ...], tmp_path: Path, fresh_database_url: str
) -> None:
    await run_sql(fresh_database_url, f"update alembic_version set version_num = '{NEWER}'")
    code, line = start(tmp_path, *words, DATABASE_URL=fresh_database_url)
    assert code == 72
    assert f"the database's schema is {NEWER}, of a newer release" in line


async def test_who_upgrades_may_not_change_the_schema(tmp_path: Path, server_url: str, empty_database_url: str) -> None:
    await run_sql(server_url, "create role guest login")
    try:
        code, line = start(tmp_path, "omni_cli", "db", "upgrade", DATABASE_URL=as_role(empty_database_url, "guest"))
    finally:
        await run_sql(server_url, "drop role guest")
    assert code == 72
    assert "the role of DATABASE_URL may not change the schema" in line


def test_a_worker_without_the_owners_url_says_so(tmp_path: Path, fresh_database_url: str) -> None:
    code, line = start(tmp_path, "omni_workers", DATABASE_URL=as_role(fresh_database_url, APP_ROLE))
    assert code == 72
    assert "OMNI_OWNER_DATABASE_URL" in line


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_the_port_is_taken(tmp_path: Path, taken: int) -> None:
    code, line = start(tmp_path, "omni_cli", "serve", "--port", str(taken))
    assert code == 72
    assert f"port {taken} on 127.0.0.1 cannot be used" in line
    assert "omni down" not in line


def test_the_port_is_taken_for_the_server_alone(tmp_path: Path, taken: int) -> None:
    # Said before anything is opened: of the database that is not there nothing is said.
    nowhere = f"postgresql://ann:{PASSWORD}@127.0.0.1:1/shop"
    code, line = start(tmp_path, "omni_http", DATABASE_URL=nowhere, OMNI_PORT=str(taken))
    assert code == 72
    assert f"port {taken} on 127.0.0.1 cannot be used (Address already in use)" in line
    assert "[http.port_taken]" in line


class Living(BaseHTTPRequestHandler):
    """Answers as an Omni does that lives."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 404)
        self.end_headers()
        self.wfile.write(b'{"status":"live"}')


def test_the_port_is_an_omnis(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Living) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        code, line = start(tmp_path, "omni_cli", "serve", "--port", str(server.server_port))
        server.shutdown()
    assert code == 72
    assert "an Omni serves there: omni down ends it" in line


@pytest.mark.parametrize("words", [("omni_cli", "serve", "--host", "203.0.113.9"), ("omni_http",)])
def test_the_address_is_no_address_of_this_machine(words: tuple[str, ...], tmp_path: Path) -> None:
    code, line = start(tmp_path, *words, OMNI_HOST="203.0.113.9")
    assert code == 72
    assert "203.0.113.9 cannot be used" in line


@pytest.mark.parametrize("words", [("omni_http",), ("omni_workers",), ("omni_cli", "serve")])
def test_a_setting_is_wrong(words: tuple[str, ...], tmp_path: Path) -> None:
    code, line = start(tmp_path, *words, OMNI_LOG_LEVEL="loud")
    assert code == 78
    assert "OMNI_LOG_LEVEL" in line


@pytest.mark.parametrize(
    "error, kind, told",
    [
        (asyncpg.InvalidPasswordError('password authentication failed for user "ann"'), Refused, "password authenti"),
        (asyncpg.TooManyConnectionsError("sorry, too many clients already"), DatabaseUnavailable, "too many clients"),
        (TimeoutError(), DatabaseUnavailable, "no answer in time"),
    ],
)
def test_a_cause_is_told_without_the_password(error: Exception, kind: type[OmniError], told: str) -> None:
    refused = not_connected(f"postgresql://ann:{PASSWORD}@db/shop", error, setting="DATABASE_URL")
    assert type(refused) is kind
    assert told in refused.detail
    assert "db:5432, database shop, as ann" in refused.detail
    assert PASSWORD not in refused.detail


def test_the_place_of_a_socket_is_its_folder() -> None:
    url = urlunsplit(urlsplit("postgresql://ann@/shop")._replace(query="host=/run/pg"))
    assert "at /run/pg:5432, database shop, as ann" in not_connected(url, TimeoutError(), setting="X").detail
