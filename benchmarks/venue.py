"""Both venues of the benchmarks in one thread: market data written to a timetable, orders timed, answered and filled.

It decides when a quote is written (schedule.py), and stamps the instant before each market-data send() and the instant
after each recv() that brings an order, all on this host's monotonic clock; beside it the kernel's own stamp of the
order, because a venue that has to be woken reads both legs at once and would show no skew. What one order session
brings is read at once but parsed and answered only when the other has brought its order too, or 2 ms later, so that
work on one leg does not delay the stamp of the other.

How it can go wrong: the timetable is kept by one Python thread, so above some 30 000 quotes a second it falls behind;
every run reports how late its writes were. A gateway that stops reading ends the run with an error after 5 s.
"""

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from itertools import islice
from types import TracebackType
from typing import Self

import msgspec

from benchmarks import venue_fix as fix
from benchmarks.matching import OrderArrived, TriggerWritten
from benchmarks.pacing import undisturbed
from benchmarks.schedule import LEGS, SHOWN_LOTS, A, B, Step, quotes_per_trigger, steps

CLIENT_COMP_ID = "CMC"
MD = "md"
ORDERS = "orders"
HOLD_NS = 2_000_000
SEND_TIMEOUT_S = 5.0
HEARTBEAT_NS = 2_000_000_000
DRAIN_NS = 200_000_000
_RECEIVE_BYTES = 1 << 16
_ANCILLARY_BYTES = 64
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module does not name it
_TIMESPEC = struct.Struct("@qq")


class VenueError(Exception):
    """The other side did what no venue can go on with: it names the session and what was seen."""


class Run(msgspec.Struct, frozen=True):
    """What one run wrote and saw. `written_ns[leg]` maps MsgSeqNum(34) to the instant before its send()."""

    triggers: tuple[TriggerWritten, ...]
    orders: tuple[OrderArrived, ...]
    written_ns: tuple[dict[int, int], dict[int, int]]
    late_ns: tuple[int, ...]
    """Due time to write, of every quote."""
    spent_ns: int


class Connection:
    """One FIX session of one venue: its listening socket, and the connection while there is one."""

    def __init__(self, leg: int, role: str) -> None:
        self.leg = leg
        self.role = role
        self.name = f"{LEGS[leg].venue} {role}"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.connected: socket.socket | None = None
        self.reset()

    def reset(self) -> None:
        """As before the first connection."""
        if self.connected is not None:
            self.connected.close()
        self.connected = None
        self.received = b""
        self.next_seq = 1
        self.logged_on = False
        self.md_req_id = b""
        self.sent_ns = 0
        self.templates: dict[tuple[int, int, bool], fix.Template] = {}

    @property
    def watched(self) -> int:
        """What select() watches: the connection, or the listener while there is none."""
        return (self.connected or self.listener).fileno()

    def accept(self) -> None:
        """Takes the one connection that this session can have."""
        self.connected, _ = self.listener.accept()
        self.connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connected.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.connected.settimeout(SEND_TIMEOUT_S)

    def write(self, message: bytes | bytearray) -> None:
        """Sends all of it."""
        if self.connected is None:
            raise VenueError(f"{self.name}: not connected")
        try:
            self.connected.sendall(message)
        except TimeoutError as error:
            raise VenueError(f"{self.name}: the other side did not read for {SEND_TIMEOUT_S} s") from error
        except OSError as error:
            raise VenueError(f"{self.name}: {error}") from error

    def close(self) -> None:
        """Ends the session and stops listening."""
        self.reset()
        self.listener.close()


