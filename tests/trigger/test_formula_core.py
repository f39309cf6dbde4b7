"""A formula in the trigger: the same as the kinds, three legs end to end, days, reasons, alignment."""

from decimal import Decimal
from fractions import Fraction
from itertools import product

import msgspec
import pytest
from formula_values import LISTED, A, B, C, R, book, expressed, parameter
from hypothesis import given, settings
from hypothesis import strategies as st
from trigger_values import DOMESTIC, INSTRUMENTS, OVERSEAS, RATE, SILENCE_NS, THIRD, e9, leg, pair, quote, rule

from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
from gateway.model.site import ExpressionSpec, FormulaKind, LegSpec, PairSpec, ParameterRow, ReferenceSpec, RuleSpec
from gateway.model.trade import ExecutionStatus, Intent
from gateway.trigger.align import aligned, residual_lots, residuals
from gateway.trigger.core import Hops, TriggerCore
from gateway.trigger.price import PairFormula
from gateway.trigger.seats import Seat
from gateway.trigger.standing import StandingPair

T = 10_000
BOTH = (Side.BUY, Side.SELL)


def core(spec: PairSpec, *rules: RuleSpec, listed: dict = LISTED) -> TriggerCore:
    one = TriggerCore((spec,), rules, listed, silence_ns=SILENCE_NS)
    one.on_execution(ExecutionStatus(5, True, False, False, "full", 0, 0, (), T), T)
    return one


def shoot(one: TriggerCore, given_quote: Quote) -> list[Intent]:
    wishes = one.on_quote(given_quote, T)
    return [wish.intent("I", Hops(T, T, T)) for wish in wishes]


def at(name: str, mid: int, lots: int = 99) -> Quote:
    return msgspec.structs.replace(book(name, mid, ((1, lots),), ((1, lots),)), recv_ns=T)


THREE = expressed(
    "a - (b + p) * c * (1 + v)",
    "abc",
    "",
    (parameter("p", "100"), parameter("v", "0.13")),
    lots={"a": 40, "b": 8, "c": 19},
)
"""A metal, its counterpart, and the currency future that it is converted with."""


def three() -> PairSpec:
    legs = [msgspec.structs.replace(one, fx_instrument_id=C if one.name == "b" else "") for one in THREE.legs]
    return msgspec.structs.replace(THREE, legs=tuple(legs))


