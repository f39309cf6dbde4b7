"""Carries out what the engine decides, in the order that the record demands: decided, written, and only then done.

For every event: the engine decides, the event and its actions become one record, and when that is written the actions
are carried out, in order. An action that has an answer at once (orders handed over, books read) brings its event next.
While the journal takes no record nothing of that decision leaves; its orders are told to the engine as unsent as soon
as it takes records again, and execution disarms itself. The last look before each order's socket is here too.

It knows no socket, no file and no clock: `Hands` has them. The execution process and the simulated worlds run this same
code with hands of their own, so that what is simulated is what runs.

What can go wrong: hands that say "written" of a record that is not. Nothing here could know.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from gateway.execution.engine import ExecutionEngine
from gateway.model.order import Order
from gateway.model.port import SendResult
from gateway.model.quote import Quote
from gateway.model.record import Decision
from gateway.model.trade import (
    Action,
    Alarm,
    AlarmHeard,
    AlarmName,
    Announcement,
    BooksObserved,
    Command,
    ExecutionEvent,
    Intent,
    IntentRefused,
    OrderSent,
    OrdersSent,
    ReadBooks,
    RefusalName,
    SendOrders,
    SetTimer,
    TimerFired,
    Verb,
)

JOURNAL_RETRY_NS = 200_000_000
STALE_NS = 100_000_000
"""An order that has not left so long after its record was written is old: this process was stopped in between."""
NO_JOURNAL = "the journal cannot be written"
LATE_JOURNAL = "the journal could not be written in time"
LEASE_GONE = "the lease was taken away"
Built = TypeVar("Built")


class Hands(Protocol[Built]):
    """What decisions are carried out with."""

    def now_ns(self) -> int: ...

    def write(self, decision: Decision) -> str:
        """Why the journal does not take it now, empty when it is written. It raises for what it can never take."""

    def may_send(self) -> bool:
        """Whether the lease is ours."""

    def build(self, orders: Sequence[Order]) -> list[Built]:
        """The orders in their venues' words, all of them before the first leaves."""

    def hand_over(self, order: Order, built: Built, trade_id: str) -> SendResult: ...

    def act(self, action: Action) -> None:
        """Everything that has no answer at once: a cancel, a question, an announcement."""

    def read_books(self, instrument_ids: tuple[str, ...]) -> tuple[Quote, ...]: ...

    def publish(self, what: Announcement) -> None:
        """Tell what is in no record."""


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


class JournalAlarm:
    """Says that the journal fails: at once, then every `every_ns` with how often it was tried in vain."""

    def __init__(self, every_ns: int) -> None:
        self._every_ns = every_ns
        self._since_ns = 0
        self._tried = 0
        self._told_ns = 0

    def failed(self, why: str, at_ns: int) -> str:
        """What to say of a failure at `at_ns`; empty while enough was said."""
        self._tried += 1
        if self._tried == 1:
            self._since_ns = self._told_ns = at_ns
            return f"{why}; nothing is sent until it can be written"
        if at_ns - self._told_ns < self._every_ns:
            return ""
        self._told_ns = at_ns
        return f"{why}; tried {self._tried} times in {(at_ns - self._since_ns) // 1_000_000_000} s"

    def mended(self) -> None:
        """It takes records again: the next failure is told at once."""
        self._tried = 0


