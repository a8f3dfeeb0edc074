"""The tenant that `omni up` makes to try things with."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from omni_cli.samples import samples
from omni_core.domain.budgets.api import SetBudget, Window
from omni_core.domain.kernel.pages import MAX_LIMIT, PageRequest
from omni_core.domain.kernel.tenancy import OPERATOR, Principal
from omni_core.domain.llm.api import ChatRequest, Message, Role
from omni_core.domain.metering.api import UsageQuery
from omni_core.domain.tenancy.api import CreateKey, CreateTenant
from omni_core.domain.tenancy.errors import UnknownTenant

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

SLUG: Final = "demo"
KEY_NAME: Final = "omni up"
KEY_LIFETIME: Final = timedelta(hours=24)
MONTHLY_BUDGET: Final = "25"
# What the first calls are about. They are made, metered and priced like anybody's.
ABOUT: Final = """\
Omni is the backend of an AI company. Every call to a model is authenticated, metered, priced and charged against a
budget. A usage event is committed before the last byte of the answer leaves. A budget is reserved before a call and
settled after it, so that concurrent calls never exceed it. An invoice adds up the usage of a month, and each of its
lines is rounded once. Omni runs on one PostgreSQL, which it starts by itself where none is configured. The worker
closes months in the background. An API key is shown once, when it is made, and a revoked key is refused within a
second.
"""
QUESTIONS: Final = ("Summarise this in two sentences.", "When is a usage event committed?", "What does the worker do?")


async def prepare(omni: "Omni") -> str:
    """Make the tenant ready and return a new API key of it, which replaces the one of the last time.

    The key is for calls and for reading: it stands on a terminal, so it has no scope that has to be named. No secret is
    stored in the clear, so a key cannot be shown twice. On the first start the tenant also gets a monthly budget and a
    few calls, so that there is usage to look at.
    """
    operator = await _operator(omni)
    key = await _renew_key(omni, operator)
    now = datetime.now(UTC)
    since_ever = UsageQuery(datetime(2000, 1, 1, tzinfo=UTC), now + timedelta(days=1))
    if not (await omni.metering.events(operator, since_ever, PageRequest(limit=1))).items:
        if not await omni.budgets.list(operator):
            await omni.budgets.create(operator, SetBudget(Window.MONTH, MONTHLY_BUDGET))
        caller = await omni.authenticator.authenticate(key)
        for question in QUESTIONS:
            message = Message.of(Role.USER, f"{ABOUT}\n{question}")
            await omni.chat.complete(caller, ChatRequest("omni-brain", (message,)))
    for sample in samples():
        await sample.prepare(omni, operator)
    return key


async def _operator(omni: "Omni") -> Principal:
    try:
        return omni.operator(await omni.tenants.resolve(OPERATOR, SLUG))
    except UnknownTenant:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant(SLUG, "Demo", "owner@demo.example"))
        return omni.operator(tenant.id)


async def _renew_key(omni: "Omni", operator: Principal) -> str:
    cursor: str | None = None
    while True:
        page = await omni.keys.list(operator, PageRequest(MAX_LIMIT, cursor))
        for key in page.items:
            if key.name == KEY_NAME and key.revoked_at is None:
                await omni.keys.revoke(operator, key.id)
        cursor = page.next_cursor
        if cursor is None:
            break
    ends = datetime.now(UTC) + KEY_LIFETIME
    return (await omni.keys.create(operator, CreateKey(KEY_NAME, expires_at=ends))).secret
