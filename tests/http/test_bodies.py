"""Bodies are read strictly, and what is wrong is named."""

from typing import Annotated, Any

import httpx
import msgspec
import pytest
from msgspec import Meta

from omni_http.bodies import decode_body
from omni_http.problems import MalformedBody
from omni_http.wire.llm import ChatCompletionRequest


class Line(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1)]


class Order(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    lines: list[Line] = []
    notes: dict[str, int] = {}
    anything: Any = None


DECODER = msgspec.json.Decoder(Order)


@pytest.mark.parametrize(
    "body, field, allowed",
    [
        (b'{"name":7}', "name", "Expected `str`, got `int`"),
        (b"{}", "name", "Object missing required field `name`"),
        (b'{"name":"a","nmae":1}', "nmae", "Object contains unknown field `nmae`"),
        (b'{"name":"a","lines":[{"count":1},{"count":0}]}', "lines[1].count", "Expected `int` >= 1"),
        (b'{"name":"a","lines":[{}]}', "lines[0].count", "Object missing required field `count`"),
        (b'{"name":"a","lines":[{"count":"1"}]}', "lines[0].count", "Expected `int`, got `str`"),
        (b'{"name":"a","notes":{"x":null}}', "notes[...]", "Expected `int`, got `null`"),
        (b"[]", "", "Expected `object`, got `array`"),
        (b"{", "", "a JSON object in UTF-8"),
        (b'{"name":"\xff"}', "", "a JSON object in UTF-8"),
        (b'{"name":"a","anything":' + b"[" * 100_000, "", "a JSON object in UTF-8"),
    ],
)
def test_the_field_and_what_is_allowed_are_named(body: bytes, field: str, allowed: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        decode_body(DECODER, body)
    assert (caught.value.fields["field"], caught.value.fields["allowed"]) == (field, allowed)
    assert caught.value.detail.startswith(f"{field}: " if field else "")
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    "body, field",
    [
        (b'{"name":"a","name":"b"}', "name"),
        (b'{"name":"a","name":"a"}', "name"),
        (b'{"name":"a","n\\u0061me":"b"}', "name"),
        (b'{"name":"a","lines":[{"count":1},{"count":1,"count":2}]}', "lines[1].count"),
        (b'{"name":"a","notes":{"x":1,"y":2,"x":3}}', "notes.x"),
        (b'{"name":"a","anything":[[{"b":{"c":1,"c":1}}]]}', "anything[0][0].b.c"),
        (b'{"name":"a","anything":{"":1,"":2}}', "anything."),
    ],
)
def test_a_member_that_is_named_twice_is_refused(body: bytes, field: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        decode_body(DECODER, body)
    assert caught.value.fields == {"field": field, "allowed": "each member once"}


async def test_a_chat_that_names_its_model_twice_is_refused(client: httpx.AsyncClient) -> None:
    body = b'{"model":"omni-brain","model":"buggy","messages":[{"role":"user","content":"What is white?"}]}'
    answer = await client.post("/v1/chat/completions", content=body)
    assert (answer.status_code, answer.json()["field"]) == (400, "model")


def test_a_long_number_deep_nesting_and_many_members_are_no_trouble() -> None:
    members = ",".join(f'"{number}":{number}' for number in range(100_000))
    body = f'{{"name":"a","anything":[{"1" * 300}.5,{"[" * 200}{"]" * 200}],"notes":{{{members}}}}}'
    assert decode_body(DECODER, body.encode()).notes["99999"] == 99_999


def test_a_good_body_is_decoded() -> None:
    assert decode_body(DECODER, b'{"name":"a","lines":[{"count":2}]}') == Order("a", [Line(2)])


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
async def test_it_is_read_as_json_whatever_it_says_it_is(client: httpx.AsyncClient, content_type: str | None) -> None:
    body = b'{"model":"omni-brain","messages":[{"role":"user","content":"Snow is white. What is white?"}]}'
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert (await client.post("/v1/chat/completions", content=body, headers=headers)).status_code == 200


@pytest.mark.parametrize("size, status", [(99_000, 200), (100_001, 413)])
async def test_a_body_may_be_as_large_as_the_settings_say(client: httpx.AsyncClient, size: int, status: int) -> None:
    body = b'{"model":"omni-brain","messages":[{"role":"user","content":"Snow is white. What is white?"}]}'
    answer = await client.post("/v1/chat/completions", content=body.ljust(size))
    assert answer.status_code == status, answer.text
    assert answer.json().get("limit_bytes") == (100_000 if status == 413 else None)
    assert ("more than 100,000 bytes" in answer.text) == (status == 413)


CHAT = msgspec.json.Decoder(ChatCompletionRequest)
ASKED = b'"model":"m","messages":[{"role":"user","content":"hello"}]'


def test_members_of_a_chat_request_that_are_no_fields_are_kept_as_they_are() -> None:
    request = decode_body(CHAT, b'{"top_k":40,' + ASKED + b',"guided_json":{"a":[1.5,null]},"extra":{"b":1},"n":2}')
    assert request.extra == {"top_k": 40, "guided_json": {"a": [1.5, None]}, "extra": {"b": 1}}
    assert request.to_request().extra == request.extra
    assert (request.model, request.n) == ("m", 2)
    assert decode_body(CHAT, b"{" + ASKED + b"}").extra == {}


@pytest.mark.parametrize(
    "body, field",
    [
        (b'{"top_k":1,"top_k":2,' + ASKED + b"}", "top_k"),
        (b'{"top_k":{"a":1,"a":2},' + ASKED + b"}", "top_k.a"),
        (b'{"top_k":1,' + ASKED + b',"n":0}', "n"),
        (b'{"top_k":1,"model":"m"}', "messages"),
        (b'{"model":"m","messages":[{"role":"user","content":"hello","top_k":1}]}', "top_k"),
        (b'{"top_k":1,"model":"m","messages":[{"role":"user","content":"hello","top_k":1}]}', "top_k"),
        (b'{"top_k":1,' + ASKED, ""),
        (b'{"top_k":[' + ASKED, ""),
        (b'{"top_k":"\xff",' + ASKED + b"}", ""),
        (b'{"top_k":' + b"[" * 100_000 + b"]" * 100_000 + b"," + ASKED + b"}", ""),
        (b'{"top_k":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"," + ASKED + b"}", ""),
    ],
)
def test_a_chat_request_with_other_members_is_read_as_strictly(body: bytes, field: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        decode_body(CHAT, body)
    assert field in caught.value.fields["field"]
    assert bool(field) == bool(caught.value.fields["field"])
