from omni_core.testing.contracts.usage_log import UsageLogContract
from omni_core.testing.contracts.usage_reader import UsageReaderContract


class TestUsageLog(UsageLogContract): ...


class TestUsageReader(UsageReaderContract): ...
