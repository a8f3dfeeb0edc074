"""The machine's own clock, identifiers and entropy."""

from omni_core.adapters.system.clock import SystemClock
from omni_core.adapters.system.ids import SystemEntropy, SystemIds

__all__ = ["SystemClock", "SystemEntropy", "SystemIds"]
