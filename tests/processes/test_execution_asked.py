"""What the shell does with a drop copy, a question about positions and a reset of numbers; sessions are the test's."""

import pytest
from test_execution_shell import Rig, bus_dir, field, rig

from gateway.model.order import ExecutionReport, SessionChanged
from gateway.model.trade import Alarm, Command, CommandAnswered, OrderState, Verb

__all__ = ["bus_dir", "rig"]

FILL = (
    "8=FIX.4.4|9=1|35=8|34=9|49=V|52=20260105-01:02:03.004|56=CMC|37=V1|11={}|17=E1|150=F|39=2|1=A-SHFE|55=cu0|54=1|"
    "38=5|40=2|44=78000|59=3|32=5|31=78000|151=0|14=5|6=78000|60=20260105-01:02:03.004|75=20260105|797=Y|10=000|"
)


def test_a_fill_of_the_drop_copy_is_taken_and_its_session_is_not_the_order_session(rig: Rig) -> None:
    """It comes up and goes down beside it; the order is filled by what it tells, once."""
    rig.shell.handle(rig.intent())
    first = rig.ids()[0]
    rig.shell.on_session("SHFE.drop_copy", True, "logged on")
    for _ in range(2):
        rig.shell.on_message("SHFE.drop_copy", FILL.format(first).replace("|", "\x01"), 1)
    rig.shell.on_session("SHFE.drop_copy", False, "lost")
    rig.shell.take_messages()
    told = [one for one in rig.events(ExecutionReport) if isinstance(one, ExecutionReport)]
    assert [one.copied for one in told] == [True, True]
    own = rig.engine.ledger.orders[first]
    assert (own.state, own.filled_lots) == (OrderState.DONE, 5)
    assert rig.engine.ledger.venues["SHFE"].up
    changes = [one for one in rig.events(SessionChanged) if isinstance(one, SessionChanged)]
    assert [(one.session, one.up) for one in changes][-2:] == [("drop_copy", True), ("drop_copy", False)]


def test_a_person_s_question_about_positions_is_sent(rig: Rig) -> None:
    """With the account and the id that the answer has to name."""
    rig.shell.handle(Command("ask", Verb.ASK_POSITIONS, "li", "test", "SHFE"))
    key, text = rig.venues.sent[-1]
    assert (key, field(text, 35), field(text, 1), field(text, 724)) == ("SHFE.orders", "AN", "A-SHFE", "0")
    assert field(text, 710).startswith("C1-")


def test_numbers_are_set_where_the_sessions_have_some(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is on record and answered before; sessions without numbers are an alarm."""
    rig.shell.handle(Command("r1", Verb.RESET_NUMBERS, "li", "venue lost its store", "LME orders 7 1 force"))
    assert [one.figures for one in rig.published if isinstance(one, Alarm)] == [
        "its numbers were not set: session LME.orders has no numbers that can be set"
    ]
    calls: list[tuple[object, ...]] = []

    def set_numbers(key: str, ours: int, theirs: int, *, log_out: bool) -> None:
        calls.append((key, ours, theirs, log_out))

    monkeypatch.setattr(rig.venues, "reset_numbers", set_numbers, raising=False)
    rig.shell.handle(Command("r2", Verb.RESET_NUMBERS, "li", "venue lost its store", "LME orders 7 1 force"))
    assert calls == [("LME.orders", 7, 1, True)]
    answers = [one for one in rig.published if isinstance(one, CommandAnswered)]
    assert answers[-1].text == "LME orders: the next number of ours is 7, of the venue's 1"
