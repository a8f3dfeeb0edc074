"""What the settings of one context have in common, and how each of them goes by one name and one variable."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, Self, get_type_hints

import msgspec

from omni_core.domain.kernel.errors import Invalid

Origins = MutableMapping[str, str]
"""Where each field of a section was set."""


class InvalidSetting(Invalid):
    """A setting is not valid."""

    code = "settings.invalid"


def check_text(text: str, variable: str) -> None:
    """Raise `InvalidSetting` where `text` holds bytes that were no UTF-8, or a NUL; it is not repeated."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidSetting(f"{variable} is not text in UTF-8, without NUL", field=variable, allowed="text in UTF-8")


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one context, a field of `Settings` under the context's name.

    A field `wait_s` of the context `budgets` is the setting `budgets_wait_s`: in a variable OMNI_BUDGETS_WAIT_S, in
    `omni.toml` by that name or in the table `[budgets]`. `names` says otherwise for fields that have another one.
    """

    names: ClassVar[Mapping[str, str]] = {}
    secrets: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def prepared(cls, field: str, raw: object, variable: str) -> object:
        """Return what a source gave for `field`, ready to be converted to its type; raise `InvalidSetting`."""
        return raw

    @classmethod
    def completed(cls, given: dict[str, Any], environment: Mapping[str, str], origins: Origins) -> Self:
        """Make the section of the fields that were `given`; what else it takes is noted in `origins`, by field."""
        return cls(**given)

    def shown(self, field: str) -> object:
        """Return a field's value as `omni config show` may print it."""
        return getattr(self, field)


class Setting(msgspec.Struct, frozen=True):
    """One thing that can be set. `place` is the way to it from `Settings`: `("port",)` or `("budgets", "wait_s")`."""

    name: str
    variable: str
    place: tuple[str, ...]
    field: msgspec.structs.FieldInfo
    description: str
    is_secret: bool

    def of(self, settings: msgspec.Struct) -> Any:  # noqa: ANN401 - of whatever type the field is
        """Return its value."""
        value: Any = settings
        for step in self.place:
            value = getattr(value, step)
        return value


def settings_of(kind: type[msgspec.Struct]) -> Iterator[Setting]:
    """Yield what can be set, in the order of the fields, those of a section where it stands."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            for inner in msgspec.structs.fields(field.type):
                name = field.type.names.get(inner.name, f"{field.name}_{inner.name}")
                yield _setting(field.type, inner, name, (field.name, inner.name))
        else:
            yield _setting(kind, field, field.name, (field.name,))


def _setting(
    holder: type[msgspec.Struct], field: msgspec.structs.FieldInfo, name: str, place: tuple[str, ...]
) -> Setting:
    hint = get_type_hints(holder, include_extras=True)[field.name]
    described: str = next((meta.description for meta in getattr(hint, "__metadata__", ()) if meta.description), "")
    # What other programs call it, too.
    variable = "DATABASE_URL" if name == "database_url" else f"OMNI_{name.upper()}"
    return Setting(name, variable, place, field, described, field.name in getattr(holder, "secrets", ()))
