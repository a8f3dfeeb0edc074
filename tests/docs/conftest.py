"""Gives the tests in this folder every page, and every code block in a language, one at a time."""

import pytest

from tests.docs.fences import ROOT, fences, pages


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `page`, or a fence of some language, is run for each of them."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
    languages = {
        "python_fence": {"python", "py"},
        "shell_fence": {"bash", "sh", "shell", "console"},
        "json_fence": {"json"},
    }
    if "runnable_fence" in metafunc.fixturenames:
        metafunc.parametrize("runnable_fence", [fence for fence in fences() if fence.runs], ids=str)
    for argument, names in languages.items():
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, [fence for fence in fences() if fence.language in names], ids=str)
