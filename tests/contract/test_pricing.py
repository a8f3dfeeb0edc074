from omni_core.adapters.memory.pricing import MemoryPriceStore
from omni_core.adapters.postgres.pricing import PostgresPriceStore
from omni_core.testing.contracts.pricing import PriceStoreContract
from tests.support.backends import on_each


class TestPriceStore(PriceStoreContract):
    price_store = on_each(MemoryPriceStore, PostgresPriceStore)
