"""Execution in a backtest: the product's engine and runner, with hands that write a run record and to simulated lines.

Only how long things take is assumed: `Delays` says it, and the report does. Nothing else differs from the process.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gateway.execution.engine import ExecutionEngine
from gateway.execution.runner import Runner
from gateway.model.order import Order
from gateway.model.port import SendResult
from gateway.model.quote import Quote
from gateway.model.record import Decision
from gateway.model.trade import (
    Action,
    Announce,
    Announcement,
    AskPositions,
    AskStatus,
    ExecutionEvent,
    Intent,
    SendCancel,
    SendOrders,
)
from gateway.processes.backtest_venue import BacktestVenue
from gateway.processes.durations import SECOND

STEP_NS = 10_000
"""What a decision without orders takes."""
ALARM_EVERY_NS = 10 * SECOND
NEVER_NS = 2**62
"""Later than any time of a tape."""


class Delays(NamedTuple):
    """From a quote's arrival to the orders on the wire, in four parts; what our own program takes."""

    total_ns: int

    @property
    def decided_ns(self) -> int:
        """Arrival of the quote to the intent."""
        return self.total_ns * 2 // 10

    @property
    def handed_ns(self) -> int:
        """Intent to execution."""
        return self.total_ns * 2 // 10

    @property
    def journalled_ns(self) -> int:
        """Decision to its record on the disk."""
        return self.total_ns * 2 // 10

    @property
    def sent_ns(self) -> int:
        """Record to the last order written."""
        return self.total_ns - self.decided_ns - self.handed_ns - self.journalled_ns


class BacktestExecution:
    """One incarnation that never dies. `now` gives the world's time, `wake_at` has it woken."""

    def __init__(
        self,
        engine: ExecutionEngine,
        venues: Mapping[str, BacktestVenue],
        mass_status: Mapping[str, bool],
        delays: Delays,
        now: Callable[[], int],
        wake_at: Callable[[int], None],
    ) -> None:
        self.engine = engine
        self.quotes: dict[str, Quote] = {}
        """The newest of each instrument, as the feed answers a request for books."""
        self._venues = venues
        self._mass_status = mass_status
        self._delays = delays
        self._world_now = now
        self._wake_at = wake_at
        self._now_ns = 0
        self._woken_ns = NEVER_NS
        self.runner: Runner[None] = Runner(engine, self, 0, ALARM_EVERY_NS)
        self.record: Callable[[Decision], None]
        self.announced: Callable[[Announcement, int], None]

    def take_intent(self, intent: Intent) -> None:
        self.runner.take_intent(intent)
        self._mind_timers()

    def take(self, event: ExecutionEvent) -> None:
        """What a venue, a session, the feed, a calendar or a person says."""
        self.runner.handle(event)
        self._mind_timers()

    def wake(self) -> None:
        """A timer may be due."""
        self._woken_ns = NEVER_NS
        self.runner.fire_timers()
        self._mind_timers()

    def _mind_timers(self) -> None:
        now_ns = self.now_ns()
        due_ns = now_ns + self.runner.timers.wait_ns(now_ns, NEVER_NS - now_ns)
        if due_ns < self._woken_ns:
            self._woken_ns = due_ns
            self._wake_at(due_ns)

    # The runner's hands.

    def now_ns(self) -> int:
        self._now_ns = max(self._now_ns, self._world_now())
        return self._now_ns

    def write(self, decision: Decision) -> str:
        self.record(decision)
        sends = any(type(action) is SendOrders for action in decision.actions)
        self._now_ns += self._delays.journalled_ns if sends else STEP_NS
        return ""

    def may_send(self) -> bool:
        return True

    def build(self, orders: Sequence[Order]) -> list[None]:
        self._now_ns += self._delays.sent_ns
        return [None] * len(orders)

    def hand_over(self, order: Order, _built: None, _trade_id: str) -> SendResult:
        return self._venues[order.venue_id].send_order(self._now_ns, order)

    def act(self, action: Action) -> None:
        match action:
            case Announce():
                self.announced(action.what, self._now_ns)
            case SendCancel():
                self._venues[action.order.venue_id].send_cancel(self._now_ns, action)
            case AskPositions():
                self._venues[action.venue_id].ask_positions(self._now_ns, action)
            case AskStatus():
                self._venues[action.venue_id].ask(self._now_ns, action, mass=self._mass_status[action.venue_id])

    def read_books(self, instrument_ids: tuple[str, ...]) -> tuple[Quote, ...]:
        return tuple(self.quotes[name] for name in instrument_ids if name in self.quotes)

    def publish(self, what: Announcement) -> None:
        self.announced(what, self._now_ns)
