"""Omni's other programs, as processes: the command line starts them and never imports them."""

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any, Final

from omni_core.domain.kernel.errors import Precondition

# Which distribution's extra a program needs, and a module by which to tell whether it is installed.
_NEEDS: Final = {"omni_http": ("http", "litestar"), "omni_workers": ("worker", "pgqueuer")}


class ExtraMissing(Precondition):
    """An optional part of Omni is not installed."""

    code = "cli.extra_missing"


def environment(**settings: Any) -> dict[str, str]:
    """Return this process's environment, with settings that were given as options in place of its own.

    Raises `InvalidSetting` where what results is not valid, before anything is started on it.
    """
    from omni_core.bootstrap.settings import load, variable_of

    given = {variable_of(name): str(value) for name, value in settings.items() if value is not None}
    merged = {**os.environ, **given}
    load(merged)
    return merged


def check_installed(module: str) -> None:
    """Raise `ExtraMissing` where a program's extra is not installed."""
    extra, needed = _NEEDS[module]
    if find_spec(needed) is None:
        raise ExtraMissing(f"{needed} is not installed; in a checkout of Omni: pip install '.[{extra}]'", extra=extra)


def become(module: str, variables: dict[str, str]) -> None:
    """Run another program of Omni's in place of this one, so that signals and the exit code are its own."""
    check_installed(module)
    command = [sys.executable, "-m", module]
    if os.name == "posix":
        os.execve(sys.executable, command, variables)  # noqa: S606 - our own program, by its interpreter
    raise SystemExit(subprocess.call(command, env=variables))  # noqa: S603 - likewise
