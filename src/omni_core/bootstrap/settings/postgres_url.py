"""Which URLs lead to a PostgreSQL: what no driver could read is refused when the settings are, by name."""

from urllib.parse import parse_qsl, urlsplit

from omni_core.domain.kernel.errors import InvalidValue

ALLOWED = "postgresql://user:password@host:5432/database"
# What both drivers take. The rest they would take for settings of the server, or for an argument that nobody knows.
_OPTIONS = frozenset("gsslib host krbsrvname passfile password port ssl sslmode target_session_attrs user".split())
_SSL = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def check_postgres_url(url: str, field: str) -> None:
    """Raise `InvalidValue` that names `field` and says what is wrong with `url`, and never what is in it."""
    wrong = _fault_of(url)
    if wrong is not None:
        raise InvalidValue(f"the URL {wrong}", field=field, allowed=ALLOWED)


def _fault_of(url: str) -> str | None:
    if not url.isprintable() or any(letter.isspace() for letter in url):
        return "has blanks or characters that nobody can see"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        return "has no host, port or options that can be read; what is special in a password is percent-encoded"
    unknown = sorted(options.keys() - _OPTIONS)
    if unknown:
        return f"has options that are not known; known are {', '.join(sorted(_OPTIONS))}"
    if {options.get(name, _SSL[0]) for name in ("ssl", "sslmode")} - set(_SSL):
        return f"has an sslmode that is none of {', '.join(_SSL)}"
    if port == 0 or not _is_port(options.get("port", "5432")):
        return "has a port that is none"
    where = host or options.get("host", "")
    return None if where.startswith("/") or is_host(where) else "has no host"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65_535


def is_host(text: str) -> bool:
    """Tell whether `text` can be an address or the name of a host."""
    if any(letter.isspace() or letter in "[]/@" for letter in text):
        return False
    try:
        return bool(text.encode("idna"))
    except UnicodeError:
        return False
