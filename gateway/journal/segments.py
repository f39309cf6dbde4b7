"""The recorder's log, cut into segments by size and by age.

Decides when a segment is full; what is to be done with a closed one is the caller's. A record that `append` returned
for is in the file (`gateway/journal/writer.py` says what that means), so a kill loses nothing of it; what it leaves is
an orphan, a closed segment that nobody has converted yet.

What can go wrong: a new segment that cannot be opened (no space) raises JournalError, and the old one is closed.
"""

from collections.abc import Callable
from pathlib import Path

from gateway.journal.writer import JournalWriter
from gateway.model.record import JournalRecord

OpenSegment = Callable[[int], JournalWriter]
"""Opens the segment of this number, counted from 1."""


class SegmentedJournal:
    """A journal in segments of at most about `segment_bytes`, closed after `segment_ns` in any case."""

    def __init__(self, open_segment: OpenSegment, *, segment_bytes: int, segment_ns: int, at_ns: int) -> None:
        """Open the first segment."""
        self._open = open_segment
        self._segment_bytes = segment_bytes
        self._segment_ns = segment_ns
        self._number = 1
        self._writer = open_segment(1)
        self._opened_ns = at_ns
        self._empty_bytes = self._writer.size_bytes

    @property
    def path(self) -> Path:
        """The file that is being written."""
        return self._writer.path

    def append(self, record: JournalRecord) -> None:
        """Write `record` to the segment that is open."""
        self._writer.append(record)

    def roll(self, at_ns: int) -> Path | None:
        """Close the segment and open the next when it is large or old enough and not empty; the closed one's path."""
        size = self._writer.size_bytes
        is_old = at_ns - self._opened_ns >= self._segment_ns
        if size == self._empty_bytes or (size < self._segment_bytes and not is_old):
            return None
        closed = self._writer.path
        self._writer.close()
        self._number += 1
        self._writer = self._open(self._number)
        self._opened_ns = at_ns
        self._empty_bytes = self._writer.size_bytes
        return closed

    def close(self) -> None:
        """Close what is open."""
        self._writer.close()
