"""The life of clients' orders: taken once, filled, cancelled, replaced, suspended; the same over a replay."""

import msgspec
import pytest
from client_desk import (
    CA,
    CU,
    E9,
    FX,
    INSTRUMENTS,
    PAIR,
    ClientDesk,
    S,
    client,
    fill,
    order,
    refused,
    settings,
    step,
    switches,
)

from gateway.clients.engine import ClientEngine
from gateway.model.client import ClientReport, ClientSession, MassCancelAsked, MassCancelTold, Tick
from gateway.model.order import Side, TimeInForce
from gateway.model.rules import RuleStandingState
from gateway.model.trade import CommandAnswered, PairTradeState, Restarted, Verb

IOC, FOK, DAY, GTD = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY, TimeInForce.GTD
HEDGED, UNWOUND, MISSED = PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED
DONE, EXPIRED, REMOVED = RuleStandingState.DONE, RuleStandingState.EXPIRED, RuleStandingState.REMOVED


def test_an_order_becomes_a_rule_whose_threshold_is_its_limit() -> None:
    """A purchase buys at or below, for its quantity in all, until its day is over."""
    desk = ClientDesk()
    desk.do(order(time_in_force=DAY))
    (rule,) = desk.changes()[0].rules
    assert desk.brief() == [("0", "0", 0, 2)]
    assert (rule.buy_at_e9, rule.sell_at_e9, rule.units, rule.total_units) == (-150 * E9, None, 2, 2)
    assert (rule.immediate, rule.min_units, rule.expires_utc_ns) == (False, 1, 1_790_028_000 * S)
    desk.do(order("b", "150", side=Side.SELL, time_in_force=FOK))
    (rule,) = desk.changes()[0].rules
    assert (rule.buy_at_e9, rule.sell_at_e9, rule.immediate, rule.min_units) == (None, 150 * E9, True, 2)


def test_a_larger_order_than_a_venue_takes_at_once_is_cut_into_slices() -> None:
    """Legs of at most 100 and 10 lots hold ten units of 5 to 1; the whole quantity stays the rule's total."""
    desk = ClientDesk(client("F", max_units=50))
    desk.do(order(qty=30))
    (rule,) = desk.changes()[0].rules
    assert (rule.units, rule.total_units, rule.max_units) == (10, 30, 30)


def test_a_cl_ord_id_is_accepted_once() -> None:
    """The second order is rejected and leaves the first alone; a possible resend of it asks for its status."""
    desk = ClientDesk()
    desk.open()
    desk.do(order())
    (report,) = desk.reports()
    assert (report.exec_type, report.order_id, report.ord_rej_reason) == ("8", "NONE", "6")
    assert report.text.startswith("duplicate_order: ClOrdID(11)='a' was used before")
    desk.do(order(poss_resend=True))
    assert [(one.exec_type.value, one.order_id, one.exec_id) for one in desk.reports()] == [("I", "O1-1", "0")]
    assert desk.changes() == []
    desk.do(order("never", poss_resend=True))
    assert desk.brief() == [("0", "0", 0, 2)], "a possible resend of an order that never came is a new order"


def test_fills_of_two_trades_add_up_to_the_pairs_average() -> None:
    """One unit at -200 and one at -100: filled at -150 on average, and nothing is left."""
    desk = ClientDesk()
    rule = desk.open()
    desk.heard(fill(rule), fill(rule, 1, 1, "9000"), steps=(step(rule, HEDGED, 1),))
    assert desk.brief() == [("F", "1", 5, 5), ("F", "1", 1, 1), ("F", "1", 1, 1)]
    desk.heard(steps=(step(rule, HEDGED, 1, "-100", trade_id="P2", intent_id="I2"),))
    (report,) = desk.reports()
    assert (report.ord_status, report.cum_qty, report.avg_px_e9, report.last_px_e9) == ("2", 2, -150 * E9, -100 * E9)
    assert desk.standing(rule, DONE, 2, intent_id="I2") == []


def test_what_an_immediate_order_does_not_fill_is_cancelled_when_all_of_it_is_heard() -> None:
    """Trigger's word may come before execution's: the fill is told first, then the rest is cancelled."""
    desk = ClientDesk()
    rule = desk.open(time_in_force=IOC)
    assert desk.standing(rule, EXPIRED, 1, intent_id="I1", reason="looked at once") == []
    desk.heard(steps=(step(rule, HEDGED, 1),))
    assert desk.brief() == [("F", "1", 1, 1), ("4", "4", 1, 0)]
    assert desk.reports()[1].text == "not_marketable: looked at once"


