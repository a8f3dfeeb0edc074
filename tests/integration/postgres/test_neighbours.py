"""Tenants beside one another: what one asks to be added up takes nothing from another's calls."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omni_core import OPERATOR, ChatRequest, CreateKey, CreateTenant, Message, Omni, Role, SetBudget, Settings, Window
from omni_core.adapters.postgres.connecting import TakesTooLong
from omni_core.adapters.postgres.engine import APP_ROLE
from omni_core.adapters.postgres.reports import ReportTooSlow, TooManyReports
from omni_core.adapters.postgres.uow import connection_of
from omni_core.bootstrap.containers.root import PLATFORM, Wiring
from omni_core.bootstrap.lifespan import open_wiring
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.metering.api import MOST_GROUPS, UsageQuery
from omni_core.domain.metering.errors import TooManyGroups
from omni_core.testing.builders.kernel import a_tenant_id
from tests.support.database import as_role, connected

pytestmark = pytest.mark.postgres
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
A_DAY = UsageQuery(MOMENT, MOMENT + timedelta(days=1))
FILL = """
insert into usage_event (tenant_id, id, idempotency_key, key_id, model, provider, status, input_quantity,
    cached_input_quantity, cache_write_quantity, output_quantity, image_quantity, audio_input_quantity,
    audio_output_quantity, request_quantity, estimated, price_id, price_tier, cost_picos, currency, latency_ms,
    request_id, occurred_at)
select $1::uuid, gen_random_uuid(), n, null, 'model-' || n, 'fake', 'completed', 1, 0, 0, 1, 0, 0, 0, 1, false,
       gen_random_uuid(), 0, 1, 'USD', 1, 'filled', $2::timestamptz
  from generate_series(1, $3::int) n
"""


@asynccontextmanager
async def opened(url: str, home: Path, **given: Any) -> AsyncIterator[tuple[Wiring, Omni]]:
    settings = Settings(home=home, database_url=as_role(url, APP_ROLE), **given)
    async with open_wiring(settings, memory=False, upgrade=False, chat_models={}) as wiring:
        omni = Omni(wiring, settings)
        await omni.add_built_in_model()
        yield wiring, omni


def uow_of(wiring: Wiring, name: str) -> UnitOfWork:
    uow: UnitOfWork = wiring.part(PLATFORM).providers[name]()
    return uow


async def a_tenant(omni: Omni, slug: str) -> TenantId:
    return (await omni.tenants.create(OPERATOR, CreateTenant(slug, slug))).id


async def sleep(uow: UnitOfWork, tenant_id: TenantId, seconds: float) -> None:
    async with uow(tenant_id) as tx:
        await connection_of(tx).execute(sa.text("select pg_sleep(:seconds)"), {"seconds": seconds})


async def lock_budgets(uow: UnitOfWork) -> None:
    async with uow(a_tenant_id()) as tx:
        await connection_of(tx).execute(sa.text("set local lock_timeout = 50"))
        await connection_of(tx).execute(sa.text("select * from budget for update"))


@pytest.mark.parametrize("under", [None, "once"], ids=["plain", "keyed"])
async def test_a_call_goes_on_while_every_other_connection_is_taken(
    fresh_database_url: str, tmp_path: Path, under: str | None
) -> None:
    async with opened(fresh_database_url, tmp_path, database_pool=2, report_pool=2) as (wiring, omni):
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
        operator = omni.operator(tenant.id)
        await omni.budgets.create(operator, SetBudget(Window.MONTH, "10"))
        key = await omni.keys.create(operator, CreateKey("chat"))
        async with AsyncExitStack() as taken:
            for name in ("uow", "report_uow"):
                uow = uow_of(wiring, name)
                for _ in range(2):
                    await taken.enter_async_context(uow(tenant.id))
            caller = await omni.authenticator.authenticate(key.secret)
            question = Message.of(Role.USER, "Snow is white. What is white?")
            await omni.chat.complete(caller, ChatRequest("omni-brain", (question,)), idempotency_key=under)
        ((recorded,)) = await omni.metering.summary(operator, UsageQuery(MOMENT, MOMENT + timedelta(days=20_000)))
    assert recorded.calls == 1


async def test_reports_above_a_tenants_share_wait_and_are_refused_while_others_have_theirs(
    fresh_database_url: str, tmp_path: Path
) -> None:
    limits = {"report_pool": 4, "report_share": 2, "report_wait_s": 0.2}
    async with opened(fresh_database_url, tmp_path, **limits) as (wiring, omni), AsyncExitStack() as under_way:
        loud, quiet = await a_tenant(omni, "loud"), await a_tenant(omni, "quiet")
        uow = uow_of(wiring, "report_uow")
        for _ in range(2):
            await under_way.enter_async_context(uow(loud))
        with pytest.raises(TooManyReports):
            await omni.metering.summary(omni.operator(loud), A_DAY)
        assert [one.calls for one in await omni.metering.summary(omni.operator(quiet), A_DAY)] == [0]


async def test_a_report_that_takes_too_long_is_refused_and_its_connection_goes_on(
    fresh_database_url: str, tmp_path: Path
) -> None:
    async with opened(fresh_database_url, tmp_path, report_pool=1, report_within_s=0.2) as (wiring, omni):
        tenant_id = await a_tenant(omni, "acme")
        uow = uow_of(wiring, "report_uow")
        with pytest.raises(ReportTooSlow, match="ask for less time"):
            await sleep(uow, tenant_id, 60)
        assert await omni.metering.summary(omni.operator(tenant_id), A_DAY)


async def test_a_report_writes_nothing(fresh_database_url: str, tmp_path: Path) -> None:
    async with opened(fresh_database_url, tmp_path) as (wiring, omni):
        async with uow_of(wiring, "report_uow")(await a_tenant(omni, "acme")) as tx:
            found = await connection_of(tx).execute(sa.text("show transaction_read_only"))
        assert found.scalar_one() == "on"


async def test_a_use_case_that_waits_too_long_for_a_lock_is_told_so(fresh_database_url: str, tmp_path: Path) -> None:
    async with (
        opened(fresh_database_url, tmp_path) as (wiring, _),
        connected(fresh_database_url) as other,
        other.transaction(),
    ):
        await other.execute("lock table budget")
        with pytest.raises(TakesTooLong):
            await lock_budgets(uow_of(wiring, "uow"))


async def test_more_groups_than_are_told_at_once_are_refused(fresh_database_url: str, tmp_path: Path) -> None:
    async with opened(fresh_database_url, tmp_path) as (_, omni), connected(fresh_database_url) as owner:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
        operator = omni.operator(tenant.id)
        await owner.execute(FILL, tenant.id, MOMENT, MOST_GROUPS)
        assert len(await omni.metering.summary(operator, A_DAY, ("model",))) == MOST_GROUPS
        await owner.execute(FILL.replace("n, null", "'more', null"), tenant.id, MOMENT, 1)
        await owner.execute("update usage_event set model = 'one more' where idempotency_key = 'more'")
        with pytest.raises(TooManyGroups):
            await omni.metering.summary(operator, A_DAY, ("model",))
        assert [one.calls for one in await omni.metering.summary(operator, A_DAY)] == [MOST_GROUPS + 1]
