"""Runs the fake provider as a process: prints its base URL, then serves until it is told to stop."""

import argparse
import asyncio
import signal
import sys

import msgspec

from omni_core.testing.upstream.scripts import Script
from omni_core.testing.upstream.server import FakeUpstream


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m omni_core.testing.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free port")
    parser.add_argument("--key", action="append", help="an API key to accept; without any, every call is served")
    parser.add_argument("--script", default="{}", help="JSON of the default answer, such as '{\"pieces\": 50}'")
    parser.add_argument("--keep", type=int, default=10_000, help="how many calls GET /_upstream/calls remembers")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    script = msgspec.json.decode(arguments.script, type=Script)
    async with FakeUpstream(script=script, keys=arguments.key, port=arguments.port, keep=arguments.keep) as upstream:
        sys.stdout.write(f"{upstream.url}\n")
        sys.stdout.flush()
        await stop.wait()


def _run() -> None:
    arguments = _arguments()
    try:
        import uvloop  # noqa: PLC0415 - faster where it is installed, and nowhere needed
    except ModuleNotFoundError:
        asyncio.run(_serve(arguments))
    else:
        uvloop.run(_serve(arguments))


if __name__ == "__main__":
    _run()
