"""Special days of the exchanges, from the library `holidays` (pinned), as data for the calendars.

It decides what each holiday means to futures: that COMEX halts early on Thanksgiving and counts the trades to Friday,
that CBOT's grains do not open that evening, that LME knows no half day. The library is imported only where it is
called, so that a process which reads the finished file does not pay for it.

What can go wrong: an exchange that publishes next year's holidays late. The library then gives the statutory days
without those that are moved. `known_until` ends where the published ones end; after it a calendar is unknown until the
library is renewed or the site's holidays file states the year. A holiday with a name that no table below has is a
closed day.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from gateway.processes.session_rows import DayKind, Holidays, Special

_FRIDAY = 4
_EARLY_EVE = 17 * 60
"""London; the earliest of two brokers' notices for Brent on 24 and 31 December (17:00 in 2013, 19:00 in 2018)."""

Names = tuple[tuple[str, DayKind | None], ...]
"""The beginning of a holiday's name and what it means; None: an ordinary day. The first that fits."""

_COMEX: Names = (
    ("Thanksgiving Day", DayKind.HALT),
    ("Independence Day", DayKind.HALT),
    ("Dr. Martin Luther King", DayKind.HALT),
    ("President's Day", DayKind.HALT),
    ("Memorial Day", DayKind.HALT),
    ("Juneteenth", DayKind.HALT),
    ("Labor Day", DayKind.HALT),
    ("Day before Independence Day", None),
    ("Day after Thanksgiving", DayKind.HALF),
    ("Christmas Eve", DayKind.HALF),
)
_CBOT: Names = (
    ("Thanksgiving Day", DayKind.DARK),
    ("Independence Day", DayKind.DARK),
    ("Christmas Day", DayKind.DARK),
    ("New Year's Day", DayKind.DARK),
    ("Day before Independence Day", DayKind.HALF),
    ("Day after Thanksgiving", DayKind.HALF),
    ("Christmas Eve", DayKind.HALF),
)
_US_HALF = (
    "Martin Luther King",
    "Washington's Birthday",
    "Memorial Day",
    "Juneteenth",
    "Independence Day",
    "Labor Day",
    "Thanksgiving",
)


def special_days(exchanges: Iterable[str], first_year: int, last_year: int) -> dict[str, Holidays]:
    """The special days of these exchanges in these years, both included."""
    unknown = sorted(set(exchanges) - set(_MAKERS))
    if unknown:
        raise KeyError(f"no holidays for {', '.join(unknown)}: one of {', '.join(sorted(_MAKERS))}")
    years = range(first_year, last_year + 1)
    return {name: _MAKERS[name](name, years) for name in sorted(set(exchanges))}


def exchanges() -> tuple[str, ...]:
    """The exchanges that this module knows."""
    return tuple(sorted(_MAKERS))


def _market(market: str, years: range, category: str = "public") -> tuple[range, dict[date, str]]:
    """The years that the library covers and its days with their names."""
    import holidays  # noqa: PLC0415 heavy: 10 MB that only the caller pays

    start = max(years.start, holidays.financial_holidays(market).start_year)
    covered = range(start, years.stop)
    found = holidays.financial_holidays(market, years=covered, categories=(category,), language="en_US")
    return covered, {day: name for day, name in sorted(found.items()) if day.year in covered}


def _known_until(years: range, days: Mapping[date, str]) -> date:
    """The end of the last year without an estimated day."""
    guessed = [day.year for day, name in days.items() if "estimated" in name]
    return date(min([*guessed, years.stop]) - 1, 12, 31)


def _plain(market: str) -> Callable[[str, range], Holidays]:
    """Closed on the market's holidays, no half days."""

    def make(exchange: str, years: range) -> Holidays:
        covered, days = _market(market, years)
        closed = {day: Special(DayKind.CLOSED, name) for day, name in days.items()}
        return Holidays(exchange, date(covered.start, 1, 1), _known_until(covered, days), closed)

    return make


def _chinese(exchange: str, years: range) -> Holidays:
    """Known until the last year whose make-up working days are published; those are no trading days."""
    import holidays  # noqa: PLC0415 as above

    covered, days = _market("XSHG", years)
    china: Any = holidays.country_holidays("CN", years=covered)
    published = max((day.year for day in china.weekend_workdays), default=covered.start - 1)
    closed = {day: Special(DayKind.CLOSED, name) for day, name in days.items()}
    known_until = date(min(published, covered.stop - 1), 12, 31)
    return Holidays(exchange, date(covered.start, 1, 1), known_until, closed)


def _hkex(exchange: str, years: range) -> Holidays:
    covered, days = _market("XHKG", years)
    _, halves = _market("XHKG", years, "half_day")
    found = {day: Special(DayKind.HALF, name) for day, name in halves.items()}
    found.update({day: Special(DayKind.CLOSED, name) for day, name in days.items()})
    return Holidays(exchange, date(covered.start, 1, 1), _known_until(covered, days), found)


def _cme(names: Names, otherwise: DayKind) -> Callable[[str, range], Holidays]:
    """One calendar for all of CME, read in the way of one group of products; `otherwise` is a minor holiday."""

    def make(exchange: str, years: range) -> Holidays:
        covered, days = _market("XCME", years)
        _, halves = _market("XCME", years, "half_day")
        found: dict[date, Special] = {}
        for day, name in (halves | days).items():
            short = name.partition(" (")[0]
            kind = next((kind for begin, kind in names if short.startswith(begin)), otherwise)
            if short.startswith("Day before Independence Day") and day.weekday() == _FRIDAY:
                kind = DayKind.HALT if names is _COMEX else DayKind.DARK  # the 4th is a Saturday: observed today
            if kind is not None:
                found[day] = Special(kind, short)
        return Holidays(exchange, date(covered.start, 1, 1), date(covered.stop - 1, 12, 31), found)

    return make


def _ice(exchange: str, years: range) -> Holidays:
    """Closed on three days; an early close on US holidays, and another one on 24 and 31 December."""
    import holidays  # noqa: PLC0415 as above

    covered, days = _market("IFEU", years)
    found: dict[date, Special] = {}
    for day, name in holidays.country_holidays("US", years=covered, language="en_US").items():
        if any(part in name for part in _US_HALF):
            found[day] = Special(DayKind.HALF, name)
    for year in covered:
        for day in (date(year, 12, 24), date(year, 12, 31)):
            found[day] = Special(DayKind.HALF, "eve of a holiday", _EARLY_EVE)
    found.update({day: Special(DayKind.CLOSED, name) for day, name in days.items()})
    return Holidays(exchange, date(covered.start, 1, 1), date(covered.stop - 1, 12, 31), found)


_MAKERS: dict[str, Callable[[str, range], Holidays]] = {
    **dict.fromkeys(("SHFE", "INE", "DCE", "CZCE", "CFFEX", "SSE", "SZSE"), _chinese),
    "LME": _plain("XLON"),
    "SGX": _plain("XSES"),
    "HKEX": _hkex,
    "COMEX": _cme(_COMEX, DayKind.CLOSED),
    "CBOT": _cme(_CBOT, DayKind.CLOSED),
    "ICE": _ice,
}
