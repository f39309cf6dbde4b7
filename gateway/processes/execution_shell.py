"""The execution engine's ears and hands: sessions, journal, lease and bus. In which order things are done says the
runner, which is the same in the simulated worlds (`gateway.execution.runner`).

What can go wrong: the journal cannot be written. Then nothing of that decision is sent (the runner sees to it), no
intent is taken and venues' messages wait. A record that no journal could hold ends the process: on its return it asks
the venues what is true.
"""

import os
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.bus.sockets import CommandServer, IntentReceiver, LatestQuotes, Publisher, Subscriber
from gateway.execution.engine import ExecutionEngine
from gateway.execution.rehearsal import Rehearsal
from gateway.execution.runner import NO_JOURNAL, Runner
from gateway.fix.instrument_key import by_symbol
from gateway.journal.clock_pairs import ClockPairs
from gateway.journal.errors import JournalCause, JournalError
from gateway.journal.frame import FrameEncoder
from gateway.journal.heard import DROP_COPY, ORDERS
from gateway.journal.writer import JournalWriter
from gateway.model.order import BadOrderMessage, Order, SessionChanged
from gateway.model.port import (
    NumberedSessions,
    OrderReader,
    PositionsWriter,
    RehearsingSessions,
    SendResult,
    Sessions,
    VenueMessage,
    Writer,
)
from gateway.model.quote import Quote
from gateway.model.record import Decision
from gateway.model.trade import (
    Action,
    Alarm,
    AlarmName,
    Announce,
    Announcement,
    AskPositions,
    AskStatus,
    BookStateChanged,
    CommandAnswered,
    ExecutionEvent,
    ResetNumbers,
    SendCancel,
    Verb,
)
from gateway.processes import clock
from gateway.processes.durations import MS
from gateway.processes.lease import Lease
from gateway.processes.site import Site
from gateway.processes.stage_alarms import StageAlarms
from gateway.processes.venues import order_reader, writer

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
        self.runner = Runner[VenueMessage](engine, self, seq, site.journal.alarm_every_ns)
        self.timers = self.runner.timers
        self.alarms = StageAlarms(self.runner, bus_dir, site.bus.high_water_mark)
        self.sessions: Sessions | None = None
        self._wake_fd = wake_fd
        self._quotes = LatestQuotes(bus_dir)
        self._inbox: deque[_Waiting] = deque()
        self._missed: deque[str] = deque()
        self._refused: deque[BadOrderMessage] = deque()
        self._rehearsal = Rehearsal(engine.ledger)
        self._rehearsed = FrameEncoder()
        self._asking: dict[str, bytes] = {}
        self._pairs = ClockPairs(clock.monotonic_ns())
        self._mass_status = {name: venue.dialect.mass_status == "AF" for name, venue in site.venues.items()}
        self._sent: dict[str, dict[int, str]] = {name: {} for name in site.venues}
        self._keys = {name: f"{name}.{ORDERS}" for name in site.venues}
        self._encoders: dict[str, Writer] = {}
        self._decoders: dict[str, OrderReader] = {}
        for name, venue in site.venues.items():
            listed = [one for one in site.instruments.values() if one.venue_id == name]
            named = by_symbol(listed)
            self._encoders[name] = writer(venue, named, venue.orders.constants)
            sent_as = partial(_sent_as, self._sent[name])
            self._decoders[f"{name}.{ORDERS}"] = order_reader(venue, name, named, sent_as)
            self._decoders[f"{name}.{DROP_COPY}"] = order_reader(venue, name, named, copied=True)

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
        venue_id = key.rpartition(".")[0]
        self._refused.append(BadOrderMessage(venue_id, clock.monotonic_ns(), ref_seq_num, "", "", text))
        os.eventfd_write(self._wake_fd, 1)

    def on_sent(self, key: str, cl_ord_id: str, msg_seq_num: int) -> None:
        """A message with this ClOrdID(11) left under this number; called in the thread that sends."""
        known = self._sent[key.rpartition(".")[0]]
        known[msg_seq_num] = cl_ord_id
        if len(known) > SENT_REMEMBERED:
            del known[next(iter(known))]

    def on_resend_request(self, key: str, _begin: int, _end: int) -> None:
        """The venue missed what we sent; it is filled over, not sent again, a question of just now included."""
        self._missed.append(key.rpartition(".")[0])
        os.eventfd_write(self._wake_fd, 1)

    # Called by the loop.

    @property
    def writable(self) -> bool:
        """Whether the journal takes records; tries again when it is time to."""
        return self.runner.writable

    def take_intents(self) -> None:
        """Decide on every intent that waits."""
        while (intent := self.intents.receive()) is not None:
            if self.runner.take_intent(intent):
                self._rehearsal.note(intent)

    def rehearse(self, at_ns: int) -> None:
        """Make the record and the messages of an intent for nobody: see `gateway.execution.rehearsal`."""
        made = self._rehearsal.next(at_ns)
        if made is None:
            return
        decision, orders = made
        self._rehearsed.encode(decision)
        utc_ns = clock.utc_ns()
        built = [self._encoders[order.venue_id].new_order(order, utc_ns) for order in orders]
        for message in built:
            message.toString()
        if built and isinstance(self.sessions, RehearsingSessions):
            self.sessions.rehearse(built[0])

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
                venue_id, _, session = key.rpartition(".")
                self.handle(SessionChanged(venue_id, session, up, recv_ns, raw))
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
        return bool(self._inbox) and not self.runner.stuck

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
                answer = CommandAnswered(command.command_id, done=False, text=NO_JOURNAL)
                self.commands.answer(identity, answer)
            else:
                self._asking[command.command_id] = identity
                self.handle(command)

    def fire_timers(self) -> None:
        """Deliver what is due."""
        self.runner.fire_timers()

    def keep(self, now_ns: int) -> None:
        """What is due by the clock alone."""
        if self.writable and self._pairs.is_due(now_ns):
            try:
                self.journal.append(self._pairs.take(now_ns, clock.utc_ns()))
            except JournalError as error:
                self.publish(Alarm(AlarmName.JOURNAL, "journal", str(error)))

    def handle(self, event: ExecutionEvent) -> None:
        """Decide on an event, and on those that its actions bring at once."""
        self.runner.handle(event)

    def close(self) -> None:
        ends = (self.publisher, self.intents, self.commands, self.states, self.alarms, self._quotes, self.journal)
        for one in ends:
            one.close()

    # The runner's hands.

    def now_ns(self) -> int:
        return clock.monotonic_ns()

    def write(self, decision: Decision) -> str:
        """Append to the journal; a record that it can never take is our own mistake, and waiting would hide it."""
        try:
            self.journal.append(decision)
        except JournalError as error:
            if error.cause is JournalCause.ENCODE:
                raise
            return str(error)
        return ""

    def may_send(self) -> bool:
        return self._lease.holder == self.engine.ledger.incarnation

    def build(self, orders: Sequence[Order]) -> list[VenueMessage]:
        utc_ns = clock.utc_ns()
        return [self._encoders[one.venue_id].new_order(one, utc_ns) for one in orders]

    def hand_over(self, order: Order, built: VenueMessage, _trade_id: str) -> SendResult:
        if self.sessions is None:
            return SendResult(ok=False, reason="no sessions", msg_seq_num=0)
        return self.sessions.send(self._keys[order.venue_id], built)

    def read_books(self, instrument_ids: tuple[str, ...]) -> tuple[Quote, ...]:
        return self._quotes.read(instrument_ids)

    def publish(self, what: Announcement) -> None:
        self.publisher.publish(what)

    def act(self, action: Action) -> None:
        match action:
            case Announce():
                self._tell(action)
            case SendCancel():
                self._cancel(action)
            case AskStatus():
                self._ask(action)
            case AskPositions():
                self._ask_positions(action)
            case ResetNumbers():
                self._reset_numbers(action)

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
        if action.mass and self._mass_status[action.venue_id]:
            self.sessions.send(key, encoder.mass_status_request(action.request_id))
        for order in action.orders:
            self.sessions.send(key, encoder.status_request(order, action.request_id))

    def _ask_positions(self, action: AskPositions) -> None:
        writer = self._encoders[action.venue_id]
        if self.sessions is not None and isinstance(writer, PositionsWriter):
            account = self.engine.ledger.settings.venues[action.venue_id].account
            asked = writer.positions_request(action.request_id, account, action.trading_day, clock.utc_ns())
            self.sessions.send(f"{action.venue_id}.{ORDERS}", asked)

    def _reset_numbers(self, action: ResetNumbers) -> None:
        key = f"{action.venue_id}.{action.session}"
        try:
            if not isinstance(self.sessions, NumberedSessions):
                raise ValueError(f"session {key} has no numbers that can be set")  # noqa: TRY301 - told as the others
            self.sessions.reset_numbers(key, action.next_sender_num, action.next_target_num, log_out=True)
        except (KeyError, ValueError) as error:
            self.publish(Alarm(AlarmName.BAD_MESSAGE, key, f"its numbers were not set: {error}"))

    def _tell(self, action: Announce) -> None:
        if isinstance(action.what, CommandAnswered):
            identity = self._asking.pop(action.what.command_id, None)
            if identity is not None:
                self.commands.answer(identity, action.what)
        self.publisher.publish(action.what)


def _sent_as(known: dict[int, str], msg_seq_num: int) -> str:
    """The ClOrdID(11) that left under this MsgSeqNum(34); empty when it is not remembered."""
    return known.get(msg_seq_num, "")
