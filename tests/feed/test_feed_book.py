"""Given a book and a message, exactly this verdict and these levels."""

import pytest
from feed_values import ASKS, BIDS, NAME, increment, quote_of, snapshot, whole_book

from gateway.feed.book import Book
from gateway.model.quote import BookSnapshot, BookState, Levels, StatusChange, TradingStatus

FIVE: Levels = ((100, 1), (99, 1), (98, 1), (97, 1), (96, 1))


def status(code: TradingStatus, high: int | None = None, low: int | None = None) -> StatusChange:
    return StatusChange(NAME, 0, 0, 0, code, high, low)


def test_before_anything_is_known_the_book_is_empty() -> None:
    """A book without a snapshot shows no levels, says EMPTY and wants a snapshot."""
    book = Book(NAME, 5, 100)
    quote = quote_of(book)
    assert (quote.state, quote.bids, quote.asks, quote.detail) == (BookState.EMPTY, (), (), "no snapshot yet")
    assert book.needs_snapshot


def test_a_snapshot_replaces_the_book() -> None:
    """After a snapshot the book is exactly the snapshot, down to its number."""
    book = whole_book(10)
    assert book.on_snapshot(snapshot(11, ((90, 1),), ((91, 2),)))
    quote = quote_of(book)
    assert (quote.state, quote.bids, quote.asks, quote.rpt_seq) == (BookState.OK, ((90, 1),), ((91, 2),), 11)
    assert not book.needs_snapshot


def test_a_snapshot_deeper_than_the_book_is_cut() -> None:
    """Levels beyond the depth are dropped."""
    book = Book(NAME, 2, 100)
    book.on_snapshot(snapshot(1, FIVE, ASKS))
    assert quote_of(book).bids == FIVE[:2]


CHANGES = [
    # changes                                      bids afterwards                 asks afterwards
    (["change bid 1 100x1", "new bid 1 101x9", "delete ask 1"], ((101, 9), (100, 1), (99, 3)), ASKS[1:]),
    (["change bid 1 100x7"], ((100, 7), (99, 3)), ASKS),
    (["change bid 2 98x7"], ((100, 5), (98, 7)), ASKS),
    (["delete bid 1"], ((99, 3),), ASKS),
    (["delete bid 2"], ((100, 5),), ASKS),
    (["new bid 3 98x1"], (*BIDS, (98, 1)), ASKS),
    (["delete ask 1", "new ask 1 101x9"], BIDS, ((101, 9), (102, 6))),
    (["delete bid 1", "delete bid 1", "new bid 1 98x2"], ((98, 2),), ASKS),
    ([], BIDS, ASKS),
]


@pytest.mark.parametrize(("changes", "bids", "asks"), CHANGES)
def test_an_increment_that_follows_is_applied(changes: list[str], bids: Levels, asks: Levels) -> None:
    """Each change is applied in the order of the message, at its position."""
    book = whole_book(10)
    assert book.on_increment(increment(11, *changes))
    quote = quote_of(book)
    assert (quote.state, quote.bids, quote.asks, quote.rpt_seq) == (BookState.OK, bids, asks, 11)


def test_a_new_level_pushes_the_last_one_off() -> None:
    """A book of five levels keeps five when one is put in between, and loses the fifth."""
    book = Book(NAME, 5, 100)
    book.on_snapshot(snapshot(1, FIVE, ASKS))
    book.on_increment(increment(2, "change bid 2 98x1", "delete bid 3", "new bid 2 99x7"))
    assert quote_of(book).bids == ((100, 1), (99, 7), (98, 1), (97, 1), (96, 1))
    book.on_increment(increment(3, "delete ask 1", "new bid 1 101x1"))
    assert quote_of(book).bids == ((101, 1), (100, 1), (99, 7), (98, 1), (97, 1))


