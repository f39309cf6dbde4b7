"""A pair whose price is a formula: which side each name takes, and code for the price on the parameters of a day.

Buying the pair takes what makes it dearer. A leg is bought or sold as the pair says (`LegSpec.direction`); a reference
is taken at its ask where a rise of it raises the price, at its bid where it lowers it, and the other way round for
selling. Which way a name goes is derived (`gateway/trigger/effects.py`) for prices above 0. Where that depends on the
values of a reference, both of its sides are priced and the worse one counts; where a price is not above 0, or a leg's
way depends on values, the way is derived again from the books as they are, and a leg that goes another way than the
pair trades it makes no price. `round` rounds against us.

What can go wrong is named in `why` (a parameter without a value for the day) and by `trouble` (a division by zero, a
leg whose effect has turned). Numbers of one day are folded into the code, so `on_day` makes it anew.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.site import ExpressionSpec, PairSpec, ParameterSpec
from gateway.trigger.effects import Effect, effect, effect_by_bounds, effect_of_node
from gateway.trigger.expression import Fault, FormulaError, Node, Operation, names_of, parse, walk_tree
from gateway.trigger.formula_code import Priced, Taken, at_size, standing, standing_both, value
from gateway.trigger.formula_units import constant
from gateway.trigger.intervals import POSITIVE, Interval, point, slope_of

MOST_DEPENDING = 3
"""References whose side depends on values: each doubles what is priced."""
NO_VALUE = "no value for this day"
NO_DAY = "no trading day yet"
ZERO = "division by zero"
TURNED = "its effect on the price has turned"


class Sides(NamedTuple):
    """What is known before any price: the effect of each name above 0, and of each round (by id)."""

    effects: dict[str, Effect]
    rounds: dict[int, Effect]


class NamedBook(NamedTuple):
    """Both sides of a name in its quoted unit, exact; None where the book does not hold what is wanted."""

    bid: Fraction | None
    ask: Fraction | None


def numbers_of(spec: ExpressionSpec, node: Node, day: str) -> tuple[dict[str, Fraction], str]:
    """Parameters and constants on a trading day, and what is lacking among them, empty when nothing is."""
    made: dict[str, Fraction] = {}
    why = ""
    given = {one.name: one for one in spec.parameters}
    for name in names_of(node):
        known = constant(name)
        if name in given:
            found = value_on(given[name], day)
            if found is None:
                why = why or f"parameter {name}: {NO_VALUE if day else NO_DAY}"
            else:
                made[name] = found
        elif known is not None:
            made[name] = known[0]
    return made, why


def value_on(parameter: ParameterSpec, day: str) -> Fraction | None:
    """Its value on a trading day (YYYYMMDD); without a day, the only value it has had from some day on."""
    if not day:
        row = parameter.rows[0] if len(parameter.rows) == 1 else None
        return None if row is None or row.until_day else Fraction(row.value)
    for row in parameter.rows:
        if (not row.from_day or row.from_day <= day) and (not row.until_day or day <= row.until_day):
            return Fraction(row.value)
    return None


def sides_of(node: Node, variables: Iterable[str], numbers: Mapping[str, Fraction]) -> Sides:
    """Which way each variable and each round takes the price, for all prices above 0."""
    ranges = {name: point(number) for name, number in numbers.items()} | dict.fromkeys(variables, POSITIVE)
    return Sides(
        {name: effect(node, name, ranges) for name in variables},
        {id(one): effect_of_node(node, one, ranges) for one in rounds_of(node)},
    )


def rounds_of(node: Node) -> list[Operation]:
    """Every round in it."""
    return [one for one in walk_tree(node) if isinstance(one, Operation) and one.operator == "round"]


def column_of(node: Node, name: str) -> int:
    """Where a name stands first; 1 where it does not."""
    return names_of(node).get(name, 1)


class ExpressionFormula:
    """The formula of one pair. It holds the code of the day and nothing of any quote."""

    def __init__(self, spec: PairSpec, expression: ExpressionSpec, instruments: Mapping[str, Instrument]) -> None:
        self.spec = expression
        self.node = parse(expression.text)
        self.leg_names = tuple(leg.name for leg in spec.legs)
        self.references = expression.references
        self.names = (*self.leg_names, *(one.name for one in expression.references))
        traded = (leg.instrument_id for leg in spec.legs)
        self.instrument_ids = (*traded, *(one.instrument_id for one in self.references))
        self.directions = tuple(leg.direction or (1 if place == 0 else -1) for place, leg in enumerate(spec.legs))
        self.ratio_lots = tuple(leg.ratio_lots for leg in spec.legs)
        ticks = [Fraction(instruments[name].tick) for name in self.instrument_ids]
        legs = len(self.leg_names)
        self.ticks = tuple(ticks)
        self.taken = {
            name: Taken(f"v{place}", ticks[place] / (self.ratio_lots[place] if place < legs else 1), place < legs)
            for place, name in enumerate(self.names)
        }
        self.why = ""
        self.day: str | None = None
        self.careful = False
        """The code does not do: a leg's way depends on values."""
        self.both: Callable[..., tuple[int, int, int, int] | None] | None = None
        """Both prices of one unit as they stand, where every name has one side."""
        self.quick: dict[Side, tuple[Callable[..., Priced], ...]] = {}
        self._sized: dict[Side, Callable[..., Priced]] = {}
        self.taken_sides: dict[Side, tuple[tuple[str, ...], ...]] = {}
        """Which book sides each reference is taken at, for prices above 0; both where that depends."""
        self._spans: dict[str, Interval] = {}
        self._unrounded = _without_rounds(self.node)
        self.on_day("")

    def on_day(self, day: str) -> None:
        """Take the parameters of a trading day."""
        if day == self.day:
            return
        self.day = day
        self._numbers, self.why = numbers_of(self.spec, self.node, day)
        self.quick, self._sized, self.both = {}, {}, None
        if self.why:
            return
        self._spans = {name: point(number) for name, number in self._numbers.items()}
        sides = sides_of(self.node, self.names, self._numbers)
        self.careful = (
            any(
                sides.effects[name] is not (Effect.UP if direction > 0 else Effect.DOWN)
                for name, direction in zip(self.leg_names, self.directions, strict=True)
            )
            or Effect.DEPENDS in sides.rounds.values()
        )
        try:
            for side in (Side.BUY, Side.SELL):
                self._write(side, sides)
            self._write_both(sides)
        except ZeroDivisionError:
            self.why = f"formula: {ZERO}"

    def _write_both(self, sides: Sides) -> None:
        if self.careful or Effect.DEPENDS in self._effects(sides):
            return
        books = [[_book_side(side, one) for one in self._effects(sides)] for side in (Side.BUY, Side.SELL)]
        ups = [_ups(side, sides) for side in (Side.BUY, Side.SELL)]
        self.both = standing_both(self.node, self.taken, self._numbers, ups, books)

    def _write(self, side: Side, sides: Sides) -> None:
        given = [
            ("ask", "bid") if effect_now is Effect.DEPENDS else (_book_side(side, effect_now),)
            for effect_now in self._effects(sides)
        ]
        ups = _ups(side, sides)
        code = (self.node, self.taken, self._numbers, ups)
        self.quick[side] = tuple(standing(*code, taken) for taken in product(*given))
        self._sized[side] = at_size(*code)
        self.taken_sides[side] = tuple(given[len(self.leg_names) :])

    def _effects(self, sides: Sides) -> list[Effect]:
        legs = [Effect.UP if direction > 0 else Effect.DOWN for direction in self.directions]
        return legs + [sides.effects[one.name] for one in self.references]

    def worst(self, side: Side, holders: Sequence[object]) -> Priced:
        """The price of one unit as it stands with these holders of `ask` and `bid`; None: work it out carefully."""
        codes = self.quick[side]
        if self.careful:
            return None
        return codes[0](holders) if len(codes) == 1 else _worst(side, [code(holders) for code in codes])

    def at_size(self, side: Side, units: int, arguments: Sequence[Sequence[int]]) -> Priced:
        """The price of `units`: of each name the ticks (of a leg, their cost) that it may be taken at, all above 0."""
        code = self._sized[side]
        return _worst(side, [code(units, *taken) for taken in product(*arguments)])

    def carefully(self, side: Side, books: Sequence[NamedBook], turned: str) -> tuple[Priced, str]:
        """The price from both sides of every name, of any sign, and why there is none; `turned` as told of them."""
        taken: list[list[Fraction | None]] = []
        for place, book in enumerate(books):
            if place < len(self.directions):
                bought = (self.directions[place] > 0) is (side is Side.BUY)
                taken.append([book.ask if bought else book.bid])
            else:
                taken.append([book.ask, book.bid])
        if any(one is None for given in taken for one in given):
            return None, ""
        return (None, f"{turned}: {TURNED}") if turned else self._enumerated(side, taken)

    def _enumerated(self, side: Side, taken: Sequence[Sequence[Fraction | None]]) -> tuple[Priced, str]:
        """The worst of all combinations of what may be taken of each name and of the ways to round."""
        rounds = [id(one) for one in rounds_of(self.node)]
        prices = []
        for chosen in product(*taken):
            values = self._numbers | {name: Fraction(one or 0) for name, one in zip(self.names, chosen, strict=True)}
            for ups in product((True, False), repeat=len(rounds)):
                try:
                    price = value(self.node, values, dict(zip(rounds, ups, strict=True))) * PRICE_E9
                except ZeroDivisionError:
                    return None, f"formula: {ZERO}"
                prices.append((price.numerator, price.denominator))
        return _worst(side, prices), ""

    def turned(self, books: Sequence[NamedBook]) -> str:
        """A leg whose effect at these books is not the way that the pair trades it."""
        ranges = dict(self._spans)
        for name, book in zip(self.names, books, strict=True):
            known = [one for one in book if one is not None]
            if not known:
                return ""
            ranges[name] = Interval(min(known), max(known))
        for name, direction in zip(self.leg_names, self.directions, strict=True):
            found = _now(self.node, name, ranges)
            if found not in (Effect.NONE, Effect.UP if direction > 0 else Effect.DOWN):
                return name
        return ""

    def slope(self, name: str, values: Mapping[str, Fraction]) -> Fraction:
        """How much the price rises with one name at these values, as if nothing were rounded; 0 where it has none."""
        return _slope(self._unrounded, name, self._numbers, values)


