"""SGX CN (FTSE China A50), 2014-01-29: the best three levels at each event, as recorded.

Every row becomes a book, in the file's order, also where several share a stamp. Odd rows are kept and classified:
`lone` (one level only, hours before the session), `pre-open` (before 09:00), `closing` (from 15:55, where the book
locks in the auction), `locked` (bid at or above ask), `unchanged` (as the row before: the event lay deeper).
Around them the status says that the venue was in auction, so a reader need not guess why a book is locked.

Assumed, and said in the note: the hours of the session (the file has none). The file has no trades, so there are none.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus
from simulators.tapes.errors import at_line
from simulators.tapes.recorded.window import AUCTION, CLOSED, HOUR_NS, MINUTE_NS, READY, Census, Source
from simulators.tapes.text import beijing_ns, present, table_rows, whole_number, whole_ticks

FILE = "sgx_cn_book/SGX_CN_20140129_l3.csv.gz"
DATE = "2014-01-29"
VENUE, SYMBOL = "SGX", "CN"
TICK = Decimal(5)
OPEN_NS = 9 * HOUR_NS
CLOSING_NS = 15 * HOUR_NS + 55 * MINUTE_NS
CLOSE_NS = 16 * HOUR_NS + MINUTE_NS
LEVELS = (1, 2, 3)
COLUMNS = ("ts_sgt", *(f"{side}_{what}{i}" for i in LEVELS for side in ("bid", "ask") for what in ("price", "volume")))
NOTE = (
    "CN: recorded best-3 book of 2014-01-29, event by event in the file's order, no trades recorded; session hours "
    "09:00-15:55 and closing auction to 16:01 assumed"
)
CHANGES = ((0, AUCTION), (OPEN_NS, READY), (CLOSING_NS, AUCTION), (CLOSE_NS, CLOSED))


def cn_book(directory: Path) -> Source:
    """The stream of CN in the recorded sets under `directory`."""
    instrument = TapeInstrument(VENUE, SYMBOL, TICK, "USD", DATE.replace("-", ""))
    return Source(instrument, partial(_read, present(directory / FILE)), NOTE)


def _read(path: Path, census: Census) -> Iterator[TapeEvent]:
    changes = list(CHANGES)
    before: tuple[object, object] = ((), ())
    for line, row in table_rows(path, COLUMNS):
        where = at_line(path, line)
        at_ns = beijing_ns(row["ts_sgt"], DATE, where)
        while changes and changes[0][0] <= at_ns:
            yield TapeStatus(changes[0][0], VENUE, SYMBOL, changes.pop(0)[1])
        book = TapeBook(at_ns, VENUE, SYMBOL, _side(row, "bid", where), _side(row, "ask", where))
        census.update(_classes(book, before))
        before = (book.bids, book.asks)
        yield book
    for at_ns, status in changes:
        yield TapeStatus(at_ns, VENUE, SYMBOL, status)


def _side(row: dict[str, str], side: str, where: str) -> tuple[tuple[int, int], ...]:
    return tuple(
        (
            whole_ticks(row[f"{side}_price{i}"], TICK, f"{where}, {side}_price{i}"),
            whole_number(row[f"{side}_volume{i}"], 1, f"{where}, {side}_volume{i}"),
        )
        for i in LEVELS
        if row[f"{side}_price{i}"]
    )


def _classes(book: TapeBook, before: tuple[object, object]) -> list[str]:
    """One class of time, then what is odd about the row itself."""
    when = "pre-open" if book.at_ns < OPEN_NS else "closing" if book.at_ns >= CLOSING_NS else "continuous"
    odd = {
        "lone": len(book.bids) == len(book.asks) == 1,
        "locked": bool(book.bids and book.asks) and book.bids[0][0] >= book.asks[0][0],
        "unchanged": (book.bids, book.asks) == before,
    }
    return [when, *(name for name, holds in odd.items() if holds)]
