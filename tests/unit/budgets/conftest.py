import pytest

from tests.support.backends import Backend
from tests.support.tills import Till


@pytest.fixture
def till(memory: Backend) -> Till:
    return Till(memory)
