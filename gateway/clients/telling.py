"""What clients and drop copies are told: the ExecutionReports of orders, of their legs, and of trades that are nobody's
order. It decides nothing; each report goes to the order's client and, as a copy, to the drop copies of its account.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from gateway.clients.checks import Refused
from gateway.clients.order import Change, ClientOrder, Tally
from gateway.clients.settings import ClientSettings
from gateway.execution.outbox import IdSource
from gateway.model.client import ClientAction, ClientReport, LegFill, OrderAsked, TradeStep
from gateway.model.order import ExecType, OrdStatus, Side
from gateway.model.site import leg_side

ALONE, LEG, PAIR = "1", "2", "3"
"""MultiLegReportingType(442)."""
NONE = "NONE"
"""OrderID(37) where there is no order."""
RENEWED, RESTATED_OTHER = "1", "99"
"""ExecRestatementReason(378): an order that is kept over days was entered anew, or waits to be."""
IMPLIED = "counted by its venue, which has not told the fill"


class Moment(NamedTuple):
    """When an event came: on the monotonic clock, and as UTC."""

    at_ns: int
    utc_ns: int


class Teller:
    """Makes reports. `take` gives what was made since the last call, in order."""

    def __init__(self, settings: ClientSettings, ids: IdSource) -> None:
        self._settings = settings
        self._ids = ids
        self._actions: list[ClientAction] = []
        self._copied = any(one.drop_copy for one in settings.clients.values())

    def do(self, action: ClientAction) -> None:
        self._actions.append(action)

    def take(self) -> list[ClientAction]:
        actions, self._actions = self._actions, []
        return actions

    def of(
        self,
        order: ClientOrder,
        exec_type: ExecType,
        now: Moment,
        text: str = "",
        *,
        cl_ord_id: str = "",
        orig_cl_ord_id: str = "",
        restatement: str = "",
    ) -> None:
        """A change of an order."""
        report = self._report(order, exec_type, now, text)
        report = msgspec.structs.replace(
            report,
            cl_ord_id=cl_ord_id or order.cl_ord_id,
            orig_cl_ord_id=orig_cl_ord_id,
            restatement=restatement,
        )
        self._send(report, order.asked.account)

    def rejected(self, asked: OrderAsked, refused: Refused, now: Moment, exec_id: str = "") -> None:
        """An order that is not taken."""
        multileg = PAIR if asked.symbol in self._settings.pairs else ALONE
        self.do(
            ClientReport(
                client_id=asked.client_id,
                order_id=NONE,
                exec_id=exec_id or self._ids.next(),
                exec_type=ExecType.REJECTED,
                ord_status=OrdStatus.REJECTED,
                symbol=asked.symbol,
                side=asked.side,
                order_qty=asked.qty,
                leaves_qty=0,
                cum_qty=0,
                avg_px_e9=0,
                utc_ns=now.utc_ns,
                multileg=multileg,
                cl_ord_id=asked.cl_ord_id,
                account=asked.account,
                price_e9=asked.price_e9,
                time_in_force=asked.time_in_force.value,
                ord_rej_reason=refused.reason,
                text=refused.words,
            )
        )

    def filled(
        self,
        order: ClientOrder,
        trade_id: str,
        change: Change,
        now: Moment,
        *,
        fill: LegFill | None = None,
        step: TradeStep | None = None,
    ) -> None:
        """A trade of the order itself: units of a pair by what became of its trade, a leg's lots as told."""
        report = self._report(order, change.exec_type, now, ", ".join(_words(trade_id, change, fill, step)))
        accounts = [order.asked.account]
        if fill is not None:
            report = msgspec.structs.replace(report, **_of_venue(fill, change), utc_ns=fill.venue_utc_ns or now.utc_ns)
            accounts.append(fill.account)
        elif order.multileg:
            report = msgspec.structs.replace(report, secondary_exec_id=trade_id)
        self._send(self._numbered(report, change), *accounts)

    def leg_filled(self, order: ClientOrder | None, fill: LegFill, tally: Tally, change: Change, now: Moment) -> None:
        """A fill of one leg: to the client whose order it is part of, and to the drop copies of both accounts."""
        line = _LegLine(fill.leg_index, fill.pair_id, fill.instrument_id, fill.side, fill.account)
        report = self._leg_report(order, line, tally, change, fill.venue_utc_ns or now.utc_ns)
        report = msgspec.structs.replace(report, **_of_venue(fill, change), text=", ".join(_leg_words(fill, change)))
        if order is None:
            own = msgspec.structs.replace(report, order_id=fill.trade_id, cl_ord_id=fill.venue_order)
            self._copies(self._numbered(own, change), fill.account)
            return
        self._send(self._numbered(report, change), order.asked.account, fill.account)

    def leg_implied(
        self,
        order: ClientOrder | None,
        step: TradeStep,
        leg: tuple[int, str, bool],
        tally: Tally,
        change: Change,
        now: Moment,
    ) -> None:
        """Lots of a leg, bought for it or taken back, that its venue has counted without telling their fill."""
        index, name, unwinds = leg
        own_side = leg_side(self._settings.pairs[step.pair_id], step.side, index)
        side = own_side.opposite if unwinds else own_side
        line = _LegLine(index, step.pair_id, name, side, self._settings.instruments[name].account)
        report = self._leg_report(order, line, tally, change, now.utc_ns)
        report = msgspec.structs.replace(report, text=f"leg {index + 1} of pair trade {step.trade_id}, {IMPLIED}")
        if order is None:
            own = msgspec.structs.replace(report, order_id=step.trade_id)
            self._copies(self._numbered(own, change), line.account)
            return
        self._send(self._numbered(report, change), order.asked.account, line.account)

    def status(
        self,
        order: ClientOrder,
        now: Moment,
        request_id: str = "",
        *,
        mass: bool = False,
        of: int = 0,
        last: bool = False,
    ) -> ClientReport:
        """An answer to a question about an order; it is no change, so no copy of it goes anywhere."""
        report = self._report(order, ExecType.ORDER_STATUS, now, order.why or order.note)
        return msgspec.structs.replace(report, exec_id="0", request_id=request_id, mass=mass, of=of, last=last)

    def _report(self, order: ClientOrder, exec_type: ExecType, now: Moment, text: str) -> ClientReport:
        asked = order.asked
        return ClientReport(
            client_id=asked.client_id,
            order_id=order.order_id,
            exec_id=self._ids.next() if exec_type is not ExecType.ORDER_STATUS else "0",
            exec_type=exec_type,
            ord_status=order.ord_status,
            symbol=asked.symbol,
            side=asked.side,
            order_qty=asked.qty,
            leaves_qty=order.leaves_qty,
            cum_qty=order.cum_qty,
            avg_px_e9=order.avg_px_e9,
            utc_ns=now.utc_ns,
            multileg=PAIR if order.multileg else ALONE,
            cl_ord_id=order.cl_ord_id,
            account=asked.account,
            price_e9=asked.price_e9,
            time_in_force=asked.time_in_force.value,
            expire_utc_ns=asked.expire_utc_ns,
            text=text,
        )

    def _leg_report(
        self, order: ClientOrder | None, line: "_LegLine", tally: Tally, change: Change, utc_ns: int
    ) -> ClientReport:
        """One side of one leg: what was done there, and what may still have to be done for the units of the order."""
        pair = self._settings.pairs.get(line.pair_id)
        ratio = pair.legs[line.place].ratio_lots if pair is not None and line.place < len(pair.legs) else 1
        leaves = 0
        if order is not None and tally is not order.legs.get((line.place, line.instrument_id, True)):
            units = order.cum_qty if order.ended else order.asked.qty
            leaves = max(0, units * ratio - order.held_lots(line.place))
        done = OrdStatus.FILLED if not leaves else OrdStatus.PARTIALLY_FILLED
        return ClientReport(
            client_id=order.client_id if order is not None else "",
            order_id=order.order_id if order is not None else NONE,
            exec_id="",
            exec_type=change.exec_type,
            ord_status=done if tally.units else OrdStatus.NEW if leaves else OrdStatus.CANCELED,
            symbol=line.instrument_id,
            side=line.side,
            order_qty=tally.units + leaves,
            leaves_qty=leaves,
            cum_qty=tally.units,
            avg_px_e9=tally.avg_px_e9,
            utc_ns=utc_ns,
            multileg=LEG,
            cl_ord_id=order.cl_ord_id if order is not None else "",
            account=line.account,
        )

    def _numbered(self, report: ClientReport, change: Change) -> ClientReport:
        """With its ExecID(17), that of the report it is about, and what was traded."""
        exec_id = self._ids.next()
        before, change.told.exec_id = change.told.exec_id, exec_id
        if change.exec_type is ExecType.TRADE_CANCEL:
            change.told.exec_id = before  # what of it still stands goes by its own
        ref = before if change.exec_type is not ExecType.TRADE else ""
        return msgspec.structs.replace(
            report, exec_id=exec_id, exec_ref_id=ref, last_qty=change.units, last_px_e9=change.px_e9
        )

    def _send(self, report: ClientReport, *accounts: str) -> None:
        self.do(report)
        self._copies(report, *accounts)

    def _copies(self, report: ClientReport, *accounts: str) -> None:
        for client_id in self._settings.drop_copies(*accounts) if self._copied else ():
            self.do(msgspec.structs.replace(report, client_id=client_id, copy=True))


