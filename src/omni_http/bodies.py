"""Request bodies: decoded once, strictly, with an error that names the field."""

import re
from typing import Any, TypeVar

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.dto import MsgspecDTO
from litestar.dto._backend import DTOBackend
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from omni_http.problems import MalformedBody

T = TypeVar("T", bound=msgspec.Struct)
_PLACE = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")


def decode_body(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Decode JSON; raise `MalformedBody` that names the field and what is allowed there."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message = str(error)
        place = _PLACE.search(message)
        field = place["field"] if place else ""
        reason = _PLACE.sub("", message)
        unknown = re.fullmatch(r"Object (?:missing required|contains unknown) field `(\w+)`", reason)
        if unknown:
            field = f"{field}.{unknown[1]}" if field else unknown[1]
        raise MalformedBody(f"{field}: {reason}" if field else reason, field=field, allowed=reason) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedBody(f"the body is not JSON: {error}", field="", allowed="a JSON object in UTF-8") from error
    except RecursionError as error:
        raise MalformedBody("the body is nested too deeply", field="", allowed="a JSON object in UTF-8") from error


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
