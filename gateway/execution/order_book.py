"""Our own orders: state, fills counted once, what the venue said last.

A fill is known by the key that the venue's dialect declares, so that it counts once however often it arrives. Where
the venue's CumQty(14) in an answer or a final report is above the fills that we saw, the difference is an inferred
fill; the real one, when it comes, takes its place and is not added.
"""

from decimal import Decimal, InvalidOperation

from gateway.execution.order_state import OrderInput, next_state
from gateway.execution.positions import Position
from gateway.model.base import PRICE_E9, Message
from gateway.model.order import ExecutionReport, Order
from gateway.model.trade import OrderState

MOST_PX = 10**9
"""Largest price that is believed, either way, in the quoted unit. What a venue writes beyond it is no price."""


def price_e9(text: str) -> int:
    """An exact decimal as whole 1e-9; 0 when the venue wrote no number, or one that no price can be."""
    try:
        price = Decimal(text)
    except InvalidOperation:
        return 0
    if not price.is_finite() or price.copy_abs() > MOST_PX:  # abs() would round, and raise on 1e999999999
        return 0
    return int(price * PRICE_E9)


class PackedOrder(Message, frozen=True):
    """An order of an ended pair trade, as `archive.py` keeps it. It is done."""

    order: Order
    leg_index: int
    direction: int
    order_id: str
    asks: int
    asks_when_cancelled: int
    sent_ns: int
    sent_on: int
    doubt_since_ns: int
    newest_fill_ns: int
    answered_ns: int
    frozen_lots: int
    assumed_px_e9: int
    fills: dict[str, tuple[int, int]]
    taken_back: tuple[str, ...]
    taken_back_ns: int
    told_lots: int
    cancel_ids: tuple[str, ...]


