"""One database for all of these tests, and the command line called on it, in this process."""

import itertools
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from omni_cli.main import app

_numbers = itertools.count(1)
MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class CommandLine:
    """Calls `omni` with its own environment. Nothing of the machine's settings is seen."""

    def __init__(self, variables: dict[str, str | None]) -> None:
        self.variables = variables

    def __call__(self, *words: str, stdin: str | None = None, exits: int = 0, **variables: str | None) -> Result:
        """Run a command, check its exit code, and return what it printed."""
        result = CliRunner().invoke(app, list(words), input=stdin, env={**self.variables, **variables})
        assert result.exit_code == exits, result.output
        assert "Traceback" not in result.output
        return result

    def json(self, *words: str, **options: Any) -> Any:
        """Run a command with --json and return what it printed."""
        return json.loads(self(*words, "--json", **options).stdout)

    def error(self, *words: str, exits: int, **options: Any) -> dict[str, Any]:
        """Run a command that fails and return the error that it told; standard output stays empty."""
        result = self(*words, "--json", exits=exits, **options)
        assert result.stdout == ""
        error: dict[str, Any] = json.loads(result.stderr)["error"]
        assert error["exit_code"] == exits
        return error


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A command sets up the log of its process, which here is the test's."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
async def database_url(make_database_url: Callable[[], Awaitable[str]]) -> str:
    """The migrated database that these tests share, as its owner. `fresh_database_url` is for a test that minds."""
    return await make_database_url()


@pytest.fixture(scope="session")
def bare(home: Path) -> CommandLine:
    """`omni` with settings of its own and no database."""
    unset = dict.fromkeys(("DATABASE_URL", "OMNI_OWNER_DATABASE_URL", "OMNI_TENANT", "OMNI_DEBUG", "OMNI_CONFIG"))
    return CommandLine({**unset, "OMNI_HOME": str(home), "OMNI_SECRET_KEY": MASTER_KEY})


@pytest.fixture(scope="session")
def omni(bare: CommandLine, database_url: str) -> CommandLine:
    """`omni` on the shared database, whose oldest tenants are acme and globex.

    A test that counts what a tenant has, or changes the tenant, makes one of its own (`tenant`, `make_tenant`).
    """
    line = CommandLine({**bare.variables, "DATABASE_URL": database_url})
    line("db", "upgrade")
    line("tenants", "create", "acme", "--owner-email", "ann@acme.example")
    line("tenants", "create", "globex")
    return line


@pytest.fixture(scope="session")
def make_tenant(omni: CommandLine) -> Callable[[], str]:
    """Call it for the slug of a new tenant."""

    def make() -> str:
        slug = f"tenant-{next(_numbers)}"
        omni("tenants", "create", slug)
        return slug

    return make


@pytest.fixture
def tenant(make_tenant: Callable[[], str]) -> str:
    """The slug of a tenant of this test's own."""
    return make_tenant()
