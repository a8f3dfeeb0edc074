"""OpenAPI is as strict as the code: no body that the document allows is refused for its form."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.http.conftest import Running
from tests.support.asgi import client_of
from tests.support.from_schema import Drawn

NOBODY = "00000000-0000-7000-8000-000000000000"
EXAMPLES = 30
TRIED = [
    "addMember", "addModel", "addProvider", "castFeedbackVote", "changeBudgetLimit", "changeFeedback",
    "changeProviderLimits", "closeMonth", "createBudget", "createChatCompletion", "createKey", "createTenant",
    "replayEventSubscription", "setPrice", "submitFeedback", "submitJob",
]  # fmt: skip
# What no schema can say, by the operation and the field or the code of the refusal: it depends on what there is
# already, on the time, on the installation's currency, or on another field.
DEPENDS: dict[str, set[str]] = {
    "addModel": {"max_output_tokens", "tiers"},
    "addProvider": {"kind"},
    "changeBudgetLimit": {"limit"},
    "closeMonth": {"billing.month_not_begun", "billing.month_before_tenant"},
    "createBudget": {"limit", "key_id"},
    "createKey": {"expires_at"},
    "setPrice": {"tiers"},
}


class Operation:
    """One that takes a body, and the bodies that its schema allows."""

    def __init__(self, method: str, path: str, described: dict[str, Any], document: dict[str, Any]) -> None:
        self.id: str = described["operationId"]
        self.method = method.upper()
        self.path = path.replace("{name}", "nobody").replace("{budget_id}", NOBODY).replace("{item_id}", NOBODY)
        schemas = document["components"]["schemas"]
        schema = described["requestBody"]["content"]["application/json"]["schema"]["allOf"][0]
        registry = Registry().with_resource("omni", DRAFT202012.create_resource(document))
        validator = Draft202012Validator({"$ref": f"omni{schema['$ref']}"}, registry=registry)
        self.bodies = Drawn(schemas).of(schema).filter(validator.is_valid)


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, described in item.items():
            if "requestBody" in described:
                yield Operation(method, path, described, document)


async def refused(running: Running, operation: Operation, body: Any) -> httpx.Response | None:
    """Send a body; return the answer where it refuses its form."""
    async with client_of(running.app, running.key) as client:
        answer = await client.request(operation.method, operation.path, json=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code != 400:
        return None
    problem = answer.json()
    reasons = {problem["code"], re.split(r"[.[]", problem.get("field", ""))[0]}
    return None if reasons & DEPENDS.get(operation.id, set()) else answer


@pytest.fixture(scope="module")
async def found(running: Running) -> dict[str, Operation]:
    async with client_of(running.app) as anybody:
        document = (await anybody.get("/api/openapi.json")).json()
    return {operation.id: operation for operation in operations(document)}


def test_every_body_is_tried(found: dict[str, Operation]) -> None:
    assert found.keys() == set(TRIED)


@pytest.mark.parametrize("operation_id", TRIED)
@given(data=st.data())
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
async def test_what_the_document_allows_is_not_refused_for_its_form(
    running: Running, found: dict[str, Operation], operation_id: str, data: st.DataObject
) -> None:
    body = data.draw(found[operation_id].bodies)
    answer = await refused(running, found[operation_id], body)
    assert answer is None, answer.text
