"""A formula as straight Python code on whole numbers, made once.

Every value is a whole number over a whole number, so nothing is rounded but where the formula says `round`. A name is
the cost in ticks of its walk (or the ticks of a touch); its tick and its lots are folded into the factors, and so are
parameters and constants. The code holds no names but its own and reaches nothing: it is compiled without builtins.

`value` does the same node by node with fractions, for the rare cases that the code does not take.

What can go wrong: a division by zero gives no price (None).
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Any, NamedTuple

from gateway.model.base import PRICE_E9
from gateway.trigger.expression import Name, Node, Number, Operation

Priced = tuple[int, int] | None
"""A price in 1e-9 as a numerator over a denominator above 0; None: no price."""
UNITS = "u"


class Taken(NamedTuple):
    """How a name becomes an argument of the code: value = argument x `scale`, over the units where it is a leg."""

    argument: str
    scale: Fraction
    is_leg: bool


def value(node: Node, values: Mapping[str, Fraction], rounds_up: Mapping[int, bool]) -> Fraction:  # noqa: PLR0911
    """The value of a formula; ZeroDivisionError where it has none. `rounds_up` by id of each `round`."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        return values[node.name]
    parts = [value(part, values, rounds_up) for part in node.parts]
    match node.operator:
        case "neg":
            return -parts[0]
        case "+":
            return parts[0] + parts[1]
        case "-":
            return parts[0] - parts[1]
        case "*":
            return parts[0] * parts[1]
        case "/":
            return parts[0] / parts[1]
        case "abs":
            return abs(parts[0])
        case "round":
            steps = parts[0] / parts[1]
            return parts[1] * (-(-steps // 1) if rounds_up[id(node)] else steps // 1)
        case _:
            return min(parts) if node.operator == "min" else max(parts)


class _Term(NamedTuple):
    """`factor` x `above` / `below`, both code; "1" where there is none. `below` is above 0 when the code runs."""

    factor: Fraction
    above: str
    below: str


class _Writer:
    """Writes the code of one direction, a line per step that needs one; `mark` tells its names from another's."""

    def __init__(self, taken: Mapping[str, Taken], numbers: Mapping[str, Fraction], rounds_up: Mapping[int, bool],
                 *, one_unit: bool, mark: str = "t") -> None:  # fmt: skip
        self._taken = taken
        self._numbers = numbers
        self._rounds_up = rounds_up
        self._one_unit = one_unit
        self._mark = mark
        self.lines: list[str] = []

    def term(self, node: Node) -> _Term:  # noqa: PLR0911 - a line per operator
        if isinstance(node, Number):
            return _Term(node.value, "1", "1")
        if isinstance(node, Name):
            return self._name(node.name)
        parts = [self.term(part) for part in node.parts]
        match node.operator:
            case "neg":
                return parts[0]._replace(factor=-parts[0].factor)
            case "+" | "-":
                sign = 1 if node.operator == "+" else -1
                return self._sum(parts[0], parts[1]._replace(factor=sign * parts[1].factor))
            case "*":
                one, other = parts
                return _Term(one.factor * other.factor, _product(one.above, other.above),
                             _product(one.below, other.below))  # fmt: skip
            case "/":
                return self._quotient(*parts)
            case "abs":
                return self._absolute(parts[0])
            case "round":
                return self._rounded(node, *parts)
            case _:
                made = parts[0]
                for part in parts[1:]:
                    made = self._extreme(node.operator, made, part)
                return made

    def final(self, node: Node) -> tuple[str, str]:
        """The price in 1e-9: code of the numerator and of the denominator."""
        made = self.term(node)
        factor = made.factor * PRICE_E9
        return _scaled(factor.numerator, made.above), _scaled(factor.denominator, made.below)

    def _name(self, name: str) -> _Term:
        if name in self._numbers:
            return _Term(self._numbers[name], "1", "1")
        taken = self._taken[name]
        return _Term(taken.scale, taken.argument, UNITS if taken.is_leg and not self._one_unit else "1")

    def _keep(self, code: str) -> str:
        name = f"{self._mark}{len(self.lines)}"
        self.lines.append(f"{name} = {code}")
        return name

    def _common(self, one: _Term, other: _Term) -> tuple[str, str, Fraction, str]:
        """Two terms over one denominator: code of both numerators, the factor and the denominator that they share."""
        if not one.factor or not other.factor:
            left = one if one.factor else other
            shared = Fraction(1, left.factor.denominator)
            above = _scaled(left.factor.numerator, left.above)
            return (above, "0", shared, left.below) if one.factor else ("0", above, shared, left.below)
        same = one.below == other.below
        whole = lcm(one.factor.denominator, other.factor.denominator)
        first = _scaled(int(one.factor * whole), one.above if same else _product(one.above, other.below))
        second = _scaled(int(other.factor * whole), other.above if same else _product(other.above, one.below))
        below = one.below if same else _product(one.below, other.below)
        return first, second, Fraction(1, whole), below

    def _sum(self, one: _Term, other: _Term) -> _Term:
        if one.above == other.above == one.below == other.below == "1":
            return _Term(one.factor + other.factor, "1", "1")
        if not one.factor:
            return other
        if not other.factor:
            return one
        first, second, shared, below = self._common(one, other)
        return _Term(shared, self._keep(f"{first} + {second}"), below)

    def _quotient(self, one: _Term, other: _Term) -> _Term:
        if other.above == "1" and other.below == "1":
            return one._replace(factor=one.factor / other.factor)
        below = self._keep(other.above)
        above = self._keep(_product(one.above, other.below))
        self.lines += [f"if {below} < 0:", f"    {below} = -{below}; {above} = -{above}",
                       f"elif not {below}:", "    return None"]  # fmt: skip
        if not other.factor:
            raise ZeroDivisionError
        return _Term(one.factor / other.factor, above, _product(one.below, below))

    def _absolute(self, one: _Term) -> _Term:
        if one.above == "1":
            return one._replace(factor=abs(one.factor))
        kept = self._keep(one.above)
        return _Term(abs(one.factor), self._keep(f"{kept} if {kept} >= 0 else -{kept}"), one.below)

    def _rounded(self, node: Operation, one: _Term, step: _Term) -> _Term:
        ratio = one.factor / step.factor
        above, below = _scaled(ratio.numerator, one.above), _scaled(ratio.denominator, one.below)
        code = f"-(-({above}) // ({below}))" if self._rounds_up[id(node)] else f"({above}) // ({below})"
        return _Term(step.factor, self._keep(code), "1")

    def _extreme(self, operator: str, one: _Term, other: _Term) -> _Term:
        first, second, shared, below = self._common(one, other)
        left, right = self._keep(first), self._keep(second)
        mark = "<=" if operator == "min" else ">="
        return _Term(shared, self._keep(f"{left} if {left} {mark} {right} else {right}"), below)


def _product(one: str, other: str) -> str:
    if "1" in (one, other):
        return other if one == "1" else one
    return f"{one} * {other}"


def _scaled(factor: int, code: str) -> str:
    if code == "1":
        return str(factor)
    return code if factor == 1 else f"{factor} * {code}"


def at_size(
    node: Node, taken: Mapping[str, Taken], numbers: Mapping[str, Fraction], rounds_up: Mapping[int, bool]
) -> Callable[..., Priced]:
    """`price(units, *arguments)`, in the order of `taken`, for any number of units."""
    writer = _Writer(taken, numbers, rounds_up, one_unit=False)
    above, below = writer.final(node)
    arguments = ", ".join(one.argument for one in taken.values())
    return _made(f"price({UNITS}, {arguments})", [*writer.lines, f"return {above}, {below}"])


def standing(
    node: Node,
    taken: Mapping[str, Taken],
    numbers: Mapping[str, Fraction],
    rounds_up: Mapping[int, bool],
    sides: Sequence[str],
) -> Callable[..., Priced]:
    """`price(holders)` for one unit: each holder's `ask` or `bid` (`sides`, in the order of `taken`) as it stands.

    None where a holder has none, or where it is not above 0: such a price is worked out the careful way.
    """
    writer = _Writer(taken, numbers, rounds_up, one_unit=True)
    above, below = writer.final(node)
    names = [one.argument for one in taken.values()]
    holders = [f"h{place}" for place in range(len(names))]
    lines = [f"{', '.join(holders)}, = given"]
    lines += [f"{name} = {holder}.{side}" for name, holder, side in zip(names, holders, sides, strict=True)]
    for name in names:
        lines += [f"if {name} is None or {name} <= 0:", "    return None"]
    return _made("price(given)", [*lines, *writer.lines, f"return {above}, {below}"])


def standing_both(
    node: Node,
    taken: Mapping[str, Taken],
    numbers: Mapping[str, Fraction],
    rounds_up: Sequence[Mapping[int, bool]],
    sides: Sequence[Sequence[str]],
) -> Callable[..., tuple[int, int, int, int] | None]:
    """As `standing`, to buy and to sell in one: both prices, or None where either is none or not for this code."""
    lines = [f"{', '.join(f'h{place}' for place in range(len(taken)))}, = given"]
    for place in range(len(taken)):
        ask, bid = f"ask{place}", f"bid{place}"
        lines += [f"{ask} = h{place}.ask; {bid} = h{place}.bid"]
        lines += [f"if {ask} is None or {bid} is None or {ask} <= 0 or {bid} <= 0:", "    return None"]
    finals: list[str] = []
    for mark, ups, books in zip(("t", "s"), rounds_up, sides, strict=True):
        arguments = {
            name: one._replace(argument=f"{book}{place}")
            for place, ((name, one), book) in enumerate(zip(taken.items(), books, strict=True))
        }
        writer = _Writer(arguments, numbers, ups, one_unit=True, mark=mark)
        finals += writer.final(node)
        lines += writer.lines
    return _made("price(given)", [*lines, f"return {', '.join(finals)}"])


@cache
def _compiled(text: str) -> Callable[..., Any]:
    """Pairs of one formula, such as those of several months, have one code: it stays in the processor's caches."""
    space: dict[str, Any] = {"__builtins__": {}}
    exec(compile(text, "<formula>", "exec"), space)  # noqa: S102 - our own code: arguments, whole numbers, operators
    made: Callable[..., Any] = space["price"]
    return made


def _made(head: str, lines: Sequence[str]) -> Callable[..., Any]:
    return _compiled("\n".join([f"def {head}:", *(f"    {line}" for line in lines)]))