def slope_at(node: Node, name: str, numbers: Mapping[str, Fraction], values: Mapping[str, Fraction]) -> Fraction:
    """How much a formula rises with one name at these values, as if nothing were rounded; 0 where it has none."""
    return _slope(_without_rounds(node), name, numbers, values)


def _slope(node: Node, name: str, numbers: Mapping[str, Fraction], values: Mapping[str, Fraction]) -> Fraction:
    ranges = {each: point(number) for each, number in {**numbers, **values}.items()}
    low = slope_of(node, name, ranges).slope.low
    return low if isinstance(low, Fraction) else Fraction(0)


def _now(node: Node, name: str, ranges: dict[str, Interval]) -> Effect:
    """The effect over the ranges of now: by bounds, which are quick, and by algebra where they do not decide.

    A range may be a single value, which algebra would take for a number.
    """
    found = effect_by_bounds(node, name, ranges)
    if found is not Effect.DEPENDS:
        return found
    low, high = ranges[name]
    if low == high and isinstance(low, Fraction):
        near = (abs(low) or Fraction(1)) / 2**40
        ranges = ranges | {name: Interval(low - near, low + near)}
    return effect(node, name, ranges)


def _ups(side: Side, sides: Sides) -> dict[int, bool]:
    """Which rounds go up: against us."""
    return {node: (one is Effect.UP) is (side is Side.BUY) for node, one in sides.rounds.items()}


