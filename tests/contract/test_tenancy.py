from omni_core.testing.contracts.directory import DirectoryContract
from omni_core.testing.contracts.key_store import KeyStoreContract
from omni_core.testing.contracts.tenant_store import TenantStoreContract


class TestTenantStore(TenantStoreContract): ...


class TestKeyStore(KeyStoreContract): ...


class TestDirectory(DirectoryContract): ...
