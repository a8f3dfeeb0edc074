"""Jobs of billing."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from omni_core import Omni
from omni_core.domain.billing.api import Billing
from omni_core.domain.jobs.api import JobContext, JobHandler
from omni_core.domain.kernel.clock import Month


class CloseMonth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Issue the invoice of `month`, such as 2026-11; `early` where it still runs, `empty` where nothing was used."""

    month: str
    early: bool = False
    empty: bool = False


class InvoiceIssued(msgspec.Struct, frozen=True):
    """The invoice of the month; `total_minor` is in minor units of `currency`."""

    invoice_id: UUID
    number: str
    total_minor: int
    currency: str


def handlers(omni: Omni) -> Iterator[JobHandler[Any]]:
    """Yield what a worker does for billing."""
    yield close_month(omni.billing)


def close_month(billing: Billing) -> JobHandler[CloseMonth]:
    """Return the handler of `billing.close`; closing a closed month gives the same invoice, so it may run twice."""

    async def handle(context: JobContext, arguments: CloseMonth) -> InvoiceIssued:
        month = Month.parse(arguments.month)
        invoice = await billing.close(
            context.principal, month, context.progress, early=arguments.early, empty=arguments.empty
        )
        total = invoice.total
        return InvoiceIssued(invoice.id, str(invoice.number), total.minor, total.currency)

    return JobHandler("billing.close", CloseMonth, handle)
