"""What is held in each foreign currency: lots x price x value of a point, in sum and by pair, as far as it may go.

A long COMEX future against a short domestic one is long US dollars; the pair is hedged in copper and not in currency.
An instrument whose unit is itself a currency (SGX UC: 100 000 USD a lot) holds that currency, whatever it is quoted in.
Sums are kept as `exposure.py` keeps its own: what changes an instrument moves them. Each has two ends, for what is open
may yet be filled or taken back: the most that all of it can lead to, and the least.

A position counts at the last price at which an intent traded its instrument; the legs of an intent that is judged at
their own. What can go wrong: lots that were never traded by an intent (a fill that a person booked) have no price, and
then nobody can say what is held: a limited currency is refused until an intent has named one.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.execution.pair_trade import PairTrade
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.trade import IntentLeg

CURRENCY_UNITS = frozenset({"usd", "eur", "gbp"})
"""Units of a price that are money themselves."""


class LotValue(NamedTuple):
    """What one lot holds of `currency`, in 1e-9: `per_tick_e9` for each tick of the price, and `fixed_e9`."""

    currency: str
    per_tick_e9: int
    fixed_e9: int

    def of(self, px_ticks: int) -> int:
        """One lot at this price."""
        return px_ticks * self.per_tick_e9 + self.fixed_e9


def lot_value(one: Instrument) -> LotValue:
    """Of one lot of this instrument; a fraction of 1e-9 is cut off."""
    if one.unit in CURRENCY_UNITS:
        return LotValue(one.unit.upper(), 0, int(one.lot_units * PRICE_E9))
    return LotValue(one.currency, int(one.tick * one.point_value * PRICE_E9), 0)


class Ends(NamedTuple):
    """The most and the least that may be held, in 1e-9 of the currency."""

    high_e9: int
    low_e9: int

    def beyond(self, most_e9: int, sides: Iterable[Side]) -> int:
        """The end that exceeds `most_e9` in a direction that is traded; 0 when none does."""
        traded = set(sides)
        if Side.BUY in traded and self.high_e9 > most_e9:
            return self.high_e9
        if Side.SELL in traded and -self.low_e9 > most_e9:
            return self.low_e9
        return 0


class _Held(NamedTuple):
    high_lots: int
    low_lots: int


_NOTHING = _Held(0, 0)


class CurrencyBook:
    """The kept sums of all positions, by currency."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self.values = {name: lot_value(one) for name, one in instruments.items()}
        self._px_ticks: dict[str, int] = {}
        self._held: dict[str, _Held] = {}
        self._high_e9: dict[str, int] = {}
        self._low_e9: dict[str, int] = {}
        self._unpriced: set[str] = set()

    def move(self, name: str, high_lots: int, low_lots: int) -> None:
        """An instrument's lots may now go so far."""
        before = self._held.get(name, _NOTHING)
        if high_lots == before.high_lots and low_lots == before.low_lots:
            return
        self._held[name] = _Held(high_lots, low_lots)
        value = self.values[name]
        px_ticks = self._px_ticks.get(name)
        if px_ticks is None and value.per_tick_e9:
            (self._unpriced.add if high_lots or low_lots else self._unpriced.discard)(name)
            return
        self._add(value, px_ticks or 0, high_lots - before.high_lots, low_lots - before.low_lots)

    def see(self, name: str, px_ticks: int) -> None:
        """An intent trades the instrument at this price."""
        before = self._px_ticks.get(name)
        if px_ticks == before:
            return
        value = self.values[name]
        held = self._held.get(name, _NOTHING)
        self._px_ticks[name] = px_ticks
        self._unpriced.discard(name)
        if value.per_tick_e9:
            moved_ticks = px_ticks - (before or 0)
            self._add(LotValue(value.currency, value.per_tick_e9, 0), moved_ticks, held.high_lots, held.low_lots)

    def _add(self, value: LotValue, px_ticks: int, high_lots: int, low_lots: int) -> None:
        each_e9 = value.of(px_ticks)
        self._high_e9[value.currency] = self._high_e9.get(value.currency, 0) + high_lots * each_e9
        self._low_e9[value.currency] = self._low_e9.get(value.currency, 0) + low_lots * each_e9

    def with_legs(self, currency: str, legs: Iterable[IntentLeg]) -> Ends:
        """The sums of one currency when these legs are traded as well."""
        high_e9, low_e9 = self._high_e9.get(currency, 0), self._low_e9.get(currency, 0)
        for leg in legs:
            value = self.values[leg.instrument_id]
            if value.currency != currency:
                continue
            each_e9 = value.of(leg.px_ticks)
            if leg.instrument_id in self._unpriced:
                held = self._held[leg.instrument_id]
                high_e9 += held.high_lots * each_e9
                low_e9 += held.low_lots * each_e9
            if leg.side is Side.BUY:
                high_e9 += leg.qty_lots * each_e9
            else:
                low_e9 -= leg.qty_lots * each_e9
        return Ends(high_e9, low_e9)

    def unpriced(self, currency: str, legs: Iterable[IntentLeg]) -> list[str]:
        """Instruments of this currency that are held, and of which no price is known."""
        if not self._unpriced:
            return []
        named = {leg.instrument_id for leg in legs}
        return sorted(name for name in self._unpriced - named if self.values[name].currency == currency)


def of_pair(
    currency: str, legs: tuple[IntentLeg, ...], values: Mapping[str, LotValue], lots: Mapping[str, tuple[int, int]]
) -> Ends:
    """What a pair may hold of one currency when these legs are traded; `lots`: the most and least lots it may hold."""
    high_e9 = low_e9 = 0
    for leg in legs:
        value = values[leg.instrument_id]
        if value.currency != currency:
            continue
        each_e9 = value.of(leg.px_ticks)
        high_lots, low_lots = lots[leg.instrument_id]
        high_e9 += (high_lots + (leg.qty_lots if leg.side is Side.BUY else 0)) * each_e9
        low_e9 += (low_lots - (leg.qty_lots if leg.side is Side.SELL else 0)) * each_e9
    return Ends(high_e9, low_e9)


def lots_of_pair(held: Mapping[str, int], trades: Iterable[PairTrade]) -> dict[str, tuple[int, int]]:
    """The most and the least lots of each instrument: what ended trades hold, and what unended ones may come to."""
    found = {name: (lots, lots) for name, lots in held.items()}
    for trade in trades:
        for leg in trade.legs:
            high, low = found.get(leg.instrument_id, (0, 0))
            furthest = max(leg.target_lots, leg.filled_lots + leg.open_lots)
            least = min(0, leg.filled_lots)
            up, down = (furthest, least) if leg.side is Side.BUY else (-least, -furthest)
            found[leg.instrument_id] = (high + up, low + down)
    return found
