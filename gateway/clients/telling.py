"""What clients and drop copies are told: the ExecutionReports of orders, of their legs, and of trades that are nobody's
order. It decides nothing; each report goes to the order's client and, as a copy, to the drop copies of its account.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from gateway.clients.checks import Refused
from gateway.clients.order import ClientOrder, LegTally
from gateway.clients.settings import ClientSettings
from gateway.execution.outbox import IdSource
from gateway.model.client import ClientAction, ClientReport, LegFill, OrderAsked, TradeStep
from gateway.model.order import ExecType, OrdStatus

ALONE, LEG, PAIR = "1", "2", "3"
"""MultiLegReportingType(442)."""
NONE = "NONE"
"""OrderID(37) where there is no order."""
RESTATED_OTHER = "99"


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

    def filled(self, order: ClientOrder, step: TradeStep, units: int, now: Moment) -> None:
        """`units` more of a pair are complete, or fewer where a venue took a fill back."""
        exec_type = ExecType.TRADE if units > 0 else ExecType.TRADE_CANCEL
        words = [f"pair trade {step.trade_id}"]
        if step.attempts:
            words.append(f"after {step.attempts} repairs, legged {step.legged_ns // 10**6} ms")
        if units < 0:
            words.append("a venue took a fill back")
        report = msgspec.structs.replace(
            self._report(order, exec_type, now, ", ".join(words)),
            last_qty=abs(units),
            last_px_e9=step.px_e9,
            secondary_exec_id=step.trade_id,
        )
        self._send(report, order.asked.account)

    def leg_filled(self, order: ClientOrder | None, fill: LegFill, tally: LegTally, now: Moment) -> None:
        """A fill of one leg: to the client whose order it is part of, and to the drop copies of both accounts."""
        report = self._leg_report(order, fill, tally, now)
        if order is None:
            self._copies(report, fill.account)
            return
        self._send(report, order.asked.account, fill.account)

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

    def _leg_report(self, order: ClientOrder | None, fill: LegFill, tally: LegTally, now: Moment) -> ClientReport:
        pair = self._settings.pairs.get(fill.pair_id)
        ratio = pair.legs[fill.leg_index].ratio_lots if pair is not None and fill.leg_index < len(pair.legs) else 1
        wanted = order.asked.qty * ratio if order is not None else 0
        held = max(0, tally.net_lots)
        leaves = max(0, wanted - held) if order is not None and not order.ended else 0
        status = (
            OrdStatus.FILLED if wanted and held >= wanted else OrdStatus.PARTIALLY_FILLED if held else OrdStatus.NEW
        )
        exec_type = ExecType.TRADE if fill.lots > 0 else ExecType.TRADE_CANCEL
        return ClientReport(
            client_id=order.client_id if order is not None else "",
            order_id=order.order_id if order is not None else fill.trade_id,
            exec_id=self._ids.next(),
            exec_type=exec_type,
            ord_status=status,
            symbol=fill.instrument_id,
            side=fill.side,
            order_qty=wanted,
            leaves_qty=leaves,
            cum_qty=held,
            avg_px_e9=tally.avg_px_e9,
            utc_ns=fill.venue_utc_ns or now.utc_ns,
            multileg=LEG if order is None or order.multileg else ALONE,
            cl_ord_id=order.cl_ord_id if order is not None else fill.venue_order,
            account=fill.account,
            last_qty=abs(fill.lots),
            last_px_e9=fill.px_e9,
            last_px_text=fill.px_text,
            secondary_exec_id=fill.exec_id,
            trade_date=fill.trade_date,
            text=", ".join(_leg_words(fill)),
        )

    def _send(self, report: ClientReport, *accounts: str) -> None:
        self.do(report)
        self._copies(report, *accounts)

    def _copies(self, report: ClientReport, *accounts: str) -> None:
        for client_id in self._settings.drop_copies(*accounts) if self._copied else ():
            self.do(msgspec.structs.replace(report, client_id=client_id, copy=True))


def _leg_words(fill: LegFill) -> Iterator[str]:
    """What kind of fill it is; a repair is called one."""
    yield f"leg {fill.leg_index + 1} of pair trade {fill.trade_id}"
    if fill.unwinds:
        yield "repair: unwind"
    elif not fill.first:
        yield "repair: re-hedge"
    if fill.lots < 0:
        yield f"the venue took back {fill.exec_ref_id}"
