"""What goes into a venue and what comes out of it: plain values, no FIX, no I/O.

Enumerations are the characters of FIX, because both dialects share them; prices that come in are exact decimals (so
that an off-tick price can be refused as a venue refuses it), prices of market data are whole ticks. Times are
nanoseconds on one monotonic clock; the venue's own clock is put on by the dialect.
"""

from decimal import Decimal
from typing import NamedTuple

Levels = tuple[tuple[int, int], ...]
"""Price levels best first: (px_ticks, qty_lots)."""

BUY = "1"
SELL = "2"

MARKET = "1"
LIMIT = "2"

DAY = "0"
GTC = "1"
IOC = "3"
FOK = "4"
GTD = "6"
"""Good till a date: the tape has one day, and at its close the order ends as one of the day does."""

NO_EFFECT = ""
OPEN = "O"
CLOSE = "C"
CLOSE_TODAY = "T"

NEW = "0"
PARTIALLY_FILLED = "1"
FILLED = "2"
CANCELED = "4"
REPLACED = "5"
REJECTED = "8"
EXPIRED = "C"
TRADE = "F"
TRADE_CORRECT = "G"
TRADE_CANCEL = "H"
ORDER_STATUS = "I"

HALT = "2"
RESUME = "3"
READY = "17"
CLOSED = "18"
AUCTION = "21"


class NewOrder(NamedTuple):
    """NewOrderSingle(35=D). `qty` is exact, so that half a lot can be refused; `px` is None for a market order."""

    cl_ord_id: str
    account: str
    symbol: str
    side: str
    qty: Decimal
    px: Decimal | None
    ord_type: str = LIMIT
    time_in_force: str = DAY
    position_effect: str = NO_EFFECT
    hedge_flag: str = ""


class CancelOrder(NamedTuple):
    """OrderCancelRequest(35=F)."""

    cl_ord_id: str
    orig_cl_ord_id: str


class ReplaceOrder(NamedTuple):
    """OrderCancelReplaceRequest(35=G). `qty` is the new total quantity, what was filled included."""

    cl_ord_id: str
    orig_cl_ord_id: str
    qty: Decimal
    px: Decimal | None
    ord_type: str = LIMIT
    time_in_force: str = DAY


class Report(NamedTuple):
    """ExecutionReport(35=8) in the words of 4.4; the 4.2 dialect translates.

    `leaves_qty` and `cum_qty` are the order's at the moment of the event, however late the report leaves the venue.
    """

    at_ns: int
    account: str
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    exec_id: str
    exec_type: str
    ord_status: str
    symbol: str
    side: str
    order_qty: int
    ord_type: str
    px: Decimal | None
    time_in_force: str
    position_effect: str
    hedge_flag: str
    leaves_qty: int
    cum_qty: int
    avg_px: Decimal
    trade_date: str
    last_qty: int = 0
    last_px: Decimal | None = None
    text: str = ""
    rej_reason: str = ""
    """OrdRejReason(103)."""
    exec_ref_id: str = ""
    ord_status_req_id: str = ""
    mass_status_req_id: str = ""
    tot_num_reports: int | None = None
    last_rpt_requested: bool = False
    copy_only: bool = False
    """It leaves by the drop copy alone."""


class CancelReject(NamedTuple):
    """OrderCancelReject(35=9). `response_to` is CxlRejResponseTo(434), `reason` CxlRejReason(102) of 4.4."""

    at_ns: int
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: str
    response_to: str
    reason: str
    text: str


class MassCancelReport(NamedTuple):
    """OrderMassCancelReport(35=r). `response` is MassCancelResponse(531): the request type, or "0" when refused."""

    at_ns: int
    order_id: str
    cl_ord_id: str
    request_type: str
    response: str
    affected: int
    text: str = ""


class PositionsAck(NamedTuple):
    """RequestForPositionsAck(35=AO): so many reports follow."""

    at_ns: int
    rpt_id: str
    req_id: str
    account: str
    total: int


class PositionTold(NamedTuple):
    """PositionReport(35=AP): what the account holds of one instrument, lots."""

    at_ns: int
    rpt_id: str
    req_id: str
    account: str
    symbol: str
    long_today: int
    long_earlier: int
    short_today: int
    short_earlier: int
    hedge_flag: str
    trade_date: str
    total: int


class MdEntry(NamedTuple):
    """One change of a published book: `action` is MDUpdateAction(279), `kind` MDEntryType(269).

    `position` counts from 1; it is 0 for a trade, which has no place in the book.
    """

    action: str
    kind: str
    position: int
    px_ticks: int
    qty_lots: int


class MdSnapshot(NamedTuple):
    """The whole published book of one instrument (35=W)."""

    at_ns: int
    symbol: str
    rpt_seq: int
    bids: Levels
    asks: Levels
    last_px_ticks: int | None
    last_qty_lots: int
    lost: bool = False
    """A gap that shows in MsgSeqNum(34): the message takes a number and does not arrive."""


class MdIncrement(NamedTuple):
    """What changed in the published book of one instrument (35=X)."""

    at_ns: int
    symbol: str
    rpt_seq: int
    entries: tuple[MdEntry, ...]
    lost: bool = False


class MdStatus(NamedTuple):
    """SecurityTradingStatus(326) of one instrument (35=f)."""

    at_ns: int
    symbol: str
    status: str


class MdSession(NamedTuple):
    """TradSesStatus(340) of all instruments of a segment, or with an empty segment of the venue (35=h)."""

    at_ns: int
    status: str
    segment: str = ""


class Drop(NamedTuple):
    """The venue cuts a connection (`session`: "md", "orders", "both") and refuses logons until `refuse_until_ns`."""

    at_ns: int
    session: str
    refuse_until_ns: int


OrderAnswer = Report | CancelReject | MassCancelReport | PositionsAck | PositionTold
MarketData = MdSnapshot | MdIncrement | MdStatus | MdSession
VenueEvent = OrderAnswer | MarketData | Drop
