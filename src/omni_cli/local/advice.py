"""What `omni up` prints to try next: command lines that work as they stand in another shell of the same folder."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from omni_cli.local.demo import SLUG
from omni_cli.samples import samples
from omni_core.domain.kernel.clock import Month

if TYPE_CHECKING:
    from omni_core.bootstrap.settings import Settings, Source

# The settings on which it depends that another shell finds the same data. The others change how, not where.
_WHERE: Final = ("home", "database_url", "owner_database_url", "secret_key", "currency")
_QUESTION: Final = "The pool opens at nine. A ticket costs four pounds. How much does a ticket cost?"
_BODY: Final = f'{{"model": "omni-brain", "messages": [{{"role": "user", "content": "{_QUESTION}"}}]}}'
_PYTHON: Final = """\
{python} - <<'EOF'
from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key="{key}")
messages = [{{"role": "user", "content": "{question}"}}]
print(client.chat.completions.create(model="omni-brain", messages=messages).choices[0].message.content)
EOF"""


def advice(url: str, key: str, omni: str) -> Iterator[tuple[str, str]]:
    """Yield what a command shows, and the command. `omni` is how to call Omni, variables before it included."""
    curl = f"curl -sS {url}/v1/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
    now = Month.of(datetime.now(UTC))
    last = Month.of(now.start - timedelta(days=1))
    yield "Chat, with a key that lives for 24 hours", f"{curl} -d '{_BODY}'"
    yield "The same, streamed", f"{curl} -N -d '{_BODY[:-1]}, \"stream\": true}}'"
    if find_spec("openai") is not None:
        snippet = _PYTHON.format(python=shlex.quote(_near(sys.executable)), url=url, key=key, question=_QUESTION)
        yield "The official OpenAI client", snippet
    yield "What was used this month, and what it cost", f"{omni} usage --tenant {SLUG}"
    yield "What may still be spent", f"{omni} budgets list --tenant {SLUG}"
    yield "The invoice of this month, as it stands", f"{omni} billing preview --tenant {SLUG} --month {now}"
    yield (
        "Last month's calls, which are samples",
        f"{omni} usage --tenant {SLUG} --since {last.start:%Y-%m-%d} --until {last.end:%Y-%m-%d}",
    )
    yield (
        "Close last month on the worker: its invoice bills the samples",
        f"{omni} billing close --tenant {SLUG} --month {last} --background",
    )
    yield "What the worker did", f"{omni} jobs list --tenant {SLUG}"
    yield "The first invoice, once the worker has issued it", f"{omni} billing show INV-000001 --tenant {SLUG}"
    for sample in samples():
        title, command = sample.TRY
        yield title, f"{omni} {command.format(tenant=SLUG)}"


def omni_command(settings: "Settings", sources: "Mapping[str, Source]") -> tuple[str, list[str]]:
    """Return how another shell calls Omni on the same data, and the names of secret variables that it has to set first.

    A variable that is not secret stands before the command. Options count as variables of the environment.
    """
    assignments: list[str] = []
    secret: list[str] = []
    for name in _WHERE:
        source, value = sources[name], getattr(settings, name)
        if source.origin != "environment" or value is None:
            continue
        if name == "secret_key" or (name.endswith("url") and urlsplit(value).password):
            secret.append(source.variable)
        else:
            assignments.append(f"{source.variable}={shlex.quote(str(value))}")
    if os.environ.get("OMNI_CONFIG"):
        assignments.append(f"OMNI_CONFIG={shlex.quote(os.environ['OMNI_CONFIG'])}")
    return " ".join([*assignments, *_program()]), secret


def _program() -> list[str]:
    called = sys.argv[0]
    if Path(called).name == "__main__.py":
        return [shlex.quote(_near(sys.executable)), "-m", "omni_cli"]
    found = shutil.which("omni")
    if found is not None and Path(found).resolve() == Path(called).resolve():
        return ["omni"]
    return [shlex.quote(_near(called))]


def _near(program: str) -> str:
    """Return a program's path from here, where it lies below the working directory. Links are kept: a venv is one."""
    path = Path(os.path.abspath(program))  # noqa: PTH100 - resolve() would leave the venv
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
