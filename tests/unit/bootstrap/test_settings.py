import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from omni_core import Settings
from omni_core.bootstrap.settings import SETTINGS, InvalidSetting, Section, default_home, load, variable_of
from omni_core.bootstrap.settings.section import settings_of

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="
PROVIDER = '[{"name": "local", "kind": "ollama", "base_url": "http://127.0.0.1:11434/v1"}]'


@pytest.fixture
def sources(tmp_path):
    """Write the files and read the settings: `sources(toml=..., dotenv=..., OMNI_PORT=...)`."""

    def read(*, toml: str = "", dotenv: str = "", **environment: str):
        (tmp_path / "home").mkdir(exist_ok=True)
        (tmp_path / "home" / "omni.toml").write_text(toml)
        (tmp_path / ".env").write_text(dotenv)
        return load({"OMNI_HOME": str(tmp_path / "home"), **environment}, directory=tmp_path)

    return read


def refusal_of(read, **given: str) -> InvalidSetting:
    with pytest.raises(InvalidSetting) as caught:
        read(**given)
    return caught.value


def test_the_environment_beats_dotenv_beats_toml_beats_the_default(sources):
    settings, origins = sources(
        toml="port = 1\nhost = 'toml'\ndatabase_pool = 3\n",
        dotenv="OMNI_PORT=2\nOMNI_HOST=dotenv\n",
        OMNI_PORT="3",
    )
    assert (settings.port, settings.host, settings.database_pool, settings.currency) == (3, "dotenv", 3, "USD")
    assert [origins[name].origin for name in ("port", "host", "database_pool", "currency")] == [
        "environment",
        ".env",
        "omni.toml",
        "default",
    ]


def test_each_setting_has_one_variable_and_every_one_is_read(sources):
    values = {
        "database_url": "postgresql://a@b/c",
        "owner_database_url": "postgresql://d@e/f",
        "database_pool": "7",
        "chat_pool": "5",
        "report_pool": "3",
        "report_share": "1",
        "report_wait_s": "0",
        "report_within_s": "12.5",
        "secret_key": SECRET,
        "host": "0.0.0.0",  # noqa: S104 - nothing listens
        "port": "0",
        "max_body_bytes": "2048",
        "currency": "JPY",
        "http_header_bytes": "2048",
        "http_header_fields": "20",
        "http_target_bytes": "512",
        "http_head_s": "1",
        "http_body_s": "2",
        "http_body_rate": "50000",
        "http_idle_s": "620",
        "http_send_s": "5",
        "http_connections": "0",
        "http_proxies": "private, 203.0.113.7",
        "http_grace_s": "45",
        "budget_wait_s": "0.25",
        "key_fresh_s": "1",
        "worker_concurrency": "9",
        "worker_heartbeat_s": "30",
        "log_level": "debug",
        "log_format": "json",
        "access_log": "true",
        "providers": PROVIDER,
        "llm_connect_timeout_s": "1.5",
        "llm_first_byte_timeout_s": "2.5",
        "llm_read_timeout_s": "3.5",
        "llm_total_timeout_s": "4.5",
        "llm_max_connections": "5",
        "llm_connection_wait_s": "0",
        "llm_max_waiting": "7",
        "llm_answers_kept_s": "3600",
        "llm_answer_bytes": "0",
        "llm_answer_wait_s": "1.5",
    }
    settings, origins = sources(**{variable_of(name): value for name, value in values.items()})
    assert values.keys() | {"home"} == {setting.name for setting in SETTINGS}
    assert {source.origin for source in origins.values()} == {"environment"}
    assert settings.database_url == "postgresql://a@b/c"
    assert (settings.port, settings.budgets.wait_s, settings.access_log) == (0, 0.25, True)
    assert (settings.jobs.concurrency, settings.jobs.heartbeat_s, settings.tenancy.key_fresh_s) == (9, 30, 1)
    assert settings.llm.providers[0].base_url == "http://127.0.0.1:11434/v1"
    assert (settings.http.idle_s, settings.http.connections, settings.http.grace_s) == (620, 0, 45)
    assert msgspec.structs.astuple(settings.llm.limits) == (1.5, 2.5, 3.5, 4.5, 5, 0, 7)
    assert (settings.llm.answers_kept_s, settings.llm.answer_bytes, settings.llm.answer_wait_s) == (3600, 0, 1.5)