class UtcStamps:
    """SendingTime(52) from the monotonic clock: the second's text is made once a second."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()
        self._second = -1
        self._text = b""

    def at(self, monotonic_ns: int) -> bytes:
        """YYYYMMDD-HH:MM:SS.sss."""
        second, rest = divmod(monotonic_ns + self._offset_ns, 10**9)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y%m%d-%H:%M:%S.", time.gmtime(second)).encode()
        return self._text + b"%03d" % (rest // 10**6)


class Venue:
    """The two venues. A context manager; everything it opened is closed at its end."""

    def __init__(self) -> None:
        self.connections = [Connection(leg, role) for leg in (A, B) for role in (MD, ORDERS)]
        self._md = [self.connection(leg, MD) for leg in (A, B)]
        self._watched: dict[int, Connection] = {}
        self._watch()
        self._stamps = UtcStamps()
        self._rpt_seqs = [0, 1]
        self._reports = 0
        self._next_trigger = 0
        self._orders: list[OrderArrived] = []
        self._held: list[tuple[Connection, bytes, int, int]] = []
        self._held_until_ns = 0
        self._book: list[Step] = [Step(leg, 0, 0, moved=True, trigger=None) for leg in (A, B)]
        self.other_messages: dict[str, int] = {}
        """Messages that are neither session business nor orders, counted by session and MsgType(35)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self.connections:
            connection.close()

    def connection(self, leg: int, role: str) -> Connection:
        """The session of a leg in a role."""
        return next(one for one in self.connections if (one.leg, one.role) == (leg, role))

    def forget(self) -> None:
        """Ends all sessions and starts from nothing, for the next gateway."""
        for connection in self.connections:
            connection.reset()
        self._watch()
        self._rpt_seqs = [0, 1]
        self._next_trigger = 0
        self._orders.clear()
        self._held.clear()
        self._book = [Step(leg, 0, 0, moved=True, trigger=None) for leg in (A, B)]
        self.other_messages.clear()

    def ready(self, roles: tuple[str, ...] = (MD, ORDERS)) -> bool:
        """All sessions of `roles` are logged on and market data is asked for."""
        return all(
            one.logged_on and (one.role != MD or bool(one.md_req_id)) for one in self.connections if one.role in roles
        )

    def serve_until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Answers what comes until `done()`; False when the time ran out first."""
        end_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while not done():
            if time.monotonic_ns() >= end_ns:
                return False
            self._serve(0.01)
        return True

    def tick(self) -> None:
        """Writes one quiet quote on each leg, so that both books are young."""
        for leg in (A, B):
            self._write_quote(self._book[leg], SHOWN_LOTS)

    def run(self, rate: int, seconds: float, warm_up_triggers: int = 0) -> Run:
        """Quotes at `rate` for about `seconds`, 20 triggers a second; the first triggers are written, not counted."""
        per_trigger = quotes_per_trigger(rate)
        triggers = warm_up_triggers + max(1, int(seconds * rate / per_trigger))
        plan = islice(steps(per_trigger, self._next_trigger), triggers * per_trigger + 2)
        first = self._next_trigger + warm_up_triggers
        self._next_trigger += triggers
        return self._run(plan, rate, first)

    def run_quiet(self, rate: int, seconds: float) -> Run:
        """The same with no trigger at all."""
        quotes = max(1, int(rate * seconds))
        plan = islice(steps(2 * quotes + 3, self._next_trigger), quotes)
        return self._run(plan, rate, self._next_trigger)

    def _run(self, plan: Iterator[Step], rate: int, first_counted: int) -> Run:
        with undisturbed(first=True):
            return self._write_to_timetable(plan, rate, first_counted)

    def _write_to_timetable(self, plan: Iterator[Step], rate: int, first_counted: int) -> Run:
        clock = time.monotonic_ns
        self._orders.clear()
        triggers, late = [], []
        written: tuple[dict[int, int], dict[int, int]] = ({}, {})
        start_ns = clock() + 1_000_000
        for number, step in enumerate(plan):
            due_ns = start_ns + number * 10**9 // rate
            while True:
                wait_ns = due_ns - clock()
                self._serve(max(wait_ns, 0) / 1e9)
                if wait_ns <= 0 or clock() >= due_ns:
                    break
            seq, at_ns = self._write_quote(step, SHOWN_LOTS + number % 7)
            written[step.leg][seq] = at_ns
            late.append(at_ns - due_ns)
            if step.trigger is not None and step.trigger >= first_counted:
                triggers.append(TriggerWritten(step.trigger, at_ns))
        spent_ns = clock() - start_ns
        drained_ns = clock() + DRAIN_NS
        while clock() < drained_ns:
            self._serve(0.01)
        first_ns = triggers[0].at_ns if triggers else 0
        orders = tuple(order for order in self._orders if order.at_ns >= first_ns)
        return Run(tuple(triggers), orders, written, tuple(late), spent_ns)

    def _write_quote(self, step: Step, qty: int) -> tuple[int, int]:
        """Writes one quote; its MsgSeqNum(34) and the instant before its send()."""
        leg = step.leg
        session = self._md[leg]
        template = session.templates.get((step.code, step.shift, step.moved))
        if template is None:
            template = self._new_template(session, step)
        self._book[leg] = Step(leg, step.code, step.shift, moved=False, trigger=None)
        self._rpt_seqs[leg] += 1
        seq = session.next_seq
        session.next_seq += 1
        message = template.patch(seq, self._stamps.at(time.monotonic_ns()), self._rpt_seqs[leg], qty)
        at_ns = time.monotonic_ns()
        session.write(message)
        session.sent_ns = at_ns
        return seq, at_ns

    def _new_template(self, session: Connection, step: Step) -> fix.Template:
        date = self._stamps.at(time.monotonic_ns())[:8]
        if session.leg == A:
            msg_type, body = "W", fix.snapshot_body(A, step.code, step.shift, session.md_req_id, date)
        else:
            msg_type = "X"
            body = fix.increment_body(B, step.code, step.shift, session.md_req_id, date, moved=step.moved)
        template = fix.Template(self._encoded(session, msg_type, body))
        session.templates[(step.code, step.shift, step.moved)] = template
        return template

    def _encoded(self, session: Connection, msg_type: str, body: list[fix.Pair]) -> bytes:
        return fix.encode(fix.BEGIN_STRING[session.leg], msg_type, LEGS[session.leg].venue, CLIENT_COMP_ID, body)

    def _send(self, session: Connection, *messages: tuple[str, list[fix.Pair]]) -> None:
        """Encodes and sends messages of no set timetable, in one write."""
        now_ns = time.monotonic_ns()
        parts = []
        for msg_type, body in messages:
            template = fix.Template(self._encoded(session, msg_type, body))
            message = template.patch(session.next_seq, self._stamps.at(now_ns), self._rpt_seqs[session.leg], SHOWN_LOTS)
            parts.append(bytes(message))
            session.next_seq += 1
        session.write(b"".join(parts))
        session.sent_ns = now_ns

    def _watch(self) -> None:
        self._watched = {connection.watched: connection for connection in self.connections}

    def _serve(self, wait_s: float) -> None:
        """Reads what came, at most `wait_s` from now; parses and answers orders whose time has come."""
        if self._held:
            wait_s = min(wait_s, max(self._held_until_ns - time.monotonic_ns(), 0) / 1e9)
        readable, _, _ = select.select(list(self._watched), (), (), wait_s)
        for number in readable:
            self._read(self._watched[number])
        if self._held and (len(self._held) >= len(LEGS) or time.monotonic_ns() >= self._held_until_ns):
            held, self._held = self._held, []
            for session, received, at_ns, socket_ns in held:
                self._parse(session, received, at_ns, socket_ns)
        if not readable:
            self._heartbeat()

    def _heartbeat(self) -> None:
        now_ns = time.monotonic_ns()
        for session in self.connections:
            if session.logged_on and now_ns - session.sent_ns > HEARTBEAT_NS:
                self._send(session, ("0", []))

    def _read(self, session: Connection) -> None:
        if session.connected is None:
            session.accept()
            self._watch()
            return
        try:
            received, ancillary, _, _ = session.connected.recvmsg(_RECEIVE_BYTES, _ANCILLARY_BYTES)
        except ConnectionError:
            received, ancillary = b"", []
        at_ns = time.monotonic_ns()
        if not received:
            session.reset()
            self._watch()
        elif session.role == ORDERS:
            if not self._held:
                self._held_until_ns = at_ns + HOLD_NS
            self._held.append((session, received, at_ns, _socket_ns(ancillary, at_ns)))
        else:
            self._parse(session, received, at_ns, at_ns)

    def _parse(self, session: Connection, received: bytes, at_ns: int, socket_ns: int) -> None:
        messages, session.received = fix.split(session.received + received)
        for message in messages:
            self._take(session, fix.fields_of(message), at_ns, socket_ns)

    def _take(self, session: Connection, fields: dict[int, bytes], at_ns: int, socket_ns: int) -> None:
        msg_type = fields[35].decode()
        if msg_type == "D":
            self._take_order(session, fields, at_ns, socket_ns)
        elif msg_type == "A":
            reset: list[fix.Pair] = [(141, "Y")] if fields.get(141) == b"Y" else []
            self._send(session, ("A", [(98, "0"), (108, fields[108]), *reset]))
            session.logged_on = True
        elif msg_type == "1":
            self._send(session, ("0", [(112, fields[112])]))
        elif msg_type == "5":
            self._send(session, ("5", []))
            session.reset()
            self._watch()
        elif msg_type == "V":
            self._take_market_data_request(session, fields)
        elif msg_type == "AF":
            self._reports += 2
            self._send(session, ("8", fix.no_orders_body(fields[584], self._reports, self._stamps.at(at_ns))))
        elif msg_type != "0":
            key = f"{session.name} 35={msg_type}"
            self.other_messages[key] = self.other_messages.get(key, 0) + 1

    def _take_market_data_request(self, session: Connection, fields: dict[int, bytes]) -> None:
        if fields.get(263) == b"1":
            session.md_req_id = fields[262]
            session.templates.clear()
        if session.leg == A:
            self._rpt_seqs[A] += 1
        step = self._book[session.leg]
        date = self._stamps.at(time.monotonic_ns())[:8]
        self._send(session, ("W", fix.snapshot_body(session.leg, step.code, step.shift, fields[262], date)))

    def _take_order(self, session: Connection, fields: dict[int, bytes], at_ns: int, socket_ns: int) -> None:
        px_ticks = fix.price_ticks(session.leg, fields[44])
        self._orders.append(OrderArrived(session.leg, fields[54] == b"1", px_ticks, at_ns, socket_ns))
        if session.connected is None:
            return
        stamp = self._stamps.at(time.monotonic_ns())
        self._reports += 2
        accepted = fix.report_body(session.leg, fields, self._reports, stamp, filled=False)
        filled = fix.report_body(session.leg, fields, self._reports + 1, stamp, filled=True)
        self._send(session, ("8", accepted), ("8", filled))


def _socket_ns(ancillary: list[tuple[int, int, bytes]], at_ns: int) -> int:
    """When the kernel put what was read into the socket, on the monotonic clock; `at_ns` where it does not say."""
    for level, kind, stamp in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack_from(stamp)
            utc_ns: int = seconds * 10**9 + nanoseconds
            return utc_ns - (time.time_ns() - time.monotonic_ns())
    return at_ns