class OwnOrder:
    """One order of a pair trade's leg. `direction` is +1 when it adds to the leg, -1 when it unwinds it."""

    def __init__(self, order: Order, trade_id: str, leg_index: int, direction: int, assumed_px_e9: int) -> None:
        self.order = order
        self.trade_id = trade_id
        self.leg_index = leg_index
        self.direction = direction
        self.state = OrderState.SENT
        self.order_id = ""
        self.filled_lots = 0
        self.asks = 0
        self.asks_when_cancelled = -1
        """How often it had been asked about when last cancelled: it is cancelled again once asked about again."""
        self.sent_ns = 0
        self.sent_on = 0
        """Number of the trading day on which it was sent, as its position counts them."""
        self.doubt_since_ns = 0
        self.newest_fill_ns = 0
        """TransactTime(60) of the newest fill, on the venue's clock."""
        self.answered_ns = 0
        """When the venue wrote its newest answer about it, on its own clock."""
        self.frozen_lots = order.qty_lots
        """Lots that a closing order still keeps from other closes."""
        self.cancel_ids: list[str] = []
        """ClOrdID(11) of our requests to cancel it."""
        self._assumed_px_e9 = assumed_px_e9
        self._fills: dict[str, tuple[int, int]] = {}
        self._taken_back: set[str] = set()
        """Keys of fills that a bust or a correction named, and of the busts: a late copy of one counts no more."""
        self._taken_back_ns = 0
        """When the venue last took a fill back, by its own clock."""
        self._told_lots = 0

    @property
    def open(self) -> bool:
        """Whether more may come of it, as far as the venue has said."""
        return self.state is not OrderState.DONE

    @property
    def open_lots(self) -> int:
        """Lots that may still be filled."""
        return self.order.qty_lots - self.filled_lots if self.open else 0

    @property
    def value_e9(self) -> int:
        """Price x lots of all fills in 1e-9 of the quoted unit; inferred fills at the price the order could have."""
        seen_lots = sum(lots for lots, _ in self._fills.values())
        return (
            sum(lots * px for lots, px in self._fills.values()) + (self.filled_lots - seen_lots) * self._assumed_px_e9
        )

    def take(self, given: OrderInput) -> None:
        """Move the machine; raises and changes nothing when the table has no such move."""
        self.state = next_state(self.state, given)

    def thaw(self, position: Position, lots: int) -> None:
        """Give back `lots` of what it froze: filled, or not to be filled any more."""
        freed = min(lots, self.frozen_lots)
        if freed > 0:
            self.frozen_lots -= freed
            position.thaw(self.order, freed, self.sent_on)

    def add_fill(self, report: ExecutionReport) -> int:
        """Count a fill once; how many lots the order has more than before (0 for one seen or inferred already)."""
        if report.exec_key in self._fills or report.exec_key in self._taken_back:
            return 0
        self._fills[report.exec_key] = (report.last_qty_lots, price_e9(report.last_px))
        self.newest_fill_ns = max(self.newest_fill_ns, report.venue_ns)
        return self._recount()

    def drop_fill(self, report: ExecutionReport) -> int:
        """A bust: the venue takes a fill back; the change of the order's lots, negative. The same bust counts once."""
        if report.exec_key in self._taken_back:
            return 0
        self._taken_back.add(report.exec_key)
        self._taken_back.add(report.ref_exec_key)
        self._fills.pop(report.ref_exec_key, None)
        self._told_lots = min(self._told_lots, report.cum_qty_lots)
        self._taken_back_ns = max(self._taken_back_ns, report.venue_ns)
        return self._recount()

    def correct_fill(self, report: ExecutionReport) -> int:
        """A correction: the fill has another size or price; the change of the order's lots."""
        if report.exec_key in self._fills or report.exec_key in self._taken_back:
            return 0
        self._taken_back.add(report.ref_exec_key)
        self._fills.pop(report.ref_exec_key, None)
        self._fills[report.exec_key] = (report.last_qty_lots, price_e9(report.last_px))
        self._told_lots = min(self._told_lots, report.cum_qty_lots)
        self._taken_back_ns = max(self._taken_back_ns, report.venue_ns)
        return self._recount()

    def told_cum(self, report: ExecutionReport) -> int:
        """The venue says CumQty(14); infers what we have not seen; how many lots the order has more than before.

        What it wrote before it took a fill back, sent again or late, counts that fill still and is passed over.
        """
        if report.venue_ns < self._taken_back_ns:
            return 0
        self._told_lots = max(self._told_lots, report.cum_qty_lots)
        return self._recount()

    def packed(self) -> PackedOrder:
        """All of it, for the time when nothing more is expected of it."""
        return PackedOrder(
            self.order,
            self.leg_index,
            self.direction,
            self.order_id,
            self.asks,
            self.asks_when_cancelled,
            self.sent_ns,
            self.sent_on,
            self.doubt_since_ns,
            self.newest_fill_ns,
            self.answered_ns,
            self.frozen_lots,
            self._assumed_px_e9,
            self._fills,
            tuple(sorted(self._taken_back)),
            self._taken_back_ns,
            self._told_lots,
            tuple(self.cancel_ids),
        )

    @classmethod
    def unpacked(cls, one: PackedOrder, trade_id: str) -> "OwnOrder":
        """As it was packed."""
        made = cls(one.order, trade_id, one.leg_index, one.direction, one.assumed_px_e9)
        made.state = OrderState.DONE
        made.order_id, made.asks, made.asks_when_cancelled = one.order_id, one.asks, one.asks_when_cancelled
        made.sent_ns, made.sent_on, made.doubt_since_ns = one.sent_ns, one.sent_on, one.doubt_since_ns
        made.newest_fill_ns, made.answered_ns, made.frozen_lots = one.newest_fill_ns, one.answered_ns, one.frozen_lots
        made.cancel_ids = list(one.cancel_ids)
        made._fills, made._taken_back = one.fills, set(one.taken_back)
        made._taken_back_ns, made._told_lots = one.taken_back_ns, one.told_lots
        made._recount()
        return made

    def _recount(self) -> int:
        before = self.filled_lots
        self.filled_lots = max(sum(lots for lots, _ in self._fills.values()), self._told_lots)
        return self.filled_lots - before