def test_an_empty_variable_counts_as_not_set(sources):
    settings, origins = sources(toml="port = 1", OMNI_PORT="", OPENAI_API_KEY="")
    assert (settings.port, origins["port"].origin, settings.llm.providers) == (1, "omni.toml", ())


def test_dotenv_is_taken_as_it_stands(sources):
    settings, _ = sources(dotenv="DATABASE_URL='postgresql://omni:pa${HOME}ss@h/d'\n# OMNI_PORT=1\n")
    assert settings.database_url == "postgresql://omni:pa${HOME}ss@h/d"
    assert settings.port == Settings().port


def test_omni_config_names_another_file(tmp_path, sources):
    (tmp_path / "other.toml").write_text("port = 5")
    settings, _ = sources(toml="port = 1", OMNI_CONFIG=str(tmp_path / "other.toml"))
    assert settings.port == 5
    assert "OMNI_CONFIG" in refusal_of(sources, OMNI_CONFIG=str(tmp_path / "missing.toml")).detail


@pytest.mark.parametrize(
    "variable, value, allowed",
    [
        ("OMNI_PORT", "70000", "a whole number from 0 to 65535"),
        ("OMNI_PORT", "eighty", "a whole number from 0 to 65535"),
        ("OMNI_DATABASE_POOL", "0", "a whole number from 1 to 200"),
        ("OMNI_KEY_FRESH_S", "2", "a number above 0, up to 1"),
        ("OMNI_WORKER_HEARTBEAT_S", "0.1", "a number from 0.5 to 300"),
        ("OMNI_LOG_FORMAT", "xml", "auto, console or json"),
        ("OMNI_HTTP_SEND_S", "31", "a number above 0, up to 30"),
        ("OMNI_HTTP_PROXIES", "10.0.0.1/8", "private, none, or networks such as 10.0.0.0/8, 203.0.113.7"),
        ("OMNI_ACCESS_LOG", "maybe", "true or false"),
        ("OMNI_CURRENCY", "XYZ", "an ISO 4217 code such as USD"),
    ],
)
def test_a_bad_value_names_the_variable_the_value_and_what_is_allowed(sources, variable, value, allowed):
    error = refusal_of(sources, **{variable: value})
    assert error.code == "settings.invalid"
    assert variable in error.detail
    assert repr(value) in error.detail
    assert error.fields["allowed"] == allowed


def test_a_bad_value_in_a_file_says_which_file(sources):
    assert "from omni.toml" in refusal_of(sources, toml="port = 'high'").detail
    assert "from .env" in refusal_of(sources, dotenv="OMNI_PORT=high").detail


@pytest.mark.parametrize("variable", [setting.variable for setting in SETTINGS if setting.is_secret])
def test_a_bad_secret_is_named_but_not_repeated(sources, variable):
    error = refusal_of(sources, **{variable: "hunter2"})
    assert variable in error.detail
    assert "hunter2" not in f"{error.detail} {error.fields}"


@pytest.mark.parametrize(
    "providers",
    [
        "[{",
        "{}",
        '[{"name": "a"}]',
        '[{"name": "a", "kind": "openai", "api_key": 1, "base_url": "hunter2"}]',
        '[{"name": "a", "kind": "openai", "apikey": "hunter2"}]',
        '[{"name": "a", "kind": "openai"}, {"name": "a", "kind": "openai", "api_key": "hunter2"}]',
        '[{"name": "omni", "kind": "openai", "api_key": "hunter2"}]',
    ],
)
def test_bad_providers_are_refused_without_their_keys(sources, providers):
    error = refusal_of(sources, OMNI_PROVIDERS=providers)
    assert "OMNI_PROVIDERS" in error.detail
    assert "hunter2" not in f"{error.detail} {error.fields}"


