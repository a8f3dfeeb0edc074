"""Whatever the sources of settings hold is read, or refused with exit code 78 in one line that names the setting."""

from pathlib import Path

import pytest

from omni_core import Settings
from omni_core.bootstrap.exits import SETTINGS as SETTINGS_EXIT
from omni_core.bootstrap.exits import exit_code_of
from omni_core.bootstrap.settings import SETTINGS, InvalidSetting, load
from omni_core.domain.kernel.errors import InvalidValue, OmniError

DEEP = "[" * 100_000
VARIABLES = [setting.variable for setting in SETTINGS]
PASSWORD = "hush-hush"


def refusal_of(folder: Path, **environment: str) -> OmniError:
    with pytest.raises(OmniError) as refused:
        load({"OMNI_HOME": str(folder), **environment}, directory=folder)
    error = refused.value
    assert exit_code_of(error) == SETTINGS_EXIT
    assert isinstance(error, InvalidSetting)
    assert len(error.detail.splitlines()) == 1
    assert error.detail.encode()
    assert PASSWORD not in error.detail
    return error


@pytest.mark.parametrize("variable", [*VARIABLES, "OMNI_CONFIG"])
@pytest.mark.parametrize("value", ["\udcff", "a\udcff", "a\0b"], ids=["byte", "bytes", "nul"])
def test_a_variable_of_bytes_that_are_no_text(tmp_path: Path, variable: str, value: str):
    assert variable in refusal_of(tmp_path, **{variable: value}).detail


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_a_vendors_variable_of_bytes_that_are_no_text(tmp_path: Path, variable: str):
    given = {"OPENAI_API_KEY": "k", variable: "https://a\udcff"}
    assert variable in refusal_of(tmp_path, **given).detail


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{PASSWORD}@[::1/shop",
        f"postgresql://ann:{PASSWORD}@host:99999/shop",
        f"postgresql://ann:{PASSWORD}@host:0/shop",
        f"postgresql://ann:{PASSWORD}@host:port/shop",
        f"postgresql://ann:{PASSWORD}@host:1,other:2/shop",
        f"postgresql://ann:{PASSWORD}#1@host/shop",
        f"postgresql://ann:{PASSWORD}@ho st/shop",
        f"postgresql://ann:{PASSWORD}@host/shop\n",
        f"postgresql://ann:{PASSWORD}@host/shop?colour={PASSWORD}",
        f"postgresql://ann:{PASSWORD}@host/shop?sslmode=maybe",
        f"postgresql://ann:{PASSWORD}@host/shop?sslmode",
        f"postgresql://ann:{PASSWORD}@host/shop?host=&port=x",
        f"postgresql://ann:{PASSWORD}@/shop",
        f"postgresql://ann:{PASSWORD}@.:1/shop",
        f"postgresql://ann:{PASSWORD}@{'a' * 64}/shop",
        "postgresql://",
        "postgresql:///",
        "postgresql:///shop",
    ],
)
@pytest.mark.parametrize("variable", ["DATABASE_URL", "OMNI_OWNER_DATABASE_URL"])
def test_a_url_that_no_driver_reads(tmp_path: Path, variable: str, url: str):
    assert variable in refusal_of(tmp_path, **{variable: url}).detail
    with pytest.raises(InvalidValue):
        Settings(database_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann@host/shop",
        "postgres://ann:p%40ss@[::1]:5433/shop?sslmode=require",
        "postgresql+asyncpg://bücher.example/shop",
        "postgresql:///shop?host=/run/postgresql&port=5433&user=ann",
        "postgresql://ann@/shop?host=/run/postgresql",
    ],
)
def test_a_url_that_drivers_read(tmp_path: Path, url: str):
    settings, _ = load({"OMNI_HOME": str(tmp_path), "DATABASE_URL": url}, directory=tmp_path)
    assert settings.database_url == url


@pytest.mark.parametrize("host", ["[::1]", "..", ".", "a" * 64, "a b", "http://a", "ann@a"])
def test_a_host_that_is_none(tmp_path: Path, host: str):
    assert "OMNI_HOST" in refusal_of(tmp_path, OMNI_HOST=host).detail


