"""`omni up` while it runs: PostgreSQL, the schema and the demo tenant, then the programs, until it is told to stop."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from omni_cli.local import demo, processes
from omni_cli.local.address import Address, until_ready
from omni_cli.local.advice import advice
from omni_cli.local.children import NAMES, WORKER, Children, stopped_at_the_end
from omni_cli.local.readiness import Readiness, readiness
from omni_cli.local.steps import step
from omni_cli.output import note, print_text
from omni_core.bootstrap.lifespan import database_urls
from omni_core.bootstrap.omni import Omni
from omni_core.bootstrap.settings import Settings

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `omni` is how another shell calls Omni, `secret` names variables that it has to set for that.

    `began` is the monotonic time in seconds at which the command began.
    """

    settings: Settings
    address: Address
    modules: tuple[str, ...]
    variables: dict[str, str]
    omni: str
    secret: list[str]
    began: float


async def run(plan: Plan) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP, and return when everything has stopped; a second signal hastens that.

    Raises `ChildEnded` where a program ends by itself, and whatever keeps PostgreSQL or the programs from starting.
    """
    children = Children(plan.settings.home)
    told = asyncio.Event()

    def tell() -> None:
        if told.is_set():
            children.kill()
        told.set()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, tell)
    with processes.announced(plan.settings.home, processes.UP):
        running = asyncio.create_task(_start_and_watch(plan, children))
        waiting = asyncio.create_task(told.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if told.is_set():
            note("stopping")
            running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            note("stopped")


async def _start_and_watch(plan: Plan, children: Children) -> None:
    async with AsyncExitStack() as stack:
        with step("starting PostgreSQL", "PostgreSQL"):
            await stack.enter_async_context(database_urls(plan.settings))
        with step("preparing the schema and the tenant demo", "schema and demo tenant"):
            async with Omni.open(plan.settings, upgrade=True) as omni:
                tenant = await demo.prepare(omni)
        await stack.enter_async_context(stopped_at_the_end(children))
        programs = " and ".join(NAMES[module] for module in plan.modules)
        with step(f"starting {programs}", programs, alone=False):
            worker = stack.enter_context(readiness())
            for module in plan.modules:
                await children.start(module, {**plan.variables, **(worker.variable if module == WORKER else {})})
            await _ready(plan, worker, children)
        _print_advice(plan, tenant)
        await children.watch()


async def _ready(plan: Plan, worker: Readiness, children: Children) -> None:
    ready = asyncio.create_task(_until_all_are_ready(plan, worker))
    watching = asyncio.create_task(children.watch())
    try:
        done, _ = await asyncio.wait({ready, watching}, return_when=asyncio.FIRST_COMPLETED)
        await done.pop()
    finally:
        ready.cancel()
        watching.cancel()


async def _until_all_are_ready(plan: Plan, worker: Readiness) -> None:
    await until_ready(plan.address)
    if WORKER in plan.modules:
        await worker.until_ready()


def _print_advice(plan: Plan, tenant: demo.Demo) -> None:
    url = plan.address.url
    print_text(f"\nOmni is ready at {url} after {time.monotonic() - plan.began:.1f} s. Ctrl-C stops it.")
    print_text("Try, in another shell in this folder:\n")
    if plan.secret:
        print_text(f"# First, as in this shell: export {' '.join(plan.secret)}\n")
    if tenant.replaced_until is not None:
        until = tenant.replaced_until.strftime("%Y-%m-%d %H:%M")
        print_text(f"# A new key replaces the one of the last start, which works until {until} UTC.\n")
    for shows, command in advice(url, tenant.secret, plan.omni):
        print_text(f"# {shows}\n{command}\n")
    print_text(f"# API reference: {url}/api/docs\n")
