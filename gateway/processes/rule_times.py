"""Tells the trigger when a rule is inside its windows and when its life ends, on the monotonic clock.

Windows are hours of a week in a named time zone: a day on which that zone's clocks change is an hour shorter or longer,
as on the wall. A window that ends before it begins goes on past midnight. Each rule is told at once and then at every
change; each word says until when it holds, so that a rule opens and shuts exactly then and not when somebody looks.

What can go wrong: UTC on this host steps. Then every rule is told anew.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.model.conditions import Window
from gateway.model.record import RuleTimes
from gateway.model.site import RuleSpec

SECOND_NS = 10**9
DAY_S = 86_400
STEP_NS = 5_000_000
"""UTC against the monotonic clock: a larger change is a step, a smaller one drift."""
LOOK_AHEAD_DAYS = 9
"""From the day before yesterday on: a window comes round within a week."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spans(window: Window, utc_ns: int, *, back_days: int = 2) -> Iterator[tuple[int, int]]:
    """(begin, end) in UTC nanoseconds of the window's turns, from `back_days` before `utc_ns` for over a week."""
    zone = ZoneInfo(window.zone)
    today = (_EPOCH + timedelta(seconds=utc_ns // SECOND_NS)).astimezone(zone).date()
    for ahead in range(-back_days, LOOK_AHEAD_DAYS):
        day = today + timedelta(days=ahead)
        if day.weekday() not in window.days:
            continue
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 the zone is added with the time of day
        until_s = window.until_s + (DAY_S if window.until_s <= window.from_s else 0)
        begin, end = (midnight + timedelta(seconds=one) for one in (window.from_s, until_s))
        yield _utc_ns(begin, zone), _utc_ns(end, zone)


def _utc_ns(wall: datetime, zone: ZoneInfo) -> int:
    since = wall.replace(tzinfo=zone).astimezone(UTC) - _EPOCH
    return (since.days * DAY_S + since.seconds) * SECOND_NS


def inside(windows: Iterable[Window], utc_ns: int) -> tuple[bool, int]:
    """Whether that moment lies in one of them, and until when that holds (UTC); 0: for over a week."""
    listed = sorted(span for window in windows for span in spans(window, utc_ns))
    until_ns = 0
    for begin, end in listed:
        if until_ns and begin > until_ns:
            break
        if begin <= utc_ns < end or (until_ns and begin <= until_ns):
            until_ns = max(until_ns, end)
    if until_ns:
        return True, until_ns
    return False, next((begin for begin, _ in listed if begin > utc_ns), 0)


class RuleTimesTeller:
    """What was told last of each rule with windows or an end, and when there is something new."""

    def __init__(self) -> None:
        self._rules: dict[str, RuleSpec] = {}
        self._told: set[str] = set()
        self._ahead_ns = 0
        self._next_utc_ns = 0

    def mind(self, rules: Iterable[RuleSpec]) -> None:
        """These are the rules from now on; those that are new or others are told at the next look."""
        known = self._rules
        self._rules = {one.rule_id: one for one in rules if one.windows or one.expires_utc_ns}
        self._told = {name for name in self._told if self._rules.get(name) == known.get(name)}
        self._next_utc_ns = 0

    def changes(self, monotonic_ns: int, utc_ns: int) -> list[RuleTimes]:
        """What has changed by now; cheap until the next change is due."""
        ahead_ns = utc_ns - monotonic_ns
        if abs(ahead_ns - self._ahead_ns) > STEP_NS:
            self._ahead_ns = ahead_ns
            self._told.clear()
        elif utc_ns < self._next_utc_ns or not self._rules:
            return []
        elif self._next_utc_ns:
            self._told.clear()
        made = []
        due = []
        for rule in self._rules.values():
            is_open, until_utc_ns = inside(rule.windows, utc_ns) if rule.windows else (True, 0)
            due += [until_utc_ns] if until_utc_ns else []
            if rule.rule_id not in self._told:
                self._told.add(rule.rule_id)
                until_ns = max(1, until_utc_ns - self._ahead_ns) if until_utc_ns else 0
                expires_ns = max(1, rule.expires_utc_ns - self._ahead_ns) if rule.expires_utc_ns else 0
                made.append(RuleTimes(monotonic_ns, rule.rule_id, is_open, until_ns, expires_ns))
        self._next_utc_ns = min(due, default=2**63 - 1)
        return made
