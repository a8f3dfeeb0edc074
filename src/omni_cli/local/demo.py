"""The tenant that `omni up` makes to try things with."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from omni_cli.local.sample_usage import record_last_month
from omni_cli.samples import samples
from omni_core.domain.budgets.api import SetBudget, Window
from omni_core.domain.kernel.pages import MAX_LIMIT, PageRequest
from omni_core.domain.kernel.tenancy import OPERATOR, Principal
from omni_core.domain.metering.api import UsageQuery
from omni_core.domain.tenancy.api import ApiKey, CreateKey, CreateTenant
from omni_core.domain.tenancy.errors import UnknownTenant

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

SLUG: Final = "demo"
KEY_NAME: Final = "omni up"
KEY_LIFETIME: Final = timedelta(hours=24)
OVERLAP_S: Final = 3600
"""How long the key of the start before still works."""
MONTHLY_BUDGET: Final = "25"


class Demo(msgspec.Struct, frozen=True):
    """What there is to try: the new key's secret, and until when the keys printed before it still work, if any do."""

    secret: str
    replaced_until: datetime | None


async def prepare(omni: "Omni") -> Demo:
    """Make the tenant ready, with a new API key that replaces the one of the last time.

    The key is for calls and for reading: it stands on a terminal, so it has no scope that has to be named. No secret is
    stored in the clear, so a key cannot be shown twice; the one before it works for `OVERLAP_S` more, so that whatever
    was tried with it goes on. On the first start the tenant also gets a monthly budget. Last month has sample calls, so
    that there is a month to close.
    """
    operator = await _operator(omni)
    now = datetime.now(UTC)
    until = await _let_old_keys_end(omni, operator, now)
    made = await omni.keys.create(operator, CreateKey(KEY_NAME, expires_at=now + KEY_LIFETIME))
    since_ever = UsageQuery(datetime(2000, 1, 1, tzinfo=UTC), now + timedelta(days=1))
    is_new = not (await omni.metering.events(operator, since_ever, PageRequest(limit=1))).items
    if is_new and not await omni.budgets.list(operator):
        await omni.budgets.create(operator, SetBudget(Window.MONTH, MONTHLY_BUDGET))
    await record_last_month(omni, operator, now)
    for sample in samples():
        await sample.prepare(omni, operator)
    return Demo(made.secret, until)


async def _operator(omni: "Omni") -> Principal:
    try:
        return omni.operator(await omni.tenants.resolve(OPERATOR, SLUG))
    except UnknownTenant:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant(SLUG, "Demo", "owner@demo.example"))
        return omni.operator(tenant.id)


async def _let_old_keys_end(omni: "Omni", operator: Principal, now: datetime) -> datetime | None:
    """Return when the last of the keys ends that were printed before."""
    ends: list[datetime] = []
    cursor: str | None = None
    while True:
        page = await omni.keys.list(operator, PageRequest(MAX_LIMIT, cursor))
        for key in page.items:
            if key.name == KEY_NAME and _works(key, now):
                ended = await omni.keys.revoke(operator, key.id, after_s=OVERLAP_S)
                ends += [ended.expires_at] if ended.expires_at is not None else []
        cursor = page.next_cursor
        if cursor is None:
            return max(ends, default=None)


def _works(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