def test_an_immediate_order_that_meets_no_price_is_cancelled_with_triggers_reason() -> None:
    """No intent was made, so nothing of it is waited for."""
    desk = ClientDesk()
    rule = desk.open(time_in_force=FOK)
    desk.standing(rule, EXPIRED, reason="not met")
    assert (desk.brief(), desk.reports()[0].text) == ([("4", "4", 0, 0)], "not_marketable: not met")


def test_a_refusal_of_the_gate_is_the_reason_of_an_immediate_orders_end() -> None:
    """The name and the figures of the check that failed stand in Text(58)."""
    desk = ClientDesk()
    rule = desk.open(time_in_force=IOC)
    desk.standing(rule, EXPIRED, intent_id="I1")
    desk.heard(refused=(refused(rule),))
    assert desk.reports()[0].text == "refused_by_gate: margin: LME: 3 lots more than its margin"


def test_a_repair_is_told_as_what_it_is() -> None:
    """Legged, then taken back: the client sees both, and no unit is filled."""
    desk = ClientDesk()
    rule = desk.open(time_in_force=IOC)
    desk.heard(fill(rule), steps=(step(rule, PairTradeState.REPAIRING, cause="leg 2 unfilled"),))
    assert [one.exec_type.value for one in desk.reports()] == ["F", "D"]
    assert desk.reports()[1].text == "repair: pair trade P1 is repairing leg 2 unfilled"
    back = fill(rule, side=Side.SELL, unwinds=True, first=False, exec_id="x9")
    desk.heard(back, steps=(step(rule, UNWOUND, attempts=1),))
    leg, told = desk.reports()
    assert (leg.side, leg.cum_qty, leg.text) == ("2", 5, "leg 1 of pair trade P1, repair: unwind")
    assert (leg.order_qty, leg.leaves_qty, leg.ord_status) == (5, 0, "2"), "each side of a leg is counted by itself"
    assert (told.exec_type, told.text) == ("D", "repair: pair trade P1 is unwound")
    desk.standing(rule, EXPIRED, intent_id="I1")
    assert desk.reports()[0].text == "not_completed: pair trade P1 unwound"


def test_a_bust_takes_units_back_and_a_repair_may_bring_them_again() -> None:
    """Filled, cancelled in part by the venue's bust, filled again: CumQty follows each time."""
    desk = ClientDesk()
    rule = desk.open(qty=1, time_in_force=IOC)
    desk.heard(fill(rule), steps=(step(rule, HEDGED, 1),))
    assert desk.brief() == [("F", "2", 5, 0), ("F", "2", 1, 0)]
    names = [one.exec_id for one in desk.reports()]
    desk.heard(fill(rule, lots=-5, exec_id="x9", exec_ref_id="x0"), steps=(step(rule, UNWOUND),))
    assert desk.brief()[:2] == [("H", "0", 0, 5), ("H", "4", 0, 0)]
    assert [one.exec_ref_id for one in desk.reports()[:2]] == names, "a bust names the report that it takes back"
    desk.heard(steps=(step(rule, HEDGED, 1),))
    assert desk.brief() == [("F", "2", 1, 0)]


def test_a_cancel_ends_the_order_when_its_rule_is_gone() -> None:
    """Pending, then cancelled under the request's ClOrdID."""
    desk = ClientDesk()
    rule = desk.open()
    desk.cancel()
    (report,) = desk.reports()
    assert (report.exec_type, report.ord_status, report.cl_ord_id, report.orig_cl_ord_id) == ("6", "6", "c", "a")
    assert desk.changes()[0].removed == (rule,)
    assert desk.answer() == []
    desk.standing(rule, REMOVED)
    (report,) = desk.reports()
    assert (report.exec_type, report.ord_status, report.cl_ord_id, report.orig_cl_ord_id) == ("4", "4", "c", "a")
    assert report.text == "by_client"


def test_a_change_that_was_taken_before_is_answered_with_how_its_order_stands() -> None:
    """A cancel, a replacement and a mass cancel that come again as possible duplicates change nothing and refuse nothing."""
    desk = ClientDesk()
    desk.open("a")
    desk.open("b")
    desk.cancel("a", "c")
    desk.cancel("a", "c", poss_resend=True)
    (answer,) = desk.reports()
    assert (answer.exec_type, answer.ord_status, answer.cl_ord_id, answer.orig_cl_ord_id) == ("I", "6", "c", "a")
    desk.replace("b", "r", qty=3)
    desk.replace("b", "r", qty=3, poss_resend=True)
    assert (desk.brief(), desk.changes()) == ([("I", "E", 0, 2)], [])
    desk.do(MassCancelAsked("F", 9, "q", "7", ""))
    desk.do(MassCancelAsked("F", 9, "q", "7", "", poss_resend=True))
    (told,) = [one for one in desk.actions if isinstance(one, MassCancelTold)]
    assert (told.response, told.affected, desk.changes()) == ("7", 0, [])
    desk.cancel("b", "new", poss_resend=True)
    assert desk.refusals()[0].reason == "3", "one that never came is taken as if it came now"


