"""Executions that are told twice, by drop copy, by a person, or of nobody's order; messages refused without a name."""

import msgspec
import pytest
from desk import CA, CU, SETTINGS, VENUES, Desk, S, settings

from gateway.model.order import (
    BadOrderMessage,
    ExecType,
    ExecutionReport,
    MessageRejected,
    OrdStatus,
    SessionChanged,
    Side,
)
from gateway.model.trade import Alarm, AskStatus, CommandAnswered, OrderState, ResetNumbers, SetTimer, Verb


def copied(report: ExecutionReport, **changes: object) -> ExecutionReport:
    """The same by drop copy, under a number of that session."""
    return msgspec.structs.replace(report, copied=True, msg_seq_num=900, **changes)


def telephone(exec_id: str = "T77", side: Side = Side.BUY, lots: int = 5, **changes: object) -> ExecutionReport:
    """A fill of a trader's order, as the drop copy tells it."""
    made = ExecutionReport(
        "SHFE", S, 0, 901, False, "TEL-1", "", "X1", exec_id, f"SHFE|A1|20260105|{side}|{exec_id}", "", ExecType.TRADE,
        OrdStatus.FILLED, CU, side, lots, lots, "78000", 7800, lots, 0, "78000",
        trade_date="20260105", copied=True,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes) if changes else made


def desk_with_key() -> Desk:
    """A desk whose domestic venue declares the day and the side in the key of a fill."""
    venue = msgspec.structs.replace(VENUES["SHFE"], exec_key=("venue", "account", "75", "54", "17"))
    return Desk(msgspec.structs.replace(SETTINGS, venues=VENUES | {"SHFE": venue}))


def taken_over(desk: Desk) -> None:
    """A trade whose domestic leg was rejected, taken by a person."""
    cu, ca = desk.open()
    desk.fill(ca)
    desk.reject(cu)
    desk.command(Verb.TAKEOVER, "P1-1", number="take")


@pytest.mark.parametrize("copy_first", [True, False])
def test_a_fill_told_by_both_sessions_counts_once(copy_first: bool) -> None:  # noqa: FBT001
    """Whichever comes first."""
    desk = Desk()
    cu, _ = desk.open()
    report = desk.report(cu, ExecType.TRADE, 5)
    both = [copied(report), report] if copy_first else [report, copied(report)]
    desk.do(*both)
    assert (desk.filled()[0], desk.engine.ledger.positions[CU].net_lots, desk.alarms()) == (5, 5, [])


def test_a_fill_that_only_the_copy_told_of_ends_the_doubt() -> None:
    """The order session is down and the order in doubt; the copy says it is filled: it is done, nothing is asked."""
    desk = Desk()
    cu, _ = desk.open()
    desk.down("SHFE")
    own = desk.engine.ledger.orders[cu.cl_ord_id]
    assert own.state is OrderState.IN_DOUBT
    desk.do(copied(desk.report(cu, ExecType.TRADE, 5)))
    assert (own.state, own.filled_lots) == (OrderState.DONE, 5)


def test_a_copy_says_nothing_of_how_long_an_order_is_under_way() -> None:
    """The round trip is measured on the order session alone."""
    desk = Desk()
    cu, _ = desk.open()
    desk.do(copied(desk.report(cu, ExecType.NEW), recv_ns=desk.at_ns + 7), after_ns=10)
    assert desk.engine.ledger.venues["SHFE"].one_way_ns == 0


def test_an_order_that_is_not_ours_freezes_its_instrument_until_it_is_booked() -> None:
    """Told twice it is alarmed once; assigned to the trade it counts, and the instrument is free."""
    desk = desk_with_key()
    taken_over(desk)
    desk.do(telephone())
    assert desk.alarms() == ["unknown_order"]
    desk.do(telephone(copied=False))
    assert desk.alarms() == []
    desk.command(Verb.FILL_ASSIGN, "P1-1 1 T77", number="assign")
    assert (desk.filled(), desk.engine.ledger.unexplained) == ((5, 1), {})
    desk.do(telephone())
    assert (desk.filled(), desk.alarms()) == ((5, 1), [])


def test_an_execution_that_a_person_booked_before_is_counted_once() -> None:
    """Its order's acceptance comes first and freezes; its fill is the one that was booked, and all is explained."""
    desk = desk_with_key()
    taken_over(desk)
    desk.command(Verb.FILL_ADD, "P1-1 1 buy 5 78000 T77", number="add")
    accepted = telephone("E1", exec_type=ExecType.NEW, exec_key="", last_qty_lots=0, leaves_qty_lots=5)
    desk.do(accepted)
    assert CU in desk.engine.ledger.unexplained
    desk.do(telephone())
    assert (desk.filled(), desk.engine.ledger.unexplained) == ((5, 1), {})


def test_an_execution_booked_while_the_copy_waits_is_that_one() -> None:
    """`fill add` instead of `fill assign`: it is not left behind as unexplained."""
    desk = desk_with_key()
    taken_over(desk)
    desk.do(telephone())
    desk.command(Verb.FILL_ADD, "P1-1 1 buy 5 78000 T77", number="add")
    assert (desk.filled(), desk.engine.ledger.unexplained) == ((5, 1), {})


