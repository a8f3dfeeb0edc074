"""Every error code is documented as it is, and no documented code has gone."""

import importlib
import pkgutil
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import omni_cli
import omni_core
import omni_http
import omni_workers
from omni_core.bootstrap.exits import OF_KIND, exit_code_of
from omni_core.domain.kernel.errors import Kind, OmniError
from omni_http.problems import STATUS_OF, explain, status_of
from omni_workers.outcomes import OUTCOMES
from tests.docs.fences import ROOT

PAGES = ROOT / "docs" / "problems"
# Met on a machine before there is a server, or by one who has none.
NEVER_OVER_HTTP = {"cli", "embedded", "settings", "workers"}


def load_everything() -> None:
    for package in (omni_core, omni_http, omni_cli, omni_workers):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__") and ".migrations." not in found.name:
                with warnings.catch_warnings(action="ignore"):
                    importlib.import_module(found.name)


def kinds_and_leaves(parent: type[OmniError]) -> Iterator[type[OmniError]]:
    yield parent
    for child in parent.__subclasses__():
        if child.__module__.partition(".")[0].startswith("omni_"):  # not what other tests define
            yield from kinds_and_leaves(child)


load_everything()
ERRORS = sorted(set(kinds_and_leaves(OmniError)), key=lambda error: error.code)
LEAVES = [error for error in ERRORS if error.code not in set(Kind)]


def page_of(code: str) -> Path:
    return PAGES / f"{code.partition('.')[0]}.md"


def sections(page: Path) -> dict[str, str]:
    """Return what each second-level heading of a page has below it."""
    _, *parts = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {heading: text.strip() for heading, _, text in (part.partition("\n") for part in parts)}


def facts(error: OmniError) -> str:
    """Return the line in bold with which the section of an error begins."""
    told = [f"Kind `{error.kind}`"]
    if error.code.partition(".")[0] not in NEVER_OVER_HTTP:
        told.append(f"HTTP {int(status_of(error))}")
    told.append(f"exit code {exit_code_of(error)}")
    if error.retryable:
        told.append("may pass by itself")
    return f"**{error.title()}.** {', '.join(told)}."


def test_no_two_errors_share_a_code() -> None:
    assert [code for code, count in Counter(error.code for error in ERRORS).items() if count > 1] == []


def test_a_code_is_named_for_its_context_and_what_happened() -> None:
    assert [error.code for error in LEAVES if not re.fullmatch(r"[a-z]+\.[a-z_]+", error.code)] == []


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.code)
def test_a_code_is_documented_as_it_is(leaf: type[OmniError]) -> None:
    assert page_of(leaf.code).is_file(), f"write docs/problems/{page_of(leaf.code).name}"
    section = sections(page_of(leaf.code)).get(leaf.code, "")
    assert section.partition("\n")[0] == facts(leaf())
    assert section.partition("\n")[2].strip(), "say what to do about it"


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.code)
def test_a_code_is_explained_with_the_remedy_of_its_page(leaf: type[OmniError]) -> None:
    written = sections(page_of(leaf.code))[leaf.code].partition("\n")[2]
    told = explain(leaf.code).remedy
    assert re.findall(r"\w+", told) == re.findall(r"\w+", re.sub(r"\]\([^)]+\)", "]", written))
    assert "](" not in told


def test_no_documented_code_has_gone() -> None:
    documented = {code for page in PAGES.glob("*.md") if page.stem != "index" for code in sections(page)}
    assert documented - {leaf.code for leaf in LEAVES} == set()


def test_the_index_has_every_page_and_every_kind_as_it_is() -> None:
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    of_contexts = re.findall(r"\]\(problems/(\w+\.md)\)", (PAGES.parent / "index.md").read_text(encoding="utf-8"))
    linked = {*re.findall(r"\]\((\w+\.md)\)", index), *of_contexts, "index.md"}
    assert {page.name for page in PAGES.glob("*.md")} == linked
    for error in ERRORS:
        if error.code in set(Kind):
            outcome = {"dead": "fails", "retry": "is tried again"}[OUTCOMES[error.kind]]
            row = [f"`{error.kind}`", str(int(STATUS_OF[error.kind])), str(OF_KIND[error.kind]), outcome, error.title()]
            assert f"| {' | '.join(row)} |" in index
