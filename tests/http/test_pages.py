"""The pages for people load nothing from elsewhere: they are whole on a machine without the internet."""

import re

import httpx
import pytest

PAGES = ["/", "/api/docs", "/api/redoc"]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}


async def page(anybody: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await anybody.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return answer


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_names_no_other_host(anybody: httpx.AsyncClient, path: str) -> None:
    text = (await page(anybody, path)).text
    addresses = re.findall(r'(?:href|src|spec-url)="([^"]+)"', text)
    assert addresses
    assert [one for one in addresses if not re.match(r"/\w", one)] == []
    assert "//" not in text


@pytest.mark.parametrize("path", PAGES)
async def test_a_browser_is_told_to_load_nothing_from_elsewhere(anybody: httpx.AsyncClient, path: str) -> None:
    policy = (await page(anybody, path)).headers["content-security-policy"]
    rules = {name: sources for name, *sources in (rule.split() for rule in policy.split(";"))}
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == ["'self'"]
    allowed = {source for sources in rules.values() for source in sources}
    assert allowed == {"'none'", "'self'", "'unsafe-inline'", "data:", "blob:"}


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_has_a_script_that_its_policy_forbids(anybody: httpx.AsyncClient, path: str) -> None:
    text = (await page(anybody, path)).text
    assert re.findall(r"<script[^>]*>([^<]+)</script>", text) == []
    assert re.findall(r"<script(?![^>]* src=)[^>]*>", text) == []


@pytest.mark.parametrize("path", PAGES)
async def test_whatever_a_page_names_is_served(anybody: httpx.AsyncClient, path: str) -> None:
    for address in re.findall(r'(?:href|src|spec-url)="([^"]+)"', (await page(anybody, path)).text):
        answer = await anybody.get(address)
        assert answer.status_code == 200, address
        assert answer.content, address


@pytest.mark.parametrize("path", PAGES)
async def test_what_a_page_loads_is_kept_until_it_changes(anybody: httpx.AsyncClient, path: str) -> None:
    loaded = re.findall(r'"(/api/docs/[^"]+)"', (await page(anybody, path)).text)
    assert loaded
    for address in loaded:
        answer = await anybody.get(address)
        assert re.fullmatch(r"/api/docs/\w+\.\w+\?v=[0-9a-f]{12}", address)
        assert answer.headers["content-type"] == TYPES[address.partition("?")[0].rpartition(".")[2]]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_the_root_says_what_this_is(anybody: httpx.AsyncClient) -> None:
    told = (await anybody.get("/")).json()
    assert (told["name"], told["documentation"], told["health"]) == ("Omni", "/api/docs", "/health")
    text = (await page(anybody, "/")).text
    assert told["version"] in text
    assert all(f'href="{told[name]}"' in text for name in ("documentation", "reference", "openapi", "health"))
    assert 'href="/api/problems/' in text


@pytest.mark.parametrize(
    "accept, kind", [("text/html", "text/html"), ("*/*", "application/json"), ("", "application/json")]
)
async def test_the_root_answers_as_it_is_asked(anybody: httpx.AsyncClient, accept: str, kind: str) -> None:
    answer = await anybody.get("/", headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["vary"] == "Accept"
