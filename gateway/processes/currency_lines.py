"""What is held in each foreign currency, as `cmc positions` and `cmc status` tell it: in sum and by pair, with limits.

Positions and units are what execution published last, prices the feed's newest: the middle between bid and ask, else
the last trade. So it is what is held now, where the gate counts what may yet be held, at the prices of its intents.

What can go wrong: an instrument without a price; its currency is then told as not known, never as a smaller sum.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from gateway.execution.currency import LotValue, lot_value
from gateway.journal.told import Told, told
from gateway.journal.units import money
from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.model.site import PairSpec, leg_side
from gateway.processes.settings import Site


class CurrencyHeld(NamedTuple):
    """1e-9 of `currency`, long or short; None where a price is missing. `pair_id` is empty for the sum of all."""

    currency: str
    pair_id: str
    held_e9: int | None
    most_e9: int | None
    unpriced: tuple[str, ...] = ()


def currencies_held(
    site: Site, net_lots: Mapping[str, int], units: Mapping[str, int], quotes: Mapping[str, Quote]
) -> list[CurrencyHeld]:
    """Every foreign currency, in sum first and then by pair. Foreign is what is not the currency of every pair."""
    values = {name: lot_value(one) for name, one in site.instruments.items() if one.tradable}
    home = {pair.currency for pair in site.pairs.values()}
    found = []
    for currency in sorted({one.currency for one in values.values()}):
        mine = {name: lots for name, lots in net_lots.items() if name in values and values[name].currency == currency}
        if home != {currency}:
            most_e9 = site.limits.max_currency_e9.get(currency)
            found.append(_held(currency, "", mine, values, quotes, most_e9))
        for pair in site.pairs.values():
            lots = _lots(pair, units.get(pair.pair_id, 0), values, currency)
            if lots and pair.currency != currency:
                most_e9 = pair.max_currency_e9.get(currency)
                found.append(_held(currency, pair.pair_id, lots, values, quotes, most_e9))
    return found


def _lots(pair: PairSpec, units: int, values: Mapping[str, LotValue], currency: str) -> dict[str, int]:
    return {
        leg.instrument_id: units * leg_side(pair, Side.BUY, index).sign * leg.ratio_lots
        for index, leg in enumerate(pair.legs)
        if leg.instrument_id in values and values[leg.instrument_id].currency == currency
    }


def _held(
    currency: str,
    pair_id: str,
    lots: Mapping[str, int],
    values: Mapping[str, LotValue],
    quotes: Mapping[str, Quote],
    most_e9: int | None,
) -> CurrencyHeld:
    total_e9, unpriced = 0, []
    for name, count in lots.items():
        value = values[name]
        px_ticks = twice_px_ticks(quotes.get(name)) if value.per_tick_e9 else 0
        if count and px_ticks is None:
            unpriced.append(name)
            continue
        total_e9 += count * ((px_ticks or 0) * value.per_tick_e9 // 2 + value.fixed_e9)
    return CurrencyHeld(currency, pair_id, None if unpriced else total_e9, most_e9, tuple(unpriced))


def twice_px_ticks(quote: Quote | None) -> int | None:
    """Bid and ask together, else twice the last trade: whole where a middle is not; None where nothing is known."""
    if quote is None:
        return None
    if quote.bids and quote.asks:
        return quote.bids[0][0] + quote.asks[0][0]
    return None if quote.last_px_ticks is None else 2 * quote.last_px_ticks


def currency_lines(held: Iterable[CurrencyHeld]) -> Iterator[Told]:
    """For a person."""
    for one in held:
        whose = told("pair {}", one.pair_id) if one.pair_id else told("in sum")
        most = told("at most {}", money(one.most_e9)) if one.most_e9 is not None else told("no limit")
        if one.held_e9 is None:
            yield told("  {} {}: not known, no price of {}; {}", one.currency, whose, ", ".join(one.unpriced), most)
        else:
            yield told("  {} {}: {} held, {}", one.currency, whose, money(one.held_e9), most)


def currency_content(held: Iterable[CurrencyHeld]) -> list[dict[str, Any]]:
    """For a program."""
    return [one._asdict() for one in held]
