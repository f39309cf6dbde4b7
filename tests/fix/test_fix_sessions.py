"""Sessions over the loopback: QuickFIX on our side, simplefix on the venue's."""

import itertools
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import quickfix
import simplefix
from fix_peer import Peer, text
from fix_values import DOMESTIC, OVERSEAS, wire

from gateway.fix.engine import FixSessions
from gateway.fix.session_settings import SessionSettings, SessionSettingsError, quickfix_settings

KEY = "shfe-orders"
NUMBER = itertools.count(1)
"""Each world has a CompID of its own, so that one can log out while the next test runs."""


class World:
    """One FixSessions and what it called, in order."""

    def __init__(self, tmp_path: Path, port: int, **settings: Any) -> None:  # noqa: ANN401 - any setting
        self.calls: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self.hold = threading.Event()
        self.hold.set()
        base: dict[str, Any] = {
            "key": KEY, "venue_id": "SHFE", "kind": "orders", "dialect": DOMESTIC, "host": "127.0.0.1", "port": port,
            "sender_comp_id": f"CMC{next(NUMBER)}", "target_comp_id": "VENUE", "reconnect_backoff_s": (0.05, 0.4),
        }  # fmt: skip
        self.sessions = FixSessions(
            [SessionSettings(**(base | settings))],
            tmp_path / "state",
            tmp_path / "log",
            time.monotonic_ns,
            on_message=self._message,
            on_session=lambda *call: self.calls.put(("session", *call)),
            on_sent=lambda *call: self.calls.put(("sent", *call)),
            on_resend_request=lambda *call: self.calls.put(("resend", *call)),
            on_refused=lambda *call: self.calls.put(("refused", *call)),
        )
        self.sessions.start()

    def next(self, kind: str) -> tuple[Any, ...]:
        """The next call of this kind; others before it are dropped."""
        while True:
            call = self.calls.get(timeout=15)
            if call[0] == kind:
                return call[1:]

    def order(self, cl_ord_id: str) -> tuple[bool, int]:
        """Send an order; whether it was taken, and its number."""
        result = self.sessions.send(KEY, quickfix.Message(wire(f"35=D|11={cl_ord_id}|55=cu2609|"), False))
        return bool(result), result.msg_seq_num

    def _message(self, *call: Any) -> None:  # noqa: ANN401
        self.calls.put(("message", *call))
        assert self.hold.wait(15)


Make = Callable[..., World]


def values(message: simplefix.FixMessage, *tags: int) -> list[str]:
    """The values of these fields."""
    return [text(message, tag) for tag in tags]


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A venue."""
    venue = Peer()
    yield venue
    venue.close()


@pytest.fixture(scope="module")
def stops() -> Iterator[list[threading.Thread]]:
    """Worlds that log out beside the next tests; all have to be done at the end."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(15)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fix-")]


@pytest.fixture
def make(tmp_path: Path, stops: list[threading.Thread]) -> Iterator[Make]:
    """Makes worlds and stops them."""
    worlds: list[World] = []

    def one(port: int, **settings: Any) -> World:  # noqa: ANN401
        worlds.append(World(tmp_path, port, **settings))
        return worlds[-1]

    yield one
    for world in worlds:
        stops.append(threading.Thread(target=world.sessions.stop, args=(10,)))
        stops[-1].start()


def test_logon_order_and_report(peer: Peer, make: Make) -> None:
    """Username and password at logon; an order with its number told; a report handed over as it came."""
    world = make(peer.port, username="u1", password="p1", sender_sub_id="T7")
    logon = peer.read("A")
    assert values(logon, 553, 554, 50, 108, 141) == ["u1", "p1", "T7", "10", ""]
    assert world.next("session") == (KEY, True, "logged on")
    assert world.order("T1") == (True, 2)
    assert world.next("sent") == (KEY, "T1", 2)
    assert values(peer.read("D"), 34, 11, 43) == ["2", "T1", ""]
    peer.send("8", (11, "T1"), (150, "0"))
    key, raw, recv_ns = world.next("message")
    assert (key, wire("|11=T1|") in raw, 0 < recv_ns <= time.monotonic_ns()) == (KEY, True, True)


