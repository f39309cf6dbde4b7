"""Calendars of an installation: templates and special days are read once, worked out, and handed on as a file.

The supervisor and `cmc check` build (`build_calendars`, which loads the holiday library) and write; feed, trigger and
execution read the written file (`read_calendars`: spans only, no library, no time zone). A journal that keeps the file
replays with the same hours.

What can go wrong: a product without a template, a holidays file with a mistake, a run that outlives the file: after
`KNOWN_DAYS` or the last published holiday every product is unknown and nothing is traded; `horizon_days` tells how long
that is, and `cmc check` says it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.feed.calendar import Note, ProductCalendar, Session, Span
from gateway.feed.calendar_pair import PairCalendar, Trap
from gateway.processes.holidays import exchanges, special_days
from gateway.processes.session_days import make_calendar
from gateway.processes.session_rows import (
    Override,
    SessionError,
    SessionRow,
    overridden,
    parse_overrides,
    parse_sessions,
)

SHIPPED = Path(__file__).parents[1] / "feed" / "sessions.toml"
CALENDAR_FILE = "calendars.json"
"""In the run directory."""
PAST_DAYS = 10
"""Worked out before the date asked for: the trading day before a long holiday."""
KNOWN_DAYS = 400
"""Worked out after it. A run is restarted, or its calendar file renewed, within this time."""
SHORT_HORIZON_DAYS = 45
"""Fewer days known than this are told by `cmc check`."""
SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 24 * 60 * MINUTE_NS


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    product: str
    known: tuple[int, int]
    domestic: bool
    nights: bool
    spans: tuple[Span, ...]
    notes: tuple[Note, ...]


class PairDay(NamedTuple):
    """One trading day of a pair's home leg: when all legs trade, and what parts them since the day before's close."""

    trade_date: str
    windows: tuple[Session, ...]
    traps: tuple[Trap, ...]


class PairOutlook(NamedTuple):
    """What `cmc check` tells of a pair: the next trading days, and now."""

    products: tuple[str, ...]
    at_utc_ns: int
    is_open: bool
    next_open_ns: int | None
    next_shut_ns: int | None
    days: tuple[PairDay, ...]
    horizon_days: tuple[tuple[str, int], ...]

    @property
    def minutes_until_shut(self) -> int | None:
        """Whole minutes until the window that runs, or comes next, ends; None where that is unknown."""
        return None if self.next_shut_ns is None else (self.next_shut_ns - self.at_utc_ns) // MINUTE_NS


def load_templates(site_file: Path | None = None) -> dict[str, tuple[SessionRow, ...]]:
    """The shipped templates by product; a product that the site's own file has is taken from there alone."""
    templates = parse_sessions(SHIPPED.read_text(encoding="utf-8"), str(SHIPPED))
    if site_file is not None:
        templates |= parse_sessions(_read(site_file), str(site_file))
    return templates


def load_overrides(holidays_file: Path) -> tuple[Override, ...]:
    """A site's own special days."""
    return parse_overrides(_read(holidays_file), str(holidays_file), exchanges())


def build_calendars(
    products: Iterable[str],
    first: date,
    last: date,
    *,
    holidays_file: Path | None = None,
    sessions_file: Path | None = None,
) -> dict[str, ProductCalendar]:
    """The calendars of these products for trading days from `first` to `last`, with a site's own files over ours."""
    templates = load_templates(sessions_file)
    wanted = sorted(set(products))
    unknown = [one for one in wanted if one not in templates]
    if unknown:
        raise SessionError(f"calendar {', '.join(unknown)}: no template; one of {', '.join(templates)}")
    overrides = () if holidays_file is None else load_overrides(holidays_file)
    needed = {row.exchange for product in wanted for row in templates[product]}
    foreign = sorted(needed - set(exchanges()))
    if foreign:
        raise SessionError(f"exchange {', '.join(foreign)}: holidays are known of {', '.join(exchanges())}")
    special = special_days(needed, first.year, last.year)
    special = {name: overridden(one, overrides) for name, one in special.items()}
    return {one: make_calendar(templates[one], special[templates[one][0].exchange], first, last) for one in wanted}


def dates_around(at_utc_ns: int) -> tuple[date, date]:
    """The first and the last date to work out for a run that begins at this instant."""
    day = _utc(at_utc_ns).date()
    return day - timedelta(days=PAST_DAYS), day + timedelta(days=KNOWN_DAYS)


def write_calendars(path: Path, calendars: Mapping[str, ProductCalendar]) -> None:
    """The worked-out calendars as one file, for the processes of a run."""
    stored = [
        _Stored(one.product, one.known, one.domestic, one.nights, one.spans, one.notes) for one in calendars.values()
    ]
    path.write_bytes(msgspec.json.encode(stored))


def read_calendars(path: Path) -> dict[str, ProductCalendar]:
    """The calendars that `write_calendars` wrote, by product."""
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=list[_Stored])
    except (OSError, msgspec.MsgspecError) as error:
        raise SessionError(f"{path}: {error}: should be written by `cmc up` or `cmc check`") from error
    return {
        one.product: ProductCalendar(
            one.product, one.spans, known=one.known, notes=one.notes, domestic=one.domestic, nights=one.nights
        )
        for one in stored
    }


def pair_days(legs: Sequence[ProductCalendar], at_utc_ns: int, count: int = 5) -> PairOutlook:
    """The next `count` trading days of a pair, from the instant on: the one that runs is the first."""
    pair = PairCalendar(legs)
    home = pair.home
    dates = home.trade_dates()
    ends = {one: home.sessions(one)[-1].close_ns for one in dates}
    coming = [index for index, one in enumerate(dates) if ends[one] > at_utc_ns][:count]
    days = []
    for index in coming:
        start_ns = ends[dates[index - 1]] if index else home.sessions(dates[index])[0].open_ns
        traps = pair.traps(start_ns, ends[dates[index]])
        days.append(PairDay(dates[index], pair.windows_of(dates[index]), traps))
    return PairOutlook(
        products=tuple(one.product for one in legs),
        at_utc_ns=at_utc_ns,
        is_open=pair.is_open(at_utc_ns),
        next_open_ns=pair.next_open(at_utc_ns),
        next_shut_ns=pair.next_shut(at_utc_ns),
        days=tuple(days),
        horizon_days=tuple((one.product, horizon_days(one, at_utc_ns)) for one in legs),
    )


def horizon_days(calendar: ProductCalendar, at_utc_ns: int) -> int:
    """Whole days from the instant for which hours are known; 0 when they are not."""
    return max(0, (calendar.known[1] - at_utc_ns) // DAY_NS)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SessionError(f"{path}: {error}: should be a readable UTF-8 file") from error


def _utc(at_utc_ns: int) -> datetime:
    return datetime.fromtimestamp(at_utc_ns // SECOND_NS, tz=UTC)
