"""Logs as a program writes them: in a process of its own, for logging is set up for a whole process."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys
import structlog
from omni_core.adapters.telemetry.logging import configure_logging

configure_logging({level!r}, {form!r})
log = structlog.get_logger("omni.test")
log.debug("too little")
log.info("signed in %s", "ada@example.com", api_key="plain", attempts=2)
extra = {{"password": "hunter2", "color_message": "called"}}
logging.getLogger("a.library").warning("called %s", "sk-abcdefghijklmnop", extra=extra)
with structlog.contextvars.bound_contextvars(token="plain"):
    try:
        raise ValueError("no such user ada@example.com; password=hunter2")
    except ValueError:
        log.exception("failed")
        logging.getLogger("a.library").exception("failed as well")
print("a result")
"""
SECRETS = ("ada@example.com", "plain", "hunter2", "sk-abcdefghijklmnop")


def run(level: str = "info", form: str = "auto") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(level=level, form=form)
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


def test_without_a_terminal_each_entry_is_a_json_object_on_standard_error():
    ended = run()
    assert ended.stdout == "a result\n"
    signed_in, called, failed, failed_as_well = map(json.loads, ended.stderr.splitlines())
    assert signed_in["event"] == "signed in [redacted]"
    assert (signed_in["level"], signed_in["logger"], signed_in["attempts"]) == ("info", "omni.test", 2)
    assert signed_in["api_key"] == "[redacted]"
    assert signed_in["timestamp"].endswith("Z")
    assert called["event"] == "called [redacted]"
    assert (called["level"], called["logger"], called["password"]) == ("warning", "a.library", "[redacted]")
    assert "color_message" not in called
    assert failed["token"] == "[redacted]"
    assert "Traceback" in failed["exception"]
    assert "Traceback" in failed_as_well["exception"]


def test_people_get_lines_and_tracebacks():
    ended = run(form="console")
    assert ended.stdout == "a result\n"
    assert "signed in [redacted]" in ended.stderr
    assert 'File "<string>"' in ended.stderr
    assert not ended.stderr.startswith("{")


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_is_in_a_log_whoever_wrote_it(form):
    said = run(form=form, level="debug").stderr
    # The program's own line stands in a console's traceback; what it raised does not.
    told = "\n".join(line for line in said.splitlines() if "raise ValueError(" not in line)
    assert [secret for secret in SECRETS if secret in told] == []


def test_the_level_is_the_least_that_is_told():
    assert "too little" in run(level="debug").stderr
    assert "too little" not in run(level="info").stderr
    assert [json.loads(line)["event"] for line in run(level="error").stderr.splitlines()] == [
        "failed",
        "failed as well",
    ]
