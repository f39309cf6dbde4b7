"""Session templates and special days as they are written: `gateway/feed/sessions.toml` and a site's holidays file.

It turns text into rows and refuses what cannot be meant; it does not work out any day (`session_days.py`) and opens no
file. A template is dated: a recorded day uses the row of its own date. Every row says where it is from.

What can go wrong: a misspelt key, a time that is none, two rows of one product for the same day, an exchange that no
template names: `SessionError` with the file, the place, the value and what would be right.
"""

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_E = TypeVar("_E", bound=StrEnum)
DAY_MINUTES = 24 * 60
FIRST_DATE = date(2000, 1, 1)
LAST_DATE = date(2199, 12, 31)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
MARKS = ("S", "M", "D", "G")
OVERRIDE_HEADER = ["exchange", "date", "kind", "reason"]


class SessionError(ValueError):
    """A template or a special day that cannot be used; names the file, the place, the value and what would be right."""


class EveningOf(StrEnum):
    """Which date's evening begins a trading day."""

    PREVIOUS_TRADING_DAY = "previous_trading_day"
    DAY_BEFORE = "day_before"


class Hours(NamedTuple):
    """From minute to minute of a local day; an end of 1440 or more lies on the next day."""

    start: int
    end: int


class SessionRow(NamedTuple):
    """The hours of one product from one date to another, in local time of `zone`; see `sessions.toml` for each key."""

    product: str
    exchange: str
    zone: str
    valid_from: date
    valid_to: date
    day: tuple[Hours, ...]
    day_auctions: tuple[Hours, ...]
    evening: tuple[Hours, ...]
    evening_auctions: tuple[Hours, ...]
    evening_of: EveningOf
    evening_before_holiday: bool
    evening_after_half: bool
    evening_weekdays: tuple[int, ...]
    half_close: int | None
    source: str
    mark: str


class DayKind(StrEnum):
    """What is special about a day at an exchange."""

    CLOSED = "closed"
    """no trading day; the next one may begin on its evening"""
    DARK = "dark"
    """closed, and nothing begins on its evening"""
    HALF = "half"
    """a trading day that ends early"""
    HALT = "halt"
    """ends early and is no trading day of its own: its trades count to the next one (CME on most US holidays)"""
    OPEN = "open"
    """an ordinary trading day after all, also on a weekend"""


class Special(NamedTuple):
    """One special day; `close` is a local minute where the early close differs from the template's."""

    kind: DayKind
    reason: str
    close: int | None = None


class Holidays(NamedTuple):
    """The special days of an exchange, and the dates between which they are known (both included)."""

    exchange: str
    first: date
    known_until: date
    days: Mapping[date, Special]


_OPTIONAL: dict[str, Any] = {
    "valid_to": LAST_DATE,
    "day": [],
    "day_auctions": [],
    "evening": [],
    "evening_auctions": [],
    "evening_of": EveningOf.PREVIOUS_TRADING_DAY,
    "evening_before_holiday": True,
    "evening_after_half": True,
    "evening_weekdays": list(_WEEKDAYS),
    "half_close": None,
}
_KINDS: dict[str, type] = {
    "products": list,
    "exchange": str,
    "zone": str,
    "source": str,
    "mark": str,
    "day": list,
    "day_auctions": list,
    "evening": list,
    "evening_auctions": list,
    "evening_before_holiday": bool,
    "evening_after_half": bool,
    "evening_weekdays": list,
}
_KIND_WORDS: dict[type, str] = {list: "a list in square brackets", str: "text in quotes", bool: "true or false"}
_NEEDED = ("products", "exchange", "zone", "valid_from", "source", "mark")


