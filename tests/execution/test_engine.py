"""Pair trades from intent to end: given, do, exactly this."""

import msgspec
import pytest
from desk import (
    CA,
    CA_BOOK,
    CA_PX,
    CU,
    CU_BOOK,
    CU_PX,
    E9,
    LEGS,
    MS,
    SETTINGS,
    SUB,
    Desk,
    S,
    brief,
    intent,
    quote,
    settings,
)

from gateway.model.order import (
    BadOrderMessage,
    ExecType,
    MessageRejected,
    OrdStatus,
    PositionEffect,
    Side,
    TimeInForce,
)
from gateway.model.quote import BookState
from gateway.model.site import DispatchMode, InDoubtPolicy
from gateway.model.trade import (
    AskStatus,
    Command,
    CommandAnswered,
    HoursChanged,
    IntentRefused,
    OrderSent,
    OrdersSent,
    OrderState,
    PairPosition,
    PairTradeState,
    PositionChanged,
    ReadBooks,
    Restarted,
    SendCancel,
    SetTimer,
    Verb,
)

HEDGED, UNWOUND, MISSED = PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED
REPAIRING, WAITING, HALTED = PairTradeState.REPAIRING, PairTradeState.WAITING, PairTradeState.HALTED


def test_both_legs_filled_is_hedged() -> None:
    """Fills of every leg at the unit's ratio end the pair trade hedged, with its position booked."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.fill(ca)
    assert desk.state() is HEDGED
    assert desk.announced(PairPosition) == [PairPosition("CU-CA", "band", 1)]
    assert desk.announced(PositionChanged) == [PositionChanged(CA, -1, 0, 0, 0, 0)]
    assert not desk.engine.ledger.open_trades


def test_nothing_filled_is_missed() -> None:
    """Two orders that end unfilled leave nothing to repair."""
    desk = Desk()
    cu, ca = desk.open()
    desk.cancelled(cu)
    desk.reject(ca)
    assert desk.state() is MISSED
    assert desk.announced(PairPosition) == []


def test_a_rejected_leg_is_hedged_again_from_the_book_of_now() -> None:
    """The missing leg is bought on at the touch plus the first pay-up, immediate-or-cancel."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    assert desk.reject(ca)[-1] == ReadBooks("P1-1", (CU, CA))
    desk.books()
    (again,) = desk.orders()
    assert brief([again]) == [(CA, "SELL", 1, CA_PX - 2, "")]
    assert again.time_in_force is TimeInForce.IOC
    assert desk.state() is REPAIRING
    desk.fill(again)
    assert desk.state() is HEDGED
    assert desk.told().attempts == 1


def test_too_dear_a_hedge_is_unwound() -> None:
    """When completing costs more than the budget, the filled leg is closed at today's book."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.reject(ca)
    away = quote(CA, CA_PX - 100, CA_PX - 99)
    desk.books(CU_BOOK, away)
    (back,) = desk.orders()
    assert brief([back]) == [(CU, "SELL", 5, CU_PX - 1 - 2, "T")]
    desk.fill(back)
    assert desk.state() is UNWOUND
    assert desk.filled() == (0, 0)
    assert desk.told().slippage_e9 == 50 * 5 * 5 * E9


def test_a_partial_fill_is_completed_for_the_rest_only() -> None:
    """Of a partly filled leg only what is missing is ordered."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(ca)
    desk.fill(cu, 3)
    desk.cancelled(cu)
    desk.books()
    assert brief(desk.orders()) == [(CU, "BUY", 2, CU_PX + 2, "O")]


def test_a_remainder_that_the_ratio_cannot_hedge_goes_the_cheaper_way() -> None:
    """Three of five lots with nothing on the other side are completed or closed, whichever costs less; never left."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu, 3)
    desk.cancelled(cu)
    desk.cancelled(ca)
    desk.books(quote(CU, CU_PX - 30, CU_PX + 30), CA_BOOK)
    completed = sum(order.qty_lots for order in desk.orders() if order.instrument_id == CU and order.side is Side.BUY)
    closed = sum(order.qty_lots for order in desk.orders() if order.instrument_id == CU and order.side is Side.SELL)
    assert (completed, closed) in {(2, 0), (0, 3)}
    for order in desk.orders():
        desk.fill(order)
    assert desk.state() in {HEDGED, UNWOUND}


def test_the_last_attempt_gone_is_a_person_s() -> None:
    """When every pay-up was tried in vain the pair trade is halted, and its pair opens nothing."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.reject(ca)
    for pay_up in (2, 4, 8):
        desk.books()
        (order,) = desk.orders()
        assert order.px_ticks == CA_PX - pay_up
        desk.cancelled(order)
    assert desk.state() is HALTED
    assert desk.alarms() == ["halted"]
    desk.do(intent(2, desk.at_ns))
    assert [one.name.value for one in desk.announced(IntentRefused)] == ["pair_busy"]


