"""Every kind of error has its exit code, and no failure leaves as a traceback."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import omni_core.bootstrap.omni  # noqa: F401 - and with it every adapter and context, so that their errors are known
from omni_cli.failures import HINTS, guarded
from omni_core.bootstrap.exits import OF_KIND, SETTINGS, exit_code_of
from omni_core.domain.kernel.errors import Kind, OmniError
from tests.cli.conftest import CommandLine

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "exit-codes.md"


def error_of(kind: Kind, code: str = "test.error") -> OmniError:
    made: type[OmniError] = type("MadeUp", (OmniError,), {"kind": kind, "code": code, "__doc__": "Made up."})
    return made("a detail", allowed=["this", "that"])


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_code_that_sysexits_knows(kind: Kind) -> None:
    assert 64 <= OF_KIND[kind] <= 78
    assert exit_code_of(error_of(kind)) == OF_KIND[kind]


def test_the_page_lists_every_code() -> None:
    rows = dict(re.findall(r"^\| (\d+) \|([^|]*)\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    for kind, code in OF_KIND.items():
        assert f"`{kind}`" in rows[str(code)]
    assert {"0", "64", str(SETTINGS), "130"} <= rows.keys()


def test_settings_are_told_from_other_invalid_input() -> None:
    assert exit_code_of(error_of(Kind.INVALID, "settings.invalid")) == SETTINGS


@pytest.mark.parametrize("kind", Kind)
def test_an_error_is_told_to_people(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: fail(error_of(kind)), []) == OF_KIND[kind]
    printed = capsys.readouterr()
    assert printed.err == "error: a detail\ncode: test.error\nallowed: this, that\n"
    assert printed.out == ""


@pytest.mark.parametrize("kind", Kind)
def test_an_error_is_told_to_programs(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    guarded(lambda: fail(error_of(kind)), ["keys", "list", "--json"])
    assert json.loads(capsys.readouterr().err)["error"] == {
        "kind": kind.value,
        "code": "test.error",
        "detail": "a detail",
        "exit_code": OF_KIND[kind],
        "hint": None,
        "fields": {"allowed": ["this", "that"]},
    }


def test_what_nobody_foresaw_is_one_line_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    error = RuntimeError("postgresql://ann:hunter2@db/omni\nsecond line")
    assert guarded(lambda: fail(error), ["keys", "list"]) == 70
    told = capsys.readouterr().err
    assert "hunter2" not in told
    assert "second line" not in told
    assert "Traceback" not in told
    assert "RuntimeError" in told.splitlines()[0]


def test_debug_shows_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(lambda: fail(RuntimeError("x")), ["--debug", "keys", "list"])
    assert "Traceback" in capsys.readouterr().err


def test_words_after_two_dashes_are_no_flags(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(lambda: fail(error_of(Kind.QUOTA)), ["chat", "--", "--json"])
    assert capsys.readouterr().err.startswith("error:")


def test_every_hint_is_for_a_code_that_exists() -> None:
    def below(error: type[OmniError]) -> set[str]:
        return {error.code}.union(*(below(one) for one in error.__subclasses__()))

    assert set(HINTS) - below(OmniError) == set()


@pytest.mark.parametrize(
    "words",
    [
        ["keys", "create", "--no-such-option"],
        ["keys", "revoke", "not-a-uuid"],
        ["no-such-command"],
        ["tenants", "list", "--limit", "0"],
        ["billing", "close"],
    ],
)
def test_wrong_usage_is_64(bare: CommandLine, words: list[str]) -> None:
    assert bare.error(*words, exits=64)["kind"] == "usage"
    assert bare(*words, exits=64).stderr.startswith("error: ")


@pytest.mark.parametrize(
    "words, code",
    [
        (["keys", "create", "--expires-in", "soon"], "cli.invalid_option"),
        (["keys", "create", "--expires-at", "2027-13-01"], "kernel.invalid_value"),
        (["prices", "set", "m", "--price", "input"], "cli.invalid_option"),
        (["prices", "set", "m", "--price", "input=1", "--price", "input=2"], "cli.invalid_option"),
        (["prices", "set", "m", "--price", "input=1", "--tier", "x:input=1"], "cli.invalid_option"),
        (["billing", "close", "--month", "November"], "kernel.invalid_value"),
        (["usage", "--by", "colour"], "cli.invalid_option"),
        (["usage", "--since", "2026-12-01", "--until", "2026-11-01"], "kernel.invalid_value"),
    ],
)
def test_invalid_input_is_65_and_found_before_anything_is_opened(
    bare: CommandLine, words: list[str], code: str
) -> None:
    assert bare.error(*words, exits=65)["code"] == code


def test_an_unreachable_database_is_69(bare: CommandLine) -> None:
    error = bare.error("keys", "list", exits=69, DATABASE_URL="postgresql://omni@127.0.0.1:9/omni")
    assert error["code"] == "postgres.unavailable"


@pytest.mark.parametrize("words", ["keys list", "up", "serve", "worker", "down", "config show", "db status"])
def test_settings_that_are_wrong_are_78_everywhere(bare: CommandLine, words: str) -> None:
    assert "OMNI_PORT" in bare(*words.split(), exits=78, OMNI_PORT="http").stderr


def test_an_old_schema_is_72(bare: CommandLine, empty_database_url: str) -> None:
    error = bare.error("keys", "list", exits=72, DATABASE_URL=empty_database_url)
    assert error["code"] == "postgres.schema_behind"
    assert error["hint"] == "run: omni db upgrade"


def test_ctrl_c_is_130_without_a_traceback(tmp_path: Path) -> None:
    # A question that is read from standard input, which never comes.
    asking = subprocess.Popen(
        [sys.executable, "-m", "omni_cli", "chat", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMNI_HOME": str(tmp_path)},
    )
    with asking:
        time.sleep(1.5)
        asking.send_signal(signal.SIGINT)
        _, told = asking.communicate(timeout=30)
    assert asking.returncode == 130
    assert told == b""
