"""What every KeyedCallStore does: one attempt has the call of a key at a time, and what came of it is kept."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import msgspec
import pytest

from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.llm.keyed import Attempt, CallState, KeyedCall
from omni_core.domain.llm.ports import KeyedCallStore
from omni_core.testing.builders.kernel import a_tenant_id

ASKED, ELSE_ASKED = b"\x01" * 32, b"\x02" * 32
LONG_S = 3600.0
AttemptMaker = Callable[..., Attempt]


class Abandoned(Exception):
    """A transaction that does not come to its end."""


class Keys:
    """The store, as one tenant's processes use it. Times of 0 s are over at once."""

    def __init__(self, uow: UnitOfWork, store: KeyedCallStore, tenant_id: TenantId) -> None:
        self.store = store
        self._uow = uow
        self._tenant_id = tenant_id

    async def claim(
        self,
        attempt: Attempt,
        *,
        lease_s: float = LONG_S,
        keep_s: float = LONG_S,
        and_then: Exception | None = None,
    ) -> KeyedCall:
        """Claim in a transaction of its own, which ends in `and_then` where one is given."""
        async with self._uow(self._tenant_id) as tx:
            call = await self.store.claim(tx, attempt, lease_s=lease_s, keep_s=keep_s)
            if and_then is not None:
                raise and_then
            return call

    async def keep(self, attempt: Attempt, sealed: bytes | None = b"\x00said\xff", *, keep_s: float = LONG_S) -> bool:
        """Keep an answer in a transaction of its own."""
        async with self._uow(self._tenant_id) as tx:
            return await self.store.keep(tx, attempt.id, sealed, keep_s=keep_s)

    async def renew(self, *attempts: Attempt, lease_s: float = LONG_S) -> None:
        """Renew in a transaction of its own."""
        async with self._uow(self._tenant_id) as tx:
            await self.store.renew(tx, [one.id for one in attempts], lease_s=lease_s)

    async def release(self, attempt: Attempt) -> None:
        """Release in a transaction of its own."""
        async with self._uow(self._tenant_id) as tx:
            await self.store.release(tx, attempt.id)

    async def prune(self, limit: int = 100) -> int:
        """Prune in a transaction of its own."""
        async with self._uow(self._tenant_id) as tx:
            return await self.store.prune(tx, limit)

    async def are_expired(self) -> bool:
        """Tell whether this tenant is among those with calls whose time is over."""
        return self._tenant_id in await self.store.expired(10_000)


