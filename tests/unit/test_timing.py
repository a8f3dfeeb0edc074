"""Which context a test's seconds belong to, as `make test` prints them."""

import pytest

from tests.support.timing import context_of, table

CONTEXTS = {"billing", "llm", "rain", "rainbow", "personal_data"}


@pytest.mark.parametrize(
    "path, context",
    [
        ("tests/unit/billing/test_model.py", "billing"),
        ("tests/integration/llm/test_faults.py", "llm"),
        ("tests/contract/test_billing.py", "billing"),
        ("tests/integration/postgres/test_billing.py", "billing"),
        ("tests/e2e/test_billing_at_midnight.py", "billing"),
        ("tests/cli/test_rainbow.py", "rainbow"),
        ("tests/cli/test_personal_data_of_ann.py", "personal_data"),
        ("tests/cli/test_personal.py", "cli"),
        ("tests/unit/crypto/test_sealing.py", "unit"),
        ("tests/e2e/test_tenants.py", "e2e"),
        ("tests/architecture/test_layout.py", "architecture"),
        ("tests/test_face.py", "tests"),
    ],
)
def test_a_test_belongs_to_the_context_whose_name_it_has(path: str, context: str) -> None:
    assert context_of(path, CONTEXTS) == context


def test_the_slowest_context_comes_first_and_the_sum_last() -> None:
    assert table({"llm": 0.5, "e2e": 12.25, "billing": 0.5}) == [
        "    12.25  e2e",
        "     0.50  billing",
        "     0.50  llm",
        "    13.25  in all",
    ]
