"""Given quotes and what execution says: exactly these intents, and a named verdict where there is none."""

import msgspec
import pytest
from trigger_values import (
    AGE_NS,
    DOMESTIC,
    INSTRUMENTS,
    OVERSEAS,
    RATE,
    SILENCE_NS,
    SKEW_NS,
    THIRD,
    TTL_NS,
    e9,
    leg,
    pair,
    quote,
    rule,
)

from gateway.model.order import Side
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.site import FormulaKind, PairSpec, RuleSpec
from gateway.model.trade import (
    ExecutionStatus,
    Intent,
    IntentLeg,
    IntentRefused,
    PairPosition,
    PairPrice,
    PairTradeChanged,
    PairTradeState,
    RefusalName,
)
from gateway.trigger.core import Hops, TriggerCore

T = 10_000
PLAIN = pair(leg(DOMESTIC), leg(THIRD))


def book(name: str, bid: int, ask: int, size: int = 9, recv_ns: int = T, state: BookState = BookState.OK) -> Quote:
    return quote(name, ((bid, size),), ((ask, size),), recv_ns, state)


def status(incarnation: int = 5, at_ns: int = T, busy: tuple[str, ...] = ()) -> ExecutionStatus:
    return ExecutionStatus(incarnation, True, False, False, "full", 0, 0, (), at_ns, busy)


def changed(intent_id: str, state: PairTradeState, rule_id: str = "R", opened_ns: int = T) -> PairTradeChanged:
    return PairTradeChanged("T1", intent_id, "P", rule_id, Side.BUY, 1, 0, state, (), 0, 0, False, 0, opened_ns)


def core(*rules: RuleSpec, pairs: tuple[PairSpec, ...] = (PLAIN,), heard: bool = True) -> TriggerCore:
    """A trigger that has heard execution, with the domestic book at 100/101 and the other at 100/101, times 10."""
    one = TriggerCore(pairs, rules, INSTRUMENTS, silence_ns=SILENCE_NS)
    if heard:
        one.on_execution(status(), T)
    one.on_quote(book(DOMESTIC, 100, 101), T)
    one.on_quote(book(THIRD, 100, 101), T)
    return one


def shoot(one: TriggerCore, given: Quote, at_ns: int = T) -> list[Intent]:
    """What the trigger's process makes of a quote."""
    wishes = one.on_quote(given, at_ns)
    return [wish.intent(f"I{at_ns}", Hops(at_ns, at_ns + 1, at_ns + 2)) for wish in wishes]


CHEAP = book(DOMESTIC, 97, 98)
"""The pair costs 980 - 1000 = -20 to buy."""
DEAR = book(DOMESTIC, 103, 104)
"""The pair brings 1030 - 1010 = 20."""


def test_an_opportunity_fires_once_with_all_its_figures() -> None:
    """The intent holds both legs as they were seen, the price, the edge in money, the hops and its expiry."""
    one = core(rule("-15", "15"))
    assert shoot(one, CHEAP) == [
        Intent(
            f"I{T}", 5, "P", "R", Side.BUY, 1, e9("-20"), e9("-15"), e9("25"),
            (
                IntentLeg(DOMESTIC, Side.BUY, 1, 1, 98, e9("980"), e9("50"), T, 0, 0, 0, 7, 3),
                IntentLeg(THIRD, Side.SELL, 1, 1, 100, e9("1000"), e9("50"), T, 0, 0, 0, 7, 3),
            ),
            DOMESTIC, T, T + 1, T, T + 1, T + 2, T + 2 + TTL_NS,
        )
    ]  # fmt: skip
    assert shoot(one, CHEAP) == []
    assert (one.intents, one.opportunities, one.evaluations) == (1, 2, 4)


def test_the_other_side_sells_the_pair() -> None:
    """At or above sell_at the first leg is sold and the second bought."""
    (intent,) = shoot(core(rule("-15", "15")), DEAR)
    assert (intent.side, intent.pair_px_e9, intent.threshold_e9) == (Side.SELL, e9("20"), e9("15"))
    assert [(one.side, one.px_ticks) for one in intent.legs] == [(Side.SELL, 103), (Side.BUY, 101)]


@pytest.mark.parametrize(("buy_at", "fires"), [("-20", True), ("-20.000000001", False)])
def test_the_threshold_itself_fires(buy_at: str, fires: bool) -> None:  # noqa: FBT001 a column
    """Exactly at the threshold the rule is met, one billionth short of it not."""
    assert bool(shoot(core(rule(buy_at)), CHEAP)) is fires


