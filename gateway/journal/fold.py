"""What happened to each order and pair trade, read off the journal alone. Pure.

This is a second, independent reading: it shares no rule with `gateway/execution`, so that figures and reconciliation
check the engine and do not repeat it. It counts a fill once by its `exec_key`; a bust takes one back and a correction
replaces it by `exec_ref_id`; lots that a venue reports as filled in total and no report of ours explains are
*inferred*. It decides nothing and refuses nothing: what it cannot place is listed in `unplaced`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.model.order import (
    ExecType,
    ExecutionReport,
    MessageRejected,
    Order,
    OrdStatus,
)
from gateway.model.record import ClockPair, Decision, JournalOpened, JournalRecord
from gateway.model.trade import (
    Alarm,
    AlarmName,
    Announce,
    Announcement,
    Command,
    CommandAnswered,
    Intent,
    IntentRefused,
    OrdersSent,
    PairTradeChanged,
    PairTradeState,
    PositionChanged,
    SendOrders,
    Verb,
)

_ARMING = {Verb.ARM, Verb.DISARM, Verb.STOP, Verb.KILL_HOLD, Verb.KILL_BALANCE}
"""Commands after which it is armed, or is not."""
_NO_WORD_ON_LOTS = {ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT, ExecType.REJECTED, ExecType.UNKNOWN}


@dataclass(slots=True)
class Fill:
    """One fill as its report told it, after corrections. `qty_lots` is 0 once it is busted."""

    exec_id: str
    exec_key: str
    recv_ns: int
    first_qty_lots: int
    qty_lots: int
    px: str
    px_ticks: int | None
    busted: bool = False


@dataclass(slots=True)
class OrderStory:
    """One order from the decision to its last report. A time of 0 is one that the journal does not hold."""

    order: Order
    trade_id: str
    decided_ns: int
    is_first_dispatch: bool
    """Sent by the decision that took the intent up."""
    is_first_of_leg: bool
    """Sent with the first orders of its leg, whenever that was."""
    journalled_ns: int = 0
    sent_ns: int = 0
    send_failure: str = ""
    acknowledged_ns: int = 0
    """Arrival of the first report that is no answer to a status request."""
    order_id: str = ""
    accepted: bool = False
    rejected: bool = False
    reject_text: str = ""
    ended: bool = False
    unknown_at_venue: bool = False
    """The venue answered a status request with: never heard of it."""
    reported_cum_lots: int = 0
    fills: dict[str, Fill] = field(default_factory=dict)

    @property
    def was_sent(self) -> bool:
        """Handed to a session that was logged on, or spoken of by the venue."""
        return self.sent_ns > 0 or self.accepted or self.rejected

    @property
    def inferred_lots(self) -> int:
        """Lots that the venue counts as filled and that came in no report of a fill."""
        return max(0, self.reported_cum_lots - sum(fill.first_qty_lots for fill in self.fills.values()))

    @property
    def cum_lots(self) -> int:
        """Lots filled, busts taken back."""
        return sum(fill.qty_lots for fill in self.fills.values()) + self.inferred_lots

    @property
    def filled_ns(self) -> int:
        """Arrival of the fill that completed it; 0 unless it is filled by reported fills."""
        live = [fill for fill in self.fills.values() if fill.qty_lots]
        complete = sum(fill.qty_lots for fill in live) >= self.order.qty_lots
        return max(fill.recv_ns for fill in live) if live and complete else 0

    @property
    def outcome(self) -> str:
        """One of not_sent, rejected, filled, partly_filled, cancelled, open; the first that is true."""
        if not self.was_sent:
            return "not_sent"
        if self.rejected and not self.cum_lots:
            return "rejected"
        if self.cum_lots >= self.order.qty_lots:
            return "filled"
        if not self.ended and not self.unknown_at_venue:
            return "open"
        return "partly_filled" if self.cum_lots else "cancelled"


class Change(NamedTuple):
    """What execution said of a pair trade, and when."""

    at_ns: int
    said: PairTradeChanged


@dataclass(slots=True)
class TradeStory:
    """One pair trade. `intent` is None where the journal that holds it is missing."""

    trade_id: str
    intent: Intent | None
    received_ns: int
    """When execution took the intent up."""
    orders: list[OrderStory] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    @property
    def last(self) -> PairTradeChanged | None:
        """What was said last."""
        return self.changes[-1].said if self.changes else None

    @property
    def first_orders(self) -> list[OrderStory]:
        """Orders of the first dispatch."""
        return [story for story in self.orders if story.is_first_dispatch]

    @property
    def leg_instruments(self) -> set[str]:
        """Instruments of the intent's legs."""
        return {leg.instrument_id for leg in self.intent.legs} if self.intent else set()

    @property
    def was_halted(self) -> bool:
        """It was given to a person at some time."""
        return any(change.said.state is PairTradeState.HALTED for change in self.changes)

    @property
    def is_legged(self) -> bool:
        """Count it as legged: given to a person, or unbalanced for longer than its limit, at any time."""
        return self.was_halted or any(change.said.legged_over_limit for change in self.changes)

    @property
    def outcome(self) -> str:
        """hedged, unwound, missed, halted, or unfinished where the journal ends before it does."""
        last = self.last
        if last is None or last.state in {PairTradeState.WORKING, PairTradeState.REPAIRING, PairTradeState.WAITING}:
            return "unfinished"
        return last.state.value


