"""The execution engine: `on_event(event, at_ns) -> actions`, the one place where pair trades are opened and kept whole.

    intent -> gate -> pair trade -> orders of all legs
    what a venue says -> order machine -> positions -> balance of its pair trade -> repair

It reads no clock, no socket and no file: every event carries its time, and the same events give the same actions, byte
for byte. The shell writes an event with its actions into the journal, in one write, and then carries the actions out.

An ended pair trade can come back: a late fill or a bust makes it unbalanced, and it is repaired like any other.
"""

from collections.abc import Callable, Iterable

from gateway.execution import repair
from gateway.execution.dispatch import first_orders, open_trade, repair_orders
from gateway.execution.ledger import ExecutionSettings, Ledger
from gateway.execution.order_book import OwnOrder
from gateway.execution.order_state import IllegalInputError, OrderInput
from gateway.execution.pair_trade import ENDED, Balance, PairTrade, next_state
from gateway.execution.risk import Refusal, judge
from gateway.model.order import (
    BadOrderMessage,
    CancelRejected,
    ExecType,
    ExecutionReport,
    MassCancelReported,
    MessageRejected,
    OrdStatus,
    SessionChanged,
)
from gateway.model.trade import (
    Action,
    Alarm,
    AlarmName,
    Announce,
    Announcement,
    AskStatus,
    BooksObserved,
    Command,
    CommandAnswered,
    ExecutionEvent,
    ExecutionStatus,
    HaltCause,
    Intent,
    IntentRefused,
    OrdersSent,
    OrderState,
    PairPosition,
    PairTradeState,
    ReadBooks,
    RefusalName,
    Restarted,
    SendCancel,
    SendOrders,
    SetTimer,
    TimerFired,
    Verb,
)

RETRY_NS = 100_000_000
"""How long a repair waits before it looks at the books again, when a leg could not be traded."""
REMEMBERED_INTENTS = 10_000
"""Intents whose ids are kept to refuse a second one; an older one has long expired."""

_ENDING = frozenset({ExecType.CANCELED, ExecType.REJECTED, ExecType.EXPIRED, ExecType.DONE_FOR_DAY})
_ENDED_STATUS = frozenset(
    {OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED, OrdStatus.DONE_FOR_DAY, OrdStatus.FILLED}
)


class IdSource:
    """Ids of one incarnation: counted, never drawn, so that a replay gives the same ones."""

    def __init__(self, prefix: str, incarnation: int) -> None:
        self._head = f"{prefix}{incarnation}-"
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"{self._head}{self._count}"


