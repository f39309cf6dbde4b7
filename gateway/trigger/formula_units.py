"""Units and currencies of a formula: every name has one, and what is added has the same.

A price has its currency over its unit: CNY/t, USD/lb; a rate CNY/USD. CNH counts as CNY (docs/FORMULA.md). Numbers that
are written in a formula have no unit. Nothing converts by itself: a formula says how, by a rate and by a constant such
as `lb_per_t` (2204.62... lb/t), which every pair of units of one kind has.

What can go wrong: two quantities of one unit that mean different things (a price with and without tax) look alike here.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, Self

from gateway.trigger.expression import Fault, FormulaError, Name, Node, Number
from gateway.trigger.units import KNOWN_UNITS, UnitError, unit_factor

CURRENCY_UNITS = {"usd": "USD", "eur": "EUR", "gbp": "GBP"}
"""Units of an instrument that is itself a currency."""
_SAME_MONEY = {"CNH": "CNY"}
_PER = "_per_"
_WORD = re.compile(r"[A-Za-z_]+|1")


class Dimension(NamedTuple):
    """Powers of currencies and units, sorted by name: CNY/t is (("CNY", 1), ("t", -1))."""

    powers: tuple[tuple[str, int], ...] = ()

    def times(self, other: Self, sign: int = 1) -> "Dimension":
        """The product, or with sign -1 the quotient."""
        powers = dict(self.powers)
        for name, power in other.powers:
            powers[name] = powers.get(name, 0) + sign * power
        return Dimension(tuple(sorted((name, power) for name, power in powers.items() if power)))

    def __str__(self) -> str:
        above = [name for name, power in self.powers for _ in range(power)]
        below = [name for name, power in self.powers for _ in range(-power)]
        return "/".join(["*".join(above) or "1", *below])


NONE = Dimension()


def dimension(text: str) -> Dimension:
    """What "USD/t" says; FormulaError (column in that text) for a unit that is not known."""
    made, sign, at = NONE, 1, 0
    text = text.strip()
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise FormulaError(Fault.UNIT, at + 1, text, ", ".join(KNOWN_UNITS))
        made = made.times(_base(found[0], at + 1), sign)
        at = found.end()
        if at < len(text):
            if text[at] not in "*/":
                raise FormulaError(Fault.UNIT, at + 1, text, ", ".join(KNOWN_UNITS))
            sign = 1 if text[at] == "*" else -1
            at += 1
    return made


def of_price(currency: str, unit: str) -> Dimension:
    """Of a price in `currency` per `unit`."""
    return _base(currency, 1).times(_base(unit, 1), -1)


def _base(word: str, column: int) -> Dimension:
    if word == "1":
        return NONE
    if word in KNOWN_UNITS:
        return Dimension(((CURRENCY_UNITS.get(word, word), 1),))
    if re.fullmatch("[A-Z]{3}", word):
        return Dimension(((_SAME_MONEY.get(word, word), 1),))
    raise FormulaError(Fault.UNIT, column, word, ", ".join(KNOWN_UNITS))


def constant(name: str) -> tuple[Fraction, Dimension] | None:
    """What `lb_per_t` is, exactly, and its unit; None where the name is no such constant."""
    for found in re.finditer(_PER, name):
        above, below = name[: found.start()], name[found.end() :]
        if above in KNOWN_UNITS and below in KNOWN_UNITS:
            try:
                return unit_factor(above, below), of_price(above, below)
            except UnitError:
                return None
    return None


def dimension_of(node: Node, names: Mapping[str, Dimension]) -> Dimension:
    """The unit of a formula; FormulaError at the first place where two units do not meet."""
    if isinstance(node, Number):
        return NONE
    if isinstance(node, Name):
        found = names.get(node.name)
        if found is None:
            raise FormulaError(Fault.UNKNOWN_NAME, node.column, node.name)
        return found
    parts = [dimension_of(part, names) for part in node.parts]
    if node.operator in ("*", "/"):
        return parts[0].times(parts[1], 1 if node.operator == "*" else -1)
    for part, other in zip(parts[1:], node.parts[1:], strict=True):
        if part != parts[0]:
            column = other.column if node.operator not in "+-" else node.column
            raise FormulaError(Fault.UNITS_DIFFER, column, str(parts[0]), str(part), *conversion(part, parts[0], names))
    return parts[0]


def conversion(given: Dimension, wanted: Dimension, names: Mapping[str, Dimension]) -> tuple[str, ...]:
    """What `given` has to be multiplied or divided by to be in `wanted`: names of the pair where it has them."""
    lacking = dict(wanted.times(given, -1).powers)
    steps = [*_rates(lacking, names), *_constants(lacking)]
    steps += [f"* a parameter in {Dimension(tuple(sorted(left)))}" for left in [_left(lacking)] if left]
    return (" ".join(steps),)


def _rates(lacking: dict[str, int], names: Mapping[str, Dimension]) -> list[str]:
    """A name that is a rate between two currencies that are lacking, or what a reference has to be quoted in."""
    above = [name for name, power in lacking.items() if power > 0 and name.isupper()]
    below = [name for name, power in lacking.items() if power < 0 and name.isupper()]
    steps = []
    for one, other in zip(above, below, strict=False):
        rate = Dimension(tuple(sorted(((one, 1), (other, -1)))))
        times = next((name for name, unit in names.items() if unit == rate), "")
        over = next((name for name, unit in names.items() if unit == NONE.times(rate, -1)), "")
        steps.append(f"* {times}" if times else f"/ {over}" if over else f"* a reference in {one}/{other}")
        _take(lacking, one, other)
    return steps


def _constants(lacking: dict[str, int]) -> list[str]:
    steps = []
    for one in [name for name, power in lacking.items() if power > 0 and name in KNOWN_UNITS]:
        for other in [name for name, power in lacking.items() if power < 0 and name in KNOWN_UNITS]:
            if constant(f"{one}{_PER}{other}") is not None:
                steps.append(f"* {one}{_PER}{other}")
                _take(lacking, one, other)
                break
    return steps


def _take(lacking: dict[str, int], above: str, below: str) -> None:
    lacking[above] -= 1
    lacking[below] += 1


def _left(lacking: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(name, power) for name, power in lacking.items() if power]
