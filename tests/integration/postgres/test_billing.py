"""Invoices on PostgreSQL: what parallel closes, a rolled-back close and the database's owner cannot do."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

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
# Every column but those that make it another call, on the invoice $2.
A_SECOND_CALL = """
insert into usage_event
select (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid(), 'idempotency_key', 'another',
                                                    'invoice_id', $2::uuid))).*
  from usage_event u where id = $1
"""
FINALIZE = """
update invoice set status = 'finalized', number = 'INV-000009', finalized_at = now(), total_minor = $2 where id = $1
"""
IN_NOVEMBER = NOVEMBER.start + timedelta(days=3)


@pytest.fixture
def account(postgres):
    return Account(postgres)


@pytest.fixture
async def price(account):
    return await account.price(a_price())


@pytest.fixture
async def program(account, database):
    """A connection as the program has one, in a transaction of the account's tenant."""
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('omni.tenant', $1, true)", str(account.tenant_id))
        yield connection


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


async def test_the_program_cannot_put_late_usage_on_an_issued_invoice(account, price, program):
    await account.call(price, IN_NOVEMBER)
    invoice = await account.close(NOVEMBER)
    late = await account.call(price, IN_NOVEMBER)
    with pytest.raises(asyncpg.RestrictViolationError, match="never changes"):
        await program.execute("update usage_event set invoice_id = $1 where id = $2", invoice.id, late.id)


async def test_the_program_cannot_record_usage_that_is_on_an_invoice_already(account, price, program):
    call = await account.call(price, IN_NOVEMBER)
    invoice = await account.close(NOVEMBER)
    with pytest.raises(asyncpg.RestrictViolationError, match="recorded first"):
        await program.execute(A_SECOND_CALL, call.id, invoice.id)


async def test_no_usage_is_added_while_its_invoice_is_issued(account, price, database):
    await account.call(price, IN_NOVEMBER)
    draft = await account.billing.draft(account.principal, NOVEMBER)
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('omni.tenant', $1, true)", str(account.tenant_id))
        await connection.execute("update usage_event set invoice_id = $1", draft.id)
        close = asyncio.create_task(account.close(NOVEMBER))
        done, _ = await asyncio.wait([close], timeout=0.2)
        assert not done
    with pytest.raises(IntegrityError, match="add up to the usage on it"):
        await close


@pytest.mark.parametrize("claimed, expected", [(True, "add up to the usage on it"), (False, "has lines")])
async def test_the_program_cannot_issue_an_invoice_of_used_calls_without_lines(
    account, price, program, owner, claimed, expected
):
    draft = await account.billing.draft(account.principal, NOVEMBER)
    call = await account.call(price, IN_NOVEMBER)
    await owner.execute("update usage_event set recorded_at = now() - interval '2 minutes' where id = $1", call.id)
    if claimed:
        await program.execute("update usage_event set invoice_id = $1", draft.id)
    with pytest.raises(asyncpg.CheckViolationError, match=expected):
        await program.execute(FINALIZE, draft.id, draft.total.minor)


async def test_the_program_cannot_issue_another_total_than_its_lines(account, program):
    draft = await account.billing.draft(account.principal, NOVEMBER)
    with pytest.raises(asyncpg.CheckViolationError, match="sum of its lines"):
        await program.execute(FINALIZE, draft.id, 1)


async def test_a_month_without_usage_is_issued_without_lines(account, price):
    await account.call(price, IN_NOVEMBER)
    october, november = await account.close(OCTOBER), await account.close(NOVEMBER)
    assert (october.lines, october.total.minor, october.number) == ((), 0, "INV-000001")
    assert (len(november.lines) > 0, november.number) == (True, "INV-000002")


@pytest.mark.parametrize("number", ["0", "last_number", "last_number - 1", "last_number + 2"])
async def test_the_program_cannot_take_a_number_back_nor_leave_one_out(account, program, number):
    await account.close(OCTOBER)
    with pytest.raises(asyncpg.RestrictViolationError, match="rise by 1"):
        await program.execute(f"update invoice_register set last_number = {number}")


async def test_the_program_cannot_begin_with_another_number(account, program):
    with pytest.raises(asyncpg.RestrictViolationError, match="begin at 1"):
        await program.execute("insert into invoice_register values ($1, 7)", account.tenant_id)