def test_an_attempt_in_vain_waits_for_a_newer_book() -> None:
    """A snapshot venue shows the old book for a while: the attempts are not burnt on it, nor is it waited for for ever."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.reject(ca)
    desk.books()
    desk.cancelled(desk.orders()[0])
    desk.same_books()
    assert (desk.orders(), desk.state()) == ([], WAITING)
    desk.timer("retry:P1-1", 100 * MS)
    desk.books()
    assert [order.px_ticks for order in desk.orders()] == [CA_PX - 4]
    desk.cancelled(desk.orders()[0])
    desk.same_books()
    desk.timer("retry:P1-1", S)
    desk.same_books()
    assert [order.px_ticks for order in desk.orders()] == [CA_PX - 8]


def test_a_fill_counts_once_however_often_it_arrives() -> None:
    """The same execution twice, the second as a possible duplicate, changes the position once."""
    desk = Desk()
    cu, ca = desk.open()
    report = desk.report(cu, ExecType.TRADE, 5)
    desk.do(report)
    desk.do(msgspec.structs.replace(report, poss_dup=True, msg_seq_num=99))
    assert desk.filled() == (5, 0)
    assert desk.engine.ledger.positions[CU].net_lots == 5
    desk.fill(ca)
    assert desk.state() is HEDGED


def test_a_fill_before_the_acknowledgement_counts() -> None:
    """A fill may overtake the acknowledgement of its order."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.ack(cu)
    desk.fill(ca)
    assert desk.state() is HEDGED


def test_an_inferred_fill_is_replaced_by_the_real_one() -> None:
    """CumQty(14) of a final report counts at once; the fill that arrives later is not added."""
    desk = Desk()
    cu, ca = desk.open()
    late = desk.report(ca, ExecType.TRADE, 1)
    desk.fill(cu)
    desk.do(desk.report(ca, ExecType.CANCELED, cum=1))
    assert desk.state() is HEDGED
    desk.do(late)
    assert (desk.state(), desk.filled()) == (HEDGED, (5, 1))
    assert desk.engine.ledger.positions[CA].net_lots == -1


def test_a_late_fill_makes_an_ended_trade_legged_and_it_is_repaired() -> None:
    """A fill after the final word is a new imbalance: it is alarmed and made good."""
    desk = Desk()
    cu, ca = desk.open()
    late = desk.report(cu, ExecType.TRADE, 5)
    desk.cancelled(cu)
    desk.cancelled(ca)
    assert desk.state() is MISSED
    desk.do(late)
    assert "late_fill" in desk.alarms()
    desk.books()
    for order in desk.orders():
        desk.fill(order)
    assert desk.state() in {HEDGED, UNWOUND}


def test_a_bust_is_repaired_and_counts_once() -> None:
    """ExecType(150)=H takes a fill back, once, and the leg is made whole again."""
    desk = Desk()
    cu, ca = desk.open()
    fill = desk.report(ca, ExecType.TRADE, 1)
    desk.do(fill)
    desk.fill(cu)
    bust = desk.report(ca, ExecType.TRADE_CANCEL, 1, cum=0, exec_ref_id=fill.exec_id, ref_exec_key=fill.exec_key)
    desk.do(bust)
    assert desk.alarms()[0] == "fill_busted"
    assert desk.filled() == (5, 0)
    desk.books()
    (again,) = desk.orders()
    desk.do(bust)
    assert desk.filled() == (5, 0)
    desk.fill(again)
    assert desk.state() is HEDGED


def test_a_bust_of_an_ended_trade_survives_a_restart_before_the_books_are_read() -> None:
    """A trade made legged by a bust is open at once: killed before it is repaired, it is repaired after the restart."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    fill = desk.report(ca, ExecType.TRADE, 1)
    desk.do(fill)
    assert desk.state() is HEDGED
    desk.do(desk.report(ca, ExecType.TRADE_CANCEL, 1, cum=0, ref_exec_key=fill.exec_key))
    desk.do(Restarted(2))
    desk.up("SHFE")
    desk.up("LME")
    desk.actions = [one for one in desk.actions if isinstance(one, ReadBooks)] or [ReadBooks("P1-1", (CU, CA))]
    desk.books()
    assert brief(desk.orders()) == [(CA, "SELL", 1, CA_PX - 2, "")]


def test_a_correction_changes_what_was_filled() -> None:
    """ExecType(150)=G replaces the size of a fill."""
    desk = Desk()
    cu, ca = desk.open()
    fill = desk.report(cu, ExecType.TRADE, 5)
    desk.do(fill)
    desk.do(desk.report(cu, ExecType.TRADE_CORRECT, 4, cum=4, ref_exec_key=fill.exec_key))
    assert desk.filled() == (4, 0)
    assert desk.engine.ledger.positions[CU].net_lots == 4
    assert ca


def test_an_off_tick_fill_counts_with_an_alarm() -> None:
    """An execution is never refused: its quantity counts, its price is kept exactly."""
    desk = Desk()
    cu, _ = desk.open()
    desk.fill(cu, last_px="78003.7", last_px_ticks=None)
    assert desk.alarms() == ["off_tick_fill"]
    assert desk.told().legs[0].avg_px_e9 == 78_003_700_000_000


def test_more_filled_than_ordered_is_a_person_s() -> None:
    """A venue that fills six of five is not believed and not guessed about."""
    desk = Desk()
    cu, _ = desk.open()
    desk.fill(cu, 6)
    assert desk.state() is HALTED
    assert desk.told().cause == "overfilled"


def test_an_order_without_a_word_is_cancelled_then_asked_about() -> None:
    """Silence is answered by a cancel, then by questions; never by a second order."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.timer("reply:P1-1", 1500 * MS)
    assert [type(one) for one in desk.actions] == [SendCancel, SetTimer]
    desk.timer("reply:P1-1", 1500 * MS)
    asked = [one for one in desk.actions if isinstance(one, AskStatus)]
    assert [order.cl_ord_id for one in asked for order in one.orders] == [ca.cl_ord_id]
    assert desk.orders() == []


