"""One venue in virtual time: its books follow a tape, our orders trade against them.

Every call says what time it is and gets back what leaves the venue, in order. A call first catches up with the tape and
the agenda up to its time, so a caller may call `advance` as often or as seldom as it likes. The venue reads no clock,
knows no session and no wire; a connection that comes or goes is told to it.

How it can go wrong: a caller whose `at_ns` runs backwards gets its order processed at the later time that the venue has
already reached. A tape that is not in order of time is refused as it is read.
"""

from collections.abc import Callable
from decimal import Decimal

from simulators.core import matching
from simulators.core.agenda import Agenda
from simulators.core.checks import DUPLICATE, OTHER, Limits, Refusal, order_refusal, replace_refusal
from simulators.core.config import FaultSpec, Listing, VenueConfig
from simulators.core.depth import Depth
from simulators.core.faults import FaultPlan
from simulators.core.market_data import Publisher
from simulators.core.order import Fill, Order
from simulators.core.positions import Position
from simulators.core.reporting import Reporter
from simulators.core.tape import Tape, TapeBook, TapeEvent, TapeStatus, TapeTrade
from simulators.core.truth import BookTruth, Truth
from simulators.core.values import (
    AUCTION,
    BUY,
    CANCELED,
    CLOSED,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    HALT,
    IOC,
    LIMIT,
    MARKET,
    NEW,
    ORDER_STATUS,
    PARTIALLY_FILLED,
    READY,
    REJECTED,
    REPLACED,
    RESUME,
    SELL,
    TRADE,
    TRADE_CANCEL,
    TRADE_CORRECT,
    CancelOrder,
    CancelReject,
    Drop,
    Levels,
    MassCancelReport,
    MdSnapshot,
    MdStatus,
    NewOrder,
    ReplaceOrder,
    Report,
    VenueEvent,
)

TOO_LATE, UNKNOWN_ORDER, DUPLICATE_CANCEL, OTHER_CANCEL = "0", "1", "6", "99"
_ALL_LOTS = 1 << 62


class TapeError(ValueError):
    """A tape that cannot be played: it names the event and the one before."""


class _Market:
    """One listed instrument while the venue runs."""

    __slots__ = ("depth", "limits", "listing", "position", "resting", "status", "status_before_halt", "trade_date")

    def __init__(self, listing: Listing, limits: Limits, trade_date: str) -> None:
        self.listing = listing
        self.limits = limits
        self.trade_date = trade_date
        self.depth = Depth()
        self.status = READY
        self.status_before_halt = ""
        self.resting: list[Order] = []
        self.position = Position(
            listing.open_close,
            listing.open_today_long,
            listing.open_yesterday_long,
            listing.open_today_short,
            listing.open_yesterday_short,
        )


