"""The price of a pair from the books of its legs: conversion, direction, rounding, in one place.

Buying the pair buys its first leg and sells the others; a leg that is bought takes asks, one that is sold takes bids,
and a live currency rate is taken at its ask for a leg that is bought and at its bid for one that is sold, so that every
price is one that can be had.

Arithmetic is exact on whole numbers: each leg has a whole `weight`, over a denominator that all legs of the pair share,
so that a price is one fraction of whole numbers. The one rounding, to 1e-9, is against us: a price to buy at is rounded
up, one to sell at down. Whether a threshold is met does not depend on it, as thresholds are whole multiples of 1e-9.

A pair whose price is a formula (`gateway/trigger/formula.py`) follows the same rules; which side each of its names is
taken at is derived from the formula.

What can go wrong: a ratio has no price while its second leg costs nothing or less, a formula none while it divides by
zero or lacks a parameter of the day.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm

from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import Levels, Quote
from gateway.model.site import FormulaKind, LegSpec, PairSpec, leg_side
from gateway.trigger.depth import Walk, walk
from gateway.trigger.formula import ExpressionFormula, NamedBook


def book_side(quote: Quote, side: Side) -> Levels:
    """The levels that an order of `side` takes."""
    return quote.asks if side is Side.BUY else quote.bids


class NoPriceError(ArithmeticError):
    """A ratio whose second leg costs nothing or less, or a formula without a value."""


class LegFormula:
    """One leg's way from ticks to the pair's unit and currency.

    `weight` is set by its pair: price ticks x lots x currency ticks x `weight` / the pair's `denominator` is the leg's
    part of the price of one unit of the pair, in 1e-9.
    """

    def __init__(self, spec: LegSpec, instrument: Instrument, fx: Instrument | None) -> None:
        rate = Fraction(fx.tick) if fx is not None else Fraction(1 if spec.fx_rate is None else spec.fx_rate)
        money = Fraction(instrument.tick) * Fraction(instrument.point_value) * rate * PRICE_E9
        tick = Fraction(instrument.tick) * PRICE_E9
        self.spec = spec
        self.instrument = instrument
        self.fx_instrument_id = spec.fx_instrument_id
        self.per_lot_e9 = Fraction(instrument.tick) * spec.factor * rate * PRICE_E9 / spec.ratio_lots
        self.weight = 0
        self._money_numerator, self._money_denominator = money.numerator, money.denominator
        self._tick_numerator, self._tick_denominator = tick.numerator, tick.denominator

    def value_per_tick_e9(self, fx_ticks: int) -> int:
        """Money of the pair's currency that one lot gains when the quoted price rises by one tick, rounded down."""
        return fx_ticks * self._money_numerator // self._money_denominator

    def vwap_e9(self, taken: Walk) -> int:
        """The average price of a walk in the instrument's quoted unit, rounded down."""
        return taken.cost * self._tick_numerator // (taken.qty_lots * self._tick_denominator)


