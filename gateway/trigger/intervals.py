"""Bounds of a formula and of its slopes, while each name lies anywhere between two values.

A bound is a Fraction, or plus or minus infinity; both ends belong to an interval, except an end at zero of what is
divided by: a price is above 0, and a formula divided by it is above 0 too. Slopes are taken by the rules of calculus,
with bounds in place of values; where min, max or abs has a corner, the slopes of both sides count.

What can go wrong: bounds are sure, not tight. Where one name stands in several places they may be wider than the truth;
`gateway/trigger/effects.py` asks algebra first.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import inf
from typing import NamedTuple

from gateway.trigger.expression import Name, Node, Number

Bound = Fraction | float
"""A float is plus or minus infinity, nothing else."""


class Interval(NamedTuple):
    """From `low` to `high`."""

    low: Bound
    high: Bound


ZERO = Interval(Fraction(0), Fraction(0))
ONE = Interval(Fraction(1), Fraction(1))
ANY = Interval(-inf, inf)
POSITIVE = Interval(Fraction(0), inf)


class Slope(NamedTuple):
    """Bounds of a value, and of how much it changes when one name rises by 1."""

    value: Interval
    slope: Interval


def point(value: Fraction) -> Interval:
    """One value."""
    return Interval(value, value)


def slope_of(node: Node, name: str, ranges: Mapping[str, Interval]) -> Slope:  # noqa: PLR0911
    """The value of a formula and its slope in `name`, while every name is within its range."""
    if isinstance(node, Number):
        return Slope(point(node.value), ZERO)
    if isinstance(node, Name):
        return Slope(ranges[node.name], ONE if node.name == name else ZERO)
    parts = [slope_of(part, name, ranges) for part in node.parts]
    first = parts[0]
    match node.operator:
        case "neg":
            return Slope(negative(first.value), negative(first.slope))
        case "+":
            return Slope(plus(first.value, parts[1].value), plus(first.slope, parts[1].slope))
        case "-":
            second = parts[1]
            return Slope(plus(first.value, negative(second.value)), plus(first.slope, negative(second.slope)))
        case "*":
            return _product(first, parts[1])
        case "/":
            return _quotient(first, parts[1])
        case "abs":
            return _absolute(first)
        case "round":
            return _rounded(first, parts[1])
        case _:
            return _extreme(node.operator, parts)


def plus(one: Interval, other: Interval) -> Interval:
    """The sum."""
    return Interval(one.low + other.low, one.high + other.high)


def negative(one: Interval) -> Interval:
    """With the other sign."""
    return Interval(-one.high, -one.low)


def times(one: Interval, other: Interval) -> Interval:
    """The product; nothing times infinity is nothing."""
    ends = [_times(a, b) for a in one for b in other]
    return Interval(min(ends), max(ends))


def over(one: Interval, other: Interval) -> Interval:
    """Without any bound where the divisor may be zero on its way."""
    if one == ZERO:
        return ZERO
    if other.low < 0 < other.high or other == ZERO:
        return ANY
    ends = [_inverse(end, -1 if other.high <= 0 else 1) for end in other]
    return times(one, Interval(min(ends), max(ends)))


def hull(parts: list[Interval]) -> Interval:
    """The least interval that holds all of them."""
    return Interval(min(part.low for part in parts), max(part.high for part in parts))


def _times(a: Bound, b: Bound) -> Bound:
    return Fraction(0) if not a or not b else a * b


def _inverse(end: Bound, sign: int) -> Bound:
    if not end:
        return sign * inf
    return Fraction(0) if isinstance(end, float) else 1 / end


def _product(one: Slope, other: Slope) -> Slope:
    slope = plus(times(one.slope, other.value), times(one.value, other.slope))
    return Slope(times(one.value, other.value), slope)


def _quotient(one: Slope, other: Slope) -> Slope:
    value = over(one.value, other.value)
    direct = over(one.slope, other.value)
    if other.slope == ZERO:
        return Slope(value, direct)
    return Slope(value, plus(direct, negative(times(value, over(other.slope, other.value)))))


def _absolute(one: Slope) -> Slope:
    low, high = one.value
    if low >= 0:
        return one
    if high <= 0:
        return Slope(negative(one.value), negative(one.slope))
    return Slope(Interval(Fraction(0), max(-low, high)), hull([one.slope, negative(one.slope)]))


def _rounded(one: Slope, step: Slope) -> Slope:
    """A staircase: flat, or steep without a bound, and never against its argument."""
    value = plus(one.value, Interval(-step.value.high, step.value.high))
    return Slope(value, times(one.slope, POSITIVE))


def _extreme(operator: str, parts: list[Slope]) -> Slope:
    """The parts that may be the least (or greatest) one, together."""
    sign = 1 if operator == "max" else -1
    lows = [part.value.low if sign > 0 else -part.value.high for part in parts]
    highs = [part.value.high if sign > 0 else -part.value.low for part in parts]
    may_win = [part.slope for part, high in zip(parts, highs, strict=True) if high >= max(lows)]
    low, high = max(lows), max(highs)
    value = Interval(low, high) if sign > 0 else Interval(-high, -low)
    return Slope(value, hull(may_win))