BAD_CHANGES = [
    # change                what it says
    ("delete bid 3", "MDEntryPositionNo(290) 3, MDUpdateAction(279)=2: 2 levels of MDEntryType(269)=0"),
    ("change ask 3 103x1", "MDEntryPositionNo(290) 3, MDUpdateAction(279)=1: 2 levels of MDEntryType(269)=1"),
    ("new bid 4 97x1", "MDEntryPositionNo(290) 4, MDUpdateAction(279)=0: 2 levels of MDEntryType(269)=0"),
    ("new bid 0 97x1", "MDEntryPositionNo(290) 0, MDUpdateAction(279)=0: 2 levels of MDEntryType(269)=0"),
    ("change bid 1 100x0", "MDEntrySize(271) 0 is not above 0"),
    ("new ask 1 100x-1", "MDEntrySize(271) -1 is not above 0"),
    ("new bid 2 100x1", "levels out of order: bids [(100, 5), (100, 1), (99, 3)], asks [(101, 4), (102, 6)] (px_ticks, qty_lots)"),
    ("change ask 1 103x1", "levels out of order: bids [(100, 5), (99, 3)], asks [(103, 1), (102, 6)] (px_ticks, qty_lots)"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "detail"), BAD_CHANGES)
def test_a_change_that_cannot_be_makes_the_book_bad_until_a_snapshot(change: str, detail: str) -> None:
    """What no venue can mean shows no levels, names tag and value, and only a snapshot heals it."""
    book = whole_book(10)
    book.on_increment(increment(11, change))
    quote = quote_of(book)
    assert (quote.state, quote.bids, quote.asks, quote.detail) == (BookState.BAD, (), (), detail)
    assert not book.on_increment(increment(12, "delete bid 1"))
    assert not book.on_snapshot(snapshot(10)), "older than the message that was bad"
    assert quote_of(book).state is BookState.BAD
    book.on_snapshot(snapshot(11))
    assert (quote_of(book).state, quote_of(book).bids, quote_of(book).rpt_seq) == (BookState.OK, BIDS[1:], 12)


def test_a_message_that_cannot_be_read_makes_the_book_bad() -> None:
    """The reason is shown; a snapshot under the same number heals it, for nothing else may have happened."""
    book = whole_book(10)
    book.on_bad("MDEntryPx(270) abc")
    assert (quote_of(book).state, quote_of(book).detail, quote_of(book).bids) == (
        BookState.BAD,
        "MDEntryPx(270) abc",
        (),
    )
    assert book.on_snapshot(snapshot(10))
    assert quote_of(book).state is BookState.OK


STATUSES = [
    # status                        state
    (TradingStatus.HALT, BookState.SHUT),
    (TradingStatus.NOT_AVAILABLE, BookState.SHUT),
    (TradingStatus.PRE_OPEN, BookState.SHUT),
    (TradingStatus.READY, BookState.OK),
    (TradingStatus.RESUME, BookState.OK),
]


@pytest.mark.parametrize(("code", "state"), STATUSES)
def test_a_status_shuts_the_book_or_leaves_it(code: TradingStatus, state: BookState) -> None:
    """Halt, closed and auction shut the book; ready and resume by themselves change nothing."""
    book = whole_book()
    book.on_status(status(code))
    assert quote_of(book).state is state


def test_when_trading_resumes_the_old_book_is_not_believed() -> None:
    """After a halt only a snapshot makes the book usable: what stood before the halt may be gone."""
    book = whole_book(10)
    book.on_status(status(TradingStatus.HALT))
    book.on_increment(increment(11, "delete bid 1"))
    book.on_status(status(TradingStatus.RESUME))
    quote = quote_of(book)
    assert (quote.state, quote.bids, quote.detail) == (BookState.EMPTY, (), "no snapshot since trading resumed")
    book.on_snapshot(snapshot(11, BIDS[1:]))
    assert quote_of(book).state is BookState.OK


VERDICTS = [
    # bids          asks           high  low   state                   detail
    (((100, 1),), ((101, 1),), None, None, BookState.OK, ""),
    (((100, 1),), ((100, 1),), None, None, BookState.CROSSED, "bid 100 ask 100 ticks"),
    (((101, 1),), ((100, 1),), None, None, BookState.CROSSED, "bid 101 ask 100 ticks"),
    ((), ((100, 1),), None, None, BookState.ONE_SIDED, "0 bid and 1 ask levels"),
    (((100, 1),), (), None, None, BookState.ONE_SIDED, "1 bid and 0 ask levels"),
    ((), (), None, None, BookState.ONE_SIDED, "0 bid and 0 ask levels"),
    (((110, 1),), (), 110, 90, BookState.LIMIT_LOCKED, "bid at the high limit 110 ticks, no ask"),
    ((), ((90, 1),), 110, 90, BookState.LIMIT_LOCKED, "ask at the low limit 90 ticks, no bid"),
    (((109, 1),), (), 110, 90, BookState.ONE_SIDED, "1 bid and 0 ask levels"),
    ((), ((110, 1),), 110, 90, BookState.ONE_SIDED, "0 bid and 1 ask levels"),
    (((109, 1),), ((110, 1),), 110, 90, BookState.OK, ""),
]


