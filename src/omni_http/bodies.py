"""Request bodies: decoded once, strictly, with an error that names the field."""

import json
import re
from typing import Any, NamedTuple, TypeVar

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.dto import MsgspecDTO
from litestar.dto._backend import DTOBackend
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from omni_http.problems import MalformedBody

T = TypeVar("T", bound=msgspec.Struct)
_UNKNOWN = "Object contains unknown field "
_PLACE = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")


def decode_body(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Decode JSON; raise `MalformedBody` that names the field and what is allowed there.

    An object that names a member twice is refused too: of two readers one would take the first and one the last.
    """
    try:
        decoded = _decoded(decoder, body)
        _refuse_repeated(body)
    except msgspec.ValidationError as error:
        message = str(error)
        place = _PLACE.search(message)
        field = place["field"] if place else ""
        reason = _PLACE.sub("", message)
        unknown = re.fullmatch(r"Object (?:missing required|contains unknown) field `(.+)`", reason)
        if unknown:
            field = f"{field}.{unknown[1]}" if field else unknown[1]
        raise MalformedBody(f"{field}: {reason}" if field else reason, field=field, allowed=reason) from error
    except (msgspec.DecodeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MalformedBody(f"the body is not JSON: {error}", field="", allowed="a JSON object in UTF-8") from error
    except RecursionError as error:
        raise MalformedBody("the body is nested too deeply", field="", allowed="a JSON object in UTF-8") from error
    return decoded


class _Members(NamedTuple):
    """An object's members, as they were written."""

    pairs: list[tuple[str, Any]]


class _Repeated(Exception):
    """Some object names a member twice."""


def _refuse_repeated(body: bytes) -> None:
    """Raise `MalformedBody` for a member that is named twice in one object, however deep.

    msgspec keeps the last and says nothing. What is well-formed and as deep as it may be is known by now: nothing is
    kept of it but one object's members at a time, and it is read once more only to say where the member is.
    """
    text = body.decode()
    try:
        _UNREPEATED.decode(text)
    except _Repeated as error:
        field = _repeated_in(_AS_WRITTEN.decode(text), "") or ""
        raise MalformedBody(f"{field}: named twice", field=field, allowed="each member once") from error


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len(dict(pairs)) < len(pairs):
        raise _Repeated


def _repeated_in(value: object, place: str) -> str | None:
    """Return where a member is that was named twice, such as `lines[1].count`."""
    inner: list[tuple[str, object]] = []
    if isinstance(value, _Members):
        inner = [(f"{place}.{name}" if place else name, member) for name, member in value.pairs]
        seen: set[str] = set()
        for field, _ in inner:
            if field in seen:
                return field
            seen.add(field)
    elif isinstance(value, list):
        inner = [(f"{place}[{index}]", member) for index, member in enumerate(value)]
    return next((found for field, member in inner if (found := _repeated_in(member, field))), None)


# Numbers stay text: to read one takes more than linear time, and Python refuses the longest.
_UNREPEATED = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str, strict=False)
_AS_WRITTEN = json.JSONDecoder(object_pairs_hook=_Members, parse_int=str, parse_float=str, strict=False)


def _decoded(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Decode strictly. What a struct with `takes_other_members` has no field for goes to its method `with_extra`."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        # Only then, because hardly any request has such members, and those that have none are to pay nothing for them.
        is_unknown = str(error).startswith(_UNKNOWN) and not _PLACE.search(str(error))
        if not is_unknown or not hasattr(decoder.type, "takes_other_members"):
            raise
    names = {field.encode_name for field in msgspec.structs.fields(decoder.type)}
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    known = msgspec.json.encode({name: value for name, value in members.items() if name in names})
    extra = {name: msgspec.json.decode(value) for name, value in members.items() if name not in names}
    request: Any = decoder.decode(known)
    return request.with_extra(extra)  # type: ignore[no-any-return]


def body_of(struct: type[T]) -> type[MsgspecDTO[T]]:
    """Return the DTO that decodes `struct` directly from the bytes.

    Litestar's own way builds plain objects first and then converts them laxly, so that "5" would pass for 5.
    """
    decoder = msgspec.json.Decoder(struct)

    class StrictBody(MsgspecDTO[struct]):  # type: ignore[valid-type]
        def decode_bytes(self, value: bytes) -> Any:  # noqa: ANN401 - the base class says so
            return decode_body(decoder, value)

        @classmethod
        def create_for_field_definition(
            cls, field_definition: FieldDefinition, handler_id: str, backend_cls: type[DTOBackend] | None = None
        ) -> None:
            """Make no copy of the struct's type: nothing is renamed or left out."""

        @classmethod
        def create_openapi_schema(
            cls, field_definition: FieldDefinition, handler_id: str, schema_creator: SchemaCreator
        ) -> Reference | Schema:
            return schema_creator.for_field_definition(field_definition)

    StrictBody.__name__ = f"{struct.__name__}Body"
    return StrictBody