def test_charges_count() -> None:
    """The threshold is compared with the price that includes the charges."""
    one = core(rule("-15"), pairs=(pair(leg(DOMESTIC), leg(THIRD), charges="5.000000001"),))
    assert shoot(one, CHEAP) == []
    one = core(rule("-15"), pairs=(pair(leg(DOMESTIC), leg(THIRD), charges="5"),))
    assert [intent.pair_px_e9 for intent in shoot(one, CHEAP)] == [e9("-15")]


SIZES = [
    # first leg's asks                    units  max  held  units of the intent
    (((98, 9),), 3, 3, 0, 3),
    (((98, 2),), 3, 3, 0, 2),
    (((98, 9),), 3, 3, 2, 1),
    (((98, 1), (101, 9)), 3, 9, 0, 1),
    (((98, 2), (99, 9)), 3, 9, 0, 3),
    (((98, 9),), 3, 3, 3, None),
]


@pytest.mark.parametrize(("asks", "units", "most", "held", "sized"), SIZES)
def test_the_size_is_what_room_books_and_threshold_allow(
    asks: Levels, units: int, most: int, held: int, sized: int | None
) -> None:
    """Sized down to what the books hold and to where the average price still meets the threshold."""
    one = core(rule("-15", units=units, max_units=most))
    one.on_execution(PairPosition("P", "R", held), T)
    intents = shoot(one, quote(DOMESTIC, ((97, 9),), asks, T))
    assert [intent.units for intent in intents] == ([] if sized is None else [sized])


def test_no_opportunity_where_one_unit_is_not_there() -> None:
    """A book that does not hold one unit gives no price on that side and nothing else."""
    thin = pair(leg(DOMESTIC, 5), leg(THIRD))
    one = core(rule("-15", "15"), pairs=(thin,))
    assert shoot(one, quote(DOMESTIC, ((100, 9),), ((98, 4),), T)) == []
    (price,) = one.changed_prices()
    assert (price.buy_px_e9, price.sell_px_e9, price.buy_units, price.sell_units) == (None, e9("-10"), 0, 1)


OBSTACLES = [
    # what stands in the way                      the verdict
    ([book(THIRD, 100, 101, state=BookState.GAP)], f"{THIRD}: gap"),
    ([book(THIRD, 100, 101, state=BookState.ONE_SIDED)], f"{THIRD}: one_sided"),
    ([quote(THIRD, (), (), T, BookState.DOWN)], f"{THIRD}: down"),
    ([book(THIRD, 100, 101, state=BookState.SHUT)], f"{THIRD}: shut"),
    ([book(THIRD, 100, 101, state=BookState.LIMIT_LOCKED)], f"{THIRD}: limit_locked"),
    ([book(THIRD, 100, 101, recv_ns=T - AGE_NS - 1)], f"{THIRD}: stale"),
    ([book(THIRD, 100, 101, recv_ns=T - SKEW_NS - 1)], "quotes of the legs too far apart"),
]


@pytest.mark.parametrize(("before", "verdict"), OBSTACLES)
def test_an_obstacle_is_named_and_nothing_fires(before: list[Quote], verdict: str) -> None:
    """A pair that cannot be priced has no prices, a verdict that says why, and no intent."""
    one = core(rule("-15", "15"))
    for given in before:
        one.on_quote(given, T)
    assert shoot(one, CHEAP) == []
    assert one.changed_prices() == [PairPrice("P", T, None, None, 0, 0, e9("-15"), e9("15"), verdict)]


def test_a_quote_exactly_as_old_as_allowed_counts() -> None:
    """Age and skew are limits that may be reached."""
    one = core(rule("-15"))
    one.on_quote(book(THIRD, 100, 101, recv_ns=T - SKEW_NS), T)
    assert len(shoot(one, CHEAP)) == 1
    one = core(rule("-15"))
    assert len(shoot(one, CHEAP, T + AGE_NS)) == 1
    one = core(rule("-15"))
    assert shoot(one, CHEAP, T + AGE_NS + 1) == []


