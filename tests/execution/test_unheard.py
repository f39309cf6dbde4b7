"""Words of a venue that were lost: what is asked about, and until when."""

import msgspec
from desk import CA, SETTINGS, Desk, S

from gateway.model.order import BadOrderMessage, ExecType, OrdStatus
from gateway.model.trade import AskStatus, PairTradeState, Verb


def asked(desk: Desk) -> list[tuple[str, list[str], bool]]:
    """Venue, ClOrdIDs, and whether all orders are asked about by a mass status."""
    found = [one for one in desk.actions if isinstance(one, AskStatus)]
    return [(one.venue_id, [order.cl_ord_id for order in one.orders], one.mass) for one in found]


def hedged() -> tuple[Desk, str]:
    """A hedged pair trade; the ClOrdID(11) of its order at LME."""
    desk = Desk()
    orders = desk.open()
    for order in orders:
        desk.fill(order, venue_ns=5)
    return desk, orders[1].cl_ord_id


def test_an_unreadable_message_about_an_ended_order_is_asked_about_until_it_is_answered() -> None:
    """It may have been a late fill or a bust: the question is put again, and no more once it was answered."""
    desk, name = hedged()
    desk.do(BadOrderMessage("LME", 0, 9, "8", name, "CumQty(14) is no number"))
    assert asked(desk) == [("LME", [name], False)]
    desk.timer("status:LME", 2 * S)
    assert asked(desk) == [("LME", [name], False)]
    order = desk.engine.ledger.orders[name].order
    desk.do(desk.report(order, ExecType.ORDER_STATUS, cum=1, ord_status=OrdStatus.FILLED))
    desk.timer("status:LME", 2 * S)
    assert asked(desk) == []


def test_the_answer_shows_a_bust_that_nobody_could_read() -> None:
    """The trade is given to a person with both versions, and the instrument is frozen."""
    desk, name = hedged()
    desk.do(BadOrderMessage("LME", 0, 9, "8", name, "LastQty(32) is no number"))
    answer = desk.report(desk.engine.ledger.orders[name].order, ExecType.ORDER_STATUS, cum=0, venue_ns=9)
    desk.do(msgspec.structs.replace(answer, ord_status=OrdStatus.CANCELED))
    assert (desk.state(), desk.told().cause) == (PairTradeState.HALTED, "venue_disagrees")
    assert CA in desk.engine.ledger.unexplained


def test_a_fill_that_an_answer_newer_than_it_did_not_count_is_asked_about() -> None:
    """The fill comes late, its bust was lost, and the answer in between knew of both: the next answer shows it."""
    desk = Desk()
    _, ca = desk.open()
    answer = desk.report(ca, ExecType.ORDER_STATUS, cum=0, ord_status=OrdStatus.CANCELED, venue_ns=9)
    desk.do(answer)
    desk.fill(ca, venue_ns=5)
    assert asked(desk) == [("LME", [ca.cl_ord_id], False)]
    desk.do(msgspec.structs.replace(answer, venue_ns=12))
    assert (desk.state(), desk.told().cause) == (PairTradeState.HALTED, "venue_disagrees")


def test_after_numbers_were_set_anew_the_orders_that_ended_of_late_are_asked_about() -> None:
    """What the venue said meanwhile is never said again; the question finds it, on a venue without a mass status too."""
    desk, name = hedged()
    desk.down("LME")
    desk.command(Verb.RESET_NUMBERS, "LME orders 1 1")
    assert not SETTINGS.venues["LME"].mass_status
    desk.up("LME")
    assert asked(desk) == [("LME", [name], True)]
    desk.down("LME")
    desk.up("LME")
    assert asked(desk) == [("LME", [name], True)], "until it is answered"
    order = desk.engine.ledger.orders[name].order
    desk.do(desk.report(order, ExecType.ORDER_STATUS, cum=1, ord_status=OrdStatus.FILLED))
    desk.down("LME")
    desk.up("LME")
    assert asked(desk) == []


def test_one_overdue_order_does_not_ask_for_all_orders_of_the_day() -> None:
    """A mass status may be answered with every order of the day: it is for a logon, not for one order."""
    desk = Desk()
    cu, _ = desk.open()
    desk.timer("reply:P1-1", 2 * S)
    desk.timer("reply:P1-1", 2 * S)
    assert [one for one in asked(desk) if one[0] == "SHFE"] == [("SHFE", [cu.cl_ord_id], False)]
