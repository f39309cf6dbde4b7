"""The price of a pair from the books of its legs: conversion, direction, rounding, in one place.

Buying the pair buys its first leg and sells the others; a leg that is bought takes asks, one that is sold takes bids,
and a live currency rate is taken at its ask for a leg that is bought and at its bid for one that is sold, so that every
price is one that can be had. Arithmetic is exact on whole numbers; the one rounding, to 1e-9, is against us: a price to
buy at is rounded up, one to sell at down.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import Levels, Quote
from gateway.model.site import FormulaKind, LegSpec, PairSpec
from gateway.trigger.depth import Walk, walk


def leg_side(pair_side: Side, leg_index: int) -> Side:
    """The side of a leg when the pair is traded on `pair_side`."""
    return pair_side if leg_index == 0 else pair_side.opposite


def book_side(quote: Quote, side: Side) -> Levels:
    """The levels that an order of `side` takes."""
    return quote.asks if side is Side.BUY else quote.bids


class LegFormula:
    """One leg's way from ticks to the pair's unit and currency."""

    def __init__(self, spec: LegSpec, instrument: Instrument, fx: Instrument | None) -> None:
        coefficient = Fraction(instrument.tick) * Fraction(spec.factor)
        money = Fraction(instrument.tick) * Fraction(instrument.point_value)
        if fx is not None:
            coefficient *= Fraction(fx.tick)
            money *= Fraction(fx.tick)
        elif spec.fx_rate is not None:
            coefficient *= Fraction(spec.fx_rate)
            money *= Fraction(spec.fx_rate)
        self.spec = spec
        self.instrument = instrument
        self.fx_instrument_id = spec.fx_instrument_id
        self._numerator = coefficient.numerator * PRICE_E9
        self._denominator = coefficient.denominator
        self._money_numerator = money.numerator * PRICE_E9
        self._money_denominator = money.denominator

    def price_e9(self, taken: Walk, fx_ticks: int, *, up: bool) -> int:
        """The leg's average price in the pair's unit and currency; `fx_ticks` is 1 without a live rate."""
        numerator = taken.cost * fx_ticks * self._numerator
        denominator = taken.qty_lots * self._denominator
        return -(-numerator // denominator) if up else numerator // denominator

    def value_per_tick_e9(self, fx_ticks: int) -> int:
        """Money of the pair's currency that one lot gains when the quoted price rises by one tick, rounded down."""
        return fx_ticks * self._money_numerator // self._money_denominator


class PairFormula:
    """A pair's executable price. Built once from its specification; holds no state."""

    def __init__(self, spec: PairSpec, instruments: Mapping[str, Instrument]) -> None:
        self.spec = spec
        self.legs = tuple(
            LegFormula(leg, instruments[leg.instrument_id], instruments.get(leg.fx_instrument_id)) for leg in spec.legs
        )
        names = [leg.spec.instrument_id for leg in self.legs]
        names += [leg.fx_instrument_id for leg in self.legs if leg.fx_instrument_id]
        self.instrument_ids = tuple(dict.fromkeys(names))

    def walks(self, side: Side, units: int, quotes: Mapping[str, Quote]) -> tuple[Walk, ...] | None:
        """What each leg's book gives for `units`; None when one of them does not hold it."""
        walks = []
        for index, leg in enumerate(self.legs):
            levels = book_side(quotes[leg.spec.instrument_id], leg_side(side, index))
            taken = walk(levels, units * leg.spec.ratio_lots)
            if taken is None:
                return None
            walks.append(taken)
        return tuple(walks)

    def fx_ticks(self, side: Side, index: int, quotes: Mapping[str, Quote]) -> int:
        """The currency rate that leg `index` converts at, in ticks; 1 without a live rate."""
        name = self.legs[index].fx_instrument_id
        if not name:
            return 1
        return book_side(quotes[name], leg_side(side, index))[0][0]

    def price_e9(self, side: Side, walks: Sequence[Walk], quotes: Mapping[str, Quote]) -> int:
        """What buying the pair costs, or selling it brings, at these walks."""
        first_up = side is Side.BUY
        prices = [
            leg.price_e9(taken, self.fx_ticks(side, index, quotes), up=first_up if index == 0 else not first_up)
            for index, (leg, taken) in enumerate(zip(self.legs, walks, strict=True))
        ]
        if self.spec.formula is FormulaKind.SPREAD:
            return prices[0] - sum(prices[1:]) + self.spec.charges_e9
        numerator = prices[0] * PRICE_E9
        return -(-numerator // prices[1]) if first_up else numerator // prices[1]

    def money_e9(self, difference_e9: int, quotes: Mapping[str, Quote], side: Side) -> int:
        """What a difference of the pair's price is worth in money for one unit of the pair."""
        first = self.legs[0]
        lots_value = Fraction(first.instrument.point_value * first.spec.ratio_lots) / Fraction(first.spec.factor)
        if self.spec.formula is FormulaKind.SPREAD:
            return int(difference_e9 * lots_value)
        walks = self.walks(side, 1, quotes)
        if walks is None:
            return 0
        second_e9 = self.legs[1].price_e9(walks[1], self.fx_ticks(side, 1, quotes), up=False)
        return int(Fraction(difference_e9 * second_e9, PRICE_E9) * lots_value)
