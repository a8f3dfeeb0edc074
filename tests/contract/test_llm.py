from omni_core.testing.contracts.catalogue_store import CatalogueStoreContract


class TestCatalogueStore(CatalogueStoreContract): ...
