"""Orders of certification dialogs: written by the gateway's encoder, their answers read by its decoder.

What can go wrong is what a dialog is for: another outcome than expected is a DialogError with the venue's words.
"""

from collections.abc import Callable

from acceptance.integrate_book import TouchWatch
from acceptance.integrate_dialog import Step
from acceptance.integrate_session import DialogError, Heard, PlainSession, shown
from gateway.fix.dialect import Dialect
from gateway.fix.encode import OrderEncoder
from gateway.fix.orders import OrderDecoder
from gateway.fix.scan import SOH, BadField, Stamps
from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import (
    CancelRejected,
    ExecType,
    ExecutionReport,
    MessageRejected,
    Order,
    OrdStatus,
    OrdType,
    PositionEffect,
    Side,
    TimeInForce,
)
from gateway.model.quote import BookSnapshot

ANSWER_S = 5.0
AWAY_TICKS = 20
THROUGH_TICKS = 40
TRIES = 4
"""Of an outcome that hangs on the book of the moment."""
_ENDED = frozenset({OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED})


class OrderDesk:
    """Of one venue and one instrument."""

    def __init__(self, dialect: Dialect, instrument: Instrument, account: str, encoder: OrderEncoder,
                 decoder: OrderDecoder, watch: TouchWatch, md: PlainSession, prefix: str) -> None:  # fmt: skip
        self._dialect, self._instrument, self._account = dialect, instrument, account
        self._encoder, self._decoder, self._watch, self._md = encoder, decoder, watch, md
        self._prefix, self._count = prefix, 0
        self._stamps = Stamps(0)
        self._last: Order | None = None
        self.long_lots = self.short_lots = 0
        """Opened by these dialogs and not closed."""

    def stamp_ns(self, text: str) -> int | None:
        """A UTC stamp of the venue; None where it cannot be read."""
        try:
            return self._stamps.ns(text, "SendingTime(52)")
        except BadField:
            return None

    def order(self, step: Step, session: PlainSession) -> str:
        """One order of a step; tried again where the book of the moment made another outcome."""
        for _ in range(TRIES):
            order = self._made(step)
            came, words = self._sent(order, session)
            if came == step.expect:
                return words
            if step.place != "crossing":
                break
        text = f"{came}: {words}; {step.expect} would be right"
        raise DialogError(text)

    def too_large(self, session: PlainSession) -> str:
        """More than the venue takes."""
        book = self._book()
        order = self._order(Side.BUY, self._instrument.max_qty_lots + 1_000_000, book.bids[0][0] - AWAY_TICKS,
                            TimeInForce.DAY)  # fmt: skip
        came, words = self._sent(order, session)
        if came != "rejected":
            text = f"{came}: {words}; rejected would be right"
            raise DialogError(text)
        return words

    def duplicate(self, session: PlainSession) -> str:
        """The last order's ClOrdID again."""
        order = self._working()
        session.send(self._encoder.new_order_text(order, session.clocks.utc_ns()))
        heard = session.next(
            lambda one: self._is_reject(one) and one.fields.get("11", order.cl_ord_id) == order.cl_ord_id, ANSWER_S
        )
        return shown(heard.raw)

    def cancel(self, session: PlainSession) -> str:
        """The working order."""
        order = self._working()
        name = self._name()
        session.send(self._encoder.cancel_text(name, order, "", session.clocks.utc_ns()))
        heard = session.next(lambda one: one.kind in {"8", "9", "3"} and self._ends(one), ANSWER_S)
        event = self._decoder.decode(heard.raw, heard.at_ns)
        if not isinstance(event, ExecutionReport) or event.ord_status is not OrdStatus.CANCELED:
            text = f"{shown(heard.raw)}; OrdStatus(39)=4 would be right"
            raise DialogError(text)
        return shown(heard.raw)

    def cancel_done(self, session: PlainSession) -> str:
        """An order that is filled is cancelled too late."""
        order = self._order(Side.SELL, 1, self._book().bids[0][0] - THROUGH_TICKS, TimeInForce.IOC)
        self._sent(order, session)
        session.send(self._encoder.cancel_text(self._name(), order, "", session.clocks.utc_ns()))
        heard = session.next(lambda one: one.kind in {"9", "8", "3"}, ANSWER_S)
        event = self._decoder.decode(heard.raw, heard.at_ns)
        if not isinstance(event, CancelRejected):
            text = f"{shown(heard.raw)}; OrderCancelReject(9) would be right"
            raise DialogError(text)
        return shown(heard.raw)

    def status(self, session: PlainSession) -> str:
        """What became of the working order."""
        order = self._working()
        text = self._encoder.status_request(order, "S1").toString()
        session.send(body_of(text))
        return shown(session.next(self._about(order, ExecType.ORDER_STATUS), ANSWER_S).raw)

    def mass_status(self, session: PlainSession) -> str:
        """What is open there."""
        order = self._working()
        session.send(body_of(self._encoder.mass_status_request(self._name()).toString()))
        return shown(session.next(self._about(order, ExecType.ORDER_STATUS), ANSWER_S).raw)

    def flatten(self, session: PlainSession) -> str:
        """Close what the dialogs opened; what is left, in words."""
        for _ in range(TRIES):
            for side, lots in ((Side.SELL, self.long_lots), (Side.BUY, self.short_lots)):
                if lots:
                    book = self._book()
                    touch = book.bids[0][0] if side is Side.SELL else book.asks[0][0]
                    self._sent(self._order(side, min(lots, self._instrument.max_qty_lots),
                                           touch + side.sign * THROUGH_TICKS, TimeInForce.IOC, closes=True),
                               session)  # fmt: skip
        return self.left()

    def left(self) -> str:
        """What these dialogs hold, in words; empty when flat."""
        left = self.long_lots + self.short_lots
        return f"{self._instrument.instrument_id}: {left} lots" if left else ""

    def _made(self, step: Step) -> Order:
        book = self._book()
        px, lots = book.asks[0]
        qty = min(lots + 1, self._instrument.max_qty_lots) if step.size == "deep" else 1
        if step.place == "resting":
            px = book.bids[0][0] - AWAY_TICKS
        elif step.size == "one":
            px += THROUGH_TICKS
        return self._order(Side.BUY, qty, px, step.tif or TimeInForce.DAY)

    def _book(self) -> BookSnapshot:
        return self._watch.touch(self._md, self._instrument, ANSWER_S)

    def _order(self, side: Side, qty: int, px_ticks: int, tif: TimeInForce, *, closes: bool = False) -> Order:
        effect = PositionEffect.NONE
        if self._instrument.position_model not in (PositionModel.NET, PositionModel.T_PLUS_1):
            effect = PositionEffect.OPEN
            if closes:
                today = PositionEffect.CLOSE_TODAY
                effect = today if today in self._dialect.position_effects else PositionEffect.CLOSE
        return Order(self._name(), self._instrument.venue_id, self._account, self._instrument.instrument_id, side, qty,
                     OrdType.LIMIT, px_ticks, tif, effect, self._instrument.hedge_flag)  # fmt: skip

    def _name(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count}"

    def _working(self) -> Order:
        if self._last is None:
            text = "no order is working: the step before it did not come out"
            raise DialogError(text)
        return self._last

    def _sent(self, order: Order, session: PlainSession) -> tuple[str, str]:
        """Send it and wait for its outcome; the outcome's word and the venue's message."""
        session.send(self._encoder.new_order_text(order, session.clocks.utc_ns()))
        while True:
            heard = session.next(lambda one: self._ends(one) or one.kind == "8", ANSWER_S)
            event = self._decoder.decode(heard.raw, heard.at_ns)
            if isinstance(event, MessageRejected):
                return "rejected", shown(heard.raw)
            if not isinstance(event, ExecutionReport) or event.cl_ord_id != order.cl_ord_id:
                continue
            if event.last_qty_lots:
                self._count_fill(order, event.last_qty_lots)
            if event.ord_status in _ENDED:
                return _outcome(event), shown(heard.raw)
            if event.exec_type is ExecType.NEW and order.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK):
                self._last = order
                return "working", shown(heard.raw)

    def _count_fill(self, order: Order, lots: int) -> None:
        if order.side is Side.BUY:
            closed = min(lots, self.short_lots) if self._closes(order) else 0
            self.short_lots -= closed
            self.long_lots += lots - closed
        else:
            closed = min(lots, self.long_lots) if self._closes(order) else 0
            self.long_lots -= closed
            self.short_lots += lots - closed

    def _closes(self, order: Order) -> bool:
        return order.position_effect is not PositionEffect.OPEN

    def _ends(self, heard: Heard) -> bool:
        if heard.kind in {"9", "3", "j"}:
            return True
        event = self._decoder.decode(heard.raw, heard.at_ns) if heard.kind == "8" else None
        return isinstance(event, ExecutionReport) and event.ord_status in _ENDED

    def _is_reject(self, heard: Heard) -> bool:
        if heard.kind in {"3", "j"}:
            return True
        event = self._decoder.decode(heard.raw, heard.at_ns) if heard.kind == "8" else None
        return isinstance(event, ExecutionReport) and event.exec_type is ExecType.REJECTED

    def _about(self, order: Order, kind: ExecType) -> Callable[[Heard], bool]:
        def wanted(heard: Heard) -> bool:
            event = self._decoder.decode(heard.raw, heard.at_ns) if heard.kind == "8" else None
            return isinstance(event, ExecutionReport) and event.exec_type is kind and event.cl_ord_id == order.cl_ord_id

        return wanted


def body_of(text: str) -> str:
    """A whole message without what the session adds."""
    parts = [
        one for one in text.split(SOH) if one and one.partition("=")[0] not in {"8", "9", "10", "34", "49", "52", "56"}
    ]
    return SOH.join(sorted(parts, key=lambda one: not one.startswith("35="))) + SOH


def _outcome(event: ExecutionReport) -> str:
    if event.exec_type is ExecType.REJECTED or event.ord_status is OrdStatus.REJECTED:
        return "rejected"
    if event.ord_status is OrdStatus.FILLED:
        return "filled"
    return "partial" if event.cum_qty_lots else "cancelled"
