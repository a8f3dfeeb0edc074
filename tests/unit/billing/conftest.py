from datetime import timedelta

import pytest

from omni_core.testing.builders.pricing import a_price
from tests.support.accounts import Account


@pytest.fixture
def account(memory):
    """The clock stands at the second of December, a day after November ended."""
    memory.clock.advance(timedelta(days=11))
    return Account(memory)


@pytest.fixture
async def price(account):
    return await account.price(a_price(model="large", prices={"input": "2.50", "cached_input": "1.25", "output": "10"}))
