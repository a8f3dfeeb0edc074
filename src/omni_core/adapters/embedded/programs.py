"""Run PostgreSQL's programs as the account that owns the data."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omni_core.adapters.embedded.account import Account
from omni_core.adapters.embedded.errors import StartFailed

# Nothing of the caller's: PGDATA, PGOPTIONS, PGPORT, TZ and LANG would all change what the programs do.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_TIMEOUT_SECONDS = 120
_TAIL_LINES = 5


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs in `folder`."""

    folder: Path
    account: Account

    def run(self, name: str, *arguments: str | Path, says: str = "", keep: Sequence[int] = ()) -> None:
        """Run one program to its end, with `says` on its standard input and the descriptors in `keep` open.

        Raises `StartFailed` with the end of its output if it fails.
        """
        try:
            ended = subprocess.run(  # noqa: S603 (our program, our arguments, no shell)
                [self.folder / name, *arguments],
                input=says,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                timeout=_TIMEOUT_SECONDS,
                cwd="/",
                env=_ENVIRONMENT,
                pass_fds=keep,
                # A Ctrl-C in the terminal is for the program that started this one.
                start_new_session=True,
                **self.account.run_as,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StartFailed(f"{name} did not run: {error}") from error
        if ended.returncode != 0:
            raise StartFailed(f"{name} failed: {tail(ended.stdout)}", program=name, status=ended.returncode)


def tail(output: str) -> str:
    """Return the last lines of `output`, on one line."""
    return " | ".join(line.strip() for line in output.splitlines()[-_TAIL_LINES:] if line.strip())
