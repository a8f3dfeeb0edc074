"""Opens what has to be opened, in order, and closes it in the reverse order, whatever happens in between."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import structlog
from dependency_injector import providers

from omni_core.adapters.crypto import MasterKey
from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres
from omni_core.adapters.llm.factories import factories as installed_factories
from omni_core.adapters.memory.database import MemoryDatabase
from omni_core.adapters.postgres import migrate
from omni_core.adapters.postgres.engine import APP_ROLE, Database, open_database
from omni_core.adapters.system import SystemClock, SystemEntropy, SystemIds
from omni_core.bootstrap.containers.root import RootContainer
from omni_core.bootstrap.settings import Settings
from omni_core.domain.kernel.errors import DependencyFailed, Precondition
from omni_core.domain.llm.api import ChatModelFactory, ProviderConfig

MAINTAIN_EVERY_S = 1.0
_log = structlog.get_logger("omni")


class SchemaBehind(Precondition):
    """The database's schema is not this release's; run `omni db upgrade`."""

    code = "postgres.schema_behind"


class DatabaseUrls(msgspec.Struct, frozen=True):
    """The same database for the program's plain role and for the owner of its tables."""

    program: str
    owner: str


class Opened(msgspec.Struct, frozen=True):
    """What `open_container` opened. `database` and `urls` are None on memory adapters."""

    container: RootContainer
    database: Database | None = None
    urls: DatabaseUrls | None = None


@asynccontextmanager
async def database_urls(settings: Settings) -> AsyncGenerator[DatabaseUrls, None]:
    """Tell where the database is, and keep it up meanwhile: DATABASE_URL, or Omni's own server under OMNI_HOME."""
    if settings.database_url is not None:
        yield DatabaseUrls(settings.database_url, settings.owner_database_url or settings.database_url)
        return
    async with EmbeddedPostgres(settings.home).attached() as server:
        yield DatabaseUrls(server.dsn(APP_ROLE), server.dsn(OWNER_ROLE))


@asynccontextmanager
async def open_container(
    settings: Settings, *, memory: bool, upgrade: bool, chat_models: Mapping[str, ChatModelFactory]
) -> AsyncGenerator[Opened, None]:
    """Open everything that the wiring is handed, and run what has to run beside it."""
    async with AsyncExitStack() as stack:
        urls = database = None
        if not memory:
            urls = await stack.enter_async_context(database_urls(settings))
            await _check_schema(urls, upgrade=upgrade)
            database = await stack.enter_async_context(open_database(urls.program, pool_size=settings.database_pool))
        container = _wire(settings, database, chat_models)
        stack.push_async_callback(_close, container)
        await stack.enter_async_context(_running(container.budgets.desk().maintain))
        yield Opened(container, database, urls)


async def _check_schema(urls: DatabaseUrls, *, upgrade: bool) -> None:
    if upgrade:
        await migrate.upgrade(urls.owner)
        return
    state = await migrate.state(urls.program)
    if not state.is_current:
        raise SchemaBehind(
            f"the database is at {state.current or 'no schema'}, this release wants {state.wanted}; run omni db upgrade",
            current=state.current,
            wanted=state.wanted,
        )


def _wire(settings: Settings, database: Database | None, chat_models: Mapping[str, ChatModelFactory]) -> RootContainer:
    clock, ids = SystemClock(), SystemIds()
    built_in = ProviderConfig(name="omni", kind="brain")
    container = RootContainer(
        factories=providers.Object({**installed_factories(), **chat_models}),
        configured=providers.Object((built_in, *settings.providers)),
    )
    platform = container.platform
    platform.storage.override(providers.Object("memory" if database is None else "postgres"))
    platform.settings.override(providers.Object(settings))
    platform.clock.override(providers.Object(clock))
    platform.ids.override(providers.Object(ids))
    platform.entropy.override(providers.Object(SystemEntropy()))
    platform.master_key.override(providers.Object(_master_key(settings, is_memory=database is None)))
    if database is None:
        platform.memory.override(providers.Object(MemoryDatabase(clock, ids)))
    else:
        platform.engine.override(providers.Object(database.engine))
        platform.pool.override(providers.Object(database.pool))
    container.check_dependencies()
    return container


def _master_key(settings: Settings, *, is_memory: bool) -> MasterKey:
    if settings.secret_key is not None:
        return MasterKey.parse(settings.secret_key)
    return MasterKey.generate() if is_memory else MasterKey.load_or_create(settings.home / "secret.key")


async def _close(container: RootContainer) -> None:
    # First what still writes usage, then what it draws from, then the log that it writes to, then the clients.
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.llm.routes().close)
        stack.push_async_callback(container.metering.log().close)
        stack.push_async_callback(container.budgets.desk().close)
        stack.push_async_callback(container.llm.accounts().drain)


@asynccontextmanager
async def _running(work: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
    """Do `work` again and again while the block lasts. A failing database does not end it."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(MAINTAIN_EVERY_S)
            try:
                await work()
            except DependencyFailed as error:
                _log.warning("maintenance failed", code=error.code, detail=error.detail)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