class _LegLine(NamedTuple):
    """Which side of which leg a report is about."""

    place: int
    pair_id: str
    instrument_id: str
    side: Side
    account: str


def _of_venue(fill: LegFill, change: Change) -> dict[str, str]:
    """What the venue itself said of a fill."""
    text = fill.px_text if change.px_e9 == fill.px_e9 else ""
    return {"last_px_text": text, "secondary_exec_id": fill.exec_id, "trade_date": fill.trade_date}


def _words(trade_id: str, change: Change, fill: LegFill | None, step: TradeStep | None) -> Iterator[str]:
    """Of a trade of the order itself."""
    yield f"pair trade {trade_id}"
    if step is not None and step.attempts:
        yield f"after {step.attempts} repairs, legged {step.legged_ns // 10**6} ms"
    if change.exec_type is ExecType.TRADE_CANCEL:
        yield f"the venue took back {fill.exec_ref_id}" if fill is not None else "a venue took a fill back"
    elif change.exec_type is ExecType.TRADE_CORRECT:
        yield "corrected" if fill is not None else "another price now"
    elif step is not None and len(step.legs) == 1:
        yield IMPLIED


def _leg_words(fill: LegFill, change: Change) -> Iterator[str]:
    """What kind of fill it is; a repair is called one."""
    yield f"leg {fill.leg_index + 1} of pair trade {fill.trade_id}"
    if fill.unwinds:
        yield "repair: unwind"
    elif not fill.first:
        yield "repair: re-hedge"
    if change.exec_type is ExecType.TRADE_CANCEL:
        yield f"the venue took back {fill.exec_ref_id}" if fill.lots < 0 else "its own fill follows"
    elif change.exec_type is ExecType.TRADE_CORRECT:
        yield "corrected"