def test_the_fill_that_overtakes_a_cancel_counts() -> None:
    """CxlRejReason(102)=0 and the fill behind it end the order as filled."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.timer("reply:P1-1", 1500 * MS)
    desk.cancel_rejected(ca)
    desk.fill(ca)
    assert desk.state() is HEDGED


def test_a_lost_session_puts_its_orders_in_doubt_and_nothing_is_sent_again() -> None:
    """In doubt, an order is asked about after the next logon; what the venue says decides."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.down("LME")
    assert desk.engine.ledger.orders[ca.cl_ord_id].state is OrderState.IN_DOUBT
    assert (desk.state(), desk.orders()) == (WAITING, [])
    desk.up("LME")
    assert [type(one) for one in desk.actions] == [AskStatus, SetTimer]
    desk.do(desk.report(ca, ExecType.ORDER_STATUS, cum=1, ord_status=OrdStatus.FILLED))
    assert desk.state() is HEDGED


def test_an_order_that_the_venue_never_got_is_repaired_with_a_new_one() -> None:
    """A status answer that the venue does not know the order ends it; its leg is hedged by another order."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.down("LME")
    desk.up("LME")
    desk.do(desk.report(ca, ExecType.ORDER_STATUS, ord_status=OrdStatus.REJECTED, order_id="NONE"))
    desk.books()
    (again,) = desk.orders()
    assert again.cl_ord_id != ca.cl_ord_id
    desk.fill(again)
    assert desk.state() is HEDGED


def test_a_venue_that_forgets_an_order_it_acknowledged_is_a_person_s() -> None:
    """Status answer and journal cannot both be true: the pair trade is halted, both versions on record."""
    desk = Desk()
    _, ca = desk.open()
    desk.ack(ca)
    desk.down("LME")
    desk.up("LME")
    desk.do(desk.report(ca, ExecType.ORDER_STATUS, ord_status=OrdStatus.REJECTED, order_id="NONE"))
    assert (desk.state(), desk.told().cause) == (HALTED, "venue_disagrees")


def test_doubt_beyond_its_limit_is_a_person_s_by_default() -> None:
    """Waiting has an end: the default policy then gives the pair trade to a person."""
    desk = Desk(settings(in_doubt_limit_ns=10 * S))
    cu, _ = desk.open()
    desk.fill(cu)
    desk.down("LME")
    desk.timer("doubt:P1-1", 10 * S - 1)
    assert desk.state() is WAITING
    desk.timer("doubt:P1-1", 1)
    assert (desk.state(), desk.told().cause) == (HALTED, "in_doubt")


def test_doubt_may_be_hedged_in_the_substitute_by_policy() -> None:
    """With hedge_substitute the missing leg is traded in its substitute when the limit is over."""
    legs = (LEGS[0], msgspec.structs.replace(LEGS[1], substitute_id=SUB))
    desk = Desk(settings(legs=legs, in_doubt=InDoubtPolicy.HEDGE_SUBSTITUTE, in_doubt_limit_ns=10 * S))
    cu, ca = desk.open()
    desk.fill(cu)
    desk.timer("reply:P1-1", 1500 * MS)
    for _ in range(3):
        desk.timer("reply:P1-1", 1500 * MS)
    assert desk.engine.ledger.orders[ca.cl_ord_id].state is OrderState.IN_DOUBT
    desk.do(HoursChanged(CA, False, 0, "20260615"))
    desk.timer("doubt:P1-1", 10 * S)
    desk.books(CU_BOOK, CA_BOOK, quote(SUB, CA_PX, CA_PX + 1))
    assert brief(desk.orders()) == [(SUB, "SELL", 1, CA_PX - 2, "")]


def test_doubt_may_be_unwound_by_policy() -> None:
    """With unwind_filled what is known to be filled is closed when the limit is over."""
    desk = Desk(settings(in_doubt=InDoubtPolicy.UNWIND_FILLED, in_doubt_limit_ns=10 * S))
    cu, _ = desk.open()
    desk.fill(cu)
    desk.down("LME")
    desk.timer("doubt:P1-1", 10 * S)
    desk.books()
    assert brief(desk.orders()) == [(CU, "SELL", 5, CU_PX - 1 - 2, "T")]


def test_a_shut_leg_is_waited_for_without_orders() -> None:
    """A leg outside trading hours is not sent into a closed door; it is hedged when it opens."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.reject(ca)
    desk.do(HoursChanged(CA, False, 0, "20260615"), HoursChanged(CU, False, 0, "20260615"))
    desk.actions = [ReadBooks("P1-1", (CU, CA))]
    desk.books()
    assert (desk.state(), desk.orders()) == (WAITING, [])
    desk.do(HoursChanged(CA, True, 0, "20260615"))
    desk.books()
    assert brief(desk.orders()) == [(CA, "SELL", 1, CA_PX - 2, "")]


