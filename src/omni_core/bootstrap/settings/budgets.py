"""The settings of budgets."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from omni_core.bootstrap.settings.section import Section


class BudgetsSettings(Section, frozen=True, kw_only=True):
    """How calls wait for money."""

    names: ClassVar[Mapping[str, str]] = {"wait_s": "budget_wait_s"}

    wait_s: Annotated[
        float,
        Meta(
            ge=0, le=60, description="Longest wait for calls under way to free reserved money, in seconds. Default 2."
        ),
    ] = 2.0
