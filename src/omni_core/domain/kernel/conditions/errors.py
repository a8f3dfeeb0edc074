"""How a condition is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from omni_core.domain.kernel.errors import Invalid


class InvalidCondition(Invalid):
    """The condition is not valid."""

    code = "kernel.invalid_condition"


@contextmanager
def below(place: str) -> Iterator[None]:
    """Put `place` before the field that an `InvalidCondition` raised in here names: `value` becomes `all[1].value`."""
    try:
        yield
    except InvalidCondition as refused:
        fields = refused.fields | {"field": f"{place}{refused.fields['field']}"}
        raise InvalidCondition(refused.detail, **fields) from refused
