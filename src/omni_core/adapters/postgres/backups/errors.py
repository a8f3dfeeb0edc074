"""What keeps a database from being backed up or restored."""

from omni_core.domain.kernel.errors import Conflict, DependencyFailed, Invalid, Precondition


class ProgramMissing(Precondition):
    """PostgreSQL's programs for backups are not here, or too old for the server."""

    code = "postgres.program_missing"


class BoundByRowSecurity(Precondition):
    """The role sees only a part of the rows, so a backup by it would lack the others."""

    code = "postgres.bound_by_row_security"


class FileExists(Conflict):
    """There is a file of this name already."""

    code = "postgres.file_exists"


class NotABackup(Invalid):
    """The file is no backup of Omni's."""

    code = "postgres.not_a_backup"


class DatabaseNotEmpty(Conflict):
    """The database holds tenants, which a restore would replace."""

    code = "postgres.not_empty"


class DatabaseInUse(Conflict):
    """Other programs are connected to the database."""

    code = "postgres.in_use"


class DumpFailed(DependencyFailed):
    """A backup or a restore failed."""

    code = "postgres.dump_failed"
