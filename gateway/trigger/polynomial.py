"""A formula of + - * / as one polynomial over another, exact: what cancels out, cancels.

What can go wrong: a product of many sums has many terms; beyond `MOST_TERMS` there is no such form (None), and what
asked for it goes by bounds instead.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from gateway.trigger.expression import Name, Node, Number

MOST_TERMS = 400
Term = tuple[tuple[str, int], ...]
"""Powers of names, sorted: (("ca", 1), ("usdcnh", 1)); () is the constant term."""
Polynomial = dict[Term, Fraction]


class Rational(NamedTuple):
    """`above` over `below`."""

    above: Polynomial
    below: Polynomial


class TooManyTermsError(ArithmeticError):
    """More than `MOST_TERMS`."""


def rational(node: Node, names: Mapping[str, Fraction], atoms: Mapping[int, str]) -> Rational:  # noqa: PLR0911
    """The form of a formula; `names` are numbers, and the nodes in `atoms` (by id) count as variables of that name.

    TooManyTermsError beyond the limit.
    """
    if id(node) in atoms:
        return Rational(_variable(atoms[id(node)]), _number(Fraction(1)))
    if isinstance(node, Number):
        return Rational(_number(node.value), _number(Fraction(1)))
    if isinstance(node, Name):
        known = names.get(node.name)
        return Rational(_variable(node.name) if known is None else _number(known), _number(Fraction(1)))
    parts = [rational(part, names, atoms) for part in node.parts]
    one, other = parts[0], parts[-1]
    match node.operator:
        case "neg":
            return Rational(_scaled(one.above, Fraction(-1)), one.below)
        case "*":
            return Rational(product(one.above, other.above), product(one.below, other.below))
        case "/":
            return Rational(product(one.above, other.below), product(one.below, other.above))
        case _:
            sign = Fraction(1 if node.operator == "+" else -1)
            second = _scaled(product(other.above, one.below), sign)
            return Rational(total(product(one.above, other.below), second), product(one.below, other.below))


def slope_above(one: Rational, name: str) -> Polynomial:
    """What stands above the square of `below` in the slope of a rational form: its sign is the slope's."""
    rising = product(_derived(one.above, name), one.below)
    falling = product(one.above, _derived(one.below, name))
    return total(rising, _scaled(falling, Fraction(-1)))


def product(one: Polynomial, other: Polynomial) -> Polynomial:
    """Every term with every other."""
    made: Polynomial = {}
    for term, factor in one.items():
        for second, times in other.items():
            powers = dict(term)
            for name, power in second:
                powers[name] = powers.get(name, 0) + power
            key = tuple(sorted(powers.items()))
            made[key] = made.get(key, Fraction(0)) + factor * times
    return _kept(made)


def total(one: Polynomial, other: Polynomial) -> Polynomial:
    """Term by term."""
    made = dict(one)
    for term, factor in other.items():
        made[term] = made.get(term, Fraction(0)) + factor
    return _kept(made)


def _kept(made: Polynomial) -> Polynomial:
    kept = {term: factor for term, factor in made.items() if factor}
    if len(kept) > MOST_TERMS:
        raise TooManyTermsError(str(len(kept)))
    return kept


def _derived(one: Polynomial, name: str) -> Polynomial:
    made: Polynomial = {}
    for term, factor in one.items():
        power = dict(term).get(name, 0)
        if power:
            powers = tuple((other, each - (other == name)) for other, each in term if each - (other == name))
            made[powers] = made.get(powers, Fraction(0)) + factor * power
    return _kept(made)


def _number(value: Fraction) -> Polynomial:
    return {(): value} if value else {}


def _variable(name: str) -> Polynomial:
    return {((name, 1),): Fraction(1)}


def _scaled(one: Polynomial, factor: Fraction) -> Polynomial:
    return {term: value * factor for term, value in one.items()}
