"""Nothing is forgotten in silence: each guard catches the mistake that it is for, and finds none in the house."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import asyncpg
import msgspec
import pytest
import typer.main
from dependency_injector import containers, providers
from sqlalchemy.ext.asyncio import create_async_engine

from omni_cli.main import app as command_line
from omni_core import Omni, Settings
from omni_core.adapters.crypto import MasterKey
from omni_core.adapters.postgres.engine import Database
from omni_core.adapters.system import SystemClock, SystemIds
from omni_core.bootstrap import settings as settings_package
from omni_core.bootstrap.containers.root import PLATFORM, Wiring, installed_parts
from omni_core.bootstrap.premises import DatabaseUrls, Premises
from omni_core.bootstrap.settings import SETTINGS, Section
from omni_core.bootstrap.settings.section import settings_of
from omni_core.domain.kernel.clock import Clock
from omni_core.domain.kernel.events import Event
from omni_core.domain.kernel.ids import Ids
from omni_http.app import installed_controllers
from tests.architecture.test_layout import ROOT, SRC, contexts
from tests.docs.test_problems import load_everything
from tests.support.guards import (
    contexts_without_page,
    events_below,
    misfits,
    sections_left_out,
    settings_without_row,
    shared_event_types,
    unmounted_commands,
    unmounted_controllers,
)

CONTROLLERS = SRC / "omni_http" / "controllers"
COMMANDS = SRC / "omni_cli" / "commands"
INDEX = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "howto" / "settings.md").read_text(encoding="utf-8")


def callable_commands() -> set[str]:
    return set(cast(Any, typer.main.get_command(command_line)).commands)


# ------------------------------------------------------------------ controllers and commands


def test_every_controller_is_mounted() -> None:
    assert unmounted_controllers(CONTROLLERS, installed_controllers()) == []


@pytest.mark.parametrize("where", ["second.py", "nested/second.py", "billing.py"])
def test_a_controller_that_is_not_mounted_is_found(tmp_path: Path, where: str) -> None:
    folder = shutil.copytree(CONTROLLERS, tmp_path / "controllers")
    (folder / where).parent.mkdir(exist_ok=True)
    with (folder / where).open("a", encoding="utf-8") as written:
        written.write("\n\nclass ForgottenController(Controller):\n    path = '/v1/forgotten'\n")
    name = f"{Path(where).stem}.ForgottenController"
    assert unmounted_controllers(folder, installed_controllers()) == [name]


def test_every_command_can_be_called() -> None:
    assert unmounted_commands(COMMANDS, callable_commands()) == []


@pytest.mark.parametrize("text", ["forgotten = commands('…')", "@alone('…')\ndef forgotten() -> None: ..."])
@pytest.mark.parametrize("where", ["nested/second.py", "tenancy.py"])
def test_a_command_that_cannot_be_called_is_found(tmp_path: Path, where: str, text: str) -> None:
    folder = shutil.copytree(COMMANDS, tmp_path / "commands")
    (folder / where).parent.mkdir(exist_ok=True)
    with (folder / where).open("a", encoding="utf-8") as written:
        written.write(f"\n\n{text}\n")
    assert unmounted_commands(folder, callable_commands()) == ["forgotten"]


# ------------------------------------------------------------------ events


class Opened(Event, frozen=True):
    event_type: ClassVar[str] = "testing.opened"


class OpenedToo(Event, frozen=True):
    event_type: ClassVar[str] = "testing.opened"


def test_no_two_events_are_of_one_type() -> None:
    load_everything()
    events = list(events_below(Event))
    assert len(events) > 20
    assert shared_event_types(events) == []


def test_two_events_of_one_type_are_found() -> None:
    assert shared_event_types([Opened]) == []
    assert shared_event_types([Opened, OpenedToo]) == ["testing.opened"]


# ------------------------------------------------------------------ wiring


@pytest.fixture
def wirings() -> Iterator[dict[str, Wiring]]:
    """Everything wired on each storage. PostgreSQL's is never reached: neither pool nor engine is asked anything."""
    loop = asyncio.new_event_loop()
    url = "postgresql://omni_app@127.0.0.1:1/omni"
    pool = asyncpg.create_pool(url, loop=loop)
    engine = create_async_engine(url.replace("://", "+asyncpg://"))
    database = Database(engine, pool)
    settings, key = Settings(), MasterKey.generate()
    found = {}
    for storage, urls, opened in (("memory", None, None), ("postgres", DatabaseUrls(url, url), database)):
        engines = dict.fromkeys(("chat_engine", "report_engine"), opened and engine)
        platform = {"premises": Premises(settings, key, urls), "database": opened, **engines}
        found[storage] = Wiring(installed_parts(), {PLATFORM: platform, "llm": {"factories": {}}})
    yield found
    loop.close()