def parse_sessions(text: str, name: str) -> dict[str, tuple[SessionRow, ...]]:
    """The templates of a file by product, each product's rows by date. `name` is the file's, for errors."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SessionError(f"{name}: not TOML: {error}") from error
    extra = sorted(set(tables) - {"session"})
    if extra or not tables.get("session"):
        raise SessionError(f"{name}: {', '.join(extra) or 'nothing'}: should be tables [[session]] and nothing else")
    rows: dict[str, list[SessionRow]] = {}
    for number, table in enumerate(tables["session"], 1):
        for row in _rows(table, f"{name}: session {number}"):
            rows.setdefault(row.product, []).append(row)
    return {product: _in_order(product, found, name) for product, found in sorted(rows.items())}


def _rows(table: Mapping[str, Any], place: str) -> list[SessionRow]:
    unknown = sorted(set(table) - set(_NEEDED) - set(_OPTIONAL))
    missing = sorted(set(_NEEDED) - set(table))
    if unknown or missing:
        known = ", ".join((*_NEEDED, *_OPTIONAL))
        raise SessionError(f"{place}: {', '.join(unknown or missing)} {'unknown' if unknown else 'missing'}: {known}")
    values = {**_OPTIONAL, **table}
    for key, kind in _KINDS.items():
        if not isinstance(values[key], kind) or (values[key] in ("", []) and key in _NEEDED):
            raise SessionError(f"{place}: {key} {values[key]}: should be {_KIND_WORDS[kind]}")
    if not values["day"] and not values["evening"]:
        raise SessionError(f"{place}: no hours: day, evening or both")
    row = SessionRow(
        product="",
        exchange=values["exchange"],
        zone=_zone(values["zone"], place),
        valid_from=_date(values["valid_from"], f"{place}: valid_from"),
        valid_to=_date(values["valid_to"], f"{place}: valid_to"),
        day=_hours(values["day"], f"{place}: day", overnight=False),
        day_auctions=_hours(values["day_auctions"], f"{place}: day_auctions", overnight=False),
        evening=_hours(values["evening"], f"{place}: evening", overnight=True),
        evening_auctions=_hours(values["evening_auctions"], f"{place}: evening_auctions", overnight=True),
        evening_of=_word(EveningOf, values["evening_of"], f"{place}: evening_of"),
        evening_before_holiday=values["evening_before_holiday"],
        evening_after_half=values["evening_after_half"],
        evening_weekdays=tuple(_weekday(one, f"{place}: evening_weekdays") for one in values["evening_weekdays"]),
        half_close=None if values["half_close"] is None else minutes(values["half_close"], f"{place}: half_close"),
        source=values["source"],
        mark=values["mark"],
    )
    if row.valid_to < row.valid_from:
        raise SessionError(f"{place}: valid_to {row.valid_to}: not before valid_from, {row.valid_from}")
    if row.mark not in MARKS:
        raise SessionError(f"{place}: mark {row.mark}: one of {', '.join(MARKS)}")
    return [row._replace(product=product) for product in values["products"]]


def _in_order(product: str, rows: list[SessionRow], name: str) -> tuple[SessionRow, ...]:
    rows.sort(key=lambda one: one.valid_from)
    for before, after in pairwise(rows):
        if after.valid_from <= before.valid_to:
            raise SessionError(
                f"{name}: {product}: rows from {before.valid_from} and from {after.valid_from} overlap: "
                f"valid_to of the first should be before {after.valid_from}"
            )
    return tuple(rows)


def minutes(text: object, place: str) -> int:
    """The minute of the day of `HH:MM`."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise SessionError(f'{place}: {text}: a time such as "21:00"')
    return int(found[1]) * 60 + int(found[2])


def _hours(texts: Iterable[str], place: str, *, overnight: bool) -> tuple[Hours, ...]:
    found: list[Hours] = []
    for text in texts:
        start_text, _, end_text = str(text).partition("-")
        start, end = minutes(start_text, place), minutes(end_text, place)
        if end <= start and overnight:
            end += DAY_MINUTES
        if end <= start:
            raise SessionError(f"{place}: {text}: should end after it begins; hours over midnight stand in evening")
        if found and start < found[-1].end:
            raise SessionError(f"{place}: {text}: should begin after the hours before it end")
        found.append(Hours(start, end))
    return tuple(found)


