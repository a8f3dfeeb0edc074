"""Prometheus metrics. No label holds a tenant, a key or anything that a caller can choose at will."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from math import nan
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.belief import Doubt
from omni_core.domain.llm.model import ChatDelta, ChatRequest, ChatResponse
from omni_core.domain.llm.places import Load
from omni_core.domain.llm.ports import Capabilities, OpenChatModel, ProviderConfig
from omni_core.domain.metering.api import UsageEvent

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.loads: Callable[[], Sequence[Load]] = tuple
        ProcessCollector(registry=self._registry)
        self._requests = Histogram(
            "omni_http_request_seconds",
            "Time to the end of the answer, by route and status.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._calls = Histogram(
            "omni_llm_call_seconds",
            "Time of calls to model providers, by provider and outcome.",
            ("provider", "outcome"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._tokens = Counter(
            "omni_llm_tokens_total",
            "Tokens that calls were charged for, by provider and direction.",
            ("provider", "direction"),
            registry=self._registry,
        )
        self._turned_away = Counter(
            "omni_http_turned_away_total",
            "What the server refused before an endpoint was asked, or gave up, by reason.",
            ("reason",),
            registry=self._registry,
        )
        self._clock_skew = Gauge(
            "omni_clock_skew_seconds",
            "By how much this machine's clock is ahead of the database's; not a number before it was measured.",
            registry=self._registry,
        )
        self._clock_skew.set(nan)
        self._registry.register(_Loads(self))
        self._doubts = Counter(
            "omni_llm_usage_doubted_total",
            "Calls whose provider told figures that cannot be true, by provider and reason.",
            ("provider", "reason"),
            registry=self._registry,
        )
        # Looking a child up by its labels takes a lock and builds a tuple of strings; there are few of them.
        self._by_route: dict[tuple[str, str, int], Histogram] = {}
        self._by_outcome: dict[tuple[str, str], Histogram] = {}
        self._by_provider: dict[str, tuple[Counter, Counter]] = {}

    def watch(self, loads: Callable[[], Sequence[Load]]) -> None:
        """Tell of the load that `loads` returns, whenever somebody asks for the metrics."""
        self.loads = loads

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        key = (method, route, status)
        child = self._by_route.get(key)
        if child is None:
            child = self._by_route[key] = self._requests.labels(method, route, str(status))
        child.observe(seconds)

    def turned_away(self, reason: str) -> None:
        """Count what was refused before an endpoint was asked, or given up; `reason` is one of a few words."""
        self._turned_away.labels(reason).inc()

    def call(self, provider: str, outcome: str, seconds: float) -> None:
        """Count a call to a provider; `outcome` is `ok` or an error's code."""
        key = (provider, outcome)
        child = self._by_outcome.get(key)
        if child is None:
            child = self._by_outcome[key] = self._calls.labels(provider, outcome)
        child.observe(seconds)

    def usage(self, event: UsageEvent, doubt: Doubt | None) -> None:
        """Count what a call was charged for; the port `UsageWitness`."""
        provider, quantities = event.provider, event.quantities
        taken, made = self._by_provider.get(provider) or self._token_counters(provider)
        taken.inc(quantities.input_total)
        made.inc(quantities.output_total)
        if doubt is not None:
            self._doubts.labels(provider, doubt.reason.value).inc()

    def clock_skew(self, seconds: float | None) -> None:
        """Tell by how much this machine's clock is ahead of the database's."""
        self._clock_skew.set(nan if seconds is None else seconds)

    def _token_counters(self, provider: str) -> tuple[Counter, Counter]:
        pair = self._tokens.labels(provider, "input"), self._tokens.labels(provider, "output")
        return self._by_provider.setdefault(provider, pair)

    def instrument(self, config: ProviderConfig, model: OpenChatModel) -> OpenChatModel:
        """Wrap a provider's client so that its calls are counted."""
        return MeasuredChatModel(model, config.name, self)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _Loads(Collector):
    """How the places for calls stand at each provider, as it is when somebody asks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        calls = GaugeMetricFamily("omni_llm_calls", "Calls under way, by provider.", labels=("provider",))
        waiting = GaugeMetricFamily(
            "omni_llm_calls_waiting", "Calls that wait for a connection, by provider.", labels=("provider",)
        )
        refused = CounterMetricFamily(
            "omni_llm_calls_refused", "Calls refused for want of a connection, by provider.", labels=("provider",)
        )
        for load in self._metrics.loads():
            calls.add_metric((load.provider,), load.calls)
            waiting.add_metric((load.provider,), load.waiting)
            refused.add_metric((load.provider,), load.refused)
        yield from (calls, waiting, refused)


class MeasuredChatModel:
    """A ChatModel whose calls are timed and counted."""

    def __init__(self, inner: OpenChatModel, provider: str, metrics: Metrics) -> None:
        self._inner = inner
        self._provider = provider
        self._metrics = metrics

    @property
    def capabilities(self) -> Capabilities:
        """What the wrapped model can carry."""
        return self._inner.capabilities

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """Return the whole answer."""
        began = perf_counter()
        try:
            response = await self._inner.complete(request)
        except OmniError as error:
            self._metrics.call(self._provider, error.code, perf_counter() - began)
            raise
        self._metrics.call(self._provider, "ok", perf_counter() - began)
        return response

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the answer piece by piece."""
        began = perf_counter()
        outcome = "interrupted"
        try:
            async with aclosing(self._inner.stream(request)) as deltas:
                async for delta in deltas:
                    yield delta
            outcome = "ok"
        except OmniError as error:
            outcome = error.code
            raise
        finally:
            self._metrics.call(self._provider, outcome, perf_counter() - began)

    async def aclose(self) -> None:
        """Close the wrapped client."""
        await self._inner.aclose()
