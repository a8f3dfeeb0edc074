"""Events are there by themselves: everything that the other samples did."""

from typing import TYPE_CHECKING, Final

from omni_core.domain.kernel.tenancy import Principal

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

TRY: Final = (
    "Events: what happened in the tenant, without its jobs",
    "events list --tenant {tenant} --where 'not event_type starts_with jobs.'",
)


async def prepare(omni: "Omni", operator: Principal) -> None:
    """Nothing is missing."""