def test_a_limit_locked_book_is_waited_for() -> None:
    """With no level to trade on, nothing is sent, an alarm names the reason, and a timer looks again."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.reject(ca)
    desk.books(
        quote(CU, CU_PX - 1, CU_PX, state=BookState.SHUT),
        msgspec.structs.replace(CA_BOOK, bids=(), state=BookState.LIMIT_LOCKED),
    )
    assert (desk.state(), desk.orders(), desk.alarms()) == (WAITING, [], ["legged"])
    assert [one.key for one in desk.actions if isinstance(one, SetTimer)] == ["retry:P1-1"]
    desk.timer("retry:P1-1", 100 * MS)
    desk.books()
    assert len(desk.orders()) == 1


def test_legged_time_over_its_limit_is_alarmed_and_counts() -> None:
    """A trade over its legged limit says so for ever, even when it is hedged in the end."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.timer("legged:P1-1", 3 * S)
    assert desk.alarms() == ["legged"]
    desk.fill(ca)
    told = desk.told()
    assert (told.state, told.legged_over_limit, told.legged_ns) == (HEDGED, True, 3 * S)


def test_a_close_takes_yesterday_before_today_and_opens_the_rest() -> None:
    """On SHFE one leg becomes up to three orders, each with its own PositionEffect(77)."""
    desk = Desk(settings(max_units=9))
    for order in desk.open(1, side=Side.SELL):
        desk.fill(order)
    desk.do(HoursChanged(CU, True, 0, "20260615"))
    desk.do(HoursChanged(CU, True, 0, "20260616"))
    first = desk.open(2, side=Side.SELL)
    for order in first:
        desk.fill(order)
    orders = desk.open(3, units=3)
    assert brief(orders)[:3] == [
        (CU, "BUY", 5, CU_PX + 2, "C"),
        (CU, "BUY", 5, CU_PX + 2, "T"),
        (CU, "BUY", 5, CU_PX + 2, "O"),
    ]


def test_the_last_minutes_before_a_break_use_the_largest_pay_up() -> None:
    """A repair that may be the last before a leg shuts does not begin with the smallest price."""
    desk = Desk(settings(shut_reserve_ns=60 * S))
    cu, ca = desk.open()
    desk.do(HoursChanged(CA, True, desk.at_ns + 30 * S, "20260615"))
    desk.fill(cu)
    desk.reject(ca)
    desk.books()
    assert brief(desk.orders()) == [(CA, "SELL", 1, CA_PX - 8, "")]


def test_locking_opens_the_other_side_instead_of_closing() -> None:
    """Where the site wants 锁仓, a sale of what is held opens a short beside the long."""
    table = {**SETTINGS.instruments, CU: msgspec.structs.replace(SETTINGS.instruments[CU], lock=True)}
    desk = Desk(msgspec.structs.replace(SETTINGS, instruments=table))
    for order in desk.open(1):
        desk.fill(order)
    orders = desk.open(2, side=Side.SELL)
    assert brief(orders)[0] == (CU, "SELL", 5, CU_PX - 2, "O")
    for order in orders:
        desk.fill(order)
    position = desk.engine.ledger.positions[CU].report()
    assert (position.net_lots, position.long_today_lots, position.short_today_lots) == (0, 5, 5)


def test_a_fill_told_after_its_trading_day_is_yesterday_s() -> None:
    """TradeDate(75) says which day a fill belongs to; told late, it is closed as an earlier day's."""
    desk = Desk()
    desk.do(HoursChanged(CU, True, 0, "20260615"))
    cu, _ = desk.open()
    desk.do(HoursChanged(CU, True, 0, "20260616"))
    desk.fill(cu, trade_date="20260615")
    position = desk.engine.ledger.positions[CU].report()
    assert (position.long_today_lots, position.long_yesterday_lots) == (0, 5)


def test_a_release_gives_a_new_budget_of_orders() -> None:
    """A trade given to a person for too many orders can be handed back: the limit counts those since."""
    desk = Desk(settings(max_orders_per_trade=3))
    cu, ca = desk.open()
    desk.fill(cu)
    desk.reject(ca)
    desk.books()
    desk.cancelled(desk.orders()[0])
    assert (desk.state(), desk.told().cause) == (HALTED, "too_many_orders")
    desk.command(Verb.RELEASE, "P1-1")
    desk.books()
    (again,) = desk.orders()
    desk.fill(again)
    assert desk.state() is HEDGED


