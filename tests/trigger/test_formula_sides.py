"""The executable price of a formula: which side each name takes, at any size, as it stands and from the books."""

from fractions import Fraction
from math import ceil, floor

import pytest
from formula_values import IDS, LISTED, A, B, R, book, every_choice, expressed, parameter
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trigger_values import e9

from gateway.model.base import PRICE_E9
from gateway.model.order import Side
from gateway.model.quote import Levels, Quote
from gateway.model.site import PairSpec
from gateway.trigger.expression import FormulaError
from gateway.trigger.price import PairFormula
from gateway.trigger.seats import Seat
from gateway.trigger.standing import StandingPair

BOTH = (Side.BUY, Side.SELL)
P, V = parameter("p", "12.5"), parameter("v", "0.13")


def priced(spec: PairSpec, side: Side, quotes: dict[str, Quote], units: int = 1) -> int | None:
    formula = PairFormula(spec, LISTED)
    walks = formula.walks(side, units, quotes)
    return None if walks is None else formula.executable_e9(side, walks, quotes)


def stands(spec: PairSpec, quotes: dict[str, Quote]) -> StandingPair:
    formula = PairFormula(spec, LISTED)
    seats = {name: Seat(name) for name in formula.instrument_ids}
    pair = StandingPair(formula, (), seats)
    for name in formula.instrument_ids:
        seats[name].take(quotes[name])
        for touched in seats[name].touched[0][1]:
            touched.reprice()
    pair.look(10)
    return pair


QUOTES = {A: book(A, 7900), B: book(B, 19_000), R: book(R, 71_000)}
# a: 78 990/79 010, b: 9 499.5/9 500.5, r: 7.0999/7.1001


SIDES = [
    # formula                        buy takes                     sell takes
    ("a - b * r",                    ("79010", "9499.5", "7.0999"), ("78990", "9500.5", "7.1001")),
    ("a - (b + p) * r * (1 + v)",    ("79010", "9499.5", "7.0999"), ("78990", "9500.5", "7.1001")),
    ("b * r - a",                    ("78990", "9500.5", "7.1001"), ("79010", "9499.5", "7.0999")),
    ("a / b / r",                    ("79010", "9499.5", "7.0999"), ("78990", "9500.5", "7.1001")),
    ("a / (b / r)",                  ("79010", "9499.5", "7.1001"), ("78990", "9500.5", "7.0999")),
    ("a - min(b * r, 70000)",        ("79010", "9499.5", "7.0999"), ("78990", "9500.5", "7.1001")),
    ("-(b - a) - r",                 ("79010", "9499.5", "7.0999"), ("78990", "9500.5", "7.1001")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "buy", "sell"), SIDES)
def test_each_name_takes_the_side_that_makes_the_price_worse_for_us(
    text: str, buy: tuple[str, ...], sell: tuple[str, ...]
) -> None:
    """Legs and references at the side that can be had, whichever way the formula is written."""
    spec = expressed(text, parameters=(P, V))
    for side, taken in ((Side.BUY, buy), (Side.SELL, sell)):
        prices = {name: (Fraction(one),) * 2 for name, one in zip("abr", taken, strict=True)}
        (value,) = set(every_choice(text, prices, {"p": Fraction("12.5"), "v": Fraction("0.13")}))
        assert priced(spec, side, QUOTES) == (ceil if side is Side.BUY else floor)(value * PRICE_E9)


def test_legs_go_the_way_that_the_formula_gives_them() -> None:
    """A leg that raises the price is bought with the pair, one that lowers it is sold, wherever it stands."""
    spec = expressed("a - 2 * b * r + c", "abc")
    assert [leg.direction for leg in spec.legs] == [1, -1, 1]
    formula = PairFormula(spec, LISTED)
    assert [formula.leg_side(Side.SELL, index) for index in range(3)] == [Side.SELL, Side.BUY, Side.SELL]
    assert [leg.direction for leg in expressed("b * r - a").legs] == [-1, 1]


