import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.memory.events import memory_event_storage
from omni_core.domain.events.api import Round, Visit
from omni_core.domain.kernel.errors import DependencyFailed, Invalid, Precondition
from omni_core.testing import FixedClock, SequentialIds
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.reactor import Bench, Reactor
from omni_workers.reactions import react
from tests.support.waiting import eventually


class DatabaseLost(DependencyFailed):
    """The database is lost."""

    code = "testing.database_lost"
    retryable = True


class ScriptedRunner:
    """Comes back from each look around as the script says, then stops its caller."""

    def __init__(self, stop: asyncio.Event, script: Sequence[Round | Exception]) -> None:
        self._stop = stop
        self._script = list(script)
        self.sweeps = 0

    async def pump(self, stop: object) -> Round:
        if not self._script:
            self._stop.set()
            return Round((), is_quiet=True)
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def sweep(self) -> None:
        self.sweeps += 1


async def go_through(*script: Round | Exception, poll_s: float = 0.001, sweep_s: float = 3600) -> ScriptedRunner:
    stop = asyncio.Event()
    runner = ScriptedRunner(stop, script)
    async with asyncio.timeout(10):
        await react(runner, stop, poll_s=poll_s, sweep_s=sweep_s, pauses_s=[0.001])
    return runner


async def test_a_lost_database_is_waited_for():
    with capture_logs() as lines:
        await go_through(DatabaseLost(), Round((Visit(a_tenant_id(), error=DatabaseLost()),), is_quiet=True))
    assert [line["event"] for line in lines] == [
        "reactions.ready",
        "reactions.database_lost",
        "reactions.visit_failed",
        "reactions.stopped",
    ]


@pytest.mark.parametrize("error", [Precondition(), DependencyFailed(), RuntimeError("no")], ids=repr)
async def test_what_keeps_tenants_from_being_found_for_good_ends_the_worker(error: Exception):
    with pytest.raises(type(error)):
        await go_through(error)


async def test_where_there_is_more_to_do_it_goes_on_at_once():
    await go_through(Round((), is_quiet=False), Round((), is_quiet=False), poll_s=3600)


async def test_a_stop_ends_a_pause():
    stop = asyncio.Event()
    reacting = asyncio.create_task(react(ScriptedRunner(stop, [Round((), is_quiet=True)]), stop, poll_s=3600))
    await asyncio.sleep(0.01)
    stop.set()
    async with asyncio.timeout(10):
        await reacting


async def test_tenants_that_nothing_woke_are_looked_for_from_time_to_time():
    assert (await go_through(*[Round((), is_quiet=True)] * 3, sweep_s=0)).sweeps == 4


async def test_what_became_of_events_is_in_the_log():
    bench, stop = Bench(memory_event_storage(MemoryDatabase(FixedClock(), SequentialIds()))), asyncio.Event()
    unforeseen = RuntimeError("what")
    fine, broken, refused = Reactor(), Reactor("testing.broken"), Reactor("testing.refused")
    broken.failing[1], refused.failing[1] = unforeseen, Invalid("it is wrong")
    await bench.happen(0, 1)
    with capture_logs() as lines:
        reacting = asyncio.create_task(react(bench.runner(fine, broken, refused), stop, poll_s=0.01))
        await eventually(lambda: settled(bench))
        stop.set()
        await reacting
    told = {line.get("subscription", ""): line for line in lines if line["event"].startswith("reactions.event_")}
    assert sum(line["events"] for line in lines if line["event"] == "reactions.handled") == 4
    failed, set_aside = told["testing.broken"], told["testing.refused"]
    assert (failed["event"], failed["log_level"]) == ("reactions.event_failed", "warning")
    assert (failed["code"], failed["attempt"], failed["exc_info"]) == ("internal", 1, unforeseen)
    assert (set_aside["event"], set_aside["log_level"]) == ("reactions.event_set_aside", "error")
    assert (set_aside["code"], set_aside["detail"], set_aside["exc_info"]) == ("invalid", "it is wrong", None)


async def settled(bench: Bench) -> bool:
    return not await bench.is_due(bench.storage.clock.now())
