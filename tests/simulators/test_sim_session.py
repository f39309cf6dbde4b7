"""The session layer, one rule per test: what a client sends, and exactly what comes back."""

from pathlib import Path

import pytest

from simulators.fix.session import Action, Close, Deliver, LoggedOn, SendBytes, Session, SessionConfig
from simulators.fix.store import FileStore, MemoryStore
from simulators.fix.wire import Message, parse

SECOND = 1_000_000_000
NOW = 1_767_225_600 * SECOND
STAMP = "20260101-00:00:00.000"
CONFIG = SessionConfig(b"FIX.4.4", "SHFE", "CMC")


class Script:
    """A client's side of one session; `told` is what came back, in short."""

    def __init__(self, config: SessionConfig = CONFIG, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.session = Session(config, self.store)
        self.now_ns = NOW
        self.session.on_connect(NOW)

    def send(self, msg_type: str, seq: int | None, *fields: tuple[int, str], **header: str) -> list[str]:
        pairs = [(8, header.get("begin", "FIX.4.4")), (35, msg_type), (49, header.get("sender", "CMC")), (56, "SHFE")]
        pairs += [(34, str(seq))] if seq is not None else []
        pairs += [(52, header["stamp"])] if header.get("stamp", STAMP) and "stamp" in header else []
        pairs += [(52, STAMP)] if "stamp" not in header else []
        pairs += [(43, "Y")] if "dup" in header else []
        pairs += [(122, header["dup"])] if header.get("dup") else []
        return self.told(self.session.on_message(Message([*pairs, *fields]), self.now_ns, self.now_ns))

    def logon(self, seq: int = 1, *fields: tuple[int, str]) -> list[str]:
        return self.send("A", seq, (98, "0"), (108, "30"), *fields)

    def app(self, body: str) -> list[str]:
        return self.told(self.session.send("8", f"58={body}\x01".encode(), self.now_ns, self.now_ns))

    def wait(self, seconds: float) -> list[str]:
        self.now_ns += int(seconds * SECOND)
        return self.told(self.session.on_timer(self.now_ns, self.now_ns))

    def told(self, actions: list[Action]) -> list[str]:
        return [in_short(action) for action in actions]


def in_short(action: Action) -> str:
    """MsgType, number and the fields that matter: "5 34=2 58=text"."""
    if isinstance(action, SendBytes):
        message = parse(action.data)
        shown = [34, 43, 7, 16, 36, 123, 112, 45, 371, 373, 141, 58]
        return " ".join([message.msg_type, *(f"{tag}={message.get(tag)}" for tag in shown if message.has(tag))])
    if isinstance(action, Deliver):
        return f"deliver {action.message.get(34)}"
    return {Close: "close", LoggedOn: "up"}[type(action)]


def up(**config: object) -> Script:
    script = Script(CONFIG._replace(**config))
    assert script.logon() == ["A 34=1", "up"]
    return script


# Logon


def test_a_logon_is_answered_with_its_own_heartbeat() -> None:
    """35=A with 98=0, 108 as asked, number 1."""
    script = Script()
    (answer, _) = script.session.on_message(
        Message([(8, "FIX.4.4"), (35, "A"), (49, "CMC"), (56, "SHFE"), (34, "1"), (52, STAMP), (98, "0"), (108, "7")]),
        NOW,
        NOW,
    )
    assert isinstance(answer, SendBytes)
    assert [parse(answer.data).get(tag) for tag in (35, 49, 56, 34, 52, 98, 108)] == [
        "A", "SHFE", "CMC", "1", STAMP, "0", "7",
    ]  # fmt: skip


def test_a_message_before_logon_closes_without_a_word() -> None:
    """A Heartbeat first: closed."""
    assert Script().send("0", 1) == ["close"]


@pytest.mark.parametrize("header", [{"sender": "EVE"}, {"begin": "FIX.4.2"}])
def test_a_stranger_learns_nothing(header: dict[str, str]) -> None:
    """A Logon with another CompID or version: closed without an answer."""
    assert Script().send("A", 1, (98, "0"), (108, "30"), **header) == ["close"]


def test_a_logon_without_heartbeat_is_refused_with_a_reason() -> None:
    """Logout names HeartBtInt(108)."""
    told = Script().send("A", 1, (98, "0"))
    assert told == ["5 34=1 58=HeartBtInt(108) wrong: ''; whole seconds are right", "close"]


def test_a_wrong_password_is_refused() -> None:
    """553 and 554 must be right where they are set."""
    config = CONFIG._replace(username="u", password="p")
    assert Script(config).logon(1, (553, "u"), (554, "x")) == [
        "5 34=1 58=Username(553) or Password(554) wrong",
        "close",
    ]
    assert Script(config).logon(1, (553, "u"), (554, "p")) == ["A 34=1", "up"]


def test_reset_on_logon_starts_both_numbers_anew() -> None:
    """After 5 messages out, a Logon with 141=Y is number 1 and so is the answer."""
    script = up()
    for _ in range(5):
        script.app("x")
    script.session.on_disconnect()
    script.session.on_connect(NOW)
    assert script.logon(1, (141, "Y")) == ["A 34=1 141=Y", "up"]
    assert script.send("1", 2, (112, "T")) == ["0 34=2 112=T"]


def test_without_reset_both_numbers_go_on() -> None:
    """Second connection: the client's 2 is expected, our answer is 3 after one report in between."""
    script = up()
    script.app("x")
    script.session.on_disconnect()
    script.session.on_connect(NOW)
    assert script.logon(2) == ["A 34=3", "up"]


def test_a_logon_with_too_low_a_number_is_refused() -> None:
    """Both numbers stand in the Logout."""
    script = up()
    script.session.on_disconnect()
    script.session.on_connect(NOW)
    assert script.logon(1) == ["5 34=2 58=MsgSeqNum(34) too low, expecting 2 but received 1", "close"]


def test_a_logon_with_too_high_a_number_is_answered_and_asked_about() -> None:
    """Logon first, then ResendRequest from the expected number on."""
    assert Script().logon(5) == ["A 34=1", "up", "2 34=2 7=1 16=0"]


def test_no_logon_in_time_closes() -> None:
    """10 s after the connection."""
    script = Script()
    assert script.wait(9.9) == []
    assert script.wait(0.1) == ["close"]


# Numbers


def test_too_low_a_number_ends_the_session() -> None:
    """Without PossDupFlag."""
    assert up().send("0", 1) == ["5 34=2 58=MsgSeqNum(34) too low, expecting 2 but received 1", "close"]


def test_a_possible_duplicate_with_a_low_number_is_ignored() -> None:
    """With PossDupFlag and OrigSendingTime; the next number is still expected."""
    script = up()
    assert script.send("D", 1, dup=STAMP) == []
    assert script.send("D", 2) == ["deliver 2"]


def test_a_possible_duplicate_without_its_first_time_is_rejected() -> None:
    """373=1 for OrigSendingTime(122)."""
    told = up().send("D", 1, dup="")
    assert told == ["3 34=2 45=1 371=122 373=1 58=OrigSendingTime(122) missing with PossDupFlag(43)=Y"]


def test_a_possible_duplicate_first_sent_after_now_is_rejected() -> None:
    """373=10."""
    told = up().send("D", 1, dup="20260101-00:00:01.000")
    assert told == ["3 34=2 45=1 371=122 373=10 58=OrigSendingTime(122) after SendingTime(52)"]


def test_a_gap_is_asked_about_once_and_what_came_early_is_kept() -> None:
    """4 and 5 wait; when 2 and 3 are filled over, both are delivered in order."""
    script = up()
    assert script.send("D", 4) == ["2 34=2 7=2 16=0"]
    assert script.send("D", 5) == []
    assert script.send("4", 2, (123, "Y"), (36, "4"), dup=STAMP) == ["deliver 4", "deliver 5"]
    assert script.send("D", 6) == ["deliver 6"]


def test_resent_messages_are_delivered_in_order() -> None:
    """2 and 3 come again with PossDupFlag, then 4 from the queue; its own repetition is ignored."""
    script = up()
    script.send("D", 4)
    assert script.send("D", 2, dup=STAMP) == ["deliver 2"]
    assert script.send("D", 3, dup=STAMP) == ["deliver 3", "deliver 4"]
    assert script.send("D", 4, dup=STAMP) == []


def test_a_missing_number_ends_the_session() -> None:
    """There is no way on without MsgSeqNum(34)."""
    assert up().send("D", None) == ["5 34=2 58=MsgSeqNum(34) missing", "close"]


def test_sequence_reset_without_gap_fill_sets_the_number_whatever_its_own() -> None:
    """NewSeqNo 20 is expected next; a lower one is rejected."""
    script = up()
    assert script.send("4", 99, (36, "20")) == []
    assert script.send("D", 20) == ["deliver 20"]
    assert script.send("4", 99, (36, "5")) == [
        "3 34=2 45=99 371=36 373=5 58=NewSeqNo(36) wrong: '5'; at least 21 is right"
    ]


# Resend


def test_a_resend_request_brings_application_messages_again_and_fills_over_the_rest() -> None:
    """1 was the Logon, 2 and 4 reports, 3 a Heartbeat, 5 and 6 Heartbeats."""
    script = up()
    script.app("a")
    script.send("1", 2, (112, "T"))
    script.app("b")
    script.send("1", 3, (112, "T"))
    script.send("1", 4, (112, "T"))
    assert script.send("2", 5, (7, "1"), (16, "0")) == [
        "4 34=1 43=Y 36=2 123=Y",
        "8 34=2 43=Y 58=a",
        "4 34=3 43=Y 36=4 123=Y",
        "8 34=4 43=Y 58=b",
        "4 34=5 43=Y 36=7 123=Y",
    ]


def test_a_resend_request_ends_where_it_says() -> None:
    """7=3, 16=3: only that one."""
    script = up()
    for body in "abc":
        script.app(body)
    assert script.send("2", 2, (7, "3"), (16, "3")) == ["8 34=3 43=Y 58=b"]


def test_a_resent_message_says_when_it_was_first_sent() -> None:
    """OrigSendingTime(122) is the first SendingTime(52), SendingTime is now."""
    script = up()
    script.app("a")
    script.now_ns += 3 * SECOND
    request = Message(
        [(8, "FIX.4.4"), (35, "2"), (49, "CMC"), (56, "SHFE"), (34, "2"), (52, STAMP), (7, "2"), (16, "2")]
    )
    (again,) = script.session.on_message(request, script.now_ns, script.now_ns)
    assert isinstance(again, SendBytes)
    assert (parse(again.data).get(122), parse(again.data).get(52)) == (STAMP, "20260101-00:00:03.000")


def test_a_gap_of_thousands_is_filled_in_one_go() -> None:
    """3 000 Heartbeats: one SequenceReset, no loop."""
    script = up()
    for number in range(3000):
        script.send("1", number + 2, (112, "T"))
    assert script.send("2", 3002, (7, "1"), (16, "0")) == ["4 34=1 43=Y 36=3002 123=Y"]


def test_a_resend_request_with_too_high_a_number_is_answered_and_asked_about() -> None:
    """Two sides that both miss something do not wait for each other."""
    script = up()
    script.app("a")
    assert script.send("2", 7, (7, "2"), (16, "0")) == ["8 34=2 43=Y 58=a", "2 34=3 7=2 16=0"]


def test_what_is_forgotten_is_filled_over() -> None:
    """A store of 2 messages knows the last two only."""
    script = Script(store=MemoryStore(limit=2))
    script.logon()
    for body in "abc":
        script.app(body)
    assert script.send("2", 2, (7, "2"), (16, "0")) == [
        "4 34=2 43=Y 36=3 123=Y",
        "8 34=3 43=Y 58=b",
        "8 34=4 43=Y 58=c",
    ]


def test_what_was_said_to_nobody_is_kept_for_the_next_logon() -> None:
    """A report while the client is away takes number 2; the Logon is 3, and 2 can be asked for."""
    script = up()
    script.session.on_disconnect()
    assert script.app("late") == []
    script.session.on_connect(NOW)
    assert script.logon(2) == ["A 34=3", "up"]
    assert script.send("2", 3, (7, "2"), (16, "2")) == ["8 34=2 43=Y 58=late"]


# Liveness


def test_silence_of_ours_brings_a_heartbeat_and_of_theirs_a_test_and_then_the_end() -> None:
    """30 s: Heartbeat; 36 s: TestRequest; 72 s: closed."""
    script = up()
    assert script.wait(29.9) == []
    assert script.wait(0.1) == ["0 34=2"]
    assert [told.split(" 112")[0] for told in script.wait(6)] == ["1 34=3"]
    script.wait(30)
    assert script.wait(6)[-1] == "close"


def test_an_answered_test_keeps_the_session() -> None:
    """A Heartbeat after the TestRequest: no end at 72 s."""
    script = up()
    script.wait(36)
    script.send("0", 2, (112, "x"))
    assert "close" not in script.wait(36)
    assert script.session.logged_on


def test_a_test_request_is_answered_with_its_id_and_rejected_without_one() -> None:
    """112 comes back."""
    script = up()
    assert script.send("1", 2, (112, "PING")) == ["0 34=2 112=PING"]
    assert script.send("1", 3) == ["3 34=3 45=3 371=112 373=1 58=TestReqID(112) missing"]


def test_a_logout_is_answered() -> None:
    """Logout, then closed; nothing more is heard."""
    script = up()
    assert script.send("5", 2) == ["5 34=2 58=as you wish", "close"]
    assert script.send("0", 3) == []


# Identity and time


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ({"sender": "EVE"}, "SenderCompID(49) wrong: EVE"),
        ({"begin": "FIX.4.2"}, "BeginString(8) wrong: FIX.4.2; FIX.4.4 is right"),
    ],
)
def test_another_identity_in_a_session_ends_it(header: dict[str, str], text: str) -> None:
    """Reject with 373=9, then Logout."""
    assert up().send("0", 2, **header) == [f"3 34=2 45=2 373=9 58={text}", f"5 34=3 58={text}", "close"]


