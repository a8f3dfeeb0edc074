"""The calls of a tenant that wait for money, and the one question at a time that is asked for all of them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from omni_core.domain.budgets.errors import BudgetExhausted, UnknownWindow
from omni_core.domain.budgets.held import HeldLeases
from omni_core.domain.budgets.lease import LEASE_S, RETRY_S, HeldLease, Reservation
from omni_core.domain.budgets.model import Budget
from omni_core.domain.budgets.ports import Grant, Grants, Leases, Need, Wish
from omni_core.domain.budgets.time import LeaseTime
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.money import format_picos

# How many calls are asked for in one statement.
MAX_CALLS = 100


class WaitingCall:
    """A call that what is held did not cover; `answer` is its reservation, or why it has none."""

    __slots__ = ("answer", "budgets", "deadline", "picos")

    def __init__(self, budgets: Sequence[Budget], picos: int, deadline: float) -> None:
        self.budgets = budgets
        self.picos = picos
        self.deadline = deadline
        self.answer: asyncio.Future[Reservation] = asyncio.get_running_loop().create_future()

    def forget(self, gone: set[UUID]) -> None:
        """Draw no more on budgets that were removed."""
        self.budgets = [budget for budget in self.budgets if budget.id not in gone]

    def succeed(self, reservation: Reservation) -> None:
        """Let the caller go on."""
        self.answer.set_result(reservation)

    def fail(self, error: BaseException) -> None:
        """Raise `error` at the caller, if it still waits."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Queue:
    """One tenant's. A call that waits holds nothing, and is given all that it needs at once, on all of its pots."""

    def __init__(
        self, held: HeldLeases, leases: Leases, time: LeaseTime, clock: Clock, on_gone: Callable[[], None]
    ) -> None:
        self._held = held
        self._leases = leases
        self._time = time
        self._clock = clock
        self._on_gone = on_gone
        self._calls: list[WaitingCall] = []
        self._stirred = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self.asking: asyncio.Task[None] | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nobody waits."""
        return self._serving is None

    async def wait(self, call: WaitingCall) -> Reservation:
        """Return the call's reservation; raise `BudgetExhausted`, `UnknownWindow` or `DependencyFailed`."""
        self._calls.append(call)
        self._stirred.set()
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        try:
            return await call.answer
        except asyncio.CancelledError:
            if not call.answer.cancelled() and call.answer.exception() is None:
                call.answer.result().settle(0)
            raise

    async def _serve(self) -> None:
        try:
            while self._waiting():
                asked_for = self._hand_out()
                if asked_for:
                    await self._ask(asked_for[:MAX_CALLS])
                elif self._waiting():
                    await self._pause()
        except Exception as error:  # noqa: BLE001 - it is for those who wait to hear
            for call in self._calls:
                call.fail(error)
        finally:
            self._serving = None
            for call in self._waiting():
                call.answer.cancel()

    def _waiting(self) -> list[WaitingCall]:
        self._calls = [call for call in self._calls if not call.answer.done()]
        return self._calls

    def _hand_out(self) -> list[WaitingCall]:
        """Serve whom the leases cover, refuse whom it does not help to wait; return whom to ask the database for."""
        asked_for = []
        for call in self._calls:
            try:
                leases = self._leases_of(call)
            except UnknownWindow as error:
                call.fail(error)
                continue
            reservation = Reservation.drawn_from(leases, call.picos)
            if reservation is not None:
                call.succeed(reservation)
            elif refusals := _refusals(call, leases):
                self._check_hope(call, refusals)
            else:
                asked_for.append(call)
        return asked_for

    def _leases_of(self, call: WaitingCall) -> list[HeldLease]:
        return [self._held.of(self._time.pot(budget)) for budget in call.budgets]

    async def _ask(self, calls: Sequence[WaitingCall]) -> None:
        """Ask for what the calls need; where that fails, so do they."""
        # A task of its own, so that whoever closes the desk can wait for the answer.
        self.asking = asyncio.create_task(self._acquire(calls))
        await asyncio.wait([self.asking])
        error = self.asking.exception()
        if error is not None:
            for call in calls:
                call.fail(error)

    async def _acquire(self, calls: Sequence[WaitingCall]) -> None:
        places: dict[HeldLease, int] = {}
        needs = []
        for call in calls:
            drawn = self._leases_of(call)
            needs.append(Need(call.picos, tuple(places.setdefault(lease, len(places)) for lease in drawn)))
        total = {lease: _total(needs, place) for lease, place in places.items()}
        kept = {lease: lease.keep(total[lease]) for lease in places}
        wishes = [Wish(lease.pot, lease.id, kept[lease], lease.granted > 0) for lease in places]
        for lease in places:
            lease.wanted = True
        asked_at = self._clock.monotonic()
        try:
            grants = await self._leases.acquire(wishes, needs, LEASE_S)
        except BaseException:
            # It may have been granted all the same; then it lapses with the leases.
            for lease in places:
                if kept[lease] < total[lease]:
                    self._held.retire(lease)
            raise
        finally:
            for lease in places:
                lease.wanted = False
                lease.let_go(kept[lease])
        self._accept(grants, list(places), asked_at)
        self._tell(calls, needs, list(places), grants)

    def _accept(self, grants: Grants, leases: Sequence[HeldLease], asked_at: float) -> None:
        is_stale = any(grant is not None and not grant.is_valid for grant in grants.each)
        self._time.hear(grants.moment, asked_at, overrule=is_stale)
        gone = set()
        for lease, grant in zip(leases, grants.each, strict=True):
            if grant is None:
                gone.add(lease.pot.budget_id)
                self._held.retire(lease)
            elif not grant.is_valid:
                self._held.retire(lease)
            else:
                lease.accept(grant, asked_at)
        if gone:
            self._on_gone()
            for call in self._calls:
                call.forget(gone)

    def _tell(
        self, calls: Sequence[WaitingCall], needs: Sequence[Need], leases: Sequence[HeldLease], grants: Grants
    ) -> None:
        """Serve the calls in the order in which they were asked for, which comes out as it did in the database."""
        for call, need in zip(calls, needs, strict=True):
            if call.answer.done():
                continue
            drawn = [(leases[place], grant) for place in need.places if (grant := grants.each[place]) is not None]
            reservation = Reservation.drawn_from([lease for lease, _ in drawn], need.picos)
            if reservation is not None:
                call.succeed(reservation)
                continue
            refusals = [
                (budget, lease, grant)
                for budget, (lease, grant) in zip(call.budgets, drawn, strict=True)
                if grant.is_valid and need.picos > max(lease.free, grant.left_picos)
            ]
            for _, lease, grant in refusals:
                lease.refuse(grant, need.picos)
            self._check_hope(call, [(budget, grant) for budget, _, grant in refusals])

    def _check_hope(self, call: WaitingCall, refusals: Sequence[tuple[Budget, Grant]]) -> None:
        """Refuse the call where there are refusals, unless to wait for calls under way can help and is not too late."""
        spent = [(budget, grant) for budget, grant in refusals if grant.spent_picos + call.picos > grant.limit_picos]
        if spent or (refusals and self._clock.monotonic() >= call.deadline):
            budget, grant = (spent or refusals)[0]
            call.fail(_refusal_by(budget, grant, self._time.now(), is_spent=bool(spent)))

    async def _pause(self) -> None:
        """Wait for calls under way to settle, and leave to other processes meanwhile what is too little here."""
        leases = {lease.id: lease for call in self._calls for lease in self._leases_of(call)}
        self._stirred.clear()
        for lease in leases.values():
            lease.stirs = self._stirred
        await self._held.give_back([lease for lease in leases.values() if lease.is_scarce and lease.free > 0])
        with suppress(TimeoutError):
            async with asyncio.timeout(RETRY_S):
                await self._stirred.wait()


def _total(needs: Sequence[Need], place: int) -> int:
    return sum(need.picos for need in needs if place in need.places)


def _refusals(call: WaitingCall, leases: Sequence[HeldLease]) -> list[tuple[Budget, Grant]]:
    heard = zip(call.budgets, (lease.refusal_of(call.picos - lease.free) for lease in leases), strict=True)
    return [(budget, refusal) for budget, refusal in heard if refusal is not None]


def _refusal_by(budget: Budget, grant: Grant, now: datetime, *, is_spent: bool) -> BudgetExhausted:
    resets_at = budget.period(now)[1]
    return BudgetExhausted(
        f"the budget of {budget.limit} a {budget.window} does not cover this call",
        budget_id=str(budget.id),
        window=budget.window.value,
        limit=str(budget.limit),
        spent=format_picos(grant.spent_picos),
        resets_at=resets_at.isoformat(),
        retry_after_s=max(1, int((resets_at - now).total_seconds())) if is_spent else 1,
    )
