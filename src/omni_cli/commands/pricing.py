"""`omni prices`."""

from collections.abc import Iterator
from typing import Annotated

import typer

from omni_cli.jsonform import as_json
from omni_cli.options import Json, commands, examples
from omni_cli.output import Column, print_json, print_rows
from omni_cli.rates import Prices, Tiers, parse_prices, parse_tiers
from omni_cli.session import with_omni
from omni_core.domain.kernel.clock import parse_moment
from omni_core.domain.kernel.tenancy import OPERATOR
from omni_core.domain.metering.api import Meter
from omni_core.domain.pricing.api import Price, SetPrice, Tier, format_rate

prices = commands("The price table: what a model's tokens cost.")

_TIER: list[Column[tuple[Price, Tier]]] = [
    Column("model", lambda row: row[0].model),
    Column("from", lambda row: row[0].effective_from),
    Column("above tokens", lambda row: row[1].above_input_tokens, numeric=True),
    Column("prices", lambda row: _written(row[1]), wraps=True),
    Column("currency", lambda row: row[0].currency),
]


@prices.command("list", epilog=examples("omni prices list", "omni prices list --model omni-brain --json"))
def list_prices(
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="Of one model only.")] = None, json: Json = False
) -> None:
    """List prices, by model and then oldest first.

    They are for a million tokens, or for one image or request.
    """
    _print(list(with_omni(lambda omni: omni.pricing.list(OPERATOR, model))), json=json)


@prices.command(
    "set",
    epilog=examples(
        "omni prices set gpt-4o-mini --price input=0.15 --price cached_input=0.075 --price output=0.60",
        "omni prices set gpt-4o-mini --price input=0.20,output=0.80 --from 2027-01-01",
        "omni prices set gemini-pro --price input=1.25,output=10 --tier 200000:input=2.50,output=15",
    ),
)
def set_price(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The name by which callers ask for it.")],
    price: Prices,
    tier: Tiers = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="2027-01-01", help="Day or ISO 8601 time; now where none is given.")
    ] = None,
    json: Json = False,
) -> None:
    """Add a price. Calls that began earlier keep the price of their time."""
    moment = parse_moment(since, "--from") if since else None
    command = SetPrice(model, parse_prices(price), parse_tiers(tier), moment)
    added = with_omni(lambda omni: omni.pricing.set_price(OPERATOR, command))
    if json:
        print_json(_view(added))
    else:
        _print([added], json=False)


def _print(found: list[Price], *, json: bool) -> None:
    if json:
        print_rows(found, [], json=True, view=_view)
    else:
        print_rows([(price, tier) for price in found for tier in price.tiers], _TIER, json=False)


def _view(price: Price) -> dict[str, object]:
    """Return a price in the form in which it was given, rather than in units of 10⁻¹² a token."""
    return {
        "id": as_json(price.id),
        "model": price.model,
        "currency": price.currency,
        "effective_from": as_json(price.effective_from),
        "tiers": [
            {"above_input_tokens": tier.above_input_tokens, "prices": dict(_rates(tier))} for tier in price.tiers
        ],
    }


def _rates(tier: Tier) -> Iterator[tuple[str, str]]:
    for meter in Meter:
        yield meter.value, format_rate(tier.rates.of(meter), meter)


def _written(tier: Tier) -> str:
    return " ".join(f"{meter}={price}" for meter, price in _rates(tier) if price != "0")
