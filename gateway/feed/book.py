"""One instrument's book, and whether it may be traded on.

A snapshot replaces the book. An increment is applied only when its RptSeq(83) follows the book's own; otherwise the book
is in GAP: it shows no levels, keeps later increments, and wants a snapshot. A snapshot makes it whole: kept increments
at or below its RptSeq are dropped, the rest are applied if they follow without a hole. What a venue cannot mean (a
level that does not exist, a size of zero or less) makes the book BAD until a snapshot.

What can go wrong: where the dialect has no RptSeq, only the session's own sequence tells of a loss; the FIX engine then
withholds later messages until the missing ones are resent, so an increment that arrives is the next one.
"""

from gateway.model.quote import (
    BookIncrement,
    BookSnapshot,
    BookState,
    LevelChange,
    Levels,
    MdAction,
    MdSide,
    Quote,
    StatusChange,
    TradingStatus,
)

SHUT_STATUSES = frozenset({TradingStatus.HALT, TradingStatus.NOT_AVAILABLE, TradingStatus.PRE_OPEN})
_NEEDS_SNAPSHOT = frozenset({BookState.EMPTY, BookState.GAP, BookState.BAD, BookState.DOWN})


class Book:
    """The book of `instrument_id`, up to `depth` levels a side.

    `kept_limit` bounds the increments kept during a gap; beyond it the oldest are dropped, and the snapshot that then
    comes is either later than them or leaves the book in GAP.
    """

    def __init__(self, instrument_id: str, depth: int, kept_limit: int) -> None:
        self.instrument_id = instrument_id
        self.gaps = 0
        self.repaired = 0
        self.lost = 0
        self._depth = depth
        self._kept_limit = kept_limit
        self._kept: list[BookIncrement] = []
        self._condition = BookState.EMPTY
        self._detail = "no snapshot yet"
        self._bids: list[tuple[int, int]] = []
        self._asks: list[tuple[int, int]] = []
        self._rpt_seq = 0
        self._status: TradingStatus | None = None
        self._high_limit_ticks: int | None = None
        self._low_limit_ticks: int | None = None
        self._last_px_ticks: int | None = None
        self._last_qty_lots = 0

    @property
    def needs_snapshot(self) -> bool:
        """True while only a snapshot makes it whole."""
        return self._condition in _NEEDS_SNAPSHOT

    def on_snapshot(self, event: BookSnapshot) -> None:
        """Take the whole book; in a gap, go on with the increments that were kept."""
        if self._condition is not BookState.OK and event.rpt_seq and event.rpt_seq < self._rpt_seq:
            return  # an answer older than what the book already held before the gap
        if self._condition is BookState.GAP:
            self.repaired += 1
        elif event.rpt_seq > self._rpt_seq + 1 and self._rpt_seq:
            self.lost += event.rpt_seq - self._rpt_seq - 1
        self._bids = list(event.bids[: self._depth])
        self._asks = list(event.asks[: self._depth])
        self._rpt_seq = event.rpt_seq
        self._condition, self._detail = BookState.OK, ""
        self._note_limits(event.high_limit_ticks, event.low_limit_ticks)
        self._note_trade(event.last_px_ticks, event.last_qty_lots)
        kept, self._kept = self._kept, []
        for increment in kept:
            if increment.rpt_seq > self._rpt_seq:
                self.on_increment(increment)

    def on_increment(self, event: BookIncrement) -> None:
        """Apply the changes if they follow; else keep them and wait for a snapshot."""
        if self._condition in _NEEDS_SNAPSHOT:
            self._keep(event)
            return
        expected = self._rpt_seq + 1
        if event.rpt_seq and event.rpt_seq != expected:
            if event.rpt_seq < expected:
                return  # a duplicate or a late packet: its changes are in the book
            self._open_gap(expected, event)
            return
        for change in event.changes:
            if not self._apply(change):
                return
        self._rpt_seq = event.rpt_seq
        self._note_trade(event.last_px_ticks, event.last_qty_lots)

    def on_status(self, event: StatusChange) -> None:
        self._status = event.status
        self._note_limits(event.high_limit_ticks, event.low_limit_ticks)

    def on_bad(self, reason: str) -> None:
        """A message about this instrument could not be used, so the book may be wrong."""
        self._condition, self._detail = BookState.BAD, reason
        self._clear()

    def on_session(self, *, up: bool) -> None:
        """The market-data session came up or went down: what was known is not the book any more."""
        self._condition = BookState.EMPTY if up else BookState.DOWN
        self._detail = "no snapshot since logon" if up else "market-data session is down"
        self._clear()
        self._kept.clear()
        self._rpt_seq = 0
        self._status = None

    def quote(self, recv_ns: int, venue_ns: int, pub_ns: int, msg_seq_num: int) -> Quote:
        """The book as it stands, with its verdict."""
        state, detail = self._verdict()
        return Quote(
            self.instrument_id,
            state,
            tuple(self._bids),
            tuple(self._asks),
            recv_ns,
            venue_ns,
            pub_ns,
            msg_seq_num,
            self._rpt_seq,
            0,
            0,
            self._last_px_ticks,
            self._last_qty_lots,
            detail,
        )

    def _verdict(self) -> tuple[BookState, str]:
        if self._condition is not BookState.OK:
            return self._condition, self._detail
        if self._status in SHUT_STATUSES:
            return BookState.SHUT, f"SecurityTradingStatus(326)={self._status}"
        if not self._bids or not self._asks:
            return self._one_sided()
        if self._bids[0][0] >= self._asks[0][0]:
            return BookState.CROSSED, f"bid {self._bids[0][0]} ask {self._asks[0][0]} ticks"
        return BookState.OK, ""

    def _one_sided(self) -> tuple[BookState, str]:
        if self._bids and self._bids[0][0] == self._high_limit_ticks:
            return BookState.LIMIT_LOCKED, f"bid at the high limit {self._high_limit_ticks} ticks, no ask"
        if self._asks and self._asks[0][0] == self._low_limit_ticks:
            return BookState.LIMIT_LOCKED, f"ask at the low limit {self._low_limit_ticks} ticks, no bid"
        return BookState.ONE_SIDED, f"{len(self._bids)} bid and {len(self._asks)} ask levels"

    def _open_gap(self, expected: int, event: BookIncrement) -> None:
        self.gaps += 1
        self.lost += event.rpt_seq - expected
        self._condition = BookState.GAP
        self._detail = f"RptSeq(83) {event.rpt_seq} came, {expected} was due"
        self._clear()
        self._keep(event)

    def _keep(self, event: BookIncrement) -> None:
        self._kept.append(event)
        if len(self._kept) > self._kept_limit:
            del self._kept[0]

    def _apply(self, change: LevelChange) -> bool:
        side = self._bids if change.side is MdSide.BID else self._asks
        at = change.position - 1
        last = len(side) if change.action is MdAction.NEW else len(side) - 1
        if not 0 <= at <= last:
            self.on_bad(f"MDEntryPositionNo(290) {change.position} of {len(side)} levels, MDUpdateAction(279)={change.action}")
            return False
        if change.action is MdAction.DELETE:
            del side[at]
            return True
        if change.qty_lots <= 0:
            self.on_bad(f"MDEntrySize(271) {change.qty_lots} is not above 0")
            return False
        if change.action is MdAction.NEW:
            side.insert(at, (change.px_ticks, change.qty_lots))
            del side[self._depth :]
        else:
            side[at] = (change.px_ticks, change.qty_lots)
        return True

    def _note_limits(self, high_ticks: int | None, low_ticks: int | None) -> None:
        if high_ticks is not None:
            self._high_limit_ticks = high_ticks
        if low_ticks is not None:
            self._low_limit_ticks = low_ticks

    def _note_trade(self, px_ticks: int | None, qty_lots: int) -> None:
        if px_ticks is not None:
            self._last_px_ticks, self._last_qty_lots = px_ticks, qty_lots

    def _clear(self) -> None:
        self._bids.clear()
        self._asks.clear()


def total(levels: Levels) -> int:
    """Lots on these levels together."""
    return sum(qty_lots for _, qty_lots in levels)