@pytest.mark.parametrize(("bids", "asks", "high", "low", "state", "detail"), VERDICTS)
def test_the_verdict_on_a_whole_book(
    bids: Levels, asks: Levels, high: int | None, low: int | None, state: BookState, detail: str
) -> None:
    """One-sided, crossed and limit-locked books are named, with the figures."""
    book = Book(NAME, 5, 100)
    book.on_snapshot(BookSnapshot(NAME, 1, 1, 1, 1, bids, asks, None, 0, high, low))
    quote = quote_of(book)
    assert (quote.state, quote.detail, quote.bids, quote.asks) == (state, detail, bids, asks)


def test_limits_may_come_with_a_status() -> None:
    """A limit that a status moves is the one that counts."""
    book = Book(NAME, 5, 100)
    book.on_snapshot(BookSnapshot(NAME, 1, 1, 1, 1, ((110, 1),), (), None, 0, 120, 90))
    assert quote_of(book).state is BookState.ONE_SIDED
    book.on_status(status(TradingStatus.READY, high=110))
    assert quote_of(book).state is BookState.LIMIT_LOCKED


def test_the_last_trade_is_kept() -> None:
    """A message without a trade leaves the last one, one with a trade replaces it."""
    book = whole_book(10)
    assert (quote_of(book).last_px_ticks, quote_of(book).last_qty_lots) == (None, 0)
    trade = increment(11)
    book.on_increment(type(trade)(NAME, 1, 11, 0, 11, (), 101, 2))
    book.on_increment(increment(12, "delete bid 1"))
    assert (quote_of(book).last_px_ticks, quote_of(book).last_qty_lots) == (101, 2)


def test_a_session_that_goes_down_takes_the_book_with_it() -> None:
    """Down shows nothing and takes nothing; up waits for a snapshot, of whatever number."""
    book = whole_book(1000)
    book.on_session(up=False)
    assert (quote_of(book).state, quote_of(book).bids) == (BookState.DOWN, ())
    assert not book.on_snapshot(snapshot(1001))
    assert not book.on_increment(increment(1001, "delete bid 1"))
    book.on_bad("late")
    assert (quote_of(book).state, quote_of(book).detail) == (BookState.DOWN, "market-data session is down")
    book.on_session(up=True)
    assert (quote_of(book).state, quote_of(book).detail) == (BookState.EMPTY, "no snapshot since logon")
    assert not book.on_increment(increment(1, "delete bid 1"))
    assert book.on_snapshot(snapshot(1))
    assert (quote_of(book).state, quote_of(book).bids) == (BookState.OK, BIDS)


def test_a_halt_does_not_outlive_the_session() -> None:
    """After a logon the venue says anew whether it trades."""
    book = whole_book()
    book.on_status(status(TradingStatus.HALT))
    book.on_session(up=False)
    book.on_session(up=True)
    book.on_snapshot(snapshot(1))
    assert quote_of(book).state is BookState.OK


def test_without_rpt_seq_every_increment_follows() -> None:
    """Where the dialect has no RptSeq(83) the session's own order is all there is."""
    book = Book(NAME, 5, 100)
    book.on_snapshot(snapshot(0))
    assert book.on_increment(increment(0, "delete bid 1"))
    assert book.on_increment(increment(0, "delete ask 1"))
    assert (quote_of(book).bids, quote_of(book).asks, quote_of(book).state) == (BIDS[1:], ASKS[1:], BookState.OK)


def test_without_rpt_seq_a_snapshot_covers_what_was_kept() -> None:
    """What came before the snapshot on the same session is in it."""
    book = Book(NAME, 5, 100)
    book.on_increment(increment(0, "delete bid 1"))
    book.on_snapshot(snapshot(0))
    assert quote_of(book).bids == BIDS