@pytest.mark.parametrize("url", ["hunter2", "ftp://host/v1", "http://host:0", "https://h?hunter2", "https://h#hunter2"])
def test_where_a_provider_is_has_to_be_a_plain_url(sources, url):
    providers = f'[{{"name": "a", "kind": "openai", "base_url": "{url}"}}]'
    toml = f'[[providers]]\nname = "a"\nkind = "openai"\nbase_url = "{url}"'
    for variable, error in [
        ("OMNI_PROVIDERS", refusal_of(sources, OMNI_PROVIDERS=providers)),
        ("OMNI_PROVIDERS", refusal_of(sources, toml=toml)),
        ("OPENAI_BASE_URL", refusal_of(sources, OPENAI_API_KEY="sk-o", OPENAI_BASE_URL=url)),
    ]:
        assert variable in error.detail
        assert "https://host/v1" in str(error.fields["allowed"])
        assert "hunter2" not in f"{error.detail} {error.fields}"


@pytest.mark.parametrize("passes", ['["model"]', '["a b"]', '"top_k"', "[1]", '["' + '","'.join("x" * 65) + '"]'])
def test_what_a_provider_takes_has_to_be_names_of_its_own_fields(sources, passes):
    error = refusal_of(sources, OMNI_PROVIDERS=f'[{{"name": "a", "kind": "openai", "passes": {passes}}}]')
    assert "OMNI_PROVIDERS" in error.detail
    toml = '[[providers]]\nname = "a"\nkind = "openai"\npasses = ["top_k", "n"]'
    settings, _ = sources(toml=toml)
    assert settings.llm.providers[0].passes == ("top_k", "n")


@pytest.mark.parametrize(
    "toml, name", [("prot = 1", "prot"), ("[budgets]\nwiat_s = 1", "budgets.wiat_s"), ("[nothing]\na = 1", "nothing")]
)
def test_a_misspelt_setting_in_the_file_is_refused(sources, toml, name):
    error = refusal_of(sources, toml=toml)
    assert f"{name!r}" in error.detail
    assert {"port", "budget_wait_s"} <= set(error.fields["allowed"])


def test_a_contexts_settings_may_stand_in_its_table(sources):
    settings, origins = sources(toml="worker_concurrency = 3\n[jobs]\nheartbeat_s = 2\n[budgets]\nwait_s = 1\n")
    assert (settings.jobs.concurrency, settings.jobs.heartbeat_s, settings.budgets.wait_s) == (3, 2.0, 1.0)
    assert origins["worker_heartbeat_s"].origin == "omni.toml"
    error = refusal_of(sources, toml="budget_wait_s = 1\n[budgets]\nwait_s = 1\n")
    assert "budget_wait_s twice" in error.detail


class RoomSettings(Section, frozen=True, kw_only=True):
    """A context's, whose settings have no older names."""

    seats: int = 4
    door_code: str = "0000"
    secrets: ClassVar[frozenset[str]] = frozenset({"door_code"})


class HouseSettings(msgspec.Struct, frozen=True):
    port: int = 1
    room: RoomSettings = RoomSettings()


def test_a_sections_settings_are_called_by_its_context(sources):
    found = list(settings_of(HouseSettings))
    assert [(one.name, one.variable, one.is_secret) for one in found] == [
        ("port", "OMNI_PORT", False),
        ("room_seats", "OMNI_ROOM_SEATS", False),
        ("room_door_code", "OMNI_ROOM_DOOR_CODE", True),
    ]
    assert [one.of(HouseSettings(room=RoomSettings(seats=7))) for one in found] == [1, 7, "0000"]


@pytest.mark.parametrize("name, content", [("omni.toml", b"port = "), (".env", b"OMNI_PORT=\xff")])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    error = refusal_of(lambda: load({"OMNI_HOME": str(tmp_path)}, directory=tmp_path))
    assert name in error.detail


def test_providers_come_from_toml_tables(sources):
    toml = (
        '[[providers]]\nname = "local"\nkind = "ollama"\n[[providers]]\nname = "b"\nkind = "openai"\napi_key = "sk-b"\n'
    )
    settings, _ = sources(toml=toml)
    assert [(one.name, one.kind, one.api_key) for one in settings.llm.providers] == [
        ("local", "ollama", None),
        ("b", "openai", "sk-b"),
    ]


