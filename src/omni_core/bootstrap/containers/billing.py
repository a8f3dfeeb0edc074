"""The wiring of billing."""

from dependency_injector import containers, providers

from omni_core.adapters.memory.billing import MemoryBillableUsage, MemoryInvoiceStore
from omni_core.adapters.postgres.billable_usage import PostgresBillableUsage
from omni_core.adapters.postgres.billing import PostgresInvoiceStore
from omni_core.domain.billing.api import Billing, Months
from omni_core.domain.kernel.uow import UnitsOfWork


class BillingContainer(containers.DeclarativeContainer):
    """Invoices."""

    platform = providers.DependenciesContainer()
    tenancy = providers.DependenciesContainer()
    pricing = providers.DependenciesContainer()

    store = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryInvoiceStore),
        postgres=providers.Singleton(PostgresInvoiceStore),
    )
    usage = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryBillableUsage),
        postgres=providers.Singleton(PostgresBillableUsage),
    )
    face = providers.Singleton(
        Billing,
        providers.Singleton(UnitsOfWork, platform.uow, platform.report_uow),
        store,
        usage,
        pricing.store,
        providers.Singleton(Months, tenancy.tenant_store, platform.clock),
        platform.ids,
        currency=platform.settings.provided.currency,
    )