def test_a_refused_close_is_followed_by_a_question_about_the_day_s_orders() -> None:
    """A venue that holds less than we think says so by refusing the close; what it says of all orders shows why."""
    desk = Desk()
    for order in desk.open(1):
        desk.fill(order)
    cu, _ = desk.open(2, side=Side.SELL)
    assert brief([cu]) == [(CU, "SELL", 5, CU_PX - 2, "T")]
    desk.reject(cu)
    assert [(one.venue_id, one.orders) for one in desk.actions if isinstance(one, AskStatus)] == [("SHFE", ())]


def test_an_answer_that_counts_less_than_our_fills_is_a_person_s() -> None:
    """A bust that was lost shows in a newer status answer: both versions are shown and the instrument is frozen."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu, venue_ns=5)
    desk.fill(ca, venue_ns=5)
    answer = desk.report(cu, ExecType.ORDER_STATUS, cum=0, ord_status=OrdStatus.CANCELED)
    desk.do(msgspec.structs.replace(answer, venue_ns=5))
    assert desk.state() is HEDGED
    desk.do(msgspec.structs.replace(answer, venue_ns=6))
    assert (desk.state(), desk.told().cause) == (HALTED, "venue_disagrees")
    assert desk.engine.ledger.unexplained == {CU: f"{cu.cl_ord_id}: our fills 5 lots, the venue's CumQty(14) 0"}


def test_a_close_of_today_told_after_the_day_takes_from_what_is_yesterday_s_now() -> None:
    """When the day changes with a close-today on its way, its fill and what it froze move with the lots."""
    desk = Desk()
    desk.do(HoursChanged(CU, True, 0, "20260615"))
    for order in desk.open(1):
        desk.fill(order)
    cu, ca = desk.open(2, side=Side.SELL)
    assert brief([cu]) == [(CU, "SELL", 5, CU_PX - 2, "T")]
    desk.do(HoursChanged(CU, True, 0, "20260616"))
    desk.fill(cu, trade_date="20260615")
    desk.fill(ca)
    position = desk.engine.ledger.positions[CU].report()
    assert (position.net_lots, position.long_today_lots, position.long_yesterday_lots) == (0, 0, 0)
    for order in desk.open(3):
        desk.fill(order)
    assert brief(desk.open(4, side=Side.SELL))[0] == (CU, "SELL", 5, CU_PX - 2, "T")


@pytest.mark.parametrize("days", [1, 2])
@pytest.mark.parametrize("told", ["20260615", ""])
def test_a_bust_told_after_the_day_gives_back_what_is_yesterday_s_now(days: int, told: str) -> None:
    """A close-today that is taken back on a later day leaves lots of an earlier day, whether the venue names its day
    or not; so does the opening that is taken back take from them.
    """
    desk = Desk(settings(max_units=9))
    desk.do(HoursChanged(CU, True, 0, "20260615"))
    opened = desk.open(1)
    for order in opened:
        desk.fill(order)
    closed = desk.open(2, side=Side.SELL)
    assert brief(closed[:1]) == [(CU, "SELL", 5, CU_PX - 2, "T")]
    for order in closed:
        desk.fill(order)
    for day in range(1, days + 1):
        desk.do(HoursChanged(CU, True, 0, str(20260615 + day)))
    position = desk.engine.ledger.positions[CU]
    bust = desk.report(closed[0], ExecType.TRADE_CANCEL, cum=0, ref_exec_key="SHFE|3", exec_key="B1", trade_date=told)
    desk.do(bust)
    assert (position.report().long_today_lots, position.report().long_yesterday_lots) == (0, 5)
    assert position.effects(Side.SELL, 5) == [(5, PositionEffect.CLOSE)]
    bust = desk.report(opened[0], ExecType.TRADE_CANCEL, cum=0, ref_exec_key="SHFE|1", exec_key="B2", trade_date=told)
    desk.do(bust)
    assert (position.net_lots, position.report().long_today_lots, position.report().long_yesterday_lots) == (0, 0, 0)


def test_a_residual_is_booked_and_traded_away_when_it_adds_up_to_a_lot() -> None:
    """Each unit bought leaves 0.4 lots too many: after three of them one lot is sold, and 0.2 stay booked."""
    desk = Desk(settings(residual_lots_e9=400_000_000, max_units=9))
    for number in (1, 2, 3):
        for order in desk.open(number):
            desk.fill(order)
        desk.timer("residual:CU-CA", 1)
    assert desk.actions == [ReadBooks("residual|CU-CA", (CU,))]
    desk.books(CU_BOOK)
    (order,) = desk.orders()
    assert brief([order]) == [(CU, "SELL", 1, CU_PX - 1 - 2, "T")]
    desk.fill(order)
    assert desk.announced(PairPosition) == [PairPosition("CU-CA", "residual", -1, 200_000_000)]
    assert desk.engine.ledger.pair_units == {"CU-CA": 3}
    assert desk.engine.ledger.positions[CU].net_lots == 14


def test_a_residual_of_a_pair_that_is_led_by_its_other_leg_is_one_leg() -> None:
    """What the ratio left over has no lead and no hedge, whatever mode its pair is dispatched in."""
    desk = Desk(settings(residual_lots_e9=10**9, dispatch=DispatchMode.LEAD_THEN_HEDGE, lead_leg=1))
    (ca,) = desk.open(1)
    desk.fill(ca)
    desk.fill(desk.orders()[0])
    desk.timer("residual:CU-CA", 1)
    desk.books(CU_BOOK)
    (order,) = desk.orders()
    desk.fill(order)
    assert desk.announced(PairPosition) == [PairPosition("CU-CA", "residual", -1, 0)]


def test_a_residual_that_is_not_filled_stays_booked() -> None:
    """An order in vain changes nothing of what is booked; it is tried when the next pair trade ends."""
    desk = Desk(settings(residual_lots_e9=-E9))
    for order in desk.open():
        desk.fill(order)
    desk.timer("residual:CU-CA", 1)
    desk.books(CU_BOOK)
    (order,) = desk.orders()
    assert order.side is Side.BUY
    desk.cancelled(order)
    assert desk.engine.ledger.residual_e9 == {"CU-CA": -E9}
    desk.timer("residual:CU-CA", 1)
    assert desk.actions == [ReadBooks("residual|CU-CA", (CU,))]


def test_prompts_are_kept_apart() -> None:
    """A purchase of one day and a sale of the next leave two prompts, not zero."""
    desk = Desk()
    desk.do(HoursChanged(CA, True, 0, "20260615", "20260915"))
    for order in desk.open(1):
        desk.fill(order)
    desk.do(HoursChanged(CA, True, 0, "20260616", "20260916"))
    for order in desk.open(2, side=Side.SELL):
        desk.fill(order)
    position = desk.engine.ledger.positions[CA].report()
    assert (position.net_lots, position.by_prompt) == (0, (("20260915", -1), ("20260916", 1)))


@pytest.mark.parametrize("told", ["20260615", ""])
def test_a_fill_told_after_the_day_is_of_its_day_s_prompt(told: str) -> None:
    """The contract of Monday has Monday's prompt, whenever its fill, or a bust of it, is told."""
    desk = Desk()
    desk.do(HoursChanged(CA, True, 0, "20260615", "20260917"))
    _, ca = desk.open(1)
    desk.do(HoursChanged(CA, True, 0, "20260616", "20260918"))
    fill = desk.report(ca, ExecType.TRADE, 1, trade_date=told)
    desk.do(fill)
    position = desk.engine.ledger.positions[CA]
    assert position.report().by_prompt == (("20260917", -1),)
    desk.do(HoursChanged(CA, True, 0, "20260617", "20260919"))
    bust = desk.report(ca, ExecType.TRADE_CANCEL, cum=0, ref_exec_key=fill.exec_key, exec_key="B1", trade_date=told)
    desk.do(bust)
    assert (position.net_lots, position.report().by_prompt) == (0, ())


