"""What every suite asks for beside adapters, from each backend in turn."""

import pytest

from omni_core.domain.kernel.ids import Ids
from omni_core.domain.kernel.uow import UnitOfWork
from omni_core.testing import FixedClock
from tests.support.backends import Backend


@pytest.fixture
def uow(backend: Backend) -> UnitOfWork:
    """The unit of work."""
    return backend.uow


@pytest.fixture
def clock(backend: Backend) -> FixedClock:
    """The clock that the unit of work reads."""
    return backend.clock


@pytest.fixture
def ids(backend: Backend) -> Ids:
    """Ids that grow."""
    return backend.ids
