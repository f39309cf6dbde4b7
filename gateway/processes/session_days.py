"""From session templates and special days to the calendar of a product: local hours of each date become instants.

It decides which evening begins a trading day, what an early close cuts off, and which days are unknown. It asks no
clock and opens no file; time zones with their summer time come from `zoneinfo`.

What can go wrong: a half day at an exchange whose template gives no early close would trade through; it is an error.
A date without a template, or beyond the published holidays, is unknown, never open.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.feed.calendar import Note, NoteKind, ProductCalendar, Span, State
from gateway.processes.session_rows import DayKind, EveningOf, Holidays, Hours, SessionError, SessionRow, Special

_ONE = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TRADING_DAY = frozenset({DayKind.CLOSED, DayKind.DARK, DayKind.HALT})
_CUT = frozenset({DayKind.HALF, DayKind.HALT})
SEARCH_DAYS = 31
"""The day before or after a holiday is looked for this far: no exchange shuts for a month."""
DOMESTIC_ZONE = "Asia/Shanghai"


def make_calendar(rows: Sequence[SessionRow], holidays: Holidays, first: date, last: date) -> ProductCalendar:
    """The calendar of one product for the trading days from `first` to `last`, as far as holidays are known."""
    first, last = max(first, holidays.first), min(last, holidays.known_until)
    if last < first:
        raise SessionError(
            f"{rows[0].product}: holidays of {holidays.exchange} are known from {holidays.first} to "
            f"{holidays.known_until}: a date within, or rows in the site's holidays file"
        )
    days = _Days(rows, holidays)
    painted: list[Span] = []
    unknown: list[Span] = []
    notes: list[Note] = []
    day = first
    while day <= last:
        row = days.row(day)
        if row is not None:
            painted += days.spans(day, row)
            notes += days.notes(day, row)
        elif day.weekday() < 5:  # noqa: PLR2004 Saturday
            zone = days.zone(day)
            unknown.append(Span(instant(day, 0, zone), instant(day + _ONE, 0, zone), State.UNKNOWN, ""))
        day += _ONE
    return ProductCalendar(
        rows[0].product,
        _joined(painted, unknown),
        known=(instant(first, 0, days.zone(first)), instant(last + _ONE, 0, days.zone(last))),
        notes=notes,
        domestic=rows[0].zone == DOMESTIC_ZONE,
        nights=bool(rows[-1].evening),
    )


@lru_cache(maxsize=65536)
def instant(day: date, minute: int, zone: str) -> int:
    """A local minute of a date (1440 and more: of the next one) in nanoseconds UTC."""
    over, minute = divmod(minute, 24 * 60)
    day += over * _ONE
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=ZoneInfo(zone))
    return (local - _EPOCH) // timedelta(microseconds=1) * 1000


class _Days:
    """Templates and special days of one product, asked by date."""

    def __init__(self, rows: Sequence[SessionRow], holidays: Holidays) -> None:
        self._rows = rows
        self._holidays = holidays

    def row(self, day: date) -> SessionRow | None:
        return next((one for one in self._rows if one.valid_from <= day <= one.valid_to), None)

    def zone(self, day: date) -> str:
        row = self.row(day)
        return (row or self._rows[0]).zone

    def special(self, day: date) -> Special | None:
        return self._holidays.days.get(day)

    def trading_day(self, day: date) -> bool:
        special = self.special(day)
        if special is None:
            return day.weekday() < 5  # noqa: PLR2004 Saturday
        return special.kind not in _NO_TRADING_DAY and (day.weekday() < 5 or special.kind is DayKind.OPEN)  # noqa: PLR2004

    def halt(self, day: date) -> bool:
        special = self.special(day)
        return special is not None and special.kind is DayKind.HALT and day.weekday() < 5  # noqa: PLR2004

    def spans(self, day: date, row: SessionRow) -> Iterator[Span]:
        """What is traded on a trading day or a halted one, in order."""
        if self.trading_day(day):
            trade_date = day
        elif self.halt(day):
            trade_date = self._near(day, 1) or day
        else:
            return
        cut_ns = self._cut(day, row)
        parts = [*self._evening(day, row), *((day, one, State.OPEN) for one in row.day)]
        parts += [(day, one, State.AUCTION) for one in row.day_auctions]
        for on, hours, state in parts:
            start_ns, end_ns = instant(on, hours.start, row.zone), instant(on, hours.end, row.zone)
            if cut_ns is not None:
                end_ns = min(end_ns, cut_ns)
            if start_ns < end_ns:
                yield Span(start_ns, end_ns, state, f"{trade_date:%Y%m%d}")

    def _evening(self, day: date, row: SessionRow) -> list[tuple[date, Hours, State]]:
        if day.weekday() not in row.evening_weekdays:
            return []
        on = self._evening_date(day, row)
        if on is None:
            return []
        auctions = [(on, one, State.AUCTION) for one in row.evening_auctions]
        return [*auctions, *((on, one, State.OPEN) for one in row.evening)]

    def _evening_date(self, day: date, row: SessionRow) -> date | None:
        """The date on whose evening the trading day begins; None where that evening is not traded."""
        on = day - _ONE if row.evening_of is EveningOf.DAY_BEFORE else self._near(day, -1)
        if on is None or on < self._holidays.first:
            return None
        special = self.special(on)
        if special is not None and special.kind is DayKind.DARK:
            return None
        if special is not None and special.kind is DayKind.HALF and not row.evening_after_half:
            return None
        if not row.evening_before_holiday and self._holiday_between(on, day):
            return None
        return on

    def _near(self, day: date, step: int) -> date | None:
        """The trading day before or after a date."""
        for number in range(1, SEARCH_DAYS + 1):
            near = day + step * number * _ONE
            if self.trading_day(near):
                return near
        return None

    def _holiday_between(self, before: date, after: date) -> bool:
        between = ((before + number * _ONE) for number in range(1, (after - before).days))
        return any(one.weekday() < 5 for one in between)  # noqa: PLR2004 a weekday that is no trading day

    def _cut(self, day: date, row: SessionRow) -> int | None:
        special = self.special(day)
        if special is None or special.kind not in _CUT:
            return None
        close = special.close if special.close is not None else row.half_close
        if close is None:
            raise SessionError(
                f"{row.product}: {day} is a {special.kind} day of {row.exchange} ({special.reason}) and the template "
                f'from {row.valid_from} has no half_close: give one, or a time in the holidays file, "half 12:30"'
            )
        return instant(day, close, row.zone)

    def notes(self, day: date, row: SessionRow) -> Iterator[Note]:
        """What is told of a special weekday."""
        special = self.special(day)
        if special is None or day.weekday() >= 5:  # noqa: PLR2004 Saturday
            return
        midnight_ns = instant(day + _ONE, 0, row.zone)
        cut_ns = self._cut(day, row)
        if cut_ns is not None:
            yield Note(cut_ns, midnight_ns, NoteKind.HALF, special.reason)
        elif special.kind in _NO_TRADING_DAY:
            yield Note(instant(day, 0, row.zone), midnight_ns, NoteKind.CLOSED, special.reason)


def _joined(painted: Sequence[Span], unknown: Sequence[Span]) -> list[Span]:
    """Sessions over unknown days, in order. A session that another one of the same kind covers is an error later."""
    ordered = sorted(painted)
    left: list[Span] = []
    for one in unknown:
        start_ns = one.start_ns
        for span in ordered:
            if span.end_ns <= start_ns or span.start_ns >= one.end_ns:
                continue
            if span.start_ns > start_ns:
                left.append(one._replace(start_ns=start_ns, end_ns=span.start_ns))
            start_ns = span.end_ns
        if start_ns < one.end_ns:
            left.append(one._replace(start_ns=start_ns))
    return sorted([*ordered, *left])