class Runner(Generic[Built]):
    """The engine with its record and its timers. One thread calls it."""

    def __init__(self, engine: ExecutionEngine, hands: Hands[Built], seq: int, alarm_every_ns: int) -> None:
        self.engine = engine
        self.timers = Timers()
        self._hands = hands
        self._seq = seq
        self._events: deque[ExecutionEvent] = deque()
        self._unwritten: deque[Decision] = deque()
        self._retry_ns = 0
        self._alarm = JournalAlarm(alarm_every_ns)

    @property
    def writable(self) -> bool:
        """Whether the journal takes records; tries again when it is time to."""
        if self._unwritten and self._hands.now_ns() >= self._retry_ns:
            self._write_pending()
        return not self._unwritten

    @property
    def stuck(self) -> bool:
        """Whether records wait for a journal that takes them."""
        return bool(self._unwritten)

    @property
    def retry_ns(self) -> int:
        """When a journal that failed is tried again."""
        return self._retry_ns

    def take_intent(self, intent: Intent) -> bool:
        """Decide on an intent; refused by name, without a record, while the journal takes none."""
        if self.writable:
            self.handle(intent)
            return True
        refused = IntentRefused(intent.intent_id, intent.pair_id, intent.rule_id, RefusalName.HALTED, NO_JOURNAL)
        self._hands.publish(refused)
        return False

    def fire_timers(self) -> None:
        """Deliver what is due."""
        while self.writable and (key := self.timers.pop(self._hands.now_ns())) is not None:
            self.handle(TimerFired(key))

    def handle(self, event: ExecutionEvent) -> None:
        """Decide on an event, and on those that its actions bring at once."""
        self._events.append(event)
        self._drain()

    def in_memory(self) -> list[ExecutionEvent]:
        """Events that were taken and are in no record yet: gone with this process."""
        return [*self._events, *(one.event for one in self._unwritten)]

    def _drain(self) -> None:
        while self._events and not self._unwritten:
            self._decide(self._events.popleft())

    def _decide(self, event: ExecutionEvent) -> None:
        hands = self._hands
        at_ns = hands.now_ns()
        actions = self.engine.on_event(event, at_ns)
        self._seq += 1
        decision = Decision(self._seq, at_ns, event, tuple(actions))
        failure = hands.write(decision)
        if failure:
            self._unwritten.append(decision)
            self._failed(failure)
            return
        self._carry_out(decision, hands.now_ns())

    def _write_pending(self) -> None:
        """Write what could not be written; its orders have become old and are not sent."""
        while self._unwritten:
            decision = self._unwritten[0]
            failure = self._hands.write(decision)
            if failure:
                self._failed(failure)
                return
            self._unwritten.popleft()
            self._carry_out(decision, 0)
            self._events.append(Command(f"journal-{decision.seq}", Verb.DISARM, "execution", "the journal failed"))
        if self.engine.ledger.rollout is not None:
            self._events.append(AlarmHeard("execution", AlarmName.JOURNAL, "journal", "it took no records for a while"))
        self._alarm.mended()
        self._drain()

    def _failed(self, why: str) -> None:
        now_ns = self._hands.now_ns()
        self._retry_ns = now_ns + JOURNAL_RETRY_NS
        figures = self._alarm.failed(why, now_ns)
        if figures:
            self._hands.publish(Alarm(AlarmName.JOURNAL, "journal", figures))

    def _carry_out(self, decision: Decision, journalled_ns: int) -> None:
        """`journalled_ns` is 0 for a decision that was written too late to send its orders."""
        for action in decision.actions:
            match action:
                case SendOrders():
                    self._events.append(self._send(action, journalled_ns))
                case SetTimer():
                    self.timers.set(action.key, action.at_ns)
                case ReadBooks():
                    quotes = self._hands.read_books(action.instrument_ids)
                    self._events.append(BooksObserved(action.request, quotes))
                case _:
                    self._hands.act(action)

    def _send(self, action: SendOrders, journalled_ns: int) -> OrdersSent:
        """Build every order, then hand them over back to back."""
        if not journalled_ns:
            return OrdersSent(0, tuple(OrderSent(one.cl_ord_id, 0, 0, LATE_JOURNAL) for one in action.orders))
        hands = self._hands
        sent = []
        for order, built in zip(action.orders, hands.build(action.orders), strict=True):
            failure = self._must_not_leave(journalled_ns, action.expires_ns)
            if failure:
                sent.append(OrderSent(order.cl_ord_id, 0, 0, failure))
                continue
            result = hands.hand_over(order, built, action.trade_id)
            # A number that was used means that the venue may have it: then it is not unsent, but in doubt.
            failure = "" if result.ok or result.msg_seq_num else result.reason
            sent.append(OrderSent(order.cl_ord_id, hands.now_ns(), result.msg_seq_num, failure))
        return OrdersSent(journalled_ns, tuple(sent))

    def _must_not_leave(self, journalled_ns: int, expires_ns: int) -> str:
        """The last look before the socket: why an order that was decided on must not leave; empty when it may."""
        if not self._hands.may_send():
            return LEASE_GONE
        now_ns = self._hands.now_ns()
        if expires_ns and now_ns > expires_ns:
            return f"its intent expired {now_ns - expires_ns} ns ago"
        if now_ns - journalled_ns > STALE_NS:
            return f"{now_ns - journalled_ns} ns since it was decided, at most {STALE_NS}: this process was held up"
        return ""
