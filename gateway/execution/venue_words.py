"""What venues say about our orders, and what it changes: fills counted once, states moved, doubt raised and settled.

Nothing is guessed. A report about an order that is not ours freezes its instrument until a person explains it; a state
that is not in the standard is alarmed and changes nothing; an order in doubt is asked about and never sent again.
"""

from gateway.execution.ledger import Ledger
from gateway.execution.order_book import OwnOrder
from gateway.execution.order_state import OrderInput
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.outside_fills import OutsideFills
from gateway.execution.settling import Settler
from gateway.execution.venue_positions import VenuePositions
from gateway.model.order import (
    BadOrderMessage,
    CancelRejected,
    ExecType,
    ExecutionReport,
    MassCancelReported,
    MessageRejected,
    OrdStatus,
    PositionEffect,
    SessionChanged,
)
from gateway.model.trade import AlarmName, AskStatus, HaltCause, OrdersSent, OrderState, PositionReported, SetTimer

ORDERS = "orders"
ASKS_POSITIONS = "AN"
_QUESTIONS = frozenset({"H", "AF", "1", "2"})
"""MsgTypes that ask: one that is refused is asked again when its answer is overdue."""
ASKED_REMEMBERED = 10_000
"""Questions whose ids are kept: a venue that knows no order names the question in the place of one."""
_ENDING = frozenset({ExecType.CANCELED, ExecType.REJECTED, ExecType.EXPIRED, ExecType.DONE_FOR_DAY})
_CLOSES = frozenset({PositionEffect.CLOSE, PositionEffect.CLOSE_TODAY})
_ENDED_STATUS = frozenset(
    {OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED, OrdStatus.DONE_FOR_DAY, OrdStatus.FILLED}
)


