"""A gateway on memory adapters, in front of a model that says what it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from omni_core import OPERATOR, AddModel, AddProvider, CreateTenant, Omni, Principal, UsageQuery
from omni_core.bootstrap.lifespan import Decorate
from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.metering.api import UsageEvent
from omni_core.testing.scripted_model import ScriptedChatModel

PRICES = {"input": "1.00", "output": "10.00", "request": "0.01"}
EVER = UsageQuery(parse_moment("2020-01-01", "since"), parse_moment("2120-01-01", "until"))


class Desk:
    """An opened Omni with one tenant, and one model `scripted` at a provider of the test's."""

    def __init__(self, omni: Omni, principal: Principal, model: ScriptedChatModel) -> None:
        self.omni = omni
        self.principal = principal
        self.model = model

    async def usage(self) -> tuple[UsageEvent, ...]:
        """Return all calls that were recorded, newest first."""
        return (await self.omni.metering.events(self.principal, EVER, PageRequest())).items


@asynccontextmanager
async def desk_with(model: ScriptedChatModel, decorate: Decorate | None = None) -> AsyncIterator[Desk]:
    async with Omni.open(memory=True, chat_models={"scripted": model.factory}, decorate=decorate) as omni:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme"))
        await omni.catalogue.add_provider(OPERATOR, AddProvider("somewhere", "scripted"))
        await omni.catalogue.add_model(
            OPERATOR,
            AddModel("scripted", "somewhere", PRICES, upstream_model="upstream-name", max_output_tokens=1000),
        )
        yield Desk(omni, omni.operator(tenant.id), model)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with desk_with(ScriptedChatModel()) as opened:
        yield opened
