"""The schema before prices finer than a pico: what its release stored is kept, and that release goes on recording."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from omni_core.adapters.postgres import migrate, usage_batch
from omni_core.adapters.postgres.engine import APP_ROLE, open_database
from omni_core.adapters.postgres.llm import PostgresCatalogueStore
from omni_core.adapters.postgres.metering import PostgresUsageReader
from omni_core.adapters.postgres.pricing import PostgresPriceStore
from omni_core.adapters.postgres.uow import PostgresUnitOfWork
from omni_core.adapters.system import SystemIds
from omni_core.domain.kernel.clock import Month
from omni_core.domain.metering.api import Quantities, UsageEvent, UsageQuery
from omni_core.domain.pricing.api import Rates, Tier
from omni_core.testing import FixedClock
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call
from omni_core.testing.builders.pricing import a_price
from tests.support.accounts import Account
from tests.support.database import as_role, connected

pytestmark = pytest.mark.postgres
BEFORE = "0011_invoices_closed"
ADD_MODEL = """
insert into model (tenant_id, name, provider, upstream_model, context_length, max_output_tokens, created_at)
values ($1, $2, 'somewhere', $2, $3, $4, now())
"""
# What the release before calls, with rows of its own type.
APPEND = "select place, is_same from omni_append_usage($1, $2, $3, $4, $5, $6, $7)"


FILE = "select pg_relation_filenode('usage_event')"
RAW_PRICE = """
insert into price (tenant_id, id, model, currency, effective_from, tiers) values ($1, $2, 'old', 'USD', $3, $4)
"""
RATES = {"input": 150_000, "output": 600_000, "cached_input": 75_000, "cache_write": 150_000, "audio_input": 150_000}
ALWAYS = UsageQuery(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def as_before(event: UsageEvent) -> tuple[Any, ...]:
    """Return a row of `omni_usage_row`, as the release before makes it."""
    columns = usage_batch.arguments([(event, ())])[0][5][0]
    return tuple(columns[:-1])


async def test_what_was_stored_before_is_read_as_it_was(empty_database_url: str):
    await migrate.upgrade(empty_database_url, BEFORE)
    tenant_id, since = a_tenant_id(), datetime(2026, 1, 1, tzinfo=UTC)
    event = a_call(tenant_id, a_price(), cost_picos=10**37, estimated=True)
    tiers = [{"above_input_tokens": 0, "rates": {**RATES, "audio_output": 600_000, "image": 0, "request": 7}}]
    async with connected(empty_database_url) as owner:
        await owner.execute(RAW_PRICE, tenant_id, uuid4(), since, msgspec.json.encode(tiers).decode())
        for name, context, output in (("default", 128_000, 4_096), ("given", 200_000, 4_096), ("short", 128_000, 512)):
            await owner.execute(ADD_MODEL, tenant_id, name, context, output)
        await owner.fetch(APPEND, [tenant_id], [1], [1], [1], [0], [as_before(event)], [])
        file = await owner.fetchval(FILE)
        assert (await migrate.upgrade(empty_database_url)).is_current
        assert await owner.fetchval(FILE) == file  # however much usage there is, none of it is written anew
    async with open_database(as_role(empty_database_url, APP_ROLE)) as database:
        uow = PostgresUnitOfWork(database.engine, FixedClock(), SystemIds())
        async with uow(tenant_id) as tx:
            events = await PostgresUsageReader().events(tx, ALWAYS, 10, None)
            (price,) = await PostgresPriceStore().list(tx)
            models = await PostgresCatalogueStore().models(tx)
    assert list(events) == [event]
    assert price.tiers == (Tier(0, Rates(**RATES, audio_output=600_000, image=0, request=7)),)
    assert [(one.name, one.is_context_declared, one.is_output_declared) for one in models] == [
        ("default", False, False),
        ("given", True, False),
        ("short", False, True),
    ]


async def test_the_release_before_goes_on_recording(postgres, app_url: str):
    tenant_id = a_tenant_id()
    event = a_call(tenant_id, a_price())
    async with connected(app_url) as program:
        assert await program.fetch(APPEND, [tenant_id], [1], [1], [1], [0], [as_before(event)], []) == []
    async with postgres.uow(tenant_id) as tx:
        assert list(await postgres.make(PostgresUsageReader).events(tx, ALWAYS, 10, None)) == [event]


async def test_whole_picos_are_stored_as_the_release_before_stores_them(postgres, owner_url: str):
    price = a_price(prices={"input": "0.15", "output": "0.000000000001"})
    tenant_id = a_tenant_id()
    async with postgres.uow(tenant_id) as tx:
        await postgres.make(PostgresPriceStore).add(tx, price)
    async with connected(owner_url) as owner:
        text = await owner.fetchval("select tiers from price where tenant_id = $1", tenant_id)
    (tier,) = msgspec.json.decode(text)
    assert (tier["rates"]["input"], tier["rates"]["output"]) == (150_000, "0.000001")


async def test_an_invoice_of_fine_prices_is_issued_whole(postgres):
    account = Account(postgres)
    price = await account.price(a_price(prices={"input": "0.000000000001", "output": "0.150000000007"}))
    month = Month(2026, 7)
    calls = [await account.call(price, month.start, quantities=Quantities(input=n, output=n)) for n in (1, 2, 999_999)]
    invoice = await account.close(month)
    exact = sum(line.exact_picos for line in invoice.lines)
    assert exact == sum(call.cost_picos for call in calls)
    assert isinstance(exact, Fraction)
    assert await account.billing.get(account.principal, invoice.id) == invoice
