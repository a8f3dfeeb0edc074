"""A browser without a window, which shows what a page comes to and what it asked for on the way."""

import asyncio
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.required import program

LOADED_WITHIN_S = 100
# The pages' own time, which runs ahead of the clock while nothing is under way.
VIRTUAL_TIME_MS = 20_000
# Names of other hosts lead nowhere, so that nothing leaves this machine, whatever a page or the browser itself tries.
NOWHERE = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
OPTIONS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-logging=stderr",
    f"--host-resolver-rules={NOWHERE}",
    f"--virtual-time-budget={VIRTUAL_TIME_MS}",
)


@dataclass(frozen=True)
class Shown:
    """A page as it stands once its scripts have run. `asked` are the URLs that the page, not the browser, asked for."""

    dom: str
    asked: frozenset[str]
    console: tuple[str, ...]


async def show(url: str, folder: Path) -> Shown:
    """Open a page, with a profile of its own in `folder`; skip the test where there is no browser."""
    return await asyncio.to_thread(_show, url, folder)


def _show(url: str, folder: Path) -> Shown:
    net_log = folder / "net.json"
    # A browser's sandbox does not work for root.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    ended = subprocess.run(
        [
            program("chromium", "chromium-browser", "google-chrome"),
            *OPTIONS,
            *sandbox,
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={net_log}",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=LOADED_WITHIN_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    console = tuple(line for line in ended.stderr.splitlines() if ":CONSOLE:" in line)
    return Shown(ended.stdout, frozenset(_asked(json.loads(net_log.read_bytes()))), console)


def _asked(net_log: dict[str, Any]) -> set[str]:
    # What the browser asks for on its own, the page's address included, has no page as its initiator.
    found = (event.get("params") or {} for event in net_log["events"])
    return {params["url"] for params in found if re.match(r"\w+://", params.get("initiator") or "") and "url" in params}
