"""The OpenAPI document, as a generator of clients reads it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from omni_core import Scope, Settings
from omni_core.domain.kernel.tenancy import NAMED_SCOPES
from omni_http.app import create_app
from tests.support.asgi import client_of

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
async def document() -> dict[str, Any]:
    async with client_of(create_app(Settings())) as anybody:
        answer = await anybody.get("/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, item[method]


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_operations_have_ids_that_make_good_function_names(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids)) > 40
    assert [one for one in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", one)] == []
    assert {"createChatCompletion", "listInvoices", "closeMonth", "getHealthReady"} <= set(ids)


def test_every_operation_says_what_it_does_and_which_scope_it_needs(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        assert len(operation["tags"]) == 1, path
        assert " " in operation["summary"], path
        assert not operation["summary"].endswith((".", ")")), path
        scopes = [scope for requirement in operation["security"] for scope in requirement["key"]]
        assert len([Scope(scope) for scope in scopes]) == path.startswith("/v1/"), path
        assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}


def test_making_a_key_says_which_scopes_have_to_be_named(document: dict[str, Any]) -> None:
    description = document["paths"]["/v1/keys"]["post"]["description"]
    listed = re.search(r"exceptions \(([^)]+)\)", description)
    assert listed
    assert set(re.findall(r"`([a-z:]+)`", listed[1])) == {one for one in NAMED_SCOPES if one.endswith(":write")}


def test_public_operations_need_no_key(document: dict[str, Any]) -> None:
    public = {path for path, operation in operations(document) if not operation["security"]}
    assert public == {path for path in document["paths"] if not path.startswith("/v1/")}


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    bodies = {path: operation["requestBody"] for path, operation in operations(document) if "requestBody" in operation}
    assert len(bodies) > 8
    for path, body in bodies.items():
        assert body["content"]["application/json"]["schema"].get("examples"), path


def test_components_are_named_after_what_they_are(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z]+", name)] == []
    assert [name for name in schemas if name.startswith("Wire") or name.endswith("View")] == []
    assert {"Invoice", "InvoiceLine", "JobPage", "Message", "Problem"} <= schemas.keys()
    assert [name for name, schema in schemas.items() if schema.get("title", name) != name] == []


def test_an_error_is_documented_with_openais_object_in_it(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert "#/components/schemas/OpenAIError" in set(references(schemas["Problem"]["properties"]["error"]))
    assert schemas["OpenAIError"]["properties"].keys() == {"message", "type", "param", "code"}
    content = document["paths"]["/v1/keys"]["get"]["responses"]["default"]["content"]["application/problem+json"]
    (example,) = content["examples"].values()
    assert example["value"]["error"]["type"] == "insufficient_quota"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    named = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= named


def test_a_chat_is_answered_as_json_or_as_events(document: dict[str, Any]) -> None:
    answer = document["paths"]["/v1/chat/completions"]["post"]["responses"]["200"]["content"]
    assert answer.keys() == {"application/json", "text/event-stream"}
    choices = document["components"]["schemas"]["ChatCompletion"]["properties"]["choices"]
    assert choices["items"] == {"$ref": "#/components/schemas/Choice"}


def test_a_chat_may_have_an_idempotency_key(document: dict[str, Any]) -> None:
    chat = document["paths"]["/v1/chat/completions"]["post"]
    (key,) = chat["parameters"]
    assert (key["name"], key["in"], key.get("required", False)) == ("Idempotency-Key", "header", False)
    assert key["schema"] == {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
    assert [re.fullmatch(key["schema"]["pattern"], one["value"]) for one in key["examples"].values()]
    assert "paid for once" in key["description"]
    assert "Idempotent-Replayed" in chat["responses"]["200"]["headers"]


def bodies(document: dict[str, Any]) -> Iterator[str]:
    """Yield the names of all schemas of which bodies are made."""
    waiting = [body for _, operation in operations(document) if (body := operation.get("requestBody"))]
    seen: set[str] = set()
    while waiting:
        for name in {reference.rpartition("/")[2] for reference in references(waiting.pop())} - seen:
            seen.add(name)
            waiting.append(document["components"]["schemas"][name])
            yield name


def test_bodies_say_that_unknown_fields_are_refused(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    objects = [name for name in bodies(document) if schemas[name].get("type") == "object"]
    assert {"SetBudget", "Message", "Tool", "TierPrices"} <= set(objects)
    assert [name for name in objects if schemas[name].get("additionalProperties") is not False] == [
        "ChatCompletionRequest"
    ]
    # What is unknown here may be a vendor's own, and is passed on to a provider that takes it.
    assert "top_k" in schemas["ChatCompletionRequest"]["additionalProperties"]["description"]


def test_bodies_say_every_limit(document: dict[str, Any]) -> None:
    chat = document["components"]["schemas"]["ChatCompletionRequest"]["properties"]
    assert {"type": "number", "minimum": 0, "maximum": 2} in chat["temperature"]["anyOf"]
    assert {"type": "array", "items": {"type": "string"}, "maxItems": 4} in chat["stop"]["anyOf"]


def test_amounts_say_how_they_are_written(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for body in ("SetBudget", "ChangeLimit"):
        pattern = schemas[body]["properties"]["limit"]["pattern"]
        assert re.search(pattern, "12.50")
        assert not re.search(pattern, "1e2")
    prices = schemas["SetPrice"]["properties"]["prices"]["additionalProperties"]["pattern"]
    assert re.search(prices, "0.150000000001")
    assert not re.search(prices, "0.1500000000001")


def test_parameters_say_their_form(document: dict[str, Any]) -> None:
    parameters = {
        (path, one["name"]): one["schema"]
        for path, operation in operations(document)
        for one in operation.get("parameters", [])
    }
    assert re.search(parameters["/v1/invoices/preview", "month"]["pattern"], "2026-11")
    assert not re.search(parameters["/v1/invoices/preview", "month"]["pattern"], "2026-13")
    for name in ("since", "until"):
        for path in ("/v1/usage", "/v1/usage/events"):
            assert re.search(parameters[path, name]["pattern"], "2026-11-21")
            assert re.search(parameters[path, name]["pattern"], "2026-11-21T12:00:00.5+01:00")
            assert not re.search(parameters[path, name]["pattern"], "2026-11-21T12:00:00")
