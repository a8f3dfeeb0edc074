"""The page on tenancy says which scopes a key gets by name only, although their action sounds harmless."""

import re

from omni_core.domain.kernel.tenancy import DEFAULT_SCOPES, NAMED_SCOPES
from tests.docs.fences import ROOT

PAGE = ROOT / "docs" / "contexts" / "tenancy.md"


def test_every_scope_that_has_to_be_named_is_on_the_page_or_says_so_itself() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## What a key may do")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z:]+)` \|", section, re.MULTILINE))
    assert listed == {scope for scope in NAMED_SCOPES if scope.endswith(":write")} | {"platform:admin"}
    assert {scope.rpartition(":")[2] for scope in DEFAULT_SCOPES} == {"chat", "read", "write"}
