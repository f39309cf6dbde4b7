"""What a venue says of a market, normalised, and the quote that the feed makes of it.

All prices are whole ticks, all sizes whole lots, all times integer nanoseconds. `recv_ns`, `pub_ns` and `calibrated_ns`
are on this host's monotonic clock; `venue_ns` is what the venue wrote, as nanoseconds since 1970 UTC on its own clock.
"""

from enum import StrEnum

from gateway.model.base import Message

Levels = tuple[tuple[int, int], ...]
"""Price levels best first: (px_ticks, qty_lots)."""


class BookState(StrEnum):
    """Whether a book may be traded on, and if not, why. One verdict, in this order of precedence."""

    OK = "ok"
    EMPTY = "empty"
    """Nothing was received for it yet on this session."""
    DOWN = "down"
    """Its market-data session is not logged on."""
    GAP = "gap"
    """A message was missed; the book is wrong until a snapshot or a replay makes it whole."""
    BAD = "bad"
    """The venue said something that cannot be (off tick, a negative size, an unknown level)."""
    SHUT = "shut"
    """The venue says that it is not trading: halt, auction, break, close."""
    ONE_SIDED = "one_sided"
    CROSSED = "crossed"
    """Best bid at or above best ask."""
    LIMIT_LOCKED = "limit_locked"
    """One side stands at the day's price limit and the other is empty."""
    STALE = "stale"
    """Silent for longer than is normal for it (gateway/feed/freshness.py)."""


class TradingStatus(StrEnum):
    """SecurityTradingStatus(326), the values that venues of this product send."""

    HALT = "2"
    RESUME = "3"
    READY = "17"
    NOT_AVAILABLE = "18"
    PRE_OPEN = "21"


class MdAction(StrEnum):
    """MDUpdateAction(279)."""

    NEW = "0"
    CHANGE = "1"
    DELETE = "2"


class MdSide(StrEnum):
    """MDEntryType(269) of a price level."""

    BID = "0"
    OFFER = "1"


class BookSnapshot(Message):
    """35=W: the whole book of one instrument. `rpt_seq` is RptSeq(83), 0 where the dialect has none."""

    instrument_id: str
    recv_ns: int
    venue_ns: int
    msg_seq_num: int
    rpt_seq: int
    bids: Levels
    asks: Levels
    last_px_ticks: int | None = None
    last_qty_lots: int = 0
    high_limit_ticks: int | None = None
    low_limit_ticks: int | None = None


class LevelChange(Message):
    """One entry of 35=X. `position` is MDEntryPositionNo(290), 1 for the best."""

    action: MdAction
    side: MdSide
    position: int
    px_ticks: int
    qty_lots: int


class BookIncrement(Message):
    """35=X for one instrument, its entries in the order of the message."""

    instrument_id: str
    recv_ns: int
    venue_ns: int
    msg_seq_num: int
    rpt_seq: int
    changes: tuple[LevelChange, ...]
    last_px_ticks: int | None = None
    last_qty_lots: int = 0


class StatusChange(Message):
    """35=f: SecurityStatus of one instrument; with `of_session`, 35=h: what its market segment does as a whole."""

    instrument_id: str
    recv_ns: int
    venue_ns: int
    msg_seq_num: int
    status: TradingStatus
    high_limit_ticks: int | None = None
    low_limit_ticks: int | None = None
    of_session: bool = False


class MdRejected(Message):
    """35=Y: the venue refuses a market-data request. `reason` is MDReqRejReason(281), `text` is Text(58)."""

    venue_id: str
    recv_ns: int
    md_req_id: str
    reason: str
    text: str


class BadMarketData(Message):
    """A market-data message that cannot be used. `instrument_id` is empty where it names none of ours."""

    venue_id: str
    instrument_id: str
    recv_ns: int
    msg_seq_num: int
    reason: str
    """Names the tag, the value and what would be right."""
    suspect: bool = True
    """Without an instrument: it may have been about one of ours. False: it plainly names another."""


MarketEvent = BookSnapshot | BookIncrement | StatusChange | MdRejected | BadMarketData


class Quote(Message):
    """The book of one instrument after an event, as published by the feed.

    `calibrated_ns` is the venue's time on our clock with error bound `bound_ns`; both are 0 until the clock of the
    session is calibrated. `msg_seq_num` is MsgSeqNum(34) of the message that caused it.
    """

    instrument_id: str
    state: BookState
    bids: Levels
    asks: Levels
    recv_ns: int
    venue_ns: int
    pub_ns: int
    msg_seq_num: int
    rpt_seq: int = 0
    calibrated_ns: int = 0
    bound_ns: int = 0
    last_px_ticks: int | None = None
    last_qty_lots: int = 0
    detail: str = ""
    """With a state other than ok: the figures that explain it."""
