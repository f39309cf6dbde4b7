"""The language of formulas: what is read, what is refused, what the units of a formula are."""

from fractions import Fraction

import pytest
from formula_values import witness
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.trigger.effects import Effect, effect
from gateway.trigger.expression import (
    MOST_CHARACTERS,
    MOST_DEPTH,
    MOST_OPERATIONS,
    Fault,
    FormulaError,
    Node,
    names_of,
    parse,
)
from gateway.trigger.formula_code import value
from gateway.trigger.formula_units import NONE, constant, conversion, dimension, dimension_of
from gateway.trigger.intervals import POSITIVE, Interval, point, slope_of

READ = [
    ("1 + 2 * 3", "7"),
    ("(1 + 2) * 3", "9"),
    ("10 - 4 - 3", "3"),
    ("24 / 4 / 3", "2"),
    ("2 - -3", "5"),
    ("--2", "2"),
    ("-2 * -3 - -1", "7"),
    ("min(3, 1, 2) + max(1, 2)", "3"),
    ("abs(1 - 3)", "2"),
    ("0.1 + 0.2", "0.3"),
    ("31.1034768 * 10000000", "311034768"),
    ("  7  ", "7"),
]


@pytest.mark.parametrize(("text", "number"), READ)
def test_a_formula_is_computed_exactly(text: str, number: str) -> None:
    """Products before sums, from left to right, decimals as they are written."""
    assert value(parse(text), {}, {}) == Fraction(number)


REFUSED = [
    ("", Fault.EXPECTED, 1),
    ("   ", Fault.EXPECTED, 1),
    ("a +", Fault.EXPECTED, 4),
    ("a b", Fault.EXPECTED, 3),
    ("a.b", Fault.CHARACTER, 2),
    ("a ** b", Fault.EXPECTED, 4),
    ("a = b", Fault.CHARACTER, 3),
    ("'a'", Fault.CHARACTER, 1),
    ("a[0]", Fault.CHARACTER, 2),
    ("__import__(a)", Fault.FUNCTION, 1),
    ("min(a)", Fault.ARGUMENTS, 1),
    ("abs(a, b)", Fault.ARGUMENTS, 1),
    ("round(a)", Fault.ARGUMENTS, 1),
    ("min()", Fault.EXPECTED, 5),
    ("1.", Fault.CHARACTER, 2),
    (".5", Fault.CHARACTER, 1),
    ("1e3", Fault.EXPECTED, 2),
    ("铜 - 1", Fault.CHARACTER, 1),
    ("(" * (MOST_DEPTH + 1) + "1" + ")" * (MOST_DEPTH + 1), Fault.TOO_DEEP, MOST_DEPTH + 1),
    ("1" * (MOST_CHARACTERS + 1), Fault.TOO_LONG, MOST_CHARACTERS + 1),
    ("-" * (MOST_OPERATIONS + 1) + "1", Fault.TOO_LARGE, 1),
    ("1+" * (MOST_OPERATIONS + 1) + "1", Fault.TOO_LARGE, 2 * MOST_OPERATIONS + 2),
]


@pytest.mark.parametrize(("text", "fault", "column"), REFUSED)
def test_what_the_language_does_not_have_is_refused_at_its_column(text: str, fault: Fault, column: int) -> None:
    """No attribute, no call but four functions, no string, no power, and nothing too long or too deep."""
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert (caught.value.fault, caught.value.column) == (fault, column)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab1.()+-*/, minrou_d", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else is raised, and a column always lies within the text or just behind it."""
    column = 1
    try:
        parse(text)
    except FormulaError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1


NAMES = {
    "cu": dimension("CNY/t"),
    "ca": dimension("USD/t"),
    "hg": dimension("USD/lb"),
    "usdcnh": dimension("CNH/usd"),
    "cnhusd": dimension("USD/CNY"),
    "lb_per_t": dimension("lb/t"),
    "vat": NONE,
    "spp": dimension("share/point"),
    "etf": dimension("CNY/share"),
}
UNITS = [
    ("cu", "CNY/t"),
    ("hg * lb_per_t * usdcnh", "CNY/t"),
    ("hg * lb_per_t / cnhusd * (1 + vat)", "CNY/t"),
    ("cu / (ca * usdcnh)", "1"),
    ("etf * spp", "CNY/point"),
    ("-abs(cu - ca * usdcnh)", "CNY/t"),
    ("min(cu, ca * usdcnh)", "CNY/t"),
    ("cu * cu", "CNY*CNY/t/t"),
]


@pytest.mark.parametrize(("text", "unit"), UNITS)
def test_units_go_through_a_formula(text: str, unit: str) -> None:
    """Currencies and units are multiplied and divided with the prices; CNH counts as CNY."""
    assert str(dimension_of(parse(text), NAMES)) == unit


REMEDIES = [
    ("USD/lb", "CNY/t", "* usdcnh * lb_per_t"),
    ("CNY/t", "USD/t", "* cnhusd"),
    ("EUR/t", "CNY/t", "* a reference in CNY/EUR"),
    ("USD/oz", "CNY/g", "* usdcnh * oz_per_g"),
    ("CNY/share", "CNY/point", "* a parameter in share/point"),
    ("1", "CNY/t", "* a parameter in CNY/t"),
]


@pytest.mark.parametrize(("given_unit", "wanted", "words"), REMEDIES)
def test_what_would_convert_is_named(given_unit: str, wanted: str, words: str) -> None:
    """The pair's own rate, a constant between two units, or what has to be there for it."""
    assert conversion(dimension(given_unit), dimension(wanted), NAMES) == (words,)


