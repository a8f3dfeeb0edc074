from omni_core.adapters.memory.llm import MemoryCatalogueStore
from omni_core.adapters.postgres.llm import PostgresCatalogueStore
from omni_core.testing.contracts.llm import CatalogueStoreContract
from tests.support.backends import on_each


class TestCatalogueStore(CatalogueStoreContract):
    catalogue_store = on_each(MemoryCatalogueStore, PostgresCatalogueStore)
