"""Invoices whose rows another release wrote."""

import pytest

from omni_core.adapters.memory.billing import MemoryInvoiceStore
from omni_core.domain.billing.api import Invoice, InvoiceStatus
from omni_core.domain.billing.errors import UnknownStatus
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.stored import rebuilds
from omni_core.testing.builders.kernel import unheard_of
from omni_core.testing.contracts.billing.invoice_store import a_draft, a_draft_of_another_release, save
from tests.support.accounts import Account
from tests.unit.billing.test_closing import IN_NOVEMBER, NOVEMBER


async def an_odd_invoice(account: Account, status: InvoiceStatus) -> Invoice:
    backend = account.backend
    invoice = rebuilds(a_draft_of_another_release)(backend.ids, status)
    invoice.tenant_id = account.tenant_id
    await save(backend.uow, backend.make(MemoryInvoiceStore), invoice)
    return invoice


async def test_it_is_listed_and_shown(account):
    invoice = await an_odd_invoice(account, unheard_of(InvoiceStatus))
    assert (await account.billing.list(account.principal, PageRequest())).items == (invoice.summary,)
    assert await account.billing.get(account.principal, invoice.id) == invoice


@pytest.mark.parametrize("change", ["close", "draft", "preview"])
async def test_one_whose_status_nobody_knows_is_left_as_it_is(account, price, change):
    await account.call(price, IN_NOVEMBER)
    invoice = await an_odd_invoice(account, unheard_of(InvoiceStatus))
    with pytest.raises(UnknownStatus):
        await getattr(account.billing, change)(account.principal, NOVEMBER)
    assert await account.billing.get(account.principal, invoice.id) == invoice
    async with account.backend.uow(account.tenant_id) as tx:
        (unbilled,) = await account.billable_usage.unbilled(tx, NOVEMBER.end)
    assert unbilled.calls == 1


async def test_a_draft_is_brought_up_to_date_and_issued(account, price):
    await account.call(price, IN_NOVEMBER)
    draft = rebuilds(a_draft)(account.backend.ids, tenant_id=account.tenant_id)
    draft.total = rebuilds(lambda: draft.total + draft.total)()
    draft.number = "none yet"
    await save(account.backend.uow, account.backend.make(MemoryInvoiceStore), draft)
    issued = await account.close(NOVEMBER)
    assert (issued.id, issued.status, len(issued.lines)) == (draft.id, InvoiceStatus.FINALIZED, 4)
