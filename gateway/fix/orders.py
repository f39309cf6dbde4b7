"""Turns the raw text of a message on an order session into an event of `gateway.model.order`.

Decides what the venue's words are in ours: quantities in lots, ExecType(150) as FIX 4.4 has it, the key by which a fill
is counted once. Does not decide what an order's state then is (`gateway.execution`). Nothing is guessed and nothing
raises: what cannot be used becomes `BadOrderMessage`. One exception, on purpose: an execution counts whatever its
LastPx(31) says; off tick or unreadable it is kept as text with `last_px_ticks` None.
"""

from collections.abc import Callable, Mapping

from gateway.fix import tags
from gateway.fix.dialect import Dialect
from gateway.fix.instrument_key import InstrumentKeys
from gateway.fix.positions import POSITION_TYPES, PositionDecoder
from gateway.fix.scan import MAX_CHARACTERS, BadField, Fields, Prices, Sizes, Stamps, need, scan, whole
from gateway.model.instrument import Instrument
from gateway.model.order import (
    BadOrderMessage,
    CancelRejected,
    ExecType,
    ExecutionReport,
    MassCancelReported,
    MessageRejected,
    OrderEvent,
    OrdStatus,
    Side,
)

_STATUSES = {status.value: status for status in OrdStatus}
_SIDES = {side.value: side for side in Side}
_TAKEN_BACK = frozenset((ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL))
_FILLS = frozenset((ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL))
_SIZED = frozenset((ExecType.TRADE, ExecType.TRADE_CORRECT))
"""What says how many lots are filled: without LastQty(32) it would have to be guessed."""
_SESSION_TYPES = frozenset("01245A")


def _unknown(_seq_num: int) -> str:
    return ""


