"""The settings of jobs."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from omni_core.bootstrap.settings.section import Section


class JobsSettings(Section, frozen=True, kw_only=True):
    """How a worker runs them."""

    names: ClassVar[Mapping[str, str]] = {"concurrency": "worker_concurrency", "heartbeat_s": "worker_heartbeat_s"}

    concurrency: Annotated[int, Meta(ge=1, le=1000, description="Jobs that a worker runs at once. Default 4.")] = 4
    heartbeat_s: Annotated[
        float,
        Meta(ge=0.5, le=300, description="After how long a dead worker's job is run again, in seconds. Default 10."),
    ] = 10.0
