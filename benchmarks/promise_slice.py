"""What one slice (one unit) of the pair costs on the books of now, and whether the rule is met at it.

Written apart from the gateway's price, because the contenders that are not the gateway share it; a test compares the
two at every intent of a day. Whole 1e-9 throughout; the one rounding is against us, as the gateway's is.

Two kinds: a spread (first leg minus the second, converted by a live rate or a fixing) and a ratio (first over second).
"""

from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from gateway.model.instrument import Instrument
from gateway.model.site import FormulaKind, LegSpec, PairSpec, RuleSpec
from simulators.core.values import Levels

PRICE_E9 = 10**9
FIRST, SECOND_LEG = 0, 1
Book = tuple[Levels, Levels]
BIDS, ASKS = 0, 1


class Seen(NamedTuple):
    """What a decision saw of one slice: average price of each leg's walk in 1e-9 ticks, the worst levels, the rate."""

    side: int
    """1 buys the pair, -1 sells it."""
    vwap_e9: tuple[int, int]
    worst_ticks: tuple[int, int]
    fx_ticks: int
    """1 where the pair converts by a fixing."""


class Slice:
    """One unit of a pair at the rule's threshold. What a price is, is the heirs'."""

    def __init__(self, pair: PairSpec, rule: RuleSpec, instruments: Mapping[str, Instrument]) -> None:
        first, second = pair.legs
        self.lots = (first.ratio_lots, second.ratio_lots)
        self.names = (first.instrument_id, second.instrument_id)
        self.fx = second.fx_instrument_id
        """The live reference of the currency; empty where a fixing converts."""
        domestic, overseas = (instruments[name] for name in self.names)
        rate = fixed_rate(second, instruments)
        self.tick_money_e9 = (_whole(_tick_money(domestic)), _whole(_tick_money(overseas) * rate))
        """Money in 1e-9 CNY of one tick of one lot; of the second leg, for each tick of the currency's rate."""
        self._unit_money = Fraction(domestic.point_value) * first.ratio_lots / first.factor
        """CNY of one unit for each CNY of the first leg's price."""
        self._per_tick = (
            Fraction(domestic.tick) * first.factor,
            Fraction(overseas.tick) * second.factor * rate,
        )
        """A tick of each leg in the pair's unit and, but for the ticks of a live rate, currency."""
        self._buy_at_e9, self._sell_at_e9 = rule.buy_at_e9, rule.sell_at_e9

    def met(self, books: Mapping[str, Book]) -> Seen | None:
        """What is seen when the rule is met on a side at one slice, None when it is not."""
        try:
            first, second = books[self.names[FIRST]], books[self.names[SECOND_LEG]]
            fx = books[self.fx] if self.fx else None
        except KeyError:
            return None
        for side in (1, -1):
            if not self._may_be_met(side, first, second, fx):
                continue
            seen = self._look(side, first, second, fx)
            if seen is not None and self._meets(side, self.price_e9(seen)):
                return seen
        return None

    def look(self, side: int, books: Mapping[str, Book]) -> Seen | None:
        """What a slice on `side` would trade at now, whatever the rule says."""
        fx = books[self.fx] if self.fx else None
        return self._look(side, books[self.names[FIRST]], books[self.names[SECOND_LEG]], fx)

    def price_e9(self, seen: Seen) -> int:
        """The pair's price at what was seen, rounded against us."""
        raise NotImplementedError

    def edge_e9(self, seen: Seen) -> int:
        """Money of one unit by which what was seen is beyond the threshold."""
        raise NotImplementedError

    def _may_be_met(self, side: int, first: Book, second: Book, fx: Book | None) -> bool:
        """False where even the best levels alone do not meet it: a walk is never better than they are."""
        raise NotImplementedError

    def _look(self, side: int, first: Book, second: Book, fx: Book | None) -> Seen | None:
        walks = (_walk(first[side > 0], self.lots[0]), _walk(second[side < 0], self.lots[1]))
        rates = ((1, 0),) if fx is None else fx[side < 0]
        if walks[0] is None or walks[1] is None or not rates:
            return None
        return Seen(side, (walks[0][0], walks[1][0]), (walks[0][1], walks[1][1]), rates[0][0])

    def _meets(self, side: int, price_e9: int) -> bool:
        if side > 0:
            return self._buy_at_e9 is not None and price_e9 <= self._buy_at_e9
        return self._sell_at_e9 is not None and price_e9 >= self._sell_at_e9

    def _threshold_e9(self, side: int) -> int:
        return (self._buy_at_e9 if side > 0 else self._sell_at_e9) or 0


