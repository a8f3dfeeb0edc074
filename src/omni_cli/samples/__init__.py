"""What the tenant `demo` shows of each context: one module a context, found by its name.

Each has `prepare`, which makes a few things unless they are there already, marked as samples in their own words, and
`TRY`, what a command shows and that command.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from omni_core.domain.kernel.tenancy import Principal

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni


class Sample(Protocol):
    """What a module here offers. `TRY` is a title and a command line after `omni`, in which {tenant} is filled in."""

    TRY: tuple[str, str]

    async def prepare(self, omni: "Omni", operator: Principal) -> None:
        """Make what there is to see, for the operator's tenant; a second time changes nothing."""
        ...


def samples() -> Iterator[Sample]:
    """Yield the samples of all contexts, by the contexts' names."""
    for found in iter_modules(__path__):
        yield cast(Sample, import_module(f"{__name__}.{found.name}"))