def test_a_reference_whose_way_depends_on_values_is_priced_at_both_of_its_sides() -> None:
    """With b * (r - 7) a rise of r raises the price, with b * (7 - r) it lowers it; the worse one counts."""
    spec = expressed("a - b * r + s * (r - 7)", references="rs")
    for rate in (60_000, 71_000, 90_000):
        quotes = QUOTES | {R: book(R, rate, ((50, 9),), ((50, 9),)), IDS["s"]: book(IDS["s"], 9_000_000)}
        prices = _prices(quotes, "abrs")
        every = list(every_choice("a - b * r + s * (r - 7)", prices, {}))
        assert priced(spec, Side.BUY, quotes) == ceil(max(every) * PRICE_E9)
        assert priced(spec, Side.SELL, quotes) == floor(min(every) * PRICE_E9)


def test_a_leg_whose_way_depends_on_values_goes_as_the_pair_says_and_only_then() -> None:
    """While the formula goes the other way there is no price, and the reason names the leg."""
    with pytest.raises(FormulaError) as caught:
        expressed("abs(a - b * r)")
    assert (caught.value.fault.value, caught.value.column, caught.value.values) == ("direction", 5, ("a",))
    spec = expressed("abs(a - b * r)", given={"a": 1, "b": -1})
    # 79 010 - 9 499.5 x 7.0999
    above = stands(spec, QUOTES).told("ok")
    assert (above.buy_px_e9, above.verdict) == (e9("79010") - e9("9499.5") * 70999 // 10000, "ok")
    below = stands(spec, QUOTES | {A: book(A, 6000)}).told("ok")
    assert (below.buy_px_e9, below.sell_px_e9, below.verdict) == (None, None, "a: its effect on the price has turned")
    assert priced(spec, Side.BUY, QUOTES | {A: book(A, 6000)}) is None


def test_a_leg_below_zero_turns_a_product_and_is_refused() -> None:
    """Crude oil once traded below 0: what was derived for prices above 0 is derived again, and the leg has turned."""
    spec = expressed("a - b * c * 0.001", "abc", "")
    quotes = {A: book(A, 7900), B: book(B, -19_000), IDS["c"]: book(IDS["c"], 5)}
    told = stands(spec, quotes).told("ok")
    assert (told.buy_px_e9, told.verdict) == (None, "c: its effect on the price has turned")
    spec = expressed("a - b", "ab", "")
    told = stands(spec, quotes).told("ok")
    assert told.buy_px_e9 == e9("79010") - e9("-9500.5")
    assert priced(spec, Side.BUY, quotes) == told.buy_px_e9


def test_a_division_by_zero_is_no_price_with_the_reason() -> None:
    """Both ways to the price say so: as it stands, and at a size."""
    spec = expressed("a / (b - 9500)", references="", given={"a": 1, "b": -1})
    for mid, buys in ((19_000, None), (19_100, ...)):
        quotes = {A: book(A, 7900), B: book(B, mid, ((0, 9),), ((0, 9),))}
        told = stands(spec, quotes).told("ok")
        assert (told.buy_px_e9 is None) is (buys is None)
        assert told.verdict == ("formula: division by zero" if buys is None else "ok")
        assert priced(spec, Side.BUY, quotes) == told.buy_px_e9


def test_a_round_is_against_us() -> None:
    """Up where that makes buying dearer, down where selling brings less; inside of what is subtracted the other way."""
    quotes = {A: book(A, 7903), B: book(B, 19_001)}
    spec = expressed("round(a, 100) - round(b, 100)", references="")
    assert priced(spec, Side.BUY, quotes) == e9("79100") - e9("9500")
    assert priced(spec, Side.SELL, quotes) == e9("79000") - e9("9600")


def _prices(quotes: dict[str, Quote], names: str) -> dict[str, tuple[Fraction, Fraction]]:
    return {
        name: tuple(
            one * Fraction(LISTED[IDS[name]].tick)
            for one in (quotes[IDS[name]].bids[0][0], quotes[IDS[name]].asks[0][0])
        )
        for name in names
    }


# Any formula, any books.

LEAVES = st.sampled_from(["a", "b", "r", "s", "p", "v", "2", "0.5", "31.10"])


def _join(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(parts, parts)
    return st.one_of(
        st.tuples(two, st.sampled_from("+-*/")).map(lambda one: f"({one[0][0]} {one[1]} {one[0][1]})"),
        two.map(lambda one: f"min({one[0]}, {one[1]})"),
        two.map(lambda one: f"max({one[0]}, {one[1]})"),
        parts.map(lambda one: f"abs({one})"),
        parts.map(lambda one: f"-{one}"),
        parts.map(lambda one: f"round({one}, 0.25)"),
    )


FORMULAS = st.one_of(
    st.recursive(LEAVES, _join, max_leaves=7),
    st.tuples(st.sampled_from("+-*/"), st.recursive(LEAVES, _join, max_leaves=4)).map(
        lambda one: f"a - b {one[0]} {one[1]}"
    ),
)


@settings(max_examples=600, deadline=None)
@given(FORMULAS, st.data())
def test_the_sides_are_those_of_brute_force_over_all_combinations(text: str, data: st.DataObject) -> None:
    """Of all combinations of the sides of every name and the ways of every round, the price is the worst: the highest
    to buy, the lowest to sell. A formula whose leg cancels out, or goes either way, is refused instead.
    """
    assume(text.count("round") <= 3)
    try:
        spec = expressed(text, references="rs", parameters=(P, V))
        formula = PairFormula(spec, LISTED)
    except (FormulaError, ZeroDivisionError):
        assume(False)
    mids = {name: data.draw(st.integers(60, 20_000), label=name) for name in "abrs"}
    quotes = {IDS[name]: book(IDS[name], mid, ((3, 9),), ((5, 9),)) for name, mid in mids.items()}
    numbers = {"p": Fraction("12.5"), "v": Fraction("0.13")}
    try:
        every = list(every_choice(text, _prices(quotes, "abrs"), numbers))
    except ZeroDivisionError:
        every = []
    if formula.expression is None or formula.expression.why:
        return
    pair = stands(spec, quotes)
    told = pair.told("ok")
    for side, px in ((Side.BUY, told.buy_px_e9), (Side.SELL, told.sell_px_e9)):
        assert px == priced(spec, side, quotes)
        if px is None:
            assert told.verdict != "ok"
        elif every:
            worst = max(every) * PRICE_E9 if side is Side.BUY else min(every) * PRICE_E9
            assert px == (ceil if side is Side.BUY else floor)(worst)


levels = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 6)), min_size=1, max_size=4).map(tuple)
SIZED = [
    "a - b * r",
    "a - (b + p) * r * (1 + v)",
    "a / b / r",
    "a - min(b, 9500) * r",
    "round(a, 5) - b * r",
    "b * r - a",
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SIZED), levels, levels, levels, st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.data()
)
def test_the_price_at_a_size_is_that_of_a_naive_walk(
    text: str, below: Levels, above: Levels, other: Levels, a_lots: int, b_lots: int, units: int, data: st.DataObject
) -> None:
    """Each leg at the average of the lots that it takes one by one, in the formula, rounded once."""
    spec = expressed(text, parameters=(P, V), lots={"a": a_lots, "b": b_lots})
    mid = data.draw(st.integers(18_000, 20_000))
    quotes = {A: book(A, 7000, below, above), B: book(B, mid, other, below), R: book(R, 71_000)}
    for side in BOTH:
        values = {}
        for leg in spec.legs:
            quote = quotes[leg.instrument_id]
            shown = quote.asks if (leg.direction > 0) is (side is Side.BUY) else quote.bids
            lots = [px for px, size in shown for _ in range(size)][: units * leg.ratio_lots]
            if len(lots) < units * leg.ratio_lots:
                values = {}
                break
            values[leg.name] = (Fraction(sum(lots), len(lots)) * Fraction(LISTED[leg.instrument_id].tick),) * 2
        found = priced(spec, side, quotes, units)
        if not values:
            assert found is None
            continue
        tick = Fraction(LISTED[R].tick)
        values["r"] = (quotes[R].bids[0][0] * tick, quotes[R].asks[0][0] * tick)
        every = list(every_choice(text, values, {"p": Fraction("12.5"), "v": Fraction("0.13")}))
        assert found == (ceil(max(every) * PRICE_E9) if side is Side.BUY else floor(min(every) * PRICE_E9))
