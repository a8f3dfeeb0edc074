"""docs/howto/settings.md lists every setting as it is, and `Settings` says its defaults as they are."""

import re

import msgspec
import pytest
from msgspec.structs import FieldInfo

from omni_core import ProviderConfig
from omni_core.bootstrap.settings import SETTINGS, Setting
from tests.docs.fences import ROOT
from tests.support.guards import settings_without_row

PAGE = (ROOT / "docs" / "howto" / "settings.md").read_text(encoding="utf-8")
WITH_DEFAULT = [setting for setting in SETTINGS if setting.field.default not in (msgspec.NODEFAULT, None, ())]


def test_every_setting_is_listed_as_it_is() -> None:
    assert settings_without_row(SETTINGS, PAGE) == []


def test_no_listed_setting_has_gone() -> None:
    listed = re.findall(r"^\| `[A-Z_]+` \| `(\w+)` \|", PAGE, re.MULTILINE)
    assert listed == [setting.name for setting in SETTINGS]


@pytest.mark.parametrize("setting", WITH_DEFAULT, ids=lambda setting: setting.name)
def test_a_default_is_told_as_it_is(setting: Setting) -> None:
    told = re.search(r"Default (\S+)\.$", setting.description)
    assert told is not None
    default = setting.field.default
    written = f"{default:g}" if isinstance(default, float) else str(default).lower()
    assert told[1].replace(",", "").lower() == written


@pytest.mark.parametrize("field", msgspec.structs.fields(ProviderConfig), ids=lambda field: field.name)
def test_a_field_of_a_provider_is_listed_with_its_default(field: FieldInfo) -> None:
    row = re.search(rf"^\| `{field.name}` \| .* \| ?(?P<default>.*?) ?\|$", PAGE, re.MULTILINE)
    assert row is not None
    if isinstance(field.default, int | float):
        assert row["default"] == f"{field.default:g}"
