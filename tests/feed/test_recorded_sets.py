"""Every recorded set, played as a venue would send it: no false alarm, and each odd row is called what it is.

Counts are of published quotes; with snapshots that is one for each row and each status, so that no row is unaccounted
for. The recorded sets are not part of the product; a test skips, with the reason, where its set is absent.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from pathlib import Path

import pytest
from recorded_sets import MINUTE, Played, needed, play, ticks, zipped_rows

from gateway.model.quote import BookState
from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeTrade
from simulators.tapes.parameters import load_fitted
from simulators.tapes.recorded import cffex_ticks
from simulators.tapes.recorded.cffex_bars import if_bars
from simulators.tapes.recorded.oanda_xauusd import xauusd_ticks
from simulators.tapes.recorded.sgx_cn import cn_book
from simulators.tapes.recorded.window import Source
from simulators.tapes.text import beijing_ns, table_rows

WAYS = pytest.mark.parametrize("incremental", [False, True], ids=["snapshots", "increments"])
FALSE_ALARMS = {"gap", "bad", "down", "limit_locked"}


def of(source: Source) -> tuple[TapeInstrument, list[TapeEvent]]:
    return source.instrument, list(source.read(Counter()))


def assert_nothing_was_lost(played: Played) -> None:
    """No gap, no repair, no loss, no bad message, no state that no row stands for."""
    assert (played.totals, played.bad) == ((0, 0, 0), 0)
    assert not FALSE_ALARMS & set(played.states)


def odd_rows(folder: Path) -> Iterator[TapeBook]:
    """The rows of IF2101 outside of its sessions: the opening auction and the settlement snapshots."""
    for _, row in table_rows(folder / cffex_ticks.FILE, cffex_ticks.COLUMNS):
        at_ns = beijing_ns(row["ts_beijing"], cffex_ticks.DATE, "")
        if not cffex_ticks.OPEN_NS <= at_ns < cffex_ticks.SETTLEMENT_NS:
            bid, ask = (
                ((ticks(row[f"{side}_price1"], cffex_ticks.TICK), int(row[f"{side}_volume1"])),)
                for side in ("bid", "ask")
            )
            yield TapeBook(at_ns, cffex_ticks.VENUE, cffex_ticks.SYMBOL, bid, ask)


IF_DAYS = """
day        | odd rows | snapshots: ok, shut, empty | increments: ok, shut, empty
2021-01-04 | 3        | 27954, 5, 3                | 25433, 3, 3
2021-01-05 | 4        | 28252, 6, 3                | 26112, 3, 3
"""


def counts(text: str) -> dict[str, int]:
    return dict(zip(("ok", "shut", "empty"), map(int, text.split(",")), strict=True))


@pytest.mark.parametrize("line", IF_DAYS.strip().splitlines()[1:])
def test_if_ticks(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 500 ms snapshot of the sessions is usable. The auction's row and the settlement rows are shut, as are the
    noon halt and the close; empty are the time before the first row and the two openings, until the answer comes.

    Rows that repeat the one before, the settlement rows among them, are no increment.
    """
    day, odd_count, by_snapshots, by_increments = (cell.strip() for cell in line.split("|"))
    folder = needed("cffex_if_ticks")
    monkeypatch.setattr(cffex_ticks, "DATE", day)
    monkeypatch.setattr(cffex_ticks, "FILE", f"cffex_if_ticks/IF2101_{day.replace('-', '')}_l1.csv.gz")
    instrument, events = of(cffex_ticks.if_ticks(folder))
    odd = list(odd_rows(folder))
    assert len(odd) == int(odd_count)
    books = [one for one in events if isinstance(one, TapeBook)]
    told = list(merge((one for one in events if not isinstance(one, TapeTrade)), odd, key=lambda one: one.at_ns))
    played = play([instrument], told, incremental=False)
    assert_nothing_was_lost(played)
    assert played.states == counts(by_snapshots)
    assert (played.states["ok"], played.asked) == (len(books) + 2, 2)
    played = play([instrument], told, incremental=True)
    assert_nothing_was_lost(played)
    assert played.states == counts(by_increments)
    assert played.last["CFFEX.IF2101"].state is BookState.SHUT


