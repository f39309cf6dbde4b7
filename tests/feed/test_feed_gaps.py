"""Lost, late, doubled and renumbered messages: what the book shows, and that it comes right again."""

from feed_values import ASKS, BIDS, NAME, increment, quote_of, snapshot, whole_book
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.feed.book import Book
from gateway.model.quote import BookIncrement, BookSnapshot, BookState, LevelChange, Levels, MdAction, MdSide
from simulators.core.market_data import changes

Counts = tuple[int, int, int]


def counts(book: Book) -> Counts:
    return book.repairs.gaps, book.repairs.repaired, book.repairs.lost


def test_a_missing_number_opens_a_gap() -> None:
    """A number that does not follow hides the levels and says which number was due."""
    book = whole_book(10)
    assert book.on_increment(increment(13, "delete bid 1"))
    quote = quote_of(book)
    assert (quote.state, quote.bids, quote.asks) == (BookState.GAP, (), ())
    assert quote.detail == "RptSeq(83) 13 came, 11 was due"
    assert counts(book) == (1, 0, 2)


def test_increments_in_a_gap_are_kept_and_change_nothing_that_shows() -> None:
    """During a gap nothing is applied, and nothing new is to be told."""
    book = whole_book(10)
    book.on_increment(increment(12))
    assert not book.on_increment(increment(13, "delete bid 1"))
    assert quote_of(book).state is BookState.GAP


def test_a_snapshot_that_covers_the_gap_makes_the_book_whole() -> None:
    """Kept increments at or below the snapshot's number are dropped, those that follow are applied."""
    book = whole_book(10)
    book.on_increment(increment(12, "delete ask 1"))
    book.on_increment(increment(13, "delete bid 1"))
    book.on_snapshot(snapshot(12))
    quote = quote_of(book)
    assert (quote.state, quote.bids, quote.asks, quote.rpt_seq) == (BookState.OK, BIDS[1:], ASKS, 13)
    assert counts(book) == (1, 1, 1)


def test_a_snapshot_just_before_the_first_kept_one_is_enough() -> None:
    """The snapshot need not be newer than what was kept, only leave no hole."""
    book = whole_book(10)
    book.on_increment(increment(12, "delete bid 1"))
    book.on_snapshot(snapshot(11))
    assert (quote_of(book).state, quote_of(book).bids, quote_of(book).rpt_seq) == (BookState.OK, BIDS[1:], 12)


def test_a_snapshot_that_leaves_a_hole_leaves_the_gap() -> None:
    """A snapshot older than the missing number does not heal, and is no second gap."""
    book = whole_book(10)
    book.on_increment(increment(13, "delete bid 1"))
    book.on_snapshot(snapshot(11))
    assert (quote_of(book).state, quote_of(book).bids) == (BookState.GAP, ())
    assert counts(book) == (1, 0, 2)
    book.on_snapshot(snapshot(13, BIDS[1:]))
    assert (quote_of(book).state, quote_of(book).bids) == (BookState.OK, BIDS[1:])
    assert counts(book) == (1, 1, 2)


def test_a_snapshot_from_before_the_gap_is_ignored() -> None:
    """An answer older than what the book held before the gap says nothing about it."""
    book = whole_book(10)
    book.on_increment(increment(12))
    assert not book.on_snapshot(snapshot(9))
    assert quote_of(book).state is BookState.GAP


def test_a_gap_within_a_gap() -> None:
    """A second hole among the kept increments waits for a snapshot that covers it as well."""
    book = whole_book(10)
    for number in (12, 13, 16, 17):
        book.on_increment(increment(number, "change bid 1 100x" + str(number)))
    book.on_snapshot(snapshot(13))
    assert (quote_of(book).state, quote_of(book).detail) == (BookState.GAP, "RptSeq(83) 16 came, 14 was due")
    book.on_snapshot(snapshot(16))
    assert (quote_of(book).state, quote_of(book).bids[0], quote_of(book).rpt_seq) == (BookState.OK, (100, 17), 17)
    assert counts(book) == (1, 1, 3)


