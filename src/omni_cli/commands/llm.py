"""`omni models` and `omni chat`."""

import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omni_cli.jsonform import as_json
from omni_cli.limits import (
    ConnectionWait,
    ConnectTimeout,
    FirstByteTimeout,
    MaxConnections,
    MaxWaiting,
    ReadTimeout,
    Reset,
    TotalTimeout,
    reset_of,
    seconds,
)
from omni_cli.options import InvalidOption, Json, Tenant, alone, commands, examples
from omni_cli.output import Column, note, print_json, print_record, print_rows, print_text
from omni_cli.rates import Prices, Tiers, parse_prices, parse_tiers
from omni_cli.session import for_tenant, with_omni
from omni_core.domain.kernel.tenancy import OPERATOR, Principal
from omni_core.domain.llm.api import (
    AddModel,
    AddProvider,
    ChangeLimits,
    ChatAnswer,
    ChatRequest,
    Message,
    Model,
    ProviderView,
    Role,
    TokenUsage,
)

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

models = commands("Models, and the providers that run them.")

_MODEL: list[Column[Model]] = [
    Column("model", lambda model: model.name),
    Column("provider", lambda model: model.provider),
    Column("upstream model", lambda model: model.upstream_model),
    Column("context", lambda model: model.context_length, numeric=True),
    Column("max output", lambda model: model.max_output_tokens, numeric=True),
    Column("added", lambda model: model.created_at),
]
_PROVIDER: list[Column[ProviderView]] = [
    Column("provider", lambda provider: provider.name),
    Column("kind", lambda provider: provider.kind),
    Column("URL", lambda provider: provider.base_url),
    Column("has a key", lambda provider: provider.has_key),
    Column("takes besides", lambda provider: ", ".join(provider.passes)),
    Column("set up in", lambda provider: provider.source),
    Column("connects within", lambda provider: seconds(provider.connect_timeout_s), numeric=True),
    Column("begins within", lambda provider: seconds(provider.first_byte_timeout_s), numeric=True),
    Column("silent for", lambda provider: seconds(provider.read_timeout_s), numeric=True),
    Column("call ends after", lambda provider: seconds(provider.total_timeout_s), numeric=True),
    Column("connections", lambda provider: provider.max_connections, numeric=True),
    Column("waits for one", lambda provider: seconds(provider.connection_wait_s), numeric=True),
    Column("may wait", lambda provider: provider.max_waiting, numeric=True),
]


@models.command("list", epilog=examples("omni models list", "omni models list --json"))
def list_models(json: Json = False) -> None:
    """List the models that can be called."""
    print_rows(with_omni(lambda omni: omni.catalogue.models(OPERATOR)), _MODEL, json=json)


@models.command(
    "add",
    epilog=examples(
        "omni models add gpt-4o-mini --provider openai --price input=0.15 --price output=0.60",
        "omni models add local --provider ollama --upstream-model llama3.2:3b --price input=0,output=0",
    ),
)
def add_model(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="The name by which callers ask for it.")],
    provider: Annotated[str, typer.Option(metavar="PROVIDER", help="Which provider: see omni models providers.")],
    price: Prices,
    tier: Tiers = None,
    upstream_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The provider's own name of it, where that differs.")
    ] = None,
    context_length: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS",
            help="The longest input and output together; 128000 where it is left out. A provider that tells more than "
            "what is given here is not believed.",
        ),
    ] = None,
    max_output_tokens: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS",
            help="The longest answer, and what a caller under a budget gets who sets no limit; 4096 where it is left "
            "out. A provider that tells more than what is given here is not believed.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make a model callable, at a price from now on."""
    prices, tiers = parse_prices(price), parse_tiers(tier)
    command = AddModel(name, provider, prices, tiers, upstream_model, context_length, max_output_tokens)
    print_record(with_omni(lambda omni: omni.catalogue.add_model(OPERATOR, command)), _MODEL, json=json)


