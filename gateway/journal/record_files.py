"""Where the record of a run lies: segments, each a log while it is written and a Parquet file once it is closed.

    RUN/journal/recorder.<incarnation>-<segment>.journal    the log; after the conversion what is no quote
    RUN/record/quotes.<incarnation>-<segment>.parquet       the quotes of a closed segment

Where both hold a segment's quotes (a conversion that was killed after its file was whole), the Parquet file counts. It
gets its name only when it is whole, so that a file of that name is never half of one.
"""

from pathlib import Path
from typing import NamedTuple

from gateway.journal.reader import JOURNAL_FOLDER, RECORDER, journal_paths
from gateway.model.quote import BookState, Quote

RECORD_FOLDER = "record"
UNFINISHED = ".part"
"""Ends the name of a file that is being written; what a kill leaves of it is written anew."""
SHOWS_BOOK = frozenset(
    {
        BookState.OK,
        BookState.SHUT,
        BookState.ONE_SIDED,
        BookState.CROSSED,
        BookState.LIMIT_LOCKED,
        BookState.STALE,
    }
)
"""States in which a quote carries the book as the venue has it."""


class SegmentFiles(NamedTuple):
    """One segment: its log, and its Parquet file whether it is there or not."""

    name: str
    log: Path
    parquet: Path

    @property
    def is_converted(self) -> bool:
        """The quotes lie in the Parquet file, and the log was rewritten without them after that."""
        try:
            return self.parquet.stat().st_mtime_ns <= self.log.stat().st_mtime_ns
        except FileNotFoundError:
            return False


def segment_path(run_dir: Path, incarnation: int, segment: int) -> Path:
    """The log of a segment, counted from 1 in each incarnation of the recorder."""
    return run_dir / JOURNAL_FOLDER / f"{RECORDER}.{incarnation:010d}-{segment:06d}.journal"


def segments_of(run_dir: Path) -> list[SegmentFiles]:
    """All segments of a run, oldest first."""
    return [files_of(log) for log in journal_paths(run_dir, RECORDER)]


def files_of(log: Path) -> SegmentFiles:
    """The segment that this log belongs to."""
    name = log.name.removeprefix(f"{RECORDER}.").removesuffix(".journal")
    return SegmentFiles(name, log, log.parent.parent / RECORD_FOLDER / f"quotes.{name}.parquet")


class RepairMarks:
    """Tells the first quote of an instrument that shows a book after one that could not, or after nothing.

    What the market did in between is not known to the record, so such a quote must not be taken for a move.
    """

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def is_repaired(self, quote: Quote) -> bool:
        """Whether this quote, the next of its instrument, is such a one."""
        name = quote.instrument_id
        if quote.state not in SHOWS_BOOK:
            self._shown.discard(name)
            return False
        if name in self._shown:
            return False
        self._shown.add(name)
        return True

    def missed(self, instrument_id: str) -> None:
        """Quotes of this instrument were lost on the way to the record."""
        self._shown.discard(instrument_id)