def test_a_message_without_sending_time_is_rejected_and_counted() -> None:
    """373=1; the next number is expected after it."""
    script = up()
    assert script.send("D", 2, stamp="")[0].startswith("3 34=2 45=2 371=52 373=1")
    assert script.send("D", 3) == ["deliver 3"]


def test_a_clock_too_far_off_ends_the_session_where_it_is_judged() -> None:
    """121 s off with a limit of 120: Reject 373=10 and Logout; without a limit it is taken."""
    late = "20260101-00:02:01.000"
    assert up().send("D", 2, stamp=late) == ["deliver 2"]
    told = up(sending_time_limit_ns=120 * SECOND).send("D", 2, stamp=late)
    assert [item.split(" 58")[0] for item in told] == ["3 34=2 45=2 371=52 373=10", "5 34=3", "close"]


# Store


def test_numbers_and_messages_outlive_the_process_where_a_folder_is_set(tmp_path: Path) -> None:
    """A second process goes on at the same numbers and can resend the first one's report."""
    first = Script(store=FileStore(tmp_path, "orders"))
    first.logon()
    first.app("a")
    first.store.close()
    second = Script(store=FileStore(tmp_path, "orders"))
    assert second.logon(2) == ["A 34=3", "up"]
    assert second.send("2", 3, (7, "2"), (16, "2")) == ["8 34=2 43=Y 58=a"]
    second.store.close()


def test_a_reset_empties_the_folder_too(tmp_path: Path) -> None:
    """After 141=Y nothing of the past can be asked for."""
    script = Script(store=FileStore(tmp_path, "orders"))
    script.logon()
    script.app("a")
    script.session.on_disconnect()
    script.session.on_connect(NOW)
    script.logon(1, (141, "Y"))
    script.store.close()
    again = FileStore(tmp_path, "orders")
    assert (again.next_in, again.next_out, again.sent(2)) == (2, 2, None)
    again.close()


def test_a_lost_message_takes_a_number_and_can_be_asked_for() -> None:
    """A gap at session level, as the fault makes it."""
    script = up()
    assert script.session.send("W", b"58=lost\x01", NOW, NOW, lost=True) == []
    assert script.app("next") == ["8 34=3 58=next"]
    assert script.send("2", 2, (7, "2"), (16, "2")) == ["W 34=2 43=Y 58=lost"]
