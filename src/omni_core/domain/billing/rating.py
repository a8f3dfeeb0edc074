"""From usage that was added up to the lines of an invoice."""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

import msgspec

from omni_core.domain.billing.errors import DoesNotAddUp, MixedCurrencies, PriceMissing
from omni_core.domain.billing.model import InvoiceLine
from omni_core.domain.kernel.clock import Month
from omni_core.domain.kernel.money import Picos, Rounding, exactly, format_picos, picos_text, round_picos
from omni_core.domain.metering.api import Meter, Quantities
from omni_core.domain.pricing.api import Price, Rates

# What a reader with a calculator expects of an invoice. An exact tie is rare enough that its bias does not matter.
LINE_ROUNDING = Rounding.HALF_UP


class UsageTotal(msgspec.Struct, frozen=True):
    """Calls of one model, in one month, at one price and tier, added up: how many, how much, and their exact cost."""

    usage_month: Month
    model: str
    price_id: UUID
    price_tier: int
    calls: int
    quantities: Quantities
    cost_picos: Picos


def lines_of(totals: Iterable[UsageTotal], prices: Mapping[UUID, Price], currency: str) -> tuple[InvoiceLine, ...]:
    """Make a line of every meter that was used, free ones included, by month, model, price and tier.

    Raises `PriceMissing` for a price that is not among `prices`, `MixedCurrencies` for one in another currency than the
    invoice's, and `DoesNotAddUp` where quantities × prices are not what the calls were recorded to have cost.
    """
    ordered = sorted(totals, key=lambda one: (one.usage_month, one.model, one.price_id, one.price_tier))
    return tuple(
        InvoiceLine(
            position=position,
            usage_month=usage.usage_month,
            model=usage.model,
            meter=meter,
            price_id=usage.price_id,
            price_tier=usage.price_tier,
            calls=usage.calls,
            quantity=quantity,
            unit_price_picos=unit_price,
            exact_picos=exactly(quantity * unit_price),
            amount=round_picos(quantity * unit_price, currency, LINE_ROUNDING),
        )
        for position, (usage, meter, quantity, unit_price) in enumerate(_priced(ordered, prices, currency), start=1)
    )


def _priced(
    totals: Iterable[UsageTotal], prices: Mapping[UUID, Price], currency: str
) -> Iterator[tuple[UsageTotal, Meter, int, Picos]]:
    for usage in totals:
        rates = _rates(usage, prices, currency)
        _check_sum(usage, rates)
        for meter in Meter:
            if quantity := usage.quantities.of(meter):
                yield usage, meter, quantity, rates.of(meter)


def _rates(usage: UsageTotal, prices: Mapping[UUID, Price], currency: str) -> Rates:
    price = prices.get(usage.price_id)
    tier = next((t for t in price.tiers if t.above_input_tokens == usage.price_tier), None) if price else None
    if price is None or tier is None:
        raise PriceMissing(
            f"usage of {usage.model} names a price that is not in the price table",
            model=usage.model,
            price_id=str(usage.price_id),
            price_tier=usage.price_tier,
        )
    if price.currency != currency:
        raise MixedCurrencies(
            f"usage of {usage.model} is priced in {price.currency}, and the invoice is in {currency}",
            model=usage.model,
            priced_in=price.currency,
            invoiced_in=currency,
        )
    return tier.rates


def _check_sum(usage: UsageTotal, rates: Rates) -> None:
    """Refuse to issue an invoice that differs from what callers and budgets were told."""
    billed = rates.cost(usage.quantities)
    difference = exactly(billed - usage.cost_picos)
    if difference:
        raise DoesNotAddUp(
            f"{usage.calls} calls of {usage.model} in {usage.usage_month} cost {format_picos(usage.cost_picos)}, "
            f"but their lines come to {format_picos(billed)}",
            model=usage.model,
            month=str(usage.usage_month),
            price_id=str(usage.price_id),
            difference_picos=difference if isinstance(difference, int) else picos_text(difference),
        )
