"""Omni as a library: every context, opened and wired."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from omni_core.adapters.memory.jobs import MemoryJobQueue
from omni_core.adapters.postgres.engine import Database
from omni_core.bootstrap.containers.root import RootContainer
from omni_core.bootstrap.lifespan import DatabaseUrls, Decorate, open_container
from omni_core.bootstrap.settings import Settings
from omni_core.domain.billing.api import Billing
from omni_core.domain.budgets.api import Budgets
from omni_core.domain.jobs.api import JobHandler, JobRunner, Jobs, Run
from omni_core.domain.kernel.errors import Unsupported
from omni_core.domain.kernel.events import RecordedEvent
from omni_core.domain.kernel.pages import Page, PageRequest
from omni_core.domain.kernel.tenancy import OPERATOR, Principal, Scope, TenantId
from omni_core.domain.llm.api import AddModel, Catalogue, ChatModelFactory, Gateway
from omni_core.domain.llm.catalogue import BUILT_IN_PROVIDER
from omni_core.domain.llm.errors import ModelExists
from omni_core.domain.metering.api import Metering
from omni_core.domain.pricing.api import Pricing
from omni_core.domain.tenancy.api import ApiKeys, Authenticator, Tenants

BUILT_IN_MODEL = AddModel(
    name="omni-brain",
    provider=BUILT_IN_PROVIDER,
    prices={"input": "0.10", "output": "0.40", "request": "0.01"},
    context_length=128_000,
    max_output_tokens=1_024,
)


class WorkerRunsJobs(Unsupported):
    """Jobs on PostgreSQL are run by a worker."""

    code = "jobs.worker_runs_jobs"


class Omni:
    """Typed access to every context; made by `Omni.open`.

    Services take the `Principal` for whom they act: `omni.operator(tenant_id)` for whoever runs the program, or what
    `omni.authenticator.authenticate(key)` returns for the holder of an API key.
    """

    def __init__(
        self, container: RootContainer, settings: Settings, database: Database | None, urls: DatabaseUrls | None
    ) -> None:
        self._uow = container.platform.uow()
        self._event_log = container.platform.event_log()
        self.settings = settings
        self.database = database
        self.urls = urls
        self.tenants: Tenants = container.tenancy.tenants()
        self.keys: ApiKeys = container.tenancy.keys()
        self.authenticator: Authenticator = container.tenancy.authenticator()
        self.catalogue: Catalogue = container.llm.catalogue()
        self.chat: Gateway = container.llm.gateway()
        self.metering: Metering = container.metering.metering()
        self.pricing: Pricing = container.pricing.pricing()
        self.budgets: Budgets = container.budgets.budgets()
        self.billing: Billing = container.billing.billing()
        self.jobs: Jobs = container.jobs.jobs()
        self._job_runner = container.jobs.runner
        self._job_queue = container.jobs.queue()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings | None = None,
        *,
        memory: bool = False,
        database_url: str | None = None,
        upgrade: bool = False,
        chat_models: Mapping[str, ChatModelFactory] | None = None,
        decorate: Decorate | None = None,
    ) -> "AsyncGenerator[Omni, None]":
        """Open Omni and close it at the end of the block.

        `memory` keeps everything in this process. Otherwise it runs on `database_url`, or on what the settings say, or
        on a PostgreSQL of its own; `upgrade` brings the schema up to date first. `chat_models` adds kinds of provider,
        `decorate` wraps every provider's client.
        Without `settings` they are read as by the programs; with `memory`, defaults are taken.

        Raises `InvalidSetting`, `DatabaseUnavailable` or `SchemaBehind`.
        """
        chosen = settings or (Settings() if memory else Settings.load())
        if database_url is not None:
            chosen = msgspec.structs.replace(chosen, database_url=database_url)
        async with open_container(
            chosen, memory=memory, upgrade=upgrade, chat_models=chat_models or {}, decorate=decorate
        ) as (container, database, urls):
            omni = cls(container, chosen, database, urls)
            if memory or upgrade:
                await omni.add_built_in_model()
            yield omni

    @staticmethod
    def operator(tenant_id: TenantId) -> Principal:
        """Return the principal of whoever runs this program, acting for one tenant."""
        return Principal.operator(tenant_id)

    async def add_built_in_model(self) -> None:
        """Make `omni-brain` callable where it is not yet."""
        try:
            await self.catalogue.add_model(OPERATOR, BUILT_IN_MODEL)
        except ModelExists:
            # Its prices are the operator's to change, so they are left as they are.
            return

    def job_runner(
        self, handlers: Mapping[str, JobHandler[Any]], *, worth_retrying: Callable[[Exception], bool]
    ) -> JobRunner:
        """Return what runs jobs with these handlers, by kind; `worth_retrying` says which errors may pass."""
        runner: JobRunner = self._job_runner(handlers, worth_retrying=worth_retrying)
        return runner

    async def run_pending_jobs(
        self, handlers: Mapping[str, JobHandler[Any]], *, worth_retrying: Callable[[Exception], bool]
    ) -> list[Run]:
        """Run what waits in a queue in memory; on PostgreSQL a worker does that, and this raises `WorkerRunsJobs`."""
        if not isinstance(self._job_queue, MemoryJobQueue):
            raise WorkerRunsJobs
        return await self._job_queue.run_pending(self.job_runner(handlers, worth_retrying=worth_retrying).run)

    async def events(self, principal: Principal, page: PageRequest) -> Page[RecordedEvent]:
        """Return what was recorded of the principal's tenant, oldest first (tenant:read)."""
        principal.require(Scope.TENANT_READ)
        async with self._uow(principal.tenant_id) as tx:
            page_of_events: Page[RecordedEvent] = await self._event_log.read(tx, page)
        return page_of_events

    async def ready(self) -> None:
        """Raise a `DependencyFailed` that names what does not work."""
        if self.database is not None:
            await self.database.ping()
