"""Invoices and their lines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

import msgspec

from omni_core.domain.billing.errors import InvoiceIsFinalized, UnknownStatus
from omni_core.domain.billing.events import InvoiceFinalized
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.cost import Cost
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.money import Money, Picos, total
from omni_core.domain.kernel.stored import is_known, is_rebuilding
from omni_core.domain.kernel.tenancy import TenantId
from omni_core.domain.metering.api import Meter


class InvoiceStatus(StrEnum):
    """How far an invoice is. A draft has no number and claims no usage; a finalized one never changes."""

    DRAFT = "draft"
    FINALIZED = "finalized"


class InvoiceLine(msgspec.Struct, frozen=True):
    """What one meter of one model cost at one unit price, for the usage of one month.

    `exact_picos` is `quantity` × `unit_price_picos`, in 10⁻¹² of the currency's major unit; `amount` is that, rounded
    once. `calls` counts the calls of this model, price, tier and month, from which the quantity was added up.
    """

    position: int
    usage_month: Month
    model: str
    meter: Meter
    price_id: UUID
    price_tier: int
    calls: int
    quantity: int
    unit_price_picos: Picos
    exact_picos: Picos
    amount: Money

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if self.exact_picos != self.quantity * self.unit_price_picos:
            raise ValueError("exact_picos must be quantity × unit_price_picos")

    @property
    def exact(self) -> Cost:
        """What it cost before it was rounded."""
        return Cost(self.exact_picos, self.amount.currency)


class InvoiceSummary(msgspec.Struct, frozen=True):
    """An invoice without its lines, as listings show it."""

    id: UUID
    month: Month
    status: InvoiceStatus
    number: str | None
    total: Money
    created_at: datetime
    finalized_at: datetime | None


@dataclass(slots=True)
class Invoice:
    """What a tenant owes for a month: usage that occurred before the month's end and is on no earlier invoice."""

    id: UUID
    tenant_id: TenantId
    month: Month
    currency: str
    status: InvoiceStatus
    number: str | None
    lines: tuple[InvoiceLine, ...]
    total: Money
    created_at: datetime
    finalized_at: datetime | None

    def __post_init__(self) -> None:
        if is_rebuilding():
            return
        if self.total != total((line.amount for line in self.lines), self.currency):
            raise ValueError("the total of an invoice must be the sum of its lines")
        complete = self.number is not None and self.finalized_at is not None
        if complete != (self.status is InvoiceStatus.FINALIZED):
            raise ValueError("an invoice has a number and a time of issue exactly when it is finalized")

    @classmethod
    def draft(cls, id: UUID, tenant_id: TenantId, month: Month, currency: str, now: datetime) -> Self:
        """Begin an invoice, with no lines yet."""
        return cls(id, tenant_id, month, currency, InvoiceStatus.DRAFT, None, (), Money(0, currency), now, None)

    @property
    def is_draft(self) -> bool:
        """Whether the invoice may still change."""
        return self.status is InvoiceStatus.DRAFT

    @property
    def is_finalized(self) -> bool:
        """Whether the invoice is issued, and so can no longer change."""
        return self.status is InvoiceStatus.FINALIZED

    @property
    def summary(self) -> InvoiceSummary:
        """The invoice without its lines."""
        return InvoiceSummary(
            id=self.id,
            month=self.month,
            status=self.status,
            number=self.number,
            total=self.total,
            created_at=self.created_at,
            finalized_at=self.finalized_at,
        )

    def bill(self, lines: Sequence[InvoiceLine]) -> None:
        """Replace the lines of a draft, and its total with them; raise `InvoiceIsFinalized` or `UnknownStatus`."""
        self._check_draft()
        self.total = total((line.amount for line in lines), self.currency)
        self.lines = tuple(lines)

    def finalize(self, number: int, now: datetime) -> list[InvoiceFinalized]:
        """Issue a draft as the tenant's invoice `number`, counted from 1; raise as `bill` does."""
        self._check_draft()
        self.number = format_number(number)
        self.finalized_at = now
        self.status = InvoiceStatus.FINALIZED
        return [InvoiceFinalized(self.id, self.number, str(self.month), self.total.minor, self.currency)]

    def check_known(self) -> None:
        """Raise `UnknownStatus` where only a later release knows what may become of the invoice."""
        if not is_known(self.status):
            raise UnknownStatus(
                f"the invoice of {self.month} is {self.status}, and this release does not change it",
                invoice_id=str(self.id),
                status=self.status.value,
            )

    def _check_draft(self) -> None:
        if self.is_finalized:
            raise InvoiceIsFinalized(
                f"invoice {self.number} is finalized and cannot change", invoice_id=str(self.id), number=self.number
            )
        self.check_known()


def format_number(number: int) -> str:
    """Write the number of an invoice as it is printed: `INV-000001`."""
    return f"INV-{number:06d}"


REFERENCE_PATTERN = r"^(INV-[0-9]{6,18}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"
_REFERENCE = re.compile(REFERENCE_PATTERN)


def parse_reference(text: str) -> UUID | str:
    """Read what names an invoice: its id, or its number as it is printed; raise `InvalidValue`."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise InvalidValue("an invoice is named by its id or its number", field="invoice_id", allowed="INV-000001")
    return UUID(text) if found[2] else text