class Spread(Slice):
    """First leg minus the second."""

    def __init__(self, pair: PairSpec, rule: RuleSpec, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(pair, rule, instruments)
        self._weights = (_whole(self._per_tick[FIRST] * PRICE_E9), _whole(self._per_tick[SECOND_LEG] * PRICE_E9))
        self._whole_unit_money = _whole(self._unit_money)

    def price_e9(self, seen: Seen) -> int:
        """First leg minus the second, converted."""
        first, second = seen.vwap_e9[FIRST] * self._weights[FIRST], seen.vwap_e9[SECOND_LEG] * self._weights[SECOND_LEG]
        price = first - second * seen.fx_ticks
        return -(-price // PRICE_E9) if seen.side > 0 else price // PRICE_E9

    def edge_e9(self, seen: Seen) -> int:
        """By the unit's money for each CNY of the spread."""
        return seen.side * (self._threshold_e9(seen.side) - self.price_e9(seen)) * self._whole_unit_money

    def _may_be_met(self, side: int, first: Book, second: Book, fx: Book | None) -> bool:
        own, other, rates = first[side > 0], second[side < 0], ((1, 0),) if fx is None else fx[side < 0]
        if not own or not other or not rates:
            return False
        best_e9 = own[0][0] * self._weights[FIRST] - other[0][0] * rates[0][0] * self._weights[SECOND_LEG]
        return self._meets(side, best_e9)


class Ratio(Slice):
    """First leg over the second; the second one's lots are of the first one's value by the look-back, so by about."""

    def __init__(self, pair: PairSpec, rule: RuleSpec, instruments: Mapping[str, Instrument]) -> None:
        super().__init__(pair, rule, instruments)
        per_lot = tuple(one / lots for one, lots in zip(self._per_tick, self.lots, strict=True))
        shared = lcm(*(one.denominator for one in per_lot))
        self._weights = (_whole(per_lot[FIRST] * shared), _whole(per_lot[SECOND_LEG] * shared))

    def price_e9(self, seen: Seen) -> int:
        """First over second, of the whole costs: an average that was rounded down gives its cost back, rounded up."""
        first, second = (
            -(-seen.vwap_e9[leg] * self.lots[leg] // PRICE_E9) * self._weights[leg] for leg in (FIRST, SECOND_LEG)
        )
        above, below = first * PRICE_E9, second * seen.fx_ticks
        return -(-above // below) if seen.side > 0 else above // below

    def edge_e9(self, seen: Seen) -> int:
        """By the money of the first leg alone: so much better is its price than the threshold's at this second leg."""
        first, second = (Fraction(seen.vwap_e9[leg], PRICE_E9) * self._per_tick[leg] for leg in (FIRST, SECOND_LEG))
        at_threshold = second * seen.fx_ticks * Fraction(self._threshold_e9(seen.side), PRICE_E9)
        return int(seen.side * (at_threshold - first) * self._unit_money * PRICE_E9 // 1)

    def _may_be_met(self, side: int, first: Book, second: Book, fx: Book | None) -> bool:
        own, other, rates = first[side > 0], second[side < 0], ((1, 0),) if fx is None else fx[side < 0]
        if not own or not other or not rates:
            return False
        above = own[0][0] * self.lots[FIRST] * self._weights[FIRST] * PRICE_E9
        below = other[0][0] * self.lots[SECOND_LEG] * self._weights[SECOND_LEG] * rates[0][0]
        return self._meets(side, -(-above // below) if side > 0 else above // below)


def slice_of(pair: PairSpec, rule: RuleSpec, instruments: Mapping[str, Instrument]) -> Slice:
    """The slice of a pair by its kind."""
    return (Spread if pair.formula is FormulaKind.SPREAD else Ratio)(pair, rule, instruments)


def fixed_rate(leg: LegSpec, instruments: Mapping[str, Instrument]) -> Fraction:
    """What a tick of the leg's live rate is, or its fixing; 1 where it has neither."""
    if leg.fx_instrument_id:
        return Fraction(instruments[leg.fx_instrument_id].tick)
    return Fraction(1 if leg.fx_rate is None else leg.fx_rate)


def leg_sign(side: int, leg: int) -> int:
    """1 when leg `leg` is bought as the pair is traded on `side`."""
    return side if leg == FIRST else -side


def leg_of(spec: PairSpec, name: str) -> tuple[int, LegSpec]:
    """A leg by the words of the parameter file: domestic is the first, overseas the second."""
    index = {"domestic": FIRST, "overseas": SECOND_LEG}[name]
    return index, spec.legs[index]


def _walk(levels: Levels, lots: int) -> tuple[int, int] | None:
    """Average price in 1e-9 ticks and worst level of taking `lots`; None when the levels do not hold them."""
    left, cost = lots, 0
    for px_ticks, qty in levels:
        taken = min(left, qty)
        cost += px_ticks * taken
        left -= taken
        if not left:
            return cost * PRICE_E9 // lots, px_ticks
    return None


def _whole(value: Fraction) -> int:
    if value.denominator != 1:
        message = f"{value} is no whole multiple of 1e-9: this pair needs a finer unit"
        raise ValueError(message)
    return value.numerator


def _tick_money(instrument: Instrument) -> Fraction:
    return Fraction(instrument.tick) * Fraction(instrument.point_value) * PRICE_E9
