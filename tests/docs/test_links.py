"""Links lead somewhere. Links to other hosts are not followed: a test must not depend on them."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.fences import ROOT


def links_of(page: Path) -> list[str]:
    def walk(tokens: list[Token]) -> list[str]:
        found: list[str] = []
        for token in tokens:
            target = token.attrGet("href") or token.attrGet("src")
            if target is not None:
                found.append(unquote(str(target)))
            found += walk(token.children or [])
        return found

    return walk(MarkdownIt().parse(page.read_text(encoding="utf-8")))


def anchors_of(page: Path) -> set[str]:
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    headings = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    return {slug(heading) for heading in headings}


def slug(heading: str) -> str:
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def leads_somewhere(link: str, page: Path) -> bool:
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return True  # another host's business
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if anchor and target.suffix == ".md":
        return target.exists() and anchor in anchors_of(target)
    return target.exists()


def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert [link for link in links_of(page) if not leads_somewhere(link, page)] == []


def test_a_page_begins_with_its_title(page: Path) -> None:
    assert re.match(r"\s*# \S", page.read_text(encoding="utf-8"))


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "index.html").is_file()
