from datetime import UTC, datetime

import pytest

from omni_core import OPERATOR, Month, Omni
from omni_core.domain.billing.errors import MonthNotBegun
from omni_core.domain.jobs.api import JobContext, JobProgress
from omni_core.domain.jobs.errors import InvalidArguments
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.tenancy import Scope
from omni_core.domain.tenancy.api import CreateTenant
from omni_core.testing import FixedClock
from omni_core.testing.builders.jobs import a_job
from omni_workers.handlers.billing import InvoiceIssued, close_month


@pytest.fixture
async def omni():
    async with Omni.open(memory=True) as omni:
        yield omni


async def context_of(omni: Omni, *scopes: Scope, reports: list[JobProgress] | None = None) -> JobContext:
    tenant = await omni.tenants.create(OPERATOR, CreateTenant("demo", "Demo"))
    given = {"scopes": frozenset(scopes)} if scopes else {}

    async def report(progress: JobProgress) -> None:
        if reports is not None:
            reports.append(progress)

    return JobContext(a_job(tenant.id, kind="billing.close", **given), report, FixedClock())


async def test_closing_a_month_gives_its_invoice_however_often(omni: Omni):
    reports: list[JobProgress] = []
    context = await context_of(omni, *Scope, reports=reports)
    close = close_month(omni.billing)
    month = Month.of(datetime.now(UTC))
    arguments = {"month": str(month), "early": True, "empty": True}
    issued = await close(context, arguments)
    assert isinstance(issued, InvoiceIssued)
    invoice = await omni.billing.get(omni.operator(context.principal.tenant_id), issued.invoice_id)
    assert (issued.number, issued.total_minor, issued.currency) == ("INV-000001", invoice.total.minor, "USD")
    assert invoice.month == month
    assert await close(context, arguments) == issued
    assert reports[0].total == 2
    assert context.latest is not None
    assert context.latest.current == 2


@pytest.mark.parametrize("arguments", [{}, {"month": 1}, {"month": "2025-01", "force": True}], ids=repr)
async def test_it_wants_a_month(omni: Omni, arguments):
    with pytest.raises(InvalidArguments):
        await close_month(omni.billing)(await context_of(omni), arguments)


@pytest.mark.parametrize("month, error", [("January", InvalidValue), ("9998-01", MonthNotBegun)])
async def test_it_wants_a_month_that_has_begun(omni: Omni, month, error):
    with pytest.raises(error):
        await close_month(omni.billing)(await context_of(omni), {"month": month})


@pytest.mark.parametrize(
    "scope, arguments",
    [
        (Scope.JOBS_WRITE, {"month": "2025-01"}),
        (Scope.BILLING_WRITE, {"month": str(Month.of(datetime.now(UTC))), "early": True}),
    ],
    ids=["any", "running"],
)
async def test_it_may_do_what_its_requester_may(omni: Omni, scope, arguments):
    with pytest.raises(MissingScope):
        await close_month(omni.billing)(await context_of(omni, scope), arguments)
