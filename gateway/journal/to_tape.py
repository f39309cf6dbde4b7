"""`python -m gateway.journal.to_tape RUN FOLDER`: a run's record as a tape in the csv form (docs/TAPES.md).

A tape tells what the market held; a record tells what we saw of it. Where they differ the tape says so in its label:

- A stretch in which a book was not known (gap, bad message, session down, quotes that the recorder missed) is a halt:
  nothing can trade on what nobody saw. It ends with the first quote that shows the book again.
- A book that stood crossed or was told while the venue did not trade stands behind the venue's status, where it was
  told, else behind an auction (21).
- A trade is told where the last trade's price or size changed; the taker's side follows from the quote before. Two
  trades alike in a row are one.
- Times are when a quote was received. Dates of trading are those of its UTC day, for a record knows no calendar.
"""

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from gateway.journal.frame import CorruptJournalError
from gateway.journal.parquet import NoParquetError, recorded_quotes
from gateway.journal.quote_columns import RecordedQuote
from gateway.journal.reader import RunNotFoundError
from gateway.journal.record_files import SHOWS_BOOK, segments_of
from gateway.journal.site_facts import SITE_FILE, SiteFactsError, read_site_facts
from gateway.model.quote import BookState, Levels

HALT, READY, AUCTION = "2", "17", "21"
BUYER, SELLER = "1", "2"
_STATUS = re.compile(r"SecurityTradingStatus\(326\)=(2|18|21)$")
_EVENTS = ("time", "venue", "symbol", "type", "bids", "asks", "price", "qty", "aggressor", "status")
_INSTRUMENTS = (
    "venue", "symbol", "tick", "currency", "trading_date", "high_limit", "low_limit", "prev_settlement",
)  # fmt: skip
_SECOND = 10**9


class TapeRow(NamedTuple):
    """One row of events.csv, its time in nanoseconds since 1970 UTC."""

    at_ns: int
    instrument_id: str
    kind: str
    bids: str = ""
    asks: str = ""
    price: str = ""
    qty: str = ""
    aggressor: str = ""
    status: str = ""


@dataclass(slots=True)
class _Line:
    """One instrument as far as it was told."""

    at_ns: int = 0
    recv_ns: int = 0
    status: str = ""
    book: tuple[Levels, Levels] = ((), ())
    trade: tuple[int, int] | None = None
    aggressor: str = BUYER


@dataclass(slots=True)
class TapeMaker:
    """Turns recorded quotes into rows; `ticks` by instrument."""

    ticks: Mapping[str, Decimal]
    counts: Counter[str] = field(default_factory=Counter)
    """What the label has to say: unknown stretches, crossed books, and of instruments without a tick."""
    lines: dict[str, _Line] = field(default_factory=dict)

    def rows(self, quotes: Iterable[RecordedQuote]) -> Iterator[TapeRow]:
        """The rows in the order of the record."""
        for one in quotes:
            name = one.quote.instrument_id
            if name not in self.ticks:
                self.counts[f"without a tick in {SITE_FILE}: {name}"] += 1
                continue
            yield from self._rows_of(one, self.lines.setdefault(name, _Line()), self.ticks[name])

    def _rows_of(self, one: RecordedQuote, line: _Line, tick: Decimal) -> Iterator[TapeRow]:
        quote = one.quote
        name = quote.instrument_id
        at_ns = self._moment(one, line)
        if quote.state not in SHOWS_BOOK:
            if line.status not in {HALT, ""}:
                self.counts["stretches unknown, told as halts"] += 1
                yield TapeRow(at_ns, name, "status", status=HALT)
                line.status = HALT
            return
        if one.observed.repaired and line.status not in {HALT, ""}:
            self.counts["stretches unknown, told as halts"] += 1
            yield TapeRow(line.at_ns, name, "status", status=HALT)
            line.status = HALT
        line.at_ns = at_ns
        yield from self._trade(one, line, tick, at_ns)
        status = _status(one)
        if status != line.status:
            yield TapeRow(at_ns, name, "status", status=status)
            line.status = status
        self.counts["crossed books, told behind an auction"] += quote.state is BookState.CROSSED
        line.book = (quote.bids, quote.asks)
        yield TapeRow(at_ns, name, "book", _levels(quote.bids, tick), _levels(quote.asks, tick))

    @staticmethod
    def _moment(one: RecordedQuote, line: _Line) -> int:
        """When it was received, UTC; a quote that no message of the book brought counts from its publication."""
        told_ns = one.quote.recv_ns if one.quote.recv_ns != line.recv_ns else one.quote.pub_ns
        line.recv_ns = one.quote.recv_ns
        return max(line.at_ns, told_ns + one.clock.utc_minus_monotonic_ns)

    @staticmethod
    def _trade(one: RecordedQuote, line: _Line, tick: Decimal, at_ns: int) -> Iterator[TapeRow]:
        px_ticks, qty_lots = one.quote.last_px_ticks, one.quote.last_qty_lots
        if px_ticks is None or qty_lots <= 0 or (px_ticks, qty_lots) == line.trade:
            return
        before, line.trade = line.trade, (px_ticks, qty_lots)
        if before is None or one.observed.repaired:
            return  # nobody knows when that was
        bids, asks = line.book
        if asks and px_ticks >= asks[0][0]:
            line.aggressor = BUYER
        elif bids and px_ticks <= bids[0][0]:
            line.aggressor = SELLER
        elif px_ticks != before[0]:
            line.aggressor = BUYER if px_ticks > before[0] else SELLER
        price = format(tick * px_ticks, "f")
        yield TapeRow(at_ns, one.quote.instrument_id, "trade", price=price, qty=str(qty_lots), aggressor=line.aggressor)


