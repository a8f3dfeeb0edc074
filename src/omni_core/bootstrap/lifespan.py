"""Opens what has to be opened, in order, and closes it in the reverse order, whatever happens in between."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import structlog

from omni_core.adapters.crypto import MasterKey
from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres
from omni_core.adapters.llm.factories import factories as installed_factories
from omni_core.adapters.postgres import migrate
from omni_core.adapters.postgres.engine import APP_ROLE, Database, open_database
from omni_core.bootstrap.containers.root import Opened, RootContainer, wire
from omni_core.bootstrap.settings import Settings
from omni_core.domain.budgets.api import BudgetDesk
from omni_core.domain.kernel.errors import DependencyFailed, Precondition
from omni_core.domain.llm.api import ChatModelFactory, ProviderConfig
from omni_core.domain.llm.ports import Factories, OpenChatModel

MAINTAIN_EVERY_S = 1.0
Decorate = Callable[[ProviderConfig, OpenChatModel], OpenChatModel]
"""Wraps each provider's client, for metrics, tracing, retries and the like."""
_log = structlog.get_logger("omni")


class SchemaBehind(Precondition):
    """The database's schema is not this release's; run `omni db upgrade`."""

    code = "postgres.schema_behind"


class DatabaseUrls(msgspec.Struct, frozen=True):
    """The same database for the program's plain role and for the owner of its tables. They may hold passwords."""

    program: str
    owner: str

    def __repr__(self) -> str:
        return "DatabaseUrls(…)"


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
    settings: Settings,
    *,
    memory: bool,
    upgrade: bool,
    chat_models: Mapping[str, ChatModelFactory],
    decorate: Decorate | None = None,
) -> AsyncGenerator[tuple[RootContainer, Database | None, DatabaseUrls | None], None]:
    """Open everything that the wiring is handed, and run what has to run beside it; memory has no database."""
    async with AsyncExitStack() as stack:
        urls = database = None
        if not memory:
            urls = await stack.enter_async_context(database_urls(settings))
            await _check_schema(urls, upgrade=upgrade)
            database = await stack.enter_async_context(open_database(urls.program, pool_size=settings.database_pool))
        container = wire(
            Opened(
                settings=settings,
                master_key=_master_key(settings, is_memory=memory),
                factories=decorated({**installed_factories(), **chat_models}, decorate),
                database=database,
            )
        )
        stack.push_async_callback(_close, container)
        await stack.enter_async_context(repeating(container.budgets.desk().maintain))
        yield container, database, urls


async def _check_schema(urls: DatabaseUrls, *, upgrade: bool) -> None:
    if upgrade:
        await migrate.upgrade(urls.owner)
        return
    # As the owner, because the program's role comes with the first migration, which may be what is missing.
    state = await migrate.state(urls.owner)
    if not state.is_current:
        found = f"the database's schema is {state.current}" if state.current else "the database has no schema yet"
        raise SchemaBehind(
            f"{found}, and this release wants {state.wanted}; run omni db upgrade",
            current=state.current,
            wanted=state.wanted,
        )


def decorated(factories: Factories, decorate: Decorate | None) -> Factories:
    """Return factories whose clients are each wrapped by `decorate`."""
    if decorate is None:
        return factories

    def wrap(factory: ChatModelFactory) -> ChatModelFactory:
        return lambda config: decorate(config, factory(config))

    return {kind: wrap(factory) for kind, factory in factories.items()}


def _master_key(settings: Settings, *, is_memory: bool) -> MasterKey:
    if settings.secret_key is not None:
        return MasterKey.parse(settings.secret_key)
    return MasterKey.generate() if is_memory else MasterKey.load_or_create(settings.home / "secret.key")


async def _close(container: RootContainer) -> None:
    # First what still writes usage, then what it draws from, then the log that it writes to, then the clients.
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.llm.routes().close)
        stack.push_async_callback(container.metering.log().close)
        stack.push_async_callback(_give_back, container.budgets.desk())
        stack.push_async_callback(container.llm.accounts().late.close)


async def _give_back(desk: BudgetDesk) -> None:
    try:
        await desk.close()
    except DependencyFailed as error:
        # Leases lapse by themselves, so a program can end well although its database has gone.
        _log.warning("leases not given back", code=error.code, detail=error.detail)


@asynccontextmanager
async def repeating(
    work: Callable[[], Awaitable[None]], every_s: float = MAINTAIN_EVERY_S
) -> AsyncGenerator[None, None]:
    """Do `work` every `every_s` seconds while the block lasts. No failure ends that: each is logged."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await work()
            except DependencyFailed as error:
                _log.warning("maintenance failed", code=error.code, detail=error.detail)
            except Exception:  # noqa: BLE001 - whatever it is, the work is to be done again
                _log.exception("maintenance failed")

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
