import pytest

from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.metering.api import Meter, Quantities, UsageQuery
from omni_core.domain.metering.errors import InvalidUsage
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.pricing import a_price
from omni_core.testing.clock import NOON

PRICE = a_price()


def test_every_meter_has_its_quantity():
    counted = Quantities(**{meter.value: number for number, meter in enumerate(Meter)})
    assert [counted.of(meter) for meter in Meter] == list(range(len(Meter)))


def test_totals_are_of_tokens_and_count_each_once():
    used = Quantities(
        input=1, cached_input=2, cache_write=4, audio_input=8, output=16, audio_output=32, image=64, request=128
    )
    assert (used.input_total, used.output_total) == (15, 48)


@pytest.mark.parametrize("meter", Meter)
def test_a_quantity_is_never_negative(meter):
    with pytest.raises(InvalidUsage):
        Quantities(**{meter.value: -1})


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_an_idempotency_key_has_its_bounds(key):
    with pytest.raises(InvalidUsage):
        a_call(a_tenant_id(), PRICE, idempotency_key=key)


@pytest.mark.parametrize("field", ["idempotency_key", "model", "provider", "currency", "request_id"])
@pytest.mark.parametrize("text", ["a\0b", "é\0", "half \ud83d"])
def test_a_text_that_no_store_takes_is_refused_early(field, text):
    with pytest.raises(InvalidUsage) as raised:
        a_call(a_tenant_id(), PRICE, **{field: text})
    assert raised.value.fields["field"] == field


def test_a_query_ends_after_it_begins():
    with pytest.raises(InvalidValue):
        UsageQuery(NOON, NOON)