def test_a_cancel_that_a_full_fill_overtakes_is_refused() -> None:
    """The fill counts; the cancel came too late."""
    desk = ClientDesk()
    rule = desk.open(qty=1)
    desk.cancel()
    desk.heard(steps=(step(rule, HEDGED, 1),))
    assert desk.brief() == [("F", "2", 1, 0)]
    (one,) = desk.refusals()
    assert (one.cl_ord_id, one.orig_cl_ord_id, one.ord_status, one.reason, one.response_to) == ("c", "a", "2", "0", "1")


def test_a_cancel_that_a_part_fill_overtakes_ends_with_the_part() -> None:
    """Trigger's last word names one unit: it is waited for, told, and the rest is cancelled."""
    desk = ClientDesk()
    rule = desk.open()
    desk.cancel()
    desk.answer()
    desk.standing(rule, REMOVED, 0, open_units=1, intent_id="I1")
    desk.standing(rule, REMOVED, 1, intent_id="I1")
    assert desk.actions == []
    desk.heard(steps=(step(rule, HEDGED, 1),))
    assert desk.brief() == [("F", "6", 1, 1), ("4", "4", 1, 0)]


@pytest.mark.parametrize(
    ("orig", "cl_ord_id", "reason", "words"),
    [
        ("zz", "c", "1", "unknown_order: OrigClOrdID(41)='zz' is no order of this session"),
        ("a", "a", "6", "duplicate_order: ClOrdID(11)='a' was used before"),
    ],
)
def test_a_cancel_of_nothing_is_refused_by_name(orig: str, cl_ord_id: str, reason: str, words: str) -> None:
    """OrderCancelReject with the standard's reason."""
    desk = ClientDesk()
    desk.open()
    desk.cancel(orig, cl_ord_id)
    (one,) = desk.refusals()
    assert (one.reason, words in one.text, desk.changes()) == (reason, True, [])


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"symbol": CU}, "1", "unknown_order: Symbol(55)='SHFE.cu' is not the order's; accepted: 'CU-CA'"),
        ({"side": Side.SELL}, "1", "unknown_order: Side(54)='2' is not the order's; accepted: '1'"),
        ({"cl_ord_id": "a b"}, "99", "cl_ord_id: ClOrdID(11)='a b'; accepted: 1 to 64"),
    ],
)
def test_a_cancel_that_names_another_thing_than_the_order_is_refused(
    changes: dict[str, object], reason: str, words: str
) -> None:
    """It may be meant for another order: the order stays, and the text says what is right."""
    desk = ClientDesk()
    desk.open()
    desk.cancel(**changes)
    (one,) = desk.refusals()
    assert (one.reason, words in one.text, desk.changes()) == (reason, True, []), one.text


def test_one_change_of_an_order_at_a_time() -> None:
    """A second cancel waits for nobody: it is refused as pending; one of an ended order as too late."""
    desk = ClientDesk()
    rule = desk.open()
    desk.cancel()
    desk.cancel("a", "c2")
    assert [(one.reason, one.ord_status.value) for one in desk.refusals()] == [("3", "6")]
    desk.standing(rule, REMOVED)
    desk.cancel("a", "c3")
    assert [(one.reason, one.ord_status.value) for one in desk.refusals()] == [("0", "4")]


def test_no_client_reaches_another_ones_order() -> None:
    """Neither by its ClOrdID nor by its OrderID."""
    desk = ClientDesk(client("F"), client("G"))
    desk.open()
    desk.cancel("a", "c", client_id="G", order_id="O1-1")
    assert [one.reason for one in desk.refusals()] == ["1"]
    desk.do(order("a", client_id="G"))
    assert desk.brief("G") == [("0", "0", 0, 2)], "ids of two clients have nothing to do with each other"


