"""Opens Omni for one command, as the operator: whoever can read its settings and reach its database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from omni_core.domain.kernel.errors import Invalid
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import OPERATOR, Principal

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni
    from omni_core.bootstrap.settings import Settings

T = TypeVar("T")


class TenantNotNamed(Invalid):
    """It is not clear which tenant is meant."""

    code = "cli.tenant_not_named"


def load_settings() -> "Settings":
    """Read the settings and set up the log; raise `InvalidSetting`."""
    from omni_core.bootstrap.settings import Settings

    settings = Settings.load()
    set_up_log(settings)
    return settings


def set_up_log(settings: "Settings") -> None:
    """Log to standard error: warnings only, unless another level is set, for a command tells its result itself."""
    from omni_core.adapters.telemetry.logging import configure_logging

    configure_logging("warning" if settings.log_level == "info" else settings.log_level, settings.log_format)


def with_omni(work: Callable[["Omni"], Awaitable[T]], *, upgrade: bool = False) -> T:
    """Open Omni, do `work`, close Omni, and return what the work returned."""
    settings = load_settings()

    async def opened() -> T:
        from omni_core.bootstrap.omni import Omni

        async with Omni.open(settings, upgrade=upgrade) as omni:
            return await work(omni)

    return asyncio.run(opened())


def for_tenant(tenant: str | None, work: Callable[["Omni", Principal], Awaitable[T]]) -> T:
    """Do `work` as the operator acting for a tenant, given by slug or id, or else the only one there is.

    Raises `UnknownTenant` or `TenantNotNamed`.
    """

    async def resolved(omni: "Omni") -> T:
        return await work(omni, await operator_for(omni, tenant))

    return with_omni(resolved)


async def operator_for(omni: "Omni", tenant: str | None) -> Principal:
    """Return the operator acting for a tenant; raise `UnknownTenant` or `TenantNotNamed`."""
    if tenant is not None:
        return omni.operator(await omni.tenants.resolve(OPERATOR, tenant))
    found = (await omni.tenants.list(OPERATOR, PageRequest(limit=20))).items
    if len(found) != 1:
        slugs = [one.slug for one in found]
        detail = "there are several tenants: say which with --tenant" if found else "there is no tenant yet"
        raise TenantNotNamed(detail, field="--tenant", allowed=slugs)
    return omni.operator(found[0].id)
