"""The trading floor of a venue: orders that are taken meet the book, rest, fill and end; what changes is told.

It decides every fill and every change of an order's state. It does not decide whether a request is taken (venue.py),
nor who trades with whom at which price (matching.py); faults that undo a fill are planned through `on_first_fill`.
"""

from typing import TYPE_CHECKING

from simulators.core import matching
from simulators.core.config import VenueConfig
from simulators.core.market import Market
from simulators.core.market_data import Publisher
from simulators.core.order import Fill, Order
from simulators.core.reporting import Reporter
from simulators.core.tape import TapeTrade
from simulators.core.truth import BookTruth
from simulators.core.values import (
    BUY,
    CANCELED,
    CLOSED,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    IOC,
    MARKET,
    NEW,
    PARTIALLY_FILLED,
    REPLACED,
    SELL,
    TRADE,
    CancelOrder,
    MdStatus,
    ReplaceOrder,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_ALL_LOTS = 1 << 62


class Floor:
    """The orders of one venue. `orders` are all that arrived and were told of, in order."""

    def __init__(
        self, config: VenueConfig, markets: dict[str, Market], reporter: Reporter, publisher: Publisher
    ) -> None:
        self._config = config
        self._markets = markets
        self._reporter = reporter
        self._publisher = publisher
        self._priority = 0
        self.orders: list[Order] = []
        self.by_cl_ord_id: dict[str, Order] = {}
        self.on_first_fill: Callable[[int, Order, Fill], None]
        """Told the first fill of an order that faults strike."""

    def enlist(self, order: Order) -> None:
        """The order exists from now on, whatever becomes of it."""
        self.orders.append(order)
        self.by_cl_ord_id[order.cl_ord_id] = order

    # The tape moves the market ----------------------------------------------------------------------------------------

    def book_changed(self, at_ns: int, market: Market) -> None:
        resting = market.resting
        if resting:
            bids, asks = market.depth.shown()
            for order in resting:
                order.ahead = matching.requeue(order, bids if order.side == BUY else asks)
            self._cross(at_ns, market)
        self.publish(at_ns, market)

    def traded(self, at_ns: int, market: Market, trade: TapeTrade) -> None:
        market.depth.last_px, market.depth.last_qty = trade.px_ticks, trade.qty_lots
        if market.resting and market.trading:
            for side in (BUY, SELL):
                if trade.aggressor != side:
                    self._trade_through(at_ns, market, side, trade)
        if self._config.incremental:
            published = self._publisher.trade(at_ns, trade.symbol, trade.px_ticks, trade.qty_lots)
            self._reporter.tell_all(list(published))

    def _trade_through(self, at_ns: int, market: Market, side: str, trade: TapeTrade) -> None:
        orders = matching.by_priority(order for order in market.resting if order.side == side)
        for order, lots, ahead in matching.traded_through(orders, trade.px_ticks, trade.qty_lots):
            order.ahead = ahead
            if lots:
                self._fill(at_ns, market, order, order.px_ticks or 0, lots)

    def set_status(self, at_ns: int, market: Market, status: str) -> None:
        market.status = status
        self._reporter.tell(MdStatus(at_ns, market.listing.symbol, status))
        if status == CLOSED:
            for order in list(market.resting):
                if order.time_in_force != GTC:
                    self.end(at_ns, order, EXPIRED, "expire", text="market closed")
        elif market.trading:
            self._cross(at_ns, market)

    def publish(self, at_ns: int, market: Market) -> None:
        book = market.depth.shown()
        listing = market.listing
        if self._config.truth and self._config.truth_books:
            self._reporter.truth.append(BookTruth(at_ns, listing.symbol, book[0], book[1], listing.tick))
        if self._config.incremental:
            self._reporter.tell_all(list(self._publisher.increment(at_ns, listing.symbol, book)))

    # Orders -----------------------------------------------------------------------------------------------------------

    def accept(self, at_ns: int, order: Order, market: Market) -> None:
        self.enlist(order)
        market.position.freeze(order.side, order.position_effect, order.leaves)
        self._reporter.order_event(order, order.report(at_ns, NEW, self._reporter.other_id()), "new")
        limit_lots = _ALL_LOTS
        if "partial" in order.faults:
            limit_lots = int(order.qty * order.faults["partial"].number("fraction", 0.5))
        self._work(at_ns, order, market, limit_lots)

    def _work(self, at_ns: int, order: Order, market: Market, limit_lots: int = _ALL_LOTS) -> None:
        """Take what the book offers; what is left rests, or ends where it may not rest."""
        if market.trading:
            taken = matching.takes(order, market.depth.opposite(order.side), limit_lots)
            if order.time_in_force != FOK or sum(lots for _, lots in taken) == order.leaves:
                self._take(at_ns, market, order, taken)
        if not order.open:
            return
        if order.ord_type == MARKET or order.time_in_force in {IOC, FOK}:
            self.end(at_ns, order, CANCELED, "cancel", text="not filled, rest cancelled")
            return
        self._priority += 1
        order.priority = self._priority
        order.ahead = matching.lots_ahead(order, market.depth.own(order.side))
        if order not in market.resting:
            market.resting.append(order)

    def _take(self, at_ns: int, market: Market, order: Order, taken: list[tuple[int, int]]) -> None:
        for px_ticks, lots in taken:
            market.depth.use(order.side, px_ticks, lots)
            self._fill(at_ns, market, order, px_ticks, lots)
        if taken:
            self.publish(at_ns, market)

    def _cross(self, at_ns: int, market: Market) -> None:
        """Resting orders that the opposite side of the book has reached fill at their own price."""
        if not market.trading:
            return
        for side in (BUY, SELL):
            crossed = False
            for order in matching.by_priority(order for order in market.resting if order.side == side):
                taken = matching.takes(order, market.depth.opposite(side), _ALL_LOTS)
                if not taken:
                    break
                crossed = True
                for px_ticks, lots in taken:
                    market.depth.use(side, px_ticks, lots)
                self._fill(at_ns, market, order, order.px_ticks or 0, sum(lots for _, lots in taken))
            if crossed:
                self.publish(at_ns, market)

    def _fill(self, at_ns: int, market: Market, order: Order, px_ticks: int, lots: int) -> None:
        px = market.listing.tick * px_ticks
        fill = Fill(self._reporter.fill_id(order.side, order.trade_date), lots, px)
        order.fills.append(fill)
        order.cum += lots
        order.leaves -= lots
        order.notional += px * lots
        order.status = PARTIALLY_FILLED if order.leaves else FILLED
        market.position.freeze(order.side, order.position_effect, -lots)
        market.position.apply(order.side, order.position_effect, lots)
        market.position.hedge_flag = order.hedge_flag
        if not order.leaves and order in market.resting:
            market.resting.remove(order)
        report = order.report(at_ns, TRADE, fill.exec_id)._replace(last_qty=lots, last_px=px)
        self._reporter.order_event(order, report, "trade")
        self._reporter.fill(order, fill, at_ns, "trade")
        if order.faults and len(order.fills) == 1:
            self.on_first_fill(at_ns, order, fill)

    def outside(self, at_ns: int, order: Order, market: Market, told: str) -> None:
        """A trade that no session asked for: whole, at its own price."""
        accepted = order.report(at_ns, NEW, self._reporter.other_id())
        fill = Fill(self._reporter.fill_id(order.side, order.trade_date), order.qty, order.px or order.listing.tick)
        order.fills.append(fill)
        order.cum, order.leaves, order.status = order.qty, 0, FILLED
        order.notional = fill.px * fill.qty
        market.position.apply(order.side, order.position_effect, fill.qty)
        report = order.report(at_ns, TRADE, fill.exec_id)._replace(last_qty=fill.qty, last_px=fill.px)
        self._reporter.outside(order, [(accepted, "new"), (report, "trade")], told)
        self._reporter.fill(order, fill, at_ns, "trade")

    def end(
        self, at_ns: int, order: Order, status: str, event: str, *, text: str = "", request: CancelOrder | None = None
    ) -> None:
        market = self._markets[order.listing.symbol]
        market.position.freeze(order.side, order.position_effect, -order.leaves)
        order.status = status
        order.leaves = 0
        if order in market.resting:
            market.resting.remove(order)
        report = order.report(at_ns, status, self._reporter.other_id())._replace(text=text)
        if request is not None:
            report = report._replace(cl_ord_id=request.cl_ord_id, orig_cl_ord_id=request.orig_cl_ord_id)
        self._reporter.order_event(order, report, event)

    def cancel_all(self, at_ns: int, symbol: str) -> int:
        orders = [order for order in self.orders if order.open and symbol in {"", order.listing.symbol}]
        for order in orders:
            self.end(at_ns, order, CANCELED, "cancel", text="mass cancel")
        return len(orders)

    def replace(self, at_ns: int, order: Order, request: ReplaceOrder) -> None:
        market = self._markets[order.listing.symbol]
        qty = int(request.qty)
        px_ticks = None if request.px is None else int(request.px // order.listing.tick)
        keeps_place = qty <= order.qty and px_ticks == order.px_ticks
        market.position.freeze(order.side, order.position_effect, qty - order.qty)
        order.leaves += qty - order.qty
        order.qty = qty
        order.px_ticks = px_ticks
        order.cl_ord_id = request.cl_ord_id
        self.by_cl_ord_id[order.cl_ord_id] = order
        report = order.report(at_ns, REPLACED, self._reporter.other_id())
        self._reporter.order_event(order, report._replace(orig_cl_ord_id=request.orig_cl_ord_id), "replace")
        if not keeps_place:
            self._work(at_ns, order, market)