def test_a_replacement_ends_the_rule_and_places_what_is_left_under_another_name() -> None:
    """Pending, then the new price and quantity under the new ClOrdID; what was filled stays filled."""
    desk = ClientDesk()
    rule = desk.open()
    desk.heard(steps=(step(rule, HEDGED, 1),))
    desk.replace(price="-100", qty=4)
    assert desk.brief() == [("E", "E", 1, 1)]
    assert (desk.changes()[0].removed, desk.changes()[0].rules) == ((rule,), ())
    assert desk.answer() == []
    desk.standing(rule, REMOVED, 1, intent_id="I1")
    (report,) = desk.reports()
    assert (report.exec_type, report.ord_status, report.cl_ord_id, report.orig_cl_ord_id) == ("5", "1", "r", "a")
    assert (report.order_qty, report.leaves_qty, report.price_e9) == (4, 3, -100 * E9)
    (made,) = desk.changes()[0].rules
    assert (made.rule_id, made.buy_at_e9, made.total_units) == (f"{rule}.r2", -100 * E9, 3)
    desk.answer()
    desk.heard(steps=(step(made.rule_id, HEDGED, 3, trade_id="P2", intent_id="I2"),))
    assert desk.brief() == [("F", "2", 4, 0)]


def test_a_replacement_waits_for_the_fill_that_is_under_way_and_never_does_it_twice() -> None:
    """Trigger says one unit was filled; until it is heard nothing is placed, then only what is left."""
    desk = ClientDesk()
    rule = desk.open()
    desk.replace(qty=3)
    desk.answer()
    assert desk.standing(rule, REMOVED, 0, open_units=1, intent_id="I1") == []
    assert desk.standing(rule, REMOVED, 1, intent_id="I1") == []
    desk.heard(steps=(step(rule, HEDGED, 1),))
    assert [one.total_units for one in desk.changes()[0].rules] == [2]


def test_a_mass_cancel_during_a_replacement_ends_the_order_and_refuses_the_replacement() -> None:
    """Each request has its answer, whatever comes first from trigger."""
    desk = ClientDesk()
    rule = desk.open()
    desk.replace(qty=3)
    (first,) = desk.changes()
    desk.do(MassCancelAsked("F", 5, "q1", "7", ""))
    assert [(one.response_to, one.cl_ord_id) for one in desk.refusals()] == [("2", "r")]
    (second,) = desk.changes()
    desk.do(CommandAnswered(first.command_id, True, ""), CommandAnswered(second.command_id, False, "not in force"))
    assert desk.actions == []
    desk.standing(rule, REMOVED)
    assert [(one.exec_type.value, one.cl_ord_id, one.text) for one in desk.reports()] == [("4", "a", "mass_cancel")]


def test_a_replacement_that_fills_overtake_is_refused_and_the_order_goes_on_as_it_was() -> None:
    """From five to two, and two are filled by then: three are left at the old terms."""
    desk = ClientDesk()
    rule = desk.open(qty=5)
    desk.replace(qty=2)
    desk.answer()
    desk.standing(rule, REMOVED, 2, intent_id="I1")
    desk.heard(steps=(step(rule, HEDGED, 2),))
    assert [(one.response_to, one.reason, one.ord_status.value) for one in desk.refusals()] == [("2", "0", "1")]
    assert [one.total_units for one in desk.changes()[0].rules] == [3]


def test_a_replacement_that_the_orders_end_overtakes_is_refused_as_too_late() -> None:
    """The end is told first, then that the replacement came too late."""
    desk = ClientDesk()
    rule = desk.open(time_in_force=DAY)
    desk.replace(price="-100")
    desk.standing(rule, EXPIRED, reason="its time is over")
    assert desk.brief() == [("C", "C", 0, 0)]
    assert [(one.response_to, one.reason, one.cl_ord_id, one.ord_status.value) for one in desk.refusals()] == [
        ("2", "0", "r", "C")
    ]


def test_a_replacement_that_trigger_refuses_leaves_the_order_as_it_was() -> None:
    """OrderCancelReject with CxlRejResponseTo(434)=2 and trigger's words."""
    desk = ClientDesk()
    desk.open()
    desk.replace(price="-100")
    desk.answer(False, "the rule has ended")
    (one,) = desk.refusals()
    assert (one.response_to, one.text, one.ord_status) == ("2", "not_replaced: the rule has ended", "0")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"qty": 1, "qty_text": "1"}, "quantity: OrderQty(38)=1; accepted: at least 2, beyond CumQty(14)"),
        ({"side": Side.SELL}, "not_entitled: Side(54)='2' differs from the order's; accepted: '1'"),
        ({"time_in_force": IOC}, "time_in_force: an immediate order is not replaced; accepted: 0, 1, 6"),
        ({"qty": 6, "qty_text": "6"}, "max_quantity: OrderQty(38)=6; accepted: at most 5 units of a pair"),
        ({"price_e9": None, "price_text": "x"}, "price: Price(44)='x'; accepted: a decimal with at most 9 places"),
    ],
)
def test_what_a_replacement_may_not_be_is_named(changes: dict[str, object], words: str) -> None:
    """The order stays as it was."""
    desk = ClientDesk()
    rule = desk.open()
    desk.heard(steps=(step(rule, HEDGED, 1),))
    desk.replace(**changes)
    assert [(one.text, one.ord_status.value) for one in desk.refusals()] == [(words, "1")]
    assert desk.changes() == []


