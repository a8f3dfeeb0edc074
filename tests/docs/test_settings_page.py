"""docs/howto/settings.md lists every setting as it is, and `Settings` says its defaults as they are."""

import re
from typing import get_type_hints

import msgspec
import pytest
from msgspec.structs import FieldInfo

from omni_core import ProviderConfig, Settings
from omni_core.bootstrap.allowed import allowed_values
from omni_core.bootstrap.settings import variable_of
from tests.docs.fences import ROOT

PAGE = (ROOT / "docs" / "howto" / "settings.md").read_text(encoding="utf-8")
FIELDS = msgspec.structs.fields(Settings)
HINTS = get_type_hints(Settings, include_extras=True)


def description_of(field: FieldInfo) -> str:
    description: str = next(meta.description for meta in HINTS[field.name].__metadata__ if meta.description)
    return description


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_setting_is_listed_as_it_is(field: FieldInfo) -> None:
    cells = [f"`{variable_of(field.name)}`", f"`{field.name}`", description_of(field), allowed_values(field.type)]
    assert f"| {' | '.join(cells)} |" in PAGE


def test_no_listed_setting_has_gone() -> None:
    assert re.findall(r"^\| `[A-Z_]+` \| `(\w+)` \|", PAGE, re.MULTILINE) == [field.name for field in FIELDS]


@pytest.mark.parametrize(
    "field", [f for f in FIELDS if f.default not in (msgspec.NODEFAULT, None, ())], ids=lambda field: field.name
)
def test_a_default_is_told_as_it_is(field: FieldInfo) -> None:
    told = re.search(r"Default (\S+)\.$", description_of(field))
    assert told is not None
    default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default).lower()
    assert told[1].replace(",", "").lower() == default


@pytest.mark.parametrize("field", msgspec.structs.fields(ProviderConfig), ids=lambda field: field.name)
def test_a_field_of_a_provider_is_listed_with_its_default(field: FieldInfo) -> None:
    row = re.search(rf"^\| `{field.name}` \| .* \| ?(?P<default>.*?) ?\|$", PAGE, re.MULTILINE)
    assert row is not None
    if isinstance(field.default, int | float):
        assert row["default"] == f"{field.default:g}"
