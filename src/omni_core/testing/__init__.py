"""For tests of Omni and of what is built on it, by its users as well as by its authors.

- `FixedClock` and `SequentialIds` stand in for time and identifiers.
- `builders` makes records that are valid as they come (`builders.tenancy.an_api_key(tenant.id, name="ci")`).
- `contracts` has the suite of every port; an adapter of yours that passes it can replace Omni's.
- `upstream` is a model provider that answers as it was told to, over HTTP.

For the ports of storage, `omni_core.adapters.memory` is meant for tests too: nothing here needs a database. The suites
need pytest and pytest-asyncio; the rest needs nothing but Omni.
"""

from omni_core.testing.clock import FixedClock
from omni_core.testing.ids import SequentialIds

__all__ = ["FixedClock", "SequentialIds"]