class PairFormula:
    """A pair's executable price. Built once from its specification; holds no state."""

    def __init__(self, spec: PairSpec, instruments: Mapping[str, Instrument]) -> None:
        self.spec = spec
        self.expression = None if spec.expression is None else ExpressionFormula(spec, spec.expression, instruments)
        self.is_spread = spec.formula is FormulaKind.SPREAD and spec.expression is None
        self.legs = tuple(
            LegFormula(leg, instruments[leg.instrument_id], instruments.get(leg.fx_instrument_id)) for leg in spec.legs
        )
        self.denominator = lcm(*(leg.per_lot_e9.denominator for leg in self.legs))
        for leg in self.legs:
            leg.weight = 1 if self.expression else int(leg.per_lot_e9 * self.denominator)
        first = self.legs[0]
        unit = Fraction(first.instrument.point_value * first.spec.ratio_lots) / first.spec.factor
        self._unit_numerator, self._unit_denominator = unit.numerator, unit.denominator
        names = [leg.spec.instrument_id for leg in self.legs]
        names += self.expression.instrument_ids if self.expression else ()
        names += [leg.fx_instrument_id for leg in self.legs if leg.fx_instrument_id]
        self.instrument_ids = tuple(dict.fromkeys(names))

    def leg_side(self, side: Side, index: int) -> Side:
        """The side of leg `index` when the pair is traded on `side`."""
        return leg_side(self.spec, side, index)

    def walks(self, side: Side, units: int, quotes: Mapping[str, Quote]) -> tuple[Walk, ...] | None:
        """What each leg's book gives for `units`; None when one of them does not hold it."""
        walks = []
        for index, leg in enumerate(self.legs):
            levels = book_side(quotes[leg.spec.instrument_id], self.leg_side(side, index))
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
        return book_side(quotes[name], self.leg_side(side, index))[0][0]

    def price_e9(self, side: Side, walks: Sequence[Walk], quotes: Mapping[str, Quote]) -> int:
        """What buying the pair costs, or selling it brings, at these walks; NoPriceError when that is no price."""
        price_e9 = self.executable_e9(side, walks, quotes)
        if price_e9 is None:
            what = "its formula has none" if self.expression else "the second leg of a ratio has to cost more than 0"
            message = f"pair {self.spec.pair_id} has no price: {what}, with {walks[1]}"
            raise NoPriceError(message)
        return price_e9

    def executable_e9(self, side: Side, walks: Sequence[Walk], quotes: Mapping[str, Quote]) -> int | None:
        """As `price_e9`, with None when that is no price."""
        if self.expression is not None:
            return self._expressed_e9(self.expression, side, walks, quotes)
        parts = [
            taken.cost * self.fx_ticks(side, index, quotes) * leg.weight
            for index, (leg, taken) in enumerate(zip(self.legs, walks, strict=True))
        ]
        units = walks[0].qty_lots // self.legs[0].spec.ratio_lots
        return self.round_e9(side, parts[0], sum(parts[1:]), units)

    def _expressed_e9(
        self, formula: ExpressionFormula, side: Side, walks: Sequence[Walk], quotes: Mapping[str, Quote]
    ) -> int | None:
        if formula.why:
            return None
        arguments: list[Sequence[int]] = [(taken.cost,) for taken in walks]
        for one, sides in zip(formula.references, formula.taken_sides[side], strict=True):
            quote = quotes[one.instrument_id]
            arguments.append([(quote.asks if name == "ask" else quote.bids)[0][0] for name in sides])
        if formula.careful or any(ticks <= 0 for given in arguments for ticks in given):
            books = self._named_books(formula, side, walks, quotes)
            priced = formula.carefully(side, books, formula.turned(books))[0]
        else:
            units = walks[0].qty_lots // self.legs[0].spec.ratio_lots
            priced = formula.at_size(side, units, arguments)
        return None if priced is None else against_us(side, *priced)

    def _named_books(
        self, formula: ExpressionFormula, side: Side, walks: Sequence[Walk], quotes: Mapping[str, Quote]
    ) -> list[NamedBook]:
        """Each leg at its walk on the side that is taken and at the touch on the other; references at their touch."""
        books = []
        for place, (name, tick) in enumerate(zip(formula.instrument_ids, formula.ticks, strict=True)):
            quote = quotes[name]
            book = NamedBook(
                quote.bids[0][0] * tick if quote.bids else None, quote.asks[0][0] * tick if quote.asks else None
            )
            if place < len(walks):
                taken = walks[place].cost * tick / walks[place].qty_lots
                bought = self.leg_side(side, place) is Side.BUY
                book = book._replace(ask=taken) if bought else book._replace(bid=taken)
            books.append(book)
        return books

    def round_e9(self, side: Side, first: int, others: int, units: int) -> int | None:
        """The price of `units` from the weighted costs of the first leg and of the others together, rounded once."""
        if self.is_spread:
            return against_us(side, first - others, self.denominator * units) + self.spec.charges_e9
        return against_us(side, first * PRICE_E9, others) if others > 0 else None

    def money_e9(self, difference_e9: int, quotes: Mapping[str, Quote], side: Side) -> int:
        """What a difference of the pair's price is worth in money for one unit of the pair, rounded to zero."""
        if self.expression is not None:
            return self._expressed_money_e9(self.expression, difference_e9, quotes, side)
        numerator, denominator = difference_e9 * self._unit_numerator, self._unit_denominator
        if not self.is_spread:
            walks = self.walks(side, 1, quotes)
            if walks is None:
                return 0
            numerator *= walks[1].cost * self.fx_ticks(side, 1, quotes) * self.legs[1].weight
            denominator *= self.denominator * PRICE_E9
        return numerator // denominator if numerator >= 0 else -(-numerator // denominator)

    def _expressed_money_e9(
        self, formula: ExpressionFormula, difference_e9: int, quotes: Mapping[str, Quote], side: Side
    ) -> int:
        """By the first leg that the price moves with: its money for a move of 1, over what that moves the price by."""
        walks = self.walks(side, 1, quotes)
        if walks is None or formula.why:
            return 0
        books = self._named_books(formula, side, walks, quotes)
        taken = [self.leg_side(side, index) is Side.BUY for index in range(len(self.legs))]
        taken += ["ask" in sides for sides in formula.taken_sides[side]]
        values = {
            name: (book.ask if asks else book.bid) or Fraction(0)
            for name, book, asks in zip(formula.names, books, taken, strict=True)
        }
        for index, leg in enumerate(self.legs):
            slope = abs(formula.slope(formula.names[index], values))
            if slope:
                tick_e9 = leg.value_per_tick_e9(self.fx_ticks(side, index, quotes)) * leg.spec.ratio_lots
                return int(difference_e9 * Fraction(tick_e9, PRICE_E9) / Fraction(leg.instrument.tick) / slope)
        return 0


def against_us(side: Side, numerator: int, denominator: int) -> int:
    """The quotient as a whole number: up when we buy, down when we sell."""
    return -(-numerator // denominator) if side is Side.BUY else numerator // denominator
