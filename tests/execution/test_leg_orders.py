"""Orders on one leg, asked for by a client as a command: the gate, the order, its end."""

from fractions import Fraction

import msgspec
import pytest
from desk import CA, CU, SETTINGS, Desk, S, brief

from gateway.model.order import ExecType, TimeInForce
from gateway.model.site import FormulaKind, LegSpec, PairSpec
from gateway.model.trade import CommandAnswered, OrderSent, OrdersSent, PairTradeState, SendCancel, Verb

LEG = LegSpec(CU, 1, Fraction(1), "", None, 0, TimeInForce.IOC, 5 * S)
ALONE = PairSpec(CU, FormulaKind.SPREAD, "CNY", "t", 0, (LEG,), S, 0, (0,), 60 * S, 5 * S, 10**6, 10**6)
GIVEN = msgspec.structs.replace(SETTINGS, pairs={**SETTINGS.pairs, CU: ALONE})


def answered(desk: Desk) -> tuple[bool, str]:
    """What the last command came to."""
    told = desk.announced(CommandAnswered)[-1]
    assert isinstance(told, CommandAnswered)
    return told.done, told.text


def test_an_immediate_order_leaves_at_the_limit_that_was_asked_and_holds_what_was_filled() -> None:
    """Five of ten lots filled, the rest cancelled by the venue: hedged with five, and no repair."""
    desk = Desk(GIVEN)
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 1 10 7800 3")
    assert answered(desk) == (True, "P1-1")
    assert brief(desk.orders()) == [(CU, "BUY", 10, 7800, "O")]
    (order,) = desk.orders()
    assert order.time_in_force is TimeInForce.IOC
    desk.do(OrdersSent(desk.at_ns, (OrderSent(order.cl_ord_id, desk.at_ns, 7),)))
    desk.fill(order, 5)
    desk.cancelled(order)
    assert (desk.state(), desk.told().hedged_units, desk.orders()) == (PairTradeState.HEDGED, 5, [])


def test_an_order_for_the_day_rests_until_it_is_withdrawn() -> None:
    """No timer chases it; WITHDRAW cancels it at its venue, and nothing filled is missed."""
    desk = Desk(GIVEN)
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 2 3 7800 0")
    (order,) = desk.orders()
    assert order.time_in_force is TimeInForce.DAY
    desk.do(OrdersSent(desk.at_ns, (OrderSent(order.cl_ord_id, desk.at_ns, 7),)))
    desk.ack(order)
    assert not [one for one in desk.timer("reply:P1-1", 10 * S) if isinstance(one, SendCancel)]
    desk.command(Verb.WITHDRAW, "C/F/O1-1", "c2")
    assert answered(desk) == (True, "P1-1")
    assert [one.order.cl_ord_id for one in desk.actions if isinstance(one, SendCancel)] == [order.cl_ord_id]
    desk.cancelled(order)
    assert desk.state() is PairTradeState.MISSED


@pytest.mark.parametrize(
    ("kind", "filled", "state"),
    [
        (ExecType.EXPIRED, 0, PairTradeState.MISSED),
        (ExecType.EXPIRED, 2, PairTradeState.HEDGED),
        (ExecType.CANCELED, 1, PairTradeState.HEDGED),
        (ExecType.REJECTED, 0, PairTradeState.MISSED),
    ],
)
def test_an_order_for_the_day_that_its_venue_ends_is_over(kind: ExecType, filled: int, state: PairTradeState) -> None:
    """Expired at the close, cancelled or refused there: nothing is waited for, and what was filled is held."""
    desk = Desk(GIVEN)
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 2 3 7800 0")
    (order,) = desk.orders()
    desk.do(OrdersSent(desk.at_ns, (OrderSent(order.cl_ord_id, desk.at_ns, 7),)))
    if kind is not ExecType.REJECTED:
        desk.ack(order)
    if filled:
        desk.fill(order, filled)
        assert desk.state() is PairTradeState.WORKING
    desk.do(desk.report(order, kind))
    assert (desk.state(), desk.told().hedged_units, desk.engine.ledger.open_trades) == (state, filled, {})


