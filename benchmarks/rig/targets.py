"""What is put side by side: the provider itself, the floor, and Omni."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from omni_core import (
    OPERATOR,
    AddModel,
    AddProvider,
    CreateKey,
    CreateTenant,
    Omni,
    Principal,
    SetBudget,
    Settings,
    UsageQuery,
    Window,
)
from omni_core.adapters.embedded import status
from rig.processes import Measured, cores, free_port, listening, output_of, started

PRICES = {"input": "0.15", "cached_input": "0.075", "output": "0.60"}
FLOOR = Path(__file__).with_name("floor.py")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that answers chats. `database` is the PostgreSQL behind it."""

    name: str
    port: int
    server: Measured
    key: str = "none"
    database: Measured | None = None


class Ledger:
    """What Omni has recorded of the benchmark's tenant."""

    def __init__(self, omni: Omni, principal: Principal) -> None:
        self.omni = omni
        self._principal = principal

    async def calls(self) -> int:
        """Return how many calls there are."""
        now = datetime.now(UTC)
        query = UsageQuery(now - timedelta(days=1), now + timedelta(days=1))
        return sum(group.calls for group in await self.omni.metering.summary(self._principal, query))


@asynccontextmanager
async def direct() -> AsyncGenerator[Target, None]:
    """Start the fake provider."""
    _, core = cores()
    # It remembers no calls, or it would be its own memory that is measured.
    async with started(["-m", "omni_core.testing.upstream", "--keep", "1"], core) as process:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        yield Target("provider, direct", int(url.removesuffix("/v1").rpartition(":")[2]), Measured(process.pid))


@asynccontextmanager
async def floor(provider: Target) -> AsyncGenerator[Target, None]:
    """Start the pass-through."""
    port = free_port()
    arguments = [str(FLOOR), "--port", str(port), "--upstream", f"http://127.0.0.1:{provider.port}/v1"]
    async with started(arguments, cores()[0]) as process:
        await listening(port, process)
        yield Target("floor", port, Measured(process.pid))


@asynccontextmanager
async def omni(provider: Target) -> AsyncGenerator[tuple[Target, Ledger], None]:
    """Start Omni on a new PostgreSQL of its own, with a key, a month's budget and a priced model."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="omni-bench-", ignore_cleanup_errors=True)))
        library = await stack.enter_async_context(Omni.open(Settings(home=home), upgrade=True))
        database = Measured((await status(home)).pid or 0, with_children=True)
        database.pin(cores()[1])
        principal, key = await _furnish(library, provider)
        port = free_port()
        environment = {"OMNI_HOME": str(home), "OMNI_PORT": str(port), "OMNI_LOG_LEVEL": "warning"}
        process = await stack.enter_async_context(started(["-m", "omni_http"], cores()[0], environment))
        await listening(port, process)
        yield Target("Omni", port, Measured(process.pid), key, database), Ledger(library, principal)


@asynccontextmanager
async def omni_of(checkout: Path, provider: Target) -> AsyncGenerator[Target, None]:
    """Start the Omni of another checkout, in which `make install` was run, as `omni` starts this one's."""
    programs = checkout / ".venv" / "bin"
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="omni-bench-", ignore_cleanup_errors=True)))
        port = free_port()
        environment = {"OMNI_HOME": str(home), "OMNI_PORT": str(port), "OMNI_LOG_LEVEL": "warning"}

        async def command(*words: str) -> bytes:
            return await output_of([str(programs / "omni"), *words], environment)

        await command("db", "upgrade")
        await command("tenants", "create", "bench")
        key = msgspec.json.decode(await command("keys", "create", "--scope", "chat", "--json"))["secret"]
        await command("budgets", "set", "--limit", "1000000")
        base_url = f"http://127.0.0.1:{provider.port}/v1"
        await command("models", "add-provider", "fake", "--kind", "openai", "--base-url", base_url)
        prices = [word for price in PRICES.items() for word in ("--price", "=".join(price))]
        await command("models", "add", "bench", "--provider", "fake", *prices)
        server = started(["-m", "omni_http"], cores()[0], environment, python=str(programs / "python"))
        process = await stack.enter_async_context(server)
        await listening(port, process)
        database = Measured((await status(home)).pid or 0, with_children=True)
        database.pin(cores()[1])
        yield Target("Omni before", port, Measured(process.pid), key, database)


async def _furnish(library: Omni, provider: Target) -> tuple[Principal, str]:
    tenant = await library.tenants.create(OPERATOR, CreateTenant("bench", "Benchmark"))
    principal = library.operator(tenant.id)
    key = await library.keys.create(principal, CreateKey("bench", scopes=("chat",)))
    await library.budgets.create(principal, SetBudget(Window.MONTH, "1000000"))
    base_url = f"http://127.0.0.1:{provider.port}/v1"
    await library.catalogue.add_provider(OPERATOR, AddProvider("fake", "openai", base_url=base_url, api_key="sk-fake"))
    await library.catalogue.add_model(OPERATOR, AddModel("bench", "fake", prices=PRICES))
    return principal, key.secret