@models.command("remove", epilog=examples("omni models remove gpt-4o-mini"))
def remove_model(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="The name by which callers ask for it.")],
    json: Json = False,
) -> None:
    """Make a model uncallable. Its usage and prices stay."""
    with_omni(lambda omni: omni.catalogue.remove_model(OPERATOR, name))
    _removed(name, json=json)


@models.command("providers", epilog=examples("omni models providers"))
def list_providers(json: Json = False) -> None:
    """List providers, from the settings and from here."""
    print_rows(with_omni(lambda omni: omni.catalogue.providers(OPERATOR)), _PROVIDER, json=json)


@models.command(
    "add-provider",
    epilog=examples(
        "omni models add-provider ollama --kind openai --base-url http://127.0.0.1:11434/v1",
        "omni models add-provider vllm --kind openai --base-url http://127.0.0.1:8001/v1 --passes top_k --passes min_p",
        "omni models add-provider mistral --kind openai --base-url https://api.mistral.ai/v1 --api-key-env MISTRAL_KEY",
        "omni models add-provider claude --kind anthropic --api-key-stdin < anthropic.key",
    ),
)
def add_provider(
    name: Annotated[str, typer.Argument(metavar="PROVIDER", help="The name that models refer to.")],
    kind: Annotated[
        str,
        typer.Option(metavar="KIND", help="Which protocol it speaks: openai (Ollama and vLLM do too) or anthropic."),
    ],
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where it is; the vendor's own by default.")
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="Take the key from this environment variable.")
    ] = None,
    api_key_stdin: Annotated[bool, typer.Option("--api-key-stdin", help="Read the key from standard input.")] = False,
    passes: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="A field that it takes besides those of its kind, as top_k; repeat it."),
    ] = None,
    connect_timeout: ConnectTimeout = None,
    first_byte_timeout: FirstByteTimeout = None,
    read_timeout: ReadTimeout = None,
    total_timeout: TotalTimeout = None,
    max_connections: MaxConnections = None,
    connection_wait: ConnectionWait = None,
    max_waiting: MaxWaiting = None,
    json: Json = False,
) -> None:
    """Make a provider known.

    Its key is stored sealed. It is no option, for others can read command lines. Limits that are not given are those of
    the settings.
    """
    api_key = _read_key(api_key_env, from_stdin=api_key_stdin)
    command = AddProvider(
        name,
        kind,
        base_url,
        api_key,
        passes=tuple(passes or ()),
        connect_timeout_s=connect_timeout,
        first_byte_timeout_s=first_byte_timeout,
        read_timeout_s=read_timeout,
        total_timeout_s=total_timeout,
        max_connections=max_connections,
        connection_wait_s=connection_wait,
        max_waiting=max_waiting,
    )
    print_record(with_omni(lambda omni: omni.catalogue.add_provider(OPERATOR, command)), _PROVIDER, json=json)


@models.command(
    "set-provider",
    epilog=examples(
        "omni models set-provider mistral --max-connections 64 --total-timeout 600",
        "omni models set-provider mistral --reset total_timeout_s",
    ),
)
def set_provider(
    name: Annotated[
        str, typer.Argument(metavar="PROVIDER", help="A provider that was added: see omni models providers.")
    ],
    connect_timeout: ConnectTimeout = None,
    first_byte_timeout: FirstByteTimeout = None,
    read_timeout: ReadTimeout = None,
    total_timeout: TotalTimeout = None,
    max_connections: MaxConnections = None,
    connection_wait: ConnectionWait = None,
    max_waiting: MaxWaiting = None,
    reset: Reset = None,
    json: Json = False,
) -> None:
    """Give a provider other limits.

    They hold for calls that begin within a second from now. Limits that are not given stay as they are.
    """
    command = ChangeLimits(
        connect_timeout_s=connect_timeout,
        first_byte_timeout_s=first_byte_timeout,
        read_timeout_s=read_timeout,
        total_timeout_s=total_timeout,
        max_connections=max_connections,
        connection_wait_s=connection_wait,
        max_waiting=max_waiting,
        reset=reset_of(reset),
    )
    changed = with_omni(lambda omni: omni.catalogue.change_limits(OPERATOR, name, command))
    print_record(changed, _PROVIDER, json=json)


