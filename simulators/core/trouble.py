"""What happens to a market or a fill when a fault strikes: halts, locked limits, cut connections, busts, corrections.

Faults on reports strike in reporting.py, faults on market data in market_data.py, refusals in venue.py.
"""

from collections.abc import Callable
from decimal import Decimal

from simulators.core.agenda import Agenda
from simulators.core.config import FaultSpec
from simulators.core.faults import FaultPlan
from simulators.core.floor import Floor
from simulators.core.market import Market
from simulators.core.order import Fill, Order
from simulators.core.positions import NET
from simulators.core.reporting import Reporter
from simulators.core.values import (
    BUY,
    CANCELED,
    DAY,
    FILLED,
    HALT,
    LIMIT,
    NEW,
    OPEN,
    PARTIALLY_FILLED,
    READY,
    RESUME,
    SELL,
    TRADE_CANCEL,
    TRADE_CORRECT,
    Drop,
    Levels,
    MdSession,
)

SESSION_OPEN = "2"
"""TradSesStatus(340)."""


class Trouble:
    """The faults of one venue that last or that come later."""

    def __init__(
        self, faults: FaultPlan, agenda: Agenda, floor: Floor, reporter: Reporter, markets: dict[str, Market]
    ) -> None:
        self._faults = faults
        self._agenda = agenda
        self._floor = floor
        self._reporter = reporter
        self._markets = markets
        self._outside = 0
        floor.on_first_fill = self._plan_undoing

    def schedule(self, start_ns: int) -> None:
        """Put down the faults of set times, for a tape that starts at `start_ns`."""
        for spec in self._faults.timed():
            self._agenda.at(start_ns + spec.at_ns, self._begin(spec))

    def _begin(self, spec: FaultSpec) -> Callable[[int], None]:
        def begin(at_ns: int) -> None:
            self._faults.counts[spec.name] += 1
            if spec.name == "drop_connection":
                refuse_ns = max(spec.for_ns, spec.millis("refuse_ms", 0))
                self._reporter.drop(Drop(at_ns, spec.word("session", "both"), at_ns + refuse_ns))
                return
            if spec.name == "outside_trade":
                self.outside(at_ns, spec)
                return
            if spec.name == "session":
                self.session(at_ns, spec)
                return
            for symbol, market in self._markets.items():
                if spec.word("symbol", symbol) == symbol:
                    (self.halt if spec.name == "halt" else self.lock)(at_ns, spec, market)

        return begin

    def session(self, at_ns: int, spec: FaultSpec) -> None:
        """All instruments of a segment stop, told in one word for all; what their own status is stays as it is."""
        segment, status = spec.word("segment", ""), str(int(spec.number("status", 1)))
        stopped = [one for one in self._markets.values() if segment in {"", one.listing.segment}]
        for market in stopped:
            market.session_shut = status
        self._reporter.tell(MdSession(at_ns, status, segment))

        def resume(end_ns: int) -> None:
            for market in stopped:
                market.session_shut = ""
            self._reporter.tell(MdSession(end_ns, SESSION_OPEN, segment))
            for market in stopped:
                self._floor.book_changed(end_ns, market)

        self._agenda.at(at_ns + _lasting_ns(spec), resume)

    def halt(self, at_ns: int, spec: FaultSpec, market: Market) -> None:
        if market.status_before_halt:
            return
        market.status_before_halt = market.status
        self._floor.set_status(at_ns, market, HALT)

        def resume(end_ns: int) -> None:
            before, market.status_before_halt = market.status_before_halt, ""
            self._floor.set_status(end_ns, market, RESUME if before in {READY, RESUME} else before)

        self._agenda.at(at_ns + _lasting_ns(spec), resume)

    def lock(self, at_ns: int, spec: FaultSpec, market: Market) -> None:
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
        self._floor.book_changed(at_ns, market)

        def unlock(end_ns: int) -> None:
            depth.override = None
            self._floor.book_changed(end_ns, market)

        self._agenda.at(at_ns + _lasting_ns(spec), unlock)

    def outside(self, at_ns: int, spec: FaultSpec) -> None:
        """A trade on the account that no session asked for, at the book's best price, or the last one."""
        market = self._markets[spec.word("symbol", next(iter(self._markets)))]
        side = BUY if spec.word("direction", "buy") == "buy" else SELL
        levels = market.depth.opposite(side)
        px_ticks = levels[0][0] if levels else market.depth.last_px or 0
        self._outside += 1
        order = Order(
            ordinal=-self._outside,
            order_id=f"X{self._outside:08d}",
            cl_ord_id=f"TEL-{self._outside}",
            account=self._reporter.account,
            listing=market.listing,
            trade_date=market.trade_date,
            side=side,
            qty=int(spec.number("qty", 1)),
            px_ticks=px_ticks,
            ord_type=LIMIT,
            time_in_force=DAY,
            position_effect="" if market.position.model == NET else spec.word("effect", OPEN),
            hedge_flag=market.position.hedge_flag,
            faults={},
        )
        self._floor.outside(at_ns, order, market, spec.word("told", "drop_copy"))

    def _plan_undoing(self, at_ns: int, order: Order, fill: Fill) -> None:
        bust, correct = order.faults.get("bust"), order.faults.get("correct")
        if bust is not None:
            self._agenda.at(at_ns + bust.millis("delay_ms", 1000), lambda due_ns: self._bust(due_ns, order, fill))
        elif correct is not None:
            due_ns = at_ns + correct.millis("delay_ms", 1000)
            self._agenda.at(due_ns, lambda due_ns: self._correct(due_ns, order, fill, correct))

    def _bust(self, at_ns: int, order: Order, fill: Fill) -> None:
        """The fill never was. A working order gets its lots back; an ended one stays ended with fewer filled."""
        market = self._markets[order.listing.symbol]
        order.fills.remove(fill)
        order.cum -= fill.qty
        order.notional -= fill.px * fill.qty
        earlier = order.trade_date != market.trade_date
        market.position.apply(order.side, order.position_effect, -fill.qty, earlier=earlier)
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


def _best(levels: Levels, other: Levels) -> int:
    """A price for a locked book where the tape names no limit: the best of one side, else of the other."""
    return (levels or other or ((0, 0),))[0][0]


def _lasting_ns(spec: FaultSpec) -> int:
    return spec.for_ns or spec.millis("for_ms", 1000)
