"""What can go wrong with the embedded PostgreSQL, each with what to do about it in its detail."""

from omni_core.domain.kernel.errors import DependencyFailed, Precondition, Unsupported


class EmbeddedNotInstalled(Precondition):
    """The embedded PostgreSQL is not installed."""

    code = "embedded.not_installed"


class VersionUnsupported(Unsupported):
    """The embedded PostgreSQL does not come in this version."""

    code = "embedded.version_unsupported"


class DataOfAnotherVersion(Precondition):
    """The data folder was made by another major version of PostgreSQL."""

    code = "embedded.data_of_another_version"


class HomeUnusable(Precondition):
    """The embedded PostgreSQL cannot use this home folder."""

    code = "embedded.home_unusable"


class AccountMissing(Precondition):
    """There is no account that PostgreSQL could run as."""

    code = "embedded.account_missing"


class StartFailed(DependencyFailed):
    """The embedded PostgreSQL did not start."""

    code = "embedded.start_failed"


class StopFailed(DependencyFailed):
    """The embedded PostgreSQL did not stop."""

    code = "embedded.stop_failed"