def test_a_mass_cancel_ends_all_orders_of_one_client_and_tells_how_many() -> None:
    """Another client's order stays; each that is hit has its own report."""
    desk = ClientDesk(client("F"), client("G"))
    rules = [desk.open("a"), desk.open("b")]
    desk.open("a", client_id="G")
    desk.do(MassCancelAsked("F", 5, "q1", "7", ""))
    (told,) = [one for one in desk.actions if isinstance(one, MassCancelTold)]
    assert (told.response, told.affected, [one.removed for one in desk.changes()]) == (
        "7",
        2,
        [(one,) for one in rules],
    )
    desk.standing(rules[0], REMOVED)
    assert desk.reports()[0].text == "mass_cancel"
    desk.do(MassCancelAsked("F", 6, "q2", "1", "XX"))
    (told,) = [one for one in desk.actions if isinstance(one, MassCancelTold)]
    assert (told.response, told.affected, "Symbol(55)='XX'" in told.text) == ("0", 0, True)


@pytest.mark.parametrize(("cancels", "ended"), [(True, 1), (False, 0)])
def test_a_disconnect_cancels_where_the_client_chose_it(cancels: bool, ended: int) -> None:  # noqa: FBT001
    """By its word at logon."""
    desk = ClientDesk()
    desk.do(ClientSession("F", True, cancels))
    desk.open()
    desk.do(ClientSession("F", False, False, "lost"))
    assert len(desk.changes()) == ended


def test_disarming_suspends_resting_orders_and_arming_brings_them_back() -> None:
    """They stay; new ones are rejected meanwhile."""
    desk = ClientDesk()
    desk.open()
    desk.do(switches(armed=False))
    assert desk.brief() == [("9", "9", 0, 2)]
    desk.do(order("b"))
    assert desk.reports()[0].text == "disarmed: execution is not armed; accepted: when a person has armed it"
    desk.do(switches())
    assert desk.brief() == [("D", "0", 0, 2)]


def test_a_kill_cancels_every_order_and_says_so() -> None:
    """And no new one is taken."""
    desk = ClientDesk()
    rule = desk.open()
    desk.do(switches(armed=False, held=True))
    assert desk.changes()[0].removed == (rule,)
    desk.standing(rule, REMOVED)
    assert desk.reports()[0].text == "killed"
    desk.do(order("b"))
    assert desk.reports()[0].text == "killed: trading is halted by a person (kill)"


def test_an_order_that_trigger_refuses_is_cancelled_with_its_words() -> None:
    """It was acknowledged, so it is cancelled, not rejected."""
    desk = ClientDesk()
    desk.do(order())
    desk.answer(False, "two rules would trade with each other")
    (report,) = desk.reports()
    assert (report.exec_type, report.text) == ("4", "refused_by_trigger: two rules would trade with each other")


def test_an_order_for_a_time_expires_with_it() -> None:
    """ExecType(150)=C, where trigger says that its time is over."""
    desk = ClientDesk()
    rule = desk.open(time_in_force=DAY)
    desk.standing(rule, EXPIRED, reason="its time is over")
    assert (desk.brief(), desk.reports()[0].text) == ([("C", "C", 0, 0)], "time_over: its time is over")


def test_an_order_on_a_leg_is_a_command_to_execution_and_ends_with_its_trade() -> None:
    """Price in ticks of the leg; what is filled counts in lots; the rest is cancelled."""
    desk = ClientDesk(client("F", leg_orders=True))
    desk.do(order(symbol=CU, price="70000", qty=3, time_in_force=IOC))
    (command,) = desk.asked()
    assert (command.verb, command.argument) == (Verb.LEG_ORDER, f"C/F/O1-1 {CU} 1 3 7000 3")
    assert desk.reports()[0].multileg == "1"
    desk.answer()
    rule = "C/F/O1-1"
    desk.heard(fill(rule, lots=2), steps=(step(rule, HEDGED, 2, "70000"),))
    kinds = [(one.exec_type.value, one.ord_status.value, one.cum_qty, one.multileg) for one in desk.reports()]
    assert kinds == [("F", "1", 2, "1"), ("4", "4", 2, "1")], "a fill is told once"


