"""What a venue says that we hold: when it is compared, what a difference does, how it ends."""

import msgspec
import pytest
from desk import CA, CU, MS, SETTINGS, VENUES, Desk, S, intent

from gateway.execution.ledger import ExecutionSettings
from gateway.model.order import ExecType, MessageRejected, SessionChanged
from gateway.model.position import PositionLine, PositionsAcked
from gateway.model.trade import (
    Action,
    Alarm,
    AskPositions,
    AskStatus,
    Command,
    CommandAnswered,
    HoursChanged,
    IntentRefused,
    Restarted,
    SetTimer,
    Verb,
)

DAY = "20260105"


def told(**changes: object) -> ExecutionSettings:
    """SETTINGS with SHFE asked at every logon."""
    venue = msgspec.structs.replace(VENUES["SHFE"], tells_positions=True, ask_positions=True, **changes)
    return msgspec.structs.replace(SETTINGS, venues=VENUES | {"SHFE": venue})


class Asked(Desk):
    """A desk whose domestic venue tells positions."""

    def __init__(self, **changes: object) -> None:
        super().__init__(told(**changes), ready=False)
        self.do(HoursChanged(CU, True, 0, DAY))

    def begin(self) -> None:
        """Both sessions up, nothing held, armed."""
        self.do(SessionChanged("LME", "orders", True, 0))
        self.log_on()
        self.answer()
        self.do(Command("arm", Verb.ARM, "li", "test"))

    def log_on(self) -> list[Action]:
        return self.do(SessionChanged("SHFE", "orders", True, self.at_ns))

    def question(self) -> AskPositions:
        """The one question of the last actions."""
        (one,) = [action for action in self.actions if isinstance(action, AskPositions)]
        self.request_id = one.request_id
        return one

    def ask(self) -> AskPositions:
        """The timer of the venue fires: it is asked again."""
        self.timer("positions:SHFE", 3 * S)
        return self.question()

    def answer(self, *lines: PositionLine, request_id: str = "") -> list[Action]:
        """The acknowledgement and these lines."""
        if any(isinstance(action, AskPositions) for action in self.actions):
            self.question()
        name = request_id or self.request_id
        acked = PositionsAcked("SHFE", self.at_ns, name, len(lines), "")
        return self.do(acked, *(msgspec.structs.replace(one, request_id=name) for one in lines))

    def reconciled(self) -> bool:
        return self.engine.ledger.venues["SHFE"].reconciled

    def refused(self, number: int) -> list[str]:
        """Names of the refusals of a new intent."""
        self.do(intent(number, self.at_ns))
        return [one.name.value for one in self.announced(IntentRefused) if isinstance(one, IntentRefused)]

    def figures(self) -> list[str]:
        return [one.figures for one in self.announced(Alarm) if isinstance(one, Alarm)]

    def said(self) -> list[tuple[bool, str]]:
        return [(one.done, one.text) for one in self.announced(CommandAnswered) if isinstance(one, CommandAnswered)]


def line(long_today: int = 0, long_earlier: int = 0, short_today: int = 0, **changes: object) -> PositionLine:
    """What the venue says of CU."""
    longs = long_today + long_earlier
    made = PositionLine("SHFE", 0, "", CU, "A1", longs, short_today, long_today, short_today, "2", "", DAY)
    return msgspec.structs.replace(made, **changes) if changes else made


def test_a_venue_is_asked_after_every_logon_and_counts_as_reconciled_when_it_has_answered() -> None:
    """Not before: an intent is refused by name meanwhile. No position and no line is agreement."""
    desk = Asked()
    desk.do(SessionChanged("LME", "orders", True, 0), Command("arm", Verb.ARM, "li", "test"))
    desk.log_on()
    assert desk.question() == AskPositions("SHFE", desk.request_id, DAY)
    assert (desk.reconciled(), desk.refused(1)) == (False, ["not_reconciled"])
    desk.answer()
    assert (desk.reconciled(), desk.refused(2)) == (True, [])


def test_a_venue_without_positions_is_not_asked() -> None:
    """4.2 has no word for it: reconciled by its orders alone."""
    desk = Desk()
    desk.up("LME")
    assert not [one for one in desk.actions if isinstance(one, AskPositions)]
    assert desk.engine.ledger.venues["LME"].reconciled


