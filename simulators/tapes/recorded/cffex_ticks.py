"""CFFEX IF2101, 2021-01-04: best bid and ask every 500 ms, as recorded, level 1 only.

A snapshot of the sessions (09:30-11:30, 13:00-15:00) becomes a book and, where volume was traded since the one before,
one trade before it: the whole volume at the last price, taken by a buyer where that price stood at or above the ask
before, by a seller at or below the bid, else by the tick rule. A snapshot is stamped up to a second after the session's
end, so the end is told one second late. The opening auction's row and the settlement rows after 15:01 become no book:
they are counted (`auction`, `settlement`) and stand behind a status.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus, TapeTrade
from simulators.tapes.draws import SECOND_NS
from simulators.tapes.errors import TapeError, at_line
from simulators.tapes.recorded.window import AUCTION, CLOSED, HALT, HOUR_NS, MINUTE_NS, READY, RESUME, Census, Source
from simulators.tapes.text import beijing_ns, present, table_rows, whole_number, whole_ticks

FILE = "cffex_if_ticks/IF2101_20210104_l1.csv.gz"
DATE = "2021-01-04"
VENUE, SYMBOL = "CFFEX", "IF2101"
TICK = Decimal("0.2")
OPEN_NS = 9 * HOUR_NS + 30 * MINUTE_NS
SETTLEMENT_NS = 15 * HOUR_NS + MINUTE_NS
CHANGES = (
    (9 * HOUR_NS + 29 * MINUTE_NS, AUCTION),
    (OPEN_NS, READY),
    (11 * HOUR_NS + 30 * MINUTE_NS + SECOND_NS, HALT),
    (13 * HOUR_NS, RESUME),
    (15 * HOUR_NS + SECOND_NS, CLOSED),
)
COLUMNS = (
    "ts_beijing", "trading_date", "price", "volume", "upper", "lower", "pre_settle",
    "bid_price1", "bid_volume1", "ask_price1", "ask_volume1",
)  # fmt: skip
NOTE = (
    "IF2101: recorded best bid and ask of 2021-01-04 every 500 ms, one level; one trade per snapshot, its whole volume "
    "at its last price, the taker's side inferred"
)


def if_ticks(directory: Path) -> Source:
    """The stream of IF2101 in the recorded sets under `directory`; limits and settlement are the file's first row's."""
    path = present(directory / FILE)
    line, row = next(table_rows(path, COLUMNS), (1, {}))
    if not row:
        raise TapeError(at_line(path, 2), "", "at least one row")
    high, low, settled = (
        whole_ticks(row[column], TICK, at_line(path, line, column)) for column in ("upper", "lower", "pre_settle")
    )
    instrument = TapeInstrument(VENUE, SYMBOL, TICK, "CNY", row["trading_date"], high, low, settled)
    return Source(instrument, partial(_read, path), NOTE)


def _read(path: Path, census: Census) -> Iterator[TapeEvent]:
    changes = list(CHANGES)
    bid = ask = last = 0
    aggressor = "1"
    for line, row in table_rows(path, COLUMNS):
        where = at_line(path, line)
        at_ns = beijing_ns(row["ts_beijing"], DATE, where)
        while changes and changes[0][0] <= at_ns:
            yield TapeStatus(changes[0][0], VENUE, SYMBOL, changes.pop(0)[1])
        px_ticks = whole_ticks(row["price"], TICK, f"{where}, price")
        if at_ns < OPEN_NS or at_ns >= SETTLEMENT_NS:
            census["auction" if at_ns < OPEN_NS else "settlement"] += 1
            last = px_ticks
            continue
        qty_lots = whole_number(row["volume"], 0, f"{where}, volume")
        aggressor = _aggressor(px_ticks, bid, ask, last, aggressor)
        if qty_lots:
            yield TapeTrade(at_ns, VENUE, SYMBOL, px_ticks, qty_lots, aggressor)
        census["traded" if qty_lots else "quiet"] += 1
        book = _book(at_ns, row, where)
        bid, ask, last = book.bids[0][0], book.asks[0][0], px_ticks
        yield book
    for at_ns, status in changes:
        yield TapeStatus(at_ns, VENUE, SYMBOL, status)


def _book(at_ns: int, row: dict[str, str], where: str) -> TapeBook:
    bid, ask = (
        (
            whole_ticks(row[f"{side}_price1"], TICK, f"{where}, {side}_price1"),
            whole_number(row[f"{side}_volume1"], 1, f"{where}, {side}_volume1"),
        )
        for side in ("bid", "ask")
    )
    return TapeBook(at_ns, VENUE, SYMBOL, (bid,), (ask,))


def _aggressor(px_ticks: int, bid: int, ask: int, last: int, before: str) -> str:
    """Side(54) of the taker: by the quote before, then by the tick rule, then as the trade before."""
    if ask and px_ticks >= ask:
        return "1"
    if bid and px_ticks <= bid:
        return "2"
    if px_ticks == last:
        return before
    return "1" if px_ticks > last else "2"
