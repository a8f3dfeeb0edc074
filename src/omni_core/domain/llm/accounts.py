"""What a call may cost, does cost and did cost: reserve before it, record and settle after it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from omni_core.domain.budgets.api import BudgetDesk, Reservation
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.tenancy import Principal
from omni_core.domain.llm.belief import Doubt, doubt_of
from omni_core.domain.llm.catalogue import Model
from omni_core.domain.llm.counting import upper_bound_tokens
from omni_core.domain.llm.late import LateRecords
from omni_core.domain.llm.model import ChatRequest, TokenUsage
from omni_core.domain.llm.ports import UnrecordedUsage, UsageWitness
from omni_core.domain.metering.api import (
    CallStatus,
    EstimateReason,
    Quantities,
    UsageEvent,
    UsageLog,
    UsageNotRecorded,
)
from omni_core.domain.pricing.api import Price, PriceBook

MAX_REQUEST_ID = 200


class CallWatch(Protocol):
    """Hears of a call that has to be recorded, however long that takes."""

    def charged(self) -> None:
        """Its usage is on record."""
        ...

    def delayed(self, error: UsageNotRecorded) -> None:
        """Its usage is not on record yet; that is tried on."""
        ...


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and under which request id the call can be found in logs.

    `call_id` is that of the call where it has one already: however often it is made, it is on record once. Without a
    `watch` usage that cannot be recorded is given up, and the answer withheld.
    """

    principal: Principal
    request_id: str
    call_id: UUID | None = None
    watch: CallWatch | None = None

    def __post_init__(self) -> None:
        if len(self.request_id) > MAX_REQUEST_ID or not (self.request_id or "-").isprintable():
            raise InvalidValue(
                f"request_id must be at most {MAX_REQUEST_ID} printable characters",
                field="request_id",
                allowed=f"up to {MAX_REQUEST_ID} printable characters",
            )


def quantities_of(usage: TokenUsage, images: int) -> Quantities:
    """Split a provider's usage into parts that are each counted once."""
    parts = usage.cached_input_tokens + usage.cache_write_tokens + usage.audio_input_tokens
    return Quantities(
        input=max(usage.input_tokens - parts, 0),
        cached_input=usage.cached_input_tokens,
        cache_write=usage.cache_write_tokens,
        output=max(usage.output_tokens - usage.audio_output_tokens, 0),
        image=images,
        audio_input=usage.audio_input_tokens,
        audio_output=usage.audio_output_tokens,
        request=1,
    )


class Accounts:
    """Opens an account for each call. One for each process."""

    def __init__(
        self,
        prices: PriceBook,
        desk: BudgetDesk,
        log: UsageLog,
        unrecorded: UnrecordedUsage,
        clock: Clock,
        ids: Ids,
        witnesses: Sequence[UsageWitness] = (),
    ) -> None:
        self.log = log
        self.late = LateRecords(log, unrecorded)
        self.clock = clock
        self.ids = ids
        self.witnesses = list(witnesses)
        self._prices = prices
        self._desk = desk

    async def open(self, caller: Caller, model: Model, request: ChatRequest) -> "CallAccount":
        """Price the call and set its highest cost aside; raise `NoPrice` or `BudgetExhausted`.

        Under a budget a request without a limit of its own gets the model's, for a budget has to know the most.
        """
        began = self.clock.now()
        price = await self._prices.price(model.name, began)
        reservation = Reservation((), 0)
        if await self._desk.limits(caller.principal):
            if request.max_output_tokens is None:
                request = msgspec.structs.replace(request, max_output_tokens=model.max_output_tokens)
            most = Quantities(
                input=upper_bound_tokens(request),
                output=(request.max_output_tokens or 0) * request.choices,
                image=request.images,
                request=1,
            )
            reservation = await self._desk.reserve(caller.principal, price.highest_cost(most))
        return CallAccount(self, caller, model, request, price, reservation, began)


