from datetime import UTC, datetime

import pytest

from omni_core.adapters.memory.budgets import MemoryBudgetStore
from omni_core.adapters.memory.events import MemoryEventLog
from omni_core.adapters.memory.tenancy import MemoryKeyStore
from omni_core.domain.budgets.api import Budgets, Maker, SetBudget, Window
from omni_core.domain.budgets.errors import BudgetExists, InvalidBudget, OperatorsBudget, UnknownBudget
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.money import Money
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Principal, Scope, TenantId
from omni_core.testing.builders.budgets import CENT
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.tenancy import a_principal, an_api_key
from omni_core.testing.contracts.tenancy.key_store import stored
from tests.support.backends import Backend


@pytest.fixture
def budgets(memory):
    return Budgets(
        memory.uow, memory.make(MemoryBudgetStore), memory.make(MemoryKeyStore), memory.clock, memory.ids, "USD"
    )


async def events(memory: Backend, tenant_id: TenantId) -> list[tuple[str, object]]:
    async with memory.uow(tenant_id) as tx:
        page = await memory.make(MemoryEventLog).read(tx, PageRequest())
    return [(event.event_type.removeprefix("budgets."), event.data.get("limit_minor")) for event in page.items]


async def test_a_new_budget_has_everything_left(budgets, till, memory):
    key = await stored(memory.uow, memory.make(MemoryKeyStore), an_api_key(till.tenant_id))
    status = await budgets.create(till.principal, SetBudget(Window.DAY, "12.50", key.id))
    assert (status.budget.limit, status.budget.key_id) == (Money(1250, "USD"), key.id)
    assert status.remaining_picos == 1250 * CENT
    assert status.period_start == datetime(2026, 11, 21, tzinfo=UTC)
    assert status.resets_at == datetime(2026, 11, 22, tzinfo=UTC)
    assert list(await budgets.list(till.principal)) == [status]
    assert await events(memory, till.tenant_id) == [("budget_set", 1250)]


async def test_a_budget_is_of_a_key_that_the_tenant_has(budgets, till, memory):
    theirs = await stored(memory.uow, memory.make(MemoryKeyStore), an_api_key(a_tenant_id()))
    for key_id in (theirs.id, memory.ids.new()):
        with pytest.raises(InvalidBudget) as caught:
            await budgets.create(till.principal, SetBudget(Window.DAY, "1", key_id))
        assert caught.value.fields["field"] == "key_id"
    assert list(await budgets.list(till.principal)) == []
    assert await events(memory, till.tenant_id) == []


async def test_there_is_one_budget_for_a_key_and_a_window(budgets, till, memory):
    first = await budgets.create(till.principal, SetBudget(Window.DAY, "1"))
    with pytest.raises(BudgetExists):
        await budgets.create(till.principal, SetBudget(Window.DAY, "2"))
    second = await budgets.create(till.principal, SetBudget(Window.MONTH, "2"))
    assert list(await budgets.list(till.principal)) == [first, second]
    assert len(await events(memory, till.tenant_id)) == 2


@pytest.mark.parametrize("limit", ["-1", "1.001", "much", "NaN", ""])
async def test_a_limit_is_an_amount_of_money(budgets, till, limit):
    with pytest.raises((InvalidValue, InvalidBudget)):
        await budgets.create(till.principal, SetBudget(Window.DAY, limit))
    assert list(await budgets.list(till.principal)) == []


async def test_another_limit_keeps_what_was_spent(budgets, till, memory):
    made = await budgets.create(till.principal, SetBudget(Window.MONTH, "1"))
    await till.spend(await till.reserve(till.desk(), 60), 60)
    changed = await budgets.change_limit(till.principal, made.budget.id, "0.50")
    assert (changed.spending.spent_picos, changed.remaining_picos) == (60 * CENT, 0)
    await budgets.change_limit(till.principal, made.budget.id, "0.50")
    assert await events(memory, till.tenant_id) == [("budget_set", 100), ("budget_set", 50)]


async def test_the_operators_budget_is_not_the_tenants_to_change_or_remove(budgets, till, memory):
    operator, tenants_own = Principal.operator(till.tenant_id), till.principal
    made = await budgets.create(operator, SetBudget(Window.MONTH, "1"))
    assert made.budget.made_by is Maker.OPERATOR
    for attempt in (
        budgets.change_limit(tenants_own, made.budget.id, "1000"),
        budgets.change_limit(tenants_own, made.budget.id, "0.50"),
        budgets.remove(tenants_own, made.budget.id),
    ):
        with pytest.raises(OperatorsBudget):
            await attempt
    assert list(await budgets.list(tenants_own)) == [made]
    assert await events(memory, till.tenant_id) == [("budget_set", 100)]


async def test_the_tenants_own_budget_is_both_of_theirs_until_the_operator_sets_it(budgets, till):
    operator, tenants_own = Principal.operator(till.tenant_id), till.principal
    made = await budgets.create(tenants_own, SetBudget(Window.MONTH, "1"))
    assert made.budget.made_by is Maker.TENANT
    changed = await budgets.change_limit(tenants_own, made.budget.id, "1000000")
    assert changed.budget.made_by is Maker.TENANT
    await budgets.change_limit(operator, made.budget.id, "5")
    with pytest.raises(OperatorsBudget):
        await budgets.change_limit(tenants_own, made.budget.id, "6")
    await budgets.remove(operator, made.budget.id)
    again = await budgets.create(tenants_own, SetBudget(Window.MONTH, "1"))
    await budgets.remove(tenants_own, again.budget.id)
    assert list(await budgets.list(tenants_own)) == []


async def test_a_removed_budget_is_gone(budgets, till, memory):
    made = await budgets.create(till.principal, SetBudget(Window.MONTH, "1"))
    await budgets.remove(till.principal, made.budget.id)
    for attempt in (
        budgets.remove(till.principal, made.budget.id),
        budgets.change_limit(till.principal, made.budget.id, "1"),
    ):
        with pytest.raises(UnknownBudget):
            await attempt
    assert await events(memory, till.tenant_id) == [("budget_set", 100), ("budget_removed", None)]


async def test_no_tenant_reaches_anothers_budget(budgets, till):
    made = await budgets.create(till.principal, SetBudget(Window.MONTH, "1"))
    stranger = a_principal(a_tenant_id())
    with pytest.raises(UnknownBudget):
        await budgets.change_limit(stranger, made.budget.id, "9")
    with pytest.raises(UnknownBudget):
        await budgets.remove(stranger, made.budget.id)
    assert list(await budgets.list(stranger)) == []
    assert list(await budgets.list(till.principal)) == [made]


async def test_every_use_needs_its_scope(budgets, till):
    reader, writer = a_principal(till.tenant_id, Scope.BUDGETS_READ), a_principal(till.tenant_id, Scope.BUDGETS_WRITE)
    made = await budgets.create(writer, SetBudget(Window.MONTH, "1"))
    for attempt in (
        budgets.create(reader, SetBudget(Window.DAY, "1")),
        budgets.change_limit(reader, made.budget.id, "2"),
        budgets.remove(reader, made.budget.id),
        budgets.list(writer),
    ):
        with pytest.raises(MissingScope):
            await attempt
