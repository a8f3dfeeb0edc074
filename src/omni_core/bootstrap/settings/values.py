"""Everything that can be set: what concerns the whole installation, and a section for each context with settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from omni_core.bootstrap.settings.budgets import BudgetsSettings
from omni_core.bootstrap.settings.http import HttpSettings
from omni_core.bootstrap.settings.jobs import JobsSettings
from omni_core.bootstrap.settings.llm import LlmSettings
from omni_core.bootstrap.settings.postgres_url import check_postgres_url, is_host
from omni_core.bootstrap.settings.reader import Source, default_home, read
from omni_core.bootstrap.settings.section import settings_of
from omni_core.bootstrap.settings.tenancy import TenancySettings
from omni_core.domain.kernel.errors import InvalidValue
from omni_core.domain.kernel.money import exponent_of

_PostgresUrl = Annotated[
    str, Meta(pattern=r"^postgres(ql)?(\+asyncpg)?://", title="postgresql://user:password@host:5432/database")
]
_KeyOf32Bytes = Annotated[str, Meta(pattern="^[A-Za-z0-9+/_-]{43}=$", title="32 bytes in base64, 44 characters")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. Each field says its unit and default; `omni config show` prints what is in force.

    What belongs to a context is in its section: `settings.budgets.wait_s`.
    """

    secrets: ClassVar[frozenset[str]] = frozenset({"database_url", "owner_database_url", "secret_key"})

    home: Annotated[
        Path,
        Meta(
            title="a folder",
            description="Folder of Omni's own data. Default: the platform's user data folder; /var/lib/omni for root.",
        ),
    ] = msgspec.field(default_factory=default_home)
    database_url: Annotated[
        _PostgresUrl | None,
        Meta(description="PostgreSQL to use, postgresql://…. Default: one of Omni's own, under OMNI_HOME."),
    ] = None
    owner_database_url: Annotated[
        _PostgresUrl | None,
        Meta(
            description="The same database as its owner, for migrations; for a worker as the owner or as omni_worker. "
            "Default: DATABASE_URL."
        ),
    ] = None
    database_pool: Annotated[
        int, Meta(ge=1, le=200, description="Connections for use cases, in each process. Default 10.")
    ] = 10
    chat_pool: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="Connections for the statements of calls, and as many for what they look up, in each process. "
            "Default 4.",
        ),
    ] = 4
    report_pool: Annotated[
        int, Meta(ge=1, le=100, description="Reports under way at once, in each process. Default 4.")
    ] = 4
    report_share: Annotated[
        int, Meta(ge=1, le=100, description="Reports under way at once of one tenant, in each process. Default 2.")
    ] = 2
    report_wait_s: Annotated[
        float, Meta(ge=0, le=300, description="Longest wait of a report for its turn, in seconds. Default 10.")
    ] = 10.0
    report_within_s: Annotated[
        float,
        Meta(ge=0.1, le=300, description="Longest that a statement of a report may take, in seconds. Default 30."),
    ] = 30.0
    secret_key: Annotated[
        _KeyOf32Bytes | None,
        Meta(description="32 bytes, base64; other keys derive from it. Default: OMNI_HOME/secret.key."),
    ] = None
    host: Annotated[
        str,
        Meta(title="an address or a host name", description="Address that `omni serve` listens on. Default 127.0.0.1."),
    ] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port of `omni serve`; 0 takes a free one. Default 8000.")
    ] = 8000
    max_body_bytes: Annotated[
        int, Meta(ge=1024, le=1 << 30, description="Largest request body, in bytes. Default 8,000,000.")
    ] = 8_000_000
    currency: Annotated[
        str,
        Meta(
            title="an ISO 4217 code such as USD",
            description="Currency of prices, budgets and invoices. Default USD.",
        ),
    ] = "USD"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least serious entries that are logged. Default info."),
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"],
        Meta(description="Form of the log; auto: console on a terminal. Default auto."),
    ] = "auto"
    access_log: Annotated[
        bool, Meta(description="Log every request, not only those that fail. Costs some 0.2 ms each. Default false.")
    ] = False
    http: HttpSettings = HttpSettings()
    tenancy: TenancySettings = TenancySettings()
    budgets: BudgetsSettings = BudgetsSettings()
    jobs: JobsSettings = JobsSettings()
    llm: LlmSettings = LlmSettings()

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        if not is_host(self.host):
            raise InvalidValue("this is no host", field="host", allowed="an address or a host name, without brackets")
        for field in ("database_url", "owner_database_url"):
            url = getattr(self, field)
            if url is not None:
                check_postgres_url(url, field)
        try:
            msgspec.structs.force_setattr(self, "home", self.home.expanduser().resolve())
        except (ValueError, RuntimeError, OSError) as error:
            raise InvalidValue(f"no folder can be there: {error}", field="home", allowed="a folder") from error

    def __repr__(self) -> str:
        pairs = ((setting, setting.of(self)) for setting in SETTINGS)
        shown = (f"{one.name}=…" if value and one.is_secret else f"{one.name}={value!r}" for one, value in pairs)
        return f"Settings({', '.join(shown)})"

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, *, directory: Path | None = None) -> "Settings":
        """Read every source; raise `InvalidSetting`, naming variable, value unless secret, and what is allowed."""
        return load(environ, directory=directory)[0]


SETTINGS = tuple(settings_of(Settings))


def load(
    environ: Mapping[str, str] | None = None, *, directory: Path | None = None
) -> tuple[Settings, dict[str, Source]]:
    """Read every source; return the settings and where each came from, by name. Raises `InvalidSetting`."""
    return read(Settings, environ, directory=directory)


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return next(setting.variable for setting in SETTINGS if setting.name == name)
