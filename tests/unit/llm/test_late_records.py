"""Usage whose caller has gone is recorded, or somebody hears of it."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from omni_core.adapters.telemetry.usage import log_unrecorded_usage
from omni_core.domain.budgets.api import Charge, Reservation
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.tenancy import OPERATOR
from omni_core.domain.llm.accounts import Caller
from omni_core.domain.llm.late import LateRecords
from omni_core.domain.metering.api import UsageEvent
from omni_core.domain.metering.errors import InvalidUsage, UsageNotRecorded
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.pricing import a_price

FOR_EVER = 10**6


class UnreliableLog:
    """A usage log that fails as often as it is told to."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or UsageNotRecorded("away")
        self.attempts = 0
        self.tried = asyncio.Event()

    async def append(self, event: UsageEvent, charges: Sequence[Charge] = ()) -> bool:
        self.attempts += 1
        self.tried.set()
        if self.attempts <= self.failures:
            raise self.error
        return True

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def event() -> UsageEvent:
    return a_call(a_tenant_id(), a_price())


@pytest.fixture
def unrecorded() -> list[tuple[UsageEvent, Exception]]:
    return []


async def test_it_is_tried_again_until_it_is_recorded(event, unrecorded):
    log = UnreliableLog(failures=3)
    late = LateRecords(log, lambda *told: unrecorded.append(told), [0.001] * 5)
    late.add(event, Reservation((), 0))
    await late.settled()
    assert (log.attempts, unrecorded) == (4, [])


async def test_who_gives_up_tells_everything_about_it(event, unrecorded):
    log = UnreliableLog(failures=FOR_EVER)
    late = LateRecords(log, lambda *told: unrecorded.append(told), [0.001] * 2)
    late.add(event, Reservation((), 0))
    await late.settled()
    assert log.attempts == 3
    assert unrecorded == [(event, log.error)]


async def test_what_trying_again_does_not_mend_is_told_at_once(event, unrecorded):
    log = UnreliableLog(FOR_EVER, InvalidUsage("never"))
    late = LateRecords(log, lambda *told: unrecorded.append(told))
    late.add(event, Reservation((), 0))
    await late.settled()
    assert (log.attempts, unrecorded) == (1, [(event, log.error)])


async def test_the_end_of_the_program_does_not_wait_for_the_next_attempt_but_makes_it(event, unrecorded):
    log = UnreliableLog(failures=1)
    late = LateRecords(log, lambda *told: unrecorded.append(told), [3600.0])
    late.add(event, Reservation((), 0))
    await log.tried.wait()
    async with asyncio.timeout(10):
        await late.close()
    assert (log.attempts, unrecorded) == (2, [])


async def test_the_operator_reads_tenant_and_cost_in_the_log(event):
    with capture_logs() as logs:
        log_unrecorded_usage(event, UsageNotRecorded("away"))
    (entry,) = logs
    assert entry["log_level"] == "error"
    fields = entry["event_fields"]
    assert (fields["tenant_id"], fields["cost_picos"]) == (str(event.tenant_id), event.cost_picos)


@pytest.mark.parametrize("request_id", ["a\x00b", "a\nb", "x" * 201])
def test_a_request_id_that_no_log_takes_is_refused_before_the_call(request_id: str):
    with pytest.raises(InvalidValue) as refused:
        Caller(OPERATOR, request_id)
    assert refused.value.fields["field"] == "request_id"
