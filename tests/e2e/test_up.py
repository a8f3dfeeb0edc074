"""`omni up` as an operator meets it: started, tried by what it prints, stopped, killed."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from omni_cli.samples import samples
from omni_core.adapters.embedded import status

ROOT = Path(__file__).parents[2]
OMNI = Path(sys.executable).with_name("omni")
READY_WITHIN_S = 60.0
SECRET = re.compile(r"omni_sk_[0-9A-Za-z]{17}_[0-9A-Za-z]{33}")

pytestmark = pytest.mark.slow


class Installation:
    """An `omni up` in a home of its own, and what it says."""

    def __init__(self, home: Path, *words: str, **variables: str) -> None:
        self.home = home
        self.port = free_port()
        self.told = home.parent / "told"
        self.log = home.parent / "log"
        command = [str(OMNI), "up", "--port", str(self.port), "--home", str(home), *words]
        with self.told.open("wb") as told, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=told, stderr=log, cwd=ROOT, env={**os.environ, **variables}, start_new_session=True
            )

    @property
    def output(self) -> str:
        return self.told.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while "# API reference" not in self.output:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < until, self.log.read_text(encoding="utf-8")
            time.sleep(0.05)

    def commands(self) -> dict[str, str]:
        """The command lines that it printed to be tried, by what they are said to show."""
        printed = self.output.partition("Try, in another shell")[2]
        blocks = re.findall(r"^# ([^\n]+)\n((?:[^#\n][^\n]*\n|\n(?=[^#\n]))+)", printed, re.MULTILINE)
        return {title: command.strip() for title, command in blocks}

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this home, PostgreSQL's own processes included."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if str(self.home) in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def omni(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMNI_HOME": str(home)}
    return subprocess.run(
        [str(OMNI), *words], env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=90
    )


def paste(command: str) -> str:
    """Run what was printed in a shell that knows nothing of the test's environment, and return what it prints."""
    bare = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    ended = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, env=bare, capture_output=True, text=True, check=False, timeout=90
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def eventually(holds: Callable[[], bool], within_s: float = 40.0) -> bool:
    until = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for Omni's data. Not below pytest's own: another session's start would shut PostgreSQL's account out."""
    with tempfile.TemporaryDirectory(prefix="omni-up-") as folder:
        yield Path(folder) / "home"


@pytest.fixture
def up(home: Path) -> Iterator[Callable[..., Installation]]:
    """Call it to start `omni up`; whatever is left of it at the end is killed, by pid."""
    started: list[Installation] = []

    def start(*words: str, **variables: str) -> Installation:
        started.append(Installation(home, *words, **variables))
        return started[-1]

    yield start
    for one in started:
        one.process.poll()
        for process in [
            *one.processes(),
            *([psutil.Process(one.process.pid)] if one.process.returncode is None else []),
        ]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        one.process.wait(timeout=30)


def test_what_it_prints_works_as_printed(up: Callable[..., Installation]) -> None:
    running = up()
    running.wait_until_ready()
    assert "worker.ready" in running.log.read_text(encoding="utf-8")
    commands = running.commands()
    shown = list(samples())
    assert len(commands) == 10 + len(shown)
    titles = " ".join(commands)
    assert "sample" in titles
    assert "new key replaces" not in running.output

    answer = json.loads(paste(commands["Chat, with a key that lives for 24 hours"]))
    assert answer["choices"][0]["message"]["content"].startswith("A ticket costs four pounds.")
    streamed = paste(commands["The same, streamed"])
    assert streamed.startswith("data: {")
    assert streamed.rstrip().endswith("data: [DONE]")
    assert paste(commands["The official OpenAI client"]).startswith("A ticket costs four pounds.")
    usage = paste(commands["What was used this month, and what it cost"])
    assert re.search(r"omni-brain +3 ", usage), usage
    assert "sample" not in usage
    assert "25.00 USD" in paste(commands["What may still be spent"])
    assert "draft" in paste(commands["The invoice of this month, as it stands"])
    assert re.search(r"omni-brain \(sample\) +6 ", paste(commands["Last month's calls, which are samples"]))
    assert "queued" in paste(commands["Close last month on the worker: its invoice bills the samples"])
    assert eventually(lambda: "succeeded" in paste(commands["What the worker did"]))
    invoice = paste(commands["The first invoice, once the worker has issued it"])
    assert "omni-brain (sample)" in invoice
    assert "finalized" in invoice
    # This month still runs, and what was used in it is still to be billed.
    assert re.search(r"request +\S+ +3 ", paste(commands["The invoice of this month, as it stands"]))
    for sample in shown:
        assert len(paste(commands[sample.TRY[0]]).splitlines()) > 1
    with closing(urlopen(f"http://127.0.0.1:{running.port}/api/docs", timeout=10)) as page:
        assert page.status == 200
    assert re.search(r"ready at http://127.0.0.1:\d+ after \d+\.\d s", running.output)
    assert running.stop(signal.SIGTERM) == 0
    assert running.processes() == []


def test_a_second_start_keeps_the_data_and_replaces_the_key_in_an_hour(up: Callable[..., Installation]) -> None:
    first = up("--no-worker")
    first.wait_until_ready()
    assert first.stop(signal.SIGINT) == 0
    assert first.processes() == []
    old = first.commands()["Chat, with a key that lives for 24 hours"]

    second = up("--no-worker")
    second.wait_until_ready()
    new = second.commands()["Chat, with a key that lives for 24 hours"]
    assert "choices" in json.loads(paste(new))
    assert re.search(
        r"A new key replaces the one of the last start, which works until \d{4}-\S+ \d\d:\d\d UTC", second.output
    )
    assert "choices" in json.loads(paste(SECRET.sub(SECRET.findall(old)[0], new)))
    listed = omni(second.home, "keys", "list", "--tenant", "demo", "--json")
    keys = json.loads(listed.stdout)["items"]
    assert [key["revoked_at"] for key in keys] == [None, None]
    newer, older = (datetime.fromisoformat(key["expires_at"]) for key in keys)
    assert newer - older > timedelta(hours=22)
    assert not SECRET.search(listed.stdout)
    # Two calls were made just now; the sample calls are last month's.
    calls = json.loads(omni(second.home, "usage", "--tenant", "demo", "--json").stdout)["items"][0]["calls"]
    assert calls == 2
    assert second.stop(signal.SIGTERM) == 0
    assert second.processes() == []


def test_it_runs_on_a_database_of_the_operators_own(up: Callable[..., Installation], fresh_database_url: str) -> None:
    running = up("--no-worker", DATABASE_URL=fresh_database_url)
    running.wait_until_ready()
    commands = running.commands()
    paste(commands["Chat, with a key that lives for 24 hours"])
    assert re.search(r"omni-brain +1 ", paste(commands["What was used this month, and what it cost"]))
    assert not (running.home / "postgresql").exists()
    assert running.stop(signal.SIGTERM) == 0
    assert running.processes() == []


def test_its_postgresql_comes_back_when_it_is_killed_and_not_after_down(up: Callable[..., Installation]) -> None:
    running = up()
    running.wait_until_ready()
    found = asyncio.run(status(running.home))
    assert found.pid is not None
    os.kill(found.pid, signal.SIGKILL)
    chat = running.commands()["Chat, with a key that lives for 24 hours"]
    assert eventually(lambda: "choices" in paste(chat))
    assert asyncio.run(status(running.home)).holders == found.holders
    ended = omni(running.home, "down")
    assert ended.returncode == 0, ended.stderr
    assert running.process.wait(timeout=30) == 0
    assert running.processes() == []


def test_down_ends_it_from_another_shell(up: Callable[..., Installation]) -> None:
    running = up()
    running.wait_until_ready()
    ended = omni(running.home, "down", "--json")
    assert ended.returncode == 0, ended.stderr
    assert len(json.loads(ended.stdout)["processes"]) == 3
    assert running.process.wait(timeout=30) == 0
    assert running.processes() == []


def test_after_kill_9_its_programs_end_and_down_cleans_up(up: Callable[..., Installation]) -> None:
    running = up()
    running.wait_until_ready()
    running.process.kill()
    running.process.wait(timeout=30)
    ended = omni(running.home, "down")
    assert ended.returncode == 0, ended.stderr
    assert running.processes() == []
    assert omni(running.home, "down").stdout == "nothing was running\n"


def test_after_kill_9_of_everything_down_stops_the_postgresql_that_was_left(up: Callable[..., Installation]) -> None:
    running = up()
    running.wait_until_ready()
    programs = [one for one in running.processes() if "postgres" not in one.name()]
    assert len(programs) == 3
    for process in programs:
        process.kill()
    running.process.wait(timeout=30)
    assert running.processes() != []
    assert omni(running.home, "down").stdout == "stopped PostgreSQL\n"
    assert running.processes() == []


def test_a_program_that_dies_ends_the_other(up: Callable[..., Installation]) -> None:
    running = up()
    running.wait_until_ready()
    (worker,) = [one for one in running.processes() if "omni_workers" in one.cmdline()]
    worker.kill()
    assert running.process.wait(timeout=60) == 69
    assert "the worker ended by SIGKILL" in running.log.read_text(encoding="utf-8")
    assert running.processes() == []


def test_a_port_that_is_taken_is_named_before_anything_is_started(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        ended = omni(home, "up", "--port", str(port))
    assert ended.returncode == 72
    assert f"port {port} on 127.0.0.1" in ended.stderr
    assert "--port" in ended.stderr
    assert not home.exists()


def test_told_to_stop_while_it_starts_it_stops(up: Callable[..., Installation]) -> None:
    running = up()
    assert eventually(lambda: "starting PostgreSQL" in running.output)
    assert running.stop(signal.SIGINT) == 0
    assert running.processes() == []


def test_down_leaves_a_database_that_others_use(up: Callable[..., Installation]) -> None:
    running = up("--no-worker")
    running.wait_until_ready()
    command = [str(OMNI), "worker", "--home", str(running.home)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=ROOT) as worker:
        try:
            assert eventually(lambda: asyncio.run(status(running.home)).holders == 3)
            refused = omni(running.home, "down")
            assert refused.returncode == 73
            assert "cli.still_in_use" in refused.stderr
            assert worker.poll() is None
        finally:
            worker.terminate()
            worker.wait(timeout=30)
    assert eventually(lambda: running.processes() == [])
