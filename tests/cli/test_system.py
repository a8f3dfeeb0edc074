"""`omni config`, `db`, `serve`, `worker` and `down`: what an operator asks of one machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from omni_core.bootstrap.settings import SETTINGS, variable_of
from tests.cli.conftest import MASTER_KEY, CommandLine


def shown(line: CommandLine, name: str, **variables: Any) -> dict[str, Any]:
    (setting,) = [one for one in line.json("config", "show", **variables)["items"] if one["name"] == name]
    return dict(setting)


def test_every_setting_is_shown_with_its_meaning(bare: CommandLine) -> None:
    items = bare.json("config", "show")["items"]
    assert [one["name"] for one in items] == [setting.name for setting in SETTINGS]
    assert all(one["variable"] == variable_of(one["name"]) and one["description"] for one in items)


def test_where_a_setting_came_from_is_shown(bare: CommandLine, home: Path, tmp_path: Path) -> None:
    assert shown(bare, "port")["origin"] == "default"
    given = shown(bare, "port", OMNI_PORT="8123")
    assert (given["value"], given["origin"]) == (8123, "environment")
    toml = tmp_path / "omni.toml"
    toml.write_text("port = 8124\n", encoding="utf-8")
    filed = shown(bare, "port", OMNI_CONFIG=str(toml))
    assert (filed["value"], filed["origin"]) == (8124, "omni.toml")
    assert "8123" in bare("config", "show", OMNI_PORT="8123").stdout


def test_secrets_are_shown_as_set(bare: CommandLine) -> None:
    secrets: dict[str, Any] = {
        "DATABASE_URL": "postgresql://ann:hunter2@db/omni",
        "OMNI_OWNER_DATABASE_URL": "postgresql://owner:hunter2@db/omni",
        "OMNI_PROVIDERS": '[{"name": "vendor", "kind": "openai", "api_key": "hunter2"}]',
    }
    for words in (["config", "show"], ["config", "show", "--json"]):
        printed = bare(*words, **secrets).output
        assert "hunter2" not in printed
        assert MASTER_KEY not in printed
    assert shown(bare, "database_url", **secrets)["value"] == "set"
    assert shown(bare, "owner_database_url")["value"] == "not set"
    assert shown(bare, "providers", **secrets)["value"] == ["vendor (openai, with a key)"]


def test_the_schema_is_told_and_brought_up_to_date(bare: CommandLine, empty_database_url: str) -> None:
    before = bare.json("db", "status", DATABASE_URL=empty_database_url)
    assert (before["current"], before["is_current"]) == (None, False)
    after = bare.json("db", "upgrade", DATABASE_URL=empty_database_url)
    assert (after["current"], after["is_current"]) == (before["wanted"], True)
    assert bare.json("db", "status", DATABASE_URL=empty_database_url) == after
    assert bare.json("models", "list", DATABASE_URL=empty_database_url)["items"][0]["name"] == "omni-brain"


def test_the_first_upgrade_needs_nothing_but_the_owner(bare: CommandLine, empty_database_url: str) -> None:
    program = "postgresql://omni_app:not-yet@127.0.0.1:1/omni"
    report = bare.json("db", "upgrade", DATABASE_URL=program, OMNI_OWNER_DATABASE_URL=empty_database_url)
    assert report["is_current"]


def test_asking_for_the_schema_makes_no_database(bare: CommandLine, tmp_path: Path) -> None:
    home = tmp_path / "home"
    report = bare.json("db", "status", OMNI_HOME=str(home))
    assert report["current"] is None
    assert not home.exists()


def test_down_finds_nothing_where_nothing_runs(bare: CommandLine, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert bare("down", "--home", str(home)).stdout == "nothing was running\n"
    assert bare.json("down", OMNI_HOME=str(home)) == {"processes": [], "postgresql": False}
    assert not home.exists()


def test_serve_becomes_the_server(omni: CommandLine, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {name: value for name, value in omni.variables.items() if value is not None}
    command = [sys.executable, "-m", "omni_cli", "serve", "--port", str(port)]
    with subprocess.Popen(
        command, env={**os.environ, **variables}, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        try:
            assert answer_of(f"http://127.0.0.1:{port}/health/ready")["status"]
        finally:
            server.send_signal(signal.SIGTERM)
            _, told = server.communicate(timeout=30)
    assert server.returncode in {0, -signal.SIGTERM}
    assert b"Traceback" not in told


def answer_of(url: str) -> dict[str, str]:
    until = time.monotonic() + 30
    while True:
        try:
            with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
                return dict(json.load(answer))
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)
