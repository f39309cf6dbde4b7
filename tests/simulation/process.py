"""The execution process in a world: the same rules as gateway/processes/execution_shell.py, without sockets.

The engine decides, the event and its actions are written as one record, and only then are the actions carried out, in
order. What cannot be written is not sent; its orders are told as unsent when the journal takes records again. The
process can be killed at named points; then `Killed` leaves it, and nothing of its memory is used again.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from gateway.execution.engine import ExecutionEngine
from gateway.model.record import Decision
from gateway.model.trade import (
    Action,
    Announce,
    AskStatus,
    BooksObserved,
    Command,
    ExecutionEvent,
    Intent,
    IntentRefused,
    OrderSent,
    OrdersSent,
    ReadBooks,
    RefusalName,
    Restarted,
    SendCancel,
    SendOrders,
    SetTimer,
    TimerFired,
    Verb,
)
from tests.simulation.disk import DiskFullError
from tests.simulation.plan import MS

if TYPE_CHECKING:
    from tests.simulation.sim_world import World

JOURNAL_RETRY_NS = 200 * MS
STALE_NS = 100 * MS
STEP_NS = 7_000
"""What one decision takes."""


class Killed(Exception):  # noqa: N818 - it is no error of ours
    """The process ends here, at this instant."""


class Process:
    """One incarnation."""

    def __init__(self, world: World, incarnation: int) -> None:
        self.world = world
        self.engine = ExecutionEngine(world.given.settings, incarnation)
        self.incarnation = incarnation
        self.kill_at = ""
        """Where it will be killed; empty: nowhere."""
        self.held_up_ns = 0
        """How long it will stand still before it hands over the next order."""
        self.lease = True
        """Whether it may send at all: a watch may take that away."""
        self.deciding: ExecutionEvent | None = None
        self.now_ns = world.now_ns
        self._seq = 0
        self._events: deque[ExecutionEvent] = deque()
        self._inbox: deque[ExecutionEvent] = deque()
        self._unwritten: deque[Decision] = deque()
        self._retry_ns = 0
        self._due: dict[str, int] = {}
        self._timers: list[tuple[int, str]] = []

    def start(self) -> None:
        """Read the journal, then begin."""
        for decision in self.world.disk.read():
            self.engine.on_event(decision.event, decision.at_ns)
            self._seq = decision.seq
        self.handle(Restarted(self.incarnation))

    # What comes in.

    def take_intent(self, intent: Intent) -> None:
        """An intent, refused without a record while the journal takes none."""
        if self._writable():
            self.handle(intent)
            return
        refused = IntentRefused(
            intent.intent_id, intent.pair_id, intent.rule_id, RefusalName.HALTED, "the journal cannot be written"
        )
        self.world.heard(Announce(refused))

    def take(self, event: ExecutionEvent) -> None:
        """What a venue said, or a session: it waits while the journal takes no records."""
        self._inbox.append(event)
        self.pump()

    def command(self, command: Command) -> bool:
        """Whether it could be taken."""
        if not self._writable():
            return False
        self.handle(command)
        return True

    def pump(self) -> None:
        """Take what waits."""
        while self._inbox and self._writable():
            self.handle(self._inbox.popleft())
        while self._writable() and self._timers and self._timers[0][0] <= self.now_ns:
            at_ns, key = heapq.heappop(self._timers)
            if self._due.get(key) == at_ns:
                del self._due[key]
                self.handle(TimerFired(key))

    def wake(self, _now_ns: int) -> None:
        self.pump()

    def handle(self, event: ExecutionEvent) -> None:
        """Decide on an event, and on those that its actions bring at once."""
        self._events.append(event)
        while self._events and not self._unwritten:
            self._decide(self._events.popleft())

    @property
    def stuck(self) -> bool:
        """Whether records wait for a disk with room."""
        return bool(self._unwritten)

    # What is decided.

    def _writable(self) -> bool:
        self.now_ns = max(self.now_ns, self.world.now_ns)
        if self._unwritten and self.now_ns >= self._retry_ns:
            self._write_pending()
        return not self._unwritten

    def _decide(self, event: ExecutionEvent) -> None:
        world = self.world
        self.deciding = event
        at_ns = self.now_ns = max(self.now_ns + STEP_NS, world.now_ns)
        actions = self.engine.on_event(event, at_ns)
        self._seq += 1
        decision = Decision(self._seq, at_ns, event, tuple(actions))
        world.decided(self, decision)
        self._point("kill_before_write", decision)
        try:
            world.disk.append(decision, at_ns)
        except DiskFullError:
            self._unwritten.append(decision)
            self._retry_ns = at_ns + JOURNAL_RETRY_NS
            self.deciding = None
            world.at(self._retry_ns, world.in_process, self.wake)
            return
        self.deciding = None
        self._point("kill_after_write", decision)
        self._carry_out(decision, at_ns)
        self._point("kill_any_time", None)

    def _write_pending(self) -> None:
        """Write what could not be written; its orders have become old and are not sent."""
        while self._unwritten:
            decision = self._unwritten[0]
            try:
                self.world.disk.append(decision, self.now_ns)
            except DiskFullError:
                self._retry_ns = self.now_ns + JOURNAL_RETRY_NS
                self.world.at(self._retry_ns, self.world.in_process, self.wake)
                return
            self._unwritten.popleft()
            self._carry_out(decision, 0)
            self._events.append(Command(f"journal-{decision.seq}", Verb.DISARM, "execution", "the journal failed"))
        while self._events and not self._unwritten:
            self._decide(self._events.popleft())

    def _carry_out(self, decision: Decision, journalled_ns: int) -> None:
        for action in decision.actions:
            self._do(action, journalled_ns)

    def _do(self, action: Action, journalled_ns: int) -> None:
        world = self.world
        match action:
            case SendOrders():
                self._events.append(self._send(action, journalled_ns))
            case Announce():
                world.heard(action)
            case SetTimer():
                self._due[action.key] = action.at_ns
                heapq.heappush(self._timers, (action.at_ns, action.key))
                world.at(max(action.at_ns, self.now_ns), world.in_process, self.wake)
            case ReadBooks():
                quotes = tuple(world.quotes[name] for name in action.instrument_ids if name in world.quotes)
                self._events.append(BooksObserved(action.request, quotes))
            case SendCancel():
                world.lines[action.order.venue_id].send_cancel(self.now_ns, action.cl_ord_id, action.order)
            case AskStatus():
                mass = world.given.settings.venues[action.venue_id].mass_status
                world.lines[action.venue_id].ask(self.now_ns, action.request_id, action.orders, mass=mass)

    def _send(self, action: SendOrders, journalled_ns: int) -> OrdersSent:
        if not journalled_ns:
            failure = "the journal could not be written in time"
            return OrdersSent(0, tuple(OrderSent(one.cl_ord_id, 0, 0, failure) for one in action.orders))
        sent = []
        for order in action.orders:
            if sent:
                self._point("kill_between_sends", None)
            self.now_ns += STEP_NS
            if self.held_up_ns and (sent or len(action.orders) == 1 or self.world.rng.random() < 0.5):
                self.world.faults["held_up"] += 1
                self.now_ns += self.held_up_ns
                self.held_up_ns = 0
            failure = self._must_not_leave(journalled_ns, action.expires_ns)
            if failure:
                sent.append(OrderSent(order.cl_ord_id, 0, 0, failure))
                continue
            result = self.world.lines[order.venue_id].send_order(self.now_ns, order)
            if result.ok:
                self.world.order_left(order, action.trade_id, self.now_ns)
            failure = "" if result.ok or result.msg_seq_num else result.reason
            sent.append(OrderSent(order.cl_ord_id, self.now_ns, result.msg_seq_num, failure))
        self._point("kill_after_sends", None)
        return OrdersSent(journalled_ns, tuple(sent))

    def _must_not_leave(self, journalled_ns: int, expires_ns: int) -> str:
        """The last look before the socket."""
        if not self.lease:
            return "the lease was taken away"
        if expires_ns and self.now_ns > expires_ns:
            return f"its intent expired {self.now_ns - expires_ns} ns ago"
        if self.now_ns - journalled_ns > STALE_NS:
            return f"{self.now_ns - journalled_ns} ns since it was decided, at most {STALE_NS}"
        return ""

    def in_memory(self) -> list[ExecutionEvent]:
        """What it has taken and not written: gone when it is killed."""
        deciding = [] if self.deciding is None else [self.deciding]
        return [*deciding, *self._events, *self._inbox, *(one.event for one in self._unwritten)]

    def _point(self, name: str, decision: Decision | None) -> None:
        """A kill that is planned for here strikes; those around a write wait for a decision that sends orders."""
        if self.kill_at != name:
            return
        if decision is not None and not any(isinstance(one, SendOrders) for one in decision.actions):
            return
        raise Killed(name)
