"""Falls back to the stage below by itself, at the event that breaks what the plan allows. Pure.

It reads what the engine has just said (its announcements, and when orders were written), counts pair trades that were
opened in this stage, and at a breach the stage below is in force before the next event is taken: no intent comes in
between. The lowest stage sends nothing, so there is none below it.

A pair trade that has become unbalanced gets a timer of its own for the moment at which it will have been so for longer
than the stage allows: nothing has to be heard for that. The timer is set again after a restart, with what is left of
the time; alarms of other processes come as AlarmHeard.

It judges single events and a window of the last pair trades; what takes days and statistics is the gate upwards.

What can go wrong: a machine that was booted anew, whose clock may stand before everything that was noted. Then the
stage counts as entered at the return, and what was unbalanced as unbalanced since.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.execution.ledger import Ledger
from gateway.execution.rollout import enter
from gateway.execution.rollout_standing import Standing
from gateway.model.order import ExecType, ExecutionReport
from gateway.model.trade import (
    Action,
    Alarm,
    AlarmHeard,
    AlarmName,
    Announce,
    ExecutionEvent,
    Intent,
    OrdersSent,
    PairTradeChanged,
    PairTradeState,
    Restarted,
    SetTimer,
    TimerFired,
)

_FAILED = frozenset({PairTradeState.UNWOUND, PairTradeState.HALTED})
_ENDED = _FAILED | {PairTradeState.HEDGED, PairTradeState.MISSED}
SAME_CAUSE_NS = 1_000_000_000
"""Alarms of other processes that come so soon after a fall-back are of the same cause: one stage, not several."""
_UNBALANCED = "legged:"
"""The engine's timer of a pair trade that has become unbalanced, or is so after a restart."""
_TRIPWIRE = "tripwire:"
"""Our own of the same trade."""


@dataclass(slots=True)
class _Seen:
    """What is known of a pair trade of this stage."""

    sent: bool = False
    failed: bool = False
    rejected: bool = False
    slipped: bool = False
    late: bool = False
    ended: bool = False


