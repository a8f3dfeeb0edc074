"""Invoices on PostgreSQL: what parallel closes, a rolled-back close and the database's owner cannot do."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from omni_core.domain.billing.errors import DoesNotAddUp
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.pages import PageRequest
from omni_core.testing.builders.pricing import a_price
from tests.support.accounts import Account

pytestmark = pytest.mark.postgres
OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)
ADD_A_LINE = """
insert into invoice_line
select tenant_id, invoice_id, position + 100, usage_month, model, meter, price_id, price_tier, calls, quantity,
       unit_price_picos, exact_picos, amount_minor
  from invoice_line where invoice_id = $1
"""
IN_NOVEMBER = NOVEMBER.start + timedelta(days=3)


@pytest.fixture
def account(postgres):
    return Account(postgres)


@pytest.fixture
async def price(account):
    return await account.price(a_price())


@pytest.fixture
async def owner(owner_url):
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


async def test_parallel_closes_of_a_month_issue_one_invoice(account, price):
    calls = [await account.call(price, IN_NOVEMBER) for _ in range(20)]
    first, *others = await asyncio.gather(*(account.close(NOVEMBER) for _ in range(8)))
    assert all(other == first for other in others)
    assert first.number == "INV-000001"
    assert await account.calls_on(first) == calls
    assert len((await account.billing.list(account.principal, PageRequest())).items) == 1
    assert len(await account.events()) == 1


async def test_parallel_closes_of_different_months_number_them_without_a_gap(account, price):
    calls = [await account.call(price, Month(2026, number).start) for number in range(1, 9)]
    invoices = await asyncio.gather(*(account.close(Month(2026, number)) for number in range(1, 9)))
    assert sorted(str(invoice.number) for invoice in invoices) == [f"INV-00000{number}" for number in range(1, 9)]
    claimed = [call.id for invoice in invoices for call in await account.calls_on(invoice)]
    assert sorted(claimed) == sorted(call.id for call in calls)


async def test_calls_recorded_during_closes_are_billed_once(account, price):
    closes = [asyncio.create_task(account.close(Month(2026, number))) for number in (10, 11, 10, 11)]
    calls = await asyncio.gather(*(account.call(price, OCTOBER.start) for _ in range(60)))
    await asyncio.gather(*closes)
    account.backend.clock.advance(timedelta(days=31))
    await account.close(Month(2026, 12))
    invoices = [await account.close(Month(2026, number)) for number in (10, 11, 12)]
    claimed = [call for invoice in invoices for call in await account.calls_on(invoice)]
    assert sorted(call.id for call in claimed) == sorted(call.id for call in calls)
    exact = sum(line.exact_picos for invoice in invoices for line in invoice.lines)
    assert exact == sum(call.cost_picos for call in calls)


async def test_a_close_that_fails_leaves_no_gap_in_the_numbers(account, price):
    await account.call(price, OCTOBER.start)
    await account.close(OCTOBER)
    await account.call(price, IN_NOVEMBER, cost_picos=1)
    with pytest.raises(DoesNotAddUp):
        await account.close(NOVEMBER)
    assert (await account.close(Month(2026, 9))).number == "INV-000002"


@pytest.mark.parametrize(
    "statement",
    [
        "update invoice set total_minor = 0 where id = $1",
        "update invoice set status = 'draft', number = null, finalized_at = null where id = $1",
        "delete from invoice where id = $1",
        "update invoice_line set amount_minor = 0 where invoice_id = $1",
        "delete from invoice_line where invoice_id = $1",
        ADD_A_LINE,
        "update usage_event set cost_picos = 0 where invoice_id = $1",
        "update usage_event set invoice_id = null where invoice_id = $1",
        "delete from usage_event where invoice_id = $1",
    ],
)
async def test_even_the_owner_cannot_change_what_is_invoiced(account, price, owner, statement):
    await account.call(price, IN_NOVEMBER)
    invoice = await account.close(NOVEMBER)
    with pytest.raises(asyncpg.RestrictViolationError, match="never changes"):
        await owner.execute(statement, invoice.id)
    assert await account.billing.get(account.principal, invoice.id) == invoice


async def test_a_line_cannot_be_moved_onto_a_finalized_invoice(account, price, owner):
    await account.call(price, IN_NOVEMBER)
    draft = await account.billing.draft(account.principal, NOVEMBER)
    october = await account.close(OCTOBER)
    with pytest.raises(asyncpg.RestrictViolationError, match="never changes"):
        await owner.execute("update invoice_line set invoice_id = $1 where invoice_id = $2", october.id, draft.id)


@pytest.mark.parametrize("table", ["invoice cascade", "invoice_line"])
async def test_invoices_are_not_emptied(owner, table):
    with pytest.raises(asyncpg.RestrictViolationError, match="never changes"):
        await owner.execute(f"truncate {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "delete from invoice where id = $1",
        "update invoice_line set amount_minor = 0 where invoice_id = $1",
        "update usage_event set cost_picos = 0 where invoice_id = $1",
        "delete from invoice_register where tenant_id <> $1",
    ],
)
async def test_the_program_is_not_granted_what_it_need_not_do(account, database, statement):
    draft = await account.billing.draft(account.principal, NOVEMBER)
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('omni.tenant', $1, true)", str(account.tenant_id))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement, draft.id)