class Refused(NamedTuple):
    """An intent that execution's gate refused."""

    at_ns: int
    refusal: IntentRefused


class Raised(NamedTuple):
    """An alarm."""

    at_ns: int
    alarm: Alarm


@dataclass(slots=True)
class Life:
    """One incarnation of execution. A time of 0 is one that did not come."""

    boot_id: str
    opened_ns: int
    last_ns: int = 0
    armed_ns: int = 0
    """When it was armed first."""
    was_stopped: bool = False
    """A person asked it to stop, so that its end was no accident."""
    armed_spans: list[tuple[int, int]] = field(default_factory=list)
    """From each time that it was armed until a command disarmed it, or until its last record."""
    is_armed: bool = False
    """Whether it is, after the last record that was read."""
    commands: set[str] = field(default_factory=set)
    """Those that were done: one that comes again is answered, not done again."""


@dataclass(slots=True)
class RunStory:
    """A whole run of execution, over all its incarnations."""

    opened: list[JournalOpened] = field(default_factory=list)
    clock_pairs: list[ClockPair] = field(default_factory=list)
    trades: dict[str, TradeStory] = field(default_factory=dict)
    orders: dict[str, OrderStory] = field(default_factory=dict)
    refusals: list[Refused] = field(default_factory=list)
    alarms: list[Raised] = field(default_factory=list)
    positions: dict[str, PositionChanged] = field(default_factory=dict)
    """What execution said last of each instrument."""
    unplaced: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    """Fills that a person booked: the command's argument, which begins with the trade."""
    intents: list[Intent] = field(default_factory=list)
    """All that execution took up, refused or not."""
    lives: list[Life] = field(default_factory=list)
    decisions: int = 0
    first_ns: int = 0
    last_ns: int = 0


def fold(records: Iterable[JournalRecord]) -> RunStory:
    """Read a run's execution journals, oldest first."""
    run = RunStory()
    for record in records:
        if isinstance(record, Decision):
            _take_decision(run, record)
        elif isinstance(record, JournalOpened):
            run.opened.append(record)
            run.lives.append(Life(record.boot_id, record.monotonic_ns))
        elif isinstance(record, ClockPair):
            run.clock_pairs.append(record)
    return run


def _take_decision(run: RunStory, decision: Decision) -> None:
    run.decisions += 1
    run.first_ns = run.first_ns or decision.at_ns
    run.last_ns = max(run.last_ns, decision.at_ns)
    event = decision.event
    if run.lives:
        _take_life(run.lives[-1], decision)
    if isinstance(event, Intent):
        run.intents.append(event)
    elif isinstance(event, ExecutionReport):
        _take_report(run, event)
    elif isinstance(event, OrdersSent):
        _take_sent(run, event)
    elif isinstance(event, Command) and event.verb in {Verb.FILL_ADD, Verb.FILL_ASSIGN}:
        run.by_hand.append(event.argument)
    elif isinstance(event, MessageRejected) and event.cl_ord_id in run.orders:
        _reject(run.orders[event.cl_ord_id], event.recv_ns, event.text)
    for action in decision.actions:
        if isinstance(action, SendOrders):
            _take_orders(run, decision, action)
        elif isinstance(action, Announce):
            _take_announcement(run, decision, action.what)


def _take_life(life: Life, decision: Decision) -> None:
    was_armed = life.is_armed
    if was_armed:
        life.armed_spans[-1] = (life.armed_spans[-1][0], decision.at_ns)
    life.last_ns = decision.at_ns
    event = decision.event
    said = [action.what for action in decision.actions if isinstance(action, Announce)]
    if any(isinstance(what, Alarm) and what.name is AlarmName.LIMIT_BREACHED for what in said):
        life.is_armed = False  # whatever the site asks for then, it disarms
    if not isinstance(event, Command):
        return
    life.was_stopped = life.was_stopped or event.verb is Verb.STOP
    done = any(isinstance(what, CommandAnswered) and what.done for what in said)
    if event.verb not in _ARMING or not done or event.command_id in life.commands:
        return
    life.commands.add(event.command_id)
    life.is_armed = event.verb is Verb.ARM
    if life.is_armed and not was_armed:
        life.armed_ns = life.armed_ns or decision.at_ns
        life.armed_spans.append((decision.at_ns, decision.at_ns))


def _trade(run: RunStory, trade_id: str, decision: Decision) -> TradeStory:
    found = run.trades.get(trade_id)
    if found is None:
        intent = decision.event if isinstance(decision.event, Intent) else None
        found = run.trades[trade_id] = TradeStory(trade_id, intent, decision.at_ns)
    return found