@pytest.mark.parametrize("storage", ["memory", "postgres"])
def test_every_constructor_is_handed_what_it_asks_for(wirings: dict[str, Wiring], storage: str) -> None:
    wiring = wirings[storage]
    assert wiring.part(PLATFORM).storage() == storage
    found = {name: misfits(wiring.part(name)) for name in (PLATFORM, *wiring.contexts)}
    assert {name: problems for name, problems in found.items() if problems} == {}


class Watch:
    def __init__(self, clock: Clock, ids: Ids, name: str, *, every_s: float = 1.0) -> None:
        self.given = clock, ids, name, every_s


class WatchContainer(containers.DeclarativeContainer):
    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(SystemIds)
    right = providers.Singleton(Watch, clock, ids, "night", every_s=2)
    wrong_order = providers.Singleton(Watch, ids, clock, "night")
    wrong_value = providers.Singleton(Watch, clock, ids, "night", every_s="2")
    unknown_name = providers.Singleton(Watch, clock, ids, "night", often=True)
    behind_a_selector = providers.Selector(
        providers.Object("memory"), memory=providers.Singleton(Watch, ids, clock, "night")
    )


def test_providers_in_the_wrong_order_are_found() -> None:
    assert misfits(WatchContainer()) == [
        "wrong_order: Watch(clock: Clock) is handed a SystemIds",
        "wrong_order: Watch(ids: Ids) is handed a SystemClock",
        "wrong_value: Watch(every_s: float) is handed a str",
        "unknown_name: Watch takes no often",
        "behind_a_selector: Watch(clock: Clock) is handed a SystemIds",
        "behind_a_selector: Watch(ids: Ids) is handed a SystemClock",
    ]


def test_omni_has_one_attribute_for_each_context() -> None:
    assert set(contexts()) == set(Omni.__annotations__) == set(installed_parts()) - {PLATFORM}


# ------------------------------------------------------------------ pages and settings


def test_every_context_has_its_page_in_the_index() -> None:
    assert contexts_without_page(contexts(), INDEX) == []


def test_a_context_without_its_page_in_the_index_is_found() -> None:
    assert contexts_without_page(["billing", "forgotten"], INDEX) == ["forgotten"]
    assert contexts_without_page(["billing"], INDEX.replace("contexts/billing.md", "billing.md")) == ["billing"]


class ForgottenSettings(Section, frozen=True, kw_only=True):
    seats: int = 1


class HouseSettings(msgspec.Struct, frozen=True):
    forgotten: ForgottenSettings = ForgottenSettings()


def test_every_setting_has_its_row() -> None:
    assert settings_without_row(SETTINGS, PAGE) == []


def test_a_setting_without_its_row_is_found() -> None:
    assert settings_without_row(settings_of(HouseSettings), PAGE) == ["forgotten_seats"]
    changed = PAGE.replace("Port of `omni serve`", "A port of `omni serve`")
    assert settings_without_row(SETTINGS, changed) == ["port"]


def test_every_section_of_settings_is_one_of_omnis() -> None:
    load_everything()
    written = [one for one in Section.__subclasses__() if one.__module__.startswith(f"{settings_package.__name__}.")]
    assert len(written) >= 4
    assert sections_left_out(written, Settings) == []


def test_a_section_that_nobody_reads_is_found() -> None:
    assert sections_left_out([ForgottenSettings], Settings) == ["ForgottenSettings"]
    assert sections_left_out([ForgottenSettings], HouseSettings) == []
