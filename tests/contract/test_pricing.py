from omni_core.testing.contracts.price_store import PriceStoreContract


class TestPriceStore(PriceStoreContract): ...
