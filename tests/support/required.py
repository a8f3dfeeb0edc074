"""What tests need besides the pinned requirements: without it they skip, and fail where it has to be there."""

import os
import shutil
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test and say why; fail it where `OMNI_TEST_REQUIRE_SERVICES` is set, as `.ci/run` does."""
    if os.environ.get("OMNI_TEST_REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)


def program(*names: str) -> str:
    """Return the path of the first of these programs that is on PATH."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or missing(f"{' or '.join(names)} is not on PATH")
