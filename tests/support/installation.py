"""An installation of Omni to test from outside: a database, a fake provider with models at known prices, tenants."""

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from omni_core import (
    OPERATOR,
    AddModel,
    AddProvider,
    CreateKey,
    CreateTenant,
    Omni,
    Principal,
    Scope,
    SetBudget,
    Settings,
    TenantId,
    Window,
)
from omni_core.testing.upstream import FAULTS, FakeUpstream
from tests.support.program import Program, free_port, running_program

PROVIDER_KEY = "sk-provider-0123456789abcdefABCDEF"
REFUSED_KEY = "sk-revoked-0123456789abcdefABCDEF"
IMPATIENT_S = 1.0
"""How long the provider whose models misbehave may be silent; a whole call may take twice that."""

# Prices in dollars: of a million tokens, or of one image or request. The last two cost a cent a call; `flat` no more
# than that, whatever it answers, and `open-ended` a hundredth of a cent for each token of output on top of it.
MODELS: dict[str, dict[str, Any]] = {
    "small": {"prices": {"input": "0.15", "cached_input": "0.075", "output": "0.60"}},
    "tiered": {
        "prices": {"input": "2.50", "cached_input": "0.25", "output": "10"},
        "tiers": ({"above_input_tokens": 1000, "prices": {"input": "5", "output": "22.50"}},),
    },
    "seeing": {"prices": {"input": "1", "output": "2", "image": "0.0035", "request": "0.0101"}},
    "flat": {"prices": {"input": "0", "output": "0", "request": "0.01"}},
    "open-ended": {"prices": {"input": "0", "output": "100", "request": "0.01"}},
}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Customer:
    """A tenant, its operator, and a key with every scope of a tenant."""

    id: TenantId
    slug: str
    principal: Principal
    key: str


@dataclass(frozen=True)
class Installation:
    """`omni` is the library on the same database as the servers, to arrange things and to look behind them."""

    omni: Omni
    upstream: FakeUpstream
    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    async def customer(self) -> Customer:
        """Make a tenant of the test's own."""
        slug = f"customer-{next(_numbers)}"
        tenant = await self.omni.tenants.create(OPERATOR, CreateTenant(slug, slug.title()))
        principal = self.omni.operator(tenant.id)
        made = await self.omni.keys.create(principal, CreateKey("all", ("all",)))
        return Customer(tenant.id, slug, principal, made.secret)

    async def key(self, customer: Customer, *scopes: Scope) -> str:
        """Make another key of a customer, with these scopes."""
        made = await self.omni.keys.create(customer.principal, CreateKey("some", tuple(scopes)))
        return made.secret

    async def operator_key(self) -> str:
        """Make a key that may do everything, for every tenant."""
        return await self.key(await self.customer(), *Scope)

    async def budget(self, customer: Customer, limit: str, **given: Any) -> None:
        """Give a customer, or a key of it, a budget of a month."""
        await self.omni.budgets.create(customer.principal, SetBudget(Window.MONTH, limit, **given))

    def program(self, **settings: str) -> AbstractAsyncContextManager[Program]:
        """Run another server on the same database."""
        return running_program(self.home, {**self.settings, **settings})


@asynccontextmanager
async def installed(database_url: str, home: Path) -> AsyncIterator[Installation]:
    """Set up an installation on a migrated database, with nothing running yet."""
    settings = {"DATABASE_URL": database_url, "OMNI_LOG_FORMAT": "json"}
    async with (
        FakeUpstream(keys=[PROVIDER_KEY]) as upstream,
        Omni.open(Settings.load(_environment(home, settings))) as omni,
    ):
        await omni.add_built_in_model()
        await _add_models(omni, upstream)
        yield Installation(omni, upstream, home, settings)


def _environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    return {"OMNI_HOME": str(home), **settings}


async def _add_models(omni: Omni, upstream: FakeUpstream) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    for name, kind, url, key, patience_s in (
        ("fake", "openai", upstream.url, PROVIDER_KEY, 30.0),
        ("claude", "anthropic", upstream.anthropic_url, PROVIDER_KEY, 30.0),
        ("impatient", "openai", upstream.url, PROVIDER_KEY, IMPATIENT_S),
        ("locked-out", "openai", upstream.url, REFUSED_KEY, 30.0),
        ("down", "openai", nowhere, PROVIDER_KEY, 30.0),
    ):
        command = AddProvider(name, kind, url, key, read_timeout_s=patience_s, total_timeout_s=2 * patience_s)
        await omni.catalogue.add_provider(OPERATOR, command)
    for name, given in MODELS.items():
        await _add_model(omni, name, "fake", **given)
    await _add_model(omni, "claude", "claude")
    await _add_model(omni, "locked-out", "locked-out")
    await _add_model(omni, "unreachable", "down")
    for fault in FAULTS:
        await _add_model(omni, f"fault-{fault}", "impatient", upstream_model=fault)


async def _add_model(omni: Omni, name: str, provider: str, **given: Any) -> None:
    command = {"name": name, "provider": provider, **MODELS["small"], "max_output_tokens": 100, **given}
    await omni.catalogue.add_model(OPERATOR, msgspec.convert(command, AddModel))


@asynccontextmanager
async def calling(server: Program | str, key: str | None = None, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of a server, with a key; it makes as many connections as it is given calls at once."""
    url = server if isinstance(server, str) else server.url
    authorization = {} if key is None else {"Authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(
        base_url=url, headers={**authorization, **headers}, limits=limits, timeout=60
    ) as client:
        yield client
