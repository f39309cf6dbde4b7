"""What a segment's log holds, quotes apart from the rest: as a summary, quote by quote, and the rest as a file."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.journal.frame import FILE_HEADER, FrameEncoder, TornTail
from gateway.journal.quote_columns import LEAST_DEPTH, RecordedQuote, SegmentClock
from gateway.journal.reader import read_journal
from gateway.model.quote import Quote
from gateway.model.record import ClockPair, JournalOpened, Missed, Observed


@dataclass(slots=True)
class LogSummary:
    """One segment's log, read through once."""

    opened: JournalOpened | None = None
    clock_pairs: list[ClockPair] = field(default_factory=list)
    quotes: int = 0
    repaired: int = 0
    filled: int = 0
    """Quotes that came too late for anybody but the record."""
    missed: int = 0
    """Quotes that the recorder itself missed."""
    states: Counter[str] = field(default_factory=Counter)
    depth: int = LEAST_DEPTH
    first_ns: int = 0
    last_ns: int = 0
    torn: TornTail | None = None
    missed_before: dict[tuple[str, int, int], int] = field(default_factory=dict)
    """By topic, incarnation and number of the quote that came after them."""

    @property
    def clock(self) -> SegmentClock:
        """Whose clock the times are on."""
        if self.opened is None:
            return SegmentClock("", "", 0)
        return SegmentClock(self.opened.host, self.opened.boot_id, self.opened.utc_ns - self.opened.monotonic_ns)


def summarise_log(log: Path) -> LogSummary:
    """Read the log through; CorruptJournalError where it is damaged, a torn tail is told in the summary."""
    found = LogSummary()

    def note_torn(torn: TornTail) -> None:
        found.torn = torn

    for record in read_journal(log, on_torn=note_torn):
        if isinstance(record, Observed):
            if isinstance(record.what, Quote):
                _count(found, record, record.what)
        elif isinstance(record, Missed):
            lost = record.last_seq - record.first_seq + 1
            if record.topic.startswith("Q."):
                found.missed += lost
            found.missed_before[record.topic, record.incarnation, record.last_seq + 1] = lost
        elif isinstance(record, JournalOpened):
            found.opened = record
        elif isinstance(record, ClockPair):
            found.clock_pairs.append(record)
    return found


def logged_quotes(log: Path, summary: LogSummary) -> Iterator[RecordedQuote]:
    """The quotes of a log that `summary` was made of."""
    clock, missed = summary.clock, summary.missed_before
    for record in read_journal(log, on_torn=_pass_over):
        if isinstance(record, Observed) and isinstance(record.what, Quote):
            quote = record.what
            topic = f"{'R' if record.filled else 'Q'}.{quote.instrument_id}"
            before = missed.get((topic, record.incarnation, record.seq), 0) if missed else 0
            yield RecordedQuote(record, quote, before, clock)


def keep_the_rest(log: Path, unfinished: Path) -> None:
    """Put a log without its quotes in the log's place, in one step: what is no quote stays where it was."""
    encode = FrameEncoder().encode
    with unfinished.open("wb") as stream:
        stream.write(FILE_HEADER)
        for record in read_journal(log, on_torn=_pass_over):
            if not (isinstance(record, Observed) and isinstance(record.what, Quote)):
                stream.write(encode(record))
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.chmod(log.stat().st_mode & 0o777)
    unfinished.replace(log)


def _count(found: LogSummary, record: Observed, quote: Quote) -> None:
    found.first_ns = found.first_ns or record.at_ns
    found.last_ns = record.at_ns
    found.quotes += 1
    found.repaired += record.repaired
    found.filled += record.filled
    found.states[quote.state.value] += 1
    found.depth = max(found.depth, len(quote.bids), len(quote.asks))


def _pass_over(_torn: TornTail) -> None:
    """The summary has told it."""
