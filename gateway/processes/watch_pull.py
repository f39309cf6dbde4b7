"""Pulls what execution left at one venue: what to ask, and when every order is known to have ended. Pure.

When the session is up, in order: cancel all, where the venue has it (OrderMassCancelRequest(35=q)); cancel each order
that the journal holds as open (35=F); ask about each (35=H), because a cancel is not answered with how much was filled
before. Whatever is still open a while later is cancelled and asked about again, under new ids.

An order has ended when the venue says so: filled, cancelled, rejected, expired, or never heard of. On a session of the
watch's own only the mass cancel counts: another session's orders may be unknown there and still work.

It never sends an order that could trade. What can go wrong: a venue that cannot be reached. Then its orders stay open,
that is on record, and the asking goes on until it can, or until a person lets execution return.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.model.order import (
    CancelRejected,
    ExecType,
    ExecutionReport,
    MassCancelReported,
    Order,
    OrderEvent,
    OrdStatus,
)
from gateway.model.trade import AskStatus, SendCancel

_ENDED = frozenset(
    {OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED, OrdStatus.DONE_FOR_DAY}
)
_ACCEPTED = frozenset({"1", "7"})
"""MassCancelResponse(531): what may have been asked for, one security or all."""


class OpenOrder(NamedTuple):
    """An order that the journal holds as open, with the venue's OrderID(37) as far as it was told."""

    order: Order
    order_id: str


class MassCancel(NamedTuple):
    """Ask the venue to cancel everything of the account."""

    venue_id: str
    request_id: str


Ask = MassCancel | SendCancel | AskStatus


class Pull:
    """One venue. `next_id` gives ids for requests; `own_session`: the session is not execution's."""

    def __init__(
        self,
        venue_id: str,
        orders: Mapping[str, OpenOrder],
        next_id: Callable[[], str],
        *,
        mass_cancel: bool,
        own_session: bool,
    ) -> None:
        self.venue_id = venue_id
        self.found = len(orders)
        self.filled_lots = 0
        """Lots that the venue reported as filled while it was asked."""
        self.asks = 0
        self.refused = ""
        """Why the venue would not cancel all."""
        self._open = dict(orders)
        self._next_id = next_id
        self._mass_cancel = mass_cancel
        self._own_session = own_session
        self._mass_answered = not mass_cancel
        self._fills: set[str] = set()

    @property
    def done(self) -> bool:
        """Nothing of execution is left at this venue, by the venue's own words."""
        if self._own_session:
            return self._mass_answered
        return not self._open and self._mass_answered and bool(self.asks)

    @property
    def left(self) -> tuple[str, ...]:
        """ClOrdIDs of orders of which the venue has not said that they have ended."""
        return () if self.done else tuple(self._open)

    def ask(self) -> list[Ask]:
        """Everything that is open, from the beginning: at each logon, and again while something is left."""
        self.asks += 1
        asks: list[Ask] = []
        if self._mass_cancel and not self._mass_answered:
            asks.append(MassCancel(self.venue_id, self._next_id()))
        if self._own_session:
            return asks
        asks += [SendCancel(self._next_id(), one.order, one.order_id) for one in self._open.values()]
        return asks + [self._status(one) for one in self._open.values()]

    def on_event(self, event: OrderEvent) -> list[Ask]:
        """The venue said something."""
        if isinstance(event, ExecutionReport):
            self._on_report(event)
        elif isinstance(event, MassCancelReported):
            self._mass_answered = self._mass_answered or event.response in _ACCEPTED or not self._own_session
            self.refused = "" if event.response in _ACCEPTED else f"mass cancel refused: {event.text}"
        elif isinstance(event, CancelRejected):
            one = self._open.get(event.orig_cl_ord_id)
            return [self._status(one)] if one is not None and not self._own_session else []
        return []

    def words(self) -> str:
        """For the record and for a person."""
        if not self.asks:
            return f"{self.found} orders open in the journal; the session is not up yet"
        text = (
            f"{self.found} orders open in the journal, {len(self.left)} left, {self.filled_lots} lots filled meanwhile"
        )
        still = f": {' '.join(self.left)}" if self.left else ""
        return f"{text}{still}{'; ' + self.refused if self.refused else ''}"

    def _on_report(self, report: ExecutionReport) -> None:
        name = report.orig_cl_ord_id if report.orig_cl_ord_id in self._open else report.cl_ord_id
        one = self._open.get(name)
        if one is None:
            return
        if report.exec_type is ExecType.TRADE and report.exec_key not in self._fills:
            self._fills.add(report.exec_key)
            self.filled_lots += report.last_qty_lots
        if report.order_id not in ("", "NONE"):
            self._open[name] = OpenOrder(one.order, report.order_id)
        if report.ord_status in _ENDED:
            del self._open[name]

    def _status(self, one: OpenOrder) -> AskStatus:
        return AskStatus(self.venue_id, self._next_id(), (one.order,))
