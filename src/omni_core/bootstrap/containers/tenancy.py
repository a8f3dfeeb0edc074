"""The wiring of tenancy."""

from dependency_injector import containers, providers

from omni_core.adapters.memory.tenancy import MemoryDirectory, MemoryKeyStore, MemoryTenantStore
from omni_core.adapters.postgres.tenancy import PostgresDirectory, PostgresKeyStore, PostgresTenantStore
from omni_core.domain.tenancy.api import ApiKeys, Authenticator, Tenancy, Tenants


class TenancyContainer(containers.DeclarativeContainer):
    """Tenants, members and API keys."""

    platform = providers.DependenciesContainer()

    tenant_store = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryTenantStore, platform.memory),
        postgres=providers.Singleton(PostgresTenantStore),
    )
    key_store = providers.Selector(
        platform.storage, memory=providers.Singleton(MemoryKeyStore), postgres=providers.Singleton(PostgresKeyStore)
    )
    directory = providers.Selector(
        platform.storage,
        memory=providers.Singleton(MemoryDirectory, platform.memory),
        postgres=providers.Singleton(PostgresDirectory, platform.pool),
    )
    tenants = providers.Singleton(Tenants, platform.uow, tenant_store, directory, platform.clock, platform.ids)
    keys = providers.Singleton(
        ApiKeys, platform.uow, key_store, platform.digest, platform.clock, platform.ids, platform.entropy
    )
    authenticator = providers.Singleton(
        Authenticator,
        directory,
        platform.digest,
        platform.clock,
        fresh_s=platform.settings.provided.tenancy.key_fresh_s,
    )
    face = providers.Singleton(Tenancy, tenants, keys, authenticator)