def test_the_keys_that_vendors_clients_read_make_providers(sources):
    settings, origins = sources(
        OMNI_PROVIDERS=PROVIDER, OPENAI_API_KEY="sk-o", OPENAI_BASE_URL="http://o/v1", ANTHROPIC_API_KEY="sk-a"
    )
    assert [(one.name, one.kind, one.base_url, one.api_key) for one in settings.llm.providers[1:]] == [
        ("openai", "openai", "http://o/v1", "sk-o"),
        ("anthropic", "anthropic", None, "sk-a"),
    ]
    assert origins["providers"].origin == "environment, OPENAI_API_KEY, ANTHROPIC_API_KEY"


def test_a_provider_of_the_settings_beats_the_vendors_variable(sources):
    settings, _ = sources(
        toml='[[providers]]\nname = "openai"\nkind = "openai"\napi_key = "sk-1"', OPENAI_API_KEY="sk-2"
    )
    assert [one.api_key for one in settings.llm.providers] == ["sk-1"]


def test_a_providers_limits_are_its_own_or_those_of_the_settings(sources):
    toml = (
        "[llm]\ntotal_timeout_s = 60\nmax_connections = 8\n"
        '[[providers]]\nname = "a"\nkind = "ollama"\nread_timeout_s = 300\n'
        '[[providers]]\nname = "b"\nkind = "ollama"\nmax_connections = 2\nfirst_byte_timeout_s = 9\n'
    )
    settings, _ = sources(toml=toml, OMNI_LLM_TOTAL_TIMEOUT_S="90")
    a, b = (provider.config(settings.llm.limits) for provider in settings.llm.providers)
    assert (a.total_timeout_s, a.max_connections, a.read_timeout_s, a.first_byte_timeout_s) == (90, 8, 300, 300)
    assert (b.total_timeout_s, b.max_connections, b.read_timeout_s, b.first_byte_timeout_s) == (90, 2, 120, 9)


@pytest.mark.parametrize(
    "limit", ["connect_timeout_s = 61", "read_timeout_s = 0", "total_timeout_s = nan", "max_connections = 0"]
)
def test_a_limit_that_is_none_is_refused_in_a_provider_and_for_all(sources, limit):
    name = limit.partition(" ")[0]
    of_one = refusal_of(sources, toml=f'[[providers]]\nname = "a"\nkind = "ollama"\n{limit}\n')
    assert f"$[0].{name}" in of_one.detail
    of_all = refusal_of(sources, toml=f"[llm]\n{limit}\n")
    assert of_all.fields["field"] == f"OMNI_LLM_{name.upper()}"


def test_no_secret_is_in_the_text_of_settings(sources):
    settings, _ = sources(
        DATABASE_URL="postgresql://omni:hunter2@h/d", OMNI_SECRET_KEY=SECRET, OPENAI_API_KEY="sk-hunter3"
    )
    shown = f"{settings} {settings!r} {[settings]}"
    assert [secret for secret in ("hunter2", SECRET, "sk-hunter3") if secret in shown] == []
    assert "database_url=…" in shown


def test_the_home_is_a_full_path(sources, tmp_path):
    assert sources()[0].home == (tmp_path / "home").resolve()
    assert Settings(home=Path("~/omni")).home == (Path("~").expanduser() / "omni").resolve()


def test_roots_home_is_where_another_account_can_go():
    assert (default_home() == Path("/var/lib/omni")) == (os.geteuid() == 0)
    assert Settings().home == default_home().resolve()


def test_every_setting_says_what_it_is():
    assert [setting.name for setting in SETTINGS if not setting.description] == []


@pytest.mark.parametrize("program", ["omni_http", "omni_workers"])
def test_a_program_ends_with_78_on_a_bad_setting(program, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "OMNI_HOME": str(tmp_path), "OMNI_PORT": "eighty"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 78
    assert "OMNI_PORT 'eighty'" in ended.stderr
    assert "Traceback" not in ended.stderr