class Watchman:
    """Watches one stage at a time; begins anew with each."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._of: tuple[Standing, int, int] | None = None
        self._trades: dict[str, _Seen] = {}
        self._window: deque[str] = deque()
        self._restarts = 0
        self._fell_ns = -SAME_CAUSE_NS
        self._more = False
        """Whether something was counted since the counts were last held against the stage."""

    def look(self, event: ExecutionEvent, actions: Sequence[Action], at_ns: int) -> list[Action]:
        """What has to be added to the actions of an event: the alarm of a fall-back, or nothing."""
        standing = self._ledger.rollout
        if standing is None:
            return []
        if type(event) is Restarted and at_ns < standing.since_ns:
            self._over_boot(standing, at_ns)
        mark = (standing, standing.place, standing.since_ns)
        if mark != self._of:
            self._of = mark
            self._trades.clear()
            self._window.clear()
            self._restarts = 0
            self._more = False
        if standing.place == 0:
            return []
        breach = self._breach(standing, event, actions, at_ns)
        if not breach:
            return [] if type(event) is Intent else self._timers(standing, actions, at_ns)
        was = standing.stage.name
        self._fell_ns = at_ns
        enter(self._ledger, standing.place - 1, at_ns)
        figures = f"{was} to {standing.stage.name}: {breach}"
        return [Announce(Alarm(AlarmName.FELL_BACK, standing.plan.name, figures))]

    def _over_boot(self, standing: Standing, at_ns: int) -> None:
        """The clock began anew below the moment at which the stage was entered; what was counted goes on counting."""
        counted = self._of == (standing, standing.place, standing.since_ns)
        standing.since_ns = at_ns
        self._fell_ns = at_ns - SAME_CAUSE_NS
        if counted:
            self._of = (standing, standing.place, at_ns)

    def _timers(self, standing: Standing, actions: Sequence[Action], at_ns: int) -> list[Action]:
        """A timer for each pair trade of this stage that has just become unbalanced, or is so after a restart."""
        most_ns = standing.stage.tripwire.legged_ns
        found: list[Action] = []
        if most_ns is None:
            return found
        for action in actions:
            if type(action) is SetTimer and action.key.startswith(_UNBALANCED):
                trade_id = action.key.removeprefix(_UNBALANCED)
                trade = self._ledger.trades.at_hand(trade_id)
                if trade is not None and trade.opened_ns >= standing.since_ns:
                    left_ns = max(0, most_ns - trade.legged_ns(at_ns))
                    found.append(SetTimer(_TRIPWIRE + trade_id, at_ns + left_ns + 1))
        return found

    def _still_unbalanced(self, standing: Standing, trade_id: str, at_ns: int) -> str:
        """Whether the trade of this timer has been unbalanced for too long, up to now."""
        most_ns = standing.stage.tripwire.legged_ns
        trade = self._ledger.trades.at_hand(trade_id)
        if most_ns is None or trade is None or trade.opened_ns < standing.since_ns or trade.balanced:
            return ""
        legged_ns = trade.legged_ns(at_ns)
        return _unbalanced(trade_id, legged_ns, most_ns) if legged_ns > most_ns else ""

    def _breach(self, standing: Standing, event: ExecutionEvent, actions: Sequence[Action], at_ns: int) -> str:
        fresh = type(event) is Intent  # it fills nothing and ends nothing: only an alarm can come of it
        found = "" if fresh else self._note_event(standing, event, at_ns)
        for action in actions:
            said = action.what if type(action) is Announce else None
            if type(said) is PairTradeChanged and not fresh:
                found = found or self._note_trade(standing, said)
            elif type(said) is Alarm:
                found = found or self._alarmed(standing, said)
        if found or not self._more:
            return found
        self._more = False
        return self._counts(standing)

    def _note_event(self, standing: Standing, event: ExecutionEvent, at_ns: int) -> str:
        wire = standing.stage.tripwire
        if isinstance(event, OrdersSent):
            self._note_sent(standing, event)
        elif isinstance(event, ExecutionReport) and event.exec_type is ExecType.REJECTED:
            own = self._ledger.orders.get(event.cl_ord_id)
            seen = self._seen(standing, own.trade_id) if own is not None else None
            if seen is not None:
                seen.rejected = self._more = True
        elif isinstance(event, Restarted):
            self._restarts += 1
            if wire.most_restarts is not None and self._restarts > wire.most_restarts:
                return f"{self._restarts} restarts of execution, at most {wire.most_restarts}"
        elif isinstance(event, TimerFired) and event.key.startswith(_TRIPWIRE):
            return self._still_unbalanced(standing, event.key.removeprefix(_TRIPWIRE), at_ns)
        elif isinstance(event, AlarmHeard) and event.name in wire.alarms and at_ns - self._fell_ns >= SAME_CAUSE_NS:
            return f"alarm {event.name.value} of {event.subject}, told by {event.source}: {event.figures}"
        return ""

    def _seen(self, standing: Standing, trade_id: str) -> _Seen | None:
        """What is known of a pair trade of this stage; None of one that was opened before it."""
        seen = self._trades.get(trade_id)
        if seen is None:
            trade = self._ledger.trades.at_hand(trade_id)
            if trade is None or trade.opened_ns < standing.since_ns:
                return None
            seen = self._trades[trade_id] = _Seen()
        return seen

    def _note_sent(self, standing: Standing, event: OrdersSent) -> None:
        wire = standing.stage.tripwire
        if wire.most_late is None or not event.orders:
            return
        own = self._ledger.orders.get(event.orders[0].cl_ord_id)
        trade = self._ledger.trades.at_hand(own.trade_id) if own is not None else None
        if trade is None or trade.attempts or trade.opened_ns < standing.since_ns:
            return
        seen = self._seen(standing, trade.trade_id)
        if seen is None or seen.sent:  # later orders wait for fills: what they take is the venue's time
            return
        seen.sent = True
        taken_ns = max(one.sent_ns for one in event.orders) - trade.intent.recv_ns
        if taken_ns > wire.latency_ns:
            seen.late = self._more = True

    def _note_trade(self, standing: Standing, said: PairTradeChanged) -> str:
        if said.opened_ns < standing.since_ns:
            return ""
        seen = self._seen(standing, said.trade_id)
        if seen is None:
            return ""
        wire = standing.stage.tripwire
        if wire.legged_ns is not None and said.legged_ns > wire.legged_ns:
            return _unbalanced(said.trade_id, said.legged_ns, wire.legged_ns)
        if said.state not in _ENDED:
            return ""
        seen.failed = seen.failed or said.state in _FAILED
        seen.slipped = seen.slipped or said.slippage_e9 > wire.slippage_e9 * said.units
        self._more = self._more or seen.failed or seen.slipped
        if not seen.ended:
            seen.ended = True
            self._window.append(said.trade_id)
            if len(self._window) > wire.window_trades:
                del self._trades[self._window.popleft()]
        return ""

    def _alarmed(self, standing: Standing, said: Alarm) -> str:
        if said.name not in standing.stage.tripwire.alarms:
            return ""
        trade = self._ledger.trades.at_hand(said.subject)
        if trade is not None and trade.opened_ns < standing.since_ns:
            return ""
        return f"alarm {said.name.value} of {said.subject}: {said.figures}"

    def _counts(self, standing: Standing) -> str:
        wire = standing.stage.tripwire
        if not self._trades:
            return ""
        for what, most, count in (
            ("taken back or halted", wire.most_failed, sum(one.failed for one in self._trades.values())),
            ("with a rejected order", wire.most_rejected, sum(one.rejected for one in self._trades.values())),
            ("over their slippage", wire.most_slipped, sum(one.slipped for one in self._trades.values())),
            ("sent late", wire.most_late, sum(one.late for one in self._trades.values())),
        ):
            if most is not None and count > most:
                return f"{count} of the last {len(self._trades)} pair trades {what}, at most {most}"
        return ""


def _unbalanced(trade_id: str, legged_ns: int, most_ns: int) -> str:
    return f"{trade_id} was unbalanced for {legged_ns} ns, at most {most_ns}"
