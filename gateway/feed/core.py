"""The feed's decisions: which quote to publish after an event, and when to ask a venue for a snapshot.

A snapshot is asked for when a book needs one, once; again after `retry_ns` without an answer, each time twice as long,
up to `retry_most_ns`, for as long as the session is up. A gap during a recovery changes nothing: the book keeps waiting
for a snapshot that covers it.

A quote's `recv_ns` and `venue_ns` are those of the last message that told of the book, so that nothing but the book
makes it look fresh: a duplicate and an increment that is only kept make no quote, a change of status keeps the times.
"""

from collections.abc import Iterable, Mapping, Sequence

from gateway.feed.book import Book
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


class FeedCore:
    """Books of all instruments.

    `depth` is the levels that venues publish, one figure for all or one by venue: a book that kept more than its venue
    counts would show levels that have long gone. `kept_limit` is in increments per book during a gap, the two times in
    nanoseconds.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        *,
        depth: int | Mapping[str, int],
        kept_limit: int,
        retry_ns: int,
        retry_most_ns: int,
    ) -> None:
        self._books: dict[str, Book] = {}
        self._by_venue: dict[str, list[str]] = {}
        for instrument in instruments:
            levels = depth if isinstance(depth, int) else depth[instrument.venue_id]
            self._books[instrument.instrument_id] = Book(instrument.instrument_id, levels, kept_limit)
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
            self.bad_messages += 1
            if book is None:
                return None
            book.on_bad(event.reason)
            self._note_need(book, at_ns)
            return book.quote(event.recv_ns, 0, at_ns, event.msg_seq_num)
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
        return book.quote(book.recv_ns or event.recv_ns, book.venue_ns, at_ns, event.msg_seq_num)

    def on_session(self, venue_id: str, *, up: bool, at_ns: int) -> list[Quote]:
        """Quotes of every instrument of the venue: none of its books is known any more."""
        (self._up.add if up else self._up.discard)(venue_id)
        quotes = []
        for name in self._by_venue.get(venue_id, ()):
            self._books[name].on_session(up=up)
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
        books = self._books.values()
        return sum(b.gaps for b in books), sum(b.repaired for b in books), sum(b.lost for b in books)

    def states(self) -> list[tuple[str, BookState, str]]:
        """Every book's name, verdict and detail."""
        quotes = (book.quote(0, 0, 0, 0) for book in self._books.values())
        return [(quote.instrument_id, quote.state, quote.detail) for quote in quotes]

    def _note_need(self, book: Book, at_ns: int) -> None:
        """Have a snapshot asked for at once when the book needs one and none is asked for yet."""
        if not book.needs_snapshot:
            if self._due:
                self._due.pop(book.instrument_id, None)
        elif book.instrument_id not in self._due and not book.is_down:
            self._due[book.instrument_id] = (at_ns, 0)
