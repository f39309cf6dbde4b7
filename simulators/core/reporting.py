"""What leaves a venue about orders, and what the truth record says of it. Faults on reports strike here.

The state of an order and the record of it change when the event happens; a fault only moves, doubles or swallows the
report. So a late fill is in the truth at its own time, and a report that overtakes it already counts it.
"""

from functools import partial
from itertools import count

from simulators.core.agenda import Agenda
from simulators.core.config import VenueConfig
from simulators.core.order import Fill, Order
from simulators.core.truth import FillTruth, OrderTruth, Truth, px_text
from simulators.core.values import NEW, ORDER_STATUS, REJECTED, TRADE, Drop, Report, VenueEvent


class Reporter:
    """The outgoing events of one venue; `drain` hands over what has left so far."""

    def __init__(self, config: VenueConfig, agenda: Agenda) -> None:
        self._config = config
        self._agenda = agenda
        self._out: list[VenueEvent] = []
        self._batches: dict[int, tuple[Order, list[Report]]] = {}
        self._fill_ids: dict[tuple[str, str], count[int]] = {}
        self._other_ids = count(1)
        self.account = config.account
        self.truth: list[Truth] = []
        self.orders_told = 0
        self.fills_told = 0

    def drain(self) -> list[VenueEvent]:
        """All events that have left the venue since the last call, in order."""
        self.release()
        out = self._out
        self._out = []
        return out

    def release(self) -> None:
        """The reports of this moment leave, or are put on the agenda, as the faults of their orders say."""
        if not self._batches:
            return
        batches, self._batches = self._batches, {}
        for order, reports in batches.values():
            for report, delay_ns in _shaped(order, reports, copies=self._config.drop_copy):
                if delay_ns:
                    self._agenda.at(report.at_ns + delay_ns, partial(self._leave, report))
                else:
                    self._out.append(report)

    def tell(self, event: VenueEvent) -> None:
        """An event that no order fault touches."""
        self._out.append(event)

    def tell_all(self, events: list[VenueEvent]) -> None:
        """Several of them."""
        self._out.extend(events)

    def fill_id(self, side: str, trade_date: str) -> str:
        """ExecID(17) of a fill: counted per trade date and side where the venue does so."""
        key = (trade_date, side) if self._config.exec_id_per_side else ("", "")
        number = next(self._fill_ids.setdefault(key, count(1)))
        return f"T{number:08d}"

    def other_id(self) -> str:
        """ExecID(17) of a report that is no fill."""
        return f"E{next(self._other_ids):08d}"

    def order_event(self, order: Order, report: Report, event: str) -> None:
        """A change of `order`: into the truth now, onto the wire as its faults allow."""
        if self._config.truth:
            self.truth.append(self._order_truth(order, report, event))
        self.orders_told += 1
        if order.faults:
            self._batches.setdefault(order.ordinal, (order, []))[1].append(report)
        else:
            self._out.append(report)

    def outside(self, order: Order, reports: list[tuple[Report, str]], told: str) -> None:
        """Reports of a trade that no session asked for, each with its event; `told` by whom it is heard."""
        for report, event in reports:
            if self._config.truth:
                self.truth.append(self._order_truth(order, report, event))
            if told != "none":
                self._out.append(report._replace(copy_only=told == "drop_copy"))

    def fill(self, order: Order, fill: Fill, at_ns: int, kind: str, ref: str = "") -> None:
        """A fill, a bust or a correction, for the record."""
        self.fills_told += kind == "trade"
        if not self._config.truth:
            return
        item = FillTruth(
            at_ns=at_ns,
            venue=self._config.name,
            account=order.account,
            trade_date=order.trade_date,
            exec_id=fill.exec_id,
            cl_ord_id=order.cl_ord_id,
            order_id=order.order_id,
            symbol=order.listing.symbol,
            side=order.side,
            last_qty=fill.qty,
            last_px=px_text(fill.px),
            kind=kind,
            exec_ref_id=ref,
        )
        self.truth.append(item)

    def drop(self, drop: Drop) -> None:
        """The connection is cut before anything else of this moment leaves."""
        self._out.append(drop)

    def _order_truth(self, order: Order, report: Report, event: str) -> OrderTruth:
        return OrderTruth(
            at_ns=report.at_ns,
            venue=self._config.name,
            account=report.account,
            cl_ord_id=order.cl_ord_id,
            order_id=report.order_id,
            symbol=report.symbol,
            side=report.side,
            order_qty=report.order_qty,
            px=px_text(report.px),
            ord_type=report.ord_type,
            time_in_force=report.time_in_force,
            position_effect=report.position_effect,
            status=report.ord_status,
            cum_qty=report.cum_qty,
            leaves_qty=report.leaves_qty,
            event=event,
            text=report.text,
        )

    def _leave(self, report: Report, _at_ns: int) -> None:
        self._out.append(report)


def _shaped(order: Order, reports: list[Report], *, copies: bool) -> list[tuple[Report, int]]:
    """The reports of one order of one moment as its faults let them leave, each with its delay in nanoseconds."""
    faults = order.faults
    if "silence" in faults:
        spoken = [bool(report.orig_cl_ord_id) or report.exec_type == ORDER_STATUS for report in reports]
        reports = [
            report if told else report._replace(copy_only=True)
            for report, told in zip(reports, spoken, strict=True)
            if told or copies
        ]
    if "fill_before_ack" in faults and [report.exec_type for report in reports[:2]] == [NEW, TRADE]:
        reports = [reports[1], reports[0], *reports[2:]]
    shaped = [(report, _delay_ns(order, report)) for report in reports]
    if "out_of_order" in faults:
        shaped = _swapped(shaped, faults["out_of_order"].millis("delay_ms", 50))
    if "duplicate" in faults:
        shaped = [twice for each in shaped for twice in (each, each)]
    return shaped


def _delay_ns(order: Order, report: Report) -> int:
    delay_ns = order.faults["delay"].millis("delay_ms", 200) if "delay" in order.faults else 0
    if "late_fill" in order.faults and report.exec_type == TRADE:
        delay_ns += order.faults["late_fill"].millis("delay_ms", 500)
    return delay_ns


def _swapped(shaped: list[tuple[Report, int]], delay_ns: int) -> list[tuple[Report, int]]:
    """Everything after the acknowledgement backwards; a fill that stands alone leaves after others' reports instead."""
    first = 1 if shaped and shaped[0][0].exec_type in {NEW, REJECTED} else 0
    head, tail = shaped[:first], shaped[first:]
    if len(tail) > 1:
        return head + tail[::-1]
    return head + [(report, late + (delay_ns if report.exec_type == TRADE else 0)) for report, late in tail]
