"""One instrument's book, and whether it may be traded on.

A snapshot replaces the book. An increment is applied only when its RptSeq(83) follows the book's own; otherwise the
book is in GAP: it shows no levels, keeps later increments, and wants a snapshot. A snapshot makes it whole: kept
increments at or below its RptSeq are dropped, the rest are applied if they follow without a hole, else the book stays
in GAP and waits for a later snapshot. A missing increment that comes late makes it whole as well. What a venue cannot
mean (a level that does not exist, levels out of order, a size of zero or less) makes the book BAD until a snapshot.
When trading resumes, the book from before the halt is not today's truth any more: it is EMPTY until a snapshot.

A number that is not above the book's own is a late packet when its venue time is not later either, and changes
nothing; with a later time it is a venue that counts anew, and only a snapshot tells the book. A kept increment that is
older than the last snapshot of the same gap and yet numbered above the next one belongs to no count that goes on, and
is dropped: one garbled number cannot keep a book in GAP for ever.

A gap of the session makes a book *suspect*: it shows no levels, though it goes on by what arrives. When the venue has
sent again what was missing it is whole as it stands. Where the venue will not send it (a gap fill), a numbered book is
good again with its own next number or a snapshot, one without numbers only with a snapshot.

What can go wrong: where the dialect has no RptSeq, only the session's own sequence tells of a loss; the FIX engine then
withholds later messages until the missing ones are resent, so an increment that arrives is the next one.
"""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

from gateway.feed.freshness import FreshnessSettings, Pace
from gateway.feed.repairs import Repairs
from gateway.model.quote import (
    BookIncrement,
    BookSnapshot,
    BookState,
    LevelChange,
    MdAction,
    MdSide,
    Quote,
    StatusChange,
    TradingStatus,
)

SHUT_STATUSES = frozenset({TradingStatus.HALT, TradingStatus.NOT_AVAILABLE, TradingStatus.PRE_OPEN})
_NEEDS_SNAPSHOT = frozenset({BookState.EMPTY, BookState.GAP, BookState.BAD, BookState.DOWN})