@pytest.mark.parametrize("host", ["::1", "0.0.0.0", "localhost", "bücher.example", "::"])  # noqa: S104 - nothing listens
def test_a_host_that_is_one(tmp_path: Path, host: str):
    assert load({"OMNI_HOME": str(tmp_path), "OMNI_HOST": host}, directory=tmp_path)[0].host == host


@pytest.mark.parametrize(
    "providers",
    [
        DEEP,
        '[{"name": {}, "kind": "openai"}]',
        '[{"name": ["a"], "kind": "openai"}]',
        '[{"name": [], "kind": []}, {"name": [], "kind": []}]',
        '[{"name": null}]',
        "[null]",
        "{}",
        "7",
        '[{"name": "a", "kind": "openai", "connect_timeout_s": 1e999}]',
        '[{"name": "a", "kind": "openai", "connect_timeout_s": "soon"}]',
        '[{"name": "a", "kind": "openai", "base_url": "http://[::1"}]',
        '[{"name": "a", "kind": "openai", "base_url": "http://h:99999"}]',
    ],
)
def test_providers_of_another_shape(tmp_path: Path, providers: str):
    assert "OMNI_PROVIDERS" in refusal_of(tmp_path, OMNI_PROVIDERS=providers).detail


@pytest.mark.parametrize("variable", [one for one in VARIABLES if one not in ("OMNI_HOME", "OMNI_HOST")])
@pytest.mark.parametrize("value", ["nan", "-1", "1e400", "9" * 5000, "٣x", "[]x", "~nobody-has-this-name"])
def test_a_value_of_the_wrong_kind(tmp_path: Path, variable: str, value: str):
    assert variable in refusal_of(tmp_path, **{variable: value}).detail


@pytest.mark.parametrize(
    "toml",
    [
        b"\xff",
        b"\0",
        b"a" * 100_000,
        b"port = 1\nport = 2",
        b"port = " + b"9" * 5000,
        b"port = nan",
        b"port = {}",
        b"port = 1979-05-27",
        b"port.x = 1",
        b"[port]\na = 1",
        b"[budgets]\nwait_s = 1\n[budgets]\nwait_s = 2",
        b"budgets = 1",
        b"[[budgets]]\nwait_s = 1",
        b"[budgets]\nwait_s = {}",
        b"[llm.providers]\na = 1",
        b"[llm]\nproviders = 1",
        b"providers = [{name = {}, kind = 'b'}]",
        b"providers = [{name = 1979-05-27, kind = 'b'}]",
        b'host = "a\\u0000b"',
        b'database_url = "postgresql://[::1"',
        b"a = " + b"[" * 100_000,
        b"a = " + b"{a=" * 5000,
        b'"" = 1',
    ],
)
def test_a_toml_file_that_cannot_be_taken(tmp_path: Path, toml: bytes):
    (tmp_path / "omni.toml").write_bytes(toml)
    refusal_of(tmp_path)


def test_a_toml_file_that_is_a_folder_or_cannot_be_read(tmp_path: Path):
    (tmp_path / "omni.toml").mkdir()
    assert "omni.toml" in refusal_of(tmp_path).detail
    for named in (tmp_path, "/proc/self/mem", tmp_path / ("x" * 5000), "~nobody-has-this-name/omni.toml"):
        refusal_of(tmp_path, OMNI_CONFIG=str(named))


@pytest.mark.parametrize("dotenv", [b"\xff\xfe", b"OMNI_PORT=\xff", b"OMNI_PORT=x", b"OMNI_HOME=a\0b"])
def test_a_dotenv_file_that_cannot_be_taken(tmp_path: Path, dotenv: bytes):
    (tmp_path / ".env").write_bytes(dotenv)
    with pytest.raises(InvalidSetting):
        load({}, directory=tmp_path)


def test_a_folder_that_can_be_nowhere():
    with pytest.raises(InvalidValue):
        Settings(home=Path("a\0b"))
    with pytest.raises(InvalidValue):
        Settings(home=Path("~nobody-has-this-name/omni"))