class OrderDecoder:
    """Decodes one venue's order session; `instruments` by Symbol(55).

    `cl_ord_id_of` gives the ClOrdID(11) of a message of ours by its MsgSeqNum(34), for rejects that name no other.
    `copied`: the session is the venue's drop copy, all that comes on it is told a second time.
    """

    def __init__(
        self,
        dialect: Dialect,
        venue_id: str,
        instruments: Mapping[str, Instrument],
        cl_ord_id_of: Callable[[int], str] = _unknown,
        *,
        copied: bool = False,
    ) -> None:
        self._dialect = dialect
        self._positions = PositionDecoder(dialect, venue_id, instruments)
        self._copied = copied
        self._venue_id = venue_id
        self._keys = InstrumentKeys(dialect, venue_id, instruments)
        self._prices = {key: Prices(instrument) for key, instrument in self._keys.by_key.items()}
        self._cl_ord_id_of = cl_ord_id_of
        self._sizes = Sizes()
        self._stamps = Stamps(dialect.utc_offset_ns)

    def decode(self, raw: str, recv_ns: int) -> OrderEvent | None:
        """The event of one message; None for messages of the session itself."""
        fields: Fields = {}
        try:
            if len(raw) > MAX_CHARACTERS:
                raise BadField("a message", f"of {len(raw)} characters", f"at most {MAX_CHARACTERS}")  # noqa: TRY301
            fields = scan(raw)
            msg_type = need(fields, tags.MSG_TYPE, "MsgType")
            seq_num = whole(need(fields, tags.MSG_SEQ_NUM, "MsgSeqNum"), "MsgSeqNum(34)")
            if msg_type == tags.MsgType.EXECUTION_REPORT:
                return self._execution(fields, recv_ns, seq_num)
            if msg_type in POSITION_TYPES:
                return self._positions.decode(msg_type, raw, recv_ns)
            return self._other(fields, recv_ns, msg_type, seq_num)
        except BadField as error:
            return self._bad(fields, recv_ns, str(error))

    def _other(self, fields: Fields, recv_ns: int, msg_type: str, seq_num: int) -> OrderEvent | None:
        if msg_type == tags.MsgType.ORDER_CANCEL_REJECT:
            return self._cancel_rejected(fields, recv_ns, seq_num)
        if msg_type == tags.MsgType.ORDER_MASS_CANCEL_REPORT:
            return self._mass_cancelled(fields, recv_ns)
        if msg_type in (tags.MsgType.REJECT, tags.MsgType.BUSINESS_MESSAGE_REJECT):
            return self._rejected(fields, recv_ns, msg_type)
        if msg_type in _SESSION_TYPES:
            return None
        raise BadField("MsgType(35)", msg_type, "8, 9, r, j or 3 on this session; AO or AP of positions")

    def _execution(self, fields: Fields, recv_ns: int, seq_num: int) -> ExecutionReport:
        get = fields.get
        exec_type = self._exec_type(fields)
        prices = self._prices_of(fields)
        is_fill = exec_type in _FILLS
        side = get(tags.SIDE)
        if side is not None and side not in _SIDES:
            raise BadField("Side(54)", side, "1 buy or 2 sell")
        last_qty_lots = self._lots(fields, tags.LAST_QTY, "LastQty", required=exec_type in _SIZED)
        last_px, avg_px = get(tags.LAST_PX, ""), get(tags.AVG_PX, "")
        return ExecutionReport(
            venue_id=self._venue_id,
            recv_ns=recv_ns,
            venue_ns=self._venue_ns(fields),
            msg_seq_num=seq_num,
            poss_dup=get(tags.POSS_DUP_FLAG) == "Y",
            cl_ord_id=get(tags.CL_ORD_ID, ""),
            orig_cl_ord_id=get(tags.ORIG_CL_ORD_ID, ""),
            order_id=need(fields, tags.ORDER_ID, "OrderID"),
            exec_id=need(fields, tags.EXEC_ID, "ExecID"),
            exec_key=self._exec_key(fields, prices) if is_fill else "",
            exec_ref_id=get(tags.EXEC_REF_ID, ""),
            exec_type=exec_type,
            ord_status=_STATUSES.get(need(fields, tags.ORD_STATUS, "OrdStatus")),
            instrument_id="" if prices is None else prices.instrument.instrument_id,
            side=None if side is None else _SIDES[side],
            order_qty_lots=self._lots(fields, tags.ORDER_QTY, "OrderQty", required=False),
            last_qty_lots=last_qty_lots,
            last_px=last_px if prices is None else prices.instrument.our_price(last_px),
            last_px_ticks=_ticks_or_none(prices, last_px) if last_qty_lots or is_fill else None,
            cum_qty_lots=self._lots(fields, tags.CUM_QTY, "CumQty", required=True),
            leaves_qty_lots=self._lots(fields, tags.LEAVES_QTY, "LeavesQty", required=True),
            avg_px=avg_px if prices is None else prices.instrument.our_price(avg_px),
            text=get(tags.TEXT, ""),
            reason=get(tags.ORD_REJ_REASON, ""),
            ref_exec_key=self._ref_exec_key(fields, prices, exec_type),
            trade_date=get(tags.TRADE_DATE, ""),
            copied=self._copied or get(tags.COPY_MSG_INDICATOR) == "Y",
        )

    def _exec_type(self, fields: Fields) -> ExecType:
        """ExecType(150) as 4.4 has it; where the dialect has ExecTransType(20), that one first."""
        text = need(fields, tags.EXEC_TYPE, "ExecType")
        transactions = self._dialect.exec_trans_types
        if transactions:
            transaction = need(fields, tags.EXEC_TRANS_TYPE, "ExecTransType")
            if transaction not in transactions:
                raise BadField("ExecTransType(20)", transaction, f"one of {', '.join(transactions)}")
            decided = transactions[transaction]
            if decided is not None:
                return decided
        return self._dialect.exec_types.get(text, ExecType.UNKNOWN)

    def _prices_of(self, fields: Fields) -> Prices | None:
        """None where the report names no symbol: what is answered about an order that the venue does not know."""
        if tags.SYMBOL not in fields:
            return None
        prices = self._prices.get(self._keys.key(fields))
        if prices is None:
            raise self._keys.unknown(fields)
        return prices

    def _ref_exec_key(self, fields: Fields, prices: Prices | None, exec_type: ExecType) -> str:
        """On a bust or a correction: the key of the fill that ExecRefID(19) names, of the same day and side."""
        if exec_type not in _TAKEN_BACK:
            return ""
        named = need(fields, tags.EXEC_REF_ID, "ExecRefID")
        return self._exec_key({**fields, tags.EXEC_ID: named}, prices)

    def _exec_key(self, fields: Fields, prices: Prices | None) -> str:
        parts = []
        for part in self._dialect.exec_key:
            if part == "venue":
                parts.append(self._venue_id)
            elif part == "account":
                default = "" if prices is None else prices.instrument.account
                parts.append(fields.get(tags.ACCOUNT, default))
            else:
                parts.append(need(fields, part, self._dialect.dictionary.fields[part].name))
        return "|".join(parts)

    def _lots(self, fields: Fields, tag: str, name: str, *, required: bool) -> int:
        text = fields.get(tag)
        if text is None and not required:
            return 0
        return self._sizes.lots(need(fields, tag, name), f"{name}({tag})")

    def _venue_ns(self, fields: Fields) -> int:
        stamp = fields.get(tags.TRANSACT_TIME)
        if stamp is not None:
            return self._stamps.ns(stamp, "TransactTime(60)")
        return self._stamps.ns(need(fields, tags.SENDING_TIME, "SendingTime"), "SendingTime(52)")

    def _cancel_rejected(self, fields: Fields, recv_ns: int, seq_num: int) -> CancelRejected:
        return CancelRejected(
            self._venue_id,
            recv_ns,
            seq_num,
            need(fields, tags.CL_ORD_ID, "ClOrdID"),
            fields.get(tags.ORIG_CL_ORD_ID, ""),
            fields.get(tags.ORDER_ID, ""),
            _STATUSES.get(fields.get(tags.ORD_STATUS, "")),
            fields.get(tags.CXL_REJ_RESPONSE_TO, ""),
            fields.get(tags.CXL_REJ_REASON, ""),
            fields.get(tags.TEXT, ""),
        )

    def _mass_cancelled(self, fields: Fields, recv_ns: int) -> MassCancelReported:
        return MassCancelReported(
            self._venue_id,
            recv_ns,
            fields.get(tags.CL_ORD_ID, ""),
            need(fields, tags.MASS_CANCEL_RESPONSE, "MassCancelResponse"),
            self._lots(fields, tags.TOTAL_AFFECTED_ORDERS, "TotalAffectedOrders", required=False),
            fields.get(tags.TEXT, ""),
        )

    def _rejected(self, fields: Fields, recv_ns: int, msg_type: str) -> MessageRejected:
        ref = fields.get(tags.REF_SEQ_NUM, "")
        ref_seq_num = whole(ref, "RefSeqNum(45)") if ref else 0
        reason = tags.SESSION_REJECT_REASON if msg_type == tags.MsgType.REJECT else tags.BUSINESS_REJECT_REASON
        return MessageRejected(
            self._venue_id,
            recv_ns,
            ref_seq_num,
            fields.get(tags.REF_MSG_TYPE, ""),
            fields.get(tags.BUSINESS_REJECT_REF_ID) or self._cl_ord_id_of(ref_seq_num),
            fields.get(reason, ""),
            fields.get(tags.TEXT, ""),
        )

    def _bad(self, fields: Fields, recv_ns: int, reason: str) -> BadOrderMessage:
        number = fields.get(tags.MSG_SEQ_NUM, "")
        seq_num = int(number) if number.isdecimal() and number.isascii() and len(number) <= 18 else 0  # noqa: PLR2004
        msg_type, cl_ord_id = fields.get(tags.MSG_TYPE, ""), fields.get(tags.CL_ORD_ID, "")
        return BadOrderMessage(self._venue_id, recv_ns, seq_num, msg_type, cl_ord_id, reason)


def _ticks_or_none(prices: Prices | None, text: str) -> int | None:
    if prices is None:
        return None
    try:
        return prices.ticks(text, "LastPx(31)")
    except BadField:
        return None
