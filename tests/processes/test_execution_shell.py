"""The shell around the execution engine, on a real journal, a real lease and real sockets; the venues' sessions and the
clock are the test's own.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
import quickfix
import zmq

from benchmarks.execution_site import LIFE_NS, intent, write_site
from gateway.bus.sockets import IntentSender, endpoint
from gateway.bus.topics import ANSWER, ENCODER
from gateway.execution.engine import ExecutionEngine
from gateway.execution.runner import JOURNAL_RETRY_NS, STALE_NS, Timers
from gateway.fix.link import SendResult
from gateway.journal.errors import JournalError
from gateway.journal.reader import read_run
from gateway.model.record import ClockPair, Decision
from gateway.model.trade import (
    Alarm,
    Command,
    CommandAnswered,
    ExecutionEvent,
    ExecutionStatus,
    Intent,
    IntentRefused,
    OrdersSent,
    OrderState,
    PairTradeState,
    PositionReported,
    Restarted,
    SendOrders,
    Verb,
)
from gateway.processes import execution_shell, start
from gateway.processes.execution import recover, settings
from gateway.processes.execution_shell import ExecutionShell
from gateway.processes.lease import Lease

MS = 1_000_000
VENUES = ("SHFE", "LME")


class Venues:
    """The order sessions: what was written to them, and what the test does at each write."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.at_write: Callable[[str], object] = lambda _text: None
        self.result = SendResult(ok=True, reason="", msg_seq_num=7)

    def send(self, key: str, message: quickfix.Message) -> SendResult:
        """As FixSessions."""
        text = message.toString().replace("\x01", "|")
        self.at_write(text)
        self.sent.append((key, text))
        return self.result

    def orders(self) -> list[tuple[str, str]]:
        """Session and ClOrdID(11) of the new orders that left."""
        return [(key, field(text, 11)) for key, text in self.sent if "|35=D|" in text]


def field(text: str, tag: int) -> str:
    """The value of a field."""
    return text.partition(f"|{tag}=")[2].partition("|")[0]


