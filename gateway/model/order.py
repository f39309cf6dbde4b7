"""Orders and what venues say about them, in FIX's words. Values of the enums are the FIX characters."""

from enum import StrEnum

from gateway.model.base import Message
from gateway.model.position import PositionLine, PositionsAcked


class Side(StrEnum):
    """Side(54)."""

    BUY = "1"
    SELL = "2"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: lots bought times sign is the change of the position."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class OrdType(StrEnum):
    """OrdType(40)."""

    MARKET = "1"
    LIMIT = "2"


class TimeInForce(StrEnum):
    """TimeInForce(59)."""

    DAY = "0"
    GTC = "1"
    IOC = "3"
    """What Chinese venues call FAK."""
    FOK = "4"
    GTD = "6"
    """Good till a date, which the site gives for the session (ExpireDate(432))."""


class PositionEffect(StrEnum):
    """PositionEffect(77), with close-today, for which FIX has no value and each dialect a field of its own."""

    NONE = ""
    OPEN = "O"
    CLOSE = "C"
    """On a venue that tells today from yesterday: yesterday's."""
    CLOSE_TODAY = "T"


class OrdStatus(StrEnum):
    """OrdStatus(39)."""

    NEW = "0"
    PARTIALLY_FILLED = "1"
    FILLED = "2"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    PENDING_REPLACE = "E"


class ExecType(StrEnum):
    """ExecType(150) as FIX 4.4 has it; a 4.2 dialect is translated (fills 1 and 2 to F, ExecTransType(20) to G, H, I).

    UNKNOWN stands for a value that is not in the standard: it is journalled and alarmed, never guessed.
    """

    NEW = "0"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    RESTATED = "D"
    PENDING_REPLACE = "E"
    TRADE = "F"
    TRADE_CORRECT = "G"
    TRADE_CANCEL = "H"
    ORDER_STATUS = "I"
    UNKNOWN = "?"


class Order(Message):
    """One order as we send it. `px_ticks` is the limit price; None for a market order."""

    cl_ord_id: str
    venue_id: str
    account: str
    instrument_id: str
    side: Side
    qty_lots: int
    ord_type: OrdType
    px_ticks: int | None
    time_in_force: TimeInForce
    position_effect: PositionEffect = PositionEffect.NONE
    hedge_flag: str = ""


class ExecutionReport(Message):
    """35=8, normalised. Quantities are lots; `last_px` and `avg_px` are the venue's exact decimals as text.

    `exec_key` identifies a fill as the venue's dialect declares it (venue, account, trade date, side, ExecID, say), so
    that one that arrives twice counts once; it is empty on a report that is no fill. `last_px_ticks` is None when
    LastPx(31) is off tick: the quantity counts all the same.
    """

    venue_id: str
    recv_ns: int
    venue_ns: int
    """TransactTime(60), or SendingTime(52) where it is absent."""
    msg_seq_num: int
    poss_dup: bool
    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str
    exec_id: str
    exec_key: str
    exec_ref_id: str
    """ExecRefID(19): the fill that a correction or a bust names."""
    exec_type: ExecType
    ord_status: OrdStatus | None
    """None when OrdStatus(39) is not in the standard."""
    instrument_id: str
    side: Side | None
    order_qty_lots: int
    last_qty_lots: int
    last_px: str
    last_px_ticks: int | None
    cum_qty_lots: int
    leaves_qty_lots: int
    avg_px: str
    text: str = ""
    reason: str = ""
    """OrdRejReason(103) of a reject, as the venue wrote it."""
    ref_exec_key: str = ""
    """On a bust or a correction: the key of the fill that it takes back."""
    trade_date: str = ""
    """TradeDate(75), YYYYMMDD: the trading day that a fill belongs to, empty where the venue does not say."""
    copied: bool = False
    """It came by the venue's drop copy: of an order of ours a second telling, or of an order that is not ours."""


class CancelRejected(Message):
    """35=9. `response_to` is CxlRejResponseTo(434): "1" a cancel, "2" a replace; `reason` is CxlRejReason(102)."""

    venue_id: str
    recv_ns: int
    msg_seq_num: int
    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str
    ord_status: OrdStatus | None
    response_to: str
    reason: str
    text: str


class MassCancelReported(Message):
    """35=r. `affected` is TotalAffectedOrders(533), `response` is MassCancelResponse(531), "0" when refused."""

    venue_id: str
    recv_ns: int
    cl_ord_id: str
    response: str
    affected: int
    text: str


class MessageRejected(Message):
    """35=3 or 35=j: the venue refuses a message of ours as such. `ref_seq_num` is RefSeqNum(45)."""

    venue_id: str
    recv_ns: int
    ref_seq_num: int
    ref_msg_type: str
    cl_ord_id: str
    """Known by MsgSeqNum(34) of what we sent, or by BusinessRejectRefID(379); empty when neither tells."""
    reason: str
    text: str


class BadOrderMessage(Message):
    """A message on an order session that cannot be used: told, journalled, alarmed, never guessed."""

    venue_id: str
    recv_ns: int
    msg_seq_num: int
    msg_type: str
    cl_ord_id: str
    reason: str


class SessionChanged(Message):
    """A FIX session came up or went down. `gap` tells that numbers were reset or lost on either side."""

    venue_id: str
    session: str
    """"orders" or "drop_copy"."""
    up: bool
    at_ns: int
    detail: str = ""


OrderEvent = (
    ExecutionReport
    | CancelRejected
    | MassCancelReported
    | MessageRejected
    | BadOrderMessage
    | PositionsAcked
    | PositionLine
)
