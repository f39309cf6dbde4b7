"""Carries out what the execution engine decides: journal first, then sockets, then the bus.

For every event: the engine decides, the event and its actions are written as one record, and only then are the actions
carried out, in order. An action that has an answer at once (orders handed over, books read) brings its event next.

What can go wrong: the journal cannot be written. Then nothing of that decision is sent; its orders are told to the
engine as unsent as soon as the journal takes records again; until then no intent is taken and venues' messages wait.
A record that no journal could hold ends the process: on its return it asks the venues what is true.
"""

import heapq
import os
from collections import deque
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.bus.sockets import CommandServer, IntentReceiver, LatestQuotes, Publisher, Subscriber
from gateway.execution.engine import ExecutionEngine
from gateway.execution.rehearsal import Rehearsal
from gateway.journal.clock_pairs import ClockPairs
from gateway.journal.errors import JournalCause, JournalError
from gateway.journal.frame import FrameEncoder
from gateway.journal.writer import JournalWriter
from gateway.model.order import BadOrderMessage, SessionChanged
from gateway.model.port import OrderReader, Sessions, Writer
from gateway.model.record import Decision
from gateway.model.trade import (
    Action,
    Alarm,
    AlarmName,
    Announce,
    AskStatus,
    BooksObserved,
    BookStateChanged,
    Command,
    CommandAnswered,
    ExecutionEvent,
    IntentRefused,
    OrderSent,
    OrdersSent,
    ReadBooks,
    RefusalName,
    SendCancel,
    SendOrders,
    SetTimer,
    TimerFired,
    Verb,
)
from gateway.processes import clock
from gateway.processes.lease import Lease
from gateway.processes.settings import Site
from gateway.processes.site_file import MS
from gateway.processes.venues import order_reader, writer

JOURNAL_RETRY_NS = 200 * MS
STALE_NS = 100 * MS
"""An order that has not left so long after its record was written is old: this process was stopped in between."""
LONGEST_COMMAND = 4000
"""Characters of a command that is taken: it goes into one record."""
AFTER_GAP_NS = 100 * MS
"""From a venue's ResendRequest(35=2) to asking anew what is in doubt; by then the gap is filled over."""
MOST_AT_ONCE = 256
"""Messages of venues taken up before intents are looked at again."""
INTENTS_WAITING = 100
SENT_REMEMBERED = 4096
"""MsgSeqNum(34) -> ClOrdID(11) of so many messages, for rejects that name the number only."""


class _Waiting(NamedTuple):
    """A message or a session change, from a FIX thread."""

    key: str
    raw: str
    recv_ns: int
    up: bool | None