@pytest.mark.parametrize(
    ("changes", "unexplained"),
    [
        ({"side": Side.SELL}, True),
        ({"trade_date": "20260106"}, False),
        ({"venue_id": "LME", "instrument_id": CA}, True),
    ],
)
def test_the_same_execid_of_another_side_or_venue_is_another_fill(
    changes: dict[str, object],
    unexplained: bool,  # noqa: FBT001
) -> None:
    """ExecID(17) alone is unique per day and side; a day that the desk does not know says nothing against it."""
    desk = desk_with_key()
    taken_over(desk)
    desk.command(Verb.FILL_ADD, "P1-1 1 buy 5 78000 T77", number="add")
    desk.do(telephone(**changes))
    assert bool(desk.engine.ledger.unexplained) is unexplained


def test_a_drop_copy_that_is_lost_is_told_and_stops_nothing() -> None:
    """The order session stays up and reconciled."""
    desk = Desk()
    desk.do(SessionChanged("SHFE", "drop_copy", True, 1), SessionChanged("SHFE", "drop_copy", False, 2, "lost"))
    assert desk.alarms() == ["session_lost"]
    venue = desk.engine.ledger.venues["SHFE"]
    assert (venue.up, venue.reconciled) == (True, True)


def asked(desk: Desk) -> list[tuple[str, ...]]:
    """Orders that the last actions ask about."""
    return [tuple(one.cl_ord_id for one in action.orders) for action in desk.actions if isinstance(action, AskStatus)]


@pytest.mark.parametrize("kind", ["D", "", "F"])
def test_a_refusal_without_a_name_asks_about_every_open_order_of_the_venue(kind: str) -> None:
    """Once in the venue's time for an answer; the next one waits for its end."""
    desk = Desk()
    cu, _ = desk.open()
    desk.do(MessageRejected("SHFE", 0, 7, kind, "", "5", "bad value"))
    assert (desk.alarms(), asked(desk)) == (["bad_message"], [(cu.cl_ord_id,)])
    desk.do(MessageRejected("SHFE", 0, 8, kind, "", "5", "bad value"))
    assert (asked(desk), desk.actions[-1]) == ([], SetTimer("unsaid:SHFE", desk.at_ns + 2 * S))
    desk.timer("unsaid:SHFE", 2 * S)
    assert asked(desk) == [(cu.cl_ord_id,)]


def test_a_question_that_is_refused_is_not_answered_by_a_question() -> None:
    """It would be refused again, as fast as the line is."""
    desk = Desk()
    desk.open()
    desk.do(MessageRejected("SHFE", 0, 7, "H", "", "3", "not supported"))
    assert asked(desk) == []


def test_a_message_that_nobody_could_read_asks_about_every_open_order() -> None:
    """It may have been the fill of any of them."""
    desk = Desk()
    cu, _ = desk.open()
    desk.do(BadOrderMessage("SHFE", 0, 7, "", "", "tag appears more than once"))
    assert asked(desk) == [(cu.cl_ord_id,)]


NUMBERS = """
argument                  | state    | said
SHFE orders 1 1           | up       | the session SHFE orders is up; force does it all the same
SHFE orders 1 1           | down     |
SHFE orders 1 1 force     | up       |
SHFE orders 1 1           | open     | 1 open pair trades have a leg at SHFE; force does it all the same
SHFE orders 4711 12 force | open     |
SHFE drop_copy 1 9        | up       |
SHFE drop_copy 1 9        | copy up  | the session SHFE drop_copy is up; force does it all the same
SHFE md 1 1               | down     | no session 'md' with numbers that are kept; one of orders, drop_copy
CFFEX orders 1 1          | down     | no venue 'CFFEX'; one of SHFE, LME
SHFE orders 0 1           | down     | MsgSeqNum(34) 0 1: whole numbers from 1 to 999999999
SHFE orders 1             | down     | 'SHFE orders 1': VENUE KIND OURS THEIRS, and force
SHFE orders 1 1 please    | down     | 'SHFE orders 1 1 please': VENUE KIND OURS THEIRS, and force
"""


@pytest.mark.parametrize("row", NUMBERS.strip("\n").splitlines()[1:])
def test_numbers_of_a_session_are_set_when_nothing_is_in_the_way(row: str) -> None:
    """Else it is refused with what is; `force` is the person's word."""
    argument, state, said = (cell.strip() for cell in row.split("|"))
    desk = Desk(settings(order_timeout_ns=600 * S))
    if state == "open":
        desk.open()
    if state in ("down", "open"):
        desk.down("SHFE")
    if state == "copy up":
        desk.do(SessionChanged("SHFE", "drop_copy", True, 1))
    desk.command(Verb.RESET_NUMBERS, argument, number="reset")
    (answer,) = desk.announced(CommandAnswered)
    assert isinstance(answer, CommandAnswered)
    done = [action for action in desk.actions if isinstance(action, ResetNumbers)]
    if said:
        assert (answer.done, answer.text, done) == (False, said, [])
        return
    venue_id, kind, ours, theirs = argument.split()[:4]
    assert (answer.done, done) == (True, [ResetNumbers(venue_id, kind, int(ours), int(theirs))])


def test_alarms_of_this_file_have_figures() -> None:
    """The order's ids are in what is told of it."""
    desk = Desk()
    desk.do(telephone())
    assert [one.figures for one in desk.announced(Alarm) if isinstance(one, Alarm)] == [
        "ClOrdID(11) TEL-1 OrderID(37) X1 ExecType(150) F LastQty(32) 5"
    ]