@models.command("remove-provider", epilog=examples("omni models remove-provider ollama"))
def remove_provider(
    name: Annotated[str, typer.Argument(metavar="PROVIDER", help="The name that models refer to.")], json: Json = False
) -> None:
    """Forget a provider and its key."""
    with_omni(lambda omni: omni.catalogue.remove_provider(OPERATOR, name))
    _removed(name, json=json)


@alone(
    examples(
        "omni chat --tenant demo --file README.md 'What does the worker do?'",
        "omni chat --tenant demo --model gpt-4o-mini --system 'Answer in one word.' 'What colour is the sky?'",
        "git log -5 | omni chat --tenant demo --no-stream -",
    )
)
def chat(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to ask; - reads it from standard input.")],
    tenant: Tenant = None,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="MODEL", help="Which model: see omni models list.")
    ] = "omni-brain",
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="Instructions that come first.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            "-f",
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="Text that the question is about; repeat it for several files.",
        ),
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, metavar="TOKENS", help="The longest answer.")] = None,
    stream: Annotated[bool, typer.Option(help="Print the answer while it comes.")] = True,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Make the call once: asked again under this key, answer the same.")
    ] = None,
    json: Json = False,
) -> None:
    """Ask a model, on a tenant's account.

    The call is metered, priced and charged like any other.
    """
    request = ChatRequest(model, _messages(question, system, file or []), max_tokens)
    if json or not stream:
        answer = for_tenant(
            tenant, lambda omni, operator: omni.chat.complete(operator, request, idempotency_key=idempotency_key)
        )
        _print_answer(answer, json=json)
        return

    async def pieces(omni: "Omni", operator: Principal) -> TokenUsage | None:
        usage = None
        answer = await omni.chat.stream(operator, request, idempotency_key=idempotency_key)
        async with aclosing(answer) as deltas:
            async for delta in deltas:
                print_text(delta.text, end="")
                usage = delta.usage or usage
        print_text("")
        return usage

    _note_usage(for_tenant(tenant, pieces))


def _messages(question: str, system: str | None, files: list[Path]) -> tuple[Message, ...]:
    asked = sys.stdin.read() if question == "-" else question
    parts = [*(_read(path) for path in files), asked]
    opening = (Message.of(Role.SYSTEM, system),) if system else ()
    return (*opening, Message.of(Role.USER, "\n\n".join(parts)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidOption(f"{path} cannot be read as text", field="--file", allowed="a text in UTF-8") from error


def _print_answer(answer: ChatAnswer, *, json: bool) -> None:
    text, usage = answer.response.message.text, answer.response.usage
    if not json:
        print_text(text)
        _note_usage(usage)
        return
    shown: dict[str, Any] = {"id": answer.id, "model": answer.model, "created_at": answer.created_at, "text": text}
    finish = answer.response.finish_reason
    print_json({**shown, "finish_reason": finish, "usage": as_json(usage), "is_replay": answer.is_replay})


def _note_usage(usage: TokenUsage | None) -> None:
    if usage is not None and sys.stderr.isatty():
        note(f"[{usage.input_tokens} tokens in, {usage.output_tokens} out]")


def _read_key(variable: str | None, *, from_stdin: bool) -> str | None:
    if variable is not None and from_stdin:
        raise InvalidOption("a key comes from one place", field="--api-key-env", allowed="one of the two options")
    if variable is not None and not os.environ.get(variable):
        raise InvalidOption(f"{variable} is not set", field="--api-key-env", allowed="a variable that holds the key")
    if not from_stdin:
        return os.environ[variable].strip() if variable is not None else None
    if key := sys.stdin.readline().strip():
        return key
    raise InvalidOption("standard input holds no key", field="--api-key-stdin", allowed="the key, on one line")


def _removed(name: str, *, json: bool) -> None:
    if json:
        print_json({"removed": name})
    else:
        print_text(f"removed {name}")
