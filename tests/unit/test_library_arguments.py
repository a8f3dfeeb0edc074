"""What no type checker stopped is refused by name, before anything is stored."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from omni_core import OPERATOR, CreateKey, CreateTenant, Omni, PageRequest, Principal, SetBudget, SetPrice, UsageQuery
from omni_core.domain.kernel.errors import Invalid
from omni_core.testing.clock import NOON

NAIVE = datetime(2099, 1, 1)  # noqa: DTZ001 - what is refused
NAIVE_PRICE = SetPrice("m", {"input": "1", "output": "1"}, effective_from=NAIVE)
Call = Callable[[Omni, Principal], Awaitable[object]]


@pytest.fixture(scope="module")
async def omni() -> AsyncIterator[Omni]:
    async with Omni.open(memory=True) as omni:
        yield omni


@pytest.fixture(scope="module")
async def principal(omni: Omni) -> Principal:
    tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
    return omni.operator(tenant.id)


def wrong(value: object) -> Any:
    """Return `value`, of which a type checker knows nothing."""
    return cast(Any, value)


@pytest.mark.parametrize(
    "field, call",
    [
        ("window", lambda omni, who: omni.budgets.create(who, SetBudget(wrong("month"), "1"))),
        ("limit", lambda omni, who: omni.budgets.create(who, SetBudget(wrong("month"), wrong(1)))),
        ("role", lambda omni, who: omni.tenants.add_member(who, "ada@example.com", wrong("owner"))),
        ("expires_at", lambda omni, who: omni.keys.create(who, CreateKey("a", expires_at=NAIVE))),
        ("expires_at", lambda omni, who: omni.keys.create(who, CreateKey("a", expires_at=wrong("2099-01-01")))),
        ("status", lambda omni, who: omni.jobs.list(who, PageRequest(), wrong("queued"))),
        ("by", lambda omni, who: omni.metering.summary(who, query(NOON), [wrong("colour")])),
        ("effective_from", lambda omni, _: omni.pricing.set_price(OPERATOR, NAIVE_PRICE)),
    ],
)
async def test_an_argument_of_the_wrong_kind_is_refused(
    omni: Omni, principal: Principal, field: str, call: Call
) -> None:
    with pytest.raises(Invalid) as refused:
        await call(omni, principal)
    assert refused.value.fields["field"] == field
    assert list(await omni.budgets.list(principal)) == []
    assert list(await omni.tenants.members(principal)) == []
    assert (await omni.keys.list(principal, PageRequest())).items == ()


def query(until: datetime) -> UsageQuery:
    return UsageQuery(NOON - timedelta(days=1), until)


@pytest.mark.parametrize("moment", [NAIVE, wrong("2099-01-01"), wrong(None)])
def test_usage_is_asked_for_between_moments(moment: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        query(moment)
    assert refused.value.fields["field"] == "until"
    with pytest.raises(Invalid) as refused:
        UsageQuery(moment, NOON)
    assert refused.value.fields["field"] == "since"
