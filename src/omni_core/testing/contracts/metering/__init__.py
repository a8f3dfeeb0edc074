"""What every adapter of metering's ports does."""

from omni_core.testing.contracts.metering.usage_log import UsageLogContract
from omni_core.testing.contracts.metering.usage_reader import UsageReaderContract

__all__ = ["UsageLogContract", "UsageReaderContract"]
