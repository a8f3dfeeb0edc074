import inspect
import pkgutil
from importlib import import_module

from omni_core import adapters, domain
from omni_core.domain.kernel import errors
from omni_core.domain.kernel.errors import Kind, OmniError


def every_error() -> list[type[OmniError]]:
    """Every error that the domain and its adapters declare."""
    for layer in (domain, adapters):
        for module in pkgutil.walk_packages(layer.__path__, f"{layer.__name__}."):
            if not module.name.endswith(".migrations.env"):  # Alembic's script, which nobody imports
                import_module(module.name)
    found: list[type[OmniError]] = []
    waiting = [OmniError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        found.append(error)
    return [error for error in found if error.__module__.startswith("omni_")]


def test_an_error_says_its_title_where_nothing_better_is_said():
    assert str(errors.NotFound()) == "There is no such thing here"
    assert errors.NotFound().detail == "There is no such thing here"


def test_an_error_carries_facts_for_programs():
    error = errors.InvalidValue("limit must be from 1 to 500", field="limit")
    assert (error.detail, str(error), error.fields) == (
        "limit must be from 1 to 500",
        "limit must be from 1 to 500",
        {"field": "limit"},
    )


def test_what_nobody_foresaw_is_internal_and_not_tried_again():
    assert (OmniError().kind, OmniError().code, OmniError().retryable) == (Kind.INTERNAL, "internal", False)


def test_no_two_errors_share_a_code():
    errors_by_code: dict[str, set[str]] = {}
    for error in every_error():
        if "code" in vars(error):
            errors_by_code.setdefault(error.code, set()).add(error.__qualname__)
    assert {code: names for code, names in errors_by_code.items() if len(names) > 1} == {}


def test_every_error_names_itself():
    for error in every_error():
        assert inspect.getdoc(error), error
        assert "code" in vars(error), f"{error} has no code of its own"
        assert error.title()[-1] not in ".:", error