class Book:
    """The book of `instrument_id`, up to `depth` levels a side: as many as the venue counts positions for.

    `kept_limit` bounds the increments kept during a gap; beyond it the oldest are dropped, and the snapshot that then
    comes is either later than them or leaves the book in GAP. `repairs` counts gaps and what became of them.
    """

    def __init__(self, instrument_id: str, depth: int, kept_limit: int) -> None:
        self.instrument_id = instrument_id
        self.repairs = Repairs()
        self.pace = Pace(FreshnessSettings())
        self.recv_ns = 0
        self.venue_ns = 0
        self._depth = depth
        self._kept: deque[BookIncrement] = deque(maxlen=kept_limit)
        self._condition = BookState.EMPTY
        self._detail = "no snapshot yet"
        self._suspect = ""
        self._gone = False
        self._filled: list[Quote] = []
        self._bids: list[tuple[int, int]] = []
        self._asks: list[tuple[int, int]] = []
        self._rpt_seq = 0
        self._highest_seq = 0
        self._image_ns = 0
        self._own_status: TradingStatus | None = None
        self._session_status: TradingStatus | None = None
        self._shut = ""
        self._high_limit_ticks: int | None = None
        self._low_limit_ticks: int | None = None
        self._last_px_ticks: int | None = None
        self._last_qty_lots = 0

    @property
    def needs_snapshot(self) -> bool:
        """True while only a snapshot makes it whole for certain."""
        return self._condition in _NEEDS_SNAPSHOT or self._gone

    @property
    def is_down(self) -> bool:
        """True while its session is down: nothing can be asked for."""
        return self._condition is BookState.DOWN

    def on_snapshot(self, event: BookSnapshot) -> bool:
        """Take the whole book; in a gap, go on with the increments that were kept. False when it says nothing new."""
        before = self._condition
        if before is BookState.DOWN or self._is_late(event, again=before is BookState.OK):
            return False
        self._note_number(event)
        self._note_limits(event.high_limit_ticks, event.low_limit_ticks)
        self._note_trade(event.last_px_ticks, event.last_qty_lots)
        self._bids = list(event.bids[: self._depth])
        self._asks = list(event.asks[: self._depth])
        self._rpt_seq, self.recv_ns, self.venue_ns = event.rpt_seq, event.recv_ns, event.venue_ns
        still_due = [one for one in self._kept if one.rpt_seq > event.rpt_seq and one.venue_ns >= self._image_ns]
        if self._gone:
            self._trust(event.recv_ns)
        self._make_whole(still_due, event.recv_ns)
        self._image_ns = event.venue_ns if self._condition is BookState.GAP else 0
        return True

    def on_increment(self, event: BookIncrement) -> bool:
        """Apply the changes if they follow; else wait for a snapshot. False when the book is what it was."""
        before = self._condition
        follows = not event.rpt_seq or event.rpt_seq == self._rpt_seq + 1
        if before is BookState.OK and follows:
            self._note_number(event)
            self._take(event)
            if self._gone and event.rpt_seq:
                self._trust(event.recv_ns)
            return True
        if before is BookState.DOWN or self._is_late(event, again=True):
            return False
        self._note_number(event)
        if before is BookState.GAP and follows and event.rpt_seq:
            self._make_whole([event, *self._kept], event.recv_ns)
            return self._condition is not BookState.GAP
        self._kept.append(event)
        if before is BookState.OK:
            if not self._suspect:
                self.repairs.opened(event.recv_ns)
            self._gone, self._suspect = False, ""
            self._open_gap(event.rpt_seq)
        return before is BookState.OK

    def on_status(self, event: StatusChange) -> None:
        """The venue says whether it trades, and may move the day's limits. Both it and its segment have to."""
        if event.of_session:
            self._session_status = event.status
        else:
            self._own_status = event.status
        was_shut, self._shut = self._shut, self._shut_by()
        if was_shut and not self._shut and self._condition is BookState.OK:
            self._condition, self._detail = BookState.EMPTY, "no snapshot since trading resumed"
        self._note_limits(event.high_limit_ticks, event.low_limit_ticks)

    def on_bad(self, reason: str) -> None:
        """A message about this instrument could not be used, so the book may be wrong."""
        if self._condition is not BookState.DOWN:
            self._condition, self._detail = BookState.BAD, reason
            self._gone, self._suspect = False, ""

    def doubt(self, reason: str, at_ns: int) -> bool:
        """Messages of its session are missing and asked for again. True when it was not in doubt before."""
        if self._suspect or self._condition is not BookState.OK:
            return False
        self._suspect = reason
        self.repairs.opened(at_ns)
        return True

    def end_doubt(self, reason: str, at_ns: int, *, gone: bool, numbered: bool) -> bool:
        """The session goes on; `gone`: some of what was missing will not come. True when the book is whole again."""
        if not self._suspect:
            return False
        if not gone:
            self._trust(at_ns)
            return True
        self._gone, self._suspect = True, reason
        if not numbered and self._condition is BookState.OK:
            self._condition, self._detail = BookState.GAP, reason
            self._gone, self._suspect = False, ""
        return False

    def _trust(self, at_ns: int) -> None:
        self._gone, self._suspect = False, ""
        self.repairs.closed(at_ns)

    def on_session(self, *, up: bool) -> None:
        """The market-data session came up or went down: what was known is not the book any more."""
        self._gone, self._suspect = False, ""
        self._filled.clear()
        self.repairs.forgotten()
        self._condition = BookState.EMPTY if up else BookState.DOWN
        self._detail = "no snapshot since logon" if up else "market-data session is down"
        self._bids.clear()
        self._asks.clear()
        self._kept.clear()
        self._rpt_seq = self._highest_seq = self._image_ns = self.recv_ns = self.venue_ns = 0
        self._own_status = self._session_status = None
        self._shut = ""

    def quote(self, recv_ns: int, venue_ns: int, pub_ns: int, msg_seq_num: int) -> Quote:
        """The book as it stands, with its verdict."""
        known = self._condition is BookState.OK
        if known and self._suspect:
            known, state, detail = False, BookState.GAP, self._suspect
        else:
            state, detail = self._verdict()
        return Quote(
            self.instrument_id,
            state,
            tuple(self._bids) if known else (),
            tuple(self._asks) if known else (),
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

    def late_quote(self, pub_ns: int, msg_seq_num: int) -> Quote | None:
        """What the market was when a message that came too late was written, for the record; None where unknown."""
        if self._condition is not BookState.OK:
            return None
        doubt, self._suspect = self._suspect, ""
        quote = self.quote(self.recv_ns, self.venue_ns, pub_ns, msg_seq_num)
        self._suspect = doubt
        return quote

    def take_filled(self) -> list[Quote]:
        """What was kept during a gap and has been applied, but for the newest; `pub_ns` is 0 in them."""
        filled, self._filled = self._filled, []
        return filled

    def _verdict(self) -> tuple[BookState, str]:
        if self._condition is not BookState.OK:
            return self._condition, self._detail
        if self._shut:
            return BookState.SHUT, self._shut
        if not self._bids or not self._asks:
            return self._one_sided()
        if self._bids[0][0] >= self._asks[0][0]:
            return BookState.CROSSED, f"bid {self._bids[0][0]} ask {self._asks[0][0]} ticks"
        return BookState.OK, ""

    def _shut_by(self) -> str:
        """What says that it is not trading; empty when nothing does."""
        if self._own_status in SHUT_STATUSES:
            return f"SecurityTradingStatus(326)={self._own_status}"
        if self._session_status in SHUT_STATUSES:
            return f"TradingSessionStatus(35=h) as SecurityTradingStatus(326)={self._session_status}"
        return ""

    def _one_sided(self) -> tuple[BookState, str]:
        if self._bids and self._bids[0][0] == self._high_limit_ticks:
            return BookState.LIMIT_LOCKED, f"bid at the high limit {self._high_limit_ticks} ticks, no ask"
        if self._asks and self._asks[0][0] == self._low_limit_ticks:
            return BookState.LIMIT_LOCKED, f"ask at the low limit {self._low_limit_ticks} ticks, no bid"
        return BookState.ONE_SIDED, f"{len(self._bids)} bid and {len(self._asks)} ask levels"

    def _is_late(self, event: BookSnapshot | BookIncrement, *, again: bool) -> bool:
        """Numbered below what is known (with `again`, or equal to it), and not later by the venue's own time."""
        if not event.rpt_seq or event.venue_ns > self.venue_ns:
            return False
        return event.rpt_seq < self._rpt_seq or (again and event.rpt_seq == self._rpt_seq)

    def _note_number(self, event: BookSnapshot | BookIncrement) -> None:
        if self._highest_seq and event.rpt_seq > self._highest_seq + 1:
            self.repairs.lost += event.rpt_seq - self._highest_seq - 1
        counts_anew = event.rpt_seq < self._rpt_seq
        self._highest_seq = event.rpt_seq if counts_anew else max(self._highest_seq, event.rpt_seq)

    def _make_whole(self, increments: Sequence[BookIncrement], at_ns: int) -> None:
        """Apply what was kept, in order; with a hole or a wrong one among it, the rest is kept on."""
        before = self._condition
        self._condition, self._detail = BookState.OK, ""
        self._kept.clear()
        for increment in sorted(increments, key=lambda one: one.rpt_seq):
            if increment.rpt_seq <= self._rpt_seq:
                continue
            if self._condition is BookState.OK and increment.rpt_seq == self._rpt_seq + 1:
                if before is BookState.GAP:
                    self._fill()
                self._take(increment)
                continue
            if self._condition is BookState.OK:
                self._open_gap(increment.rpt_seq)
            self._kept.append(increment)
        if self._condition is BookState.GAP and before is not BookState.GAP:
            self.repairs.opened(at_ns)
        elif self._condition is BookState.OK and before is BookState.GAP:
            self.repairs.closed(at_ns)

    def _fill(self) -> None:
        """Note the book as it stood before the next kept increment: nobody was told while it was in GAP."""
        self.repairs.filled += 1
        stood = self.late_quote(0, 0)
        if stood is not None:
            self._filled.append(stood)

    def _open_gap(self, rpt_seq: int) -> None:
        self._condition = BookState.GAP
        self._detail = f"RptSeq(83) {rpt_seq} came, {self._rpt_seq + 1} was due"

    def _take(self, event: BookIncrement) -> None:
        """The increment that follows."""
        self._rpt_seq, self.recv_ns, self.venue_ns = event.rpt_seq, event.recv_ns, event.venue_ns
        self._note_trade(event.last_px_ticks, event.last_qty_lots)
        for change in event.changes:
            if not self._apply(change):
                return
        if event.changes and not (_ordered(self._bids, -1) and _ordered(self._asks, 1)):
            self.on_bad(f"levels out of order: bids {self._bids}, asks {self._asks} (px_ticks, qty_lots)")

    def _apply(self, change: LevelChange) -> bool:
        side = self._bids if change.side is MdSide.BID else self._asks
        at = change.position - 1
        last = len(side) if change.action is MdAction.NEW else len(side) - 1
        if not 0 <= at <= last:
            levels = f"{len(side)} levels of MDEntryType(269)={change.side.value}"
            self.on_bad(
                f"MDEntryPositionNo(290) {change.position}, MDUpdateAction(279)={change.action.value}: {levels}"
            )
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


def _ordered(levels: Sequence[tuple[int, int]], sign: int) -> bool:
    """Whether each price times `sign` is above the one before it."""
    for better, worse in pairwise(levels):  # noqa: SIM110 - all() of a generator adds 1 us to every increment
        if sign * worse[0] <= sign * better[0]:
            return False
    return True
