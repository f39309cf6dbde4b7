"""CFFEX IF continuous, 2014-01-29: books and trades DERIVED from one-minute bars. No quote of it was recorded.

Theory of operation. A bar becomes 240 trades' times, one in each quarter of a second, its place in the quarter drawn
from the seed. The last price starts at Open and ends at Close; High and Low are each touched at a drawn step, in a
drawn order; between these four it runs straight, with a drawn tick of noise that never leaves Low..High. The bar's
volume is shared among the steps by drawn weights. So the trades of a bar give back the bar exactly, and everything
finer than the bar is invention.

The book around a last price is assumed: a spread of `SPREAD_TICKS`, `LEVELS` levels a tick apart, sizes drawn around
`MEDIAN_LOTS` with the fitted shape; the last price stands at the ask after a rise and at the bid after a fall.
"""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus, TapeTrade
from simulators.tapes.draws import quantile
from simulators.tapes.errors import TapeError, at_line
from simulators.tapes.parameters import Fitted
from simulators.tapes.recorded.window import CLOSED, HALT, HOUR_NS, MINUTE_NS, READY, RESUME, Census, Source
from simulators.tapes.text import present, table_rows, time_of_day_ns, whole_number, whole_ticks

FILE = "cffex_if_bars/IF0000_1min_20140129.csv"
DATE_IN_FILE, TRADING_DATE = "2014/1/29", "20140129"
VENUE, SYMBOL = "CFFEX", "IF0000"
TICK = Decimal("0.2")
STEPS = 240
STEP_NS = MINUTE_NS // STEPS
SPREAD_TICKS = 2
LEVELS = 5
MEDIAN_LOTS = 6
COLUMNS = ("Date", "Time", "Open", "High", "Low", "Close", "TotalVolume")
CHANGES = (
    (9 * HOUR_NS + 15 * MINUTE_NS, READY),
    (11 * HOUR_NS + 30 * MINUTE_NS, HALT),
    (13 * HOUR_NS, RESUME),
    (15 * HOUR_NS + 15 * MINUTE_NS, CLOSED),
)


class Bar(NamedTuple):
    """One minute that ends at `end_ns` since midnight; prices in ticks."""

    end_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


def if_bars(directory: Path, fitted: Fitted, seed: int) -> Source:
    """The stream made of the IF bars in the recorded sets under `directory`."""
    note = (
        f"IF0000: BAR-DERIVED from one-minute bars of 2014-01-29, {STEPS} steps a bar through open, high and low in "
        f"drawn order, close, by seed {seed}; trades add up to each bar; quotes assumed: spread {SPREAD_TICKS} ticks "
        f"({SPREAD_TICKS * TICK} points), {LEVELS} levels, median {MEDIAN_LOTS} lots a level"
    )
    instrument = TapeInstrument(VENUE, SYMBOL, TICK, "CNY", TRADING_DATE)
    return Source(instrument, partial(_read, present(directory / FILE), fitted, seed), note)


def read_bars(path: Path) -> Iterator[Bar]:
    """The bars of the file, in its order; TapeError names a line that cannot be a bar."""
    for line, row in table_rows(path, COLUMNS):
        where = at_line(path, line)
        if row["Date"] != DATE_IN_FILE:
            raise TapeError(f"{where}, Date", row["Date"], DATE_IN_FILE)
        opening, high, low, closing = (
            whole_ticks(row[name], TICK, f"{where}, {name}") for name in ("Open", "High", "Low", "Close")
        )
        volume = whole_number(row["TotalVolume"], 0, f"{where}, TotalVolume")
        bar = Bar(time_of_day_ns(row["Time"], f"{where}, Time"), opening, high, low, closing, volume)
        if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
            raise TapeError(where, ",".join(row.values()), "Low <= Open, Close <= High")
        yield bar


def last_prices(bar: Bar, random: Random) -> list[int]:
    """The last price at each of the steps, in ticks: Open first, Close last, High and Low touched, none beyond."""
    first, second = sorted((1 + random.getrandbits(16) % (STEPS - 2), 1 + random.getrandbits(16) % (STEPS - 2)))
    if first == second:
        first, second = (first - 1, second) if first > 1 else (first, second + 1)
    extremes = (bar.high, bar.low) if random.getrandbits(1) else (bar.low, bar.high)
    knots = ((0, bar.open), (first, extremes[0]), (second, extremes[1]), (STEPS - 1, bar.close))
    path = [bar.open]
    for (start, low), (end, high) in itertools.pairwise(knots):
        for step in range(start + 1, end + 1):
            straight = low + (high - low) * (step - start) // (end - start)
            noise = 0 if step == end else random.getrandbits(2) % 3 - 1
            path.append(min(bar.high, max(bar.low, straight + noise)))
    return path


def volumes(bar: Bar, path: list[int], random: Random) -> list[int]:
    """The bar's volume shared among its steps; those that touch Open, High, Low or Close come first with a lot each."""
    lots = [0] * STEPS
    left = bar.volume
    for step in (0, STEPS - 1, path.index(bar.high), path.index(bar.low)):
        if left and not lots[step]:
            lots[step] = 1
            left -= 1
    weights = [random.getrandbits(6) for _ in range(STEPS)]
    total, shared, seen = sum(weights) or 1, 0, 0
    for step, weight in enumerate(weights):
        seen += weight
        share = left * seen // total - shared
        shared += share
        lots[step] += share
    lots[-1] += left - shared
    return lots


def _read(path: Path, fitted: Fitted, seed: int, census: Census) -> Iterator[TapeEvent]:
    random = Random(seed)
    changes = list(CHANGES)
    for bar in read_bars(path):
        census["bars"] += 1
        start_ns = bar.end_ns - MINUTE_NS
        while changes and changes[0][0] <= start_ns:
            yield TapeStatus(changes[0][0], VENUE, SYMBOL, changes.pop(0)[1])
        yield from _bar_events(bar, start_ns, fitted, random)
    for at_ns, status in changes:
        yield TapeStatus(at_ns, VENUE, SYMBOL, status)


def _bar_events(bar: Bar, start_ns: int, fitted: Fitted, random: Random) -> Iterator[TapeEvent]:
    prices = last_prices(bar, random)
    lots = volumes(bar, prices, random)
    before = bar.open
    for step, px_ticks in enumerate(prices):
        at_ns = start_ns + step * STEP_NS + random.getrandbits(24) % STEP_NS
        buy = px_ticks > before or (px_ticks == before and bool(random.getrandbits(1)))
        before = px_ticks
        if lots[step]:
            yield TapeTrade(at_ns, VENUE, SYMBOL, px_ticks, lots[step], "1" if buy else "2")
        bid = px_ticks - SPREAD_TICKS if buy else px_ticks
        bids = tuple((bid - i, _size(fitted, random)) for i in range(LEVELS))
        asks = tuple((bid + SPREAD_TICKS + i, _size(fitted, random)) for i in range(LEVELS))
        yield TapeBook(at_ns, VENUE, SYMBOL, bids, asks)


def _size(fitted: Fitted, random: Random) -> int:
    return max(1, MEDIAN_LOTS * quantile(random, fitted.size_permille) // 1000)