def test_if_ticks_with_their_trades() -> None:
    """Trades between the books are taken, and change no verdict; the first come before there is a book."""
    instrument, events = of(cffex_ticks.if_ticks(needed("cffex_if_ticks")))
    played = play([instrument], events, incremental=True)
    assert_nothing_was_lost(played)
    last = next(one for one in reversed(events) if isinstance(one, TapeTrade))
    quote = played.last["CFFEX.IF2101"]
    assert (quote.last_px_ticks, quote.last_qty_lots) == (last.px_ticks, last.qty_lots)
    assert set(played.states) == {"ok", "shut", "empty"}


CN = """
statuses | messages   | states
told     | snapshots  | ok 25271, shut 41, empty 2
told     | increments | ok 19285, shut 27, empty 2
not told | snapshots  | ok 25306, crossed 3
not told | increments | ok 19306, crossed 3
"""


@pytest.mark.parametrize("line", CN.strip().splitlines()[1:])
def test_sgx_cn(line: str) -> None:
    """Without a status exactly the three locked or crossed rows are crossed, all in the closing auction; with the
    auction's status they, and the other rows outside of the session, are shut.
    """
    told, messages, states = (cell.strip() for cell in line.split("|"))
    instrument, events = of(cn_book(needed("sgx_cn_book")))
    sent = [one for one in events if told == "told" or isinstance(one, TapeBook)]
    played = play([instrument], sent, incremental=messages == "increments")
    assert_nothing_was_lost(played)
    assert played.states == {state: int(count) for state, count in (one.split() for one in states.split(", "))}
    if messages == "snapshots":
        rows = sum(isinstance(one, TapeBook) for one in events)
        assert sum(played.states.values()) == rows + (4 + played.asked if told == "told" else 0)


def test_a_message_that_is_lost_is_an_alarm() -> None:
    """The same set with one increment missing: one gap, one loss, one repair, one request. So the others would show."""
    instrument, events = of(cn_book(needed("sgx_cn_book")))
    books = [one for one in events if isinstance(one, TapeBook)]
    played = play([instrument], books, incremental=True, lost=5000)
    assert (played.totals, played.asked, played.bad) == ((1, 1, 1), 1, 0)
    assert played.states["gap"] == 1


GC = """
day      | usable | one side empty | locked or crossed
20131007 | 26943  | 1722           | 82
20131008 | 28150  | 906            | 73
"""


def gc_books(path: Path) -> Iterator[TapeBook]:
    """The last bid and ask of each minute of each expiry, in order of time."""
    for name, row in zipped_rows(path):
        bid, ask = (
            ((ticks(px, Decimal("0.1")), int(qty)),) if px else () for px, qty in ((row[4], row[5]), (row[9], row[10]))
        )
        yield TapeBook(int(row[0]) * 10**6 + MINUTE, "COMEX", name[-10:-4], bid, ask)


@WAYS
@pytest.mark.parametrize("line", GC.strip().splitlines()[1:])
def test_comex_gc_quotes(line: str, incremental: bool) -> None:  # noqa: FBT001
    """21 expiries at once: a side that is empty is one-sided, a spread of zero or less is crossed, the rest is usable."""
    day, usable, one_sided, crossed = (cell.strip() for cell in line.split("|"))
    books = sorted(gc_books(needed("comex_gc") / "comex_gc" / f"{day}_quote.zip"), key=lambda one: one.at_ns)
    expiries = sorted({one.symbol for one in books})
    listed = [TapeInstrument("COMEX", one, Decimal("0.1"), "USD", day) for one in expiries]
    played = play(listed, books, incremental=incremental)
    assert_nothing_was_lost(played)
    assert (len(expiries), played.asked) == (21, 0)
    if not incremental:
        assert played.states == {"ok": int(usable), "one_sided": int(one_sided), "crossed": int(crossed)}
    else:
        assert set(played.states) == {"ok", "one_sided", "crossed"}


