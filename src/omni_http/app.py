"""The application: endpoints, errors, documentation, and Omni opened around them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import structlog
from litestar import Litestar
from litestar.datastructures import State as LitestarState
from litestar.types import ASGIApp

from omni_core import Omni, OmniError, Settings
from omni_core.adapters.telemetry.metrics import Metrics
from omni_http.controllers.billing import BillingController
from omni_http.controllers.budgets import BudgetsController
from omni_http.controllers.health import HealthController
from omni_http.controllers.jobs import JobsController
from omni_http.controllers.llm import LlmController
from omni_http.controllers.metering import MeteringController
from omni_http.controllers.pricing import PricingController
from omni_http.controllers.tenancy import TenancyController
from omni_http.documentation import complete_document, openapi_config
from omni_http.middleware.observation import Observation
from omni_http.problems import to_response
from omni_http.requests import LeanRequest
from omni_http.security import Authentication

CONTROLLERS = [
    HealthController,
    LlmController,
    TenancyController,
    PricingController,
    MeteringController,
    BudgetsController,
    BillingController,
    JobsController,
]
_log = structlog.get_logger("omni.http")
OpenOmni = Callable[[Settings, Metrics], AbstractAsyncContextManager[Omni]]


def open_omni(settings: Settings, metrics: Metrics) -> AbstractAsyncContextManager[Omni]:
    """Open Omni on what the settings say, with its providers' calls counted."""
    return Omni.open(settings, decorate=metrics.instrument)


def create_app(settings: Settings, opener: OpenOmni = open_omni) -> ASGIApp:
    """Return the ASGI application. Omni is opened when it starts and closed when it stops."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None, None]:
        async with AsyncExitStack() as stack:
            try:
                app.state.omni = await stack.enter_async_context(opener(settings, metrics))
            except OmniError as error:
                # Before the traceback that the server prints, in which nobody would look for it.
                _log.error("cannot start", code=error.code, detail=error.detail)
                raise
            yield

    app = Litestar(
        route_handlers=CONTROLLERS,
        middleware=[Authentication],
        exception_handlers={Exception: to_response},
        lifespan=[lifespan],
        state=LitestarState({"metrics": metrics}),
        openapi_config=openapi_config(),
        request_class=LeanRequest,
        request_max_body_size=settings.max_body_bytes,
        logging_config=None,
    )
    complete_document(app)
    return Observation(app, metrics, log_all=settings.access_log)