def test_a_bust_on_a_leg_ordered_alone_takes_back_the_fill_that_it_names() -> None:
    """Of two fills the first: what is left is the second one's price."""
    desk = ClientDesk(client("F", leg_orders=True))
    desk.do(order(symbol=CU, price="70000", qty=5, time_in_force=DAY))
    desk.answer()
    rule = "C/F/O1-1"
    desk.heard(fill(rule, lots=2, px="69990"), fill(rule, lots=3, px="70000", exec_id="x1"))
    first, second = desk.reports()
    assert (second.ord_status, second.cum_qty, second.avg_px_e9) == ("2", 5, 69_996 * E9)
    desk.heard(fill(rule, lots=-2, px="69990", exec_id="x9", exec_ref_id="x0"), steps=(step(rule, HEDGED, 3, "70000"),))
    (bust,) = desk.reports()
    assert (bust.exec_type, bust.exec_ref_id, bust.cum_qty, bust.last_qty) == ("H", first.exec_id, 3, 2)
    assert bust.avg_px_e9 == 70_000 * E9


def test_a_corrected_fill_keeps_its_lots_and_changes_its_price() -> None:
    """One report, 150=G, that names the one before; the pair's own price follows when the trade has its new one."""
    desk = ClientDesk()
    rule = desk.open(qty=1)
    desk.heard(fill(rule), fill(rule, 1, 1, "9000"), steps=(step(rule, HEDGED, 1, "-200"),))
    leg, _, pair = desk.reports()
    back = fill(rule, lots=-5, exec_id="x9", exec_ref_id="x0")
    desk.heard(back, fill(rule, px="70010", exec_id="x9"), steps=(step(rule, HEDGED, 1, "-190"),))
    corrected, pair_corrected = desk.reports()
    assert (corrected.exec_type, corrected.exec_ref_id, corrected.cum_qty) == ("G", leg.exec_id, 5)
    assert (corrected.last_px_e9, corrected.avg_px_e9, corrected.ord_status) == (70_010 * E9, 70_010 * E9, "2")
    assert (pair_corrected.exec_type, pair_corrected.exec_ref_id) == ("G", pair.exec_id)
    assert (pair_corrected.avg_px_e9, pair_corrected.cum_qty, pair_corrected.ord_status) == (-190 * E9, 1, "2")


def test_lots_that_a_venue_only_counts_are_told_and_their_fill_takes_their_place() -> None:
    """Without an ExecID of the venue when the trade ends; the fill that comes late after all is no second one."""
    desk = ClientDesk()
    rule = desk.open(qty=1)
    legs = ((5, 70_000 * E9), (1, 9000 * E9))
    desk.heard(fill(rule), steps=(step(rule, HEDGED, 1, legs=legs),))
    _, implied, pair = desk.reports()
    assert (implied.symbol, implied.side, implied.exec_type, implied.last_qty) == (CA, "2", "F", 1)
    assert (implied.secondary_exec_id, implied.last_px_e9) == ("", 9000 * E9)
    assert implied.text == "leg 2 of pair trade P1, counted by its venue, which has not told the fill"
    assert (pair.multileg, pair.ord_status) == ("3", "2")
    desk.heard(fill(rule, 1, 1, "9000.5"))
    (told,) = desk.reports()
    assert (told.exec_type, told.exec_ref_id, told.secondary_exec_id) == ("G", implied.exec_id, "x1")
    assert (told.cum_qty, told.avg_px_e9) == (1, 9_000_500_000_000)


def test_a_bust_of_more_units_than_the_last_fill_names_each() -> None:
    """Two units came in two reports; both are taken back, the later one first, and CumQty falls with each."""
    desk = ClientDesk()
    rule = desk.open(qty=2, time_in_force=IOC)
    desk.heard(steps=(step(rule, HEDGED, 1, "-200"),))
    desk.heard(steps=(step(rule, HEDGED, 2, "-150"),))
    assert [(one.last_px_e9, one.avg_px_e9) for one in desk.reports()] == [(-100 * E9, -150 * E9)]
    told = [report.exec_id for _, _, made in desk.history for report in made if isinstance(report, ClientReport)][-2:]
    desk.heard(steps=(step(rule, UNWOUND),))
    assert desk.brief()[:2] == [("H", "4", 1, 0), ("H", "4", 0, 0)]
    assert [one.exec_ref_id for one in desk.reports()[:2]] == told[::-1]