class VenueWords:
    """Takes every message of an order session."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        settler: Settler,
        order_ids: IdSource,
        told: tuple[OutsideFills, VenuePositions],
    ) -> None:
        self._ledger = ledger
        self._outside, self._positions = told
        self._positions.on_told = self.note_reconciled
        self._out = outbox
        self._settler = settler
        self._order_ids = order_ids
        self._asked: dict[str, None] = {}
        self._asked_all_ns: dict[str, int] = {}
        self._unheard: dict[str, dict[str, None]] = {}
        """By venue: ended orders of which a word may have been lost; they are asked about until it has answered."""

    def on_report(self, report: ExecutionReport, at_ns: int) -> None:
        """35=8."""
        ledger = self._ledger
        own = ledger.orders.get(report.orig_cl_ord_id) or ledger.orders.get(report.cl_ord_id)
        if own is None:
            self._not_ours(report, at_ns)
            return
        if report.instrument_id != own.order.instrument_id or report.side not in (None, own.order.side):
            figures = f"reported as Side(54) {report.side} of {report.instrument_id}"
            self._out.alarm(AlarmName.BAD_MESSAGE, own.order.cl_ord_id, figures)
            return
        was_done, was_known = not own.open, bool(own.order_id or own.filled_lots)
        if own.state is OrderState.SENT and own.sent_ns and not (report.poss_dup or report.copied):
            ledger.venues[own.order.venue_id].note_round_trip(report.recv_ns - own.sent_ns)
        if report.order_id not in ("", "NONE"):
            own.order_id = report.order_id
        lots = self._count(own, report)
        self._note(own, report, lots, was_done=was_done)
        self._note_answer(own, report, lots, at_ns)
        given = _input_of(own, report)
        if given is OrderInput.STATUS_UNKNOWN and was_known and own.open:
            self._disagrees(own, "the venue acknowledged it and now does not know it")
        elif given is not None:
            self._settler.move(own, given)
        if was_done and own.open:
            self._revived(own, at_ns)
        self._compare(own, report)
        if report.exec_type is ExecType.REJECTED and own.order.position_effect in _CLOSES:
            # The venue may hold less than we think: a bust that was lost shows in what it says of the day's orders.
            if not was_done:
                ledger.positions[own.order.instrument_id].refuse(own.order, own.sent_on)
            self.ask(own.order.venue_id, [], at_ns, also_ended=True)
        self._settler.settle_order(own, at_ns)
        self.note_reconciled(own.order.venue_id, at_ns)

    def on_sent(self, event: OrdersSent, at_ns: int) -> None:
        """What became of orders on their way to the session."""
        for sent in event.orders:
            own = self._ledger.orders.get(sent.cl_ord_id)
            if own is None:
                continue
            if sent.failure and own.state is OrderState.SENT:
                self._out.alarm(AlarmName.SEND_FAILED, sent.cl_ord_id, sent.failure)
                self._settler.move(own, OrderInput.UNSENT)
                self._settler.settle_order(own, at_ns)
            elif not sent.failure:
                own.sent_ns = sent.sent_ns

    def on_cancel_rejected(self, event: CancelRejected, at_ns: int) -> None:
        """35=9: most often the fill that overtook our cancel, and its report is on the way.

        When the venue says that the order has ended and we have not heard how, a report may be lost: it is asked about.
        """
        own = self._ledger.orders.get(event.orig_cl_ord_id) or self._settler.cancels.get(event.cl_ord_id)
        if own is None:
            return
        self._settler.move(own, OrderInput.CANCEL_REFUSED)
        if own.open and event.ord_status in _ENDED_STATUS:
            self.ask(own.order.venue_id, [own], at_ns)
        self._settler.settle_order(own, at_ns)

    def on_message_rejected(self, event: MessageRejected, at_ns: int) -> None:
        """35=3 or 35=j: the order never lived; or our cancel did not. Where nobody can say which message was refused,
        every order that is open there is asked about.
        """
        own = self._ledger.orders.get(event.cl_ord_id)
        if own is not None:
            figures = f"refused by the venue: {event.reason} {event.text}"
            self._out.alarm(AlarmName.BAD_MESSAGE, event.cl_ord_id, figures)
            self._settler.move(own, OrderInput.ENDED)
            self._settler.settle_order(own, at_ns)
            return
        figures = f"{event.ref_msg_type} refused: {event.text}"
        if event.ref_msg_type == ASKS_POSITIONS or self._positions.asked(event.venue_id, event.cl_ord_id):
            self._positions.on_refused(event.venue_id, f"{event.reason} {event.text}", at_ns)
            return
        self._out.alarm(AlarmName.BAD_MESSAGE, event.venue_id, figures)
        own = self._settler.cancels.get(event.cl_ord_id)
        if own is not None:
            self._settler.move(own, OrderInput.CANCEL_REFUSED)
            self._settler.settle_order(own, at_ns)
        elif not event.cl_ord_id and event.ref_msg_type not in _QUESTIONS:
            self.ask_all(event.venue_id, at_ns)

    def on_bad_message(self, event: BadOrderMessage, at_ns: int) -> None:
        """A message that cannot be used: alarmed, and the order it names is asked about; all where it names none."""
        self._out.alarm(AlarmName.BAD_MESSAGE, event.cl_ord_id or event.venue_id, event.reason)
        own = self._ledger.orders.get(event.cl_ord_id)
        if own is None:
            self.ask_all(event.venue_id, at_ns)
            return
        self._ask_until_answered(own, at_ns)

    def _ask_until_answered(self, own: OwnOrder, at_ns: int) -> None:
        """A word about this order may be lost. An open one is chased anyway."""
        if not own.open:
            self._unheard.setdefault(own.order.venue_id, {})[own.order.cl_ord_id] = None
        self.ask(own.order.venue_id, [own], at_ns)

    def ask_all(self, venue_id: str, at_ns: int) -> None:
        """Ask about every open order of a venue: a message that was lost may have been about any of them.

        At most once in the venue's time for an answer, and then once more: an answer that is itself one that cannot be
        used must not make a storm.
        """
        timeout_ns = self._ledger.settings.venues[venue_id].status_timeout_ns
        until_ns = self._asked_all_ns.get(venue_id, -timeout_ns) + timeout_ns
        if at_ns < until_ns:
            self._out.do(SetTimer(f"unsaid:{venue_id}", until_ns))
            return
        self._asked_all_ns[venue_id] = at_ns
        self.ask(venue_id, self._ledger.orders_at(venue_id), at_ns, also_ended=True)

    def on_mass_cancel(self, event: MassCancelReported, _at_ns: int) -> None:
        """35=r: the cancelled orders speak for themselves; a refusal is told."""
        if event.response == "0":
            self._out.alarm(AlarmName.BAD_MESSAGE, event.venue_id, f"mass cancel refused: {event.text}")

    def on_session(self, event: SessionChanged, at_ns: int) -> None:
        """An order session came up: ask about what is open. It went down: what is open is in doubt."""
        if event.session != ORDERS:
            self._on_copies(event)
            return
        venue = self._ledger.venues[event.venue_id]
        venue.up, venue.reconciled = event.up, False
        orders = self._ledger.orders_at(event.venue_id)
        if event.up:
            if venue.began_anew:
                self._note_unheard(event.venue_id)
            self.ask(event.venue_id, orders + self._still_unheard(event.venue_id), at_ns, also_ended=True)
            self._positions.begin(event.venue_id, at_ns)
            self.note_reconciled(event.venue_id, at_ns)
            self._settler.settle_each(self._ledger.pair_trades_at(event.venue_id), at_ns)
            return
        self._positions.end(event.venue_id)
        if orders or self._ledger.armed:
            figures = f"{len(orders)} orders open; {event.detail}"
            self._out.alarm(AlarmName.SESSION_LOST, event.venue_id, figures)
        for own in orders:
            self.doubt(own, at_ns)

    def _on_copies(self, event: SessionChanged) -> None:
        """The drop copy came up or went down: nothing waits for it, but a person should know that it is silent."""
        if event.up:
            self._ledger.copies_up.add(event.venue_id)
            return
        self._ledger.copies_up.discard(event.venue_id)
        self._out.alarm(AlarmName.SESSION_LOST, event.venue_id, f"drop copy: {event.detail}")

    def on_position(self, event: PositionReported, at_ns: int) -> None:
        """The venue's own count of what we hold: where it differs, nothing trades there until it is explained.

        While an order of the instrument is out the two may differ by what is on its way, and nothing is compared.
        """
        ours = self._ledger.positions[event.instrument_id].net_lots
        out = any(own.order.instrument_id == event.instrument_id for own in self._ledger.open_orders.values())
        if ours == event.net_lots or out:
            return
        figures = f"the venue says {event.net_lots} lots, our fills {ours} ({event.source})"
        self._ledger.unexplained[event.instrument_id] = figures
        self._out.alarm(AlarmName.POSITION_DIFFERS, event.instrument_id, figures)
        self._settler.settle_each(self._ledger.pair_trades_of(event.instrument_id), at_ns)

    def doubt(self, own: OwnOrder, at_ns: int) -> None:
        """Nobody can say where this order stands."""
        if own.state is not OrderState.IN_DOUBT:
            self._settler.move(own, OrderInput.DOUBTED)
            own.doubt_since_ns = at_ns
            self._out.alarm(AlarmName.ORDER_IN_DOUBT, own.order.cl_ord_id, f"{own.open_lots} lots open")
            trade = self._ledger.trades[own.trade_id]
            limit_ns = self._settler.spec(trade).in_doubt_limit_ns
            self._out.do(SetTimer(f"doubt:{own.trade_id}", at_ns + limit_ns))
        self._settler.settle_order(own, at_ns)

    def ask(self, venue_id: str, orders: list[OwnOrder], at_ns: int, *, also_ended: bool = False) -> None:
        """Ask about these orders, never send them again; asked once more when no answer comes in time.

        With `also_ended`, a venue that has a mass status is asked by it as well, even when no order is open: a late
        fill of an ended one may have been lost with the session. Not otherwise: it may answer with every order of the
        day.
        """
        wanted = bool(orders) or (also_ended and self._ledger.settings.venues[venue_id].mass_status)
        if not wanted or not self._ledger.venues[venue_id].up:
            return
        request_id = self._order_ids.next()
        self._asked[request_id] = None
        if len(self._asked) > ASKED_REMEMBERED:
            del self._asked[next(iter(self._asked))]
        for own in orders:
            own.asks += 1
        self._out.do(AskStatus(venue_id, request_id, tuple(own.order for own in orders), mass=also_ended))
        timeout_ns = self._ledger.settings.venues[venue_id].status_timeout_ns
        self._out.do(SetTimer(f"status:{venue_id}", at_ns + timeout_ns))

    def ask_again(self, venue_id: str, at_ns: int) -> None:
        """The time for an answer is over."""
        doubtful = [own for own in self._ledger.orders_at(venue_id) if own.state is OrderState.IN_DOUBT]
        unheard = self._still_unheard(venue_id)
        if doubtful:
            self._out.alarm(AlarmName.REPLY_OVERDUE, venue_id, f"{len(doubtful)} orders in doubt")
        if doubtful or unheard:
            self.ask(venue_id, doubtful + unheard, at_ns)

    def _note_unheard(self, venue_id: str) -> None:
        """The venue's numbers began anew: what it said of orders that have ended of late may be lost."""
        self._ledger.venues[venue_id].began_anew = False
        names = self._unheard.setdefault(venue_id, {})
        for trade in self._ledger.archive.lately():
            for own in trade.orders():
                if own.order.venue_id == venue_id and not own.open and own.order.px_ticks is not None:
                    names[own.order.cl_ord_id] = None

    def _still_unheard(self, venue_id: str) -> list[OwnOrder]:
        return [self._ledger.orders[name] for name in self._unheard.get(venue_id, {})]

    def note_reconciled(self, venue_id: str, at_ns: int) -> None:
        """Whether the venue has spoken of every order since its session came up."""
        venue = self._ledger.venues[venue_id]
        if venue.reconciled or not venue.up:
            return
        if venue_id in self._positions.due:
            return
        if venue.doubtful:
            return
        venue.reconciled = True
        self._settler.settle_each(self._ledger.pair_trades_at(venue_id), at_ns)

    def _count(self, own: OwnOrder, report: ExecutionReport) -> int:
        """Book what a report changes of an order's lots; returns the change."""
        match report.exec_type:
            case ExecType.TRADE:
                lots = own.add_fill(report)
            case ExecType.TRADE_CANCEL:
                lots = own.drop_fill(report)
            case ExecType.TRADE_CORRECT:
                lots = own.correct_fill(report)
            case ExecType.UNKNOWN:
                lots = 0
            case _:
                lots = own.told_cum(report)
        if lots:
            position = self._ledger.positions[own.order.instrument_id]
            position.fill(own.order, lots, own.sent_on, report.trade_date)
            own.thaw(position, lots)
            self._out.announce(position.report())
        return lots

    def _note(self, own: OwnOrder, report: ExecutionReport, lots: int, *, was_done: bool) -> None:
        """Alarms that a report calls for."""
        name = own.order.cl_ord_id
        if report.exec_type is ExecType.UNKNOWN or report.ord_status is None:
            self._out.alarm(
                AlarmName.UNKNOWN_EXEC_TYPE, name, f"ExecType(150) or OrdStatus(39) not in the standard: {report.text}"
            )
        if lots > 0 and report.exec_type is ExecType.TRADE and report.last_px_ticks is None:
            self._out.alarm(AlarmName.OFF_TICK_FILL, name, f"LastPx(31) {report.last_px} is off tick")
        if lots < 0:
            self._out.alarm(AlarmName.FILL_BUSTED, name, f"{lots} lots, ExecRefID(19) {report.exec_ref_id}")
        elif lots and was_done:
            self._out.alarm(AlarmName.LATE_FILL, name, f"{lots} lots after its final word")
        if own.filled_lots > own.order.qty_lots:
            figures = f"{name}: {own.filled_lots} lots of {own.order.qty_lots}"
            self._settler.halt(self._ledger.trades[own.trade_id], HaltCause.OVERFILLED, figures)

    def _note_answer(self, own: OwnOrder, report: ExecutionReport, lots: int, at_ns: int) -> None:
        """An answer settles what was asked; a fill that a newer answer did not count may have been taken back."""
        if report.exec_type is ExecType.ORDER_STATUS:
            if not report.poss_dup:
                self._unheard.get(own.order.venue_id, {}).pop(own.order.cl_ord_id, None)
                own.answered_ns = max(own.answered_ns, report.venue_ns)
        elif report.exec_type is ExecType.TRADE and lots > 0 and report.venue_ns < own.answered_ns:
            self._ask_until_answered(own, at_ns)

    def _revived(self, own: OwnOrder, at_ns: int) -> None:
        """An order that we took for ended is open at the venue: it is cancelled."""
        own.asks_when_cancelled = -1
        self._ledger.open_orders[own.order.cl_ord_id] = own
        if own.state is OrderState.WORKING:
            self._settler.cancel(own, at_ns)
        trade = self._ledger.trades[own.trade_id]
        timeout_ns = self._settler.spec(trade).order_timeout_ns
        self._out.do(SetTimer(f"reply:{own.trade_id}", at_ns + timeout_ns))

    def _compare(self, own: OwnOrder, report: ExecutionReport) -> None:
        """An answer that is newer than every fill and counts fewer lots: a bust was lost. Both versions are shown, the
        instrument is frozen, and a person decides; nothing is guessed.
        """
        if report.exec_type is not ExecType.ORDER_STATUS or report.poss_dup or report.order_id in ("", "NONE"):
            return
        if report.cum_qty_lots >= own.filled_lots or report.venue_ns <= own.newest_fill_ns:
            return
        figures = f"our fills {own.filled_lots} lots, the venue's CumQty(14) {report.cum_qty_lots}"
        self._ledger.unexplained[own.order.instrument_id] = f"{own.order.cl_ord_id}: {figures}"
        self._disagrees(own, figures)

    def _disagrees(self, own: OwnOrder, figures: str) -> None:
        trade = self._ledger.trades[own.trade_id]
        self._settler.halt(trade, HaltCause.VENUE_DISAGREES, f"{own.order.cl_ord_id}: {figures}")

    def _not_ours(self, report: ExecutionReport, at_ns: int) -> None:
        """A report about an order that we never sent."""
        if report.cl_ord_id in self._asked:
            return
        if self._outside.heard(report):
            self._settler.settle_all(at_ns)


def _input_of(own: OwnOrder, report: ExecutionReport) -> OrderInput | None:
    """What a report means to the order's machine, after its lots were counted."""
    kind = report.exec_type
    complete = own.filled_lots >= own.order.qty_lots
    if kind is ExecType.ORDER_STATUS:
        return _status_input(report, complete=complete)
    if kind in _ENDING:
        return OrderInput.ENDED
    if kind is ExecType.TRADE:
        return OrderInput.COMPLETED if complete else OrderInput.FILLED
    if kind in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT, ExecType.UNKNOWN):
        return None
    return OrderInput.ACKED


def _status_input(report: ExecutionReport, *, complete: bool) -> OrderInput | None:
    if report.ord_status is OrdStatus.REJECTED and report.order_id in ("", "NONE"):
        return OrderInput.STATUS_UNKNOWN
    if report.ord_status in _ENDED_STATUS:
        return OrderInput.COMPLETED if complete else OrderInput.ENDED
    return None if report.ord_status is None else OrderInput.STATUS_OPEN