@pytest.mark.parametrize("missing", [THIRD, RATE])
def test_a_quote_that_never_came_is_named(missing: str) -> None:
    """Until every leg and every rate has a quote there is no price."""
    one = TriggerCore([pair(leg(DOMESTIC), leg(THIRD, fx=RATE))], [rule("-15")], INSTRUMENTS, silence_ns=1)
    for name in {DOMESTIC, THIRD, RATE} - {missing}:
        assert one.on_quote(book(name, 100, 101), T) == []
    assert [price.verdict for price in one.changed_prices()] == [f"{missing}: no quote yet"]


def test_a_rate_that_cannot_be_used_stands_in_the_way() -> None:
    """A live rate in a gap, or halted, prices nothing; when it is back, so is the price."""
    one = core(rule("-100000", "1000000"), pairs=(pair(leg(DOMESTIC), leg(THIRD, fx=RATE)),))
    one.on_quote(book(RATE, 71_000, 71_010), T)
    assert [price.verdict for price in one.changed_prices()] == ["ok"]
    one.on_quote(book(RATE, 71_000, 71_010, state=BookState.GAP), T)
    one.on_quote(book(THIRD, 110, 111), T)
    assert [price.verdict for price in one.changed_prices()] == [f"{RATE}: gap"]
    one.on_quote(book(RATE, 70_000, 70_010), T)
    (price,) = one.changed_prices()
    assert (price.buy_px_e9, price.verdict) == (e9("1010") - e9("7700"), "ok")


def test_a_stale_rate_blocks_the_pair() -> None:
    """A currency that has not moved for longer than its limit makes no price, however fresh the legs are."""
    spec = msgspec.structs.replace(pair(leg(DOMESTIC), leg(THIRD, fx=RATE)), max_fx_age_ns=50)
    one = core(rule("-100000", "1000000"), pairs=(spec,))
    one.on_quote(book(RATE, 71_000, 71_010, recv_ns=T), T)
    one.on_quote(book(THIRD, 100, 101), T + 50)
    assert [price.verdict for price in one.changed_prices()] == ["ok"]
    one.on_quote(book(THIRD, 100, 101), T + 51)
    assert [price.verdict for price in one.changed_prices()] == [f"{RATE}: stale"]


def test_an_instrument_outside_its_hours_blocks_the_pair() -> None:
    """Shut by its calendar, an instrument prices nothing even while its book still shows levels."""
    one = core(rule("-15", "15"))
    one.on_hours(THIRD, is_open=False)
    assert shoot(one, CHEAP) == []
    assert [price.verdict for price in one.changed_prices()] == [f"{THIRD}: outside trading hours"]
    one.on_hours(THIRD, is_open=True)
    assert len(shoot(one, CHEAP)) == 1


def test_a_rule_with_a_band_asks_before_its_threshold_is_met() -> None:
    """So that a lead may rest: the intent names the threshold, the price may still be on the other side of it."""
    one = core(msgspec.structs.replace(rule("-25"), quote_band_e9=e9("5")))
    (intent,) = shoot(one, CHEAP)
    assert (intent.threshold_e9, intent.pair_px_e9) == (e9("-25"), e9("-20"))
    assert shoot(core(msgspec.structs.replace(rule("-26"), quote_band_e9=e9("5"))), CHEAP) == []


def test_a_leg_that_moved_during_an_obstacle_is_priced_as_it_is_now() -> None:
    """What came while another leg could not be used counts when it can be used again."""
    one = core(rule("-100"))
    one.on_quote(book(THIRD, 100, 101, state=BookState.GAP), T)
    one.on_quote(CHEAP, T)
    one.on_quote(book(THIRD, 100, 101), T)
    assert [price.buy_px_e9 for price in one.changed_prices()] == [e9("-20")]


def test_nothing_fires_before_execution_is_heard() -> None:
    """An intent has to name the incarnation that it was decided against; the price is shown with the reason."""
    one = core(rule("-15"), heard=False)
    assert shoot(one, CHEAP) == []
    assert [price.verdict for price in one.changed_prices()] == ["execution is not heard"]
    one.on_execution(status(9), T)
    assert [intent.incarnation for intent in shoot(one, CHEAP)] == [9]


def test_persistence_waits_and_a_break_starts_it_anew() -> None:
    """The condition must hold over quotes for persist_ns; an obstacle breaks it too."""
    one = core(rule("-15", persist_ns=100))
    assert shoot(one, CHEAP, T) == []
    assert shoot(one, CHEAP, T + 99) == []
    one.on_quote(book(THIRD, 100, 101, state=BookState.GAP), T + 99)
    one.on_quote(book(THIRD, 100, 101), T + 100)
    assert shoot(one, CHEAP, T + 199) == []
    one.on_quote(book(DOMESTIC, 100, 101), T + 199)
    assert shoot(one, CHEAP, T + 200) == []
    assert len(shoot(one, CHEAP, T + 300)) == 1


