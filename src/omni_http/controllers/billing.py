"""Invoices."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, get, post
from litestar.openapi.spec import Example
from litestar.params import Body, PathParameter, QueryParameter

from omni_core import Month, PageRequest
from omni_core.domain.billing.api import REFERENCE_PATTERN
from omni_core.domain.kernel.pages import DEFAULT_LIMIT
from omni_http.amounts import MONTH_PATTERN, Cursor, Limit, Listing, listing
from omni_http.bodies import body_of
from omni_http.services import KeyedRequest, omni_of
from omni_http.wire.billing import CloseMonth, InvoiceSummaryView, InvoiceView
from omni_http.wire.metering import UsageEventView

_MONTH = Example(value={"month": "2026-11"})
_Month = Annotated[
    str, QueryParameter(name="month", description="YYYY-MM, in UTC.", schema_extra={"pattern": MONTH_PATTERN})
]

_Invoice = Annotated[
    str,
    PathParameter(
        description="The invoice's id, or its number.",
        examples=[Example(value="INV-000001")],
        schema_extra={"pattern": REFERENCE_PATTERN},
    ),
]


class BillingController(Controller):
    """A month's usage becomes an invoice, once. To close in the background, queue the job `billing.close`."""

    path = "/v1/invoices"
    tags: Sequence[str] | None = ["billing"]

    @get()
    async def list_invoices(
        self, request: KeyedRequest, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Listing[InvoiceSummaryView]:
        """List the tenant's invoices, newest first (scope `billing:read`)."""
        page = await omni_of(request).billing.list(request.user, PageRequest(limit, cursor))
        return listing(page, InvoiceSummaryView.of)

    @post(dto=body_of(CloseMonth), return_dto=None)
    async def close_month(
        self, request: KeyedRequest, data: Annotated[CloseMonth, Body(examples=[_MONTH])]
    ) -> InvoiceView:
        """Close a month; closing it again returns the same invoice (scope `billing:write`).

        One that still runs is closed `early` by the operator only (`platform:admin`). Where there is nothing to bill,
        no invoice is issued unless it may be `empty`.
        """
        month, billing = Month.parse(data.month), omni_of(request).billing
        return InvoiceView.of(await billing.close(request.user, month, early=data.early, empty=data.empty))

    @get("/preview")
    async def preview_invoice(self, request: KeyedRequest, month: _Month) -> InvoiceView:
        """Show what closing the month would yield now; nothing is stored (scope `billing:read`)."""
        return InvoiceView.of(await omni_of(request).billing.preview(request.user, Month.parse(month)))

    @get("/{invoice_id:str}")
    async def get_invoice(self, request: KeyedRequest, invoice_id: _Invoice) -> InvoiceView:
        """Show an invoice and its lines (scope `billing:read`)."""
        return InvoiceView.of(await omni_of(request).billing.get(request.user, invoice_id))

    @get("/{invoice_id:str}/usage")
    async def list_invoice_usage(
        self, request: KeyedRequest, invoice_id: _Invoice, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Listing[UsageEventView]:
        """List the calls that an invoice charges for, newest first (scope `billing:read`)."""
        page = await omni_of(request).billing.usage_of(request.user, invoice_id, PageRequest(limit, cursor))
        return listing(page, UsageEventView.of)