class CallAccount:
    """One call's: it ends with `commit`, `commit_later` or `abandon`, and only the first of them counts."""

    def __init__(
        self,
        accounts: Accounts,
        caller: Caller,
        model: Model,
        request: ChatRequest,
        price: Price,
        reservation: Reservation,
        occurred_at: datetime,
    ) -> None:
        self.request = request
        self._accounts = accounts
        self._caller = caller
        self._model = model
        self._price = price
        self._reservation = reservation
        self._id = caller.call_id or accounts.ids.new()
        self._occurred_at = occurred_at
        self._began = accounts.clock.monotonic()
        self._open = True

    def doubt_of(self, usage: TokenUsage) -> Doubt | None:
        """Return why the provider's figures cannot be true, or None where they can."""
        return doubt_of(usage, self._model, self.request)

    async def commit(self, usage: TokenUsage, status: CallStatus, doubt: Doubt | None = None) -> None:
        """Record the usage durably and settle the reservation; raise a retryable `DependencyFailed` if that fails."""
        if not self._open:
            return
        event = self._close(usage, status, doubt)
        try:
            is_new = await self._accounts.log.append(event, self._reservation.charges(event.charge_picos))
        except asyncio.CancelledError:
            # The caller has gone while the event was being written, so nobody would hear that it was not. Written a
            # second time, it changes nothing.
            self._accounts.late.add(event, self._reservation)
            self._tell(event, doubt)
            raise
        except UsageNotRecorded as error:
            await self._try_on(event, error)
        except BaseException:
            # Nobody can tell whether it was written: the lease is left with less than it may have.
            self._reservation.settle(event.charge_picos)
            raise
        else:
            # An attempt before this one was charged already.
            self._reservation.settle(event.charge_picos if is_new else 0)
        if self._caller.watch is not None:
            self._caller.watch.charged()
        self._tell(event, doubt)

    async def _try_on(self, event: UsageEvent, error: UsageNotRecorded) -> None:
        """Raise what the caller is told, by which it can ask for the call; with a watch, only if all else fails."""
        told = UsageNotRecorded(error.detail, **error.fields, call_id=str(event.id))
        if self._caller.watch is None:
            # Nobody can tell whether it was written: the lease is left with less than it may have.
            self._reservation.settle(event.charge_picos)
            raise told from error
        self._caller.watch.delayed(told)
        if not await self._accounts.late.record(event, self._reservation):
            raise told from error

    def commit_later(self, usage: TokenUsage, status: CallStatus, doubt: Doubt | None = None) -> None:
        """Record the usage although nobody waits for it any more."""
        if self._open:
            event = self._close(usage, status, doubt)
            self._accounts.late.add(event, self._reservation)
            self._tell(event, doubt)

    def abandon(self) -> None:
        """Nothing was produced: nothing is charged."""
        if self._open:
            self._open = False
            self._reservation.settle(0)

    def _close(self, usage: TokenUsage, status: CallStatus, doubt: Doubt | None) -> UsageEvent:
        self._open = False
        try:
            return self._event(usage, status, doubt)
        except BaseException:
            self._reservation.settle(0)
            raise

    def _tell(self, event: UsageEvent, doubt: Doubt | None) -> None:
        # Once the event is on record, or sure to be: a witness that fails takes nothing back.
        for witness in self._accounts.witnesses:
            witness(event, doubt)

    def _event(self, usage: TokenUsage, status: CallStatus, doubt: Doubt | None) -> UsageEvent:
        quantities = quantities_of(usage, self.request.images)
        tier = self._price.tier_for(quantities.input_total)
        principal = self._caller.principal
        return UsageEvent(
            id=self._id,
            tenant_id=principal.tenant_id,
            # Never a key of the client's: a second call under it would be produced but not charged.
            idempotency_key=str(self._id),
            key_id=principal.key_id,
            model=self._model.name,
            provider=self._model.provider,
            status=status,
            quantities=quantities,
            estimated=usage.estimated,
            price_id=self._price.id,
            price_tier=tier.above_input_tokens,
            cost_picos=tier.rates.cost(quantities),
            currency=self._price.currency,
            latency_ms=int((self._accounts.clock.monotonic() - self._began) * 1000),
            request_id=self._caller.request_id,
            occurred_at=self._occurred_at,
            estimate_reason=_reason(status, doubt) if usage.estimated else None,
        )


def _reason(status: CallStatus, doubt: Doubt | None) -> EstimateReason:
    if doubt is not None:
        return doubt.reason
    return EstimateReason.UNREPORTED if status is CallStatus.COMPLETED else EstimateReason.CUT_OFF
