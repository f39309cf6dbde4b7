"""Formulas of the tests, and an independent witness: Python's own evaluation of the text, on fractions."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import product

import msgspec
from trigger_values import RATE, instrument, leg, pair, quote

from gateway.model.instrument import Instrument
from gateway.model.quote import Levels, Quote
from gateway.model.site import ExpressionSpec, PairSpec, ParameterRow, ParameterSpec, ReferenceSpec
from gateway.trigger.expression import parse
from gateway.trigger.formula import directions, numbers_of, sides_of

A, B, C, R, S = "X.a", "Y.b", "Z.c", "Q.r", "Q.s"
LISTED: dict[str, Instrument] = {
    A: instrument(A, "10"),
    B: instrument(B, "0.5", "25", "USD"),
    C: instrument(C, "1", "100000", "CNH"),
    R: instrument(R, "0.0001", "1", "CNH"),
    S: instrument(S, "0.25", "1", "USD"),
    RATE: instrument(RATE, "0.0001", "1", "CNH"),
}
IDS = {"a": A, "b": B, "c": C, "r": R, "s": S}


def parameter(name: str, value: str, unit: str = "", *rows: ParameterRow) -> ParameterSpec:
    return ParameterSpec(name, unit, rows or (ParameterRow(Decimal(value)),))


def expressed(
    text: str,
    legs: str = "ab",
    references: str = "r",
    parameters: tuple[ParameterSpec, ...] = (),
    given: Mapping[str, int] | None = None,
    lots: Mapping[str, int] | None = None,
) -> PairSpec:
    """A pair of the formula `text`, its legs going the way that the formula gives them."""
    expression = ExpressionSpec(text, tuple(ReferenceSpec(one, IDS[one]) for one in references), parameters)
    node = parse(text)
    numbers, _ = numbers_of(expression, node, "")
    ways = directions(
        node, legs, sides_of(node, (*legs, *references), numbers), [(given or {}).get(n, 0) for n in legs]
    )
    made = [
        msgspec.structs.replace(leg(IDS[name], (lots or {}).get(name, 1)), name=name, direction=way)
        for name, way in zip(legs, ways, strict=True)
    ]
    return msgspec.structs.replace(pair(*made), expression=expression)


def book(name: str, mid: int, below: Levels = ((1, 9),), above: Levels = ((1, 9),)) -> Quote:
    """A book around `mid` ticks; levels as (ticks away, lots)."""
    bids = tuple(sorted(((mid - away, lots) for away, lots in dict(below).items()), reverse=True))
    asks = tuple(sorted((mid + away, lots) for away, lots in dict(above).items()))
    return quote(name, bids, asks, 10)


def witness(text: str, values: Mapping[str, Fraction], ups: tuple[bool, ...]) -> Fraction:
    """The formula by Python's own parser; the nth round goes up where `ups` says so."""
    turns = iter(ups)

    def rounded(value: Fraction, step: Fraction) -> Fraction:
        steps = value / step
        return step * (-(-steps // 1) if next(turns) else steps // 1)

    exact = re.sub(r"(?<![A-Za-z0-9_.])\d+(\.\d+)?", lambda found: f"F('{found[0]}')", text)
    space = {"F": Fraction, "min": min, "max": max, "abs": abs, "round": rounded, "__builtins__": {}}
    return Fraction(eval(exact, space, dict(values)))  # noqa: S307 - a text of this test


def every_choice(
    text: str, prices: Mapping[str, tuple[Fraction, Fraction]], numbers: Mapping[str, Fraction]
) -> Iterator[Fraction]:
    """The formula at every combination of the sides of all its names, and of the ways to round."""
    names = list(prices)
    for chosen in product(*(prices[name] for name in names)):
        for ups in product((True, False), repeat=text.count("round")):
            yield witness(text, {**numbers, **dict(zip(names, chosen, strict=True))}, ups)