def test_what_agrees_is_no_news() -> None:
    """Ours is bought by our fills: the venue says the same, and nothing is alarmed."""
    desk = Asked()
    desk.begin()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.fill(ca)
    desk.log_on()
    desk.answer(line(5))
    assert (desk.reconciled(), desk.alarms(), desk.refused(2)) == (True, [], [])


def test_a_difference_freezes_at_once_and_is_alarmed_when_a_second_answer_shows_it() -> None:
    """Nothing is traded there from the first answer on; the alarm has both figures."""
    desk = Asked()
    desk.begin()
    desk.log_on()
    assert desk.answer(line(3))[-1] == SetTimer("positions:SHFE", desk.at_ns + 2 * S)
    assert (desk.alarms(), desk.reconciled()) == ([], False)
    desk.ask()
    desk.answer(line(3))
    assert desk.figures() == ["long: the venue says 3 lots, our fills 0"]
    assert (desk.alarms(), desk.reconciled(), desk.refused(1)) == (["position_differs"], True, ["unexplained"])
    desk.log_on()
    desk.answer(line(3))
    assert desk.alarms() == []


def test_nothing_is_repaired_where_the_position_differs() -> None:
    """A legged trade waits: the trader may have closed the leg by telephone already."""
    desk = Asked()
    desk.begin()
    cu, ca = desk.open()
    desk.fill(ca)
    desk.down("SHFE")
    desk.log_on()
    desk.do(desk.report(cu, ExecType.CANCELED))
    desk.timer("positions:SHFE", 3 * S)
    desk.answer(line(5))
    desk.ask()
    desk.answer(line(5))
    assert desk.alarms() == ["position_differs"]
    desk.timer("retry:P1-1", S)
    assert (desk.orders(), desk.state().value) == ([], "waiting")


def test_what_is_under_way_is_no_difference() -> None:
    """With an order open, or a fill since the question, nothing is compared: it is asked again soon."""
    desk = Asked()
    desk.begin()
    cu, ca = desk.open()
    desk.do(Command("ask", Verb.ASK_POSITIONS, "li", "test", "SHFE"))
    desk.question()
    assert desk.answer(line(5))[-1] == SetTimer("positions:SHFE", desk.at_ns + 250 * MS)
    desk.ask()
    desk.fill(cu)
    desk.fill(ca)
    desk.answer()
    assert (desk.alarms(), desk.engine.ledger.unexplained) == ([], {})
    desk.ask()
    desk.answer(line(5))
    assert (desk.alarms(), desk.engine.ledger.unexplained) == ([], {})


def test_an_order_that_rests_does_not_keep_its_venue_from_being_reconciled() -> None:
    """With one at work an answer that agrees counts, one that differs does not: it may be a fill that is under way."""
    desk = Asked()
    desk.begin()
    cu, ca = desk.open()
    desk.fill(ca)
    desk.do(desk.report(cu, ExecType.NEW))
    desk.log_on()
    desk.answer(line(2))
    assert (desk.reconciled(), desk.alarms()) == (False, [])
    desk.do(desk.report(cu, ExecType.NEW))
    desk.ask()
    desk.answer()
    assert (desk.reconciled(), desk.engine.ledger.unexplained) == (True, {})


def test_a_bust_told_after_the_answer_is_no_alarm() -> None:
    """The venue took a fill back and its report was under way: the second answer agrees."""
    desk = Asked()
    desk.begin()
    cu, ca = desk.open()
    fill = desk.report(cu, ExecType.TRADE, 5)
    desk.do(fill)
    desk.fill(ca)
    desk.do(Command("ask", Verb.ASK_POSITIONS, "li", "test", "SHFE"))
    desk.answer()
    assert CU in desk.engine.ledger.unexplained
    busted = desk.report(cu, ExecType.TRADE_CANCEL, 5, 0, ref_exec_key=fill.exec_key)
    desk.do(busted)
    desk.do(Command("kill", Verb.DISARM, "li", "test"))
    for own in list(desk.engine.ledger.open_orders.values()):
        desk.cancelled(own.order)
    desk.ask()
    desk.answer()
    assert "position_differs" not in desk.alarms()