def test_a_fill_or_kill_order_is_the_venues_own() -> None:
    """TimeInForce(59)=4 goes to a venue that offers it; what it kills is missed whole."""
    desk = Desk(GIVEN)
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 1 10 7800 4")
    (order,) = desk.orders()
    assert (order.time_in_force, order.qty_lots) == (TimeInForce.FOK, 10)
    desk.do(OrdersSent(desk.at_ns, (OrderSent(order.cl_ord_id, desk.at_ns, 7),)))
    desk.cancelled(order)
    assert desk.state() is PairTradeState.MISSED


def test_a_fill_or_kill_order_is_refused_where_the_venue_has_none() -> None:
    """LME of this desk offers Day, GTC and IOC."""
    leg = msgspec.structs.replace(LEG, instrument_id=CA)
    alone = msgspec.structs.replace(ALONE, pair_id=CA, currency="USD", legs=(leg,))
    desk = Desk(msgspec.structs.replace(SETTINGS, pairs={**SETTINGS.pairs, CA: alone}))
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CA} 1 1 19500 4")
    words = "fok: TimeInForce(59)=4 (FOK) is not offered by LME; accepted: 3 (IOC), 0 (DAY)"
    assert (answered(desk), desk.sent) == ((False, words), [])


def test_a_fill_or_kill_order_of_two_position_effects_is_refused() -> None:
    """Three of today's long lots are held: a sale of five would be a close and an opening, each killed by itself."""
    desk = Desk(GIVEN)
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 1 3 7800 3", "c1")
    (bought,) = desk.orders()
    desk.do(OrdersSent(desk.at_ns, (OrderSent(bought.cl_ord_id, desk.at_ns, 7),)))
    desk.fill(bought)
    desk.command(Verb.LEG_ORDER, f"C/F/O1-2 {CU} 2 5 7800 4", "c2")
    words = "fok: 5 lots would be 2 orders (3 lots close_today, 2 lots open); accepted: 3 lots, or 3 (IOC)"
    assert (answered(desk), desk.orders()) == ((False, words), [])
    desk.command(Verb.LEG_ORDER, f"C/F/O1-3 {CU} 2 3 7800 4", "c3")
    assert brief(desk.orders()) == [(CU, "SELL", 3, 7800, "T")]


def test_what_was_withdrawn_before_it_came_is_never_sent() -> None:
    """The order's command was lost and comes again after its withdrawal."""
    desk = Desk(GIVEN)
    desk.command(Verb.WITHDRAW, "C/F/O1-1", "c1")
    assert answered(desk) == (False, "no open order of 'C/F/O1-1'")
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 1 1 7800 0", "c2")
    assert (answered(desk), desk.sent) == ((False, "withdrawn: C/F/O1-1 was withdrawn before it came"), [])


def test_the_same_command_twice_is_one_order() -> None:
    """The second one gets the first one's answer."""
    desk = Desk(GIVEN)
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 1 1 7800 3")
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 1 1 7800 3")
    assert (answered(desk), len(desk.sent)) == ((True, "P1-1"), 1)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        (f"C/F/O1-1 {CU} 1 101 7800 3", "max_size: SHFE.cu: 101 lots, at most 100"),
        ("C/F/O1-1 LME.CA 1 1 7800 3", "LME.CA: no instrument that the site lets clients order alone"),
        (f"C/F/O1-1 {CU} 1 1 7800 1", "TIME_IN_FORCE one of 3, 0, 4"),
        (f"C/F/O1-1 {CU} 3 1 7800 3", "in FIX's characters and whole numbers"),
        ("C/F/O1-1", "RULE INSTRUMENT SIDE LOTS PX_TICKS TIME_IN_FORCE"),
    ],
)
def test_what_may_not_be_is_refused_by_name(argument: str, words: str) -> None:
    """Nothing leaves, and the answer says what would be right."""
    desk = Desk(GIVEN)
    desk.command(Verb.LEG_ORDER, argument)
    done, text = answered(desk)
    assert (done, words in text, desk.sent) == (False, True, []), text


def test_a_disarmed_execution_refuses_it() -> None:
    """It passes the same gate as an intent."""
    desk = Desk(GIVEN)
    desk.command(Verb.DISARM)
    desk.command(Verb.LEG_ORDER, f"C/F/O1-1 {CU} 1 1 7800 3", "c2")
    assert answered(desk) == (False, "disarmed: execution is not armed")
