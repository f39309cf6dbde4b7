"""A recorded tape: several recorded streams on one clock, cut to a window that starts at a named time of day.

A source yields events whose `at_ns` is nanoseconds since midnight, Beijing, of its own day. The window tells, at its
start, each instrument's last status and last book before it, then what follows. Streams are merged by time; ties keep
the order of the sources and, within one, of its file.

It does not judge what it carries: a source classifies its rows (`Census`), keeps the odd ones, and says so.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from heapq import merge
from typing import NamedTuple

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus
from simulators.tapes.draws import SECOND_NS

AUCTION, HALT, RESUME, READY, CLOSED = "21", "2", "3", "17", "18"
HOUR_NS = 3600 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS

Census = Counter[str]
"""How many rows of a source fell in which class; filled while it is read."""


class Source(NamedTuple):
    """One instrument's stream. `read` gives its events from the beginning of its file; `note` says what is assumed."""

    instrument: TapeInstrument
    read: Callable[[Census], Iterator[TapeEvent]]
    note: str


class RecordedTape(NamedTuple):
    """Sources from `start_ns` (since midnight, Beijing) on, for `seconds`."""

    name: str
    label: str
    sources: tuple[Source, ...]
    start_ns: int
    seconds: int

    @property
    def instruments(self) -> tuple[TapeInstrument, ...]:
        return tuple(source.instrument for source in self.sources)

    @property
    def duration_ns(self) -> int:
        return self.seconds * SECOND_NS

    def events(self) -> Iterator[TapeEvent]:
        """The events of the window, anew at each call."""
        end_ns = self.start_ns + self.duration_ns
        streams = [window(source.read(Counter()), self.start_ns, end_ns) for source in self.sources]
        return merge(*streams, key=at_ns_of)

    def census(self) -> dict[str, Census]:
        """For each instrument, how many rows of its whole file fell in which class. Reads every file to its end."""
        return {source.instrument.symbol: _count(source) for source in self.sources}


def at_ns_of(event: TapeEvent) -> int:
    """The time of an event, as a sort key."""
    return event.at_ns


def window(events: Iterator[TapeEvent], start_ns: int, end_ns: int) -> Iterator[TapeEvent]:
    """The events of [start_ns, end_ns), shifted to begin at 0, opened by the status and book that stood before."""
    status: TapeStatus | None = None
    book: TapeBook | None = None
    opened = False
    for event in events:
        if event.at_ns >= end_ns:
            break
        if not opened and isinstance(event, TapeStatus) and event.at_ns <= start_ns:
            status = event
        elif event.at_ns >= start_ns:
            if not opened:
                opened = True
                yield from _opening(status, book)
            yield event._replace(at_ns=event.at_ns - start_ns)
        elif isinstance(event, TapeBook):
            book = event
    if not opened:
        yield from _opening(status, book)


def _opening(*events: TapeEvent | None) -> Iterator[TapeEvent]:
    return (event._replace(at_ns=0) for event in events if event is not None)


def _count(source: Source) -> Census:
    census: Census = Counter()
    for _ in source.read(census):
        pass
    return census
