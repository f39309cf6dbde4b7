"""The execution engine: `on_event(event, at_ns) -> actions`, the one place where pair trades are opened and kept whole.

    intent -> gate -> pair trade -> orders of its legs                 (opening)
    what a venue says -> order machine, positions                      (venue_words)
    -> balance of the pair trade -> hedge, wait, repair, end or halt   (settling)
    what a person says                                                 (operator)

It reads no clock, no socket and no file: every event carries its time, and the same events give the same actions, byte
for byte. The shell writes an event with its actions into the journal, in one write, and then carries the actions out.

An ended pair trade can come back: a late fill or a bust makes it unbalanced, and it is repaired like any other.
"""

from collections.abc import Callable

from gateway.execution.ledger import ExecutionSettings, Hours, Ledger
from gateway.execution.leg_orders import LegOrders
from gateway.execution.opening import QUOTE, Opener
from gateway.execution.operator import Operator
from gateway.execution.order_book import OwnOrder
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.outside_fills import OutsideFills
from gateway.execution.pair_trade import PairTrade
from gateway.execution.residual import RESIDUAL, Residuals
from gateway.execution.settling import Settler
from gateway.execution.tripwire import Watchman
from gateway.execution.venue_positions import VenuePositions
from gateway.execution.venue_words import VenueWords
from gateway.model.order import (
    BadOrderMessage,
    CancelRejected,
    ExecutionReport,
    MassCancelReported,
    MessageRejected,
    SessionChanged,
)
from gateway.model.position import PositionLine, PositionsAcked
from gateway.model.trade import (
    Action,
    AlarmHeard,
    AlarmName,
    BooksObserved,
    BookStateChanged,
    Command,
    ExecutionEvent,
    ExecutionStatus,
    HoursChanged,
    Intent,
    OrdersSent,
    OrderState,
    PositionReported,
    Restarted,
    TimerFired,
    Verb,
)


