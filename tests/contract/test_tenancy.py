from omni_core.adapters.memory.tenancy import MemoryDirectory, MemoryKeyStore, MemoryTenantStore
from omni_core.adapters.postgres.tenancy import PostgresDirectory, PostgresKeyStore, PostgresTenantStore
from omni_core.testing.contracts.tenancy import DirectoryContract, KeyStoreContract, TenantStoreContract
from tests.support.backends import on_each


class TestTenantStore(TenantStoreContract):
    tenant_store = on_each(MemoryTenantStore, PostgresTenantStore)


class TestKeyStore(KeyStoreContract):
    key_store = on_each(MemoryKeyStore, PostgresKeyStore)


class TestDirectory(DirectoryContract):
    directory = on_each(MemoryDirectory, PostgresDirectory)
    tenant_store = on_each(MemoryTenantStore, PostgresTenantStore)
    key_store = on_each(MemoryKeyStore, PostgresKeyStore)
