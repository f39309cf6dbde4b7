"""Which way a formula goes when one of its names rises: up, down, not at all, or it depends.

Algebra is asked first: + - * / become one polynomial over another, where what cancels out is gone, and the sign of the
slope is that of a sum whose terms often have one sign for all prices above 0. What stands in min, max, abs or round
counts as a variable of its own there, with the signs of its own parts. Where algebra finds terms of both signs, bounds
over the ranges that are known decide (`gateway/trigger/intervals.py`); where they cannot, it depends on the values.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from fractions import Fraction

from gateway.trigger.expression import Name, Node, Number, Operation, names_of
from gateway.trigger.intervals import Interval, plus, point, slope_of, times
from gateway.trigger.polynomial import Polynomial, Rational, TooManyTermsError, rational, slope_above

RATIONAL = frozenset({"+", "-", "*", "/", "neg"})


class Effect(StrEnum):
    """Of a name on a formula, over all values within their ranges."""

    UP = "up"
    DOWN = "down"
    NONE = "none"
    DEPENDS = "depends"

    @property
    def opposite(self) -> "Effect":
        return {Effect.UP: Effect.DOWN, Effect.DOWN: Effect.UP}.get(self, self)


def effect(node: Node, name: str, ranges: Mapping[str, Interval]) -> Effect:
    """The effect of `name`; `ranges` has every name of the formula, one value where it is a number."""
    if name not in names_of(node):
        return Effect.NONE
    found = _algebra(node, name, ranges)
    return found if found is not Effect.DEPENDS else effect_by_bounds(node, name, ranges)


def effect_by_bounds(node: Node, name: str, ranges: Mapping[str, Interval]) -> Effect:
    """The effect of `name` as far as bounds tell it."""
    return _sign(slope_of(node, name, ranges).slope)


def effect_of_node(node: Node, inner: Node, ranges: Mapping[str, Interval]) -> Effect:
    """The effect that the value of `inner`, one part of the formula, has on the whole."""
    replaced = "inner value"  # no name of a formula: it has a space
    whole = _replace(node, inner, Name(replaced, inner.column))
    value = slope_of(inner, replaced, ranges).value
    return effect(whole, replaced, {**ranges, replaced: value})


def together(effects: Iterable[Effect]) -> Effect:
    """Of several ways at once."""
    found = {one for one in effects if one is not Effect.NONE}
    if not found:
        return Effect.NONE
    return found.pop() if len(found) == 1 else Effect.DEPENDS


def _replace(node: Node, inner: Node, by: Node) -> Node:
    if node is inner:
        return by
    if isinstance(node, Operation):
        return node._replace(parts=tuple(_replace(part, inner, by) for part in node.parts))
    return node


def _algebra(node: Node, name: str, ranges: Mapping[str, Interval]) -> Effect:
    functions = list(_functions(node))
    atoms = {id(one): f"function {place}" for place, one in enumerate(functions)}
    numbers = {each: Fraction(span.low) for each, span in ranges.items() if span.low == span.high}
    try:
        form = rational(node, numbers, atoms)
        found = [_of_variable(form, name, ranges, {})]
        spans = {atoms[id(one)]: slope_of(one, name, ranges).value for one in functions}
        for one in functions:
            inside = _of_function(one, name, ranges)
            outside = _of_variable(form, atoms[id(one)], ranges, spans) if inside is not Effect.NONE else inside
            found.append(_chained(outside, inside))
    except TooManyTermsError:
        return Effect.DEPENDS
    return together(found)


def _chained(outside: Effect, inside: Effect) -> Effect:
    if Effect.NONE in (outside, inside):
        return Effect.NONE
    return inside if outside is Effect.UP else inside.opposite if outside is Effect.DOWN else Effect.DEPENDS


def _functions(node: Node) -> Iterable[Operation]:
    """The outermost functions: what is inside of one is its own affair."""
    if isinstance(node, Operation):
        if node.operator not in RATIONAL:
            yield node
        else:
            for part in node.parts:
                yield from _functions(part)


def _of_function(node: Operation, name: str, ranges: Mapping[str, Interval]) -> Effect:
    """Of a function's own parts; a round goes the way of its argument, min and max that of every part."""
    if node.operator == "round":
        return effect(node.parts[0], name, ranges)
    if node.operator == "abs":
        inside = effect(node.parts[0], name, ranges)
        value = slope_of(node.parts[0], name, ranges).value
        return inside if value.low >= 0 else inside.opposite if value.high <= 0 else _depends_unless_none(inside)
    return together(effect(part, name, ranges) for part in node.parts)


def _depends_unless_none(one: Effect) -> Effect:
    return Effect.NONE if one is Effect.NONE else Effect.DEPENDS


def _of_variable(form: Rational, name: str, ranges: Mapping[str, Interval], spans: Mapping[str, Interval]) -> Effect:
    return _sign(_bounds(slope_above(form, name), {**ranges, **spans}))


def _bounds(one: Polynomial, ranges: Mapping[str, Interval]) -> Interval:
    total = point(Fraction(0))
    for term, factor in one.items():
        value = point(factor)
        for name, power in term:
            for _ in range(power):
                value = times(value, ranges[name]) if name in ranges else _UNKNOWN
        total = plus(total, value)
    return total


_UNKNOWN = Interval(float("-inf"), float("inf"))


def _sign(slope: Interval) -> Effect:
    if slope.low == slope.high == 0:
        return Effect.NONE
    if slope.low >= 0:
        return Effect.UP
    return Effect.DOWN if slope.high <= 0 else Effect.DEPENDS


def is_constant(node: Node, constants: Mapping[str, Fraction]) -> bool:
    """Whether it holds nothing but numbers."""
    return isinstance(node, Number) or all(name in constants for name in names_of(node))
