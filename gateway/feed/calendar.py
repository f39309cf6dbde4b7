"""When a product trades: asked with an instant, it says open, break, auction or shut, and the trading day.

It decides from spans that were worked out before (`gateway/processes/session_days.py` makes them from session
templates and holidays); it knows no time zone, no holiday and no clock. Instants are nanoseconds UTC. A trading day is
written as TradeDate(75), `20261008`: a night session carries the date of the day that it belongs to, so Friday 21:00
Beijing carries Monday's.

What can go wrong: an instant outside the spans that are known, before the first template or after the last day whose
holidays are published, is UNKNOWN. UNKNOWN is not open.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

BREAK_MOST_NS = 2 * 3600 * 10**9
"""A pause of at most two hours between sessions is a break (tea, lunch, a daily halt); a longer one is shut."""


class State(StrEnum):
    """What a product does at an instant."""

    OPEN = "open"
    BREAK = "break"
    AUCTION = "auction"
    SHUT = "shut"
    UNKNOWN = "unknown"


class Span(NamedTuple):
    """OPEN, AUCTION or UNKNOWN from `start_ns` until before `end_ns`, nanoseconds UTC; what lies between is derived."""

    start_ns: int
    end_ns: int
    state: State
    trade_date: str


class NoteKind(StrEnum):
    """Why a day is not like the others."""

    CLOSED = "closed"
    HALF = "half"


class Note(NamedTuple):
    """A closed weekday (its local midnights), or an early close (from the close to local midnight), and the reason."""

    start_ns: int
    end_ns: int
    kind: NoteKind
    reason: str


class Session(NamedTuple):
    """Continuous trading, nanoseconds UTC; it is shut at `close_ns` itself."""

    open_ns: int
    close_ns: int


class CalendarError(ValueError):
    """Spans that are no calendar."""


class ProductCalendar:
    """The sessions of one product over the instants that are known.

    `spans` are in order and do not overlap; `domestic` says that it is one of the Chinese exchanges; `nights` that a
    trading day of it usually begins on an evening.
    """

    def __init__(
        self,
        product: str,
        spans: Sequence[Span],
        *,
        known: tuple[int, int],
        notes: Sequence[Note] = (),
        domestic: bool = False,
        nights: bool = False,
    ) -> None:
        _checked(product, spans)
        self.product = product
        self.spans = tuple(spans)
        self.notes = tuple(notes)
        self.domestic = domestic
        self.nights = nights
        self.known = known
        self.open_spans = _merged([(one.start_ns, one.end_ns) for one in spans if one.state is State.OPEN])
        self._edges = [edge for span in self.open_spans for edge in span]
        filled = _filled(self.spans, known)
        self._starts = [one.start_ns for one in filled]
        self._filled = filled
        self._tradable = [one for one in self.spans if one.state is State.OPEN]
        self._tradable_ends = [one.end_ns for one in self._tradable]
        by_date: dict[str, list[tuple[int, int]]] = {}
        for one in self._tradable:
            by_date.setdefault(one.trade_date, []).append((one.start_ns, one.end_ns))
        self._by_date = {day: tuple(Session(*one) for one in _merged(found)) for day, found in by_date.items()}

    def is_open(self, at_utc_ns: int) -> bool:
        """Continuous trading at this instant."""
        return bisect_right(self._edges, at_utc_ns) & 1 == 1

    def state(self, at_utc_ns: int) -> State:
        """Open, break, auction, shut, or unknown where nothing is stated."""
        return self._at(at_utc_ns).state

    def trading_day(self, at_utc_ns: int) -> str | None:
        """The trading day that the instant lies in, breaks and auctions included; None while shut or unknown."""
        return self._at(at_utc_ns).trade_date or None

    def next_trading_day(self, at_utc_ns: int) -> str | None:
        """The trading day of the session that runs or comes next: what an order sent now would count to."""
        index = bisect_right(self._tradable_ends, at_utc_ns)
        return self._tradable[index].trade_date if index < len(self._tradable) else None

    def next_open(self, at_utc_ns: int) -> int | None:
        """The first opening after the instant; None beyond what is known."""
        index = bisect_right(self._edges, at_utc_ns)
        index += index & 1
        return self._edges[index] if index < len(self._edges) else None

    def next_shut(self, at_utc_ns: int) -> int | None:
        """The end of the session that runs, or else of the next one; None beyond what is known."""
        index = bisect_right(self._edges, at_utc_ns) | 1
        return self._edges[index] if index < len(self._edges) else None

    def sessions(self, trade_date: str) -> tuple[Session, ...]:
        """The sessions of a trading day, the evening before first; empty when it is none."""
        return self._by_date.get(trade_date, ())

    def trade_dates(self) -> tuple[str, ...]:
        """All trading days that are known, in order."""
        return tuple(sorted(self._by_date))

    def breaks(self) -> tuple[tuple[int, int], ...]:
        """The pauses of at most two hours between two openings, an auction in them included, in order."""
        gaps = ((before[1], after[0]) for before, after in pairwise(self.open_spans))
        return tuple((start_ns, end_ns) for start_ns, end_ns in gaps if end_ns - start_ns <= BREAK_MOST_NS)

    def _at(self, at_utc_ns: int) -> Span:
        return self._filled[bisect_right(self._starts, at_utc_ns) - 1]


def _checked(product: str, spans: Sequence[Span]) -> None:
    end_ns = None
    for one in spans:
        if one.end_ns <= one.start_ns or (end_ns is not None and one.start_ns < end_ns):
            raise CalendarError(f"{product}: {one.state} from {one.start_ns} to {one.end_ns} overlaps or is empty")
        end_ns = one.end_ns


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sessions that touch become one: nothing shuts between them."""
    merged: list[tuple[int, int]] = []
    for start_ns, end_ns in spans:
        if merged and merged[-1][1] == start_ns:
            merged[-1] = (merged[-1][0], end_ns)
        else:
            merged.append((start_ns, end_ns))
    return merged


