"""PostgreSQL's configuration files.

They are written at each start, so that a new release of Omni can change them. What an operator sets with ALTER SYSTEM
wins over them, for it lives in the data folder.
"""

from collections.abc import Mapping
from pathlib import Path

from omni_core.adapters.embedded.layout import PORT, Layout

_SETTINGS = {
    # A process on the same machine reaches the server through its socket, and nobody else does.
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Parallel plans need /dev/shm, of which a container has 64 MB, and help little where the program shares the cores.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    # A file for each weekday, overwritten a week later.
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_checkpoints": "off",
    # Statements and details quote the rows that they are about: people's data stays out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

# Whoever can open the socket may connect as any role. Its folder is open to the server's account alone, as the data
# folder is: who can enter the one can read and write every table in the other without asking PostgreSQL.
_HBA = "local all,replication all trust\n"


def write(layout: Layout, socket_folder: Path, overrides: Mapping[str, str]) -> None:
    """Write both files for a start with its socket in `socket_folder`."""
    settings = {
        **_SETTINGS,
        "unix_socket_directories": '"{}"'.format(str(socket_folder).replace('"', '""')),
        "hba_file": str(layout.hba),
        **overrides,
    }
    lines = ["# Written by Omni at each start. ALTER SYSTEM changes a setting for good."]
    lines += [f"{name} = {_quoted(value)}" for name, value in settings.items()]
    _replace(layout.config, "\n".join(lines) + "\n")
    _replace(layout.hba, _HBA)
    # So a server that is started by hand has the same socket.
    _replace(
        layout.own_config,
        f"# The settings are in {layout.config.name} one folder above.\ninclude '../{layout.config.name}'\n",
    )


def _quoted(value: str) -> str:
    return "'{}'".format(value.replace("\\", "\\\\").replace("'", "''"))


def _replace(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    # The account that reads it may be another one. There is no secret in it.
    path.chmod(0o644)