def _book_side(side: Side, one: Effect) -> str:
    return "ask" if (one is Effect.UP) is (side is Side.BUY) else "bid"


def _worst(side: Side, prices: Sequence[Priced]) -> Priced:
    """The highest to buy at, the lowest to sell at; None as soon as one is none."""
    worst, buys = prices[0], side is Side.BUY
    for one in prices[1:]:
        if one is None or worst is None:
            return None
        ours, theirs = one[0] * worst[1], worst[0] * one[1]
        if ours > theirs if buys else ours < theirs:
            worst = one
    return worst


def _without_rounds(node: Node) -> Node:
    if not isinstance(node, Operation):
        return node
    parts = tuple(_without_rounds(part) for part in node.parts)
    return parts[0] if node.operator == "round" else node._replace(parts=parts)


def directions(node: Node, legs: Sequence[str], sides: Sides, given: Sequence[int]) -> tuple[int, ...]:
    """What buying the pair does with each leg: as derived, or as `given` (1, -1; 0: not said) where that depends.

    FormulaError where a leg cancels out, where it depends and nothing is given, or where the two contradict each other.
    """
    made = []
    for name, wanted in zip(legs, given, strict=True):
        found = sides.effects[name]
        column = column_of(node, name)
        if found is Effect.NONE:
            raise FormulaError(Fault.NO_EFFECT, column, name)
        if found is Effect.DEPENDS:
            if not wanted:
                raise FormulaError(Fault.DIRECTION, column, name)
            made.append(wanted)
            continue
        derived = 1 if found is Effect.UP else -1
        if wanted not in (0, derived):
            raise FormulaError(Fault.CONTRADICTION, column, name, "buy" if derived > 0 else "sell")
        made.append(derived)
    return tuple(made)
