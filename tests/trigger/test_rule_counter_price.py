"""Counter-price: net money after fees, financing and expected slippage, against a plain sum in fractions."""

from fractions import Fraction
from math import ceil

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_trigger_core import T, book, shoot, status
from trigger_values import DOMESTIC, INSTRUMENTS, RATE, SILENCE_NS, THIRD, e9, leg, pair, quote, rule

from gateway.model.base import PRICE_E9
from gateway.model.conditions import Costs, FeeRow, RuleAction, RuleKind, RuleSide
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.model.site import FormulaKind, PairSpec, RuleSpec
from gateway.model.trade import Intent, PairPosition
from gateway.trigger.core import TriggerCore
from gateway.trigger.costs import Trade, edge, fee_row
from gateway.trigger.price import PairFormula

DAY = "20260615"
FEES = FeeRow("20260101", e9("2"), e9("3"), e9("7"), e9("0.0001"), e9("0.0002"), e9("0.0005"), "a broker's list")
CHEAPER = FeeRow("20260601", e9("1"), e9("1"), e9("1"), 0, 0, 0, "a broker's list")
PLAIN = pair(leg(DOMESTIC), leg(THIRD))


def listed(*rows: FeeRow) -> dict[str, Instrument]:
    return {name: msgspec.structs.replace(one, fees=rows) for name, one in INSTRUMENTS.items()}


def counter(min_edge: str, costs: Costs = Costs(), **fields: object) -> RuleSpec:  # noqa: B008 a value that never changes
    spec = rule(cool_down_ns=0)
    return msgspec.structs.replace(spec, kind=RuleKind.COUNTER_PRICE, min_edge_e9=e9(min_edge), costs=costs, **fields)


def core(spec: RuleSpec, *rows: FeeRow, of: PairSpec = PLAIN) -> TriggerCore:
    one = TriggerCore((of,), (spec,), listed(*rows), silence_ns=SILENCE_NS)
    one.on_execution(status(), T)
    one.on_day(DAY)
    one.on_quote(book(DOMESTIC, 100, 101), T)
    one.on_quote(book(THIRD, 100, 101), T)
    return one


def fire(one: TriggerCore, domestic_ask: int, at_ns: int = T) -> list[Intent]:
    return shoot(one, book(DOMESTIC, domestic_ask - 1, domestic_ask, recv_ns=at_ns), at_ns)


# Bought at 980 against 1000: 20 a ton, 5 tons a lot: 100 gross. Legs are worth 4900 and 5000.
EDGES = [
    # rows, costs, net of one unit
    ((CHEAPER,), Costs(), 100 - 4),
    ((FEES, CHEAPER), Costs(), 100 - 4),
    ((FEES,), Costs(), Fraction(100) - 2 * (2 + 7) - Fraction("0.0006") * 9900),
    ((FEES,), Costs(holding_days=1), Fraction(100) - 2 * (2 + 3) - Fraction("0.0003") * 9900),
    ((CHEAPER,), Costs(slippage_ticks=(1, 2)), 100 - 4 - 3 * 50),
    ((CHEAPER,), Costs(fair_e9=e9("-5")), 75 - 4),
    (
        (CHEAPER,),
        Costs(financing_rate_e9=e9("0.0365"), holding_days=10, financed_e9=(e9("0.1"), e9("1"))),
        100 - 4 - Fraction("0.001") * (490 + 5000),
    ),
]


@pytest.mark.parametrize(("rows", "costs", "net"), EDGES)
def test_the_net_edge_is_what_is_left_after_every_cost(
    rows: tuple[FeeRow, ...], costs: Costs, net: int | Fraction
) -> None:
    """Exactly so much and it fires, a billionth more asked and it does not."""
    exact = Fraction(net)
    least = msgspec.structs.replace(counter("0", costs), min_edge_e9=int(exact * PRICE_E9))
    (intent,) = fire(core(least, *rows), 98)
    assert (intent.pair_px_e9, intent.edge_e9) == (e9("-20"), 0)
    assert intent.threshold_e9 == intent.pair_px_e9
    more = msgspec.structs.replace(least, min_edge_e9=int(exact * PRICE_E9) + 1)
    assert fire(core(more, *rows), 98) == []


def test_the_threshold_of_the_intent_is_where_the_edge_would_be_the_least() -> None:
    """96 are left and 46 asked: 50 more in money is 10 in price for 5 tons."""
    (intent,) = fire(core(counter("46"), CHEAPER), 98)
    assert (intent.edge_e9, intent.threshold_e9) == (e9("50"), e9("-10"))


def test_without_fees_of_the_day_there_is_no_edge() -> None:
    """A day before the first row, or no rows at all: it does not fire, however cheap."""
    late = msgspec.structs.replace(CHEAPER, from_day="20260616")
    assert fire(core(counter("0"), late), 90) == []
    assert fire(core(counter("0")), 90) == []


def test_the_newest_row_of_the_day_counts() -> None:
    """From its day on, to the day before the next one's."""
    made = listed(FEES, CHEAPER)[DOMESTIC]
    assert [fee_row(made, day) for day in ("20251231", "20260101", "20260531", "20260601")] == [
        None,
        FEES,
        FEES,
        CHEAPER,
    ]