def test_lead_then_hedge_hedges_each_whole_unit_once() -> None:
    """The lead goes first; each unit that it fills is hedged at once, and never twice."""
    desk = Desk(settings(dispatch=DispatchMode.LEAD_THEN_HEDGE, lead_leg=0))
    (cu,) = desk.open(1, units=2)
    desk.fill(cu, 4)
    assert desk.orders() == []
    desk.fill(cu, 1)
    (first,) = desk.orders()
    assert brief([first]) == [(CA, "SELL", 1, CA_PX - 2, "")]
    desk.fill(first)
    assert desk.orders() == []
    desk.fill(cu, 5)
    (second,) = desk.orders()
    desk.fill(second)
    assert (desk.state(), desk.filled()) == (HEDGED, (10, 2))


def test_arrival_aligned_holds_the_nearer_leg_and_judges_it_again() -> None:
    """The nearer leg leaves later by the difference of one-way delays, if it still may."""
    desk = Desk(settings(dispatch=DispatchMode.ARRIVAL_ALIGNED))
    for order, delay_ns in zip(desk.open(1), (2 * MS, 160 * MS), strict=True):
        desk.at_ns += delay_ns
        desk.fill(order, recv_ns=desk.engine.ledger.orders[order.cl_ord_id].sent_ns + delay_ns)
    (far,) = desk.open(2)
    assert far.instrument_id == CA
    desk.do(intent(3, desk.at_ns))
    desk.timer("release:P1-2:0", 79 * MS)
    assert [order.instrument_id for order in desk.orders()] == [CU]


def test_a_held_leg_that_may_not_leave_is_left_to_repair() -> None:
    """A leg refused at its release is not sent; what the other leg filled is made good by repair."""
    desk = Desk(settings(dispatch=DispatchMode.ARRIVAL_ALIGNED))
    for order, delay_ns in zip(desk.open(1), (2 * MS, 160 * MS), strict=True):
        desk.fill(order, recv_ns=desk.engine.ledger.orders[order.cl_ord_id].sent_ns + delay_ns)
    (far,) = desk.open(2)
    desk.do(HoursChanged(CU, False, 0, "20260615"))
    desk.timer("release:P1-2:0", 79 * MS)
    assert (desk.orders(), desk.alarms()) == ([], ["release_refused"])
    desk.fill(far)
    desk.books()
    assert brief(desk.orders()) == [(CA, "BUY", 1, CA_PX + 1 + 2, "")]