class Venue:
    """See the module. `faults.counts` tells how often each fault has struck."""

    def __init__(self, config: VenueConfig, tape: Tape) -> None:
        self.config = config
        self.faults = FaultPlan(config.seed, config.start_ns, config.faults)
        self._agenda = Agenda()
        self._reporter = Reporter(config, self._agenda, self.faults)
        self._publisher = Publisher(self.faults)
        self._markets = _markets(config, tape)
        self._events = iter(tape.events())
        self._end_ns = config.start_ns + tape.duration_ns
        self._tape_venue = config.tape_venue or config.name
        self._now_ns = config.start_ns if config.start_ns < 0 else 0
        self._ordinal = 0
        self._priority = 0
        self._by_cl_ord_id: dict[str, Order] = {}
        self._used_ids: set[str] = set()
        self._orders: list[Order] = []
        self._next_event = self._read_tape()
        self._schedule()

    # What a caller may ask -------------------------------------------------------------------------------------------

    def next_at(self) -> int | None:
        """When the venue will have something to do by itself; None when the tape and the agenda are empty."""
        tape_ns = None if self._next_event is None else self.config.start_ns + self._next_event.at_ns
        agenda_ns = self._agenda.next_at()
        if tape_ns is None or (agenda_ns is not None and agenda_ns < tape_ns):
            return agenda_ns
        return tape_ns

    def status(self, symbol: str) -> str:
        """SecurityTradingStatus(326) of a listed instrument."""
        return self._markets[symbol].status

    def lists(self, symbol: str) -> bool:
        """Whether the venue lists `symbol`."""
        return symbol in self._markets

    def limits(self, symbol: str) -> Limits:
        """The day's price limits of a listed instrument."""
        return self._markets[symbol].limits

    def trade_date(self, symbol: str) -> str:
        """TradeDate(75) of a listed instrument."""
        return self._markets[symbol].trade_date

    def position(self, symbol: str) -> Position:
        """The account's position in a listed instrument."""
        return self._markets[symbol].position

    def orders(self) -> tuple[Order, ...]:
        """All orders that were accepted, in the order of arrival."""
        return tuple(self._orders)

    def book(self, symbol: str) -> tuple[Levels, Levels]:
        """Bids and asks that an order meets now."""
        return self._markets[symbol].depth.shown()

    def image(self, at_ns: int, symbol: str) -> MdSnapshot:
        """The published book of `symbol` under its last RptSeq(83): the answer to a request for a snapshot."""
        depth = self._markets[symbol].depth
        return self._publisher.image(at_ns, symbol, depth.last_px, depth.last_qty)

    def drain_truth(self) -> list[Truth]:
        """What happened since the last call, for the record."""
        truth = self._reporter.truth
        self._reporter.truth = []
        return truth

    def summary(self) -> dict[str, object]:
        """Counts for the end of a run."""
        return {
            "venue": self.config.name,
            "orders": self._ordinal,
            "fills": self._reporter.fills_told,
            "faults": dict(sorted(self.faults.counts.items())),
            "positions": {symbol: market.position.net for symbol, market in self._markets.items()},
        }

    # What happens to it ----------------------------------------------------------------------------------------------

    def advance(self, at_ns: int) -> list[VenueEvent]:
        """Play the tape and the agenda up to `at_ns`; what leaves the venue by then."""
        while (due_ns := self.next_at()) is not None and due_ns <= at_ns:
            # Of one time, the tape first: a snapshot shows the book of its own moment.
            if self._next_event is not None and self.config.start_ns + self._next_event.at_ns == due_ns:
                self._play(due_ns)
            else:
                self._now_ns = max(self._now_ns, due_ns)
                self._agenda.pop()[1](due_ns)
        self._now_ns = max(self._now_ns, at_ns)
        return self._reporter.drain(at_ns)

    def on_order(self, at_ns: int, order: NewOrder) -> list[VenueEvent]:
        """A NewOrderSingle arrives."""
        events = self.advance(at_ns)
        at_ns = self._now_ns
        self._ordinal += 1
        faults = self.faults.for_order(self._ordinal, at_ns)
        if self._swallowed(at_ns, faults):
            return events + self._reporter.drain(at_ns)
        market = self._markets.get(order.symbol)
        if market is not None and "halt" in faults:
            self._halt(at_ns, faults["halt"], market)
        if market is not None and "limit_locked" in faults:
            self._lock(at_ns, faults["limit_locked"], market)
        refusal = self._refusal(order, market, faults)
        entered = self._enter(order, market, faults)
        if refusal is not None or market is None:
            self._reject(at_ns, entered, refusal or Refusal(OTHER, "refused"), duplicate=order.cl_ord_id in self._used_ids)
        else:
            self._accept(at_ns, entered, market)
        self._used_ids.add(order.cl_ord_id)
        return events + self._reporter.drain(at_ns)

    def on_cancel(self, at_ns: int, request: CancelOrder) -> list[VenueEvent]:
        """An OrderCancelRequest arrives."""
        events = self.advance(at_ns)
        at_ns = self._now_ns
        order = self._by_cl_ord_id.get(request.orig_cl_ord_id)
        refusal = self._change_refusal(request.cl_ord_id, order)
        if order is None or refusal is not None:
            self._refuse_change(at_ns, request, order, "1", refusal or Refusal(UNKNOWN_ORDER, "unknown order"))
        else:
            self._by_cl_ord_id[request.cl_ord_id] = order
            self._used_ids.add(request.cl_ord_id)
            self._end(at_ns, order, CANCELED, "cancel", request=request)
        return events + self._reporter.drain(at_ns)

    def on_replace(self, at_ns: int, request: ReplaceOrder) -> list[VenueEvent]:
        """An OrderCancelReplaceRequest arrives. A new price or more lots lose the place in the queue; fewer keep it."""
        events = self.advance(at_ns)
        at_ns = self._now_ns
        order = self._by_cl_ord_id.get(request.orig_cl_ord_id)
        refusal = self._change_refusal(request.cl_ord_id, order) or self._terms_refusal(order, request)
        if order is None or refusal is not None:
            self._refuse_change(at_ns, request, order, "2", refusal or Refusal(UNKNOWN_ORDER, "unknown order"))
        else:
            self._replace(at_ns, order, request)
        return events + self._reporter.drain(at_ns)

    def on_status(self, at_ns: int, cl_ord_id: str, symbol: str, side: str, req_id: str = "") -> list[VenueEvent]:
        """An OrderStatusRequest arrives; an unknown order is answered, too."""
        events = self.advance(at_ns)
        order = self._by_cl_ord_id.get(cl_ord_id)
        if order is None:
            unknown = self._nothing(self._now_ns, cl_ord_id, symbol, side, "unknown order")
            answer = unknown._replace(rej_reason="5", ord_status_req_id=req_id)
        else:
            answer = order.report(self._now_ns, ORDER_STATUS, self._reporter.other_id())
            answer = answer._replace(ord_status_req_id=req_id)
        return [*events, *self._reporter.drain(self._now_ns), answer]

    def on_mass_status(self, at_ns: int, req_id: str) -> list[VenueEvent]:
        """An OrderMassStatusRequest arrives: one report for each order of the day, the last one marked."""
        events = self.advance(at_ns)
        told = [order for order in self._orders if order.open or self.config.keep_done]
        answers: list[VenueEvent] = [
            order.report(self._now_ns, ORDER_STATUS, self._reporter.other_id())._replace(
                mass_status_req_id=req_id,
                tot_num_reports=len(told),
                last_rpt_requested=number == len(told),
            )
            for number, order in enumerate(told, 1)
        ]
        if not told:
            nothing = self._nothing(self._now_ns, req_id, "", "", "no orders")
            answers = [nothing._replace(mass_status_req_id=req_id, tot_num_reports=0, last_rpt_requested=True)]
        return events + answers

    def on_mass_cancel(self, at_ns: int, cl_ord_id: str, request_type: str, symbol: str = "") -> list[VenueEvent]:
        """An OrderMassCancelRequest arrives: 7 all orders, 1 those of `symbol`."""
        events = self.advance(at_ns)
        at_ns = self._now_ns
        text = ""
        if request_type not in {"1", "7"}:
            text = f"MassCancelRequestType(530) not supported: {request_type}; 1 or 7 is right"
        elif request_type == "1" and symbol not in self._markets:
            text = f"Symbol(55) unknown: {symbol}"
        affected = 0 if text else self._cancel_all(at_ns, symbol if request_type == "1" else "")
        response = "0" if text else request_type
        out = self._reporter.drain(at_ns)
        report = MassCancelReport(
            at_ns, self._reporter.other_id(), cl_ord_id, request_type, response, affected, text
        )
        return [*events, *out, report]

    def on_disconnect(self, at_ns: int) -> list[VenueEvent]:
        """The order session went down; the venue pulls what works where it is set to."""
        events = self.advance(at_ns)
        if self.config.cancel_on_disconnect:
            self._cancel_all(self._now_ns, "")
        return events + self._reporter.drain(self._now_ns)

    # Tape ------------------------------------------------------------------------------------------------------------

    def _read_tape(self, before: TapeEvent | None = None) -> TapeEvent | None:
        for event in self._events:
            if before is not None and event.at_ns < before.at_ns:
                message = f"the tape runs backwards: {event} after {before}; sort its events by at_ns"
                raise TapeError(message)
            if event.venue == self._tape_venue and event.symbol in self._markets:
                return event
        return None

    def _play(self, at_ns: int) -> None:
        event = self._next_event
        if event is None:
            return
        self._now_ns = max(self._now_ns, at_ns)
        market = self._markets[event.symbol]
        if isinstance(event, TapeBook):
            market.depth.update(event.bids, event.asks)
            self._book_changed(at_ns, market)
        elif isinstance(event, TapeTrade):
            self._traded(at_ns, market, event)
        else:
            self._status_changed(at_ns, market, event)
        self._next_event = self._read_tape(event)

    def _book_changed(self, at_ns: int, market: _Market) -> None:
        resting = market.resting
        if resting:
            bids, asks = market.depth.shown()
            for order in resting:
                order.ahead = matching.requeue(order, bids if order.side == BUY else asks)
            self._cross(at_ns, market)
        self._publish(at_ns, market)

    def _traded(self, at_ns: int, market: _Market, trade: TapeTrade) -> None:
        market.depth.last_px, market.depth.last_qty = trade.px_ticks, trade.qty_lots
        if market.resting and _trading(market.status):
            for side in (BUY, SELL):
                if trade.aggressor != side:
                    self._trade_through(at_ns, market, side, trade)
        if self.config.incremental:
            published = self._publisher.trade(at_ns, trade.symbol, trade.px_ticks, trade.qty_lots)
            self._reporter.tell_all(list(published))

    def _trade_through(self, at_ns: int, market: _Market, side: str, trade: TapeTrade) -> None:
        orders = matching.by_priority(order for order in market.resting if order.side == side)
        for order, lots, ahead in matching.traded_through(orders, trade.px_ticks, trade.qty_lots):
            order.ahead = ahead
            if lots:
                self._fill(at_ns, market, order, order.px_ticks or 0, lots)

    def _status_changed(self, at_ns: int, market: _Market, event: TapeStatus) -> None:
        if market.status_before_halt:
            market.status_before_halt = event.status
            return
        self._set_status(at_ns, market, event.status)

    def _set_status(self, at_ns: int, market: _Market, status: str) -> None:
        market.status = status
        self._reporter.tell(MdStatus(at_ns, market.listing.symbol, status))
        if status == CLOSED:
            for order in list(market.resting):
                if order.time_in_force != GTC:
                    self._end(at_ns, order, EXPIRED, "expire", text="market closed")
        elif _trading(status):
            self._cross(at_ns, market)

    def _publish(self, at_ns: int, market: _Market) -> None:
        book = market.depth.shown()
        listing = market.listing
        if self.config.truth and self.config.truth_books:
            self._reporter.truth.append(BookTruth(at_ns, listing.symbol, book[0], book[1], listing.tick))
        if self.config.incremental:
            self._reporter.tell_all(list(self._publisher.increment(at_ns, listing.symbol, book)))

    def _snapshots(self, at_ns: int) -> None:
        for symbol, market in self._markets.items():
            depth = market.depth
            published = self._publisher.snapshot(at_ns, symbol, depth.shown(), depth.last_px, depth.last_qty)
            self._reporter.tell_all(list(published))
        next_ns = at_ns + self.config.snapshot_interval_ns
        if next_ns <= self._end_ns:
            self._agenda.at(next_ns, self._snapshots)

    # Orders ----------------------------------------------------------------------------------------------------------

    def _refusal(self, order: NewOrder, market: _Market | None, faults: dict[str, FaultSpec]) -> Refusal | None:
        if order.cl_ord_id in self._used_ids:
            return Refusal(DUPLICATE, f"ClOrdID(11) already used: {order.cl_ord_id}")
        if "reject" in faults:
            spec = faults["reject"]
            return Refusal(spec.word("reason", OTHER), spec.word("text", "order refused by the exchange"))
        listing = market.listing if market else None
        status, limits = (market.status, market.limits) if market else (READY, Limits())
        refusal = order_refusal(order, self.config, listing, status, limits)
        if refusal is not None or market is None:
            return refusal
        text = market.position.refusal(order.side, order.position_effect, int(order.qty))
        return Refusal(OTHER, text) if text else None

    def _enter(self, order: NewOrder, market: _Market | None, faults: dict[str, FaultSpec]) -> Order:
        listing = market.listing if market else Listing(order.symbol, Decimal(1))
        on_tick = order.px is not None and order.px % listing.tick == 0
        return Order(
            ordinal=self._ordinal,
            order_id=f"O{self._ordinal:08d}",
            cl_ord_id=order.cl_ord_id,
            account=order.account,
            listing=listing,
            trade_date=market.trade_date if market else "",
            side=order.side,
            qty=int(order.qty),
            px_ticks=int(order.px // listing.tick) if order.px is not None and on_tick else None,
            ord_type=order.ord_type,
            time_in_force=order.time_in_force,
            position_effect=order.position_effect,
            hedge_flag=order.hedge_flag,
            faults=faults,
            leaves=int(order.qty),
        )

    def _reject(self, at_ns: int, order: Order, refusal: Refusal, *, duplicate: bool) -> None:
        order.status = REJECTED
        order.leaves = 0
        if not duplicate:
            self._by_cl_ord_id[order.cl_ord_id] = order
            self._orders.append(order)
        report = order.report(at_ns, REJECTED, self._reporter.other_id())
        report = report._replace(text=refusal.text, rej_reason=refusal.reason)
        self._reporter.order_event(order, report, "reject")

    def _accept(self, at_ns: int, order: Order, market: _Market) -> None:
        self._by_cl_ord_id[order.cl_ord_id] = order
        self._orders.append(order)
        market.position.freeze(order.side, order.position_effect, order.leaves)
        self._reporter.order_event(order, order.report(at_ns, NEW, self._reporter.other_id()), "new")
        limit_lots = _ALL_LOTS
        if "partial" in order.faults:
            limit_lots = int(order.qty * order.faults["partial"].number("fraction", 0.5))
        self._work(at_ns, order, market, limit_lots)

    def _work(self, at_ns: int, order: Order, market: _Market, limit_lots: int = _ALL_LOTS) -> None:
        """Take what the book offers; what is left rests, or ends where it may not rest."""
        if _trading(market.status):
            taken = matching.takes(order, market.depth.opposite(order.side), limit_lots)
            if order.time_in_force != FOK or sum(lots for _, lots in taken) == order.leaves:
                self._take(at_ns, market, order, taken)
        if not order.open:
            return
        if order.ord_type == MARKET or order.time_in_force in {IOC, FOK}:
            self._end(at_ns, order, CANCELED, "cancel", text="not filled, rest cancelled")
            return
        self._priority += 1
        order.priority = self._priority
        order.ahead = matching.lots_ahead(order, market.depth.own(order.side))
        if order not in market.resting:
            market.resting.append(order)

    def _take(self, at_ns: int, market: _Market, order: Order, taken: list[tuple[int, int]]) -> None:
        for px_ticks, lots in taken:
            market.depth.use(order.side, px_ticks, lots)
            self._fill(at_ns, market, order, px_ticks, lots)
        if taken:
            self._publish(at_ns, market)

    def _cross(self, at_ns: int, market: _Market) -> None:
        """Resting orders that the opposite side of the book has reached fill at their own price."""
        if not _trading(market.status):
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
                self._publish(at_ns, market)

    def _fill(self, at_ns: int, market: _Market, order: Order, px_ticks: int, lots: int) -> None:
        px = market.listing.tick * px_ticks
        fill = Fill(self._reporter.fill_id(order.side, order.trade_date), lots, px)
        order.fills.append(fill)
        order.cum += lots
        order.leaves -= lots
        order.notional += px * lots
        order.status = PARTIALLY_FILLED if order.leaves else FILLED
        market.position.freeze(order.side, order.position_effect, -lots)
        market.position.apply(order.side, order.position_effect, lots)
        if not order.leaves and order in market.resting:
            market.resting.remove(order)
        report = order.report(at_ns, TRADE, fill.exec_id)._replace(last_qty=lots, last_px=px)
        self._reporter.order_event(order, report, "trade")
        self._reporter.fill(order, fill, at_ns, "trade")
        if order.faults and len(order.fills) == 1:
            self._plan_undoing(at_ns, order, fill)

    def _end(
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

    def _cancel_all(self, at_ns: int, symbol: str) -> int:
        orders = [order for order in self._orders if order.open and symbol in {"", order.listing.symbol}]
        for order in orders:
            self._end(at_ns, order, CANCELED, "cancel", text="mass cancel")
        return len(orders)

    # Changes ---------------------------------------------------------------------------------------------------------

    def _change_refusal(self, cl_ord_id: str, order: Order | None) -> Refusal | None:
        if order is None:
            return Refusal(UNKNOWN_ORDER, "unknown order")
        if cl_ord_id in self._used_ids:
            return Refusal(DUPLICATE_CANCEL, f"ClOrdID(11) already used: {cl_ord_id}")
        if not order.open:
            return Refusal(TOO_LATE, f"too late: the order has ended, OrdStatus(39)={order.status}")
        spec = order.faults.get("cancel_reject")
        if spec is not None:
            return Refusal(spec.word("reason", OTHER_CANCEL), spec.word("text", "cancel refused by the exchange"))
        return None

    def _terms_refusal(self, order: Order | None, request: ReplaceOrder) -> Refusal | None:
        if order is None:
            return None
        market = self._markets[order.listing.symbol]
        if request.qty <= order.cum:
            return Refusal(TOO_LATE, f"OrderQty(38) {request.qty} is not above CumQty(14) {order.cum}")
        if request.ord_type != order.ord_type or request.time_in_force != order.time_in_force:
            return Refusal(OTHER_CANCEL, "OrdType(40) and TimeInForce(59) cannot be replaced")
        if not _trading(market.status) and market.status != AUCTION:
            return Refusal(OTHER_CANCEL, "trading halted")
        refusal = replace_refusal(request.qty, request.ord_type, request.px, order.listing, market.limits)
        if refusal is not None:
            return Refusal(OTHER_CANCEL, refusal.text)
        more = int(request.qty) - order.qty
        text = market.position.refusal(order.side, order.position_effect, more) if more > 0 else ""
        return Refusal(OTHER_CANCEL, text) if text else None

    def _refuse_change(
        self, at_ns: int, request: CancelOrder | ReplaceOrder, order: Order | None, to: str, refusal: Refusal
    ) -> None:
        self._used_ids.add(request.cl_ord_id)
        reject = CancelReject(
            at_ns=at_ns,
            order_id=order.order_id if order else "NONE",
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id=request.orig_cl_ord_id,
            ord_status=order.status if order else REJECTED,
            response_to=to,
            reason=refusal.reason,
            text=refusal.text,
        )
        self._reporter.tell(reject)

    def _rename(self, order: Order, cl_ord_id: str) -> None:
        order.cl_ord_id = cl_ord_id
        self._by_cl_ord_id[cl_ord_id] = order
        self._used_ids.add(cl_ord_id)

    def _replace(self, at_ns: int, order: Order, request: ReplaceOrder) -> None:
        market = self._markets[order.listing.symbol]
        qty = int(request.qty)
        px_ticks = None if request.px is None else int(request.px // order.listing.tick)
        keeps_place = qty <= order.qty and px_ticks == order.px_ticks
        market.position.freeze(order.side, order.position_effect, qty - order.qty)
        order.leaves += qty - order.qty
        order.qty = qty
        order.px_ticks = px_ticks
        self._rename(order, request.cl_ord_id)
        report = order.report(at_ns, REPLACED, self._reporter.other_id())
        self._reporter.order_event(order, report._replace(orig_cl_ord_id=request.orig_cl_ord_id), "replace")
        if not keeps_place:
            self._work(at_ns, order, market)

    def _nothing(self, at_ns: int, cl_ord_id: str, symbol: str, side: str, text: str) -> Report:
        """A status answer about no order."""
        return Report(
            at_ns=at_ns,
            account=self.config.account,
            order_id="NONE",
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id="",
            exec_id=self._reporter.other_id(),
            exec_type=ORDER_STATUS,
            ord_status=REJECTED,
            symbol=symbol,
            side=side,
            order_qty=0,
            ord_type=LIMIT,
            px=None,
            time_in_force="0",
            position_effect="",
            hedge_flag="",
            leaves_qty=0,
            cum_qty=0,
            avg_px=Decimal(0),
            trade_date=self._markets[symbol].trade_date if symbol in self._markets else "",
            text=text,
        )

    # Faults ----------------------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        start_ns = self.config.start_ns
        if not self.config.incremental:
            self._agenda.at(start_ns, self._snapshots)
        for spec in self.faults.timed():
            self._agenda.at(start_ns + spec.at_ns, self._begin(spec))

    def _begin(self, spec: FaultSpec) -> Callable[[int], None]:
        def begin(at_ns: int) -> None:
            self.faults.counts[spec.name] += 1
            if spec.name == "drop_connection":
                refuse_ns = max(spec.for_ns, spec.millis("refuse_ms", 0))
                self._reporter.drop(Drop(at_ns, spec.word("session", "both"), at_ns + refuse_ns))
                return
            for symbol, market in self._markets.items():
                if spec.word("symbol", symbol) == symbol:
                    (self._halt if spec.name == "halt" else self._lock)(at_ns, spec, market)

        return begin

    def _swallowed(self, at_ns: int, faults: dict[str, FaultSpec]) -> bool:
        """Whether the order never reaches the matching engine."""
        drop = faults.get("drop_connection")
        if drop is not None:
            refuse_ns = at_ns + drop.millis("refuse_ms", 0)
            self._reporter.drop(Drop(at_ns, drop.word("session", "orders"), refuse_ns))
            if not drop.flag("processed", default=True):
                return True
        silence = faults.get("silence")
        return silence is not None and silence.flag("lost", default=False)

    def _halt(self, at_ns: int, spec: FaultSpec, market: _Market) -> None:
        if market.status_before_halt:
            return
        market.status_before_halt = market.status
        self._set_status(at_ns, market, HALT)

        def resume(end_ns: int) -> None:
            before, market.status_before_halt = market.status_before_halt, ""
            self._set_status(end_ns, market, RESUME if _trading(before) else before)

        self._agenda.at(at_ns + _lasting_ns(spec), resume)

    def _lock(self, at_ns: int, spec: FaultSpec, market: _Market) -> None:
        """The book stands at a limit: everything bid and nothing offered, or the other way round."""
        depth = market.depth
        if depth.override is not None:
            return
        qty = int(spec.number("qty", 1000))
        bids, asks = depth.shown()
        if spec.word("side", "up") == "up":
            px_ticks = market.limits.high_ticks if market.limits.high_ticks is not None else _best(asks, bids)
            depth.override = (((px_ticks, qty),), ())
        else:
            px_ticks = market.limits.low_ticks if market.limits.low_ticks is not None else _best(bids, asks)
            depth.override = ((), ((px_ticks, qty),))
        self._book_changed(at_ns, market)

        def unlock(end_ns: int) -> None:
            depth.override = None
            self._book_changed(end_ns, market)

        self._agenda.at(at_ns + _lasting_ns(spec), unlock)

    def _plan_undoing(self, at_ns: int, order: Order, fill: Fill) -> None:
        bust, correct = order.faults.get("bust"), order.faults.get("correct")
        if bust is not None:
            self._agenda.at(at_ns + bust.millis("delay_ms", 1000), lambda due_ns: self._bust(due_ns, order, fill))
        elif correct is not None:
            due_ns = at_ns + correct.millis("delay_ms", 1000)
            self._agenda.at(due_ns, lambda due_ns: self._correct(due_ns, order, fill, correct))

    def _bust(self, at_ns: int, order: Order, fill: Fill) -> None:
        """The fill never was. A working order gets its lots back to work; an ended one stays ended with fewer filled."""
        market = self._markets[order.listing.symbol]
        order.fills.remove(fill)
        order.cum -= fill.qty
        order.notional -= fill.px * fill.qty
        market.position.apply(order.side, order.position_effect, -fill.qty)
        if order.open:
            order.leaves += fill.qty
            market.position.freeze(order.side, order.position_effect, fill.qty)
            order.status = PARTIALLY_FILLED if order.cum else NEW
        elif order.status == FILLED:
            order.status = CANCELED
        undone = Fill(self._reporter.fill_id(order.side, order.trade_date), fill.qty, fill.px)
        self._tell_undoing(at_ns, order, undone, fill.exec_id, TRADE_CANCEL)

    def _correct(self, at_ns: int, order: Order, fill: Fill, spec: FaultSpec) -> None:
        """The fill was at another price: worse by `ticks`, which may be a fraction."""
        worse = order.listing.tick * Decimal(str(spec.params.get("ticks", 1)))
        px = fill.px + (worse if order.side == BUY else -worse)
        order.notional += (px - fill.px) * fill.qty
        right = Fill(self._reporter.fill_id(order.side, order.trade_date), fill.qty, px)
        order.fills[order.fills.index(fill)] = right
        self._tell_undoing(at_ns, order, right, fill.exec_id, TRADE_CORRECT)

    def _tell_undoing(self, at_ns: int, order: Order, fill: Fill, ref: str, exec_type: str) -> None:
        kind = "bust" if exec_type == TRADE_CANCEL else "correct"
        report = order.report(at_ns, exec_type, fill.exec_id)
        report = report._replace(last_qty=fill.qty, last_px=fill.px, exec_ref_id=ref, text=f"trade {kind}ed")
        self._reporter.order_event(order, report, kind)
        self._reporter.fill(order, fill, at_ns, kind, ref)


def _trading(status: str) -> bool:
    return status in {READY, RESUME}


def _best(levels: Levels, other: Levels) -> int:
    """A price for a locked book where the tape names no limit: the best of one side, else of the other."""
    return (levels or other or ((0, 0),))[0][0]


def _lasting_ns(spec: FaultSpec) -> int:
    return spec.for_ns or spec.millis("for_ms", 1000)


def _markets(config: VenueConfig, tape: Tape) -> dict[str, _Market]:
    venue = config.tape_venue or config.name
    known = {item.symbol: item for item in tape.instruments if item.venue == venue}
    markets: dict[str, _Market] = {}
    for listing in config.listings:
        item = known.get(listing.symbol)
        if item is None or item.tick != listing.tick:
            there = f"tick {item.tick}" if item else f"{sorted(known)} of {sorted({i.venue for i in tape.instruments})}"
            message = f"{venue} {listing.symbol}, tick {listing.tick}: the tape {tape.name} has {there}"
            raise TapeError(message)
        limits = Limits(item.low_limit_ticks, item.high_limit_ticks)
        markets[listing.symbol] = _Market(listing, limits, item.trading_date)
    return markets
