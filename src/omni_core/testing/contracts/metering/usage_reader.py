"""What every UsageReader does."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.stored import rebuilds
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.metering.api import CallStatus, Grouping, Quantities, UsageEvent, UsageLog, UsageQuery, UsageSum
from omni_core.domain.metering.ports import UsageReader
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.metering import a_call, a_call_of_another_release
from omni_core.testing.builders.pricing import a_price

PRICE = a_price()
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
THAT_DAY = UsageQuery(MIDNIGHT, MIDNIGHT + DAY)


class UsageReaderContract:
    """Fixtures: `usage_reader`, and of the same technology `usage_log` and `uow`; and `ids`."""

    async def test_no_usage_adds_up_to_nothing(self, uow: UnitOfWork, usage_reader: UsageReader) -> None:
        tenant_id = a_tenant_id()
        assert await sums(uow, usage_reader, tenant_id) == [UsageSum({}, 0, Quantities(), 0)]
        assert await sums(uow, usage_reader, tenant_id, "model") == []

    async def test_every_meter_is_added_up(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id, one, two = a_tenant_id(), Quantities(1, 2, 3, 4, 5, 6, 7, 8), Quantities(10, 20, 30, 40, 50, 60, 70)
        for quantities in (one, two):
            await usage_log.append(a_call(tenant_id, PRICE, quantities=quantities, cost_picos=10))
        assert await sums(uow, usage_reader, tenant_id) == [UsageSum({}, 2, one + two, 20)]

    async def test_costs_finer_than_a_pico_add_up_exactly(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id = a_tenant_id()
        for parts in (1, 2, 999_997):
            await usage_log.append(a_call(tenant_id, PRICE, cost_picos=10**30 + Fraction(parts, 10**6)))
        (only,) = await sums(uow, usage_reader, tenant_id)
        assert (only.cost_picos, type(only.cost_picos)) == (3 * 10**30 + 1, int)

    async def test_groups_are_told_from_the_costliest(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id = a_tenant_id()
        for model, cost in (("b", 3), ("a", 3), ("c", 4), ("c", 1), ("d", 0)):
            await usage_log.append(a_call(tenant_id, PRICE, model=model, cost_picos=cost))
        found = await sums(uow, usage_reader, tenant_id, "model")
        assert [(one.group, one.calls, one.cost_picos) for one in found] == [
            ({"model": "c"}, 2, 5),
            ({"model": "a"}, 1, 3),
            ({"model": "b"}, 1, 3),
            ({"model": "d"}, 1, 0),
        ]

    async def test_every_grouping_has_its_value(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader, ids: Ids
    ) -> None:
        tenant_id, key_id = a_tenant_id(), ids.new()
        given = {"key_id": key_id, "provider": "p", "status": CallStatus.FAILED}
        await usage_log.append(a_call(tenant_id, PRICE, model="m", **given))
        by: tuple[Grouping, ...] = ("status", "day", "key", "provider", "model")
        (only,) = await sums(uow, usage_reader, tenant_id, *by)
        assert only.group == {
            "status": "failed",
            "day": "2026-11-21",
            "key": str(key_id),
            "provider": "p",
            "model": "m",
        }
        assert list(only.group) == list(by)

    async def test_calls_without_a_key_are_a_group(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id = a_tenant_id()
        await usage_log.append(a_call(tenant_id, PRICE, key_id=None))
        assert [one.group for one in await sums(uow, usage_reader, tenant_id, "key")] == [{"key": ""}]

    async def test_days_begin_at_midnight_utc(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id = a_tenant_id()
        for number, moment in enumerate((MIDNIGHT, MIDNIGHT + DAY - INSTANT, MIDNIGHT + DAY, MIDNIGHT - INSTANT)):
            await usage_log.append(a_call(tenant_id, PRICE, occurred_at=moment, cost_picos=10**number))
        query = UsageQuery(MIDNIGHT - DAY, MIDNIGHT + 2 * DAY)
        found = await sums(uow, usage_reader, tenant_id, "day", query=query)
        assert {one.group["day"]: one.cost_picos for one in found} == {
            "2026-11-20": 1000,
            "2026-11-21": 11,
            "2026-11-22": 100,
        }

    async def test_a_query_takes_its_first_moment_and_not_its_last(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id = a_tenant_id()
        moments = [MIDNIGHT - INSTANT, MIDNIGHT, MIDNIGHT + DAY - INSTANT, MIDNIGHT + DAY]
        calls = [a_call(tenant_id, PRICE, occurred_at=moment) for moment in moments]
        for call in calls:
            await usage_log.append(call)
        assert await events(uow, usage_reader, tenant_id) == [calls[2], calls[1]]
        assert (await sums(uow, usage_reader, tenant_id))[0].calls == 2

    async def test_a_query_may_name_a_model_or_a_key(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader, ids: Ids
    ) -> None:
        tenant_id, key_id = a_tenant_id(), ids.new()
        keyed = a_call(tenant_id, PRICE, model="a", key_id=key_id)
        keyless = a_call(tenant_id, PRICE, model="a")
        other = a_call(tenant_id, PRICE, model="b", key_id=ids.new())
        for call in (keyed, keyless, other):
            await usage_log.append(call)
        for query, expected in (
            (UsageQuery(MIDNIGHT, MIDNIGHT + DAY, model="a"), [keyless, keyed]),
            (UsageQuery(MIDNIGHT, MIDNIGHT + DAY, key_id=key_id), [keyed]),
            (UsageQuery(MIDNIGHT, MIDNIGHT + DAY, model="b", key_id=key_id), []),
        ):
            assert await events(uow, usage_reader, tenant_id, query=query) == expected
            assert (await sums(uow, usage_reader, tenant_id, query=query))[0].calls == len(expected)

    async def test_events_come_in_pages_from_the_newest(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        tenant_id = a_tenant_id()
        calls = [a_call(tenant_id, PRICE) for _ in range(5)]
        for call in calls:
            await usage_log.append(call)
        async with uow(tenant_id) as tx:
            first = await usage_reader.events(tx, THAT_DAY, 3, None)
            rest = await usage_reader.events(tx, THAT_DAY, 3, first[-1].id)
        assert [*first, *rest] == calls[::-1]
        assert len(first) == 3

    async def test_one_call_is_found_by_its_id_and_by_its_own_tenant(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader, ids: Ids
    ) -> None:
        call = a_call(a_tenant_id(), PRICE)
        await usage_log.append(call)
        async with uow(call.tenant_id) as tx:
            assert await usage_reader.event(tx, call.id) == call
            assert await usage_reader.event(tx, ids.new()) is None
        async with uow(a_tenant_id()) as tx:
            assert await usage_reader.event(tx, call.id) is None

    async def test_sums_exceed_64_bits(self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader) -> None:
        tenant_id, much = a_tenant_id(), 2**63 - 1
        for _ in range(3):
            await usage_log.append(a_call(tenant_id, PRICE, quantities=Quantities(input=much), cost_picos=much))
        assert await sums(uow, usage_reader, tenant_id) == [UsageSum({}, 3, Quantities(input=3 * much), 3 * much)]

    @pytest.mark.parametrize("by", [(), ("model",)])
    async def test_no_tenant_sees_anothers(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader, by: tuple[Grouping, ...]
    ) -> None:
        theirs = a_call(a_tenant_id(), PRICE)
        await usage_log.append(theirs)
        stranger = a_tenant_id()
        assert sum(one.calls for one in await sums(uow, usage_reader, stranger, *by)) == 0
        assert await events(uow, usage_reader, stranger) == []

    async def test_a_call_of_another_release_is_told_and_added_up(
        self, uow: UnitOfWork, usage_log: UsageLog, usage_reader: UsageReader
    ) -> None:
        call = rebuilds(a_call_of_another_release)()
        await usage_log.append(call)
        assert await events(uow, usage_reader, call.tenant_id) == [call]
        assert await sums(uow, usage_reader, call.tenant_id, "status") == [
            UsageSum({"status": "unheard_of"}, 1, call.quantities, call.cost_picos)
        ]


async def sums(
    uow: UnitOfWork, usage_reader: UsageReader, tenant_id: TenantId, *by: Grouping, query: UsageQuery = THAT_DAY
) -> Sequence[UsageSum]:
    """Return sums in a transaction of their own."""
    async with uow(tenant_id) as tx:
        return list(await usage_reader.sums(tx, query, by))


async def events(
    uow: UnitOfWork, usage_reader: UsageReader, tenant_id: TenantId, query: UsageQuery = THAT_DAY
) -> Sequence[UsageEvent]:
    """Return events in a transaction of their own."""
    async with uow(tenant_id) as tx:
        return list(await usage_reader.events(tx, query, 100, None))