class ExecutionEngine:
    """All pair trades, orders and positions of one installation or shard."""

    def __init__(self, settings: ExecutionSettings, incarnation: int) -> None:
        self.ledger = Ledger(settings, incarnation)
        self._out = Outbox()
        self._watchman = Watchman(self.ledger)
        self._ids = [
            order_ids := IdSource(settings.id_prefix, incarnation),
            trade_ids := IdSource("P", incarnation),
            outside_ids := IdSource("X", incarnation),
        ]
        self._settler = Settler(self.ledger, self._out, order_ids)
        self._positions = VenuePositions(self.ledger, self._out, self._settler, order_ids)
        told = (OutsideFills(self.ledger, self._out), self._positions)
        operator = Operator(self.ledger, self._out, self._settler, outside_ids, told)
        self._opener = Opener(self.ledger, self._out, self._settler, operator, (order_ids, trade_ids))
        self._venues = VenueWords(self.ledger, self._out, self._settler, order_ids, told)
        self._residuals = Residuals(self.ledger, self._out, self._settler, (order_ids, trade_ids))
        legs = LegOrders(self.ledger, self._out, self._settler, (order_ids, trade_ids))
        operator.also({Verb.LEG_ORDER: legs.place, Verb.WITHDRAW: legs.withdraw})
        self._venue_timers: dict[str, Callable[[str, int], None]] = {
            "status": self._venues.ask_again,
            "unsaid": self._venues.ask_all,
            "positions": self._positions.on_timer,
        }
        self._handlers: dict[type, Callable[..., None]] = {
            Intent: self._opener.on_intent,
            ExecutionReport: self._venues.on_report,
            OrdersSent: self._venues.on_sent,
            CancelRejected: self._venues.on_cancel_rejected,
            MassCancelReported: self._venues.on_mass_cancel,
            MessageRejected: self._venues.on_message_rejected,
            BadOrderMessage: self._venues.on_bad_message,
            SessionChanged: self._venues.on_session,
            PositionReported: self._venues.on_position,
            PositionsAcked: self._positions.on_acked,
            PositionLine: self._positions.on_line,
            Command: operator.on_command,
            BooksObserved: self._on_books,
            TimerFired: self._on_timer,
            HoursChanged: self._on_hours,
            BookStateChanged: self._on_book_state,
            Restarted: self._on_restarted,
            AlarmHeard: lambda _event, _at_ns: None,  # the watchman looks at it
        }

    def on_event(self, event: ExecutionEvent, at_ns: int) -> list[Action]:
        """Take one event and say what to do, in order."""
        kind = type(event)
        self._handlers[kind](event, at_ns)
        if kind is not Intent:  # an intent ends no pair trade
            self.ledger.archive.trim()
        actions = self._out.take()
        if self.ledger.rollout is not None:
            actions += self._watchman.look(event, actions, at_ns)
        return actions

    def status(self, at_ns: int) -> ExecutionStatus:
        """The heartbeat."""
        ledger = self.ledger
        return ExecutionStatus(
            ledger.incarnation,
            ledger.armed,
            ledger.stopping,
            ledger.held,
            ledger.stage,
            len(ledger.open_trades),
            len(ledger.open_orders),
            tuple((name, venue.up, venue.reconciled) for name, venue in ledger.venues.items()),
            at_ns,
            ledger.busy_pairs(),
            ledger.rollout.stage.name if ledger.rollout is not None else "",
            ledger.rollout.plan.name if ledger.rollout is not None else "",
        )

    def _on_books(self, event: BooksObserved, at_ns: int) -> None:
        if event.request.startswith(RESIDUAL):
            self._residuals.on_books(event, at_ns)
            return
        quoted = event.request.startswith(QUOTE)
        trade = self.ledger.trades[event.request.removeprefix(QUOTE)]
        if quoted:
            self._opener.on_quote_books(trade, event, at_ns)
        else:
            self._settler.on_books(trade, event, at_ns)

    def _on_timer(self, event: TimerFired, at_ns: int) -> None:
        kind, subject, *rest = event.key.split(":")
        of_venue = self._venue_timers.get(kind)
        if of_venue is not None:
            of_venue(subject, at_ns)
            return
        if kind == "residual":
            self._residuals.look(subject)
            return
        trade = self.ledger.trades.at_hand(subject)
        if trade is None:
            return
        match kind:
            case "reply":
                self._overdue(trade, at_ns)
            case "legged":
                self._settler.legged_too_long(trade, at_ns)
            case "retry" | "doubt":
                self._settler.settle(trade, at_ns)
            case "release":
                self._opener.release(trade, int(rest[0]), at_ns)
            case "quote":
                self._opener.look_at_quote(trade, at_ns)

    def _overdue(self, trade: PairTrade, at_ns: int) -> None:
        """Orders with no final word in time: cancelled first, then asked about. A resting order may take its time."""
        late = [own for own in trade.orders() if own.open]
        for own in late:
            if self.ledger.venues[own.order.venue_id].up and not trade.quoting:
                self._chase(own, at_ns)
        if late:
            timeout_ns = self._settler.spec(trade).order_timeout_ns
            self._settler.set_reply_timer(trade, at_ns + timeout_ns)

    def _chase(self, own: OwnOrder, at_ns: int) -> None:
        # A cancel that was refused is sent again once the venue has been asked and says that the order is open.
        if own.asks > own.asks_when_cancelled and own.state in (OrderState.SENT, OrderState.WORKING):
            self._settler.cancel(own, at_ns)
            return
        self._out.alarm(AlarmName.REPLY_OVERDUE, own.order.cl_ord_id, f"{own.state.value}, asked {own.asks} times")
        if own.asks and own.state is not OrderState.IN_DOUBT:
            self._venues.doubt(own, at_ns)
        self._venues.ask(own.order.venue_id, [own], at_ns)

    def _on_hours(self, event: HoursChanged, at_ns: int) -> None:
        ledger = self.ledger
        ledger.hours[event.instrument_id] = Hours(event.open, event.shut_ns)
        position = ledger.positions.get(event.instrument_id)
        if position is None:  # a currency fixing: the gate looks at it
            return
        ledger.on_day(event.instrument_id, event.trading_day)
        position.on_day(event.trading_day, event.prompt)
        self._settler.settle_each(ledger.pair_trades_of(event.instrument_id), at_ns)

    def _on_book_state(self, event: BookStateChanged, _at_ns: int) -> None:
        self.ledger.book_states[event.instrument_id] = (event.state, event.detail)

    def _on_restarted(self, event: Restarted, at_ns: int) -> None:
        """A new incarnation: what was open is in doubt until the venue has spoken of it."""
        ledger = self.ledger
        ledger.incarnation = event.incarnation
        ledger.armed = ledger.stopping = False
        for ids in self._ids:
            ids.restart(event.incarnation)
        for venue_id, venue in ledger.venues.items():
            venue.up = venue.reconciled = False
            self._positions.end(venue_id)
        ledger.copies_up.clear()
        for trade in list(ledger.open_trades.values()):
            trade.note_boot(at_ns)
            trade.reading = trade.quoting = False
            trade.held_legs.clear()
            for own in trade.orders():
                if own.open:
                    self._venues.doubt(own, at_ns)
            self._settler.restart_timers(trade, at_ns)
            self._settler.settle(trade, at_ns)
