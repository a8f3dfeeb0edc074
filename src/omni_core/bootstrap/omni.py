"""Omni as a library: every context, opened and wired."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from omni_core.adapters.memory.jobs import MemoryJobQueue
from omni_core.adapters.postgres.engine import Database
from omni_core.bootstrap.containers.root import EVENTS, PLATFORM, Wiring
from omni_core.bootstrap.lifespan import Decorate, open_wiring
from omni_core.bootstrap.premises import DatabaseUrls
from omni_core.bootstrap.settings import Settings
from omni_core.domain.events.api import Retries, Subscription, SubscriptionRunner, Visit
from omni_core.domain.jobs.api import JobHandler, JobRunner, Run
from omni_core.domain.kernel.errors import Unsupported
from omni_core.domain.kernel.tenancy import OPERATOR, Principal, TenantId
from omni_core.domain.llm.api import AddModel, Catalogue, ChatModelFactory, Gateway
from omni_core.domain.llm.catalogue import BUILT_IN_PROVIDER
from omni_core.domain.llm.errors import ModelExists
from omni_core.domain.metering.api import UsageLog
from omni_core.domain.tenancy.api import ApiKeys, Authenticator, Tenants

if TYPE_CHECKING:
    import omni_core

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
    """Typed access to every context, an attribute for each; made by `Omni.open`.

    Services take the `Principal` for whom they act: `omni.operator(tenant_id)` for whoever runs the program, or what
    `omni.authenticator.authenticate(key)` returns for the holder of an API key. `help(omni.billing)` tells what a
    service does.
    """

    billing: Annotated["omni_core.billing.Billing", "Invoices: close a month, look at what it comes to."]
    budgets: Annotated["omni_core.budgets.Budgets", "Limits on what a tenant or a key may spend in a day or a month."]
    events: Annotated["omni_core.events.Events", "What happened, in order, and how far subscriptions have come."]
    feedback: Annotated["omni_core.feedback.Feedback", "What customers report and wish for, with votes."]
    jobs: Annotated["omni_core.jobs.Jobs", "Work for later: enqueue it, see what became of it."]
    llm: Annotated["omni_core.llm.Llm", "Models and providers (`catalogue`), and answers from them (`chat`)."]
    metering: Annotated["omni_core.metering.Metering", "What was used and what it cost, call by call and added up."]
    pricing: Annotated["omni_core.pricing.Pricing", "What models cost, and since when."]
    tenancy: Annotated["omni_core.tenancy.Tenancy", "Tenants, their members and keys, and who a key belongs to."]

    def __init__(self, wiring: Wiring, settings: Settings) -> None:
        self.settings = settings
        self._wiring = wiring
        self._faces = {context: wiring.face(context) for context in wiring.contexts}

    @property
    def tenants(self) -> Tenants:
        """`omni.tenancy.tenants`: make tenants and change them, their members among them."""
        return self.tenancy.tenants

    @property
    def keys(self) -> ApiKeys:
        """`omni.tenancy.keys`: make API keys and revoke them."""
        return self.tenancy.keys

    @property
    def authenticator(self) -> Authenticator:
        """`omni.tenancy.authenticator`: who the holder of an API key is, and what they may do."""
        return self.tenancy.authenticator

    @property
    def catalogue(self) -> Catalogue:
        """`omni.llm.catalogue`: which models and providers there are."""
        return self.llm.catalogue

    @property
    def chat(self) -> Gateway:
        """`omni.llm.chat`: answers from models, whole or streamed, metered and paid for."""
        return self.llm.chat

    @property
    def database(self) -> Database | None:
        """The open database; None in memory."""
        database: Database | None = self._wiring.part(PLATFORM).database()
        return database

    @property
    def usage_log(self) -> UsageLog:
        """Where usage is written, for what the gateway did not meter; it asks for no scope."""
        log: UsageLog = self._wiring.part("metering").log()
        return log

    @property
    def urls(self) -> DatabaseUrls | None:
        """Where the database is; None in memory."""
        urls: DatabaseUrls | None = self._wiring.part(PLATFORM).premises().urls
        return urls

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
        subscriptions: Sequence[Subscription] = (),
    ) -> "AsyncGenerator[Omni, None]":
        """Open Omni and close it at the end of the block.

        `memory` keeps everything in this process. Otherwise it runs on `database_url`, or on what the settings say, or
        on a PostgreSQL of its own; `upgrade` brings the schema up to date first. `chat_models` adds kinds of provider,
        `decorate` wraps every provider's client, `subscriptions` are the program's own reactions to events.
        Without `settings` they are read as by the programs; with `memory`, defaults are taken.

        Raises `InvalidSetting`, `DatabaseUnavailable` or `SchemaBehind`.
        """
        chosen = settings or (Settings() if memory else Settings.load())
        if database_url is not None:
            chosen = msgspec.structs.replace(chosen, database_url=database_url)
        async with open_wiring(
            chosen,
            memory=memory,
            upgrade=upgrade,
            chat_models=chat_models or {},
            decorate=decorate,
            subscriptions=subscriptions,
        ) as wiring:
            omni = cls(wiring, chosen)
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
        runner: JobRunner = self._wiring.part("jobs").runner(handlers, worth_retrying=worth_retrying)
        return runner

    async def run_pending_jobs(
        self, handlers: Mapping[str, JobHandler[Any]], *, worth_retrying: Callable[[Exception], bool]
    ) -> list[Run]:
        """Run what waits in a queue in memory; on PostgreSQL a worker does that, and this raises `WorkerRunsJobs`."""
        queue = self._wiring.part("jobs").queue()
        if not isinstance(queue, MemoryJobQueue):
            raise WorkerRunsJobs
        return await queue.run_pending(self.job_runner(handlers, worth_retrying=worth_retrying).run)

    def subscription_runner(self, *, worth_retrying: Callable[[Exception], bool]) -> SubscriptionRunner:
        """Return what lets subscriptions react to events; `worth_retrying` says which errors may pass."""
        runner: SubscriptionRunner = self._wiring.part(EVENTS).runner(Retries(worth_retrying))
        return runner

    async def run_pending_events(self, *, worth_retrying: Callable[[Exception], bool]) -> list[Visit]:
        """Let subscriptions react to everything that waits now, as a worker does all the time.

        What is to be tried again later is not waited for. Raises `DatabaseUnavailable`.
        """
        runner = self.subscription_runner(worth_retrying=worth_retrying)
        visits: list[Visit] = []
        while True:
            around = await runner.pump()
            visits += around.visits
            if around.is_quiet:
                return visits

    @property
    def clock_skew_s(self) -> float | None:
        """By how many seconds this machine's clock is ahead of the database's; None before that was measured."""
        skew_s: float | None = self._wiring.part("budgets").leases().skew_s
        return skew_s

    async def ready(self) -> None:
        """Raise a `DependencyFailed` that names what does not work: `DatabaseUnavailable`, or `CannotWrite`."""
        if self.database is not None:
            await self._wiring.part(PLATFORM).write_probe().check()


def _service(context: str, about: str) -> property:
    def face(omni: Omni) -> object:
        return omni._faces[context]  # noqa: SLF001 - a property of its class

    return property(face, doc=f"{about} `{Omni.__annotations__[context].__origin__.__forward_arg__}`")


# What `help(Omni)` lists: an annotation alone would not show there.
for _context, _annotation in Omni.__annotations__.items():
    setattr(Omni, _context, _service(_context, _annotation.__metadata__[0]))
