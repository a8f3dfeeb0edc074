"""A key that is made without naming scopes, wherever it is made, moves no money, issues nothing and gives no access."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext

import pytest

from omni_cli.local import demo
from omni_core import OPERATOR, CreateKey, CreateTenant, Month, Omni, PageRequest, Principal, SetBudget, Window
from omni_core.domain.kernel.errors import MissingScope
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.tenancy.api import MemberRole
from omni_http.app import create_app
from omni_workers.handlers.billing import close_month
from omni_workers.outcomes import worth_retrying
from tests.support.asgi import client_of, lifespan_of

NEVER = {Scope.BUDGETS_WRITE, Scope.BILLING_WRITE, Scope.KEYS_WRITE, Scope.TENANT_WRITE, Scope.PLATFORM_ADMIN}
MONTH = Month(2025, 1)
Made = Callable[[Omni], Awaitable[str]]


@pytest.fixture
async def omni() -> AsyncIterator[Omni]:
    async with Omni.open(memory=True) as omni:
        yield omni


async def tenant_of(omni: Omni) -> Principal:
    return omni.operator((await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))).id)


async def by_library(omni: Omni) -> str:
    return (await omni.keys.create(await tenant_of(omni), CreateKey("in passing"))).secret


def by_http(**scopes: list[str]) -> Made:
    async def make(omni: Omni) -> str:
        admin = await omni.keys.create(await tenant_of(omni), CreateKey("admin", tuple(Scope)))
        app = create_app(omni.settings, lambda *_: nullcontext(omni))
        async with lifespan_of(app), client_of(app, admin.secret) as client:
            answer = await client.post("/v1/keys", json={"name": "in passing", **scopes})
        secret: str = answer.raise_for_status().json()["secret"]
        return secret

    return make


async def by_omni_up(omni: Omni) -> str:
    return (await demo.prepare(omni)).secret


MAKERS = {"library": by_library, "http": by_http(), "http, none": by_http(scopes=[]), "omni up": by_omni_up}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
async def test_such_a_key_cannot_do_what_has_to_be_named(omni: Omni, make: Made):
    principal = await omni.authenticator.authenticate(await make(omni))
    assert principal.scopes
    assert not principal.scopes & NEVER
    for attempt in (
        omni.budgets.create(principal, SetBudget(Window.DAY, "1")),
        omni.billing.close(principal, MONTH),
        omni.billing.draft(principal, MONTH),
        omni.keys.create(principal, CreateKey("more", ("chat",))),
        omni.tenants.add_member(principal, "ada@example.com", MemberRole.OWNER),
    ):
        with pytest.raises(MissingScope):
            await attempt


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
async def test_no_job_does_it_for_such_a_key(omni: Omni, make: Made):
    principal = await omni.authenticator.authenticate(await make(omni))
    job = await omni.jobs.submit(principal, "billing.close", {"month": str(MONTH)})
    handler = close_month(omni.billing)
    await omni.run_pending_jobs({handler.kind: handler}, worth_retrying=worth_retrying)
    failed = await omni.jobs.get(principal, job.id)
    assert failed.error is not None
    assert failed.error.code == MissingScope.code
    assert (await omni.billing.list(principal, PageRequest())).items == ()