def test_quote_then_hedge_rests_where_the_pair_meets_its_threshold() -> None:
    """The lead rests at the furthest price at which the hedge at today's book still meets the threshold."""
    desk = Desk(settings(dispatch=DispatchMode.QUOTE_THEN_HEDGE, lead_leg=0, charges_e9=0))
    desk.do(intent(1, desk.at_ns, threshold_e9=-100 * E9))
    desk.books()
    (resting,) = desk.orders()
    # 19500 ticks of 0.5 are 9750 USD/t; x 7 x 1.13 = 77122.5 CNY/t, less 100: 77022.5, so 7702 ticks of 10.
    assert brief([resting]) == [(CU, "BUY", 5, 7702, "O")]
    assert resting.time_in_force is TimeInForce.DAY
    desk.ack(resting)
    desk.timer("quote:P1-1", 250 * MS)
    desk.books(CU_BOOK, quote(CA, CA_PX - 20, CA_PX - 19))
    assert [type(one) for one in desk.actions] == [SendCancel]
    desk.cancelled(resting)
    assert desk.state() is PairTradeState.WORKING
    desk.timer("quote:P1-1", 250 * MS)
    desk.books()
    (anew,) = desk.orders()
    desk.fill(anew)
    (hedge,) = desk.orders()
    assert hedge.instrument_id == CA
    desk.fill(hedge)
    assert desk.state() is HEDGED


def test_kill_hold_cancels_and_sends_nothing_more() -> None:
    """After kill --hold a legged trade is left as it is, for a person."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.command(Verb.KILL_HOLD)
    assert next(type(one) for one in desk.actions) is SendCancel
    desk.cancelled(ca)
    assert (desk.state(), desk.told().cause, desk.orders()) == (HALTED, "killed", [])


def test_kill_balance_cancels_and_then_balances() -> None:
    """After kill --balance open orders are cancelled and only orders that balance are sent."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.command(Verb.KILL_BALANCE)
    desk.cancelled(ca)
    desk.books()
    for order in desk.orders():
        desk.fill(order)
    assert desk.state() in {HEDGED, UNWOUND}
    desk.do(intent(2, desk.at_ns))
    assert [one.name.value for one in desk.announced(IntentRefused)] == ["disarmed"]


def test_a_trade_taken_over_is_not_hedged_twice() -> None:
    """The person who closes a leg by telephone is not followed by the machine: takeover, fill add, release."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.command(Verb.TAKEOVER, "P1-1", "t1")
    desk.cancelled(ca)
    assert (desk.state(), desk.orders()) == (HALTED, [])
    desk.command(Verb.FILL_ADD, "P1-1 2 sell 1 9751.5 PHONE1", "t2")
    assert desk.filled() == (5, 1)
    desk.command(Verb.FILL_ADD, "P1-1 2 sell 1 9751.5 PHONE1", "t3")
    assert desk.filled() == (5, 1)
    told_again = desk.report(ca, ExecType.TRADE, 1, cl_ord_id="PHONE", exec_id="PHONE1")
    desk.do(told_again)
    assert desk.engine.ledger.unexplained == {}
    desk.command(Verb.RELEASE, "P1-1", "t4")
    assert desk.state() is HEDGED


def test_a_fill_that_nobody_ordered_is_assigned_by_a_person() -> None:
    """A fill of an order that is not ours freezes the instrument until somebody says where it belongs."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.command(Verb.TAKEOVER, "P1-1", "t1")
    desk.cancelled(ca)
    desk.do(desk.report(ca, ExecType.TRADE, 1, cl_ord_id="DESK", order_id="D1", exec_id="D77"))
    assert desk.alarms() == ["unknown_order"]
    assert desk.filled() == (5, 0)
    desk.command(Verb.FILL_ASSIGN, "P1-1 2 D77", "t2")
    assert desk.filled() == (5, 1)
    assert desk.engine.ledger.unexplained == {}


def test_a_command_is_done_once_and_needs_a_name_and_a_reason() -> None:
    """The same command id twice is answered twice and done once; one without a name is refused."""
    desk = Desk()
    desk.command(Verb.DISARM, number="d")
    desk.command(Verb.ARM, number="a")
    desk.command(Verb.DISARM, number="d")
    assert desk.engine.ledger.armed
    answer = desk.announced(CommandAnswered)[0]
    assert isinstance(answer, CommandAnswered)
    assert answer.done
    desk.do(msgspec.structs.replace(desk_command(), who=""))
    answer = desk.announced(CommandAnswered)[0]
    assert isinstance(answer, CommandAnswered)
    assert not answer.done


def desk_command() -> Command:
    return Command("n", Verb.DISARM, "li", "test")


def test_stop_opens_nothing_and_lets_open_trades_end() -> None:
    """A stop request means: no new trades, then balanced, then stopped."""
    desk = Desk()
    cu, ca = desk.open()
    desk.command(Verb.STOP)
    desk.fill(cu)
    desk.reject(ca)
    desk.books()
    for order in desk.orders():
        desk.fill(order)
    assert (desk.state(), desk.engine.status(desk.at_ns).open_trades) == (HEDGED, 0)


