"""The settings of tenancy."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from omni_core.bootstrap.settings.section import Section


class TenancySettings(Section, frozen=True, kw_only=True):
    """How keys are let in."""

    names: ClassVar[Mapping[str, str]] = {"key_fresh_s": "key_fresh_s"}

    key_fresh_s: Annotated[
        float, Meta(gt=0, le=1, description="How long a looked-up API key is trusted, in seconds. Default 0.5.")
    ] = 0.5