def test_constants_between_units_are_exact() -> None:
    """lb_per_t is how many pounds a tonne has; what measures different things has no constant."""
    assert constant("lb_per_t") == (Fraction(1_000_000) / Fraction("453.59237"), dimension("lb/t"))
    assert constant("bu_soy_per_t") == (Fraction(1_000_000) / (60 * Fraction("453.59237")), dimension("bu_soy/t"))
    assert [constant(name) for name in ("lb_per_bbl", "lb_per", "per", "apples_per_t")] == [None] * 4


@pytest.mark.parametrize(("text", "column"), [("USD/ton", 5), ("USD per t", 4), ("usd//t", 5), ("5", 1)])
def test_a_unit_that_is_not_known_is_told(text: str, column: int) -> None:
    """With its column in the unit."""
    with pytest.raises(FormulaError) as caught:
        dimension(text)
    assert (caught.value.fault, caught.value.column) == (Fault.UNIT, column)


EFFECTS = [
    # formula               a          b          c
    ("a - b",               "up",      "down",    "none"),
    ("a / (a + b)",         "up",      "down",    "none"),
    ("a * b / (a * c)",     "none",    "up",      "down"),
    ("a - a + b",           "none",    "up",      "none"),
    ("(a - b) * (a + b)",   "up",      "down",    "none"),
    ("abs(a - b)",          "depends", "depends", "none"),
    ("abs(a + b) * c",      "up",      "up",      "up"),
    ("a * (b - 5)",         "depends", "up",      "none"),
    ("min(a, b) - max(b, c)", "up",    "depends", "down"),
    ("a - round(b * c, 10)", "up",     "down",    "down"),
    ("round(a, 5) - a",     "depends", "none",    "none"),
    ("-(a - b) / c",        "down",    "up",      "depends"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "a", "b", "c"), EFFECTS)
def test_the_effect_of_a_name_is_derived(text: str, a: str, b: str, c: str) -> None:
    """For all prices above 0: what cancels out is gone, and what goes either way depends."""
    ranges = dict.fromkeys("abc", POSITIVE)
    assert [effect(parse(text), name, ranges).value for name in "abc"] == [a, b, c]


def test_the_effect_is_decided_where_the_ranges_decide_it() -> None:
    """The same formula goes up, down or either way with a, by where b lies."""
    node = parse("a * (b - 5)")
    spans = {"a": Interval(Fraction(9), Fraction(10))}
    for low, high, found in ((6, 7, Effect.UP), (3, 4, Effect.DOWN), (4, 6, Effect.DEPENDS)):
        assert effect(node, "a", spans | {"b": Interval(Fraction(low), Fraction(high))}) is found


FORMULAS = st.recursive(
    st.sampled_from(["a", "b", "2", "0.5"]),
    lambda parts: st.one_of(
        st.tuples(parts, st.sampled_from("+-*/"), parts).map(lambda one: f"({one[0]} {one[1]} {one[2]})"),
        st.tuples(st.sampled_from(["min", "max"]), parts, parts).map(lambda one: f"{one[0]}({one[1]}, {one[2]})"),
        parts.map(lambda one: f"abs({one})"),
        parts.map(lambda one: f"-{one}"),
    ),
    max_leaves=8,
)
numbers = st.fractions("1/8", 40, max_denominator=8)


def tried(node: Node, text: str, values: dict[str, Fraction]) -> Fraction | None:
    try:
        found = value(node, values, {})
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            witness(text, values, ())
        return None
    assert found == witness(text, values, ())
    return found


@settings(max_examples=400, deadline=None)
@given(FORMULAS, numbers, numbers, numbers)
def test_bounds_hold_and_a_derived_effect_is_never_contradicted(
    text: str, first: Fraction, second: Fraction, other: Fraction
) -> None:
    """The value lies in its bounds, as Python's own reading of the text has it; a price that is said to rise with a
    name never falls when the name rises, on any two points above 0.
    """
    node = parse(text)
    low, high = sorted((first, second))
    ranges = {"a": Interval(low, high), "b": point(other)}
    before, after = (tried(node, text, {"a": one, "b": other}) for one in (low, high))
    bounds = slope_of(node, "a", ranges).value
    for one in (before, after):
        assert one is None or bounds.low <= one <= bounds.high
    if before is None or after is None or "a" not in names_of(node):
        return
    found = effect(node, "a", dict.fromkeys("ab", POSITIVE))
    if "/" in text:  # between two points a divisor may pass through 0
        found = found if slope_of(node, "a", ranges).value.low != float("-inf") else Effect.DEPENDS
    assert found is not Effect.UP or after >= before
    assert found is not Effect.DOWN or after <= before
    assert found is not Effect.NONE or after == before


def test_the_largest_formula_is_still_worked_with() -> None:
    """As many operations as may be, in one chain: units, effects, bounds and value without an end of the stack."""
    text = "a" + " + a" * MOST_OPERATIONS
    node = parse(text)
    assert value(node, {"a": Fraction(2)}, {}) == 2 * (MOST_OPERATIONS + 1)
    assert effect(node, "a", {"a": POSITIVE}) is Effect.UP
    assert dimension_of(node, {"a": NONE}) == NONE
    nested = "min(1, " * (MOST_DEPTH - 1) + "a" + ")" * (MOST_DEPTH - 1)
    assert effect(parse(nested), "a", {"a": POSITIVE}) is Effect.UP