def _date(value: object, place: str) -> date:
    if type(value) is not date or not FIRST_DATE <= value <= LAST_DATE:  # a datetime is a date too
        raise SessionError(f"{place}: {value}: a date such as 2020-05-07, without quotes, {FIRST_DATE} to {LAST_DATE}")
    return value


def _zone(value: str, place: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError) as error:
        raise SessionError(f"{place}: zone {value}: a name of the IANA database such as Asia/Shanghai") from error
    return value


def _weekday(value: str, place: str) -> int:
    if value not in _WEEKDAYS:
        raise SessionError(f"{place}: {value}: one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(value)


def _word(words: type[_E], value: str, place: str) -> _E:
    try:
        return words(value)
    except ValueError as error:
        raise SessionError(f"{place}: {value}: one of {', '.join(words)}") from error


class Override(NamedTuple):
    """A row of a site's holidays file: a special day, or (kind None) the date until which all days are known."""

    exchange: str
    date: date
    special: Special | None


def parse_overrides(text: str, name: str, exchanges: Iterable[str]) -> tuple[Override, ...]:
    """A site's special days: CSV with the header exchange,date,kind,reason; a line that starts with # is a comment.

    A kind is a word of `DayKind`, `half` and `halt` with a local time where it differs from the template's
    (`half 12:05`), or `known`: the special days of that exchange are all stated up to this date.
    """
    known = sorted(set(exchanges))
    kept = [line if not line.startswith("#") else "" for line in text.splitlines()]
    try:
        rows = list(csv.reader(io.StringIO("\n".join(kept)), strict=True))
    except csv.Error as error:
        raise SessionError(f"{name}: {error}: should be CSV, {','.join(OVERRIDE_HEADER)}") from error
    found: list[Override] = []
    header_seen = False
    for number, row in enumerate(rows, 1):
        if not row:
            continue
        place = f"{name}:{number}"
        if not header_seen:
            if row != OVERRIDE_HEADER:
                raise SessionError(f"{place}: {','.join(row)}: the header {','.join(OVERRIDE_HEADER)}")
            header_seen = True
            continue
        found.append(_override(row, place, known))
    if not header_seen:
        raise SessionError(f"{name}: empty: the header {','.join(OVERRIDE_HEADER)}, then rows")
    return tuple(found)


def _override(row: list[str], place: str, exchanges: list[str]) -> Override:
    if len(row) != len(OVERRIDE_HEADER):
        raise SessionError(f"{place}: {','.join(row)}: {len(OVERRIDE_HEADER)} fields, {','.join(OVERRIDE_HEADER)}")
    exchange, day_text, kind_text, reason = (one.strip() for one in row)
    if exchange not in exchanges:
        raise SessionError(f"{place}: exchange {exchange}: one of {', '.join(exchanges)}")
    try:
        day = date.fromisoformat(day_text) if _DATE.fullmatch(day_text) else None
    except ValueError:
        day = None
    if day is None:
        raise SessionError(f"{place}: date {day_text}: a date such as 2027-02-05")
    if not reason:
        raise SessionError(f"{place}: reason missing: where this is published")
    if kind_text == "known":
        return Override(exchange, day, None)
    word, _, time_text = kind_text.partition(" ")
    kind = _word(DayKind, word, f"{place}: kind")
    if time_text and kind not in {DayKind.HALF, DayKind.HALT}:
        raise SessionError(f"{place}: kind {kind_text}: only half and halt have a time")
    return Override(exchange, day, Special(kind, reason, minutes(time_text, place) if time_text else None))


def overridden(holidays: Holidays, overrides: Iterable[Override]) -> Holidays:
    """The special days of an exchange with a site's own in their place; a later row wins."""
    days = dict(holidays.days)
    known_until = holidays.known_until
    for one in overrides:
        if one.exchange != holidays.exchange:
            continue
        if one.special is None:
            known_until = one.date
        else:
            days[one.date] = one.special
    return holidays._replace(days=days, known_until=known_until)
