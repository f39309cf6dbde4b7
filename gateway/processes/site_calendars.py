"""The calendars of one site: which instrument has which, one file for a run, and what `cmc check` says of each pair.

It joins what the site file names (`[[instrument]] calendar`, `[site] holidays_file`, `[site] sessions_file`) with
`calendars.py`. An instrument that names no calendar counts as always open; that is told for each one, every time.

What can go wrong: a mistake in a calendar's name or file is a `SessionError`; `cmc check` tells it as a mistake of the
site, and nothing starts.
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gateway.feed.calendar import ProductCalendar
from gateway.feed.calendar_pair import PairCalendar
from gateway.model.site import PairSpec
from gateway.model.trade import fixing_of
from gateway.processes.calendar_words import always_open_text, outlook_text
from gateway.processes.calendars import (
    CALENDAR_FILE,
    PairOutlook,
    build_calendars,
    dates_around,
    load_overrides,
    load_templates,
    pair_days,
    read_calendars,
    write_calendars,
)
from gateway.processes.fixings import day_calendar
from gateway.processes.session_rows import SessionError


class CalendarSettings(NamedTuple):
    """What a site says of its calendars: a product by instrument id (only where given), and its own files."""

    products: Mapping[str, str]
    holidays_file: Path | None = None
    sessions_file: Path | None = None


class CalendarMistake(NamedTuple):
    """What is wrong with a site's calendars: the instrument or the file, what stands there, what would be right."""

    where: str
    value: str
    remedy: str


def calendar_mistakes(settings: CalendarSettings) -> list[CalendarMistake]:
    """Every mistake that can be told without working out a day; loads no holiday library."""
    found: list[CalendarMistake] = []
    try:
        templates = load_templates(settings.sessions_file)
    except SessionError as error:
        return [CalendarMistake("sessions_file", str(settings.sessions_file), str(error))]
    for instrument_id, product in settings.products.items():
        if product not in templates:
            near = difflib.get_close_matches(product, templates, n=1)
            words = f"did you mean {near[0]}?" if near else f"one of {', '.join(templates)}"
            remedy = f"a calendar; {words}"
            found.append(CalendarMistake(instrument_id, product, remedy))
    if settings.holidays_file is not None:
        try:
            load_overrides(settings.holidays_file)
        except SessionError as error:
            found.append(CalendarMistake("holidays_file", str(settings.holidays_file), str(error)))
    return found


def site_calendars(settings: CalendarSettings, at_utc_ns: int) -> dict[str, ProductCalendar]:
    """By instrument id, worked out around the instant; loads the holiday library, so not for a process that trades."""
    if not settings.products:
        return {}
    built = build_calendars(
        settings.products.values(),
        *dates_around(at_utc_ns),
        holidays_file=settings.holidays_file,
        sessions_file=settings.sessions_file,
    )
    return {instrument_id: built[product] for instrument_id, product in settings.products.items()}


def write_run_calendars(run_dir: Path, settings: CalendarSettings, at_utc_ns: int) -> None:
    """Before the processes start: the file that each of them reads."""
    calendars = site_calendars(settings, at_utc_ns)
    write_calendars(run_dir / CALENDAR_FILE, {one.product: one for one in calendars.values()})


def read_run_calendars(run_dir: Path, settings: CalendarSettings) -> dict[str, ProductCalendar]:
    """In a process: its calendars by instrument id. An instrument without one is absent: always open."""
    if not settings.products:
        return {}
    read = read_calendars(run_dir / CALENDAR_FILE)
    return {instrument_id: read[product] for instrument_id, product in settings.products.items()}


def fixing_calendars(pairs: Mapping[str, PairSpec]) -> dict[str, ProductCalendar]:
    """Of each pair whose fixed currency rates are of one day: open on that day."""
    return {
        fixing_of(name): day_calendar(fixing_of(name), one.fixing_date)
        for name, one in pairs.items()
        if one.fixing_date
    }


def pair_calendar(calendars: Mapping[str, ProductCalendar], legs: Sequence[str]) -> PairCalendar | None:
    """Of the legs (instrument ids) that have a calendar; None when none has."""
    found = [calendars[one] for one in dict.fromkeys(legs) if one in calendars]
    return PairCalendar(found) if found else None


def site_outlook(
    calendars: Mapping[str, ProductCalendar], pairs: Mapping[str, Sequence[str]], at_utc_ns: int
) -> dict[str, PairOutlook]:
    """The next trading days of each pair that has a leg with a calendar; `pairs` gives instrument ids by pair id."""
    found = {}
    for pair_id, legs in pairs.items():
        known = [calendars[one] for one in dict.fromkeys(legs) if one in calendars]
        if known:
            found[pair_id] = pair_days(known, at_utc_ns)
    return found


def site_outlook_text(
    calendars: Mapping[str, ProductCalendar], pairs: Mapping[str, Sequence[str]], at_utc_ns: int, language: str = "en"
) -> list[str]:
    """What `cmc check` prints: every pair's days, and a warning for each leg that is always open."""
    outlooks = site_outlook(calendars, pairs, at_utc_ns)
    lines = [line for pair_id, one in outlooks.items() for line in outlook_text(pair_id, one, language)]
    bare = dict.fromkeys(one for legs in pairs.values() for one in legs if one not in calendars)
    return [*lines, *(always_open_text(one, language) for one in bare)]


def site_outlook_json(
    calendars: Mapping[str, ProductCalendar], pairs: Mapping[str, Sequence[str]], at_utc_ns: int
) -> dict[str, Any]:
    """The same for a machine: times in nanoseconds UTC."""
    return {
        "always_open": list(dict.fromkeys(one for legs in pairs.values() for one in legs if one not in calendars)),
        "pairs": {
            pair_id: {
                "products": list(one.products),
                "open": one.is_open,
                "next_open_ns": one.next_open_ns,
                "next_shut_ns": one.next_shut_ns,
                "minutes_until_shut": one.minutes_until_shut,
                "days": [
                    {
                        "trade_date": day.trade_date,
                        "windows": [list(window) for window in day.windows],
                        "traps": [trap._asdict() for trap in day.traps],
                    }
                    for day in one.days
                ],
                "horizon_days": dict(one.horizon_days),
            }
            for pair_id, one in site_outlook(calendars, pairs, at_utc_ns).items()
        },
    }