def _take_orders(run: RunStory, decision: Decision, action: SendOrders) -> None:
    trade = _trade(run, action.trade_id, decision)
    is_first = isinstance(decision.event, Intent)
    seen = {story.order.instrument_id for story in trade.orders}
    for order in action.orders:
        first_of_leg = order.instrument_id in trade.leg_instruments - seen
        story = OrderStory(order, action.trade_id, decision.at_ns, is_first, first_of_leg)
        if order.cl_ord_id in run.orders:
            run.unplaced.append(f"ClOrdID(11) {order.cl_ord_id} is used by two orders")
        run.orders[order.cl_ord_id] = story
        trade.orders.append(story)


def _take_announcement(run: RunStory, decision: Decision, said: Announcement) -> None:
    if isinstance(said, PairTradeChanged):
        _trade(run, said.trade_id, decision).changes.append(Change(decision.at_ns, said))
    elif isinstance(said, IntentRefused):
        run.refusals.append(Refused(decision.at_ns, said))
    elif isinstance(said, Alarm):
        run.alarms.append(Raised(decision.at_ns, said))
    elif isinstance(said, PositionChanged):
        run.positions[said.instrument_id] = said


def _take_sent(run: RunStory, event: OrdersSent) -> None:
    for sent in event.orders:
        story = run.orders.get(sent.cl_ord_id)
        if story is None:
            if sent.failure:
                continue  # the record of their decision could not be written, so they were not sent
            run.unplaced.append(f"OrdersSent names ClOrdID(11) {sent.cl_ord_id}, which no decision sent")
            continue
        story.journalled_ns, story.sent_ns, story.send_failure = event.journalled_ns, sent.sent_ns, sent.failure


def _take_report(run: RunStory, report: ExecutionReport) -> None:
    story = run.orders.get(report.cl_ord_id) or run.orders.get(report.orig_cl_ord_id)
    if story is None:
        if report.exec_type is not ExecType.ORDER_STATUS or report.cum_qty_lots:
            run.unplaced.append(f"{report.venue_id} reports ClOrdID(11) {report.cl_ord_id}, which no decision sent")
        return
    if report.order_id and report.order_id != "NONE":
        story.order_id = report.order_id
    if report.exec_type is ExecType.ORDER_STATUS:
        _take_status(story, report)
        return
    story.acknowledged_ns = story.acknowledged_ns or report.recv_ns
    if report.exec_type is ExecType.REJECTED:
        _reject(story, report.recv_ns, report.text)
        return
    story.accepted = True
    story.unknown_at_venue = False
    if report.exec_type is ExecType.TRADE:
        _take_fill(story, report)
    elif report.exec_type in {ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT}:
        _amend_fill(run, story, report)
    elif report.exec_type in {ExecType.CANCELED, ExecType.EXPIRED, ExecType.DONE_FOR_DAY}:
        story.ended = True
    if report.exec_type not in _NO_WORD_ON_LOTS:
        story.reported_cum_lots = max(story.reported_cum_lots, report.cum_qty_lots)


def _take_status(story: OrderStory, report: ExecutionReport) -> None:
    if report.ord_status is OrdStatus.REJECTED and not report.cum_qty_lots:
        story.unknown_at_venue = not (story.accepted or story.rejected)
        return
    story.accepted = True
    story.reported_cum_lots = max(story.reported_cum_lots, report.cum_qty_lots)
    if report.ord_status in {OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.FILLED, OrdStatus.DONE_FOR_DAY}:
        story.ended = True


def _take_fill(story: OrderStory, report: ExecutionReport) -> None:
    key = report.exec_key or report.exec_id
    if key not in story.fills:
        qty = report.last_qty_lots
        story.fills[key] = Fill(report.exec_id, key, report.recv_ns, qty, qty, report.last_px, report.last_px_ticks)
    if sum(fill.qty_lots for fill in story.fills.values()) >= story.order.qty_lots:
        story.ended = True


def _amend_fill(run: RunStory, story: OrderStory, report: ExecutionReport) -> None:
    fills = story.fills.values()
    named = [fill for fill in fills if report.ref_exec_key and fill.exec_key == report.ref_exec_key]
    named = named or [fill for fill in fills if fill.exec_id == report.exec_ref_id]
    if not named:
        text = f"{report.venue_id} amends ExecID(17) {report.exec_ref_id} of {story.order.cl_ord_id}, which never came"
        run.unplaced.append(text)
        return
    fill = named[0]
    if report.exec_type is ExecType.TRADE_CANCEL:
        fill.qty_lots, fill.busted = 0, True
        return
    fill.qty_lots, fill.px, fill.px_ticks = report.last_qty_lots, report.last_px, report.last_px_ticks


def _reject(story: OrderStory, recv_ns: int, text: str) -> None:
    story.acknowledged_ns = story.acknowledged_ns or recv_ns
    story.rejected = story.ended = True
    story.reject_text = text
