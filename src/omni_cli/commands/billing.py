"""`omni billing`."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from omni_cli.commands.jobs import print_job
from omni_cli.options import ROWS, Cursor, Json, Limit, Tenant, commands, examples
from omni_cli.output import Column, console_of, note, print_json, print_record, print_rows, print_text
from omni_cli.session import for_tenant
from omni_core.domain.billing.api import Invoice, InvoiceLine, InvoiceSummary, Progress
from omni_core.domain.jobs.api import Job
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import format_picos
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Principal
from omni_core.domain.pricing.api import format_rate

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

billing = commands("Invoices: a month's usage, line by line.")

_SUMMARY: list[Column[InvoiceSummary]] = [
    Column("month", lambda invoice: invoice.month),
    Column("number", lambda invoice: invoice.number),
    Column("status", lambda invoice: invoice.status),
    Column("total", lambda invoice: invoice.total, numeric=True),
    Column("issued", lambda invoice: invoice.finalized_at),
    Column("id", lambda invoice: invoice.id),
]
_HEAD: list[Column[Invoice]] = [
    Column("month", lambda invoice: invoice.month),
    Column("number", lambda invoice: invoice.number),
    Column("status", lambda invoice: invoice.status),
    Column("issued", lambda invoice: invoice.finalized_at),
    Column("id", lambda invoice: invoice.id),
]
_LINE: list[Column[InvoiceLine]] = [
    Column("", lambda line: line.position, numeric=True),
    Column("model", lambda line: line.model),
    Column("meter", lambda line: line.meter),
    Column("usage of", lambda line: line.usage_month),
    Column("calls", lambda line: line.calls, numeric=True),
    Column("quantity", lambda line: line.quantity, numeric=True),
    Column("price", lambda line: format_rate(line.unit_price_picos, line.meter), numeric=True),
    Column("exact", lambda line: format_picos(line.exact_picos), numeric=True),
    Column("amount", lambda line: line.amount, numeric=True),
]
MonthOption = Annotated[str, typer.Option("--month", metavar="2026-11", help="Which month, in UTC.")]


@billing.command(
    "close",
    epilog=examples(
        "omni billing close --tenant demo --month 2026-10",
        "omni billing close --tenant demo --month 2026-11 --early",
        "omni billing close --tenant demo --month 2026-10 --background",
    ),
)
def close(
    month: MonthOption,
    tenant: Tenant = None,
    background: Annotated[bool, typer.Option("--background", help="Queue a job for a worker instead.")] = False,
    early: Annotated[bool, typer.Option("--early", help="Close it although it still runs.")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Issue one of 0 where there is nothing to bill.")] = False,
    json: Json = False,
) -> None:
    """Issue the invoice of a month.

    A second time returns the same one; usage that is recorded later goes to the next. Where nothing was used, none is
    issued. A month that still runs is closed only with --early: what it brings afterwards is on the next invoice.
    """
    chosen = Month.parse(month, "--month")
    if background:
        flags = {name: True for name, given in (("early", early), ("empty", empty)) if given}
        print_job(for_tenant(tenant, lambda omni, operator: _queue(omni, operator, chosen, flags)), json=json)
        return

    async def issue(omni: "Omni", operator: Principal) -> Invoice:
        async with _progress_bar() as progress:
            return await omni.billing.close(operator, chosen, progress, early=early, empty=empty)

    _print(for_tenant(tenant, issue), json=json)
    if not json and chosen.end > datetime.now(UTC):
        note(f"{chosen} still runs: what is used from now on goes to the invoice of {chosen.next()}")


@billing.command("preview", epilog=examples("omni billing preview --tenant demo --month 2026-11"))
def preview(month: MonthOption, tenant: Tenant = None, json: Json = False) -> None:
    """Show what closing a month would issue now."""
    chosen = Month.parse(month, "--month")
    _print(for_tenant(tenant, lambda omni, operator: omni.billing.preview(operator, chosen)), json=json)


@billing.command("list", epilog=examples("omni billing list --tenant demo", "omni billing list --tenant demo --json"))
def list_invoices(tenant: Tenant = None, limit: Limit = ROWS, cursor: Cursor = None, json: Json = False) -> None:
    """List a tenant's invoices, newest first."""
    page = for_tenant(tenant, lambda omni, operator: omni.billing.list(operator, PageRequest(limit, cursor)))
    print_rows(page.items, _SUMMARY, json=json, next_cursor=page.next_cursor)


@billing.command(
    "show",
    epilog=examples(
        "omni billing show INV-000001 --tenant demo",
        "omni billing show 01234567-89ab-7def-8123-456789abcdef --tenant demo",
    ),
)
def show(
    invoice_id: Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number, or its id.")],
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Show an invoice with its lines."""
    _print(for_tenant(tenant, lambda omni, operator: omni.billing.get(operator, invoice_id)), json=json)


async def _queue(omni: "Omni", operator: Principal, month: Month, flags: dict[str, bool]) -> Job:
    # One job for each month and way of closing it: asking twice finds the first, and queues it again if it failed.
    arguments = {"month": str(month), **flags}
    return await omni.jobs.submit(operator, "billing.close", arguments, idempotency_key=" ".join([str(month), *flags]))


def _print(invoice: Invoice, *, json: bool) -> None:
    if json:
        print_json(invoice)
        return
    # A preview's id names nothing that is stored.
    print_record(invoice, _HEAD[:-1] if invoice.is_draft else _HEAD, json=False)
    print_text("")
    if invoice.lines:
        print_rows(invoice.lines, _LINE, json=False)
        note("prices are for a million tokens, or for one image or request")
    print_text(f"\ntotal  {invoice.total}")


@asynccontextmanager
async def _progress_bar() -> AsyncIterator[Progress]:
    """Show on a terminal how far the work is; elsewhere nothing, for nobody watches."""
    from rich.progress import Progress as Bar

    console = console_of(sys.stderr)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("closing", total=None)

        async def progress(done: int, of: int, message: str) -> None:
            bar.update(task, completed=done, total=of, description=message)

        yield progress