def test_a_resting_order_on_a_leg_is_withdrawn_by_a_command() -> None:
    """WITHDRAW with its rule; its end comes from execution's journal."""
    desk = ClientDesk(client("F", leg_orders=True))
    desk.do(order(symbol=CU, price="70000", qty=3, time_in_force=DAY))
    desk.answer()
    desk.cancel("a", "c", symbol=CU)
    (command,) = desk.asked()
    assert (command.verb, command.argument) == (Verb.WITHDRAW, "C/F/O1-1")
    desk.answer()
    desk.heard(steps=(step("C/F/O1-1", MISSED),))
    assert [(one.exec_type.value, one.text) for one in desk.reports()] == [("4", "by_client")]


def test_a_drop_copy_gets_every_execution_of_its_account_and_nothing_else() -> None:
    """A client's reports as copies, a fill of nobody's order too, none of another account."""
    desk = ClientDesk(client("F"), client("D", drop_copy=True), client("E", drop_copy=True, accounts=("Z",)))
    rule = desk.open()
    desk.heard(fill(rule), steps=(step(rule, HEDGED, 1),))
    assert [one.exec_id for one in desk.reports("D")] == [one.exec_id for one in desk.reports("F")]
    assert all(one.copy for one in desk.reports("D"))
    desk.heard(fill("band", trade_id="P9"))
    (house,) = desk.reports("D")
    assert (house.order_id, house.cl_ord_id, house.last_qty, desk.reports("F")) == ("P9", "C1-1", 5, [])
    assert desk.reports("E") == []


def test_a_drop_copy_hears_what_a_venue_only_counted_of_a_trade_of_the_house() -> None:
    """When the trade ends: the leg of which no fill came; the fill that comes late after all takes its place."""
    accounts = tuple(INSTRUMENTS[name].account for name in (CU, CA))
    desk = ClientDesk(client("F"), client("D", drop_copy=True, accounts=accounts))
    legs = ((5, 70_000 * E9), (1, 9000 * E9))
    desk.heard(fill("band", trade_id="P9"), steps=(step("band", HEDGED, 1, trade_id="P9", legs=legs),))
    first, implied = desk.reports("D")
    assert (first.symbol, implied.symbol, implied.side, implied.last_qty, implied.order_id) == (CU, CA, "2", 1, "P9")
    assert "counted by its venue" in implied.text
    desk.heard(steps=(step("band", HEDGED, 1, trade_id="P9", legs=legs),))
    assert desk.reports("D") == [], "once"
    desk.heard(fill("band", 1, 1, "9000.5", trade_id="P9"), steps=(step("band", HEDGED, 1, trade_id="P9", legs=legs),))
    (told,) = desk.reports("D")
    assert (told.exec_type, told.exec_ref_id, told.cum_qty) == ("G", implied.exec_id, 1)
    assert desk.reports("F") == []


def test_what_is_not_answered_is_asked_again_with_the_same_id() -> None:
    """After a second; an answer ends it."""
    desk = ClientDesk()
    desk.do(order())
    (first,) = desk.changes()
    assert desk.do(Tick(), after_ns=S // 2) == []
    desk.do(Tick(), after_ns=S)
    assert desk.changes() == [first]
    desk.do(CommandAnswered(first.command_id, True, ""))
    assert desk.do(Tick(), after_ns=5 * S) == []


def test_an_order_whose_last_fill_is_never_heard_ends_in_time() -> None:
    """With what is known; a fill that comes later still counts."""
    desk = ClientDesk()
    rule = desk.open(qty=1, time_in_force=IOC)
    desk.standing(rule, EXPIRED, 1, intent_id="I1")
    desk.do(Tick(), after_ns=3 * S)
    assert desk.brief() == [("4", "4", 0, 0)]
    desk.heard(steps=(step(rule, HEDGED, 1),))
    assert desk.brief() == [("F", "2", 1, 0)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symbol": "XX"}, "unknown_symbol: Symbol(55)='XX' is not known; accepted: CU-CA"),
        ({"symbol": CU}, "not_entitled: Symbol(55)='SHFE.cu': this session may not trade it; accepted: CU-CA"),
        ({"account": "A9"}, "account: Account(1)='A9'; accepted: A1"),
        ({"ord_type": "1"}, "order_type: OrdType(40)='1'; accepted: 2 (limit)"),
        ({"time_in_force": GTD}, "expire_time: TimeInForce(59)=6 without a date; accepted: with ExpireTime(126) or"),
        (
            {"time_in_force": GTD, "expire_text": "20261399"},
            "expire_time: ExpireTime(126) or ExpireDate(432)='20261399' is no time; accepted: YYYYMMDD-HH:MM:SS",
        ),
        ({"cl_ord_id": " "}, "cl_ord_id: ClOrdID(11)=' '; accepted: 1 to 64 printable ASCII characters, no blank"),
        ({"cl_ord_id": "a" * 65}, "cl_ord_id: ClOrdID(11)='aaa"),
        ({"cl_ord_id": "\xe9"}, "cl_ord_id: ClOrdID(11)='\\xe9'; accepted: 1 to 64"),
        ({"qty": 0, "qty_text": "1.5"}, "quantity: OrderQty(38)='1.5'; accepted: a whole number, at least 1"),
        ({"qty": 6, "qty_text": "6"}, "max_quantity: OrderQty(38)=6; accepted: at most 5 units of a pair"),
        ({"price_e9": None, "price_text": ""}, "price: Price(44)=''; accepted: a decimal with at most 9 places"),
        ({"legs": ((CU, "2", ""), ("LME.CA", "", ""))}, "legs: leg 'SHFE.cu' LegSide(624)='2'"),
        ({"legs": ((CU, "1", "5"),)}, "legs: NoLegs(555)=1; accepted: LegSymbol(600)=SHFE.cu LegSide(624)=1"),
    ],
)
def test_an_order_that_may_not_be_is_rejected_with_the_tag_the_value_and_what_would_be_right(
    changes: dict[str, object], words: str
) -> None:
    """39=8, and Text(58) begins with the stable name."""
    desk = ClientDesk()
    desk.do(order(**changes))
    (report,) = desk.reports()
    assert (report.exec_type, report.ord_status, words in report.text, desk.changes()) == ("8", "8", True, []), (
        report.text
    )