def test_after_the_end_the_cool_down_counts() -> None:
    """A refused intent, and a trade in any of its ends, let the rule fire again after cool_down_ns."""
    refused = IntentRefused(f"I{T}", "P", "R", RefusalName.PAIR_BUSY, "")
    for end in [refused] + [changed(f"I{T}", state) for state in ("hedged", "unwound", "missed", "halted")]:
        one = core(rule("-15"))
        shoot(one, CHEAP)
        one.on_execution(end, T + 10)
        assert shoot(one, CHEAP, T + 59) == []
        assert len(shoot(one, CHEAP, T + 60)) == 1


@pytest.mark.parametrize("state", [PairTradeState.WORKING, PairTradeState.REPAIRING, PairTradeState.WAITING])
def test_an_open_trade_keeps_the_rule_from_firing(state: PairTradeState) -> None:
    """While its trade is open the rule waits, however long."""
    one = core(rule("-15"))
    shoot(one, CHEAP)
    one.on_execution(changed(f"I{T}", state), T)
    later = T + 10**9
    one.on_quote(book(THIRD, 100, 101, recv_ns=later), later)
    assert shoot(one, book(DOMESTIC, 97, 98, recv_ns=later), later) == []


def test_a_rule_whose_trade_s_end_was_lost_is_freed_by_a_heartbeat() -> None:
    """Execution's later heartbeat that names no open trade of the pair ends it; an earlier one, or one that does, not."""
    one = core(rule("-15"))
    shoot(one, CHEAP)
    one.on_execution(changed(f"I{T}", PairTradeState.WORKING, opened_ns=T + 5), T + 5)
    one.on_execution(status(at_ns=T + 4), T + 6)
    one.on_execution(status(at_ns=T + 7, busy=("P",)), T + 7)
    assert shoot(one, CHEAP, T + 100) == []
    one.on_execution(status(at_ns=T + 101), T + 101)
    assert shoot(one, CHEAP, T + 150) == []
    assert len(shoot(one, CHEAP, T + 151)) == 1


def test_an_intent_that_nobody_speaks_of_is_forgotten() -> None:
    """After its expiry, the silence and the cool-down the rule may fire again."""
    one = core(rule("-15"))
    (intent,) = shoot(one, CHEAP)
    free_ns = intent.expires_ns + SILENCE_NS + 50
    assert shoot(one, CHEAP, free_ns - 1) == []
    assert len(shoot(one, CHEAP, free_ns)) == 1


def test_an_intent_that_could_not_be_sent_cools_down() -> None:
    """When execution is not there the rule does not fire with every quote."""
    one = core(rule("-15"))
    (intent,) = shoot(one, CHEAP)
    one.on_unsent(intent, T)
    assert shoot(one, CHEAP, T + 49) == []
    assert len(shoot(one, CHEAP, T + 50)) == 1


def test_a_trade_found_open_at_the_start_counts_as_the_rule_s_own() -> None:
    """A trigger that starts anew does not fire into a trade of its former life."""
    one = core(rule("-15"))
    one.on_execution(changed("I-old", PairTradeState.REPAIRING), T)
    assert shoot(one, CHEAP) == []
    one.on_execution(changed("I-old", PairTradeState.HEDGED), T)
    assert len(shoot(one, CHEAP, T + 50)) == 1


def test_what_concerns_an_unknown_rule_is_left_alone() -> None:
    """Announcements about rules of another configuration change nothing."""
    one = core(rule("-15"))
    one.on_execution(PairPosition("P", "X", 9), T)
    one.on_execution(changed("I1", PairTradeState.WORKING, "X"), T)
    one.on_execution(changed("I1", PairTradeState.HEDGED, "X"), T)
    one.on_execution(IntentRefused("I1", "P", "X", RefusalName.EXPIRED, ""), T)
    assert len(shoot(one, CHEAP)) == 1


