"""The language of a pair's formula: text to a tree, with the column of everything that is wrong.

    sum     = product { ("+" | "-") product }
    product = factor { ("*" | "/") factor }
    factor  = "-" factor | number | name | function "(" sum { "," sum } ")" | "(" sum ")"

Functions are min and max of two or more, abs of one, round of a value and a step. There are no attributes, no strings,
no comparisons and no other calls, so a text can do nothing but compute. Numbers are decimals and exact; a name is a
leg, a reference, a parameter, or a constant between two units (`g_per_oz`).

What can go wrong: a text that is too long, too deep or too large is refused before it can cost anything
(`MOST_CHARACTERS`, `MOST_DEPTH`, `MOST_OPERATIONS`). What a name means, and whether the units meet, is judged elsewhere
(`gateway/trigger/formula_units.py`).
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

MOST_CHARACTERS = 1000
MOST_DEPTH = 40
MOST_OPERATIONS = 120
"""A tree may be as deep as it has operations, and everything that reads it goes down step by step."""
FUNCTIONS = {"min": (2, 9), "max": (2, 9), "abs": (1, 1), "round": (2, 2)}
"""Name: fewest and most arguments."""
_TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<mark>[-+*/(),]))")


class Fault(StrEnum):
    """What is wrong with a formula; the sentence for a person stands with the checks of the site file."""

    TOO_LONG = "too_long"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    CHARACTER = "character"
    """A character that the language does not have."""
    EXPECTED = "expected"
    """Something else stands where a value, a bracket or the end has to be."""
    FUNCTION = "function"
    """No such function."""
    ARGUMENTS = "arguments"
    """A function with too few or too many."""
    UNKNOWN_NAME = "unknown_name"
    UNITS_DIFFER = "units_differ"
    """What is added, subtracted or compared has different units."""
    UNIT = "unit"
    """A unit that is not known."""
    RESULT_UNIT = "result_unit"
    """The whole has another unit than the pair."""
    STEP = "step"
    """The step of round is no constant above 0."""
    ROUNDING = "rounding"
    """Whether rounding up is against us depends on prices."""
    NO_LEG = "no_leg"
    """No traded leg in it."""
    LEG_ABSENT = "leg_absent"
    """A leg of the pair that it does not name."""
    NO_EFFECT = "no_effect"
    """A leg that cancels out."""
    DIRECTION = "direction"
    """Whether a leg is bought or sold depends on prices, and the pair does not say."""
    CONTRADICTION = "contradiction"
    """The pair says buy where the formula says sell."""
    ZERO = "zero"
    """A division by a constant 0."""
    TOO_MANY = "too_many"
    """More references whose side depends on prices than are tried."""


class FormulaError(ValueError):
    """A formula that cannot be used: what is wrong, at which column (from 1), with the words that belong to it."""

    def __init__(self, fault: Fault, column: int, *values: str) -> None:
        super().__init__(f"column {column}: {fault.value} {', '.join(values)}".rstrip())
        self.fault = fault
        self.column = column
        self.values = values


class Number(NamedTuple):
    """A number as it was written."""

    value: Fraction
    column: int


class Name(NamedTuple):
    """A variable, a parameter or a constant."""

    name: str
    column: int


class Operation(NamedTuple):
    """`+ - * /` of two, `neg` and `abs` of one, `min` and `max` of several, `round` of a value and a step."""

    operator: str
    parts: tuple["Node", ...]
    column: int


Node = Number | Name | Operation


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def parse(text: str) -> Node:
    """The tree of a formula; FormulaError at the first mistake."""
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(Fault.TOO_LONG, MOST_CHARACTERS + 1, str(MOST_CHARACTERS))
    return _Parser(list(_tokens(text))).whole()


def names_of(node: Node) -> dict[str, int]:
    """Every name in it, with the column of its first place."""
    found: dict[str, int] = {}
    for one in walk_tree(node):
        if isinstance(one, Name):
            found.setdefault(one.name, one.column)
    return found


def walk_tree(node: Node) -> Iterator[Node]:
    """A node and all below it, from left to right."""
    yield node
    if isinstance(node, Operation):
        for part in node.parts:
            yield from walk_tree(part)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise FormulaError(Fault.CHARACTER, at + 1, text[at])
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind) + 1)
        at = found.end()
    yield _Token("end", "", len(text.rstrip()) + 1)


class _Parser:
    """One pass from left to right; a method per line of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._operations = 0

    def whole(self) -> Node:
        made = self._sum()
        if self._next.kind != "end":
            self._expected("an operator or the end")
        return made

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _made(self, operator: str, parts: tuple[Node, ...], column: int) -> Node:
        self._operations += 1
        if self._operations > MOST_OPERATIONS:
            raise FormulaError(Fault.TOO_LARGE, column, str(MOST_OPERATIONS))
        return Operation(operator, parts, column)

    def _expected(self, what: str) -> None:
        raise FormulaError(Fault.EXPECTED, self._next.column, what, self._next.text or "the end")

    def _sum(self) -> Node:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise FormulaError(Fault.TOO_DEEP, self._next.column, str(MOST_DEPTH))
        made = self._product()
        while self._next.text in ("+", "-"):
            mark = self._take()
            made = self._made(mark.text, (made, self._product()), mark.column)
        self._depth -= 1
        return made

    def _product(self) -> Node:
        made = self._factor()
        while self._next.text in ("*", "/"):
            mark = self._take()
            made = self._made(mark.text, (made, self._factor()), mark.column)
        return made

    def _factor(self) -> Node:
        marks = []
        while self._next.text == "-":
            marks.append(self._take())
        made = self._value()
        for mark in reversed(marks):
            made = self._made("neg", (made,), mark.column)
        return made

    def _value(self) -> Node:
        token = self._next
        if token.kind == "number":
            return Number(Fraction(self._take().text), token.column)
        if token.kind == "name":
            self._take()
            return self._call(token) if self._next.text == "(" else Name(token.text, token.column)
        if token.text != "(":
            self._expected("a number, a name or (")
        self._take()
        made = self._sum()
        self._close()
        return made

    def _call(self, function: _Token) -> Node:
        if function.text not in FUNCTIONS:
            raise FormulaError(Fault.FUNCTION, function.column, function.text, ", ".join(FUNCTIONS))
        self._take()
        parts = [self._sum()]
        while self._next.text == ",":
            self._take()
            parts.append(self._sum())
        self._close()
        least, most = FUNCTIONS[function.text]
        if not least <= len(parts) <= most:
            wanted = str(least) if least == most else f"{least}-{most}"
            raise FormulaError(Fault.ARGUMENTS, function.column, function.text, wanted, str(len(parts)))
        return self._made(function.text, tuple(parts), function.column)

    def _close(self) -> None:
        if self._next.text != ")":
            self._expected(")")
        self._take()