def write_tape(run_dir: Path, folder: Path) -> str:
    """Write the three files; the label. RunNotFoundError where the run has no recorded quotes."""
    facts = read_site_facts(run_dir)
    maker = TapeMaker(facts.ticks)
    quotes = (one for segment in segments_of(run_dir) for one in recorded_quotes(segment))
    rows = sorted(maker.rows(quotes), key=lambda row: row.at_ns)
    if not rows:
        message = f"{run_dir}: no recorded quote of an instrument of its {SITE_FILE}; give the directory of a run"
        raise RunNotFoundError(message)
    start_ns, end_ns = rows[0].at_ns, rows[-1].at_ns
    label = _label(run_dir, start_ns, maker.counts)
    folder.mkdir(parents=True, exist_ok=True)
    date = datetime.fromtimestamp(start_ns // _SECOND, UTC).strftime("%Y%m%d")
    names = sorted({row.instrument_id for row in rows})
    splits = {name: (name.partition(".")[0], facts.symbol(name)) for name in names}
    header = ("name", "label", "duration_ns", "start_utc_ns")
    _write(folder / "tape.csv", header, [(folder.name, label, end_ns - start_ns + 1, start_ns)])
    rows_of_instruments = [
        (*splits[name], f"{facts.ticks[name]:f}", facts.quote_currencies.get(name, "unknown"), date, "", "", "")
        for name in names
    ]
    _write(folder / "instruments.csv", _INSTRUMENTS, rows_of_instruments)
    _write(
        folder / "events.csv",
        _EVENTS,
        ((row.at_ns - start_ns, *splits[row.instrument_id], *row[2:]) for row in rows),
    )
    return label


def _status(one: RecordedQuote) -> str:
    if one.quote.state is BookState.SHUT:
        found = _STATUS.search(one.quote.detail)
        return found.group(1) if found else HALT
    return AUCTION if one.quote.state is BookState.CROSSED else READY


def _levels(levels: Levels, tick: Decimal) -> str:
    return " ".join(f"{tick * px_ticks:f}:{qty_lots}" for px_ticks, qty_lots in levels)


def _label(run_dir: Path, start_ns: int, counts: Mapping[str, int]) -> str:
    begun = datetime.fromtimestamp(start_ns // _SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    notes = "; ".join(f"{count} {what}" for what, count in sorted(counts.items()) if count)
    head = f"record of run {run_dir.resolve().name} from {begun}, times of arrival, trades as far as quotes tell them"
    return f"{head}; {notes}" if notes else head


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """The program: 0 when the tape was written, 2 when it could not be."""
    parser = argparse.ArgumentParser(prog="python -m gateway.journal.to_tape", description=__doc__)
    parser.add_argument("run", type=Path, help="the directory of a run")
    parser.add_argument("folder", type=Path, help="where the tape goes")
    given = parser.parse_args(argv)
    try:
        sys.stdout.write(f"{given.folder}: {write_tape(given.run, given.folder)}\n")
    except (RunNotFoundError, CorruptJournalError, SiteFactsError, NoParquetError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
