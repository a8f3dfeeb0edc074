"""The contract of each port, as a class of tests that every adapter of it must pass, by context.

A suite asks for fixtures that are named for what they are: `tenant_store`, `uow`, `chat_model`. Subclass it as
`Test…`, provide those, and pytest runs it, with `asyncio_mode = "auto"`:

```python
class TestMyTenantStore(TenantStoreContract):
    @pytest.fixture
    def tenant_store(self) -> TenantStore:
        return MyTenantStore()
```
"""

from pkgutil import iter_modules

import pytest

# An assertion in a suite explains itself as one in a test file does. A package stands for every module in it.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
