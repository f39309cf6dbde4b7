"""Writes what a client is told in the words of its FIX version: the text of a message, without what QuickFIX adds.

FIX 4.2 has no trade of its own among ExecType(150): a fill is 1 or 2 there, and ExecTransType(20) says what kind of
report it is. Groups stand before fields: QuickFIX drops the last entry of a group that ends the text it parses.
"""

from collections.abc import Iterable

from gateway.clients.settings import price_text
from gateway.fix import tags
from gateway.fix.encode import StampWriter
from gateway.fix.scan import SOH
from gateway.model.client import BusinessRejected, CancelRefused, ClientReport, MassCancelTold
from gateway.model.order import ExecType, OrdStatus

FIX42 = "FIX.4.2"
LONGEST_TEXT = 400
"""Characters of a Text(58)."""
_TRANS = {ExecType.TRADE_CANCEL: "1", ExecType.TRADE_CORRECT: "2", ExecType.ORDER_STATUS: "3"}
_NOT_IN_42 = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT, ExecType.ORDER_STATUS})

Pairs = Iterable[tuple[str, str | int]]


def message(msg_type: str, fields: Pairs, groups: str = "") -> str:
    """The text of a message; fields without a value are left out."""
    parts = [f"{tag}={value}{SOH}" for tag, value in fields if value != ""]
    return f"35={msg_type}{SOH}{groups}{''.join(parts)}"


def group(count_tag: str, entries: Iterable[Pairs]) -> str:
    """A repeating group: its count and its entries."""
    rows = ["".join(f"{tag}={value}{SOH}" for tag, value in entry if value != "") for entry in entries]
    return f"{count_tag}={len(rows)}{SOH}{''.join(rows)}" if rows else ""


def plain(text: str) -> str:
    """A text as it may stand in a field: printable ASCII, not too long."""
    if text.isascii() and text.isprintable():
        return text[:LONGEST_TEXT]
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in text)[:LONGEST_TEXT]


class ClientWriter:
    """Writes for one FIX version."""

    def __init__(self, begin_string: str) -> None:
        self._is_42 = begin_string == FIX42
        self._stamps = StampWriter(3 if self._is_42 else 6)

    def stamp(self, utc_ns: int) -> str:
        return self._stamps.text(utc_ns)

    def report(self, one: ClientReport) -> str:
        """ExecutionReport(35=8)."""
        return message("8", self._report_fields(one).items())

    def _report_fields(self, one: ClientReport) -> dict[str, str | int]:
        is_fill = one.exec_type in (ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)
        last_px = one.last_px_text or price_text(one.last_px_e9)
        fields: dict[str, str | int] = {
            tags.ORDER_ID: one.order_id,
            tags.CL_ORD_ID: one.cl_ord_id,
            tags.ORIG_CL_ORD_ID: one.orig_cl_ord_id,
            tags.EXEC_ID: one.exec_id,
            tags.EXEC_REF_ID: one.exec_ref_id,
            tags.EXEC_TYPE: self._exec_type(one),
            tags.ORD_STATUS: one.ord_status.value,
            tags.ORD_REJ_REASON: one.ord_rej_reason,
            tags.EXEC_RESTATEMENT_REASON: one.restatement,
            tags.ACCOUNT: plain(one.account),
            tags.SYMBOL: plain(one.symbol),
            tags.SIDE: one.side.value,
            tags.ORDER_QTY: one.order_qty,
            tags.ORD_TYPE: "2" if one.price_e9 is not None else "",
            tags.PRICE: price_text(one.price_e9) if one.price_e9 is not None else "",
            tags.TIME_IN_FORCE: one.time_in_force,
            tags.EXPIRE_TIME: self.stamp(one.expire_utc_ns) if one.expire_utc_ns else "",
            tags.LAST_QTY: one.last_qty if is_fill else "",
            tags.LAST_PX: last_px if is_fill else "",
            tags.LEAVES_QTY: one.leaves_qty,
            tags.CUM_QTY: one.cum_qty,
            tags.AVG_PX: price_text(one.avg_px_e9),
            tags.TRADE_DATE: one.trade_date,
            tags.TRANSACT_TIME: self.stamp(one.utc_ns),
            tags.MULTI_LEG_REPORTING_TYPE: one.multileg,
            tags.TEXT: plain(one.text),
        }
        return fields | (self._only_42(one) if self._is_42 else self._since_43(one))

    def _exec_type(self, one: ClientReport) -> str:
        if not self._is_42 or one.exec_type not in _NOT_IN_42:
            return one.exec_type.value
        if one.exec_type is ExecType.TRADE:
            return "2" if one.ord_status is OrdStatus.FILLED else "1"
        return one.ord_status.value

    def _only_42(self, one: ClientReport) -> dict[str, str | int]:
        return {tags.EXEC_TRANS_TYPE: _TRANS.get(one.exec_type, "0")}

    def _since_43(self, one: ClientReport) -> dict[str, str | int]:
        return {
            tags.SECONDARY_EXEC_ID: plain(one.secondary_exec_id),
            tags.ORD_STATUS_REQ_ID: one.request_id if not one.mass else "",
            tags.MASS_STATUS_REQ_ID: one.request_id if one.mass else "",
            tags.TOT_NUM_REPORTS: one.of if one.mass else "",
            tags.LAST_RPT_REQUESTED: ("Y" if one.last else "N") if one.mass else "",
            tags.COPY_MSG_INDICATOR: "Y" if one.copy else "",
        }

    def cancel_refused(self, one: CancelRefused) -> str:
        """OrderCancelReject(35=9)."""
        reason = one.reason
        if self._is_42 and reason not in ("0", "1", "2", "3"):
            reason = "2"
        fields: Pairs = (
            (tags.ORDER_ID, one.order_id),
            (tags.CL_ORD_ID, one.cl_ord_id),
            (tags.ORIG_CL_ORD_ID, one.orig_cl_ord_id),
            (tags.ORD_STATUS, one.ord_status.value),
            (tags.CXL_REJ_RESPONSE_TO, one.response_to),
            (tags.CXL_REJ_REASON, reason),
            (tags.TRANSACT_TIME, self.stamp(one.utc_ns)),
            (tags.TEXT, plain(one.text)),
        )
        return message("9", fields)

    def mass_cancel(self, one: MassCancelTold) -> str:
        """OrderMassCancelReport(35=r)."""
        fields: Pairs = (
            (tags.CL_ORD_ID, one.cl_ord_id),
            (tags.ORDER_ID, one.order_id),
            (tags.MASS_CANCEL_REQUEST_TYPE, one.request_type),
            (tags.MASS_CANCEL_RESPONSE, one.response),
            (tags.MASS_CANCEL_REJECT_REASON, one.reject_reason),
            (tags.TOTAL_AFFECTED_ORDERS, one.affected),
            (tags.SYMBOL, plain(one.symbol)),
            (tags.TEXT, plain(one.text)),
        )
        return message("r", fields)

    def business_reject(self, one: BusinessRejected) -> str:
        """BusinessMessageReject(35=j)."""
        fields: Pairs = (
            (tags.REF_SEQ_NUM, one.ref_seq_num or ""),
            (tags.REF_MSG_TYPE, one.ref_msg_type),
            (tags.BUSINESS_REJECT_REF_ID, plain(one.ref_id)),
            (tags.BUSINESS_REJECT_REASON, one.reason),
            (tags.TEXT, plain(one.text)),
        )
        return message("j", fields)
