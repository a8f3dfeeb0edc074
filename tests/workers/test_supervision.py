import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from omni_core.domain.kernel.errors import DependencyFailed, Precondition
from omni_workers.supervision import stop_signals, work


class QueueLost(DependencyFailed):
    """The queue is lost."""

    code = "testing.queue_lost"
    retryable = True


class ScriptedConsumer:
    """Ends each session as the script says; after the last it works until it is stopped."""

    def __init__(self, *endings: Exception, ready: bool = True) -> None:
        self._endings = list(endings)
        self._ready = ready
        self.sessions = 0
        self.begun = asyncio.Event()
        self.at_work = asyncio.Event()

    async def consume(self, deliver: object, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        self.sessions += 1
        self.begun.set()
        if self._endings:
            if self._ready:
                on_ready()
            raise self._endings.pop(0)
        self.at_work.set()
        await stop.wait()


async def settle(_: object) -> bool:
    return True


async def test_a_lost_queue_is_looked_for_again_until_it_is_there():
    consumer, stop = ScriptedConsumer(*[QueueLost() for _ in range(5)]), asyncio.Event()
    working = asyncio.create_task(work(consumer, settle, stop, pauses_s=[0.001]))
    async with asyncio.timeout(10):
        await consumer.at_work.wait()
        stop.set()
        await working
    assert consumer.sessions == 6


async def test_a_stop_ends_a_pause():
    consumer, stop = ScriptedConsumer(QueueLost(), ready=False), asyncio.Event()
    working = asyncio.create_task(work(consumer, settle, stop, pauses_s=[3600]))
    async with asyncio.timeout(10):
        await consumer.begun.wait()
        stop.set()
        await working
    assert consumer.sessions == 1


@pytest.mark.parametrize("ready, pauses", [(True, [0.001, 3600]), (False, [0.001, 0.001, 0.001])])
async def test_pauses_grow_only_while_nothing_works(ready, pauses):
    consumer, stop = ScriptedConsumer(QueueLost(), QueueLost(), QueueLost(), ready=ready), asyncio.Event()
    working = asyncio.create_task(work(consumer, settle, stop, pauses_s=pauses))
    async with asyncio.timeout(10):
        await consumer.at_work.wait()
        stop.set()
        await working
    assert consumer.sessions == 4


@pytest.mark.parametrize("error", [Precondition(), DependencyFailed(), RuntimeError("no")], ids=repr)
async def test_what_trying_again_does_not_mend_ends_the_worker(error: Exception):
    with pytest.raises(type(error)):
        await work(ScriptedConsumer(error), settle, asyncio.Event())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_to_stop(number: signal.Signals):
    async with asyncio.timeout(10), stop_signals() as stop:
        os.kill(os.getpid(), number)
        await stop.wait()