def test_a_restart_doubts_what_was_open_and_is_disarmed() -> None:
    """A fresh engine that is fed the journal and told of the restart asks, and sends nothing."""
    desk = Desk()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.do(Restarted(2))
    assert desk.engine.ledger.orders[ca.cl_ord_id].state is OrderState.IN_DOUBT
    assert not desk.engine.ledger.armed
    desk.up("SHFE")
    assert desk.engine.ledger.venues["SHFE"].reconciled
    desk.up("LME")
    assert [type(one) for one in desk.actions] == [AskStatus, SetTimer]
    desk.do(desk.report(ca, ExecType.ORDER_STATUS, cum=0, ord_status=OrdStatus.NEW))
    assert desk.engine.ledger.orders[ca.cl_ord_id].state is OrderState.WORKING
    desk.fill(ca)
    assert desk.state() is HEDGED


def test_ids_of_a_new_incarnation_never_repeat() -> None:
    """ClOrdID(11) carries the incarnation."""
    desk = Desk()
    before = {order.cl_ord_id for order in desk.open()}
    desk.do(Restarted(2))
    desk.up("SHFE")
    desk.up("LME")
    for order in list(desk.engine.ledger.open_orders.values()):
        desk.do(desk.report(order.order, ExecType.ORDER_STATUS, ord_status=OrdStatus.REJECTED, order_id="NONE"))
    desk.command(Verb.ARM, number="again")
    after = {order.cl_ord_id for order in desk.open(5, incarnation=2)}
    assert len(before | after) == 4


def test_an_unsent_order_is_no_order() -> None:
    """An order that its session did not take ends at once, with an alarm, and the other leg is repaired."""
    desk = Desk()
    desk.do(intent())
    cu, ca = desk.orders()
    desk.do(OrdersSent(desk.at_ns, (OrderSent(cu.cl_ord_id, desk.at_ns, 1), OrderSent(ca.cl_ord_id, 0, 0, "down"))))
    assert desk.alarms() == ["send_failed"]
    desk.fill(cu)
    desk.books()
    assert brief(desk.orders()) == [(CA, "SELL", 1, CA_PX - 2, "")]


def test_a_message_that_the_venue_refuses_ends_its_order() -> None:
    """35=3 or 35=j for an order of ours: it never lived."""
    desk = Desk()
    cu, ca = desk.open()
    desk.do(MessageRejected("LME", 0, 7, "D", ca.cl_ord_id, "5", "value is incorrect"))
    assert desk.engine.ledger.orders[ca.cl_ord_id].state is OrderState.DONE
    desk.fill(cu)
    assert any(isinstance(one, ReadBooks) for one in desk.actions)


def test_a_message_that_cannot_be_read_is_alarmed_and_asked_about() -> None:
    """Nothing is guessed from it; the order it names is asked about."""
    desk = Desk()
    _, ca = desk.open()
    desk.do(BadOrderMessage("LME", 0, 9, "8", ca.cl_ord_id, "CumQty(14) -1"))
    assert desk.alarms() == ["bad_message"]
    assert any(isinstance(one, AskStatus) for one in desk.actions)


def test_a_state_that_is_not_in_the_standard_changes_nothing() -> None:
    """An unknown ExecType(150) is alarmed, and the order stays where it was."""
    desk = Desk()
    _, ca = desk.open()
    desk.do(desk.report(ca, ExecType.UNKNOWN, ord_status=None))
    assert desk.alarms() == ["unknown_exec_type"]
    assert desk.engine.ledger.orders[ca.cl_ord_id].state is OrderState.SENT


def test_an_order_thought_ended_that_is_open_is_cancelled() -> None:
    """When the venue shows an order open that we took for ended, it is cancelled at once."""
    desk = Desk()
    cu, ca = desk.open()
    desk.cancelled(cu)
    desk.reject(ca)
    desk.do(desk.report(ca, ExecType.ORDER_STATUS, cum=0, ord_status=OrdStatus.NEW))
    assert any(isinstance(one, SendCancel) for one in desk.actions)


def test_replay_gives_the_same_actions_byte_for_byte() -> None:
    """Fed the same events at the same times, a fresh engine decides the same."""
    desk = Desk()
    log: list[tuple[object, int, bytes]] = []
    encode = msgspec.msgpack.encode

    def watch(event: object, at_ns: int) -> list[object]:
        actions = original(event, at_ns)
        log.append((event, at_ns, encode(actions)))
        return actions

    original = desk.engine.on_event
    desk.engine.on_event = watch  # type: ignore[assignment,method-assign] # a listener in between
    cu, ca = desk.open()
    desk.fill(cu, 3)
    desk.cancelled(cu)
    desk.fill(ca)
    desk.books()
    for order in desk.orders():
        desk.fill(order)
    again = Desk().engine
    assert [encode(again.on_event(event, at_ns)) for event, at_ns, _ in log] == [was for _, _, was in log]  # type: ignore[arg-type]