class Timers:
    """Timers by key; setting one again replaces it."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}

    def set(self, key: str, at_ns: int) -> None:
        self._due[key] = at_ns
        heapq.heappush(self._heap, (at_ns, key))

    def pop(self, now_ns: int) -> str | None:
        """A key that is due, or None."""
        while self._heap and self._heap[0][0] <= now_ns:
            at_ns, key = heapq.heappop(self._heap)
            if self._due.get(key) == at_ns:
                del self._due[key]
                return key
        return None

    def wait_ns(self, now_ns: int, most_ns: int) -> int:
        """How long until the next may be due, at most `most_ns`."""
        return max(0, min(most_ns, self._heap[0][0] - now_ns)) if self._heap else most_ns


class ExecutionShell:
    """The engine with its journal, sessions and sockets. One thread calls it; FIX threads only hand over."""

    def __init__(
        self,
        site: Site,
        engine: ExecutionEngine,
        journal: JournalWriter,
        lease: Lease,
        bus_dir: Path,
        wake_fd: int,
        seq: int,
    ) -> None:
        self.engine = engine
        self.journal = journal
        self.states = Subscriber(bus_dir, "feed", ["X."], site.bus.high_water_mark)
        self._lease = lease
        # The lease's, not the ledger's: that is still the last journal's, and listeners drop what is not new.
        self.publisher = Publisher(bus_dir, "execution", lease.holder, site.bus.high_water_mark)
        self.intents = IntentReceiver(bus_dir, INTENTS_WAITING)
        self.commands = CommandServer(bus_dir)
        self.timers = Timers()
        self.sessions: Sessions | None = None
        self._wake_fd = wake_fd
        self._quotes = LatestQuotes(bus_dir)
        self._inbox: deque[_Waiting] = deque()
        self._missed: deque[str] = deque()
        self._refused: deque[BadOrderMessage] = deque()
        self._events: deque[ExecutionEvent] = deque()
        self._unwritten: deque[Decision] = deque()
        self._retry_ns = 0
        self._rehearsal = Rehearsal(engine.ledger)
        self._rehearsed = FrameEncoder()
        self._asking: dict[str, bytes] = {}
        self._seq = seq
        self._pairs = ClockPairs(clock.monotonic_ns())
        self._mass_status = {name: venue.dialect.mass_status == "AF" for name, venue in site.venues.items()}
        self._sent: dict[str, dict[int, str]] = {name: {} for name in site.venues}
        self._encoders: dict[str, Writer] = {}
        self._decoders: dict[str, OrderReader] = {}
        for name, venue in site.venues.items():
            listed = [one for one in site.instruments.values() if one.venue_id == name]
            by_symbol = {one.symbol: one for one in listed}
            self._encoders[name] = writer(venue, by_symbol, venue.orders.constants)
            sent_as = partial(_sent_as, self._sent[name])
            self._decoders[f"{name}.orders"] = order_reader(venue, name, by_symbol, sent_as)

    # Called by FIX threads.

    def on_message(self, key: str, raw: str, recv_ns: int) -> None:
        """A message of an order session."""
        self._inbox.append(_Waiting(key, raw, recv_ns, None))
        os.eventfd_write(self._wake_fd, 1)

    def on_session(self, key: str, up: bool, detail: str) -> None:  # noqa: FBT001 the callback's form
        """An order session came up or went down."""
        self._inbox.append(_Waiting(key, detail, clock.monotonic_ns(), up))
        os.eventfd_write(self._wake_fd, 1)

    def on_refused(self, key: str, ref_seq_num: int, text: str) -> None:
        """QuickFIX itself refused a message of the venue: nobody else has seen it."""
        venue_id = key.removesuffix(".orders")
        self._refused.append(BadOrderMessage(venue_id, clock.monotonic_ns(), ref_seq_num, "", "", text))
        os.eventfd_write(self._wake_fd, 1)

    def on_sent(self, key: str, cl_ord_id: str, msg_seq_num: int) -> None:
        """A message with this ClOrdID(11) left under this number; called in the thread that sends."""
        known = self._sent[key.removesuffix(".orders")]
        known[msg_seq_num] = cl_ord_id
        if len(known) > SENT_REMEMBERED:
            del known[next(iter(known))]

    def on_resend_request(self, key: str, _begin: int, _end: int) -> None:
        """The venue missed what we sent; it is filled over, not sent again, a question of just now included."""
        self._missed.append(key.removesuffix(".orders"))
        os.eventfd_write(self._wake_fd, 1)

    # Called by the loop.

    @property
    def writable(self) -> bool:
        """Whether the journal takes records; tries again when it is time to."""
        if not self._unwritten:
            return True
        if clock.monotonic_ns() >= self._retry_ns:
            self._write_pending()
        return not self._unwritten

    def take_intents(self) -> None:
        """Decide on every intent that waits."""
        while (intent := self.intents.receive()) is not None:
            if self.writable:
                self.handle(intent)
                self._rehearsal.note(intent)
            else:
                refused = IntentRefused(
                    intent.intent_id,
                    intent.pair_id,
                    intent.rule_id,
                    RefusalName.HALTED,
                    "the journal cannot be written",
                )
                self.publisher.publish(refused)

    def rehearse(self, at_ns: int) -> None:
        """Make the record and the messages of an intent for nobody: see `gateway.execution.rehearsal`."""
        made = self._rehearsal.next(at_ns)
        if made is None:
            return
        decision, orders = made
        self._rehearsed.encode(decision)
        utc_ns = clock.utc_ns()
        for order in orders:
            self._encoders[order.venue_id].new_order(order, utc_ns).toString()

    def take_messages(self) -> None:
        """Decide on what venues have said."""
        while self._missed:
            self.timers.set(f"status:{self._missed.popleft()}", clock.monotonic_ns() + AFTER_GAP_NS)
        while self._refused and self.writable:
            self.handle(self._refused.popleft())
        for _ in range(MOST_AT_ONCE):
            if not self._inbox or not self.writable:
                return
            key, raw, recv_ns, up = self._inbox.popleft()
            if up is not None:
                self.handle(SessionChanged(key.removesuffix(".orders"), "orders", up, recv_ns, raw))
                continue
            event = self._decoders[key].decode(raw, recv_ns)
            if event is not None:
                self.handle(event)

    def take_states(self) -> None:
        """Hear which books became tradable, or ceased to be."""
        if self.writable:
            for one in self.states.poll():
                if isinstance(one.message, BookStateChanged):
                    self.handle(one.message)

    @property
    def waiting(self) -> bool:
        """Whether messages of venues wait that may be taken up now."""
        return bool(self._inbox) and not self._unwritten

    def take_commands(self) -> None:
        """Answer every command that waits."""
        while (asked := self.commands.receive()) is not None:
            identity, command = asked
            if command.verb is Verb.STATUS:
                self.commands.answer(identity, self.engine.status(clock.monotonic_ns()))
            elif (length := sum(map(len, msgspec.structs.astuple(command)))) > LONGEST_COMMAND:
                text = f"a command of {length} characters; at most {LONGEST_COMMAND}"
                self.commands.answer(identity, CommandAnswered(command.command_id[:40], done=False, text=text))
            elif not self.writable:
                answer = CommandAnswered(command.command_id, done=False, text="the journal cannot be written")
                self.commands.answer(identity, answer)
            else:
                self._asking[command.command_id] = identity
                self.handle(command)

    def fire_timers(self) -> None:
        """Deliver what is due."""
        while self.writable and (key := self.timers.pop(clock.monotonic_ns())) is not None:
            self.handle(TimerFired(key))

    def keep(self, now_ns: int) -> None:
        """What is due by the clock alone."""
        if self.writable and self._pairs.is_due(now_ns):
            try:
                self.journal.append(self._pairs.take(now_ns, clock.utc_ns()))
            except JournalError as error:
                self._alarm(str(error))

    def handle(self, event: ExecutionEvent) -> None:
        """Decide on an event, and on those that its actions bring at once."""
        self._events.append(event)
        while self._events and not self._unwritten:
            self._decide(self._events.popleft())

    def close(self) -> None:
        for one in (self.publisher, self.intents, self.commands, self.states, self._quotes, self.journal):
            one.close()

    def _decide(self, event: ExecutionEvent) -> None:
        at_ns = clock.monotonic_ns()
        actions = self.engine.on_event(event, at_ns)
        self._seq += 1
        decision = Decision(self._seq, at_ns, event, tuple(actions))
        try:
            self.journal.append(decision)
        except JournalError as error:
            if error.cause is JournalCause.ENCODE:
                raise  # it never can be written: our own mistake, and waiting would hide it
            self._unwritten.append(decision)
            self._retry_ns = clock.monotonic_ns() + JOURNAL_RETRY_NS
            self._alarm(f"{error}; nothing is sent until it can be written")
            return
        self._carry_out(decision, clock.monotonic_ns())

    def _write_pending(self) -> None:
        """Write what could not be written; its orders have become old and are not sent."""
        while self._unwritten:
            decision = self._unwritten[0]
            try:
                self.journal.append(decision)
            except JournalError as error:
                self._retry_ns = clock.monotonic_ns() + JOURNAL_RETRY_NS
                self._alarm(str(error))
                return
            self._unwritten.popleft()
            self._carry_out(decision, 0)
            self._events.append(Command(f"journal-{decision.seq}", Verb.DISARM, "execution", "the journal failed"))
        while self._events and not self._unwritten:
            self._decide(self._events.popleft())

    def _carry_out(self, decision: Decision, journalled_ns: int) -> None:
        """`journalled_ns` is 0 for a decision that was written too late to send its orders."""
        for action in decision.actions:
            self._do(action, journalled_ns)

    def _do(self, action: Action, journalled_ns: int) -> None:
        match action:
            case SendOrders():
                self._events.append(self._send(action, journalled_ns))
            case Announce():
                self._tell(action)
            case SetTimer():
                self.timers.set(action.key, action.at_ns)
            case ReadBooks():
                self._events.append(BooksObserved(action.request, self._quotes.read(action.instrument_ids)))
            case SendCancel():
                self._cancel(action)
            case AskStatus():
                self._ask(action)

    def _send(self, action: SendOrders, journalled_ns: int) -> OrdersSent:
        """Build every order, then hand them over back to back."""
        if not journalled_ns or self.sessions is None:
            failure = "the journal could not be written in time" if self.sessions else "no sessions"
            return OrdersSent(0, tuple(OrderSent(one.cl_ord_id, 0, 0, failure) for one in action.orders))
        utc_ns = clock.utc_ns()
        built = [(one, self._encoders[one.venue_id].new_order(one, utc_ns)) for one in action.orders]
        sent = []
        for order, message in built:
            failure = self._must_not_leave(journalled_ns, action.expires_ns)
            if failure:
                sent.append(OrderSent(order.cl_ord_id, 0, 0, failure))
                continue
            result = self.sessions.send(f"{order.venue_id}.orders", message)
            # A number that was used means that the venue may have it: then it is not unsent, but in doubt.
            failure = "" if result.ok or result.msg_seq_num else result.reason
            sent.append(OrderSent(order.cl_ord_id, clock.monotonic_ns(), result.msg_seq_num, failure))
        return OrdersSent(journalled_ns, tuple(sent))

    def _must_not_leave(self, journalled_ns: int, expires_ns: int) -> str:
        """The last look before the socket: why an order that was decided on must not leave; empty when it may."""
        if self._lease.holder != self.engine.ledger.incarnation:
            return "the lease was taken away"
        now_ns = clock.monotonic_ns()
        if expires_ns and now_ns > expires_ns:
            return f"its intent expired {now_ns - expires_ns} ns ago"
        if now_ns - journalled_ns > STALE_NS:
            return f"{now_ns - journalled_ns} ns since it was decided, at most {STALE_NS}: this process was held up"
        return ""

    def _cancel(self, action: SendCancel) -> None:
        venue_id = action.order.venue_id
        message = self._encoders[venue_id].cancel(action.cl_ord_id, action.order, action.order_id, clock.utc_ns())
        if self.sessions is not None:
            self.sessions.send(f"{venue_id}.orders", message)

    def _ask(self, action: AskStatus) -> None:
        if self.sessions is None:
            return
        encoder = self._encoders[action.venue_id]
        key = f"{action.venue_id}.orders"
        if self._mass_status[action.venue_id]:
            self.sessions.send(key, encoder.mass_status_request(action.request_id))
        for order in action.orders:
            self.sessions.send(key, encoder.status_request(order, action.request_id))

    def _tell(self, action: Announce) -> None:
        if isinstance(action.what, CommandAnswered):
            identity = self._asking.pop(action.what.command_id, None)
            if identity is not None:
                self.commands.answer(identity, action.what)
        self.publisher.publish(action.what)

    def _alarm(self, figures: str) -> None:
        self.publisher.publish(Alarm(AlarmName.JOURNAL, "journal", figures))


def _sent_as(known: dict[int, str], msg_seq_num: int) -> str:
    """The ClOrdID(11) that left under this MsgSeqNum(34); empty when it is not remembered."""
    return known.get(msg_seq_num, "")
