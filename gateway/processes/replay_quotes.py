"""Finds the quotes that a trigger took in: by instrument, the feed's incarnation and the number of its topic.

The record is read forward once, together with the trigger's journal, and what is not needed any more is dropped: memory
stays flat. The record runs a little behind the trigger, and the trigger may be restarted, so what was read is kept for
`KEPT_NS` of the record's own time.

What can go wrong: a quote that the record does not hold, because the recorder was not up yet, was dead, or missed it.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from gateway.journal.parquet import recorded_quotes
from gateway.journal.quote_columns import RecordedQuote
from gateway.journal.record_files import segments_of
from gateway.model.quote import Quote

SECOND = 10**9
AHEAD_NS = 10 * SECOND
"""How far behind the trigger the recorder may have been."""
KEPT_NS = 60 * SECOND

Key = tuple[str, int, int]
"""Instrument, the feed's incarnation, number."""


class RecordedQuotes:
    """The record of a run, asked in the order of the trigger's journal."""

    def __init__(self, run_dir: Path) -> None:
        self._read = _quotes(run_dir)
        self._ended = False
        self._at_ns = 0
        self._found: dict[Key, Quote] = {}
        self._order: deque[tuple[int, Key]] = deque()

    def find(self, key: Key, at_ns: int) -> Quote | None:
        """The quote that was taken up at `at_ns`; None where the record lacks it."""
        while key not in self._found and not self._ended and self._at_ns <= at_ns + AHEAD_NS:
            self._take()
        self._forget(at_ns)
        return self._found.get(key)

    def _take(self) -> None:
        one = next(self._read, None)
        if one is None:
            self._ended = True
            return
        seen = one.observed
        self._at_ns = seen.at_ns
        if not seen.filled:
            key = (one.quote.instrument_id, seen.incarnation, seen.seq)
            self._found[key] = one.quote
            self._order.append((seen.at_ns, key))

    def _forget(self, at_ns: int) -> None:
        while self._order and self._order[0][0] < at_ns - KEPT_NS:
            self._found.pop(self._order.popleft()[1], None)


def _quotes(run_dir: Path) -> Iterator[RecordedQuote]:
    for segment in segments_of(run_dir):
        yield from recorded_quotes(segment)