def test_a_trading_day_of_the_instrument_counts_before_the_date() -> None:
    """Its calendar is a day ahead in the night session: that day's fees are taken."""
    one = core(counter("96"), msgspec.structs.replace(CHEAPER, from_day="20260616"))
    assert fire(one, 98) == []
    for name in (DOMESTIC, THIRD):
        one.on_hours(name, is_open=True, trading_day="20260616")
    assert len(fire(one, 98, T + 1)) == 1


def test_the_size_is_what_the_edge_allows() -> None:
    """Deeper levels cost more: as many units as leave the least edge for each."""
    one = core(counter("46", units=3, max_units=3), CHEAPER)
    asks = ((98, 1), (99, 1), (103, 1))
    (intent,) = shoot(one, quote(DOMESTIC, ((97, 9),), asks, T))
    assert intent.units == 2
    assert intent.pair_px_e9 == e9("-15")


def test_it_sells_above_the_fair_price_and_keeps_to_its_side() -> None:
    """Dear instead of cheap, the pair is sold; a rule for buying alone does not."""
    dear = book(DOMESTIC, 103, 104)
    (intent,) = shoot(core(counter("46"), CHEAPER), dear)
    assert (intent.side, intent.pair_px_e9, intent.threshold_e9) == (Side.SELL, e9("20"), e9("10"))
    assert shoot(core(counter("46", side=RuleSide.BUY), CHEAPER), dear) == []


def test_closing_pays_the_close_alone() -> None:
    """A trade that reduces what is held pays the dearer of both closes, no opening and no financing."""
    costs = Costs(financing_rate_e9=e9("1"), holding_days=100)
    one = core(counter("0", costs, action=RuleAction.BOTH), FEES)
    one.on_execution(PairPosition("P", "R", -2), T)
    (intent,) = fire(one, 98)
    net = Fraction(100) - 2 * 7 - Fraction("0.0005") * 9900
    assert intent.edge_e9 == int(net * PRICE_E9)
    assert fire(core(counter("0", costs), FEES), 98) == []


def test_a_ratio_has_its_edge_in_money_as_well() -> None:
    """980 / 1000 against a fair 1: 2 % of what a unit of the second leg is worth."""
    ratio = pair(leg(DOMESTIC), leg(THIRD), kind=FormulaKind.RATIO)
    (intent,) = fire(core(counter("96", Costs(fair_e9=PRICE_E9)), CHEAPER, of=ratio), 98)
    assert (intent.pair_px_e9, intent.edge_e9) == (e9("0.98"), 0)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(50, 60), st.integers(1, 3)), min_size=1, max_size=4),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 9),
    st.integers(0, 3),
)
def test_costs_are_a_plain_sum(
    asks: list[tuple[int, int]],
    units: int,
    opens: bool,  # noqa: FBT001 drawn
    days: int,
    slip: int,
) -> None:
    """Fees per lot and of value, financing and slippage of both legs, each in the pair's currency, rounded against us."""
    levels = tuple(sorted(dict(asks).items()))
    if sum(lots for _, lots in levels) < units:
        return
    spec = pair(leg(DOMESTIC), leg(THIRD, fx=RATE))
    made = listed(FEES)
    quotes: dict[str, Quote] = {
        DOMESTIC: quote(DOMESTIC, ((40, 99),), levels),
        THIRD: quote(THIRD, ((7, 99),), ((8, 99),)),
        RATE: quote(RATE, ((70_000, 9),), ((71_000, 9),)),
    }
    formula = PairFormula(spec, made)
    walks = formula.walks(Side.BUY, units, quotes)
    assert walks is not None
    px_e9 = formula.price_e9(Side.BUY, walks, quotes)
    costs = Costs(0, e9("0.03"), days, (e9("0.12"), e9("1")), (slip, slip))
    found = edge(formula, costs, Trade(Side.BUY, units, px_e9, walks, opens=opens), quotes, lambda _: DAY)
    assert found is not None
    lots = [px for px, size in levels for _ in range(size)][:units]
    values = (Fraction(sum(lots) * 50), Fraction(70 * units * 5 * 7))
    rates = (Fraction(1), Fraction(7))
    close, of_value = (3, Fraction("0.0002")) if days else (7, Fraction("0.0005"))
    fees = financing = slippage = Fraction(0)
    for value, rate, share in zip(values, rates, (Fraction("0.12"), Fraction(1)), strict=True):
        per_lot, part = (2 + close, Fraction("0.0001") + of_value) if opens else (7, Fraction("0.0005"))
        fees += per_lot * rate * units + value * part
        financing += value * share * Fraction("0.03") * days / 365 if opens else 0
        slippage += slip * 50 * rate * units
    assert found.slippage_e9 == slippage * PRICE_E9
    assert ceil(fees * PRICE_E9) <= found.fees_e9 <= ceil(fees * PRICE_E9) + 3
    assert ceil(financing * PRICE_E9) <= found.financing_e9 <= ceil(financing * PRICE_E9) + 1
