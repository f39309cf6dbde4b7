"""A recorded tape: several recorded streams on one clock, cut to a window that starts at a named time of day.

A source yields events whose `at_ns` is nanoseconds since midnight, Beijing, of its own day. The window tells, at its
start, each instrument's last status and last book before it, then what follows. Streams are merged by time; ties keep
the order of the sources and, within one, of its file.

It does not judge what it carries: a source classifies its rows (`Census`), keeps the odd ones, and says so.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from heapq import merge
from typing import NamedTuple

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus
from simulators.tapes.draws import SECOND_NS
from simulators.tapes.errors import TapeError

AUCTION, HALT, RESUME, READY, CLOSED = "21", "2", "3", "17", "18"
HOUR_NS = 3600 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS

Census = Counter[str]
"""How many rows of a source fell in which class; filled while it is read."""

TIME_OF_DAY = re.compile(r"([0-2]\d):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?")


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
        if event.at_ns >= start_ns:
            if not opened:
                opened = True
                yield from _opening(status, book)
            yield event._replace(at_ns=event.at_ns - start_ns)
        elif isinstance(event, TapeStatus):
            status = event
        elif isinstance(event, TapeBook):
            book = event
    if not opened:
        yield from _opening(status, book)


def time_of_day_ns(text: str, where: str) -> int:
    """Nanoseconds since midnight of "HH:MM:SS" with up to nine decimals."""
    match = TIME_OF_DAY.fullmatch(text)
    if match is None:
        raise TapeError(where, text, "a time of day such as 09:30:00 or 09:30:00.400")
    hours, minutes, seconds, fraction = match.groups()
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * SECOND_NS + int((fraction or "0").ljust(9, "0"))


def beijing_ns(text: str, date: str, where: str) -> int:
    """Nanoseconds since midnight of an ISO-8601 stamp that must lie on `date` (YYYY-MM-DD) and end in +08:00."""
    if not (text.startswith(f"{date}T") and text.endswith("+08:00")):
        raise TapeError(where, text, f"a stamp {date}THH:MM:SS.sss+08:00")
    return time_of_day_ns(text[len(date) + 1 : -6], where)


def whole_ticks(text: str, tick: Decimal, where: str) -> int:
    """The price `text` as whole ticks, exactly."""
    try:
        ticks, rest = divmod(Decimal(text), tick)
    except InvalidOperation as error:
        raise TapeError(where, text, "a decimal price") from error
    if rest:
        raise TapeError(where, text, f"a whole multiple of the tick {tick}")
    return int(ticks)


def whole_number(text: str, least: int, where: str) -> int:
    """A whole number of at least `least`; "12.0" is one, "12.5" is not."""
    digits = text.removesuffix(".0")
    if not digits.isascii() or not digits.isdigit() or int(digits) < least:
        raise TapeError(where, text, f"a whole number, {least} or more")
    return int(digits)


def _opening(*events: TapeEvent | None) -> Iterator[TapeEvent]:
    return (event._replace(at_ns=0) for event in events if event is not None)


def _count(source: Source) -> Census:
    census: Census = Counter()
    for _ in source.read(census):
        pass
    return census
