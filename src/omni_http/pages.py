"""The pages for people: what this is, and the API's documentation. They load nothing from another host.

The viewers' bundles come from the package `offapi`, so that the documentation is there without the internet as well.
"""

import hashlib
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

import msgspec

from omni_core import __version__

ONLY_FROM_HERE = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The pages' Content-Security-Policy. Both viewers write styles into the page; Redoc makes its worker itself."""

_ICON = b"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">\
<circle cx="16" cy="16" r="11" fill="none" stroke="#2a6f97" stroke-width="6"/></svg>
"""
_START = b"""\
window.ui = SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  validatorUrl: null,
});
"""
_SCRIPT, _STYLE, _IMAGE = "text/javascript", "text/css", "image/svg+xml"
_OWN = {"start.js": (_START, _SCRIPT), "icon.svg": (_ICON, _IMAGE)}
_BUNDLED = {
    "swagger.js": ("swagger_bundle.js", _SCRIPT),
    "swagger.css": ("swagger_style.css", _STYLE),
    "redoc.js": ("redoc.js", _SCRIPT),
}
ASSETS = frozenset({*_OWN, *_BUNDLED})


class Asset(msgspec.Struct, frozen=True):
    """A file that a page loads. Its address changes with its content, so that it may be kept for ever."""

    content: bytes
    media_type: str
    address: str


class Welcome(msgspec.Struct, frozen=True):
    """What answers here, and where to go on."""

    name: str = "Omni"
    version: str = __version__
    description: str = "An LLM gateway with keys, metering, budgets and invoices."
    documentation: str = "/api/docs"
    reference: str = "/api/redoc"
    openapi: str = "/api/openapi.json"
    health: str = "/health"
    problems: str = "/api/problems/{code}"


@cache
def asset(name: str) -> Asset:
    """Read one of `ASSETS`, once; `KeyError` for any other name."""
    if name in _OWN:
        content, media_type = _OWN[name]
    else:
        file, media_type = _BUNDLED[name]
        content = (_bundles() / file).read_bytes()
    return Asset(content, media_type, f"/api/docs/{name}?v={hashlib.sha256(content).hexdigest()[:12]}")


def swagger() -> str:
    """Return the page on which the API can be read and tried."""
    return _page(
        "Omni API",
        f'<link rel="stylesheet" href="{asset("swagger.css").address}">',
        f'<div id="viewer"></div>\n<script src="{asset("swagger.js").address}"></script>\n'
        f'<script src="{asset("start.js").address}"></script>',
    )


def redoc() -> str:
    """Return the page on which the API can be read at length."""
    return _page(
        "Omni API reference",
        "<style>body { margin: 0 }</style>",
        # Its maker's telemetry would not get past the page's policy; it is not to be tried either.
        '<redoc spec-url="/api/openapi.json" disable-telemetry="true"></redoc>\n'
        f'<script type="module" src="{asset("redoc.js").address}"></script>',
    )


def welcome() -> str:
    """Return the page of the root: `Welcome` for people."""
    about = Welcome()
    links = {
        about.documentation: "the API, to read and to try",
        about.reference: "the API, to read at length",
        about.openapi: "the API, for programs",
        about.health: "whether requests can be served",
        "/api/problems/internal": "what an error's code means; any code in place of the last word",
    }
    items = "\n".join(f'<li><a href="{to}">{to}</a>: {escape(what)}</li>' for to, what in links.items())
    style = "<style>body { font: 1rem/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem }</style>"
    body = f"<h1>{about.name} {about.version}</h1>\n<p>{escape(about.description)}</p>\n<ul>\n{items}\n</ul>"
    return _page(about.name, style, body)


def _page(title: str, head: str, body: str) -> str:
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="{_IMAGE}" href="{asset("icon.svg").address}">
{head}
</head>
<body>
{body}
</body>
</html>
"""


def _bundles() -> Path:
    # Found without being imported: on import the package puts all of its bundles into strings.
    found = find_spec("offapi")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the package offapi, which brings the viewers' bundles, is not installed")
    return Path(found.origin).parent