class KeyedCallStoreContract:
    """Fixtures: `keyed_call_store`, `ids`, and a `uow` of the same technology."""

    @pytest.fixture
    def keys(self, uow: UnitOfWork, keyed_call_store: KeyedCallStore) -> Keys:
        """A tenant's keys."""
        return Keys(uow, keyed_call_store, a_tenant_id())

    @pytest.fixture
    def new(self, ids: Ids) -> AttemptMaker:
        """Call it for an attempt of an id of its own."""
        return lambda **given: Attempt(
            **{"id": ids.new(), "caller": "key:a", "key": "k", "fingerprint": ASKED, **given}
        )

    async def test_the_first_has_the_call_and_others_see_it(self, keys: Keys, new: AttemptMaker) -> None:
        first, second = new(), new()
        call = KeyedCall(first.id, first.id, ASKED, CallState.RUNNING, None)
        assert await keys.claim(first) == call
        assert await keys.claim(second) == call
        assert await keys.claim(new(fingerprint=ELSE_ASKED)) == call
        assert await keys.claim(first) == call

    async def test_of_many_at_once_one_has_the_call(self, keys: Keys, new: AttemptMaker) -> None:
        attempts = [new() for _ in range(8)]
        calls = await asyncio.gather(*map(keys.claim, attempts))
        assert len({call.attempt_id for call in calls}) == 1

    @pytest.mark.parametrize("sealed", [b"\x00said\xff", None])
    async def test_what_came_of_it_is_kept(self, keys: Keys, new: AttemptMaker, sealed: bytes | None) -> None:
        first = new()
        await keys.claim(first)
        assert await keys.keep(first, sealed)
        assert await keys.claim(new()) == KeyedCall(first.id, first.id, ASKED, CallState.ANSWERED, sealed)
        assert not await keys.keep(first, b"again")
        await keys.release(first)
        await keys.renew(first, lease_s=0)
        assert (await keys.claim(new())).sealed == sealed

    async def test_what_failed_is_forgotten(self, keys: Keys, new: AttemptMaker) -> None:
        first, second = new(), new(fingerprint=ELSE_ASKED)
        await keys.claim(first)
        await keys.release(first)
        call = await keys.claim(second)
        assert (call.call_id, call.attempt_id, call.fingerprint) == (second.id, second.id, ELSE_ASKED)
        await keys.release(first)
        assert not await keys.keep(first)
        assert await keys.keep(second)

    async def test_who_asks_the_same_takes_over_what_nobody_holds(self, keys: Keys, new: AttemptMaker) -> None:
        first, second = new(), new()
        await keys.claim(first, lease_s=0)
        assert (await keys.claim(new(fingerprint=ELSE_ASKED))).attempt_id == first.id
        assert await keys.claim(second) == KeyedCall(first.id, second.id, ASKED, CallState.RUNNING, None)
        assert not await keys.keep(first)
        assert await keys.keep(second)

    async def test_a_hold_lasts_as_long_as_it_is_renewed(self, keys: Keys, new: AttemptMaker) -> None:
        first, other = new(), new(key="other")
        await keys.claim(first, lease_s=0)
        await keys.claim(other, lease_s=0)
        await keys.renew(first, other)
        assert (await keys.claim(new())).attempt_id == first.id
        await keys.renew(first, lease_s=0)
        assert (await keys.claim(new())).attempt_id != first.id
        await keys.renew(first)
        assert (await keys.claim(new(key="other"))).attempt_id == other.id

    async def test_when_its_time_is_over_a_key_is_as_good_as_new(self, keys: Keys, new: AttemptMaker) -> None:
        first, second = new(), new(fingerprint=ELSE_ASKED)
        await keys.claim(first)
        await keys.keep(first, keep_s=0)
        assert await keys.claim(second) == KeyedCall(second.id, second.id, ELSE_ASKED, CallState.RUNNING, None)

    async def test_what_is_still_being_made_is_not_over(self, keys: Keys, new: AttemptMaker) -> None:
        first = new()
        await keys.claim(first, keep_s=0)
        assert (await keys.claim(new())).attempt_id == first.id
        assert not await keys.are_expired()
        assert await keys.prune() == 0
        assert await keys.keep(first)

    async def test_every_caller_and_every_tenant_has_keys_of_its_own(
        self, keys: Keys, new: AttemptMaker, uow: UnitOfWork
    ) -> None:
        theirs = Keys(uow, keys.store, a_tenant_id())
        for who, attempt in ((keys, new()), (keys, new(caller="key:b")), (keys, new(key="l")), (theirs, new())):
            assert (await who.claim(attempt)).attempt_id == attempt.id
            assert (await who.claim(new(caller=attempt.caller, key=attempt.key))).attempt_id == attempt.id

    async def test_nobody_touches_the_call_of_another_tenant(
        self, keys: Keys, new: AttemptMaker, uow: UnitOfWork
    ) -> None:
        first = new()
        await keys.claim(first)
        theirs = Keys(uow, keys.store, a_tenant_id())
        assert not await theirs.keep(first)
        await theirs.release(first)
        await theirs.renew(first, lease_s=0)
        assert (await keys.claim(new())).attempt_id == first.id

    async def test_what_is_over_is_erased_and_nothing_else(
        self, keys: Keys, new: AttemptMaker, uow: UnitOfWork
    ) -> None:
        theirs = Keys(uow, keys.store, a_tenant_id())
        over, kept, running = new(key="over"), new(key="kept"), new(key="running")
        for attempt in (over, kept, running):
            await keys.claim(attempt)
        assert not await keys.are_expired()
        await keys.keep(over, keep_s=0)
        await keys.keep(kept)
        assert await keys.are_expired()
        assert await theirs.prune() == 0
        assert await keys.prune() == 1
        assert not await keys.are_expired()
        assert (await keys.claim(new(key="kept"))).attempt_id == kept.id
        assert (await keys.claim(new(key="running"))).attempt_id == running.id

    async def test_it_is_erased_a_little_at_a_time(self, keys: Keys, new: AttemptMaker) -> None:
        for attempt in [new(key=str(number)) for number in range(3)]:
            await keys.claim(attempt)
            await keys.keep(attempt, keep_s=0)
        assert len(await keys.store.expired(1)) == 1
        assert [await keys.prune(2), await keys.prune(2), await keys.prune(2)] == [2, 1, 0]

    async def test_what_is_rolled_back_never_was(self, keys: Keys, new: AttemptMaker) -> None:
        with pytest.raises(Abandoned):
            await keys.claim(new(), and_then=Abandoned())
        second = new()
        assert (await keys.claim(second)).call_id == second.id

    async def test_a_longest_key_fits(self, keys: Keys, new: AttemptMaker) -> None:
        attempt = new(key="~" * 255, caller="key:" + "Z" * 17)
        await keys.claim(attempt)
        assert (await keys.claim(msgspec.structs.replace(attempt, id=UUID(int=1)))).attempt_id == attempt.id
