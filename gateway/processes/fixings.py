"""A currency rate that was fixed: what it is, on which day it holds, and what it says in place of a live quote.

A live reference (USD/CNH) is what a pair is priced with. While it is shut or stale nothing is priced: that is the
default. A site may declare a fixing that stands in for it then, on its date alone; it is told as a quote whose words
say so, on both sides the same, with no clock. The day is Beijing's, from midnight to midnight: a night session past
midnight needs the next day's fixing, and has none until somebody declares it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from gateway.feed.calendar import ProductCalendar, Span, State
from gateway.model.quote import BookState, Quote

ALWAYS = "always"
"""Of a rate that is bound to no day: a peg, a recorded day's."""
BEIJING = timedelta(hours=8)
SECOND = 10**9
DAY_NS = 24 * 3600 * SECOND
WHOLE_MARKET_LOTS = 10**9
"""A rate has no size."""
ALL_TIME = (0, 2**62)


class Fixing(NamedTuple):
    """`px_ticks` of the reference on `day` (YYYY-MM-DD in Beijing, or "always"), from `source`."""

    px_ticks: int
    day: str
    source: str

    def holds(self, utc_ns: int) -> bool:
        """Whether it is of the day that the instant lies in."""
        return self.day in (ALWAYS, beijing_day(utc_ns))

    def quote(self, name: str, at_ns: int) -> Quote:
        """What stands in for the live quote of the reference."""
        levels = ((self.px_ticks, WHOLE_MARKET_LOTS),)
        words = f"fixing of {self.day}, {self.source}"
        return Quote(name, BookState.OK, levels, levels, at_ns, 0, at_ns, 0, detail=words)


def is_day(text: str) -> bool:
    """Whether it is a day of the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def beijing_day(utc_ns: int) -> str:
    """The date in Beijing, YYYY-MM-DD.

    >>> beijing_day(1781452800 * 10**9)
    '2026-06-15'
    """
    return (datetime.fromtimestamp(utc_ns // SECOND, UTC) + BEIJING).date().isoformat()


def day_calendar(name: str, day: str) -> ProductCalendar:
    """A calendar that is open from midnight to midnight of one day in Beijing, and shut for the rest of time."""
    begin = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) - BEIJING
    open_ns = int(begin.timestamp()) * SECOND
    span = Span(open_ns, open_ns + DAY_NS, State.OPEN, day.replace("-", ""))
    return ProductCalendar(name, (span,), known=ALL_TIME)
