"""What goes wrong with invoices."""

from omni_core.domain.kernel.errors import Conflict, Invalid, NotFound, OmniError, Precondition


class UnknownInvoice(NotFound):
    """There is no such invoice."""

    code = "billing.unknown_invoice"


class InvoiceIsFinalized(Conflict):
    """The invoice is finalized and cannot change."""

    code = "billing.invoice_finalized"


class UnknownStatus(Conflict):
    """The invoice has a status that this release does not know."""

    code = "billing.unknown_status"


class MonthNotBegun(Invalid):
    """A month cannot be billed before it has begun."""

    code = "billing.month_not_begun"


class MonthRuns(Precondition):
    """The month still runs."""

    code = "billing.month_runs"


class MonthBeforeTenant(Invalid):
    """The month ended before the tenant was there."""

    code = "billing.month_before_tenant"


class NothingToBill(Precondition):
    """There is no usage that is not on an invoice already."""

    code = "billing.nothing_to_bill"


class MixedCurrencies(Precondition):
    """The usage is priced in another currency than the invoice."""

    code = "billing.mixed_currencies"


class PriceMissing(OmniError):
    """Usage names a price that is not in the price table."""

    code = "billing.price_missing"


class DoesNotAddUp(OmniError):
    """The lines of an invoice do not add up to the cost of its calls."""

    code = "billing.does_not_add_up"
