"""Writes what a client is told in the words of its FIX version: the text of a message, without what QuickFIX adds.

FIX 4.2 has no trade of its own among ExecType(150): a fill is 1 or 2 there, and ExecTransType(20) says what kind of
report it is. Groups stand before fields: QuickFIX drops the last entry of a group that ends the text it parses.
"""

from collections.abc import Iterable
from functools import lru_cache

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
_FILLS = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})
_NOT_IN_42 = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT, ExecType.ORDER_STATUS})

PRICES_KEPT = 4096
_price_text = lru_cache(PRICES_KEPT)(price_text)
"""Limits of orders repeat."""

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
        """ExecutionReport(35=8). The way of every acknowledgement: one text, nothing looked up by name."""
        price, expires = one.price_e9, one.expire_utc_ns
        parts = (
            f"35=8\x0137={one.order_id}\x01",
            f"11={one.cl_ord_id}\x01" if one.cl_ord_id else "",
            f"41={one.orig_cl_ord_id}\x01" if one.orig_cl_ord_id else "",
            f"17={one.exec_id}\x01",
            f"19={one.exec_ref_id}\x01" if one.exec_ref_id else "",
            f"150={self._exec_type(one)}\x0139={one.ord_status}\x01",
            f"103={one.ord_rej_reason}\x01" if one.ord_rej_reason else "",
            f"378={one.restatement}\x01" if one.restatement else "",
            f"1={plain(one.account)}\x01" if one.account else "",
            f"55={plain(one.symbol)}\x01" if one.symbol else "",
            f"54={one.side}\x0138={one.order_qty}\x01",
            f"40=2\x0144={_price_text(price)}\x01" if price is not None else "",
            f"59={one.time_in_force}\x01" if one.time_in_force else "",
            f"126={self.stamp(expires)}\x01" if expires else "",
            f"32={one.last_qty}\x0131={one.last_px_text or price_text(one.last_px_e9)}\x01"
            if one.exec_type in _FILLS
            else "",
            f"151={one.leaves_qty}\x0114={one.cum_qty}\x016={_price_text(one.avg_px_e9)}\x01",
            f"75={one.trade_date}\x01" if one.trade_date else "",
            f"60={self.stamp(one.utc_ns)}\x01442={one.multileg}\x01",
            f"58={plain(one.text)}\x01" if one.text else "",
            self._only_42(one) if self._is_42 else self._since_43(one),
        )
        return "".join(parts)

    def _exec_type(self, one: ClientReport) -> str:
        if not self._is_42 or one.exec_type not in _NOT_IN_42:
            return one.exec_type
        if one.exec_type is ExecType.TRADE:
            return "2" if one.ord_status is OrdStatus.FILLED else "1"
        return one.ord_status

    def _only_42(self, one: ClientReport) -> str:
        return f"{tags.EXEC_TRANS_TYPE}={_TRANS.get(one.exec_type, '0')}{SOH}"

    def _since_43(self, one: ClientReport) -> str:
        if not (one.secondary_exec_id or one.request_id or one.mass or one.copy):
            return ""
        fields: Pairs = (
            (tags.SECONDARY_EXEC_ID, plain(one.secondary_exec_id)),
            (tags.ORD_STATUS_REQ_ID, one.request_id if not one.mass else ""),
            (tags.MASS_STATUS_REQ_ID, one.request_id if one.mass else ""),
            (tags.TOT_NUM_REPORTS, one.of if one.mass else ""),
            (tags.LAST_RPT_REQUESTED, ("Y" if one.last else "N") if one.mass else ""),
            (tags.COPY_MSG_INDICATOR, "Y" if one.copy else ""),
        )
        return "".join([f"{tag}={value}{SOH}" for tag, value in fields if value != ""])

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