def test_a_gap_before_the_first_snapshot() -> None:
    """Increments that came before the first snapshot count, and a hole among them is a gap."""
    book = Book(NAME, 5, 100)
    book.on_increment(increment(4, "delete bid 1"))
    book.on_increment(increment(6))
    book.on_snapshot(snapshot(3))
    assert (quote_of(book).state, counts(book)) == (BookState.GAP, (1, 0, 1))


def test_the_missing_message_that_comes_late_heals_the_gap() -> None:
    """Two messages out of order need no snapshot."""
    book = whole_book(10)
    book.on_increment(increment(12, "delete bid 1"))
    assert book.on_increment(increment(11, "delete ask 1"))
    quote = quote_of(book)
    assert (quote.state, quote.bids, quote.asks, quote.rpt_seq) == (BookState.OK, BIDS[1:], ASKS[1:], 12)
    assert counts(book) == (1, 1, 1)


def test_a_gap_of_more_than_is_kept_waits_for_a_snapshot_that_covers_it() -> None:
    """When kept increments had to be dropped, a snapshot before them leaves the gap and a later one closes it."""
    book = whole_book(10, kept_limit=3)
    for number in range(12, 3012):
        book.on_increment(increment(number))
    book.on_snapshot(snapshot(3007))
    assert (quote_of(book).state, quote_of(book).detail) == (BookState.GAP, "RptSeq(83) 3009 came, 3008 was due")
    book.on_snapshot(snapshot(3008))
    assert (quote_of(book).state, quote_of(book).rpt_seq) == (BookState.OK, 3011)
    assert counts(book) == (1, 1, 1)


def test_a_duplicate_increment_changes_nothing() -> None:
    """The same number twice is applied once, and makes no quote that looks fresh."""
    book = whole_book(10)
    assert book.on_increment(increment(11, "delete bid 1"))
    assert not book.on_increment(increment(11, "delete bid 1"))
    assert not book.on_increment(increment(7, "delete bid 1"))
    assert (quote_of(book).state, quote_of(book).bids, quote_of(book).rpt_seq) == (BookState.OK, BIDS[1:], 11)
    assert counts(book) == (0, 0, 0)


def test_a_duplicate_or_late_snapshot_changes_nothing() -> None:
    """A snapshot that was overtaken does not bring an old book back."""
    book = whole_book(10)
    for late in (snapshot(10), snapshot(8, ((1, 1),), ((2, 1),))):
        assert not book.on_snapshot(late)
    assert quote_of(book).bids == BIDS
    assert book.on_snapshot(snapshot(10, at=11)), "the same number at a later time confirms the book"


def test_numbered_snapshots_that_are_missing_are_counted() -> None:
    """On a snapshot feed a missing number is a loss but no gap: the next snapshot is the whole book."""
    book = whole_book(10)
    book.on_snapshot(snapshot(14))
    assert (quote_of(book).state, counts(book)) == (BookState.OK, (0, 0, 3))


def test_a_venue_that_counts_anew_with_increments_needs_a_snapshot() -> None:
    """Low numbers with later times are no duplicates: the book is in a gap until a snapshot of the new count."""
    book = whole_book(1000)
    assert book.on_increment(increment(1, "delete bid 1", at=2000))
    assert (quote_of(book).state, quote_of(book).detail) == (BookState.GAP, "RptSeq(83) 1 came, 1001 was due")
    book.on_increment(increment(2, "delete ask 1", at=2001))
    book.on_snapshot(snapshot(1, at=2000))
    assert (quote_of(book).state, quote_of(book).asks, quote_of(book).rpt_seq) == (BookState.OK, ASKS[1:], 2)
    assert counts(book) == (1, 1, 0)


def test_a_venue_that_counts_anew_with_snapshots_is_followed_at_once() -> None:
    """A snapshot is the whole book, whatever its number, when it is later than what is known."""
    book = whole_book(1000)
    assert book.on_snapshot(snapshot(1, ((5, 1),), ((6, 1),), at=2000))
    assert (quote_of(book).state, quote_of(book).bids, quote_of(book).rpt_seq) == (BookState.OK, ((5, 1),), 1)


