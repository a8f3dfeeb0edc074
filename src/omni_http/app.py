"""The application: endpoints, errors, documentation, and Omni opened around them.

Every controller in a module of `controllers/` is mounted: nothing here changes with a new context.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from pkgutil import iter_modules

import structlog
from litestar import Controller, Litestar
from litestar.datastructures import State as LitestarState
from litestar.types import ASGIApp

from omni_core import Omni, OmniError, Settings
from omni_core.adapters.telemetry.metrics import Metrics
from omni_http import controllers
from omni_http.documentation import openapi_config
from omni_http.middleware.observation import Observation
from omni_http.problems import to_response
from omni_http.requests import LeanRequest
from omni_http.security import Authentication

_log = structlog.get_logger("omni.http")
OpenOmni = Callable[[Settings, Metrics], AbstractAsyncContextManager[Omni]]


def installed_controllers() -> list[type[Controller]]:
    """Return the controllers of all modules, by the modules' names."""
    modules = [import_module(f"{controllers.__name__}.{found.name}") for found in iter_modules(controllers.__path__)]
    return [
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Controller) and one.__module__ == module.__name__
    ]


def open_omni(settings: Settings, metrics: Metrics) -> AbstractAsyncContextManager[Omni]:
    """Open Omni on what the settings say, with its providers' calls counted."""
    return Omni.open(settings, decorate=metrics.instrument)


def create_app(settings: Settings, opener: OpenOmni = open_omni, metrics: Metrics | None = None) -> ASGIApp:
    """Return the ASGI application. Omni is opened when it starts and closed when it stops."""
    metrics = Metrics() if metrics is None else metrics

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            try:
                app.state.omni = await stack.enter_async_context(opener(settings, metrics))
                app.state.omni.chat.witnessed_by(metrics.usage)
            except OmniError as error:
                # Before the traceback that the server prints, in which nobody would look for it.
                _log.error("cannot start", code=error.code, detail=error.detail)
                raise
            metrics.watch(app.state.omni.chat.loads)
            yield

    app = Litestar(
        route_handlers=installed_controllers(),
        middleware=[Authentication],
        exception_handlers={Exception: to_response},
        lifespan=[lifespan],
        state=LitestarState({"metrics": metrics}),
        openapi_config=openapi_config(),
        request_class=LeanRequest,
        request_max_body_size=settings.max_body_bytes,
        logging_config=None,
    )
    return Observation(app, metrics, log_all=settings.access_log)
