"""Exactly once for the client: a call under a key is made by one process, paid for once, and answered again."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import msgspec

from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.errors import DependencyFailed, OmniError
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.domain.llm.errors import AnswerNotKept, CallUnderWay, IdempotencyKeyReused
from omni_core.domain.llm.keyed import KEY_NAME, Attempt, CallState, KeyedCall, Outcome, Place
from omni_core.domain.llm.late import PAUSES_S
from omni_core.domain.llm.ports import KeyedCallStore, Seal
from omni_core.domain.llm.run import RETRY_S, Run
from omni_core.domain.metering.api import UsageNotRecorded

POLL_S = 0.25
PRUNE_EVERY_S = 60.0
PRUNE_BATCH = 500
PRUNE_TENANTS = 100
MakeCall = Callable[[Run], Awaitable[None]]
"""Makes the call, and hands what it brings to the run."""


class KeepTerms(msgspec.Struct, frozen=True):
    """How long an answer is kept and how large it may be, and how long others wait for one that is under way."""

    keep_s: float
    most_bytes: int
    wait_s: float
    lease_s: float = 10.0
    """For how long a process that says nothing more is thought to be making a call."""


class _Held(msgspec.Struct):
    """A call that this process makes."""

    tenant_id: TenantId
    attempt: Attempt
    renewed_at: float


class KeyedCalls:
    """The calls under keys of this process. `maintain` has to run about every second."""

    def __init__(
        self, uow: UnitOfWork, store: KeyedCallStore, seal: Seal, clock: Clock, ids: Ids, terms: KeepTerms
    ) -> None:
        self.terms = terms
        self._uow = uow
        self._store = store
        self._seal = seal
        self._clock = clock
        self._ids = ids
        self._runs: dict[Place, tuple[Run, asyncio.Task[None]]] = {}
        self._held: list[_Held] = []
        self._prune_at = 0.0

    def join(self, place: Place, fingerprint: bytes, make: MakeCall) -> tuple[Run, bool]:
        """Return the run of a key, and whether it began by this; raise `IdempotencyKeyReused`.

        Nothing is awaited in here, so that all who ask in this process join the same one.
        """
        known = self._runs.get(place)
        if known is not None:
            _check_same(known[0].fingerprint, fingerprint)
            return known[0], False
        run = Run(fingerprint, self._clock.now(), self._ids.new())
        self._runs[place] = run, asyncio.create_task(self._work(run, place, make))
        return run, True

    async def maintain(self) -> None:
        """Hold what this process makes, and erase what has had its time; raise `DependencyFailed`."""
        now = self._clock.monotonic()
        await self._renew([held for held in self._held if now - held.renewed_at >= self.terms.lease_s / 3], now)
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY_S
            await self._prune()

    async def settled(self) -> None:
        """Wait until no call is under way."""
        while self._runs:
            await asyncio.wait([task for _, task in self._runs.values()])

    async def close(self) -> None:
        """End what is under way, and leave it to whoever asks next."""
        left = list(self._held)
        for _, task in list(self._runs.values()):
            task.cancel()
        await self.settled()
        await self._renew(left, self._clock.monotonic(), lease_s=0)

    async def _prune(self) -> None:
        """Erase a little; where that cannot be all, more is due the next time."""
        tenants = await self._store.expired(PRUNE_TENANTS)
        if len(tenants) == PRUNE_TENANTS:
            self._prune_at = 0.0
        for tenant_id in tenants:
            async with self._uow(tenant_id) as tx:
                erased = await self._store.prune(tx, PRUNE_BATCH)
            if erased == PRUNE_BATCH:
                self._prune_at = 0.0

    async def _renew(self, due: list[_Held], now: float, lease_s: float | None = None) -> None:
        by_tenant: defaultdict[TenantId, list[_Held]] = defaultdict(list)
        for held in due:
            by_tenant[held.tenant_id].append(held)
        for tenant_id, ones in by_tenant.items():
            lasting = self.terms.lease_s if lease_s is None else lease_s
            async with self._uow(tenant_id) as tx:
                await self._store.renew(tx, [held.attempt.id for held in ones], lease_s=lasting)
            for held in ones:
                held.renewed_at = now

    async def _work(self, run: Run, place: Place, make: MakeCall) -> None:
        try:
            attempt = await self._claim(run, place)
            if attempt is not None:
                await self._carry_out(run, place, attempt, make)
        except asyncio.CancelledError:
            run.fail(CallUnderWay("the server ends before the call does", retry_after_s=RETRY_S))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are to hear of it
            run.fail(error)
        finally:
            del self._runs[place]

    async def _claim(self, run: Run, place: Place) -> Attempt | None:
        """Return the attempt by which the call is to be made here, or None once the run has what came of it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.terms.wait_s
        attempt = Attempt(run.call_id, place.caller, place.key, run.fingerprint)
        while True:
            async with self._uow(place.tenant_id) as tx:
                call = await self._store.claim(tx, attempt, lease_s=self.terms.lease_s, keep_s=self.terms.keep_s)
            _check_same(call.fingerprint, run.fingerprint)
            if call.attempt_id == attempt.id:
                run.take(call)
                return attempt
            if call.state is CallState.ANSWERED:
                run.replay(call, self._opened(place, call))
                return None
            if loop.time() >= until:
                raise CallUnderWay(call_id=str(call.call_id), retry_after_s=RETRY_S)
            await asyncio.sleep(min(POLL_S, self.terms.wait_s))

    async def _carry_out(self, run: Run, place: Place, attempt: Attempt, make: MakeCall) -> None:
        held = _Held(place.tenant_id, attempt, self._clock.monotonic())
        self._held.append(held)
        try:
            broken_off = await self._made(run, place, attempt, make)
            await self._keep(run, place, attempt, broken_off)
        finally:
            self._held.remove(held)
        run.finish(broken_off)

    async def _made(self, run: Run, place: Place, attempt: Attempt, make: MakeCall) -> OmniError | None:
        """Make the call; return the error that is part of what came of it, and raise any other."""
        try:
            await make(run)
        except UsageNotRecorded:
            # Nobody knows whether it was charged. Who asks again when the lease has lapsed is not charged twice.
            raise
        except Exception as error:
            if not run.is_charged:
                await self._release(place, attempt)
            elif isinstance(error, OmniError):
                return error
            raise
        return None

    async def _release(self, place: Place, attempt: Attempt) -> None:
        # Where the storage has gone as well, the lease lapses by itself.
        with suppress(DependencyFailed):
            async with self._uow(place.tenant_id) as tx:
                await self._store.release(tx, attempt.id)

    async def _keep(self, run: Run, place: Place, attempt: Attempt, broken_off: OmniError | None) -> None:
        """Store what came of the call; raise `CallUnderWay` where somebody else has taken it over meanwhile."""
        text = run.outcome(broken_off).to_text()
        fits = len(text.encode()) <= self.terms.most_bytes
        sealed = self._seal.seal(text, _context(place, run.call_id)) if fits else None
        for pause_s in (*PAUSES_S, None):
            try:
                async with self._uow(place.tenant_id) as tx:
                    is_kept = await self._store.keep(tx, attempt.id, sealed, keep_s=self.terms.keep_s)
            except DependencyFailed as error:
                if pause_s is None:
                    raise
                run.hold_up(error)
                await asyncio.sleep(pause_s)
            else:
                if is_kept:
                    return
                raise CallUnderWay("another server has taken the call over", retry_after_s=RETRY_S)

    def _opened(self, place: Place, call: KeyedCall) -> Outcome:
        if call.sealed is None:
            raise AnswerNotKept(call_id=str(call.call_id))
        return Outcome.of_text(self._seal.open(call.sealed, _context(place, call.call_id)))


def _context(place: Place, call_id: UUID) -> str:
    return f"llm.keyed_call/{place.tenant_id}/{call_id}"


def _check_same(known: bytes, asked: bytes) -> None:
    if known != asked:
        raise IdempotencyKeyReused(
            f"under this {KEY_NAME} something else was asked", field=KEY_NAME, allowed="a new key, or the same request"
        )