def test_comex_gc_trades() -> None:
    """Trades change no book: the quotes around them stay what the last book was, with the trade beside it."""
    folder = needed("comex_gc")
    trades: list[TapeEvent] = []
    for name, row in zipped_rows(folder / "comex_gc" / "20131007_trade.zip"):
        if int(row[2]) > 0:
            px_ticks = ticks(row[1], Decimal("0.1"))
            trades.append(TapeTrade(int(Decimal(row[0]) * 10**6), "COMEX", name[-10:-4], px_ticks, int(row[2]), "1"))
    trades.sort(key=lambda one: one.at_ns)
    symbols = sorted({one.symbol for one in trades})
    books = [TapeBook(0, "COMEX", one, ((13_000, 1),), ((13_500, 1),)) for one in symbols]
    listed = [TapeInstrument("COMEX", one, Decimal("0.1"), "USD", "20131007") for one in symbols]
    played = play(listed, [*books, *trades], incremental=True)
    assert_nothing_was_lost(played)
    assert (len(symbols), played.states) == (9, {"ok": 40_045 + 9})


def test_xauusd_ticks() -> None:
    """All 186 204 quotes are usable; 25 repeat the one before and are no increment. Before the first it is empty."""
    instrument, events = of(xauusd_ticks(needed("xauusd")))
    played = play([instrument], events, incremental=True)
    assert_nothing_was_lost(played)
    assert (len(events), played.states) == (1 + 186_204, {"ok": 186_179, "empty": 1})


@pytest.mark.parametrize(("file", "bars"), [("daily_xauusd.zip", 3949), ("hour_xauusd.zip", 76_499)])
def test_xauusd_bars(file: str, bars: int) -> None:
    """The last bid and ask of every bar of thirteen years are usable."""
    tick = Decimal("0.0001")
    books: list[TapeEvent] = []
    for number, (_, row) in enumerate(zipped_rows(needed("xauusd") / "xauusd" / file)):
        bid, ask = (((ticks(row[at], tick), 1),) for at in (4, 9))
        books.append(TapeBook(number * MINUTE, "OANDA", "XAUUSD", bid, ask))
    played = play([TapeInstrument("OANDA", "XAUUSD", tick, "USD", "20190101")], books, incremental=False)
    assert_nothing_was_lost(played)
    assert (len(books), played.states) == (bars, {"ok": bars})


def test_if_bars() -> None:
    """Books made around 270 bars, with their trades: usable in the sessions, shut at noon and after the close, empty
    before the first and at the reopening until the answer comes.
    """
    instrument, events = of(if_bars(needed("cffex_if_bars"), load_fitted(), 7))
    books = [one for one in events if not isinstance(one, TapeTrade)]
    played = play([instrument], books, incremental=False)
    assert_nothing_was_lost(played)
    assert (len(books), played.asked) == (64_804, 1)
    assert played.states == {"ok": 64_801, "shut": 2, "empty": 2}


def test_shfe_au_bars() -> None:
    """Bars hold no quote: the trade of each of the 33 969 bars (a lone last row dropped) that traded is taken, none off
    its tick, and the book stays one that cannot be traded on.
    """
    folder = needed("shfe_au")
    tick = Decimal("0.05")
    rows = [row for _, row in table_rows(folder / "shfe_au" / "SHFE_au1912_1min.csv.gz", ("close", "volume"))][:-1]
    traded = [row for row in rows if int(row["volume"])]
    trades = [
        TapeTrade(number * MINUTE, "SHFE", "au1912", ticks(row["close"], tick), int(row["volume"]), "1")
        for number, row in enumerate(traded, 1)
    ]
    empty = TapeBook(0, "SHFE", "au1912", (), ())
    listed = [TapeInstrument("SHFE", "au1912", tick, "CNY", "20190408")]
    played = play(listed, [empty, *trades], incremental=True)
    assert_nothing_was_lost(played)
    assert (len(rows), played.states) == (33_969, {"one_sided": 1 + len(traded)})
