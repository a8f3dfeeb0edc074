from omni_core.adapters.memory.keyed_calls import MemoryKeyedCallStore
from omni_core.adapters.postgres.keyed_calls import PostgresKeyedCallStore
from omni_core.testing.contracts.keyed_calls import KeyedCallStoreContract
from tests.support.backends import on_each


class TestKeyedCallStore(KeyedCallStoreContract):
    keyed_call_store = on_each(MemoryKeyedCallStore, PostgresKeyedCallStore)