def test_three_legs_are_priced_and_traded_as_one() -> None:
    """Buying the pair buys the metal and sells counterpart and currency, each at its bid, in its lots."""
    listed = LISTED | {C: msgspec.structs.replace(LISTED[C], tick=Decimal("0.0001"))}
    # a 78 990/79 010, b 9 499.5/9 500.5, c 7.0999/7.1001
    exact = Fraction("79010") - (Fraction("9499.5") + 100) * Fraction("7.0999") * Fraction("1.13")
    px_e9 = -(-exact * 10**9 // 1)
    one = core(three(), msgspec.structs.replace(rule("1", None), buy_at_e9=int(px_e9)), listed=listed)
    assert shoot(one, at(A, 7900)) == []
    assert shoot(one, at(B, 19_000)) == []
    (intent,) = shoot(one, at(C, 71_000))
    assert (intent.side, intent.pair_px_e9, intent.edge_e9) == (Side.BUY, px_e9, 0)
    assert [(leg.instrument_id, leg.side, leg.qty_lots, leg.px_ticks) for leg in intent.legs] == [
        (A, Side.BUY, 40, 7901),
        (B, Side.SELL, 8, 18_999),
        (C, Side.SELL, 19, 70_999),
    ]
    # money of a tick: 10 x 5 CNY; 0.5 x 25 USD at 7.0999; 0.0001 x 100 000 CNH
    assert [leg.value_per_tick_e9 for leg in intent.legs] == [e9("50"), e9("12.5") * 70_999 // 10_000, e9("10")]


def test_three_legs_need_all_three_books() -> None:
    """While the currency future cannot be traded on, there is no price and no intent."""
    listed = LISTED | {C: msgspec.structs.replace(LISTED[C], tick=Decimal("0.0001"))}
    one = core(three(), rule("100000"), listed=listed)
    one.on_quote(at(A, 7900), T)
    one.on_quote(at(B, 19_000), T)
    assert shoot(one, msgspec.structs.replace(at(C, 71_000), state=BookState.SHUT)) == []
    assert [price.verdict for price in one.changed_prices()] == [f"{C}: shut"]
    one.on_quote(msgspec.structs.replace(at(B, 19_000), state=BookState.GAP), T)
    assert shoot(one, at(C, 71_000)) == []


def test_a_parameter_out_of_date_is_no_price_with_the_reason() -> None:
    """On its last day it counts, on the next the pair says what is lacking; another value brings the price back."""
    rows = (ParameterRow(Decimal("0.13"), "20260401", "20261231"), ParameterRow(Decimal("0.12"), "20270105", ""))
    spec = expressed("a - b * r", parameters=())
    expression = ExpressionSpec("a - b * r * (1 + v)", spec.expression.references, (parameter("v", "0", "", *rows),))
    spec = msgspec.structs.replace(spec, expression=expression)
    one = core(spec, rule("100000"))
    for name, mid in ((A, 7900), (B, 19_000), (R, 71_000)):
        one.on_quote(at(name, mid), T)
    assert [price.verdict for price in one.changed_prices()] == ["parameter v: no trading day yet"]
    seen = []
    for day in ("20261231", "20270101", "20270105"):
        one.on_hours(A, is_open=True, trading_day=day)
        wishes = one.on_quote(at(R, 71_000), T)
        (price,) = one.changed_prices()
        seen.append((price.verdict, price.buy_px_e9, bool(wishes)))
    bid = Fraction("9499.5") * Fraction("7.0999")
    prices = [-(-(79010 - bid * Fraction(vat)) * 10**9 // 1) for vat in ("1.13", "1.12")]
    assert seen == [
        ("ok", prices[0], True),
        ("parameter v: no value for this day", None, False),
        ("ok", prices[1], True),
    ]


def test_a_stale_reference_blocks_the_pair() -> None:
    """A reference is not traded, but without it the formula says nothing."""
    spec = msgspec.structs.replace(expressed("a - b * r"), max_fx_age_ns=50)
    one = core(spec, rule("100000"))
    for name, mid in ((A, 7900), (B, 19_000), (R, 71_000)):
        one.on_quote(at(name, mid), T)
    one.on_quote(at(A, 7900), T + 51)
    assert [price.verdict for price in one.changed_prices()] == [f"{R}: stale"]


def test_money_of_a_difference_is_what_the_first_leg_gains() -> None:
    """One yuan per tonne on 5 lots of 5 t is 25 yuan, a ratio's is worth the other leg's price, as with the kinds."""
    quotes = {A: at(A, 7900), B: at(B, 19_000), R: at(R, 71_000)}
    spread = PairFormula(expressed("a - b * r", lots={"a": 5}), LISTED)
    assert spread.money_e9(e9("1"), quotes, Side.BUY) == e9("25")
    assert PairFormula(expressed("2 * a - b * r", lots={"a": 5}), LISTED).money_e9(e9("-1"), quotes, Side.BUY) == e9(
        "-12.5"
    )
    ratio = PairFormula(expressed("a / (b * r)"), LISTED)
    assert ratio.money_e9(e9("0.001"), quotes, Side.BUY) == int(
        Fraction("0.001") * 5 * Fraction("9499.5") * Fraction("7.0999") * 10**9
    )
    rounded = PairFormula(expressed("round(a, 100) - b * r", lots={"a": 5}), LISTED)
    assert rounded.money_e9(e9("1"), quotes, Side.BUY) == e9("25")


# The kinds are formulas too.

levels = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 6)), min_size=1, max_size=4).map(tuple)
FACTORS = {"1": "1", "1.13": "1.13", "10000000/311034768": "1 / 31.1034768"}


def named(spec: PairSpec, text: str, names: str, references: tuple[ReferenceSpec, ...]) -> PairSpec:
    legs: list[LegSpec] = [
        msgspec.structs.replace(one, name=name, factor=Fraction(1), direction=1 if name == "a" else -1)
        for one, name in zip(spec.legs, names, strict=True)
    ]
    return msgspec.structs.replace(spec, legs=tuple(legs), expression=ExpressionSpec(text, references, ()))


@settings(max_examples=200, deadline=None)
@given(
    st.booleans(), st.integers(2, 3), st.sampled_from(sorted(FACTORS)), st.booleans(), st.integers(1, 4),
    levels, levels, levels, st.integers(1, 3), st.data(),
)  # fmt: skip
def test_a_spread_and_a_ratio_cost_what_their_formulas_cost(
    spreads: bool, count: int, factor: str, live: bool, lots: int,  # noqa: FBT001 - drawn
    one: tuple, two: tuple, three_levels: tuple, units: int, data: st.DataObject,
) -> None:  # fmt: skip
    """To the last digit, as it stands and at any size, on both sides."""
    count = count if spreads else 2
    names = [DOMESTIC, OVERSEAS, THIRD][:count]
    legs = [leg(DOMESTIC, lots), leg(OVERSEAS, 2, factor, RATE if live else "", "" if live else "6.85")]
    legs += [leg(THIRD)] * (count == 3)
    kind = pair(*legs, kind=FormulaKind.SPREAD if spreads else FormulaKind.RATIO, charges="12.5" if spreads else "0")
    rate = "r" if live else "6.85"
    text = f"a {'-' if spreads else '/'} (b * {rate} * {FACTORS[factor]})" + " - c" * (count == 3) + " + 12.5" * spreads
    references = (ReferenceSpec("r", RATE),) if live else ()
    formula = named(kind, text, "abc"[:count], references)
    quotes = {
        name: quote(name, tuple(sorted({mid - away: size for away, size in below}.items(), reverse=True)),
                    tuple(sorted({mid + away: size for away, size in above}.items())), T)
        for name, mid, below, above in zip(
            [*names, RATE], (data.draw(st.integers(500, 9000)) for _ in range(4)), (one, two, three_levels, one),
            (two, three_levels, one, two), strict=False,
        )
    }  # fmt: skip
    quotes[RATE] = quote(RATE, ((70_000, 1),), ((70_010, 1),), T)
    prices = []
    for spec in (kind, formula):
        priced = PairFormula(spec, INSTRUMENTS)
        seats = {name: Seat(name) for name in priced.instrument_ids}
        standing = StandingPair(priced, (), seats)
        for name in priced.instrument_ids:
            seats[name].take(quotes[name])
            for touched in seats[name].touched[0][1]:
                touched.reprice()
        standing.look(T)
        told = standing.told("ok")
        found = [told.buy_px_e9, told.sell_px_e9, told.buy_units, told.sell_units]
        for side in BOTH:
            walks = priced.walks(side, units, quotes)
            found.append(None if walks is None else priced.executable_e9(side, walks, quotes))
        prices.append(found)
    assert prices[0] == prices[1]


# Lots.


@settings(max_examples=300, deadline=None)
@given(st.lists(st.fractions("1/30", 8, max_denominator=60), min_size=1, max_size=2), st.integers(1, 12))
def test_lots_leave_the_least_over_and_never_hedge_too_much(weights: list[Fraction], most: int) -> None:
    """Of all whole lots within the limit none that hedges no more than there is leaves less over."""
    exact = [Fraction(1), *weights]
    found = aligned(exact, [None] * len(exact), [most] * len(exact))
    every = []
    for lots in product(range(1, most + 1), repeat=len(exact)):
        left = residuals(exact, lots)
        if all(one >= 0 for one in left):
            every.append((max(left), lots[0]))
    if found is None:
        assert not every
        return
    assert all(one >= 0 for one in found.residuals)
    assert all(1 <= lots <= most for lots in found.lots)
    assert found.residuals == residuals(exact, found.lots)
    assert (max(found.residuals), found.lots[0]) == min(every)


def test_lots_that_are_given_stay_and_are_judged() -> None:
    """9 lots of copper against 4 of HG hedge 0.79 % too much: said, not changed; with 4 given, 10 are found."""
    exact = [Fraction(1), Fraction(5) / Fraction("11.33980925")]
    given_lots = aligned(exact, [9, 4], [100, 100])
    assert given_lots is not None
    assert given_lots.lots == (9, 4)
    assert round(float(given_lots.residuals[0]) * 100, 2) == -0.79
    found = aligned(exact, [None, 4], [100, 100])
    assert found is not None
    assert found.lots == (1, 4), "no lots of the first are better or worse where the other is given"
    found = aligned(exact, [10, None], [100, 100])
    assert found is not None
    assert found.lots == (10, 4)


def test_what_a_unit_leaves_over_is_counted_in_lots_of_the_first_leg() -> None:
    """25 lots of 5 t against 11 of 25 000 lb: 0.262 t, 0.0524 lots."""
    exact = [Fraction(1), Fraction(5) / Fraction("11.33980925")]
    assert residual_lots(exact, (25, 11)) == (125 - 11 * Fraction("11.33980925")) / 5


@pytest.mark.parametrize(("most", "lots"), [(1, None), (4, (4, 1)), (6, (4, 1)), (9, (9, 2))])
def test_a_limit_that_is_too_tight_gives_no_lots(most: int, lots: tuple[int, int] | None) -> None:
    """A quarter of a lot cannot be traded; nothing is rounded up to one."""
    found = aligned([Fraction(1), Fraction("0.25") - Fraction(1, 100) * (most == 9)], [None, None], [most, most])
    assert (None if found is None else found.lots) == lots


@pytest.mark.parametrize(("off", "fires"), [(0, True), (-1, False)])
def test_a_threshold_is_compared_right_over_a_divisor_below_zero(off: int, fires: bool) -> None:  # noqa: FBT001 a column
    """With r - 50 below 0 the price still meets its own value as a threshold, and not one that is a billionth lower."""
    spec = expressed("a - b + 100 / (r - 50)")
    one = core(spec, rule("-1000000"))
    for name, mid in ((A, 7900), (B, 19_000), (R, 71_000)):
        one.on_quote(at(name, mid), T)
    (price,) = one.changed_prices()
    exact = (Fraction("79010") - Fraction("9499.5") + 100 / (Fraction("7.0999") - 50)) * 10**9
    assert price.buy_px_e9 == -(-exact // 1)
    two = core(spec, msgspec.structs.replace(rule("0"), buy_at_e9=price.buy_px_e9 + off))
    wishes = [wish for name, mid in ((A, 7900), (B, 19_000), (R, 71_000)) for wish in two.on_quote(at(name, mid), T)]
    assert bool(wishes) is fires
