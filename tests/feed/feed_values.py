"""Values of the feed's tests: one instrument, a snapshot, an increment."""

from decimal import Decimal

from gateway.feed.book import Book
from gateway.model.instrument import Instrument
from gateway.model.quote import BookIncrement, BookSnapshot, LevelChange, Levels, MdAction, MdSide, Quote

NAME = "LME.CA3M"
BIDS: Levels = ((100, 5), (99, 3))
ASKS: Levels = ((101, 4), (102, 6))


def instrument(name: str = NAME) -> Instrument:
    venue, _, symbol = name.partition(".")
    return Instrument(name, venue, symbol, Decimal("0.5"), Decimal(25), "t", "USD", Decimal(25))


def snapshot(
    rpt_seq: int, bids: Levels = BIDS, asks: Levels = ASKS, *, at: int | None = None, name: str = NAME
) -> BookSnapshot:
    """A snapshot; `at` is its venue time, that of its number where none is given."""
    at = rpt_seq if at is None else at
    return BookSnapshot(name, 1000 + at, at, 0, rpt_seq, bids, asks)


def increment(rpt_seq: int, *changes: str, at: int | None = None, name: str = NAME) -> BookIncrement:
    """Changes as `new bid 1 100x5`, `change ask 2 102x1`, `delete bid 1`."""
    at = rpt_seq if at is None else at
    return BookIncrement(name, 1000 + at, at, 0, rpt_seq, tuple(change(one) for one in changes))


def change(text: str) -> LevelChange:
    action, side, position, *rest = text.split()
    px_ticks, qty_lots = rest[0].split("x") if rest else ("0", "0")
    return LevelChange(
        MdAction[action.upper()],
        MdSide.BID if side == "bid" else MdSide.OFFER,
        int(position),
        int(px_ticks),
        int(qty_lots),
    )


def whole_book(rpt_seq: int = 10, depth: int = 5, kept_limit: int = 100) -> Book:
    """A book that one snapshot has made whole."""
    book = Book(NAME, depth, kept_limit)
    book.on_snapshot(snapshot(rpt_seq))
    return book


def quote_of(book: Book) -> Quote:
    return book.quote(0, 0, 0, 0)