@pytest.mark.parametrize(
    ("spec", "changes", "words"),
    [
        ({"times_in_force": (IOC,)}, {}, "time_in_force: TimeInForce(59)=1 (GTC); accepted: 3 (IOC)"),
        ({"drop_copy": True}, {}, "read_only: a drop copy session only reads"),
        (
            {"leg_orders": True},
            {"symbol": CU, "time_in_force": IOC, "price_e9": 70_005 * E9, "price_text": "70005"},
            "price: Price(44)=70005",
        ),
        ({"leg_orders": True, "instruments": (FX,)}, {"symbol": FX}, "is a reference and is not traded"),
        ({"leg_orders": True}, {"symbol": CU, "msg_type": "AB", "time_in_force": IOC}, "legs: MsgType(35)=AB on a leg"),
        ({"max_open_orders": 1}, {}, "open_orders: 1 orders are open; accepted: when fewer than 1 are"),
    ],
)
def test_what_a_client_may_not_is_its_entitlement(
    spec: dict[str, object], changes: dict[str, object], words: str
) -> None:
    """Each limit of the site file has its check."""
    desk = ClientDesk(client("F", **spec), client("G"))
    if "max_open_orders" in spec:
        desk.open("first")
    desk.do(order(**changes))
    assert words in desk.reports()[0].text


def test_a_replay_gives_the_same_orders_and_the_same_words() -> None:
    """A new engine that is fed the journal acts alike, and refuses a ClOrdID that the first one took."""
    desk = ClientDesk(client("F"), client("D", drop_copy=True))
    rule = desk.open()
    desk.heard(fill(rule), fill(rule, 1, 1), steps=(step(rule, HEDGED, 1),))
    desk.replace(price="-100", qty=4)
    desk.answer()
    desk.do(switches(armed=False), switches(), Restarted(2), switches(), order("b"))
    again = ClientEngine(settings(client("F"), client("D", drop_copy=True)), 1)
    assert [again.on_event(event, now) for event, now, _ in desk.history] == [made for _, _, made in desk.history]
    desk.engine = again
    desk.do(order("a"))
    assert desk.reports()[0].text.startswith("duplicate_order")
    assert [one.order_id for one in again.orders_of("F")] == ["O1-1", "O2-1"]


def test_a_replay_takes_what_was_taken_whatever_the_site_says_by_now() -> None:
    """Entitlements may be other, a pair may be gone: an order that was acknowledged stays one, a rejected one not."""
    desk = ClientDesk()
    desk.open("a")
    desk.do(order("b", symbol="XX"))
    given = settings(client("F", pairs=(), max_units=1, drop_copy=True))
    again = ClientEngine(msgspec.structs.replace(given, pairs={}), 1)
    for event, now, actions in desk.history:
        again.replay(event, now, actions)
    assert [(one.cl_ord_id, one.asked.qty) for one in again.orders_of("F")] == [("a", 2)]
    assert (again.book.used("F", "b"), again.find("F", "b")) == (True, None)


def test_every_word_of_a_report_can_be_written_down() -> None:
    """Actions are journalled as they are."""
    desk = ClientDesk()
    desk.do(order())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(desk.reports()[0]))[0] == "ClientReport"
    assert desk.reports()[0].symbol == PAIR
