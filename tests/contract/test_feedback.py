import pytest

from omni_core.adapters.memory.feedback import MemoryFeedbackStore
from omni_core.adapters.postgres.feedback import PostgresFeedbackStatistics, PostgresFeedbackStore
from omni_core.testing.contracts.feedback import FeedbackStatisticsContract, FeedbackStoreContract
from tests.support.backends import Backend, on_each


class TestFeedbackStore(FeedbackStoreContract):
    feedback_store = on_each(MemoryFeedbackStore, PostgresFeedbackStore)


@pytest.mark.postgres
class TestFeedbackStatistics(FeedbackStatisticsContract):
    """PostgreSQL's alone."""

    @pytest.fixture
    def backend(self, postgres: Backend):
        return postgres

    @pytest.fixture
    def feedback_store(self, postgres: Backend):
        return postgres.make(PostgresFeedbackStore)

    @pytest.fixture
    def feedback_statistics(self, postgres: Backend):
        return postgres.make(PostgresFeedbackStatistics)
