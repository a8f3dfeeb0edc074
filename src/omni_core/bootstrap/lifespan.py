"""Opens what has to be opened, in order, and closes it in the reverse order, whatever happens in between.

What that is, each context's container says (`containers/root.py`). Lower contexts are opened first and closed last.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from omni_core.adapters.crypto import MasterKey
from omni_core.adapters.embedded import OWNER_ROLE, EmbeddedPostgres
from omni_core.adapters.llm.factories import factories as installed_factories
from omni_core.adapters.postgres import migrate
from omni_core.adapters.postgres.engine import APP_ROLE
from omni_core.bootstrap.containers.root import EVENTS, Act, Part, Wiring, installed_parts, openers_of
from omni_core.bootstrap.premises import DatabaseUrls, Premises
from omni_core.bootstrap.settings import Settings
from omni_core.domain.events.api import Subscription
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


@asynccontextmanager
async def database_urls(settings: Settings) -> AsyncGenerator[DatabaseUrls, None]:
    """Tell where the database is, and keep it up meanwhile: DATABASE_URL, or Omni's own server under OMNI_HOME."""
    if settings.database_url is not None:
        if settings.owner_database_url is None:
            yield DatabaseUrls(settings.database_url, settings.database_url)
        else:
            owner = "OMNI_OWNER_DATABASE_URL"
            yield DatabaseUrls(settings.database_url, settings.owner_database_url, owner_setting=owner)
        return
    async with EmbeddedPostgres(settings.home).attached() as server:
        own = "Omni's own server"
        yield DatabaseUrls(server.dsn(APP_ROLE), server.dsn(OWNER_ROLE), program_setting=own, owner_setting=own)


@asynccontextmanager
async def open_wiring(
    settings: Settings,
    *,
    memory: bool,
    upgrade: bool,
    chat_models: Mapping[str, ChatModelFactory],
    decorate: Decorate | None = None,
    subscriptions: Sequence[Subscription] = (),
) -> AsyncGenerator[Wiring, None]:
    """Open everything that the wiring is handed, and run what has to run beside it; memory has no database."""
    async with AsyncExitStack() as stack:
        urls = None
        if not memory:
            urls = await stack.enter_async_context(database_urls(settings))
            await _check_schema(urls, upgrade=upgrade)
        premises = Premises(settings, _master_key(settings, is_memory=memory), urls)
        factories = decorated({**installed_factories(), **chat_models}, decorate)
        handed_in: dict[str, dict[str, object]] = {
            "llm": {"factories": factories},
            EVENTS: {"added": tuple(subscriptions)},
        }
        yield await stack.enter_async_context(running(installed_parts(), premises, handed_in))


@asynccontextmanager
async def running(
    parts: Mapping[str, Part], premises: Premises, handed_in: Mapping[str, Mapping[str, object]]
) -> AsyncGenerator[Wiring, None]:
    """Open, wire, maintain and close `parts`, which come in the order in which they stand on one another."""
    async with AsyncExitStack() as stack:
        opened = {name: dict(given) for name, given in handed_in.items()}
        for name, part in parts.items():
            for wanted, opener in openers_of(part).items():
                opened.setdefault(name, {})[wanted] = await stack.enter_async_context(opener(premises))
        wiring = Wiring(parts, opened)
        stack.push_async_callback(_close, wiring)
        for act in wiring.maintenance():
            await stack.enter_async_context(repeating(act))
        yield wiring


async def _check_schema(urls: DatabaseUrls, *, upgrade: bool) -> None:
    if upgrade:
        await migrate.upgrade(urls.owner, setting=urls.owner_setting)
        return
    # As the owner, because the program's role comes with the first migration, which may be what is missing.
    state = await migrate.state(urls.owner, setting=urls.owner_setting)
    state.check_not_ahead()
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


async def _close(wiring: Wiring) -> None:
    # Last in, first out; each is tried although one before it failed.
    async with AsyncExitStack() as stack:
        for act in reversed(tuple(wiring.closing())):
            stack.push_async_callback(_without_database, act)


async def _without_database(act: Act) -> None:
    try:
        await act()
    except DependencyFailed as error:
        # What a closing leaves behind lapses by itself, so a program can end well although its database has gone.
        _log.warning("not closed well", code=error.code, detail=error.detail)


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