def test_one_garbled_number_does_not_hold_the_book_in_a_gap_for_ever() -> None:
    """A number far ahead that later snapshots know nothing of is dropped at the second of them."""
    book = whole_book(10)
    book.on_increment(increment(999_999, at=11))
    book.on_snapshot(snapshot(12))
    assert quote_of(book).state is BookState.GAP
    book.on_increment(increment(13, "delete bid 1"))
    book.on_snapshot(snapshot(13, BIDS[1:]))
    assert (quote_of(book).state, quote_of(book).bids, quote_of(book).rpt_seq) == (BookState.OK, BIDS[1:], 13)


def test_the_age_of_a_book_is_that_of_its_last_message() -> None:
    """Only what tells of the book moves its receive time: not a duplicate, not what is kept."""
    book = whole_book(10)
    book.on_increment(increment(11, at=50))
    book.on_increment(BookIncrement(NAME, 9999, 50, 0, 11, ()))
    book.on_snapshot(snapshot(5, at=49))
    assert (book.recv_ns, book.venue_ns) == (1050, 50)


# The property: a true book, its messages damaged in every way a line can damage them.

sides = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), max_size=7)
FATES = ("arrives", "arrives", "arrives", "lost", "twice", "late")


def ladder(levels: list[tuple[int, int]], *, bids: bool) -> Levels:
    """Any levels as a venue would hold them: bids below 100, asks above."""
    by_price = {(99 - px if bids else 101 + px): qty for px, qty in levels}
    return tuple(sorted(by_price.items(), reverse=bids))[:5]


def message(number: int, before: tuple[Levels, Levels], after: tuple[Levels, Levels]) -> BookIncrement:
    entries = changes("0", before[0], after[0]) + changes("1", before[1], after[1])
    told = tuple(LevelChange(MdAction(e.action), MdSide(e.kind), e.position, e.px_ticks, e.qty_lots) for e in entries)
    return BookIncrement(NAME, number, number, 0, number, told)


@settings(max_examples=300, deadline=None)
@given(
    books=st.lists(st.tuples(sides, sides), min_size=2, max_size=25),
    fates=st.lists(st.sampled_from(FATES), min_size=25, max_size=25),
    answers=st.lists(st.integers(1, 4), min_size=1, max_size=8),
)
def test_after_any_damage_the_book_is_the_true_book(
    books: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]], fates: list[str], answers: list[int]
) -> None:
    """Whenever a book that was damaged says it is whole it equals the true book of its number, and it ends whole."""
    truth = [(ladder(bids, bids=True), ladder(asks, bids=False)) for bids, asks in books]
    book = Book(NAME, 5, 8)
    book.on_snapshot(BookSnapshot(NAME, 0, 0, 0, 1, *truth[0]))
    waits = iter(answers * 10)
    late: list[BookIncrement] = []
    due = 0
    for number in range(2, len(truth) + 1):
        told = message(number, truth[number - 2], truth[number - 1])
        fate = fates[number - 2]
        arriving = {"lost": [], "late": [], "twice": [told, told]}.get(fate, [told])
        if fate == "late":
            late.append(told)
        elif late:
            arriving.append(late.pop(0))
        for one in arriving:
            book.on_increment(one)
        due = due - 1 if due else (next(waits) if book.needs_snapshot else 0)
        if due == 1:
            book.on_snapshot(BookSnapshot(NAME, number, number, 0, number, *truth[number - 1]))
        shown = book.quote(0, 0, 0, 0)
        if not book.needs_snapshot:
            assert (shown.bids, shown.asks) == truth[shown.rpt_seq - 1]
        else:
            assert (shown.bids, shown.asks) == ((), ())
    last = len(truth)
    book.on_snapshot(BookSnapshot(NAME, last, last + 1, 0, last, *truth[-1]))
    shown = book.quote(0, 0, 0, 0)
    assert (shown.bids, shown.asks, shown.rpt_seq, book.needs_snapshot) == (*truth[-1], last, False)