def test_explained_is_remembered() -> None:
    """Lots that a person has explained are there at the next logon, too; other lots are news."""
    desk = Asked()
    desk.begin()
    for _ in range(2):
        desk.do(Command(f"ask{desk.at_ns}", Verb.ASK_POSITIONS, "li", "test", "SHFE"), after_ns=S)
        desk.answer(line(3))
    desk.command(Verb.EXPLAIN, CU)
    assert desk.said() == [(True, "explained: long: the venue says 3 lots, our fills 0")]
    assert desk.refused(1) == []
    for own in list(desk.engine.ledger.open_orders.values()):
        desk.cancelled(own.order)
    desk.log_on()
    desk.answer(line(3))
    assert (desk.alarms(), desk.engine.ledger.unexplained, desk.reconciled()) == ([], {}, True)
    desk.log_on()
    desk.answer(line(4))
    assert desk.engine.ledger.unexplained == {CU: "long: the venue says 4 lots, our fills 3 (to be confirmed)"}


def test_a_booked_execution_ends_the_difference() -> None:
    """The trader bought the missing leg by telephone and books it: the venue is asked, agrees, and it is over."""
    desk = Asked()
    desk.begin()
    cu, ca = desk.open()
    desk.fill(ca)
    desk.reject(cu)
    desk.command(Verb.TAKEOVER, "P1-1")
    for number in range(2):
        desk.command(Verb.ASK_POSITIONS, "SHFE", number=f"ask{number}")
        desk.answer(line(5))
    assert CU in desk.engine.ledger.unexplained
    desk.command(Verb.FILL_ADD, "P1-1 1 buy 5 78000 T77", number="add")
    desk.answer(line(5))
    assert desk.engine.ledger.unexplained == {}


def test_a_refusal_is_told_and_a_person_may_look_instead() -> None:
    """Asked again only after a while; `explain VENUE` reconciles it without an answer."""
    desk = Asked()
    desk.do(SessionChanged("LME", "orders", True, 0))
    desk.log_on()
    name = desk.question().request_id
    desk.do(PositionsAcked("SHFE", 0, name, 0, "PosReqResult(728) 3 PosReqStatus(729) 2"))
    assert desk.figures() == ["RequestForPositions(35=AN) refused: PosReqResult(728) 3 PosReqStatus(729) 2"]
    assert desk.actions[-1] == SetTimer("positions:SHFE", desk.at_ns + 30 * S)
    desk.command(Verb.EXPLAIN, "SHFE", number="look")
    assert (desk.said()[0][0], desk.reconciled()) == (True, True)
    assert desk.timer("positions:SHFE", 30 * S) == []
    desk.command(Verb.EXPLAIN, "SHFE", number="again")
    assert desk.said() == [(False, "SHFE has told what is held there")]


@pytest.mark.parametrize("cl_ord_id", ["", "same"])
def test_a_message_that_is_refused_as_such_is_a_refusal(cl_ord_id: str) -> None:
    """35=j of the question: by its MsgType(35), or by its id."""
    desk = Asked()
    desk.log_on()
    name = desk.question().request_id
    kind = "" if cl_ord_id else "AN"
    desk.do(MessageRejected("SHFE", 0, 7, kind, cl_ord_id and name, "3", "not supported"))
    assert desk.alarms() == ["positions_unknown"]


def test_no_answer_is_told_and_asked_again() -> None:
    """Half an answer is none: a line is missing."""
    desk = Asked()
    desk.log_on()
    desk.do(PositionsAcked("SHFE", 0, desk.question().request_id, 1, ""))
    desk.ask()
    assert desk.alarms() == ["positions_unknown"]
    assert not desk.reconciled()
    desk.answer()
    assert desk.reconciled()


def test_an_answer_to_an_older_question_is_passed_over() -> None:
    """Its lots were those of then."""
    desk = Asked()
    desk.log_on()
    old = desk.question().request_id
    desk.ask()
    desk.answer(line(9), request_id=old)
    assert (desk.engine.ledger.unexplained, desk.reconciled()) == ({}, False)