class ExecutionEngine:
    """All pair trades, orders and positions of one installation or shard."""

    def __init__(self, settings: ExecutionSettings, incarnation: int) -> None:
        self.ledger = Ledger(settings, incarnation)
        self._order_ids = IdSource(settings.id_prefix, incarnation)
        self._trade_ids = IdSource("P", incarnation)
        self._actions: list[Action] = []
        self._cancels: dict[str, OwnOrder] = {}
        self._asked: dict[str, str] = {}
        self._handlers: dict[type, Callable[..., None]] = {
            Intent: self._on_intent,
            ExecutionReport: self._on_report,
            OrdersSent: self._on_sent,
            BooksObserved: self._on_books,
            TimerFired: self._on_timer,
            SessionChanged: self._on_session,
            CancelRejected: self._on_cancel_rejected,
            MassCancelReported: self._on_mass_cancel,
            MessageRejected: self._on_message_rejected,
            BadOrderMessage: self._on_bad_message,
            Command: self._on_command,
            Restarted: self._on_restarted,
        }

    def on_event(self, event: ExecutionEvent, at_ns: int) -> list[Action]:
        """Take one event and say what to do, in order."""
        self._actions = []
        self._handlers[type(event)](event, at_ns)
        return self._actions

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
            len(ledger.working_orders()),
            tuple((name, venue.up, venue.reconciled) for name, venue in ledger.venues.items()),
            at_ns,
            tuple(sorted({trade.intent.pair_id for trade in ledger.open_trades.values()})),
        )

    # Opening a pair trade.

    def _on_intent(self, intent: Intent, at_ns: int) -> None:
        ledger = self.ledger
        verdict = judge(ledger, intent, at_ns)
        if isinstance(verdict, Refusal):
            self._refuse(intent, verdict)
            return
        trade = open_trade(verdict, ledger, self._trade_ids.next())
        self._remember(intent, trade.trade_id)
        ledger.trades[trade.trade_id] = ledger.open_trades[trade.trade_id] = trade
        ledger.rule_trades(intent.rule_id, at_ns)
        ledger.rule_trades_ns[intent.rule_id].append(at_ns)
        self._send(trade, first_orders(trade, ledger, self._order_ids.next), at_ns)
        self._announce(trade.report(at_ns))

    def _refuse(self, intent: Intent, refusal: Refusal) -> None:
        if refusal.name is RefusalName.THROTTLED and intent.rule_id not in self.ledger.throttled:
            self.ledger.throttled.add(intent.rule_id)
            self._alarm(AlarmName.THROTTLED, intent.rule_id, refusal.figures)
        if refusal.name is not RefusalName.DUPLICATE_INTENT:
            self._remember(intent, f"refused: {refusal.name.value}")
        self._announce(
            IntentRefused(intent.intent_id, intent.pair_id, intent.rule_id, refusal.name, refusal.figures)
        )

    def _remember(self, intent: Intent, what: str) -> None:
        seen = self.ledger.seen_intents
        seen[intent.intent_id] = what
        if len(seen) > REMEMBERED_INTENTS:
            del seen[next(iter(seen))]

    def _send(self, trade: PairTrade, orders: list[OwnOrder], at_ns: int) -> None:
        ledger = self.ledger
        for own in orders:
            order = own.order
            ledger.orders[order.cl_ord_id] = own
            trade.legs[own.leg_index].orders.append(own)
            ledger.positions[order.instrument_id].freeze(order)
            ledger.orders_of_day[order.instrument_id] = ledger.orders_of_day.get(order.instrument_id, 0) + 1
            ledger.sent_at_ns.append(at_ns)
        spec = ledger.settings.pairs[trade.intent.pair_id]
        self._do(SendOrders(trade.trade_id, tuple(own.order for own in orders)))
        self._do(SetTimer(f"reply:{trade.trade_id}", at_ns + spec.order_timeout_ns))

    def _on_sent(self, event: OrdersSent, at_ns: int) -> None:
        for sent in event.orders:
            own = self.ledger.orders.get(sent.cl_ord_id)
            if own is not None and sent.failure and own.state is OrderState.SENT:
                self._alarm(AlarmName.SEND_FAILED, sent.cl_ord_id, sent.failure)
                self._move(own, OrderInput.UNSENT)
                self._settle_order(own, at_ns)

    # What venues say.

    def _on_report(self, report: ExecutionReport, at_ns: int) -> None:
        own = self.ledger.orders.get(report.orig_cl_ord_id) or self.ledger.orders.get(report.cl_ord_id)
        if own is None:
            if report.cl_ord_id not in self._asked:
                self._unexplained(report)
            return
        if report.instrument_id != own.order.instrument_id or report.side not in (None, own.order.side):
            self._alarm(AlarmName.BAD_MESSAGE, own.order.cl_ord_id, f"reported as {report.side} {report.instrument_id}")
            return
        own.order_id = report.order_id or own.order_id
        was_done = not own.open
        lots = self._count(own, report)
        self._note(own, report, lots, was_done=was_done)
        given = _input_of(own, report)
        if given is not None:
            self._move(own, given)
        self._settle_order(own, at_ns)
        self._note_reconciled(own.order.venue_id, at_ns)

    def _count(self, own: OwnOrder, report: ExecutionReport) -> int:
        """Book what a report changes of an order's lots; returns the change."""
        match report.exec_type:
            case ExecType.TRADE:
                lots = own.add_fill(report)
            case ExecType.TRADE_CANCEL:
                lots = own.drop_fill(report.exec_key, report.cum_qty_lots)
            case ExecType.TRADE_CORRECT:
                lots = own.correct_fill(report.exec_key, report)
            case ExecType.UNKNOWN:
                lots = 0
            case _:
                lots = own.told_cum(report.cum_qty_lots)
        if lots:
            position = self.ledger.positions[own.order.instrument_id]
            position.fill(own.order, lots)
            own.thaw(position, lots)
            self._announce(position.report())
        return lots

    def _note(self, own: OwnOrder, report: ExecutionReport, lots: int, *, was_done: bool) -> None:
        """Alarms that a report calls for."""
        name = own.order.cl_ord_id
        if report.exec_type is ExecType.UNKNOWN or report.ord_status is None:
            self._alarm(AlarmName.UNKNOWN_EXEC_TYPE, name, f"ExecType(150) or OrdStatus(39) unknown: {report.text}")
        if lots > 0 and report.exec_type is ExecType.TRADE and report.last_px_ticks is None:
            self._alarm(AlarmName.OFF_TICK_FILL, name, f"LastPx(31) {report.last_px} is off tick")
        if lots < 0:
            self._alarm(AlarmName.FILL_BUSTED, name, f"{lots} lots, ExecRefID(19) {report.exec_ref_id}")
        elif lots and was_done:
            self._alarm(AlarmName.LATE_FILL, name, f"{lots} lots after its final word")
        if own.filled_lots > own.order.qty_lots:
            self._halt(self.ledger.trades[own.trade_id], HaltCause.OVERFILLED,
                       f"{name}: {own.filled_lots} lots of {own.order.qty_lots}")  # fmt: skip

    def _unexplained(self, report: ExecutionReport) -> None:
        figures = (
            f"ClOrdID(11) {report.cl_ord_id} OrderID(37) {report.order_id} ExecType(150) {report.exec_type.value} "
            f"LastQty(32) {report.last_qty_lots} {report.instrument_id}"
        )
        if report.instrument_id:
            self.ledger.unexplained[report.instrument_id] = figures
        self._alarm(AlarmName.UNKNOWN_ORDER, report.venue_id, figures)

    def _on_cancel_rejected(self, event: CancelRejected, at_ns: int) -> None:
        own = self.ledger.orders.get(event.orig_cl_ord_id) or self._cancels.get(event.cl_ord_id)
        if own is not None:
            self._move(own, OrderInput.CANCEL_REFUSED)
            self._settle_order(own, at_ns)

    def _on_message_rejected(self, event: MessageRejected, at_ns: int) -> None:
        own = self.ledger.orders.get(event.cl_ord_id)
        if own is not None:
            self._alarm(AlarmName.BAD_MESSAGE, event.cl_ord_id, f"refused by the venue: {event.reason} {event.text}")
            self._move(own, OrderInput.ENDED)
        else:
            own = self._cancels.get(event.cl_ord_id)
            self._alarm(AlarmName.BAD_MESSAGE, event.venue_id, f"{event.ref_msg_type} refused: {event.text}")
            if own is not None:
                self._move(own, OrderInput.CANCEL_REFUSED)
        if own is not None:
            self._settle_order(own, at_ns)

    def _on_bad_message(self, event: BadOrderMessage, at_ns: int) -> None:
        self._alarm(AlarmName.BAD_MESSAGE, event.cl_ord_id or event.venue_id, event.reason)
        own = self.ledger.orders.get(event.cl_ord_id)
        if own is not None and own.open:
            self._ask(own.order.venue_id, [own], at_ns)

    def _on_mass_cancel(self, event: MassCancelReported, _at_ns: int) -> None:
        if event.response == "0":
            self._alarm(AlarmName.BAD_MESSAGE, event.venue_id, f"mass cancel refused: {event.text}")

    # Sessions and doubt.

    def _on_session(self, event: SessionChanged, at_ns: int) -> None:
        venue = self.ledger.venues[event.venue_id]
        venue.up, venue.reconciled = event.up, False
        open_orders = [own for own in self.ledger.working_orders() if own.order.venue_id == event.venue_id]
        if event.up:
            self._ask(event.venue_id, open_orders, at_ns)
            self._note_reconciled(event.venue_id, at_ns)
            self._settle_all(at_ns)
            return
        if open_orders or self.ledger.armed:
            self._alarm(AlarmName.SESSION_LOST, event.venue_id, f"{len(open_orders)} orders open; {event.detail}")
        for own in open_orders:
            self._doubt(own, at_ns)

    def _doubt(self, own: OwnOrder, at_ns: int) -> None:
        if own.state is not OrderState.IN_DOUBT:
            self._move(own, OrderInput.DOUBTED)
            self._alarm(AlarmName.ORDER_IN_DOUBT, own.order.cl_ord_id, f"{own.open_lots} lots open")
        self._settle_order(own, at_ns)

    def _ask(self, venue_id: str, orders: list[OwnOrder], at_ns: int) -> None:
        """Ask about these orders, never send them again; asked once more when no answer comes in time."""
        if not orders or not self.ledger.venues[venue_id].up:
            return
        request_id = self._order_ids.next()
        self._asked[request_id] = venue_id
        for own in orders:
            own.asks += 1
        self._do(AskStatus(venue_id, request_id, tuple(own.order for own in orders)))
        self._do(SetTimer(f"status:{venue_id}", at_ns + self.ledger.settings.venues[venue_id].status_timeout_ns))

    def _note_reconciled(self, venue_id: str, at_ns: int) -> None:
        venue = self.ledger.venues[venue_id]
        if venue.reconciled or not venue.up:
            return
        if any(own.state is OrderState.IN_DOUBT for own in self._orders_at(venue_id)):
            return
        venue.reconciled = True
        self._settle_all(at_ns)

    def _orders_at(self, venue_id: str) -> Iterable[OwnOrder]:
        return (own for own in self.ledger.working_orders() if own.order.venue_id == venue_id)

    # Timers.

    def _on_timer(self, event: TimerFired, at_ns: int) -> None:
        kind, _, subject = event.key.partition(":")
        if kind == "status":
            doubtful = [own for own in self._orders_at(subject) if own.state is OrderState.IN_DOUBT]
            if doubtful:
                self._alarm(AlarmName.REPLY_OVERDUE, subject, f"{len(doubtful)} orders in doubt")
                self._ask(subject, doubtful, at_ns)
            return
        trade = self.ledger.trades.get(subject)
        if trade is None:
            return
        if kind == "reply":
            self._overdue(trade, at_ns)
        elif kind == "legged" and not trade.balanced:
            self._legged_too_long(trade, at_ns)
        elif kind == "retry":
            self._settle(trade, at_ns)

    def _overdue(self, trade: PairTrade, at_ns: int) -> None:
        """Orders with no final word in time: cancelled first, then asked about."""
        late = [own for own in trade.orders() if own.open]
        for own in late:
            venue_id = own.order.venue_id
            if not self.ledger.venues[venue_id].up:
                continue
            if own.cancels == 0 and own.state in (OrderState.SENT, OrderState.WORKING):
                self._cancel(own)
            else:
                self._alarm(AlarmName.REPLY_OVERDUE, own.order.cl_ord_id, f"asked {own.asks} times")
                self._ask(venue_id, [own], at_ns)
        if late:
            spec = self.ledger.settings.pairs[trade.intent.pair_id]
            self._do(SetTimer(f"reply:{trade.trade_id}", at_ns + spec.order_timeout_ns))

    def _cancel(self, own: OwnOrder) -> None:
        self._move(own, OrderInput.CANCEL_SENT)
        own.cancels += 1
        cl_ord_id = self._order_ids.next()
        self._cancels[cl_ord_id] = own
        self._do(SendCancel(cl_ord_id, own.order, own.order_id))

    def _legged_too_long(self, trade: PairTrade, at_ns: int) -> None:
        trade.legged_over_limit = True
        self._alarm(AlarmName.LEGGED, trade.trade_id, f"legged for {trade.legged_ns(at_ns)} ns; {_legs(trade)}")
        self._announce(trade.report(at_ns))

    # Balance and repair.

    def _settle_order(self, own: OwnOrder, at_ns: int) -> None:
        if not own.open:
            own.thaw(self.ledger.positions[own.order.instrument_id], own.frozen_lots)
        self._settle(self.ledger.trades[own.trade_id], at_ns)

    def _settle_all(self, at_ns: int) -> None:
        for trade in list(self.ledger.open_trades.values()):
            self._settle(trade, at_ns)

    def _settle(self, trade: PairTrade, at_ns: int) -> None:
        """What do its orders add up to now, and what follows from it?"""
        spec = self.ledger.settings.pairs[trade.intent.pair_id]
        became_legged = trade.note_time(at_ns)
        if trade.state is PairTradeState.HALTED:
            self._advance(trade, Balance.GIVE_UP, at_ns)
            return
        if became_legged:
            self._do(SetTimer(f"legged:{trade.trade_id}", at_ns + spec.legged_limit_ns))
        given = self._balance(trade)
        if given is Balance.LEGGED:
            if not trade.reading:
                trade.reading = True
                self._do(ReadBooks(trade.trade_id, tuple(leg.instrument_id for leg in trade.legs)))
            return
        if given is Balance.GIVE_UP:
            cause = HaltCause.KILLED if self.ledger.held else HaltCause.ATTEMPTS_EXHAUSTED
            self._halt(trade, cause, f"{trade.attempts} attempts; {_legs(trade)}")
        self._advance(trade, given, at_ns)

    def _balance(self, trade: PairTrade) -> Balance:
        orders = trade.orders()
        if any(own.open and own.state is not OrderState.IN_DOUBT for own in orders):
            return Balance.WAITING_FOR
        if any(own.state is OrderState.IN_DOUBT for own in orders):
            return Balance.DOUBTFUL
        if trade.balanced:
            if trade.hedged_units:
                return Balance.HEDGED
            return Balance.FLAT if trade.touched else Balance.NOTHING
        attempts = len(self.ledger.settings.pairs[trade.intent.pair_id].repair_pay_up_ticks)
        if self.ledger.held or trade.attempts >= attempts:
            return Balance.GIVE_UP
        return Balance.LEGGED

    def _on_books(self, event: BooksObserved, at_ns: int) -> None:
        """The books that a repair asked for: plan it, send it."""
        trade = self.ledger.trades[event.request]
        trade.reading = False
        if self._balance(trade) is not Balance.LEGGED or trade.state is PairTradeState.HALTED:
            self._settle(trade, at_ns)
            return
        spec = self.ledger.settings.pairs[trade.intent.pair_id]
        usable = {
            quote.instrument_id: quote
            for quote in event.quotes
            if self.ledger.venue_of(quote.instrument_id).up and self.ledger.venue_of(quote.instrument_id).reconciled
        }
        found = repair.plan(trade, spec, usable, spec.repair_pay_up_ticks[trade.attempts])
        if isinstance(found, repair.Blocked):
            if trade.cause != found.reason:
                trade.cause = found.reason
                self._alarm(AlarmName.LEGGED, trade.trade_id, f"cannot be repaired now: {found.reason}")
            self._advance(trade, Balance.BLOCKED, at_ns)
            self._do(SetTimer(f"retry:{trade.trade_id}", at_ns + RETRY_NS))
            return
        trade.attempts += 1
        trade.cause = ""
        self._send(trade, repair_orders(trade, found.orders, self.ledger, self._order_ids.next), at_ns)
        self._advance(trade, Balance.LEGGED, at_ns)

    def _halt(self, trade: PairTrade, cause: HaltCause, figures: str) -> None:
        if trade.state is not PairTradeState.HALTED:
            self.ledger.open_trades[trade.trade_id] = trade
            trade.halt(cause)
            self._alarm(AlarmName.HALTED, trade.trade_id, f"{cause.value}: {figures}")

    def _advance(self, trade: PairTrade, given: Balance, at_ns: int) -> None:
        """Move the pair trade's machine, book what changed, tell."""
        was = trade.state
        trade.state = next_state(was, given)
        if trade.state in ENDED:
            self._book(trade)
            if trade.state is not PairTradeState.HALTED:
                self.ledger.open_trades.pop(trade.trade_id, None)
        else:
            self.ledger.open_trades[trade.trade_id] = trade
        told = trade.report(at_ns)
        if trade.is_news(told):
            self._announce(told)

    def _book(self, trade: PairTrade) -> None:
        """Units and loss of an ended pair trade, as the difference to what was booked of it before."""
        ledger, intent = self.ledger, trade.intent
        units = trade.hedged_units * intent.side.sign if trade.balanced else 0
        slippage_e9 = sum(leg.slippage_e9(trade.hedged_units) for leg in trade.legs) if trade.balanced else 0
        change, loss_e9 = trade.book(units, slippage_e9)
        currency = ledger.settings.pairs[intent.pair_id].currency
        ledger.loss_e9[currency] = ledger.loss_e9.get(currency, 0) + loss_e9
        if change:
            ledger.pair_units[intent.pair_id] = ledger.pair_units.get(intent.pair_id, 0) + change
            ledger.rule_units[intent.rule_id] = ledger.rule_units.get(intent.rule_id, 0) + change
            self._announce(PairPosition(intent.pair_id, intent.rule_id, ledger.rule_units[intent.rule_id]))

    # Operator and restart.

    def _on_command(self, command: Command, at_ns: int) -> None:
        known = self.ledger.done_commands.get(command.command_id)
        if known is not None:
            self._announce(CommandAnswered(command.command_id, True, known))
            return
        done, text = self._obey(command, at_ns)
        self.ledger.done_commands[command.command_id] = text
        self._announce(CommandAnswered(command.command_id, done, text))

    def _obey(self, command: Command, at_ns: int) -> tuple[bool, str]:
        ledger = self.ledger
        if command.verb is not Verb.STATUS and not (command.who and command.reason):
            return False, "a command needs a name and a reason"
        match command.verb:
            case Verb.ARM:
                if ledger.stopping:
                    return False, "a stop was asked for; start anew"
                ledger.armed, ledger.held = True, False
                ledger.throttled.clear()
                ledger.rule_trades_ns.clear()
            case Verb.DISARM:
                ledger.armed = False
            case Verb.STOP:
                ledger.stopping, ledger.armed = True, False
            case Verb.STAGE:
                ledger.stage = command.argument
            case Verb.KILL_HOLD:
                ledger.armed, ledger.held = False, True
                self._cancel_all(at_ns)
            case Verb.KILL_BALANCE:
                ledger.armed = False
                self._cancel_all(at_ns)
            case Verb.STATUS:
                pass
        return True, f"{command.verb.value}: {len(ledger.open_trades)} pair trades open"

    def _cancel_all(self, at_ns: int) -> None:
        for own in self.ledger.working_orders():
            if own.state in (OrderState.SENT, OrderState.WORKING):
                self._cancel(own)
        self._settle_all(at_ns)

    def _on_restarted(self, event: Restarted, at_ns: int) -> None:
        """A new incarnation: what was open is in doubt until the venue has spoken of it."""
        ledger = self.ledger
        ledger.incarnation = event.incarnation
        ledger.armed = ledger.stopping = False
        self._order_ids = IdSource(ledger.settings.id_prefix, event.incarnation)
        self._trade_ids = IdSource("P", event.incarnation)
        for venue in ledger.venues.values():
            venue.up = venue.reconciled = False
        for trade in list(ledger.open_trades.values()):
            trade.reading = False
            for own in trade.orders():
                if own.open:
                    self._doubt(own, at_ns)
            self._settle(trade, at_ns)

    # Small words.

    def _move(self, own: OwnOrder, given: OrderInput) -> None:
        """Move an order's machine; what the table forbids is the venue contradicting itself, and a person's to judge."""
        try:
            own.take(given)
        except IllegalInputError as error:
            self._halt(self.ledger.trades[own.trade_id], HaltCause.VENUE_DISAGREES, f"{own.order.cl_ord_id}: {error}")

    def _do(self, action: Action) -> None:
        self._actions.append(action)

    def _announce(self, what: Announcement) -> None:
        self._actions.append(Announce(what))

    def _alarm(self, name: AlarmName, subject: str, figures: str) -> None:
        self._announce(Alarm(name, subject, figures))


def _input_of(own: OwnOrder, report: ExecutionReport) -> OrderInput | None:
    """What a report means to the order's machine, after its lots were counted."""
    kind = report.exec_type
    if kind is ExecType.UNKNOWN:
        return None
    complete = own.filled_lots >= own.order.qty_lots
    if kind is ExecType.ORDER_STATUS:
        if report.ord_status is OrdStatus.REJECTED and report.order_id in ("", "NONE"):
            return OrderInput.STATUS_UNKNOWN
        if report.ord_status in _ENDED_STATUS:
            return OrderInput.COMPLETED if complete else OrderInput.ENDED
        return None if report.ord_status is None else OrderInput.STATUS_OPEN
    if kind in _ENDING:
        return OrderInput.ENDED
    if kind is ExecType.TRADE:
        return OrderInput.COMPLETED if complete else OrderInput.FILLED
    if kind in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT):
        return None
    return OrderInput.ACKED


def _legs(trade: PairTrade) -> str:
    return ", ".join(f"{leg.instrument_id} {leg.filled_lots} of {leg.target_lots}" for leg in trade.legs)
