"""The hours of clients' sessions: who may log on now, when a session is ended, when its numbers begin again at 1.

Hours are windows of a week in a named time zone (`rule_times`): one that ends before it begins goes on past midnight, a
day on which the clocks change is an hour shorter or longer, as on the wall. Windows that touch are one *turn*. A client
without windows may log on always.

Numbers begin again while the session is closed, between the last turn of a day (or a week, which begins on Sunday) and
the first one of the next: so what happens before the next logon stands under the new numbers and waits to be asked for.
That it is due is seen from when the numbers last began, which the FIX store knows: a restart, or a machine that was off
over the end, makes no difference.

What can go wrong: UTC on this host steps. What holds is worked out anew from where the clock stands.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.model.conditions import Window
from gateway.processes.durations import SECOND
from gateway.processes.rule_times import spans

BACK_DAYS = 9
"""A turn may be a week long."""
DAYS_OF_WEEK = 7
ALWAYS_UTC_NS = 2**63 - 1
LONGEST_DAY_NS = 25 * 3600 * SECOND
"""The day on which clocks are set back."""
LONGEST_WEEK_NS = DAYS_OF_WEEK * 24 * 3600 * SECOND


class Reset(StrEnum):
    """When a client's sequence numbers begin again at 1."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"


class AtClose(StrEnum):
    """What becomes of a client's orders when its hours end."""

    CHOICE = "choice"
    """As at any other disconnect, if it is connected."""
    CANCEL = "cancel"
    """All of them end, also when it is away."""
    KEEP = "keep"
    """None ends of it, whatever it chose for a disconnect."""


class SessionHours(NamedTuple):
    """Of one client; no windows: always."""

    windows: tuple[Window, ...] = ()
    reset: Reset = Reset.NEVER
    at_close: AtClose = AtClose.CHOICE


class Turn(NamedTuple):
    """From when to when a session is open (UTC); `day` is the wall's where it opens, in `zone`."""

    begin_ns: int
    end_ns: int
    day: date
    zone: str


class Standing(NamedTuple):
    """Whether a session is open now, until when that holds, and which day's or week's numbers count."""

    open: bool
    since_ns: int
    until_ns: int
    period: int
    zone: str


class Change(NamedTuple):
    """A session opens or closes; `first`: it was not looked at before."""

    client_id: str
    standing: Standing
    first: bool


def turns(windows: tuple[Window, ...], utc_ns: int) -> list[Turn]:
    """In order, from over a week before to over a week after; those that touch are one."""
    found: list[Turn] = []
    made = (
        (begin, end, window.zone) for window in windows for begin, end in spans(window, utc_ns, back_days=BACK_DAYS)
    )
    for begin, end, zone in sorted(made):
        if found and begin <= found[-1].end_ns:
            found[-1] = found[-1]._replace(end_ns=max(end, found[-1].end_ns))
        else:
            found.append(Turn(begin, end, _wall(begin, zone).date(), zone))
    return found


def standing(hours: SessionHours, utc_ns: int) -> Standing:
    """Where the session stands at this moment."""
    if not hours.windows:
        return Standing(True, 0, ALWAYS_UTC_NS, 0, "UTC")  # noqa: FBT003 - a field
    before_ns = 0
    for turn in turns(hours.windows, utc_ns):
        if turn.end_ns <= utc_ns:
            before_ns = turn.end_ns
            continue
        is_open = turn.begin_ns <= utc_ns
        since, until = (turn.begin_ns, turn.end_ns) if is_open else (before_ns, turn.begin_ns)
        return Standing(is_open, since, until, _period(hours.reset, turn.day), turn.zone)
    raise AssertionError(hours)  # a window comes round within a week


def _period(reset: Reset, day: date) -> int:
    """Ordinal 1 is a Monday, so that a seventh of it changes on Sundays."""
    number = day.toordinal()
    return {Reset.NEVER: 0, Reset.DAILY: number, Reset.WEEKLY: number // DAYS_OF_WEEK}[reset]


def longest_ns(windows: tuple[Window, ...], utc_ns: int) -> int:
    """The longest turn around a moment, as far as it is looked at."""
    return max((one.end_ns - one.begin_ns for one in turns(windows, utc_ns)), default=0)


def closed_text(one: Standing) -> str:
    """When a closed session opens, for the client."""
    wall = _wall(one.until_ns, one.zone)
    at = _wall(one.until_ns, "UTC")
    return f"it opens at {at:%Y%m%d-%H:%M:%S} UTC ({wall:%Y-%m-%d %H:%M} {one.zone})"


def _wall(utc_ns: int, zone: str) -> datetime:
    return datetime.fromtimestamp(utc_ns // SECOND, UTC).astimezone(ZoneInfo(zone))


class HoursKeeper:
    """All clients' hours. `changes` tells each once at first, then at every opening and close."""

    def __init__(self, hours: Mapping[str, SessionHours]) -> None:
        self._hours = hours
        self._now: dict[str, Standing] = {}

    def of(self, client_id: str) -> SessionHours:
        return self._hours[client_id]

    def at(self, client_id: str, utc_ns: int) -> Standing:
        """Where one session stands; cheap until that changes."""
        known = self._now.get(client_id)
        if known is None or not known.since_ns <= utc_ns < known.until_ns:
            return standing(self._hours[client_id], utc_ns)
        return known

    def refusal(self, client_id: str, utc_ns: int) -> str:
        """Why it may not log on now; empty where it may."""
        one = self.at(client_id, utc_ns)
        return "" if one.open else f"session hours: closed; {closed_text(one)}"

    def changes(self, utc_ns: int) -> Iterator[Change]:
        """Who opens or closes by now."""
        for client_id in self._hours:
            before, now = self._now.get(client_id), self.at(client_id, utc_ns)
            if now is not before:
                self._now[client_id] = now
                if before is None or before.open is not now.open or before.period != now.period:
                    yield Change(client_id, now, before is None)

    def is_new_period(self, client_id: str, began_utc_ns: int, utc_ns: int) -> bool:
        """Whether numbers that began then are those of a day or a week that is over."""
        hours = self._hours[client_id]
        if hours.reset is Reset.NEVER or began_utc_ns >= utc_ns:
            return False
        return standing(hours, began_utc_ns).period != self.at(client_id, utc_ns).period