def test_asked_at_an_interval() -> None:
    """Each answer sets the time of the next question; without an interval none does."""
    desk = Asked(positions_interval_ns=60 * S)
    desk.begin()
    desk.do(Command("ask", Verb.ASK_POSITIONS, "li", "test", "SHFE"))
    assert desk.answer()[-1] == SetTimer("positions:SHFE", desk.at_ns + 60 * S)
    desk = Asked()
    desk.begin()
    assert desk.timer("positions:SHFE", 3 * S) == []


DIFFERENCES = """
the venue's line                              | what is different
today 0, earlier 5                            | long earlier: the venue says 5 lots, our fills 0; long today
today 0, earlier 5, of another day            |
today 5, hedge flag 3                         | hedge flag 3 long: the venue says 5 lots, our fills 0; long:
today 5, account B9                           | long: the venue says 0 lots, our fills 5
today 5, short 2                              | short: the venue says 2 lots, our fills 0
"""


@pytest.mark.parametrize("row", DIFFERENCES.strip("\n").splitlines()[1:])
def test_days_flags_accounts_and_sides(row: str) -> None:
    """Five lots bought today under flag 2: what is no such lot is a difference; days only where both name the same."""
    said, different = (cell.strip() for cell in row.split("|"))
    made = {
        "today 0, earlier 5": line(0, 5),
        "today 0, earlier 5, of another day": line(0, 5, trading_day="20260106"),
        "today 5, hedge flag 3": line(5, hedge_flag="3"),
        "today 5, account B9": line(5, account="B9"),
        "today 5, short 2": line(5, short_today=2),
    }[said]
    desk = Asked()
    desk.begin()
    cu, ca = desk.open()
    desk.fill(cu)
    desk.fill(ca)
    desk.do(Command("ask", Verb.ASK_POSITIONS, "li", "test", "SHFE"))
    desk.answer(made)
    assert desk.engine.ledger.unexplained.get(CU, "").startswith(different)
    assert bool(different) is (CU in desk.engine.ledger.unexplained)


def test_prompts_are_compared_where_both_sides_name_them() -> None:
    """Net is the same, a prompt is not."""
    venue = msgspec.structs.replace(VENUES["LME"], tells_positions=True, ask_positions=True)
    desk = Desk(msgspec.structs.replace(SETTINGS, venues=VENUES | {"LME": venue}), ready=False)
    desk.do(HoursChanged(CA, True, 0, DAY, "P1"), SessionChanged("SHFE", "orders", True, 0))
    desk.up("LME")
    acked = next(one for one in desk.actions if isinstance(one, AskPositions)).request_id
    desk.do(PositionsAcked("LME", 0, acked, 0, ""), Command("arm", Verb.ARM, "li", "test"))
    cu, ca = desk.open()
    desk.fill(cu)
    desk.fill(ca)
    desk.do(Command("ask", Verb.ASK_POSITIONS, "li", "test", "LME"))
    name = next(one for one in desk.actions if isinstance(one, AskPositions)).request_id
    lines = [
        PositionLine("LME", 0, name, CA, "B1", 0, 3, None, None, "", "P1", "", 2),
        PositionLine("LME", 0, name, CA, "B1", 2, 0, None, None, "", "P2", "", 2),
    ]
    desk.do(PositionsAcked("LME", 0, name, 2, ""), *lines)
    assert desk.engine.ledger.unexplained[CA].startswith(
        "prompt P1: the venue says -3 lots, our fills -1; prompt P2: the venue says 2 lots, our fills 0"
    )


def test_a_restart_forgets_the_question_and_not_the_difference() -> None:
    """What was unexplained stays so until the venue agrees or a person explains it."""
    desk = Asked()
    desk.begin()
    for number in range(2):
        desk.command(Verb.ASK_POSITIONS, "SHFE", number=f"ask{number}")
        desk.answer(line(3))
    desk.do(Restarted(2))
    assert not [one for one in desk.actions if isinstance(one, AskPositions | AskStatus)]
    assert CU in desk.engine.ledger.unexplained
    desk.log_on()
    desk.answer()
    assert desk.engine.ledger.unexplained == {}
