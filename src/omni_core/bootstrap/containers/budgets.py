"""The wiring of budgets."""

from dependency_injector import containers, providers

from omni_core.adapters.memory.budgets import MemoryBudgetStore, MemoryLeases
from omni_core.adapters.postgres.budgets import PostgresBudgetStore, PostgresLeases
from omni_core.adapters.telemetry.clocks import ClockWatch
from omni_core.domain.budgets.api import BudgetDesk, Budgets


class BudgetsContainer(containers.DeclarativeContainer):
    """Budgets, and the desk at which this process reserves."""

    platform = providers.DependenciesContainer()
    tenancy = providers.DependenciesContainer()

    store = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryBudgetStore),
        postgres=providers.Singleton(PostgresBudgetStore),
    )
    leases = providers.Singleton(
        ClockWatch,
        providers.Selector(
            platform.storage,
            memory=providers.Singleton(MemoryLeases, platform.memory),
            postgres=providers.Singleton(PostgresLeases, platform.pool),
        ),
        platform.clock,
    )
    face = providers.Singleton(
        Budgets,
        platform.uow,
        store,
        tenancy.key_store,
        platform.clock,
        platform.ids,
        platform.settings.provided.currency,
    )
    desk = providers.Singleton(
        BudgetDesk,
        platform.chat_uow,
        store,
        leases,
        platform.clock,
        platform.ids,
        wait_s=platform.settings.provided.budgets.wait_s,
    )
    maintains = providers.List(desk.provided.maintain)
    closes = providers.List(desk.provided.close)
