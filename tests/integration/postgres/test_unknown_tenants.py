"""A principal of a tenant that does not exist, made by hand: each service refuses it, and nothing is stored."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from omni_core import (
    OPERATOR,
    ChatRequest,
    CreateKey,
    CreateTenant,
    Message,
    Month,
    Omni,
    PageRequest,
    Principal,
    Role,
    SetBudget,
    Settings,
    UsageQuery,
    Window,
)
from omni_core.bootstrap.containers.root import PLATFORM as PLATFORM_PART
from omni_core.domain.tenancy.api import MemberRole
from omni_core.domain.tenancy.errors import UnknownTenant
from omni_core.testing.builders.kernel import a_tenant_id
from tests.support.database import connected

SECRET = "M" * 43 + "="
QUESTION = ChatRequest("omni-brain", (Message.of(Role.USER, "The pool opens at nine. When does it open?"),))
NOW = datetime.now(UTC)
TODAY = UsageQuery(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
Call = Callable[[Omni, Principal], Awaitable[object]]
CALLS: dict[str, Call] = {
    "a chat": lambda omni, who: omni.chat.complete(who, QUESTION),
    "a stream": lambda omni, who: omni.chat.stream(who, QUESTION),
    "a chat under a key": lambda omni, who: omni.chat.complete(who, QUESTION, idempotency_key="k"),
    "a key": lambda omni, who: omni.keys.create(who, CreateKey("a")),
    "a member": lambda omni, who: omni.tenants.add_member(who, "ada@example.com", MemberRole.OWNER),
    "a budget": lambda omni, who: omni.budgets.create(who, SetBudget(Window.DAY, "1")),
    "an invoice": lambda omni, who: omni.billing.close(who, Month(2026, 10)),
    "a job": lambda omni, who: omni.jobs.submit(who, "billing.close", {"month": "2026-10"}),
    "suspending": lambda omni, who: omni.tenants.suspend(who),
    "usage": lambda omni, who: omni.metering.summary(who, TODAY),
    "budgets": lambda omni, who: omni.budgets.list(who),
    "events": lambda omni, who: omni.events.list(who, PageRequest()),
}


@pytest.fixture
async def in_memory() -> AsyncIterator[Omni]:
    async with Omni.open(memory=True) as omni:
        yield omni


@pytest.fixture
async def on_postgres(fresh_database_url: str) -> AsyncIterator[Omni]:
    async with Omni.open(Settings(database_url=fresh_database_url, secret_key=SECRET), upgrade=True) as omni:
        yield omni


@pytest.fixture(params=["in_memory", pytest.param("on_postgres", marks=pytest.mark.postgres)])
def omni(request: pytest.FixtureRequest) -> Omni:
    opened: Omni = request.getfixturevalue(request.param)
    return opened


async def test_no_service_does_anything_for_a_tenant_that_does_not_exist(omni: Omni):
    nobody = omni.operator(a_tenant_id())
    for what, call in CALLS.items():
        with pytest.raises(UnknownTenant) as refused:
            await call(omni, nobody)
        assert refused.value.fields == {"tenant": str(nobody.tenant_id)}, what
    assert await stored_of(omni, nobody) == {}
    # The principal is right as soon as there is such a tenant.
    tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
    await omni.chat.complete(omni.operator(tenant.id), QUESTION)
    assert (await stored_of(omni, omni.operator(tenant.id))).keys() >= {"tenant", "usage_event"}


async def stored_of(omni: Omni, who: Principal) -> dict[str, int]:
    """Return how many rows a tenant has, by table, where it has any."""
    if omni.urls is None:
        tables = omni._wiring.part(PLATFORM_PART).memory().tables  # noqa: SLF001 - every table that there is
        counts = {name: len(tables[name].get(who.tenant_id, ())) for name in list(tables)}
    else:
        async with connected(omni.urls.owner) as owner:
            names = await owner.fetch(
                "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid "
                "where a.attname = 'tenant_id' and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
            )
            counts = {
                row["relname"]: await owner.fetchval(
                    f"select count(*) from {row['relname']} where tenant_id = $1", who.tenant_id
                )
                for row in names
            }
    return {name: count for name, count in counts.items() if count}
