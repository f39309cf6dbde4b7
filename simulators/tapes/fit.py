"""Fits the parameters of the synthetic tapes to the recorded sets: `python -m simulators.tapes.fit DIR [--write]`.

It prints what it measured as a table and the TOML that follows; `--write` replaces `fitted.toml`. Parameters only, each
a statistic of tens of thousands of rows, leave this file. What is measured on what:

- bursts: SGX CN, rows per second in continuous trading. A second is busy with more than twice the mean number of rows.
  Mean lengths of busy and of calm stretches are fitted; the busy rate itself is chosen (`PEAK_PER_S`), because the
  book of copper or gold overseas moves more often than CN's of 2014 did.
- calm rate: XAUUSD, quotes per second, 08:00-24:00 Beijing.
- domestic changes and trades: IF ticks. The share p of 500 ms snapshots that differ from the one before (that traded)
  gives a rate of -ln(1 - p) / 0.5 s if changes come at random.
- spread: CN in ticks (a tick that is large for the price: domestic legs), IF in hundredths of a basis point (a small
  one: overseas legs), at the middles of 16 equal shares.
- sizes: CN, best level, 17 quantiles (the ends at 1 % and 99 %) per mille of the median; deeper levels by their median.
- volatility: XAUUSD mid, root mean square over ten seconds, 08:00-24:00 Beijing.

What can go wrong: a rate from shares near 1 rests on few snapshots; the table prints the shares.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby, pairwise
from math import log
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from simulators.core.tape import TapeBook, TapeEvent, TapeTrade
from simulators.tapes.draws import SECOND_NS
from simulators.tapes.errors import TapeError
from simulators.tapes.parameters import FITTED
from simulators.tapes.recorded.cffex_ticks import if_ticks
from simulators.tapes.recorded.oanda_xauusd import xauusd_ticks
from simulators.tapes.recorded.sgx_cn import cn_book
from simulators.tapes.recorded.window import HOUR_NS, MINUTE_NS, Census, Source

PEAK_PER_S = 20
"""Chosen: book changes per second of the overseas leg in a burst."""
SNAPSHOT_S = 0.5
HORIZON_NS = 10 * SECOND_NS
BUSY_MEANS = 2
DAY_NS = (8 * HOUR_NS, 24 * HOUR_NS)
Levels = tuple[tuple[int, int], ...]
SESSIONS = (
    (9 * HOUR_NS + 31 * MINUTE_NS, 11 * HOUR_NS + 30 * MINUTE_NS),
    (13 * HOUR_NS, 14 * HOUR_NS + 59 * MINUTE_NS),
)


class Bursts(NamedTuple):
    """Seconds are split in busy and calm ones: their rates per second, and mean stretches in seconds."""

    calm_rate: float
    busy_rate: float
    calm_s: float
    busy_s: float


def fit(directory: Path) -> tuple[list[tuple[str, str]], str]:
    """(rows of the table, the TOML) fitted to the recorded sets under `directory`."""
    cn = [event for event in _continuous(cn_book(directory)) if isinstance(event, TapeBook)]
    ticks = list(_continuous(if_ticks(directory)))
    snapshots = [event for event in ticks if isinstance(event, TapeBook)]
    trades = sum(isinstance(event, TapeTrade) for event in ticks)
    gold = [event for event in xauusd_ticks(directory).read(Census()) if isinstance(event, TapeBook)]

    bursts = find_bursts(per_second(cn))
    changed = sum(a[3:] != b[3:] for a, b in pairwise(snapshots)) / (len(snapshots) - 1)
    traded = trades / len(snapshots)
    change_rate, trade_rate = _rate(changed), _rate(traded)
    gold_rate = gold_per_second(gold)
    cn_spread = sorted(book.asks[0][0] - book.bids[0][0] for book in cn)
    if_spread = sorted(_spread_bp_e2(book) for book in snapshots)
    sizes = [sorted(_sizes(cn, level)) for level in range(3)]
    levels = [round(1000 * median(each) / median(sizes[0])) for each in sizes]
    volatility = round(100 * volatility_bp(gold))
    table = [
        ("CN rows in continuous trading", str(len(cn))),
        ("CN rows per second: calm, busy", f"{bursts.calm_rate:.2f}, {bursts.busy_rate:.2f}"),
        ("CN mean stretch in seconds: calm, busy", f"{bursts.calm_s:.2f}, {bursts.busy_s:.2f}"),
        ("IF snapshots in continuous trading", str(len(snapshots))),
        ("IF share of snapshots changed, traded", f"{changed:.4f}, {traded:.4f}"),
        ("IF rate per second: changes, trades", f"{change_rate:.2f}, {trade_rate:.2f}"),
        ("CN spread in ticks: median, 99 %", f"{_at(cn_spread, 0.5)}, {_at(cn_spread, 0.99)}"),
        ("IF spread in bp / 100: median, 99 %", f"{_at(if_spread, 0.5)}, {_at(if_spread, 0.99)}"),
        ("CN best size in lots: 10 %, median, 90 %", ", ".join(str(_at(sizes[0], share)) for share in (0.1, 0.5, 0.9))),
        ("XAUUSD quotes, per second", f"{len(gold)}, {gold_rate:.2f}"),
        ("XAUUSD volatility in bp / 100 per root second", str(volatility)),
    ]
    lines = [
        "# Parameters of the synthetic tapes, by `python -m simulators.tapes.fit DIR --write`: statistics, no data.",
        "# How each is fitted, and which one is chosen: simulators/tapes/fit.py.",
        'sources = ["SGX CN 2014-01-29", "CFFEX IF2101 2021-01-04", "XAUUSD 2014-05-05"]',
        "",
        "[arrivals]",
        f"calm_per_s = {max(1, round(gold_rate))}",
        f"burst_per_s = {PEAK_PER_S}",
        f"calm_ms = {round(1000 * bursts.calm_s)}",
        f"burst_ms = {round(1000 * bursts.busy_s)}",
        f"domestic_per_s = {max(1, round(change_rate))}",
        "",
        "[spread]",
        f"large_tick = {[_at(cn_spread, (i + 0.5) / 16) for i in range(16)]}",
        f"bp_e2 = {[_at(if_spread, (i + 0.5) / 16) for i in range(16)]}",
        "",
        "[sizes]",
        f"permille = {size_permille(sizes[0])}",
        f"level_permille = {[*levels, levels[-1], levels[-1]]}",
        "",
        "[volatility]",
        f"bp_e2_per_root_s = {volatility}",
        "",
        "[trades]",
        f"permille = {round(1000 * min(trade_rate / change_rate, 0.5))}",
    ]
    return table, "\n".join(lines) + "\n"


def per_second(books: list[TapeBook]) -> list[int]:
    """Rows in each second of the sessions, seconds without one included."""
    counts = {second: len(list(group)) for second, group in groupby(books, key=lambda book: book.at_ns // SECOND_NS)}
    seconds = (range(start // SECOND_NS, end // SECOND_NS) for start, end in SESSIONS)
    return [counts.get(second, 0) for each in seconds for second in each]


def find_bursts(counts: list[int]) -> Bursts:
    """Busy seconds hold more than `BUSY_MEANS` times the mean; stretches are runs of either kind."""
    limit = BUSY_MEANS * mean(counts)
    runs = [(busy, list(group)) for busy, group in groupby(counts, key=lambda count: count > limit)]
    calm = [run for busy, run in runs if not busy]
    bursts = [run for busy, run in runs if busy]
    return Bursts(_run_mean(calm), _run_mean(bursts), mean(map(len, calm)), mean(map(len, bursts)))


def gold_per_second(books: list[TapeBook]) -> float:
    """Quotes per second from 08:00 to 24:00."""
    return sum(DAY_NS[0] <= book.at_ns < DAY_NS[1] for book in books) * SECOND_NS / (DAY_NS[1] - DAY_NS[0])


def volatility_bp(books: list[TapeBook]) -> float:
    """Root mean square change of the mid over `HORIZON_NS`, in basis points per root second."""
    mids: list[float] = []
    last = 0.0
    next_ns = books[0].at_ns + HORIZON_NS
    for book in (each for each in books if each.at_ns < DAY_NS[1]):
        while book.at_ns >= next_ns:
            mids.append(last)
            next_ns += HORIZON_NS
        last = _mid(book)
    squares = [(1e4 * (b - a) / a) ** 2 for a, b in pairwise(mids)]
    return float((mean(squares) * SECOND_NS / HORIZON_NS) ** 0.5)


def size_permille(sizes: list[int]) -> list[int]:
    """17 quantiles of sorted sizes, per mille of the median; the ends at 1 % and 99 %."""
    middle = median(sizes)
    shares = [0.01, *(i / 16 for i in range(1, 16)), 0.99]
    return [round(1000 * _at(sizes, share) / middle) for share in shares]


def _continuous(source: Source) -> Iterator[TapeEvent]:
    events = source.read(Census())
    return (event for event in events if any(start <= event.at_ns < end for start, end in SESSIONS))


def _rate(share: float) -> float:
    return -log(1 - share) / SNAPSHOT_S


def _at(values: list[int], share: float) -> int:
    return values[int(share * len(values))]


def _run_mean(runs: list[list[int]]) -> float:
    return sum(map(sum, runs)) / sum(map(len, runs))


def _mid(book: TapeBook) -> float:
    return (book.bids[0][0] + book.asks[0][0]) / 2


def _spread_bp_e2(book: TapeBook) -> int:
    return round(1_000_000 * (book.asks[0][0] - book.bids[0][0]) / _mid(book))


def _sizes(books: list[TapeBook], level: int) -> Iterator[int]:
    for book in books:
        yield book.bids[level][1]
        yield book.asks[level][1]


def main(arguments: list[str] | None = None) -> int:
    """Print the table and the TOML; 0 when fitted, 2 when the recorded sets are not there."""
    parser = argparse.ArgumentParser(prog="python -m simulators.tapes.fit", description="Fit the synthetic tapes.")
    parser.add_argument("directory", type=Path, help="the folder of the recorded sets")
    parser.add_argument("--write", action="store_true", help="replace simulators/tapes/fitted.toml")
    asked = parser.parse_args(arguments)
    try:
        table, text = fit(asked.directory)
    except TapeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.writelines(f"{name:<46} {value}\n" for name, value in table)
    sys.stdout.write(f"\n{text}")
    if asked.write:
        FITTED.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
