"""One venue in virtual time: its books follow a tape, our orders trade against them.

Every call says what time it is and gets back what leaves the venue, in order. A call first catches up with the tape and
the agenda up to its time, so a caller may call `advance` as often or as seldom as it likes. The venue reads no clock,
knows no session and no wire; a connection that comes or goes is told to it. Here requests are taken or refused; what
taken orders do stands in floor.py.

How it can go wrong: a caller whose `at_ns` runs backwards gets its order processed at the later time that the venue has
already reached. A tape that is not in order of time is refused as it is read.
"""

from collections.abc import Sequence
from decimal import Decimal

from simulators.core.agenda import Agenda
from simulators.core.changes import change_refusal, change_reject, terms_refusal
from simulators.core.checks import DUPLICATE, OTHER, Limits, Refusal, order_refusal
from simulators.core.config import FaultSpec, Listing, VenueConfig
from simulators.core.faults import FaultPlan
from simulators.core.floor import Floor
from simulators.core.holdings import positions_told
from simulators.core.market import Market, TapeError, listed_markets
from simulators.core.market_data import Publisher
from simulators.core.order import Order
from simulators.core.positions import Position
from simulators.core.reporting import Reporter
from simulators.core.tape import Tape, TapeBook, TapeEvent, TapeStatus, TapeTrade
from simulators.core.trouble import Trouble
from simulators.core.truth import Truth
from simulators.core.values import (
    CANCELED,
    HALT,
    LIMIT,
    ORDER_STATUS,
    READY,
    REJECTED,
    CancelOrder,
    Drop,
    Levels,
    MassCancelReport,
    MdSession,
    MdSnapshot,
    NewOrder,
    ReplaceOrder,
    Report,
    VenueEvent,
)