@pytest.mark.parametrize("persist", [False, True])
def test_stale_orders_are_gap_filled_not_sent_again(peer: Peer, make: Make, persist: bool) -> None:  # noqa: FBT001
    """A ResendRequest over three orders is answered by one SequenceReset over the range, whatever QuickFIX stored."""
    world = make(peer.port, persist_messages=persist)
    world.next("session")
    for number in (1, 2, 3):
        world.order(f"T{number}")
    for _ in range(3):
        peer.read("D")
    peer.send("2", (7, "2"), (16, "4"))
    assert world.next("resend") == (KEY, 2, 4)
    assert values(peer.messages.get(timeout=10), 35, 34, 43, 123, 36) == ["4", "2", "Y", "Y", "5"]
    world.order("T4")
    assert values(peer.messages.get(timeout=10), 35, 34, 43, 11) == ["D", "5", "", "T4"]


def test_an_order_to_a_session_that_is_down_is_refused(peer: Peer, make: Make) -> None:
    """Refused with a reason, nothing stored, no number used: after the reconnect the next order has the next number."""
    world = make(peer.port)
    world.next("session")
    assert world.order("T1") == (True, 2)
    peer.drop()
    assert world.next("session") == (KEY, False, "disconnected")
    result = world.sessions.send(KEY, quickfix.Message(wire("35=D|11=LOST|"), False))
    assert (bool(result), result.msg_seq_num) == (False, 0)
    assert result.reason.startswith(f"session {KEY} is ")
    assert world.next("session")[1]
    assert text(peer.read("D"), 11) == "T1"
    assert text(peer.read("A"), 34) == "3"
    assert world.order("T2") == (True, 4)
    assert values(peer.read("D"), 34, 11) == ["4", "T2"]


def test_quickfix_itself_may_not_store_an_order_for_later(peer: Peer, make: Make) -> None:
    """Past our own check, too: what reaches QuickFIX after the session went down is neither stored nor numbered."""
    world = make(peer.port)
    world.next("session")
    link = world.sessions._links[KEY]
    before = link.numbers()
    link.up = False
    assert not link._session.send(quickfix.Message(wire("35=D|11=LOST|"), False))
    assert link.numbers() == before
    link.up = True
    assert world.order("T1") == (True, before[0])


def test_a_venue_that_comes_up_later_is_found(make: Make) -> None:
    """Attempts go on with a growing pause until the venue listens; the status tells how many and why."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    world = make(port)
    told = f"no Logon(35=A) from 127.0.0.1:{port}: nobody listens, or no answer"
    assert world.next("session") == (KEY, False, told)
    deadline = time.monotonic() + 15
    while world.sessions.status()[0].attempts < 3:
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
    assert world.sessions.status()[0].last_error == told
    venue = Peer(port=port)
    try:
        assert world.next("session") == (KEY, True, "logged on")
        assert (world.sessions.status()[0].state, world.sessions.status()[0].attempts) == ("up", 0)
    finally:
        venue.close()


def test_a_refused_logon_is_told_and_tried_again_ever_later(peer: Peer, make: Make) -> None:
    """The venue's words are in the detail, told once; the pause doubles up to its longest."""

    def refuse(venue: Peer, _logon: simplefix.FixMessage) -> None:
        venue.send("5", (58, "password expired"))

    peer.on_logon = refuse
    world = make(peer.port)
    assert world.next("session") == (KEY, False, "venue logged out: password expired")
    for _ in range(4):
        peer.read("A")
    link = world.sessions._links[KEY]
    assert link.delay_s == 0.4
    assert world.sessions.status()[0].last_error == "venue logged out: password expired"
    peer.on_logon = Peer.accept
    assert world.next("session")[:2] == (KEY, True)


def test_a_venue_that_does_not_take_connections_is_given_up_and_tried_again(make: Make) -> None:
    """A listener whose queue is full answers nothing: the attempt ends after its time, and the next begins."""
    with pytest.MonkeyPatch.context() as patch, socket.socket() as listener, socket.socket() as filler:
        patch.setattr("gateway.fix.link.ATTEMPT_S", 0.2)
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        filler.connect(listener.getsockname())
        port = listener.getsockname()[1]
        world = make(port)
        deadline = time.monotonic() + 15
        while world.sessions.status()[0].attempts < 2:
            assert time.monotonic() < deadline
            threading.Event().wait(0.02)
        assert world.sessions.status()[0].last_error == f"no connection to 127.0.0.1:{port}"
        assert world.sessions.stop(10)


