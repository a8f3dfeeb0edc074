"""Rows of providers outlive releases: those of one that knew two limits, and those of one that knows more."""

import asyncpg
import pytest

from omni_core.adapters.postgres.llm import PostgresCatalogueStore
from omni_core.domain.llm.limits import Limits, OwnLimits
from omni_core.testing.builders.kernel import a_tenant_id
from omni_core.testing.builders.llm import a_provider
from tests.support.backends import Backend
from tests.support.database import connected
from tests.support.rows import in_tenant

pytestmark = pytest.mark.postgres
OLDER = (
    "insert into provider (tenant_id, name, kind, connect_timeout_s, read_timeout_s, created_at) "
    "values ($1, 'older', 'openai', 4, 300, now())"
)


@pytest.fixture
async def program(app_url: str):
    async with connected(app_url) as connection:
        yield connection


async def test_a_row_of_an_older_release_keeps_its_two_limits_and_has_the_defaults(
    postgres: Backend, program: asyncpg.Connection
):
    owner = a_tenant_id()
    async with program.transaction():
        await in_tenant(program, owner)
        await program.execute(OLDER, owner)
    async with postgres.uow(owner) as tx:
        (provider,) = await postgres.make(PostgresCatalogueStore).providers(tx)
    expected = Limits(connect_timeout_s=4, read_timeout_s=300, first_byte_timeout_s=300)
    assert provider.limits.over(Limits()) == expected


async def test_an_older_release_finds_its_two_limits_as_numbers(postgres: Backend, program: asyncpg.Connection):
    owner, store = a_tenant_id(), postgres.make(PostgresCatalogueStore)
    async with postgres.uow(owner) as tx:
        await store.add_provider(tx, a_provider("a", limits=OwnLimits(read_timeout_s=7)))
        await store.add_provider(tx, a_provider("b", limits=OwnLimits(max_connections=3)))
    async with program.transaction():
        await in_tenant(program, owner)
        rows = await program.fetch("select connect_timeout_s, read_timeout_s from provider order by name")
    assert [tuple(row) for row in rows] == [(10, 7), (10, 120)]


async def test_a_limit_of_a_later_release_breaks_no_read(postgres: Backend, program: asyncpg.Connection):
    owner, store = a_tenant_id(), postgres.make(PostgresCatalogueStore)
    async with postgres.uow(owner) as tx:
        await store.add_provider(tx, a_provider("a"))
    async with program.transaction():
        await in_tenant(program, owner)
        await program.execute("""update provider set limits = '{"max_tokens_s": 9, "max_waiting": 3}'""")
    async with postgres.uow(owner) as tx:
        (provider,) = await store.providers(tx)
    assert provider.limits == OwnLimits(max_waiting=3)
