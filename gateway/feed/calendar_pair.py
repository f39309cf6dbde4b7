"""When all legs of a pair trade together, and where they part: windows and traps.

The home leg is the first one on a Chinese exchange, else the first leg; the others are away. A trap is a stretch where
one side can trade and the other cannot, or a day whose hours differ from the day before. Traps are told, not judged:
whether a trade may open at an instant is `is_open` and `ns_until_shut`.

It works on calendars that are already made; what they do not know is not a window.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from gateway.feed.calendar import BREAK_MOST_NS, NoteKind, ProductCalendar, Session, State, overlap, without

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS


class TrapName(StrEnum):
    """What parts the legs, in the order in which traps of one instant are listed."""

    UNKNOWN = "unknown"
    HOME_HOLIDAY = "home_holiday"
    AWAY_HOLIDAY = "away_holiday"
    NO_NIGHT = "no_night"
    HALF_DAY = "half_day"
    CLOCK_CHANGE = "clock_change"
    AWAY_HALT = "away_halt"
    AWAY_SHUT = "away_shut"
    AWAY_BREAK = "away_break"
    HOME_BREAK = "home_break"
    HOME_SHUT = "home_shut"


class Trap(NamedTuple):
    """One trap: the product that cannot trade (or whose hours differ), from when to when, nanoseconds UTC, and why."""

    start_ns: int
    end_ns: int
    name: TrapName
    product: str
    note: str


class PairCalendar:
    """The instants at which every leg trades. At least one leg."""

    def __init__(self, legs: Sequence[ProductCalendar]) -> None:
        self.home = next((one for one in legs if one.domestic), legs[0])
        self.away = tuple(one for one in legs if one is not self.home)
        both = self.home.open_spans
        for one in self.away:
            both = [part for start, end in both for part in overlap(one.open_spans, start, end)]
        self._windows = both
        self._edges = [edge for window in both for edge in window]

    def is_open(self, at_utc_ns: int) -> bool:
        """Every leg trades at this instant."""
        return bisect_right(self._edges, at_utc_ns) & 1 == 1

    def ns_until_shut(self, at_utc_ns: int) -> int:
        """Nanoseconds for which every leg still trades; 0 when one does not."""
        index = bisect_right(self._edges, at_utc_ns)
        return self._edges[index] - at_utc_ns if index & 1 else 0

    def next_open(self, at_utc_ns: int) -> int | None:
        """The first beginning of a window after the instant; None beyond what is known."""
        index = bisect_right(self._edges, at_utc_ns)
        index += index & 1
        return self._edges[index] if index < len(self._edges) else None

    def next_shut(self, at_utc_ns: int) -> int | None:
        """The end of the window that runs, or else of the next one; None beyond what is known."""
        index = bisect_right(self._edges, at_utc_ns) | 1
        return self._edges[index] if index < len(self._edges) else None

    def windows(self, start_ns: int, end_ns: int) -> tuple[Session, ...]:
        """The windows between two instants, cut to them."""
        return tuple(Session(*one) for one in overlap(self._windows, start_ns, end_ns))

    def windows_of(self, trade_date: str) -> tuple[Session, ...]:
        """The windows within a trading day of the home leg."""
        return tuple(part for one in self.home.sessions(trade_date) for part in self.windows(*one))

    def traps(self, start_ns: int, end_ns: int) -> tuple[Trap, ...]:
        """The traps that touch the time between two instants, by their beginning."""
        found = [trap for away in self.away for trap in self._away(away, start_ns, end_ns)]
        found += [trap for away in self.away for trap in self._home(away, start_ns, end_ns)]
        for leg in (self.home, *self.away):
            found += _half_days(leg, start_ns, end_ns)
            found += _clock_changes(leg, start_ns, end_ns)
        order = list(TrapName)
        return tuple(sorted(set(found), key=lambda one: (one.start_ns, order.index(one.name), one)))

    def _away(self, away: ProductCalendar, start_ns: int, end_ns: int) -> Iterator[Trap]:
        """Where the away leg does not trade: within home sessions, and its own breaks outside them."""
        for trade_date in _dates(self.home, start_ns, end_ns):
            sessions = self.home.sessions(trade_date)
            closed = _reason(away, NoteKind.CLOSED, sessions[0].open_ns, sessions[-1].close_ns)
            if closed and not any(overlap(away.open_spans, *one) for one in sessions):
                yield Trap(sessions[0].open_ns, sessions[-1].close_ns, TrapName.AWAY_HOLIDAY, away.product, closed)
                continue
            for session in sessions:
                for start, end in without(*session, away.open_spans):
                    yield _away_trap(away, start, end)
        for start, end in overlap(away.breaks(), start_ns, end_ns):
            if not overlap(self.home.open_spans, start, end):
                yield Trap(start, end, TrapName.AWAY_BREAK, away.product, "")

    def _home(self, away: ProductCalendar, start_ns: int, end_ns: int) -> Iterator[Trap]:
        """Where the away leg trades on while home does not."""
        for start, end in without(start_ns, end_ns, self.home.open_spans):
            start, end = _whole_gap(self.home, start, end)  # noqa: PLW2901 a gap that is cut by the range is told whole
            if not overlap(away.open_spans, start, end):
                continue
            home = self.home.product
            closed = [
                one
                for one in self.home.notes
                if one.kind is NoteKind.CLOSED and one.start_ns < end and one.end_ns > start
            ]
            if closed:
                eve = TrapName.NO_NIGHT if self.home.nights else TrapName.HOME_SHUT
                if start < closed[0].start_ns:
                    yield Trap(start, closed[0].start_ns, eve, home, closed[0].reason)
                yield Trap(max(start, closed[0].start_ns), end, TrapName.HOME_HOLIDAY, home, closed[0].reason)
            else:
                name = TrapName.HOME_BREAK if end - start <= BREAK_MOST_NS else TrapName.HOME_SHUT
                yield Trap(start, end, name, home, "")


def _whole_gap(leg: ProductCalendar, start_ns: int, end_ns: int) -> tuple[int, int]:
    """A stretch where a leg is not open, widened to its sessions before and after."""
    spans = leg.open_spans
    index = bisect_right(spans, (start_ns, 2**63))
    before = spans[index - 1][1] if index else leg.known[0]
    after = spans[index][0] if index < len(spans) else leg.known[1]
    return min(before, start_ns), max(after, end_ns)


def _away_trap(away: ProductCalendar, start_ns: int, end_ns: int) -> Trap:
    """A stretch of a home session in which the away leg is not open, by its cause."""
    if away.state(start_ns) is State.UNKNOWN:
        return Trap(start_ns, end_ns, TrapName.UNKNOWN, away.product, "")
    gap_start_ns, gap_end_ns = _whole_gap(away, start_ns, end_ns)
    closed = _reason(away, NoteKind.CLOSED, gap_start_ns, gap_end_ns)
    if closed:
        return Trap(start_ns, end_ns, TrapName.AWAY_HOLIDAY, away.product, closed)
    name = TrapName.AWAY_HALT if gap_end_ns - gap_start_ns <= BREAK_MOST_NS else TrapName.AWAY_SHUT
    return Trap(start_ns, end_ns, name, away.product, "")


def _dates(leg: ProductCalendar, start_ns: int, end_ns: int) -> list[str]:
    """Trading days with a session between two instants, in order."""
    touched = (one for one in leg.spans if one.trade_date and one.start_ns < end_ns and one.end_ns > start_ns)
    return [date for date in dict.fromkeys(one.trade_date for one in touched) if leg.sessions(date)]


def _reason(leg: ProductCalendar, kind: NoteKind, start_ns: int, end_ns: int) -> str:
    notes = (one for one in leg.notes if one.kind is kind and one.start_ns < end_ns and one.end_ns > start_ns)
    return next((one.reason for one in notes), "")


def _half_days(leg: ProductCalendar, start_ns: int, end_ns: int) -> list[Trap]:
    return [
        Trap(one.start_ns, one.end_ns, TrapName.HALF_DAY, leg.product, one.reason)
        for one in leg.notes
        if one.kind is NoteKind.HALF and start_ns <= one.start_ns < end_ns
    ]


def _clock_changes(leg: ProductCalendar, start_ns: int, end_ns: int) -> list[Trap]:
    """Trading days whose first opening lies an hour off the day before's: its place went to or left summer time."""
    found = []
    before: int | None = None
    for date in _dates(leg, start_ns - 7 * DAY_NS, end_ns):
        first = leg.sessions(date)[0]
        moved = (first.open_ns - before) % DAY_NS if before is not None else 0
        if moved in {HOUR_NS, DAY_NS - HOUR_NS} and start_ns <= first.open_ns < end_ns:
            note = "an hour later" if moved == HOUR_NS else "an hour earlier"
            found.append(Trap(*first, TrapName.CLOCK_CHANGE, leg.product, note))
        before = first.open_ns
    return found