def reset(venue: Peer, _logon: simplefix.FixMessage) -> None:
    """Answer with ResetSeqNumFlag(141)=Y."""
    venue.next_out = 1
    venue.send("A", (98, "0"), (108, "10"), (141, "Y"))


def lower(venue: Peer, _logon: simplefix.FixMessage) -> None:
    """Answer as a venue that lost its store."""
    venue.next_out = 1
    venue.send("A", (98, "0"), (108, "10"))


def higher(venue: Peer, _logon: simplefix.FixMessage) -> None:
    """Answer as a venue of which we missed messages."""
    venue.next_out = 9
    venue.send("A", (98, "0"), (108, "10"))


def expects_more(venue: Peer, _logon: simplefix.FixMessage) -> None:
    """Refuse as a venue does when our store was lost."""
    venue.send("5", (58, "MsgSeqNum too low, expecting 12 but received 4"))


NUMBERS = [
    (reset, True, "numbers reset: the venue began again at 1 (ResetSeqNumFlag(141)=Y), we expected 3"),
    (lower, False, "numbers lost: MsgSeqNum too low, expecting 3 but received 1"),
    (higher, True, "numbers lost: the venue is at 9, we expected 3; asked to send it again"),
    (expects_more, False, "numbers lost: the venue expects a higher MsgSeqNum(34) than ours"),
]


@pytest.mark.parametrize(("answer", "up", "detail"), NUMBERS)
def test_numbers_that_do_not_continue_are_told(
    peer: Peer,
    make: Make,
    answer: Callable[[Peer, simplefix.FixMessage], None],
    up: bool,  # noqa: FBT001
    detail: str,
) -> None:
    """After a reconnect: a reset, a lost store on either side, a gap are in the detail of the change."""
    world = make(peer.port)
    world.next("session")
    peer.send("8", (11, "T1"))
    world.next("message")
    peer.on_logon = answer
    peer.drop()
    assert world.next("session") == (KEY, False, "disconnected")
    _, now_up, told = world.next("session")
    assert (now_up, detail in told) == (up, True)


def test_an_operator_sets_lost_numbers(peer: Peer, make: Make) -> None:
    """Refused while the session is up; then both sides' next numbers are as given."""
    world = make(peer.port)
    world.next("session")
    with pytest.raises(ValueError, match="is up; log out"):
        world.sessions.reset_numbers(KEY)
    peer.close()
    world.next("session")
    world.sessions.reset_numbers(KEY, 12, 5)
    assert world.sessions.status()[0][-2:] == (12, 5)


def test_numbers_survive_a_restart_for_orders_and_not_for_market_data(peer: Peer, make: Make) -> None:
    """An orders session logs on with the next number; a market-data session begins again at 1 with 141=Y."""
    world = make(peer.port, sender_comp_id="CMC")
    world.next("session")
    world.order("T1")
    assert world.sessions.stop(10)
    assert text(peer.read("5"), 34) == "3"
    again = make(peer.port, sender_comp_id="CMC")
    again.next("session")
    assert text(peer.read("A"), 34) == "4"
    assert again.sessions.stop(10)
    peer.next_out = 1
    make(peer.port, sender_comp_id="CMC", kind="md", reset_on_logon=True)
    assert values(peer.read("A"), 34, 141) == ["1", "Y"]


def test_send_writes_in_the_calling_thread(peer: Peer, make: Make) -> None:
    """While QuickFIX's thread is held in a callback, an order still reaches the venue."""
    world = make(peer.port)
    world.next("session")
    world.hold.clear()
    peer.send("8", (11, "T0"))
    world.next("message")
    assert world.order("T1") == (True, 2)
    assert text(peer.read("D"), 11) == "T1"
    world.hold.set()


