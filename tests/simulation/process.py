"""The execution process in a world: the product's runner (`gateway.execution.runner`) with a world's hands.

Order of work, what happens when the journal takes nothing, the last look before a socket, timers and the wish to arm
again after a death are the product's own code. Here are only the hands: a disk, lines, a clock that moves with what is
done, and the places at which the process can be killed. Then `Killed` leaves it, and nothing of its memory is used
again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from gateway.execution.engine import ExecutionEngine
from gateway.execution.recovery import Rearm, recover
from gateway.execution.runner import Runner
from gateway.journal.heard import ORDERS, HeardNumbers
from gateway.model.port import SendResult
from gateway.model.trade import (
    Announce,
    AskPositions,
    AskStatus,
    Command,
    ExecutionEvent,
    Intent,
    Restarted,
    SendCancel,
    SendOrders,
    Verb,
)
from tests.simulation.disk import DiskFullError
from tests.simulation.plan import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model.order import Order
    from gateway.model.quote import Quote
    from gateway.model.record import Decision
    from gateway.model.trade import Action, Announcement
    from tests.simulation.sim_world import World

STEP_NS = 7_000
"""What one decision takes, and the handing over of one order."""
FAR_NS = 10**18


class Killed(Exception):  # noqa: N818 - it is no error of ours
    """The process ends here, at this instant."""


class Process:
    """One incarnation; `by_signal` tells that the last one died of a signal from outside."""

    def __init__(self, world: World, incarnation: int, *, by_signal: bool) -> None:
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
        self._now_ns = world.now_ns
        self._by_signal = by_signal
        self._inbox: deque[ExecutionEvent] = deque()
        self._building = self._handed = 0
        self._wakes_ns = FAR_NS
        self.runner: Runner[None]
        self._rearm: Rearm

    def start(self) -> None:
        """Read the journal, then begin."""
        heard = HeardNumbers()
        recovered = recover(self.engine, heard.noting(self.world.disk.read()))
        for name, line in self.world.lines.items():
            # What a session had counted and no record holds is asked for again, as at the product's logon.
            known = heard.by_key.get(f"{name}.{ORDERS}")
            line.resume_after(-1 if known is None else known.number)
        self.runner = Runner(self.engine, self, recovered.seq, 10 * SECOND)
        self.runner.handle(Restarted(self.incarnation))
        if recovered.armed and not self._by_signal:
            why = "it came back after an end of its own"
            self.runner.handle(Command(f"disarm-{self.incarnation}", Verb.DISARM, "execution", why))
        self._rearm = Rearm(self.runner, wanted=self._by_signal and recovered.armed)

    # What comes in.

    def take_intent(self, intent: Intent) -> None:
        """An intent."""
        self.deciding = intent
        self.runner.take_intent(intent)
        self._after()

    def take(self, event: ExecutionEvent) -> None:
        """What a venue said, or a session: it waits while the journal takes no records."""
        self._inbox.append(event)
        self._pump()

    def command(self, command: Command) -> bool:
        """Whether it could be taken."""
        if not self.runner.writable:
            return False
        self.runner.handle(command)
        self._after()
        return True

    @property
    def stuck(self) -> bool:
        """Whether records wait for a disk with room."""
        return self.runner.stuck

    def in_memory(self) -> list[ExecutionEvent]:
        """What it has taken and not written: gone when it is killed."""
        deciding = [] if self.deciding is None else [self.deciding]
        return [*deciding, *self.runner.in_memory(), *self._inbox]

    def _pump(self) -> None:
        """Take what waits, as the loop does."""
        while self._inbox and self.runner.writable:
            self.runner.handle(self._inbox.popleft())
        self.runner.fire_timers()
        self._rearm.look()
        self._after()

    def _wake(self, _now_ns: int) -> None:
        self._wakes_ns = FAR_NS
        self._pump()

    def _after(self) -> None:
        """The loop waits until the next timer, or until a full disk is tried again."""
        self._point("kill_any_time", None)
        self.deciding = None
        now_ns, world = self.now_ns(), self.world
        due_ns = self.runner.retry_ns if self.stuck else now_ns + self.runner.timers.wait_ns(now_ns, FAR_NS)
        if due_ns < self._wakes_ns:
            self._wakes_ns = due_ns
            world.at(due_ns, world.in_process, self._wake)

    # The runner's hands.

    def now_ns(self) -> int:
        self._now_ns = max(self._now_ns, self.world.now_ns)
        return self._now_ns

    def write(self, decision: Decision) -> str:
        """The disk takes it or is full; the process may be killed before and after."""
        world = self.world
        self.deciding = decision.event
        if not self.stuck:
            self._now_ns += STEP_NS
            world.decided(self, decision)
            self._point("kill_before_write", decision)
        try:
            world.disk.append(decision, self._now_ns)
        except DiskFullError:
            self.deciding = None
            return "the disk is full"
        self.deciding = None
        self._point("kill_after_write", decision)
        return ""

    def may_send(self) -> bool:
        """Asked before each order: here the process may be killed between two of them, or stand still."""
        world = self.world
        if self._handed:
            self._point("kill_between_sends", None)
        self._now_ns += STEP_NS
        if self.held_up_ns and (self._handed or self._building == 1 or world.rng.random() < 0.5):
            world.faults["held_up"] += 1
            self._now_ns += self.held_up_ns
            self.held_up_ns = 0
        self._handed += 1
        return self.lease

    def build(self, orders: Sequence[Order]) -> list[None]:
        self._building, self._handed = len(orders), 0
        return [None] * len(orders)

    def hand_over(self, order: Order, _built: None, trade_id: str) -> SendResult:
        world = self.world
        result = world.lines[order.venue_id].send_order(self._now_ns, order)
        if result.ok:
            world.order_left(order, trade_id, self._now_ns)
        if self._handed == self._building:
            self._point("kill_after_sends", None)
        return SendResult(result.ok, result.reason, result.msg_seq_num)

    def act(self, action: Action) -> None:
        world = self.world
        match action:
            case Announce():
                world.heard(action.what)
            case SendCancel():
                world.lines[action.order.venue_id].send_cancel(self._now_ns, action.cl_ord_id, action.order)
            case AskStatus():
                mass = action.mass and world.given.settings.venues[action.venue_id].mass_status
                world.lines[action.venue_id].ask(self._now_ns, action.request_id, action.orders, mass=mass)
            case AskPositions():
                world.lines[action.venue_id].ask_positions(self._now_ns, action.request_id)

    def read_books(self, instrument_ids: tuple[str, ...]) -> tuple[Quote, ...]:
        quotes = self.world.quotes
        return tuple(quotes[name] for name in instrument_ids if name in quotes)

    def publish(self, what: Announcement) -> None:
        self.world.heard(what)

    def _point(self, name: str, decision: Decision | None) -> None:
        """A kill that is planned for here strikes; those around a write wait for a decision that sends orders."""
        if self.kill_at != name:
            return
        if decision is not None and not any(isinstance(one, SendOrders) for one in decision.actions):
            return
        raise Killed(name)