class Venue:
    """See the module. `faults.counts` tells how often each fault has struck."""

    def __init__(self, config: VenueConfig, tape: Tape) -> None:
        self.config = config
        self.faults = FaultPlan(config.seed, config.start_ns, config.faults)
        self._agenda = Agenda()
        self._reporter = Reporter(config, self._agenda)
        self._publisher = Publisher(self.faults)
        self._markets = listed_markets(config, tape)
        self._floor = Floor(config, self._markets, self._reporter, self._publisher)
        self._trouble = Trouble(self.faults, self._agenda, self._floor, self._reporter, self._markets)
        self._events = iter(tape.events())
        self._end_ns = config.start_ns + tape.duration_ns
        self._tape_venue = config.tape_venue or config.name
        self._now_ns = min(0, config.start_ns)
        self._ordinal = 0
        self._used_ids: set[str] = set()
        self._next_event = self._read_tape()
        if not config.incremental:
            self._agenda.at(config.start_ns, self._snapshots)
        self._trouble.schedule(config.start_ns)

    # What a caller may ask --------------------------------------------------------------------------------------------

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

    def sessions_shut(self, at_ns: int, symbols: Sequence[str]) -> list[MdSession]:
        """The segments of these instruments that do not trade now, each once."""
        shut = {(one.session_shut, one.listing.segment) for one in map(self._markets.__getitem__, symbols)}
        return [MdSession(at_ns, status, segment) for status, segment in sorted(shut) if status]

    def limits(self, symbol: str) -> Limits:
        """The day's price limits of a listed instrument."""
        return self._markets[symbol].limits

    def trade_date(self, symbol: str) -> str:
        """TradeDate(75) of a listed instrument."""
        return self._markets[symbol].trade_date

    def next_day(self, symbol: str, trade_date: str) -> None:
        """The trading day of a listed instrument changes: what is held becomes yesterday's."""
        market = self._markets[symbol]
        market.trade_date = trade_date
        market.position.roll()

    def position(self, symbol: str) -> Position:
        """The account's position in a listed instrument."""
        return self._markets[symbol].position

    def orders(self) -> tuple[Order, ...]:
        """All orders that were accepted, in the order of arrival."""
        return tuple(self._floor.orders)

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

    # What happens to it -----------------------------------------------------------------------------------------------

    def advance(self, at_ns: int) -> list[VenueEvent]:
        """Play the tape and the agenda up to `at_ns`; what leaves the venue by then."""
        while (due_ns := self.next_at()) is not None and due_ns <= at_ns:
            # Of one time, the tape first: a snapshot shows the book of its own moment.
            if self._next_event is not None and self.config.start_ns + self._next_event.at_ns == due_ns:
                self._play(due_ns)
            else:
                self._now_ns = max(self._now_ns, due_ns)
                self._agenda.pop()[1](due_ns)
            self._reporter.release()
        self._now_ns = max(self._now_ns, at_ns)
        return self._reporter.drain()

    def on_order(self, at_ns: int, order: NewOrder) -> list[VenueEvent]:
        """A NewOrderSingle arrives."""
        events = self.advance(at_ns)
        at_ns = self._now_ns
        self._ordinal += 1
        faults = self.faults.for_order(self._ordinal, at_ns)
        if self._swallowed(at_ns, faults):
            return events + self._reporter.drain()
        market = self._markets.get(order.symbol)
        if market is not None and "halt" in faults:
            self._trouble.halt(at_ns, faults["halt"], market)
        if "outside_trade" in faults:
            self._trouble.outside(at_ns, faults["outside_trade"])
        if market is not None and "limit_locked" in faults:
            self._trouble.lock(at_ns, faults["limit_locked"], market)
        refusal = self._refusal(order, market, faults)
        entered = self._enter(order, market, faults)
        if refusal is not None or market is None:
            self._reject(
                at_ns, entered, refusal or Refusal(OTHER, "refused"), duplicate=order.cl_ord_id in self._used_ids
            )
        else:
            self._floor.accept(at_ns, entered, market)
        self._used_ids.add(order.cl_ord_id)
        return events + self._reporter.drain()

    def on_cancel(self, at_ns: int, request: CancelOrder) -> list[VenueEvent]:
        """An OrderCancelRequest arrives."""
        events = self.advance(at_ns)
        at_ns = self._now_ns
        order = self._floor.by_cl_ord_id.get(request.orig_cl_ord_id)
        refusal = change_refusal(request.cl_ord_id, order, self._used_ids)
        if order is None or refusal is not None:
            self._used_ids.add(request.cl_ord_id)
            self._reporter.tell(change_reject(at_ns, request, order, "1", refusal))
        else:
            self._floor.by_cl_ord_id[request.cl_ord_id] = order
            self._used_ids.add(request.cl_ord_id)
            self._floor.end(at_ns, order, CANCELED, "cancel", request=request)
        return events + self._reporter.drain()

    def on_replace(self, at_ns: int, request: ReplaceOrder) -> list[VenueEvent]:
        """An OrderCancelReplaceRequest arrives. A new price or more lots lose the place in the queue; fewer keep it."""
        events = self.advance(at_ns)
        at_ns = self._now_ns
        order = self._floor.by_cl_ord_id.get(request.orig_cl_ord_id)
        refusal = change_refusal(request.cl_ord_id, order, self._used_ids)
        if refusal is None and order is not None:
            refusal = terms_refusal(order, self._markets[order.listing.symbol], request)
        if order is None or refusal is not None:
            self._used_ids.add(request.cl_ord_id)
            self._reporter.tell(change_reject(at_ns, request, order, "2", refusal))
        else:
            self._used_ids.add(request.cl_ord_id)
            self._floor.replace(at_ns, order, request)
        return events + self._reporter.drain()

    def on_status(self, at_ns: int, cl_ord_id: str, symbol: str, side: str, req_id: str = "") -> list[VenueEvent]:
        """An OrderStatusRequest arrives; an unknown order is answered, too."""
        events = self.advance(at_ns)
        order = self._floor.by_cl_ord_id.get(cl_ord_id)
        if order is None:
            unknown = self._nothing(self._now_ns, cl_ord_id, symbol, side, "unknown order")
            answer = unknown._replace(rej_reason="5", ord_status_req_id=req_id)
        else:
            answer = order.report(self._now_ns, ORDER_STATUS, self._reporter.other_id())
            answer = answer._replace(ord_status_req_id=req_id)
        return [*events, *self._reporter.drain(), answer]

    def on_mass_status(self, at_ns: int, req_id: str) -> list[VenueEvent]:
        """An OrderMassStatusRequest arrives: one report for each order of the day, the last one marked."""
        events = self.advance(at_ns)
        told = [order for order in self._floor.orders if order.open or self.config.keep_done]
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
        affected = 0 if text else self._floor.cancel_all(at_ns, symbol if request_type == "1" else "")
        response = "0" if text else request_type
        out = self._reporter.drain()
        report = MassCancelReport(at_ns, self._reporter.other_id(), cl_ord_id, request_type, response, affected, text)
        return [*events, *out, report]

    def on_positions(self, at_ns: int, req_id: str) -> list[VenueEvent]:
        """A RequestForPositions arrives: one report for each instrument of which the account holds something."""
        events = self.advance(at_ns)
        next_id = self._reporter.other_id
        return events + positions_told(self._now_ns, req_id, self.config.account, self._markets, next_id)

    def on_disconnect(self, at_ns: int, *, asked: bool = False) -> list[VenueEvent]:
        """The order session went down; the venue pulls what works where it is set to, or its Logon asked for it."""
        events = self.advance(at_ns)
        if asked or self.config.cancel_on_disconnect:
            self._floor.cancel_all(self._now_ns, "")
        return events + self._reporter.drain()

    # Tape -------------------------------------------------------------------------------------------------------------

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
            self._floor.book_changed(at_ns, market)
        elif isinstance(event, TapeTrade):
            self._floor.traded(at_ns, market, event)
        else:
            self._status_changed(at_ns, market, event)
        self._next_event = self._read_tape(event)

    def _status_changed(self, at_ns: int, market: Market, event: TapeStatus) -> None:
        if market.status_before_halt:
            market.status_before_halt = event.status
            return
        self._floor.set_status(at_ns, market, event.status)

    def _snapshots(self, at_ns: int) -> None:
        for symbol, market in self._markets.items():
            depth = market.depth
            published = self._publisher.snapshot(at_ns, symbol, depth.shown(), depth.last_px, depth.last_qty)
            self._reporter.tell_all(list(published))
        next_ns = at_ns + self.config.snapshot_interval_ns
        if next_ns <= self._end_ns:
            self._agenda.at(next_ns, self._snapshots)

    # Requests ---------------------------------------------------------------------------------------------------------

    def _refusal(self, order: NewOrder, market: Market | None, faults: dict[str, FaultSpec]) -> Refusal | None:
        if order.cl_ord_id in self._used_ids:
            return Refusal(DUPLICATE, f"ClOrdID(11) already used: {order.cl_ord_id}")
        if "reject" in faults:
            spec = faults["reject"]
            return Refusal(spec.word("reason", OTHER), spec.word("text", "order refused by the exchange"))
        listing = market.listing if market else None
        status, limits = (market.status, market.limits) if market else (READY, Limits())
        if market is not None and market.session_shut:
            status = HALT
        refusal = order_refusal(order, self.config, listing, status, limits)
        if refusal is not None or market is None:
            return refusal
        text = market.position.refusal(order.side, order.position_effect, int(order.qty))
        return Refusal(OTHER, text) if text else None

    def _enter(self, order: NewOrder, market: Market | None, faults: dict[str, FaultSpec]) -> Order:
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
            self._floor.enlist(order)
        report = order.report(at_ns, REJECTED, self._reporter.other_id())
        report = report._replace(text=refusal.text, rej_reason=refusal.reason)
        self._reporter.order_event(order, report, "reject")

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
