"""Kinds of provider: what each needs, and how another distribution adds one."""

import subprocess
import sys
from pathlib import Path

import pytest

from omni_core.adapters.llm.factories import factories
from omni_core.adapters.llm.openai import limit_field
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.llm.errors import ProviderNotReady
from omni_core.domain.llm.ports import ProviderConfig


def python(code: str, path: Path) -> str:
    """Run `code` in a process that finds the packages of `path` as installed."""
    script = f"import sys; sys.path.insert(0, {str(path)!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def installed(path: Path, kind: str) -> None:
    """Put a distribution into `path` that brings providers of `kind`."""
    (path / "toy.py").write_text("def factory(config):\n    return f'a toy named {config.name}'\n")
    info = path / "toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[omni.chat_models]\n{kind} = toy:factory\nlost = nowhere:factory\n")


MAKE = """
from omni_core.adapters.llm.factories import factories
from omni_core.domain.kernel.errors import OmniError
from omni_core.domain.llm.ports import ProviderConfig
try:
    print(factories()["{kind}"](ProviderConfig("mine", "{kind}", api_key="k")))
except OmniError as error:
    print(type(error).__name__, error.detail)
"""


def test_every_kind_is_there():
    assert {"brain", "openai", "ollama", "anthropic"} <= set(factories())


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_vendor_needs_a_key(kind):
    with pytest.raises(ProviderNotReady, match="needs an API key"):
        factories()[kind](ProviderConfig("mine", kind))


@pytest.mark.parametrize("kind", ["openai", "ollama", "anthropic"])
async def test_a_server_of_ones_own_needs_none(kind):
    model = factories()[kind](ProviderConfig("mine", kind, "http://127.0.0.1:8000/v1/"))
    assert model.capabilities.tools
    await model.aclose()


@pytest.mark.parametrize("key", ["sk-with\nnewline", "sk-ümlaut", "sk-\x00"])
def test_a_key_that_cannot_be_sent_is_refused_untold(key):
    with pytest.raises(ProviderNotReady) as caught:
        factories()["openai"](ProviderConfig("mine", "openai", api_key=key))
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "api.example.test/v1", "ftp://example.test", "http://", "http://user:secret@example.test", "http://a:b/v1",
     "https://example.test/v1?key=secret", "https://example.test/#secret", "file:///etc/passwd", "http://[::1"],
)  # fmt: skip
def test_a_base_url_is_plain_http(url):
    with pytest.raises(InvalidValue) as caught:
        factories()["openai"](ProviderConfig("mine", "openai", url, "k"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url,field",
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://notopenai.com/v1", "max_tokens"),
        ("http://127.0.0.1:8000/v1", "max_tokens"),
    ],
)
def test_the_output_limit_has_the_name_that_the_server_knows(url, field):
    assert limit_field(url) == field


def test_another_distribution_brings_a_kind(tmp_path):
    installed(tmp_path, "toy")
    assert python(MAKE.format(kind="toy"), tmp_path) == "a toy named mine\n"


def test_a_kind_that_cannot_be_loaded_is_felt_by_its_users_alone(tmp_path):
    installed(tmp_path, "toy")
    assert python(MAKE.format(kind="lost"), tmp_path).startswith("ProviderNotReady Providers of kind 'lost' cannot")
    assert "HttpChatModel" in python(MAKE.format(kind="openai"), tmp_path)


def test_a_kind_belongs_to_one(tmp_path):
    installed(tmp_path, "openai")
    assert python(MAKE.format(kind="ollama"), tmp_path).startswith("InvalidValue Two packages")


def test_without_aiohttp_the_extra_is_named(tmp_path):
    absent = "sys.modules['aiohttp'] = None\n"
    said = python(absent + MAKE.format(kind="openai"), tmp_path)
    assert said == "ProviderNotReady Providers of kind 'openai' need aiohttp: install Omni with its extra 'llm'\n"
    assert "OmniBrain" in python(absent + MAKE.format(kind="brain"), tmp_path)