def _filled(spans: Sequence[Span], known: tuple[int, int]) -> list[Span]:
    """The spans with break and shut between them, unknown before and after, without a hole."""
    first_ns, last_ns = known
    filled = [Span(-(2**63), first_ns, State.UNKNOWN, "")]
    before = Span(first_ns, first_ns, State.UNKNOWN, "")
    for one in spans:
        if before.end_ns < one.start_ns:
            filled.append(_gap(before, one))
        filled.append(one)
        before = one
    if before.end_ns < last_ns:
        filled.append(Span(before.end_ns, last_ns, State.SHUT, ""))
    filled.append(Span(max(last_ns, before.end_ns), 2**63 - 1, State.UNKNOWN, ""))
    return filled


def _gap(before: Span, after: Span) -> Span:
    short = after.start_ns - before.end_ns <= BREAK_MOST_NS
    if short and before.state is not State.UNKNOWN and after.state is not State.UNKNOWN:
        return Span(before.end_ns, after.start_ns, State.BREAK, after.trade_date)
    return Span(before.end_ns, after.start_ns, State.SHUT, "")


def overlap(spans: Sequence[tuple[int, int]], start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """The parts of ordered spans that lie between two instants."""
    first = bisect_left(spans, (start_ns, start_ns))
    first = max(first - 1, 0)
    found = []
    for start, end in spans[first:]:
        if start >= end_ns:
            break
        if end > start_ns:
            found.append((max(start, start_ns), min(end, end_ns)))
    return found


def without(start_ns: int, end_ns: int, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left between two instants when ordered spans are taken out."""
    left = []
    for start, end in overlap(spans, start_ns, end_ns):
        if start > start_ns:
            left.append((start_ns, start))
        start_ns = end
    if start_ns < end_ns:
        left.append((start_ns, end_ns))
    return left
