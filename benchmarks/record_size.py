"""What a recorded quote costs: bytes in the log and in Parquet, time to write and to convert, a day at 1 000 a second.

The quotes are those of a seeded synthetic tape, as the feed makes and the recorder writes them: five levels, receive
times that jitter, calibrated times whose bound moves, trades. Books that repeat make the Parquet file smaller; a
market with more levels or wilder sizes makes it larger.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.machine import describe, in_words
from benchmarks.report import table
from gateway.feed.core import FeedCore
from gateway.journal.parquet import convert, recorded_quotes
from gateway.journal.record_files import RepairMarks, files_of, segment_path
from gateway.journal.writer import JournalWriter
from gateway.model.instrument import Instrument
from gateway.model.quote import BookSnapshot, Quote
from gateway.model.record import JournalOpened, Observed
from simulators.core.tape import Tape, TapeBook, TapeTrade
from simulators.tapes import load_tape

DEFAULT_QUOTES = 100_000
PER_DAY = 1_000 * 86_400
DELAY_NS, JITTER_NS = 300_000, 200_000
BOUND_NS, BOUND_STEP_NS = 200_000, 997
QUOTES_PER_BOUND = 500
"""About what a session's answers change it in."""
GIB = 2**30


class Cost(NamedTuple):
    """What was measured with one tape."""

    name: str
    quotes: int
    log_bytes: int
    parquet_bytes: int
    append_ns: int
    convert_ns: int
    read_ns: int

    def rows(self) -> list[list[object]]:
        """The two lines of the table."""
        lines = (("log", self.log_bytes, self.append_ns), ("Parquet", self.parquet_bytes, self.convert_ns))
        count = self.quotes
        rows: list[list[object]] = []
        for form, size, spent in lines:
            per_quote = size / count
            told = (f"{per_quote:.1f}", f"{per_quote * PER_DAY / GIB:.2f}", f"{spent / count / 1000:.1f}")
            rows.append([self.name, form, count, *told, f"{self.read_ns / count / 1000:.1f}" if form != "log" else ""])
        return rows


def quotes(name: str, most: int, seed: int = 7) -> Iterator[Quote]:
    """The first `most` quotes of a synthetic tape, longer than it needs to be."""
    tape = load_tape("synthetic", name, "", seed, 86_400)
    random = Random(seed)  # noqa: S311 - jitter, the same each time
    core = FeedCore(_instruments(tape), depth=5, kept_limit=10, retry_ns=10**9, retry_most_ns=10**9)
    for venue_id in {one.venue for one in tape.instruments}:
        core.on_session(venue_id, up=True, at_ns=0)
    last: dict[str, tuple[int, int]] = {}
    number = 0
    for event in tape.events():
        instrument_id = f"{event.venue}.{event.symbol}"
        if isinstance(event, TapeTrade):
            last[instrument_id] = (event.px_ticks, event.qty_lots)
        if not isinstance(event, TapeBook):
            continue
        number += 1
        venue_ns = (1_781_485_200 * 10**9 + event.at_ns) // 10**6 * 10**6
        recv_ns = event.at_ns + DELAY_NS + random.randrange(JITTER_NS)
        snapshot = BookSnapshot(
            instrument_id,
            recv_ns,
            venue_ns,
            number,
            number,
            event.bids,
            event.asks,
            *last.get(instrument_id, (None, 0)),
        )
        quote = core.on_event(snapshot, recv_ns + random.randrange(20_000, 90_000))
        if quote is not None:
            bound_ns = BOUND_NS + number // QUOTES_PER_BOUND % 100 * BOUND_STEP_NS
            yield _calibrated(quote, event.at_ns, bound_ns)
        if number == most:
            return


def _calibrated(quote: Quote, at_ns: int, bound_ns: int) -> Quote:
    return Quote(
        quote.instrument_id, quote.state, quote.bids, quote.asks, quote.recv_ns, quote.venue_ns, quote.pub_ns,
        quote.msg_seq_num, quote.rpt_seq, at_ns // 10**6 * 10**6 + bound_ns % 977, bound_ns, quote.last_px_ticks,
        quote.last_qty_lots, quote.detail,
    )  # fmt: skip


def _instruments(tape: Tape) -> list[Instrument]:
    return [
        Instrument(
            f"{one.venue}.{one.symbol}", one.venue, one.symbol, one.tick, Decimal(1), "t", one.currency, Decimal(1)
        )
        for one in tape.instruments
    ]


def measure(name: str, most: int, folder: Path) -> Cost:
    """Write, convert, read back."""
    marks = RepairMarks()
    ready = [
        Observed(one.pub_ns + 100_000, 1, seq, one, marks.is_repaired(one))
        for seq, one in enumerate(quotes(name, most), 1)
    ]
    opened = JournalOpened("recorder", 1, "host", "boot", 0, 1_781_485_200 * 10**9, "0", "digest")
    path = segment_path(folder, 1, 1)
    path.parent.mkdir(parents=True)
    writer = JournalWriter(path, opened, fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0)
    begin = time.monotonic_ns()
    for one in ready:
        writer.append(one)
    append_ns = time.monotonic_ns() - begin
    writer.close()
    log_bytes = path.stat().st_size
    files = files_of(path)
    ticks = {one.instrument_id: one.tick for one in _instruments(load_tape("synthetic", name, "", 7, 1))}
    begin = time.monotonic_ns()
    convert(files, ticks)
    convert_ns = time.monotonic_ns() - begin
    begin = time.monotonic_ns()
    back = [one.observed for one in recorded_quotes(files)]
    read_ns = time.monotonic_ns() - begin
    if back != ready:
        message = f"{files.parquet}: {len(back)} quotes came back, and not all of {len(ready)} as they were written"
        raise ValueError(message)
    return Cost(name, len(ready), log_bytes, files.parquet.stat().st_size, append_ns, convert_ns, read_ns)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.record_size", description=__doc__)
    parser.add_argument("--quotes", type=int, default=DEFAULT_QUOTES, help="of each tape")
    given = parser.parse_args(arguments)
    head = ["tape", "form", "quotes", "bytes a quote", "GiB a day at 1000/s", "us a quote", "us to read one"]
    print(in_words(describe()))
    rows: list[list[object]] = []
    for name in ("cu", "au"):
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(name, given.quotes, Path(folder)).rows()
    print(table(head, rows))
    print("us a quote: to append it to the log, to convert it; every quote was read back and compared")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
