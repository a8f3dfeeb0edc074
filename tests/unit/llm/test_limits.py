"""A provider's limits: its own, else the settings'; the operator's to say, and checked when they are said."""

from typing import Any, cast

import pytest

from omni_core import OPERATOR, AddProvider, Omni, ProviderConfig, Settings
from omni_core.bootstrap.settings.llm import LlmSettings
from omni_core.domain.kernel.errors import InvalidValue, MissingScope
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import TENANT_SCOPES, Principal
from omni_core.domain.llm.api import ChangeLimits, Limits
from omni_core.domain.llm.errors import UnknownProvider
from omni_core.domain.llm.limits import OwnLimits
from omni_core.testing.scripted_model import ScriptedChatModel
from tests.unit.llm.conftest import Desk

WRONG: list[dict[str, Any]] = [
    {"connect_timeout_s": 0},
    {"connect_timeout_s": 60.5},
    {"first_byte_timeout_s": 3601},
    {"read_timeout_s": float("nan")},
    {"total_timeout_s": float("inf")},
    {"total_timeout_s": True},
    {"max_connections": 0},
    {"max_connections": 2.5},
    {"connection_wait_s": "1"},
    {"max_waiting": -1},
]


@pytest.mark.parametrize("given", WRONG, ids=str)
async def test_what_is_no_limit_is_refused_before_anything_is_stored(desk: Desk, given: dict[str, Any]):
    catalogue, (field,) = desk.omni.catalogue, given
    before = await catalogue.providers(OPERATOR)
    with pytest.raises(InvalidValue) as refused:
        await catalogue.add_provider(OPERATOR, AddProvider("new", "scripted", **given))
    assert refused.value.fields["field"] == field
    with pytest.raises(InvalidValue) as refused:
        await catalogue.change_limits(OPERATOR, "somewhere", ChangeLimits(**given))
    assert refused.value.fields["field"] == field
    assert await catalogue.providers(OPERATOR) == before


async def test_a_reset_names_limits(desk: Desk):
    with pytest.raises(InvalidValue) as refused:
        await desk.omni.catalogue.change_limits(OPERATOR, "somewhere", ChangeLimits(reset=cast(Any, ("name",))))
    assert refused.value.fields["field"] == "reset"


async def test_limits_are_the_operators_to_change(desk: Desk):
    tenants = Principal(desk.principal.tenant_id, "key:x", TENANT_SCOPES)
    with pytest.raises(MissingScope):
        await desk.omni.catalogue.change_limits(tenants, "somewhere", ChangeLimits(max_connections=1))


async def test_a_change_is_told(desk: Desk):
    await desk.omni.catalogue.change_limits(OPERATOR, "somewhere", ChangeLimits(max_connections=1))
    told = (await desk.omni.events.list(OPERATOR, PageRequest())).items
    changes = [event.data for event in told if event.event_type == "llm.provider_limits_changed"]
    assert changes == [{"name": "somewhere"}]


async def test_what_is_not_said_is_the_settings_also_when_they_change():
    made: list[ProviderConfig] = []

    def factory(config: ProviderConfig) -> ScriptedChatModel:
        made.append(config)
        return ScriptedChatModel()

    settings = Settings(
        llm=LlmSettings(providers=(ProviderConfig("set", "scripted"),), total_timeout_s=99.0, max_connections=7)
    )
    async with Omni.open(settings, memory=True, chat_models={"scripted": factory}) as omni:
        given = AddProvider("added", "scripted", read_timeout_s=5.0)
        view = await omni.catalogue.add_provider(OPERATOR, given)
        assert (view.total_timeout_s, view.max_connections, view.read_timeout_s) == (99.0, 7, 5.0)
        changed = await omni.catalogue.change_limits(OPERATOR, "added", ChangeLimits(max_connections=3))
        assert (changed.max_connections, changed.read_timeout_s) == (3, 5.0)
        reset = await omni.catalogue.change_limits(
            OPERATOR, "added", ChangeLimits(reset=("read_timeout_s", "max_connections"))
        )
        assert (reset.max_connections, reset.read_timeout_s) == (7, 120.0)
        with pytest.raises(UnknownProvider, match="settings define"):
            await omni.catalogue.change_limits(OPERATOR, "set", ChangeLimits(max_connections=3))


def test_a_silence_holds_before_the_first_byte_too_unless_that_is_said():
    defaults = Limits(first_byte_timeout_s=50.0, read_timeout_s=40.0)
    assert OwnLimits().over(defaults) == defaults
    assert OwnLimits(read_timeout_s=5.0).over(defaults).first_byte_timeout_s == 5.0
    assert OwnLimits(read_timeout_s=5.0, first_byte_timeout_s=9.0).over(defaults).first_byte_timeout_s == 9.0
