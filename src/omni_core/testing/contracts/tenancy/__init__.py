"""What every adapter of tenancy's ports does."""

from omni_core.testing.contracts.tenancy.directory import DirectoryContract
from omni_core.testing.contracts.tenancy.key_store import KeyStoreContract
from omni_core.testing.contracts.tenancy.tenant_store import TenantStoreContract

__all__ = ["DirectoryContract", "KeyStoreContract", "TenantStoreContract"]
