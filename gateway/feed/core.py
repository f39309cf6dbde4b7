"""The feed's decisions: which quote to publish after an event, and when to ask a venue for a snapshot.

A snapshot is asked for when a book needs one, once; again after `retry_ns` without an answer, each time twice as long,
up to `retry_most_ns`, for as long as the session is up. A gap during a recovery changes nothing: the book keeps waiting
for a snapshot that covers it.

A gap of a session makes all its books suspect at once. What the venue sends again meanwhile is applied to them and
given to the record (`on_replayed`, `take_filled`), never told as a quote; with the first message that is no repetition
the books are told as they stand. A message that cannot be used and names no instrument makes every book of a session
without RptSeq(83) bad: which of them it was about nobody knows. An instrument that is silent for longer than is normal
for it is told as stale (`freshness.py`), by whoever calls `stale` in time.

A quote's `recv_ns` and `venue_ns` are those of the last message that told of the book, so that nothing but the book
makes it look fresh: a duplicate and an increment that is only kept make no quote, a change of status keeps the times.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from gateway.feed.book import Book
from gateway.feed.freshness import FreshnessSettings, Pace
from gateway.feed.repairs import RepairTotals, totals
from gateway.model.instrument import Instrument
from gateway.model.quote import (
    BadMarketData,
    BookIncrement,
    BookSnapshot,
    BookState,
    MarketEvent,
    MdRejected,
    Quote,
    StatusChange,
)

ASKED_AGAIN = "messages of the session are missing and asked for again"
NOT_SENT_AGAIN = "messages of the session are missing, and the venue does not send them again"
LONGEST_LOOK_NS = 1_000_000_000
"""Silence is looked at at least so often."""
SOONEST_LOOK_NS = 20_000_000
"""Silence is looked at no more often than this."""


class FeedCore:
    """Books of all instruments.

    `unnumbered` are the venues without RptSeq(83), `freshness` says what silence is normal. `depth` is the levels that
    venues publish, one figure for all or one by venue: a book that kept more than its venue counts would show levels
    that have long gone. `kept_limit` is in increments per book during a gap, the two times in nanoseconds.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        *,
        depth: int | Mapping[str, int],
        kept_limit: int,
        retry_ns: int,
        retry_most_ns: int,
        unnumbered: Collection[str] = (),
        freshness: FreshnessSettings | None = None,
    ) -> None:
        freshness = freshness or FreshnessSettings()
        self._unnumbered = frozenset(unnumbered)
        self._behind: dict[str, bool] = {}
        self._stale: set[str] = set()
        self._look_ns = 0
        self._books: dict[str, Book] = {}
        self._by_venue: dict[str, list[str]] = {}
        for instrument in instruments:
            levels = depth if isinstance(depth, int) else depth[instrument.venue_id]
            self._books[instrument.instrument_id] = Book(instrument.instrument_id, levels, kept_limit)
            self._books[instrument.instrument_id].pace = Pace(freshness)
            self._by_venue.setdefault(instrument.venue_id, []).append(instrument.instrument_id)
        self._retry_ns = retry_ns
        self._retry_most_ns = retry_most_ns
        self._due: dict[str, tuple[int, int]] = {}
        self._up: set[str] = set()
        self.bad_messages = 0

    def on_event(self, event: MarketEvent, at_ns: int) -> Quote | None:
        """The quote to publish, or None when the event is about no book of ours or changes nothing in it."""
        if isinstance(event, MdRejected):
            return None
        book = self._books.get(event.instrument_id)
        if isinstance(event, BadMarketData):
            return self._on_bad(book, event, at_ns)
        if book is None:
            return None
        changed = True
        if isinstance(event, BookIncrement):
            changed = book.on_increment(event)
        elif isinstance(event, BookSnapshot):
            changed = book.on_snapshot(event)
        elif isinstance(event, StatusChange):
            book.on_status(event)
        self._note_need(book, at_ns)
        if not changed:
            return None
        quote = book.quote(book.recv_ns or event.recv_ns, book.venue_ns, at_ns, event.msg_seq_num)
        if quote.state is BookState.OK and not self._stale:
            book.pace.note(quote.recv_ns)
        else:
            self._note_silence(book, quote)
        return quote

    def _on_bad(self, book: Book | None, event: BadMarketData, at_ns: int) -> Quote | None:
        self.bad_messages += 1
        if book is None:
            return None
        book.on_bad(event.reason)
        self._note_need(book, at_ns)
        return book.quote(event.recv_ns, 0, at_ns, event.msg_seq_num)

    def _note_silence(self, book: Book, quote: Quote) -> None:
        """As for every quote, where it ends a silence or is of no use to judge one."""
        self._stale.discard(book.instrument_id)
        if quote.state is BookState.OK:
            book.pace.note(quote.recv_ns)
        else:
            book.pace.pause()

    def on_unnamed(self, event: BadMarketData, at_ns: int) -> list[Quote]:
        """A message that cannot be used and names none of our instruments: whom it was about, where nobody can tell.

        A venue that numbers each instrument's messages shows it with that instrument's next one, so nothing is told.
        """
        if event.instrument_id or not event.suspect or event.venue_id not in self._unnumbered:
            return []
        quotes = []
        for name in self._by_venue.get(event.venue_id, ()):
            book = self._books[name]
            if book.is_down:
                continue
            book.on_bad(event.reason)
            self._note_need(book, at_ns)
            quotes.append(book.quote(event.recv_ns, 0, at_ns, event.msg_seq_num))
        return quotes

    # A gap of the session.

    def on_session_gap(self, venue_id: str, at_ns: int) -> list[Quote]:
        """Messages of the session are missing and have been asked for again: none of its books can be trusted now."""
        if venue_id not in self._up:
            return []
        self._behind.setdefault(venue_id, False)
        books = [self._books[name] for name in self._by_venue.get(venue_id, ())]
        return [one.quote(one.recv_ns, one.venue_ns, at_ns, 0) for one in books if one.doubt(ASKED_AGAIN, at_ns)]

    def is_behind(self, venue_id: str) -> bool:
        """Whether messages of the session are still being sent again."""
        return venue_id in self._behind

    def on_gap_filled(self, venue_id: str) -> None:
        """The venue passes over what was missing: it does not send it again."""
        if venue_id in self._behind:
            self._behind[venue_id] = True

    def on_replayed(self, event: MarketEvent, at_ns: int) -> Quote | None:
        """A message that the venue sent again: it changes its book; the quote is for the record alone."""
        told = self.on_event(event, at_ns)
        if told is None or isinstance(event, MdRejected | BadMarketData):
            return None
        book = self._books[event.instrument_id]
        book.repairs.filled += 1
        return book.late_quote(at_ns, event.msg_seq_num)

    def on_session_live(self, venue_id: str, at_ns: int) -> list[Quote]:
        """The first message after those that were sent again: every book of the session as it stands now."""
        gone = self._behind.pop(venue_id, None)
        quotes: list[Quote] = []
        if gone is None:
            return quotes
        for name in self._by_venue.get(venue_id, ()):
            book = self._books[name]
            book.end_doubt(NOT_SENT_AGAIN, at_ns, gone=gone, numbered=venue_id not in self._unnumbered)
            self._note_need(book, at_ns)
            quotes.append(book.quote(book.recv_ns, book.venue_ns, at_ns, 0))
        return quotes

    def repair_times(self, venue_id: str) -> list[int]:
        """How long the last repairs of one venue's books took, nanoseconds."""
        return [one for name in self._by_venue.get(venue_id, ()) for one in self._books[name].repairs.took_ns]

    def take_filled(self, instrument_id: str) -> list[Quote]:
        """What an instrument's book was between a gap and the quote that was told after it; for the record."""
        book = self._books.get(instrument_id)
        return [] if book is None else book.take_filled()

    # Silence.

    def stale(self, at_ns: int) -> list[Quote]:
        """Instruments that have now been silent for longer than is normal for them, each told once."""
        if at_ns < self._look_ns:
            return []
        quotes = []
        next_ns = at_ns + LONGEST_LOOK_NS
        for name, book in self._books.items():
            pace = book.pace
            if name in self._stale or not book.recv_ns:
                continue
            due_ns = book.recv_ns + pace.limit_ns
            if due_ns > at_ns:
                next_ns = min(next_ns, due_ns)
                continue
            quote = book.quote(book.recv_ns, book.venue_ns, at_ns, 0)
            if quote.state is BookState.OK:
                self._stale.add(name)
                pace.pause()
                quotes.append(_stale(quote, pace.told(at_ns - book.recv_ns)))
        self._look_ns = max(next_ns, at_ns + SOONEST_LOOK_NS)
        return quotes

    def stale_due_ns(self) -> int:
        """When to call `stale` again."""
        return self._look_ns

    def on_session(self, venue_id: str, *, up: bool, at_ns: int) -> list[Quote]:
        """Quotes of every instrument of the venue: none of its books is known any more."""
        (self._up.add if up else self._up.discard)(venue_id)
        self._behind.pop(venue_id, None)
        quotes = []
        for name in self._by_venue.get(venue_id, ()):
            self._books[name].on_session(up=up)
            self._books[name].pace.pause()
            self._stale.discard(name)
            # After a logon the subscription itself brings the first snapshot.
            self._due.pop(name, None)
            if up:
                self._due[name] = (at_ns + self._retry_ns, self._retry_ns)
            quotes.append(self._books[name].quote(at_ns, 0, at_ns, 0))
        return quotes

    def due_snapshots(self, at_ns: int) -> Sequence[str]:
        """Instruments to ask a snapshot for now; each is due again later, unless it is whole by then."""
        if not self._due:
            return ()
        due = [name for name, (when_ns, _) in self._due.items() if when_ns <= at_ns]
        for name in due:
            waited_ns = self._due[name][1]
            wait_ns = min(2 * waited_ns, self._retry_most_ns) if waited_ns else self._retry_ns
            self._due[name] = (at_ns + wait_ns, wait_ns)
        return due

    def venue_up(self, venue_id: str) -> bool:
        return venue_id in self._up

    def totals(self) -> tuple[int, int, int]:
        """Gaps, repairs and messages lost of all books so far."""
        found = totals(book.repairs for book in self._books.values())
        return found.gaps, found.repaired, found.lost

    def repairs(self, venue_id: str) -> RepairTotals:
        """What became of the gaps of one venue's books."""
        return totals(self._books[name].repairs for name in self._by_venue.get(venue_id, ()))

    def standing(self, instrument_id: str, at_ns: int) -> Quote:
        """An instrument's book as it stands, silence included."""
        book = self._books[instrument_id]
        quote = book.quote(book.recv_ns, book.venue_ns, at_ns, 0)
        if instrument_id in self._stale:
            return _stale(quote, book.pace.told(at_ns - book.recv_ns))
        return quote

    def states(self) -> list[tuple[str, BookState, str]]:
        """Every book's name, verdict and detail."""
        quotes = (book.quote(0, 0, 0, 0) for book in self._books.values())
        return [
            (one.instrument_id, BookState.STALE if one.instrument_id in self._stale else one.state, one.detail)
            for one in quotes
        ]

    def _note_need(self, book: Book, at_ns: int) -> None:
        """Have a snapshot asked for at once when the book needs one and none is asked for yet."""
        if not book.needs_snapshot:
            if self._due:
                self._due.pop(book.instrument_id, None)
        elif book.instrument_id not in self._due and not book.is_down:
            self._due[book.instrument_id] = (at_ns, 0)


def _stale(quote: Quote, figures: str) -> Quote:
    return msgspec.structs.replace(quote, state=BookState.STALE, detail=figures)