def test_three_legs_make_three_orders() -> None:
    """The first leg is bought, the two others sold."""
    spec = pair(leg(DOMESTIC, 2), leg(THIRD), leg(OVERSEAS, factor="0.001"))
    one = core(rule("0"), pairs=(spec,))
    (intent,) = shoot(one, book(OVERSEAS, 40_000, 40_001))
    assert [(got.instrument_id, got.side, got.qty_lots, got.px_ticks) for got in intent.legs] == [
        (DOMESTIC, Side.BUY, 2, 101), (THIRD, Side.SELL, 1, 100), (OVERSEAS, Side.SELL, 1, 40_000),
    ]  # fmt: skip
    assert intent.pair_px_e9 == e9("1010") - e9("1000") - e9("20")


def test_a_ratio_rule() -> None:
    """A ratio is compared with its threshold exactly, and its edge is money of the second leg."""
    spec = pair(leg(DOMESTIC), leg(THIRD), kind=FormulaKind.RATIO)
    one = core(rule("0.98", "1.02"), pairs=(spec,))
    (intent,) = shoot(one, CHEAP)
    assert (intent.side, intent.pair_px_e9, intent.edge_e9) == (Side.BUY, e9("0.98"), 0)
    one = core(rule("0.99", "1.02"), pairs=(spec,))
    assert [intent.edge_e9 for intent in shoot(one, CHEAP)] == [e9("50")]
    assert shoot(core(rule("0.979999999"), pairs=(spec,)), CHEAP) == []


def test_other_pairs_are_not_touched() -> None:
    """A quote evaluates the pairs that it is part of, and tells the price of no other."""
    other = pair(leg(OVERSEAS), leg(RATE), pair_id="Q")
    one = core(rule("-15"), rule("10000", rule_id="S", pair_id="Q"), pairs=(PLAIN, other))
    one.on_quote(book(OVERSEAS, 100, 101), T)
    one.on_quote(book(RATE, 100, 101), T - 1)
    one.changed_prices()
    before = one.evaluations
    assert [intent.pair_id for intent in shoot(one, CHEAP)] == ["P"]
    assert [price.pair_id for price in one.changed_prices()] == ["P"]
    assert one.evaluations == before + 1
    assert one.on_quote(book("X.unknown", 1, 2), T) == []
    assert one.changed_prices() == []


def test_two_rules_of_a_pair_fire_by_themselves() -> None:
    """Each rule has its own threshold and its own shot."""
    one = core(rule("-15"), rule("-18", rule_id="S"), rule("-25", rule_id="U"))
    assert [intent.rule_id for intent in shoot(one, CHEAP)] == ["R", "S"]
    assert [intent.rule_id for intent in shoot(one, book(DOMESTIC, 96, 97))] == ["U"]


def test_prices_are_told_once() -> None:
    """A price is told when the pair was looked at since, with the time of that look."""
    one = core(rule("-15", "15"))
    assert one.changed_prices() == [PairPrice("P", T, e9("10"), e9("-10"), 9, 9, e9("-15"), e9("15"), "ok")]
    assert one.changed_prices() == []
    one.on_quote(book(THIRD, 100, 101), T + 7)
    assert [price.at_ns for price in one.changed_prices()] == [T + 7]


def test_both_sides_met_prefer_the_one_with_room() -> None:
    """Where both sides are met, buying comes first, unless there is no room for it."""
    wide = rule("1000", "-1000", max_units=1)
    one = TriggerCore([PLAIN], [wide], INSTRUMENTS, silence_ns=SILENCE_NS)
    one.on_execution(status(), T)
    one.on_execution(PairPosition("P", "R", 1), T)
    one.on_quote(book(DOMESTIC, 100, 101), T)
    assert [intent.side for intent in shoot(one, book(THIRD, 100, 101))] == [Side.SELL]


def test_quotes_taken_up_together_are_one_picture() -> None:
    """An opportunity against a quote that another of the same batch overtakes is none; one that both make is."""
    one = core(rule("-15", "15"))
    assert one.on_quotes([CHEAP, book(THIRD, 97, 98)], T) == []
    before = one.evaluations
    wishes = one.on_quotes([book(THIRD, 103, 104, recv_ns=T + 2), book(DOMESTIC, 97, 98, recv_ns=T + 1)], T + 3)
    assert [(wish.side, wish.pair_px_e9, wish.quote.instrument_id) for wish in wishes] == [(Side.BUY, e9("-50"), THIRD)]
    assert one.evaluations == before + 1
    assert one.on_quotes([book("X.unknown", 1, 2)], T + 3) == []
