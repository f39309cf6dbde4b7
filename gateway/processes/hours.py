"""Tells execution when an instrument opens, shuts, or begins a trading day: once at the start, then at each change.

The calendars count in UTC, execution on the monotonic clock; the pair of clocks at the call joins them. An instrument
without a calendar is never spoken of: it counts as always open, and `cmc check` says so.

What can go wrong: a calendar that ends. Its days are then unknown, the instrument counts as shut, and nothing opens.
"""

from collections.abc import Iterable, Mapping

from gateway.feed.calendar import ProductCalendar
from gateway.model.trade import HoursChanged

NEVER_NS = 2**63 - 1
DAILY_PROMPT = ("LME.",)
"""Calendars of contracts that have a prompt date of their own each day."""


class HoursTeller:
    """What was told last of each instrument, and when there may be something new."""

    def __init__(self, calendars: Mapping[str, ProductCalendar]) -> None:
        self._calendars = dict(calendars)
        self._told: dict[str, HoursChanged] = {}
        self._next_utc_ns = 0

    def changes(self, monotonic_ns: int, utc_ns: int) -> Iterable[HoursChanged]:
        """What has changed by now; cheap until the next change is due."""
        if utc_ns < self._next_utc_ns:
            return ()
        changed = []
        due = [NEVER_NS]
        for name, calendar in self._calendars.items():
            now = _hours(name, calendar, monotonic_ns, utc_ns)
            turn = calendar.next_shut(utc_ns) if now.open else calendar.next_open(utc_ns)
            due.append(NEVER_NS if turn is None else turn)
            last = self._told.get(name)
            # The same instant read on two clocks differs by their drift: that alone is no change.
            if last is None or (last.open, last.trading_day) != (now.open, now.trading_day):
                self._told[name] = now
                changed.append(now)
        self._next_utc_ns = min(due)
        return changed


def _hours(name: str, calendar: ProductCalendar, monotonic_ns: int, utc_ns: int) -> HoursChanged:
    is_open = calendar.is_open(utc_ns)
    shut_utc_ns = calendar.next_shut(utc_ns) if is_open else None
    shut_ns = monotonic_ns + shut_utc_ns - utc_ns if shut_utc_ns is not None else 0
    day = calendar.next_trading_day(utc_ns) or ""
    prompt = f"{day}+3M" if day and calendar.product.startswith(DAILY_PROMPT) else ""
    return HoursChanged(name, is_open, shut_ns, day, prompt)
