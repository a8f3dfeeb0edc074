"""Each way of failing to start: the documented exit code, one line that names the cause, and no traceback."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import NamedTuple
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


@dataclass(frozen=True)
class Stage:
    """What the ways of failing need. `newer` has a schema of a later release, `locked` a password that is not given."""

    server: str
    empty: str
    migrated: str
    newer: str
    guest: str
    locked: str
    taken: int
    omnis: int


class Way(NamedTuple):
    """A way of failing to start: what is started on which settings, the exit code, and what the one line says."""

    name: str
    starts: tuple[str, ...]
    settings: Callable[[Stage], dict[str, str]]
    exits: int
    says: str


SERVER, WORKER = ("omni_http",), ("omni_workers",)
UPGRADE, SERVE = ("omni_cli", "db", "upgrade"), ("omni_cli", "serve")


def on(url: Callable[[Stage], str], **others: str) -> Callable[[Stage], dict[str, str]]:
    return lambda stage: {"DATABASE_URL": url(stage), **others}


def nothing(_: Stage) -> dict[str, str]:
    return {}


NOWHERE = f"postgresql://ann:{PASSWORD}@127.0.0.1:1/shop"
UNKNOWN_HOST = f"postgresql://boss:{PASSWORD}@no.such.invalid/shop"
ELSEWHERE = {"OMNI_OWNER_DATABASE_URL": UNKNOWN_HOST}
REFUSES = "127.0.0.1:1, database shop, as ann (DATABASE_URL): Connection refused"
STRANGER = "no.such.invalid:5432, database shop, as boss (OMNI_OWNER_DATABASE_URL)"
WRONG = 'as locked (DATABASE_URL): InvalidPasswordError: password authentication failed for user "locked"'
LATER = f"the database's schema is {NEWER}, of a newer release; this one ends at 0"
POWERFUL = "must be neither superuser, nor owner, nor exempt from row security"

WAYS = [
    *(
        way
        for starts in (SERVER, WORKER, UPGRADE)
        for way in (
            Way("nobody listens", starts, on(lambda _: NOWHERE), 69, REFUSES),
            Way("unknown host", starts, on(lambda _: NOWHERE, **ELSEWHERE), 69, STRANGER),
            Way("no database", starts, on(lambda s: at_database(s.server, "nowhere")), 72, "does not exist"),
            Way("no role", starts, on(lambda s: as_role(s.empty, "nobody")), 72, 'role "nobody" does not exist'),
            Way("wrong password", starts, on(lambda s: s.locked), 72, WRONG),
            Way("schema ahead", starts, on(lambda s: s.newer), 72, LATER),
            Way("wrong setting", starts, lambda _: {"OMNI_LOG_LEVEL": "loud"}, 78, "OMNI_LOG_LEVEL 'loud'"),
            Way("broken URL", starts, on(lambda _: f"postgresql://ann:{PASSWORD}@[::1/shop"), 78, "DATABASE_URL"),
            Way("no text", starts, lambda _: {"OMNI_LOG_LEVEL": "\udcff"}, 78, "OMNI_LOG_LEVEL"),
            Way("no number", starts, lambda _: {"OMNI_DATABASE_POOL": "many"}, 78, "a whole number from 1 to 200"),
        )
    ),
    Way("no schema", SERVER, on(lambda s: s.empty), 72, "no schema yet, and this release wants 0"),
    Way("no schema", WORKER, on(lambda s: s.empty), 72, "run omni db upgrade"),
    Way("few rights", UPGRADE, on(lambda s: s.guest), 72, "the role of DATABASE_URL may not change the schema"),
    Way("no owner's URL", WORKER, on(lambda s: as_role(s.migrated, APP_ROLE)), 72, "as OMNI_OWNER_DATABASE_URL"),
    Way("port taken", SERVE, lambda s: {"OMNI_PORT": str(s.taken)}, 72, "--port"),
    # Said before anything is opened: of the database that is not there nothing is said.
    Way("port taken", SERVER, lambda s: {"DATABASE_URL": NOWHERE, "OMNI_PORT": str(s.taken)}, 72, "[http.port_taken]"),
    Way("port an Omni's", SERVE, lambda s: {"OMNI_PORT": str(s.omnis)}, 72, "an Omni serves there: omni down ends it"),
    Way("no such address", SERVE, lambda _: {"OMNI_HOST": "203.0.113.9"}, 72, "203.0.113.9 cannot be used"),
    Way("no such address", SERVER, lambda _: {"OMNI_HOST": "203.0.113.9"}, 72, "203.0.113.9 cannot be used"),
    Way("port out of range", SERVE, lambda _: {"OMNI_PORT": "70000"}, 78, "OMNI_PORT '70000'"),
    Way("no home", SERVER, lambda _: {"OMNI_HOME": "/dev/null/omni"}, 78, "/dev/null/omni"),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.name}-{way.starts[-1]}")
def test_it_ends_with_this_code_and_says_this_in_one_line(way: Way, stage: Stage, tmp_path: Path) -> None:
    code, line = start(tmp_path, *way.starts, **way.settings(stage))
    assert code == way.exits, line
    assert way.says in line


@pytest.fixture(scope="module")
async def stage(server_url: str, make_database_url: Callable[[], Awaitable[str]]) -> AsyncIterator[Stage]:
    await run_sql(server_url, "create role guest login; create role locked login password 'right'")
    await run_sql(server_url, "create database unfurnished")
    rules = set_rules(server_url, before="local all locked scram-sha-256\n")
    await run_sql(server_url, "select pg_reload_conf()")
    empty, migrated, newer = (
        at_database(server_url, "unfurnished"),
        await make_database_url(),
        await make_database_url(),
    )
    await run_sql(newer, f"update alembic_version set version_num = '{NEWER}'")
    parts = urlsplit(migrated)
    locked = urlunsplit(parts._replace(netloc=f"locked:{PASSWORD}@{parts.netloc.rpartition('@')[2]}"))
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        ThreadingHTTPServer(("127.0.0.1", 0), Living) as living,
    ):
        Thread(target=living.serve_forever, daemon=True).start()
        yield Stage(
            server=server_url,
            empty=empty,
            migrated=migrated,
            newer=newer,
            guest=as_role(empty, "guest"),
            locked=locked,
            taken=listener.getsockname()[1],
            omnis=living.server_port,
        )
        living.shutdown()
    set_rules(server_url, rules)
    await run_sql(server_url, "select pg_reload_conf()")
    await run_sql(server_url, "drop database unfurnished with (force)")
    await run_sql(server_url, "drop role guest; drop role locked")


def set_rules(server_url: str, rules: str | None = None, before: str = "") -> str:
    """Say who has to give a password: `before` what was said till now, or `rules` alone; return what that was."""
    hba = Path(server_url.partition("host=")[2], "data", "pg_hba.conf")
    till_now = hba.read_text()
    hba.write_text(before + till_now if rules is None else rules)
    return till_now


class Living(BaseHTTPRequestHandler):
    """Answers as an Omni does that lives."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 404)
        self.end_headers()
        self.wfile.write(b'{"status":"live"}')


def test_an_owners_url_without_the_programs_leaves_it_at_omnis_own_server(tmp_path: Path) -> None:
    """`omni db upgrade` makes the schema that `omni serve` will run on: of Omni's own server, for both lack its URL."""
    with TemporaryDirectory(prefix="omni-own-") as home:
        known = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DATABASE_"))}
        ended = subprocess.run(
            [sys.executable, "-m", "omni_cli", "db", "upgrade", "--json"],
            env={**known, "OMNI_HOME": home, "OMNI_OWNER_DATABASE_URL": NOWHERE},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert (report["database"], report["is_current"]) == (f"embedded, in {home}", True)


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
