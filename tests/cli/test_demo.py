"""The tenant that `omni up` makes, on memory adapters."""

from datetime import UTC, datetime, timedelta

import pytest

from omni_cli.local import demo
from omni_cli.local.sample_usage import MODEL, record_last_month
from omni_core import Omni, PageRequest, Principal
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.tenancy import OPERATOR
from omni_core.domain.metering.api import UsageQuery
from omni_core.domain.tenancy.errors import KeyRevoked

NOW = datetime.now(UTC)
LAST = Month.of(Month.of(NOW).start - timedelta(days=1))


@pytest.fixture
async def omni():
    async with Omni.open(memory=True) as opened:
        yield opened


async def operator_of(omni: Omni) -> Principal:
    return omni.operator(await omni.tenants.resolve(OPERATOR, demo.SLUG))


async def test_last_months_sample_calls_are_marked_and_can_be_closed(omni):
    await demo.prepare(omni)
    operator = await operator_of(omni)
    ever = UsageQuery(datetime(2000, 1, 1, tzinfo=UTC), NOW + timedelta(days=1))
    events = (await omni.metering.events(operator, ever, PageRequest())).items
    assert len(events) == 6
    assert {event.model for event in events} == {"omni-brain (sample)"}
    assert {Month.of(event.occurred_at) for event in events} == {LAST}
    assert all(event.request_id.startswith("sample-") for event in events)

    invoice = await omni.billing.close(operator, LAST)
    assert {line.model for line in invoice.lines} == {MODEL}
    assert sum(line.exact_picos for line in invoice.lines) == sum(event.cost_picos for event in events)
    assert (await omni.billing.preview(operator, Month.of(NOW))).lines == ()


async def test_a_second_start_adds_no_samples_to_a_month_that_has_usage_or_is_closed(omni):
    await demo.prepare(omni)
    operator = await operator_of(omni)
    await demo.prepare(omni)
    invoice = await omni.billing.close(operator, LAST)
    assert sum(line.calls for line in invoice.lines if line.meter == "request") == 6
    await demo.prepare(omni)
    assert (await omni.billing.preview(operator, Month.of(NOW))).lines == ()
    # Of the month before that, nothing was used, and nothing is closed.
    await record_last_month(omni, operator, LAST.start)
    assert (await omni.billing.preview(operator, Month.of(NOW))).lines != ()


async def test_the_key_before_works_for_another_hour_and_no_longer_than_it_would(omni):
    first = await demo.prepare(omni)
    assert first.replaced_until is None
    second = await demo.prepare(omni)
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    assert second.replaced_until is not None
    assert abs(second.replaced_until - in_an_hour) < timedelta(minutes=2)
    for secret in (first.secret, second.secret):
        await omni.authenticator.authenticate(secret)
    keys = (await omni.keys.list(await operator_of(omni), PageRequest())).items
    assert min(key.expires_at for key in keys) == second.replaced_until
    # A third start does not let the first key live any longer.
    third = await demo.prepare(omni)
    keys = (await omni.keys.list(await operator_of(omni), PageRequest())).items
    assert min(key.expires_at for key in keys) == second.replaced_until
    assert third.secret not in (first.secret, second.secret)


async def test_a_key_that_was_revoked_stays_so(omni):
    first = await demo.prepare(omni)
    operator = await operator_of(omni)
    (key,) = (await omni.keys.list(operator, PageRequest())).items
    await omni.keys.revoke(operator, key.id)
    assert (await demo.prepare(omni)).replaced_until is None
    with pytest.raises(KeyRevoked):
        await omni.authenticator.authenticate(first.secret)