def test_content_reaches_the_decoders_whatever_it_is(peer: Peer, make: Make) -> None:
    """Unknown values, wrong types, unknown tags, empty fields: QuickFIX judges none of them."""
    world = make(peer.port)
    world.next("session")
    peer.send("8", (11, "T1"), (150, "Z"), (39, "?"), (14, "abc"), (1500, "x"), (9999, "y"), (58, ""), (60, "now"))
    raw = world.next("message")[1]
    assert all(wire(field) in raw for field in ("|150=Z|", "|39=?|", "|14=abc|", "|1500=x|", "|9999=y|", "|58=|"))


def test_what_quickfix_refuses_itself_is_told(peer: Peer, make: Make) -> None:
    """A group that the dictionary does not have is refused by QuickFIX: number and words reach `on_refused`."""
    world = make(peer.port)
    world.next("session")
    peer.send("8", (11, "T1"), (453, "2"), (448, "a"), (448, "b"))
    assert world.next("refused") == (KEY, 2, "Tag appears more than once")


def test_a_reject_of_the_session_is_handed_over(peer: Peer, make: Make) -> None:
    """Reject(35=3) concerns an order of ours: it comes like any message."""
    world = make(peer.port)
    world.next("session")
    peer.send("3", (45, "2"), (372, "D"), (58, "Side"))
    assert wire("|35=3|") in world.next("message")[1]


def test_market_data_with_groups_arrives_whole(make: Make) -> None:
    """35=X with two entries passes QuickFIX in one piece, with the entries in order."""
    venue = Peer(begin_string="FIX.4.2")
    try:
        world = make(venue.port, kind="md", dialect=OVERSEAS, reset_on_logon=True)
        world.next("session")
        venue.send(
            "X", (262, "r1"), (268, "2"), (279, "1"), (269, "0"), (55, "HGZ6"), (270, "4.5"), (271, "x"), (83, "4"),
            (279, "0"), (269, "1"), (55, "HGZ6"), (270, "4.6"), (271, "2"), (83, "4"),
        )  # fmt: skip
        raw = world.next("message")[1]
        assert wire("|268=2|279=1|269=0|55=HGZ6|270=4.5|271=x|83=4|279=0|269=1|55=HGZ6|270=4.6|271=2|83=4|10=") in raw
    finally:
        venue.close()


def test_stop_logs_out_and_ends_the_threads(peer: Peer, make: Make) -> None:
    """The venue gets a Logout; no thread is left; the status says stopped and keeps the numbers."""
    world = make(peer.port)
    world.next("session")
    assert world.sessions.stop(10)
    peer.read("5")
    assert not [thread for thread in world.sessions._threads if thread.is_alive()]
    status = world.sessions.status()[0]
    assert (status.state, status.next_sender_num, status.next_target_num) == ("stopped", 3, 3)


WRONG = [
    ({"key": "a/b"}, "session a/b: key = 'a/b'; right would be letters, digits"),
    ({"kind": "drop"}, "kind = 'drop'; right would be orders or md"),
    ({"port": 0}, "port = 0; right would be 1 to 65535"),
    ({"sender_comp_id": "A B"}, "sender_comp_id = 'A B'"),
    ({"heart_bt_int_s": 0}, "heart_bt_int_s = 0; right would be 1 or more"),
    ({"reconnect_backoff_s": (5, 1)}, "reconnect_backoff_s = (5, 1); right would be 0 < shortest <= longest"),
    ({"start_time": "09:00:00"}, "start_time and end_time, or neither"),
]


@pytest.mark.parametrize(("settings", "reason"), WRONG)
def test_a_wrong_setting_starts_nothing(settings: dict[str, Any], reason: str, tmp_path: Path) -> None:
    """The session, the setting, the value and what would be right."""
    with pytest.raises(SessionSettingsError) as caught:
        World(tmp_path, **({"port": 1} | settings))
    assert reason in str(caught.value)


def test_sessions_that_start_together_share_a_dictionary(tmp_path: Path) -> None:
    """The structure that QuickFIX reads is put in place whole: many at once write and read the same file."""
    session = SessionSettings("k", "V", "md", OVERSEAS, "127.0.0.1", 1, "CMC", "V")
    found: list[str] = []

    def read() -> None:
        settings = quickfix_settings(session, tmp_path, tmp_path)
        found.append(settings.get(session.session_id()).getString("DataDictionary"))
        quickfix.DataDictionary(found[-1])

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert [path.name for path in tmp_path.iterdir()] == [Path(found[0]).name]