class Rig:
    """A shell with both sessions up, armed; its clock stands until it is moved."""

    def __init__(self, folder: Path, bus_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = 10**12
        fake = SimpleNamespace(monotonic_ns=lambda: self.now_ns, utc_ns=lambda: 1_767_574_923 * 10**9)
        monkeypatch.setattr(execution_shell, "clock", fake)
        self.run_dir = folder / "run"
        self.site = write_site(folder)
        self.engine = ExecutionEngine(settings(self.site), 1)
        self.journal = start.open_journal("execution", 1, self.site, self.run_dir)
        self.lease = Lease(self.run_dir)
        self.lease.give(1)
        self.wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.shell = ExecutionShell(self.site, self.engine, self.journal, self.lease, bus_dir, self.wake_fd, 0)
        self.venues = Venues()
        self.shell.sessions = self.venues  # type: ignore[assignment]
        self.published: list[object] = []
        monkeypatch.setattr(self.shell.publisher, "publish", self.published.append)
        for venue_id in VENUES:
            self.shell.on_session(f"{venue_id}.orders", True, "logged on")
        self.shell.take_messages()
        self.shell.handle(Command("arm", Verb.ARM, "li", "test"))
        self.venues.sent.clear()  # what was asked when the sessions came up
        self._whole_fd = os.dup(self.journal._fd)

    def ids(self) -> list[str]:
        """ClOrdID(11) of every order that was decided on."""
        return list(self.engine.ledger.orders)

    def decisions(self) -> list[Decision]:
        """What the journal holds."""
        return [record for record in read_run(self.run_dir) if isinstance(record, Decision)]

    def events(self, kind: type) -> list[ExecutionEvent]:
        """Events of this class in the journal."""
        return [one.event for one in self.decisions() if isinstance(one.event, kind)]

    def intent(self, number: int = 1, life_ns: int = LIFE_NS) -> Intent:
        """One that passes the gate now."""
        return msgspec.structs.replace(intent(number, self.now_ns, 1), expires_ns=self.now_ns + life_ns)

    def break_journal(self) -> None:
        """Every write fails from now on: the descriptor is one that only reads."""
        reading = os.open(self.journal.path, os.O_RDONLY)
        os.dup2(reading, self.journal._fd)
        os.close(reading)

    def mend_journal(self) -> None:
        """It takes records again."""
        os.dup2(self._whole_fd, self.journal._fd)

    def at_append(self, monkeypatch: pytest.MonkeyPatch, pass_ns: int) -> None:
        """Let this time pass once the record of an intent is written."""
        append = self.journal.append

        def slow(record: Decision) -> None:
            append(record)
            if isinstance(record, Decision) and isinstance(record.event, Intent):
                self.now_ns += pass_ns

        monkeypatch.setattr(self.journal, "append", slow)

    def alarms(self) -> list[str]:
        return [one.name.value for one in self.published if isinstance(one, Alarm)]

    def close(self) -> None:
        self.shell.close()
        self.lease.close()
        os.close(self.wake_fd)
        os.close(self._whole_fd)


@pytest.fixture
def bus_dir() -> Iterator[Path]:
    """A directory whose sockets have short paths."""
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        yield Path(folder)


@pytest.fixture
def rig(tmp_path: Path, bus_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    made = Rig(tmp_path, bus_dir, monkeypatch)
    yield made
    made.close()


def test_the_record_is_in_the_file_before_the_first_order_leaves(rig: Rig) -> None:
    """At the moment of each write to a session the journal already tells of both orders."""
    seen: list[list[str]] = []

    def look(_text: str) -> None:
        last = rig.decisions()[-1]
        seen.append(
            [one.cl_ord_id for action in last.actions if isinstance(action, SendOrders) for one in action.orders]
        )

    rig.venues.at_write = look
    rig.shell.handle(rig.intent())
    first, second = rig.ids()
    assert rig.venues.orders() == [("SHFE.orders", first), ("LME.orders", second)]
    assert seen == [[first, second]] * 2
    (sent,) = rig.events(OrdersSent)
    assert isinstance(sent, OrdersSent)
    assert [(one.cl_ord_id, one.msg_seq_num, one.failure) for one in sent.orders] == [(first, 7, ""), (second, 7, "")]


def test_with_a_journal_that_cannot_be_written_nothing_leaves(rig: Rig) -> None:
    """No order, an alarm, and no further intent is taken; what venues say waits."""
    rig.break_journal()
    rig.shell.handle(rig.intent())
    assert rig.venues.sent == []
    assert rig.alarms() == ["journal"]
    assert rig.shell.writable is False
    rig.shell.on_message("SHFE.orders", "35=8|".replace("|", "\x01"), 1)
    rig.shell.take_messages()
    assert rig.shell.waiting is False
    assert rig.engine.ledger.armed is True
    rig.now_ns += JOURNAL_RETRY_NS
    assert rig.shell.writable is False
    assert rig.alarms() == ["journal"], "said once, not at every try"
    for _ in range(60):
        rig.now_ns += JOURNAL_RETRY_NS
        assert rig.shell.writable is False
    assert rig.alarms() == ["journal", "journal"], "and again when journal.alarm_every_s have passed"
    (_, again) = [one.figures for one in rig.published if isinstance(one, Alarm)]
    assert again.endswith("; tried 51 times in 10 s")
    rig.mend_journal()


def test_once_the_journal_is_mended_its_orders_are_reported_unsent_and_execution_is_disarmed(rig: Rig) -> None:
    """The record is written late, its orders never leave, the pair trade ends as missed, and a person has to arm."""
    rig.break_journal()
    rig.shell.handle(rig.intent())
    rig.mend_journal()
    assert rig.shell.writable is False, "it is tried again after a pause, not at once"
    rig.now_ns += JOURNAL_RETRY_NS
    assert rig.shell.writable is True
    assert rig.venues.sent == []
    assert [own.state for own in rig.engine.ledger.orders.values()] == [OrderState.DONE] * 2
    assert rig.engine.ledger.trades["P1-1"].state is PairTradeState.MISSED
    assert rig.engine.ledger.armed is False
    kinds = [type(one.event).__name__ for one in rig.decisions()][-3:]
    assert kinds == ["Intent", "OrdersSent", "Command"]
    (sent,) = rig.events(OrdersSent)
    assert isinstance(sent, OrdersSent)
    assert {one.failure for one in sent.orders} == {"the journal could not be written in time"}
    assert [one.seq for one in rig.decisions()] == list(range(1, len(rig.decisions()) + 1))


def test_an_intent_that_comes_while_the_journal_cannot_be_written_is_refused(rig: Rig, bus_dir: Path) -> None:
    """By name, and without a decision."""
    rig.break_journal()
    rig.shell.handle(rig.intent())
    sender = IntentSender(bus_dir, 10)
    try:
        assert until(lambda: sender.send(rig.intent(2)))
        assert rig.shell.intents.socket.poll(5000)
        rig.shell.take_intents()
    finally:
        sender.close()
    (refused,) = [one for one in rig.published if isinstance(one, IntentRefused)]
    assert (refused.intent_id, refused.figures) == (rig.intent(2).intent_id, "the journal cannot be written")
    rig.mend_journal()


def until(done: Callable[[], bool]) -> bool:
    """Whether it comes true within some seconds; yields the processor in between."""
    for _ in range(5000):
        if done():
            return True
        os.sched_yield()
    return False


def test_without_the_lease_nothing_leaves(rig: Rig) -> None:
    """The watch has taken it: both orders are reported unsent."""
    rig.lease.take()
    rig.shell.handle(rig.intent())
    assert rig.venues.sent == []
    (sent,) = rig.events(OrdersSent)
    assert isinstance(sent, OrdersSent)
    assert [(one.sent_ns, one.failure) for one in sent.orders] == [(0, "the lease was taken away")] * 2


def test_a_lease_taken_between_two_legs_keeps_the_second(rig: Rig) -> None:
    """It is looked at before each order, not once for both."""
    rig.venues.at_write = lambda _text: rig.lease.take()
    rig.shell.handle(rig.intent())
    assert rig.venues.orders() == [("SHFE.orders", rig.ids()[0])]


def test_another_incarnations_lease_is_not_ours(rig: Rig) -> None:
    """Who was started after us may send, and we may not."""
    rig.lease.give(2)
    rig.shell.handle(rig.intent())
    assert rig.venues.sent == []


def test_an_intent_that_expires_while_it_is_written_sends_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its life ends between the gate and the socket: named, with the time."""
    rig.at_append(monkeypatch, 51 * MS)
    rig.shell.handle(rig.intent(life_ns=50 * MS))
    assert rig.venues.sent == []
    (sent,) = rig.events(OrdersSent)
    assert isinstance(sent, OrdersSent)
    assert {one.failure for one in sent.orders} == {"its intent expired 1000000 ns ago"}


def test_an_intent_that_comes_too_late_is_refused_by_the_gate(rig: Rig) -> None:
    """It never becomes a pair trade."""
    asked = rig.intent()
    rig.now_ns += LIFE_NS + 1
    rig.shell.handle(asked)
    assert rig.venues.sent == []
    assert rig.engine.ledger.trades == {}


def test_a_process_that_was_stopped_before_the_socket_sends_nothing(rig: Rig) -> None:
    """The second leg of a pair whose first write took longer than an order may be old."""

    def pause(_text: str) -> None:
        rig.now_ns += STALE_NS + 1

    rig.venues.at_write = pause
    rig.shell.handle(rig.intent(life_ns=10**10))
    assert rig.venues.orders() == [("SHFE.orders", rig.ids()[0])]
    (sent,) = rig.events(OrdersSent)
    assert isinstance(sent, OrdersSent)
    assert "this process was held up" in sent.orders[1].failure


def test_a_send_that_used_a_number_is_no_failure(rig: Rig) -> None:
    """The venue may have it: it stays open, to be asked about; without a number it never left."""
    rig.venues.result = SendResult(ok=False, reason="broke while sending", msg_seq_num=9)
    rig.shell.handle(rig.intent())
    assert [own.state for own in rig.engine.ledger.orders.values()] == [OrderState.SENT] * 2
    rig.venues.result = SendResult(ok=False, reason="down", msg_seq_num=0)
    rig.shell.handle(rig.intent(2))
    assert [own.state for own in rig.engine.ledger.orders.values()][2:] == [OrderState.DONE] * 2


def test_timers_replace_each_other_and_come_in_order() -> None:
    """Setting a key again moves it; a key fires once."""
    timers = Timers()
    timers.set("a", 10)
    timers.set("b", 20)
    timers.set("a", 30)
    assert timers.pop(9) is None
    assert timers.pop(10) is None, "a was moved"
    assert timers.wait_ns(10, 100) == 10
    assert [timers.pop(40), timers.pop(40), timers.pop(40)] == ["b", "a", None]
    assert timers.wait_ns(40, 100) == 100


def test_a_timer_of_the_engine_fires_when_it_is_due(rig: Rig) -> None:
    """The reply timer of a pair trade comes back as an event in the journal, not earlier; the orders are cancelled."""
    rig.shell.handle(rig.intent())
    timeout_ns = rig.site.pairs["P0"].order_timeout_ns
    rig.now_ns += timeout_ns - 1
    rig.shell.fire_timers()
    assert len(rig.venues.sent) == 2
    rig.now_ns += 1
    rig.shell.fire_timers()
    assert [field(text, 35) for _, text in rig.venues.sent] == ["D", "D", "F", "F"]
    assert [field(text, 41) for _, text in rig.venues.sent][2:] == rig.ids()


def test_a_journal_brings_a_new_incarnation_to_where_the_old_one_died(rig: Rig) -> None:
    """Trades and orders are those of before; what was open is in doubt and asked about; no id comes twice."""
    rig.shell.handle(rig.intent())
    engine = ExecutionEngine(settings(rig.site), 1)
    recovered = recover(engine, rig.run_dir)
    assert (recovered.seq, recovered.at_ns) == (rig.decisions()[-1].seq, rig.now_ns)
    assert list(engine.ledger.orders) == list(rig.engine.ledger.orders)
    assert engine.status(0) == rig.engine.status(0)
    engine.on_event(Restarted(2), rig.now_ns)
    assert [own.state for own in engine.ledger.orders.values()] == [OrderState.IN_DOUBT] * 2
    assert (engine.ledger.armed, engine.ledger.incarnation) == (False, 2)
    rig.engine.on_event(Restarted(2), rig.now_ns)
    assert engine.status(0) == rig.engine.status(0)
    for one in engine._ids:
        assert one.next().startswith(f"{one._prefix}2-")


@contextmanager
def asker(bus_dir: Path) -> Iterator["zmq.Socket[bytes]"]:
    """Somebody who sends commands."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    try:
        socket.connect(endpoint(bus_dir, "execution.cmd"))
        yield socket
    finally:
        socket.close(0)


def ask(rig: Rig, socket: "zmq.Socket[bytes]", command: Command) -> CommandAnswered | ExecutionStatus:
    """Ask, let the shell take it up, and read what came."""
    socket.send(ENCODER.encode(command))
    assert rig.shell.commands.socket.poll(5000)
    rig.shell.take_commands()
    assert socket.poll(5000)
    answer: CommandAnswered | ExecutionStatus = ANSWER.decode(socket.recv())
    return answer


def test_each_command_is_answered_once_and_done_once(rig: Rig, bus_dir: Path) -> None:
    """The same id again is answered in the same words and changes nothing; a status goes to who asked."""
    with asker(bus_dir) as one, asker(bus_dir) as other:
        disarm = Command("c-1", Verb.DISARM, "wang", "lunch")
        first = ask(rig, one, disarm)
        assert isinstance(first, CommandAnswered)
        assert rig.engine.ledger.armed is False
        rig.shell.handle(Command("arm-2", Verb.ARM, "li", "test"))
        assert ask(rig, other, disarm) == first
        assert rig.engine.ledger.armed is True, "it was not done twice"
        assert isinstance(ask(rig, other, Command("s", Verb.STATUS, "", "")), ExecutionStatus)
        assert (one.poll(0), other.poll(0)) == (0, 0)


def test_a_command_that_cannot_be_journalled_is_answered_and_not_done(rig: Rig, bus_dir: Path) -> None:
    """While the journal cannot be written, whoever asks is told so."""
    rig.break_journal()
    rig.shell.handle(rig.intent())
    with asker(bus_dir) as socket:
        answer = ask(rig, socket, Command("c-1", Verb.DISARM, "wang", "lunch"))
    assert answer == CommandAnswered("c-1", done=False, text="the journal cannot be written")
    assert rig.engine.ledger.armed is True
    rig.mend_journal()


def test_a_record_that_no_journal_could_hold_ends_the_process(rig: Rig) -> None:
    """It is raised, not tried again for ever; nothing of it left."""
    with pytest.raises(JournalError, match="encode"):
        rig.shell.handle(PositionReported("SHFE.cu0", 2**70, "statement"))
    assert rig.venues.sent == []


def test_a_command_too_long_for_a_record_is_refused(rig: Rig, bus_dir: Path) -> None:
    """By its length, and without a record."""
    before = len(rig.decisions())
    with asker(bus_dir) as socket:
        answer = ask(rig, socket, Command("c-1", Verb.DISARM, "wang", "x" * 5000))
    assert isinstance(answer, CommandAnswered)
    assert (answer.done, answer.text) == (False, "a command of 5013 characters; at most 4000")
    assert (len(rig.decisions()), rig.engine.ledger.armed) == (before, True)


def test_what_quickfix_refused_is_alarmed(rig: Rig) -> None:
    """A message of the venue that only QuickFIX saw reaches the engine as one that cannot be used."""
    rig.shell.on_refused("SHFE.orders", 12, "Tag appears more than once")
    rig.shell.take_messages()
    assert rig.alarms() == ["bad_message"]


def test_once_a_minute_the_journal_gets_both_clocks(rig: Rig) -> None:
    """Not before the minute is over."""
    rig.shell.keep(rig.now_ns + 59_999_999_999)
    assert not [one for one in read_run(rig.run_dir) if isinstance(one, ClockPair)]
    rig.shell.keep(rig.now_ns + 60_000_000_000)
    assert [one.monotonic_ns for one in read_run(rig.run_dir) if isinstance(one, ClockPair)] == [
        rig.now_ns + 60_000_000_000
    ]
