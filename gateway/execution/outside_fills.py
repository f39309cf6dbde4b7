"""Orders and executions that are not ours, by telephone say: what a person has booked of them, and what the venue told
and nobody has booked yet. Each counts once, whoever tells of it first; until a person has booked or explained it,
nothing is traded or repaired in its instrument.

One execution is the same as another when what the venue's dialect declares is the same of both: ExecID(17) always, and
where the key has them Side(54) and TradeDate(75). A day that one of the two does not know says nothing against it.
"""

from typing import NamedTuple

from gateway.execution.ledger import Ledger
from gateway.execution.outbox import Outbox
from gateway.model.order import ExecType, ExecutionReport, Side
from gateway.model.trade import AlarmName

SIDE, TRADE_DATE = "54", "75"


class Booked(NamedTuple):
    """An execution that a person has booked into a trade; `trading_day` as the instrument had it then."""

    venue_id: str
    exec_id: str
    side: Side
    trading_day: str
    trade_id: str


class OutsideFills:
    """Told by whoever hears venues and by the operator."""

    def __init__(self, ledger: Ledger, outbox: Outbox) -> None:
        self._ledger = ledger
        self._out = outbox
        self._booked: dict[tuple[str, str], list[Booked]] = {}
        self.waiting: dict[str, ExecutionReport] = {}
        """What the venue told of and no order explains, by the key of the fill."""
        self._words: dict[str, str] = {}
        """By instrument: the words of ours that stand in the ledger as unexplained."""
        self._last: dict[str, str] = {}
        """By instrument: OrderID(37) of the order that they are about."""

    def heard(self, report: ExecutionReport) -> bool:
        """The venue speaks of an order that is not ours; whether an instrument is explained by it."""
        name = report.instrument_id
        if self.booked(report.venue_id, report.exec_id, report.side, report.trade_date) is not None:
            # What told of the order before its fill, its acceptance say, is explained by the booking, too.
            return report.leaves_qty_lots == 0 and self._last.get(name) == report.order_id and self.explained(name)
        figures = (
            f"ClOrdID(11) {report.cl_ord_id} OrderID(37) {report.order_id} ExecType(150) {report.exec_type.value} "
            f"LastQty(32) {report.last_qty_lots}"
        )
        if name:
            key = report.exec_key or report.exec_id
            if report.exec_type is ExecType.TRADE and key in self.waiting:
                return False
            if report.exec_type is ExecType.TRADE:
                self.waiting[key] = report
            self._words[name] = self._ledger.unexplained[name] = figures
            self._last[name] = report.order_id
        self._out.alarm(AlarmName.UNKNOWN_ORDER, name or report.venue_id, figures)
        return False

    def book(self, fill: Booked, instrument_id: str) -> None:
        """A person has booked it."""
        self._booked.setdefault((fill.venue_id, fill.exec_id), []).append(fill)
        found = [
            key
            for key, one in self.waiting.items()
            if self._same(fill, one.venue_id, one.exec_id, one.side, one.trade_date)
        ]
        for key in found:
            del self.waiting[key]
        if found:
            self.explained(instrument_id)

    def explained(self, instrument_id: str) -> bool:
        """Nothing of it waits any more: the words of ours go, where they still stand there."""
        if any(one.instrument_id == instrument_id for one in self.waiting.values()):
            return False
        words = self._words.pop(instrument_id, None)
        if words is None or self._ledger.unexplained.get(instrument_id) != words:
            return False
        del self._ledger.unexplained[instrument_id]
        return True

    def booked(self, venue_id: str, exec_id: str, side: Side | None, trading_day: str) -> Booked | None:
        """The booking of this execution; None when there is none."""
        for fill in self._booked.get((venue_id, exec_id), ()):
            if self._same(fill, venue_id, exec_id, side, trading_day):
                return fill
        return None

    def named(self, venue_id: str, exec_id: str, instrument_id: str) -> list[ExecutionReport]:
        """Those that wait and are called so."""
        return [
            one
            for one in self.waiting.values()
            if (one.venue_id, one.exec_id, one.instrument_id) == (venue_id, exec_id, instrument_id)
        ]

    def forget(self, instrument_id: str) -> None:
        """A person has explained all of this instrument."""
        self.waiting = {key: one for key, one in self.waiting.items() if one.instrument_id != instrument_id}

    def _same(self, fill: Booked, venue_id: str, exec_id: str, side: Side | None, trading_day: str) -> bool:
        key = self._ledger.settings.venues[venue_id].exec_key
        if (fill.venue_id, fill.exec_id) != (venue_id, exec_id) or (SIDE in key and side is not fill.side):
            return False
        return TRADE_DATE not in key or "" in (trading_day, fill.trading_day) or trading_day == fill.trading_day
