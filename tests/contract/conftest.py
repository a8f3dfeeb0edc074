"""Every attribute of a `Backend` is a fixture here, under its own name, from each backend in turn.

So a port's contract suite finds `tenant_store`, `uow` and the rest as soon as the context has joined `Backend`.
"""

from dataclasses import fields
from typing import Any

import pytest

from tests.support.backends import Backend


def attribute_fixture(name: str) -> Any:
    @pytest.fixture(name=name)
    def provide(backend: Backend):
        return getattr(backend, name)

    return provide


globals().update({field.name: attribute_fixture(field.name) for field in fields(Backend)})
