"""Times of a tape as a person writes them, in the market's zone, to nanoseconds since 1970 UTC and back.

A time of day alone is one of the tape's first day; a date alone is its midnight, and as an end the midnight after it.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.journal.told import told
from gateway.processes.cli import WrongCallError
from gateway.processes.durations import SECOND

DAY = timedelta(days=1)
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def instant_ns(text: str, option: str, zone: ZoneInfo, start_utc_ns: int, *, is_end: bool) -> int:
    """What `text` names; `start_utc_ns` is when the tape begins."""
    words = text.strip()
    try:
        if _TIME.fullmatch(words):
            words = f"{local(start_utc_ns, zone):%Y-%m-%d}T{words}"
        stamp = datetime.fromisoformat(words)
    except ValueError as error:
        message = told("{} {}: a date, a time of day or both, such as {} or {}", option, text, "2026-06-15", "09:30:00")
        raise WrongCallError(message) from error
    if is_end and _DATE.fullmatch(words):
        stamp += DAY
    stamp = stamp.replace(tzinfo=zone) if stamp.tzinfo is None else stamp
    return utc_ns(stamp)


def utc_ns(stamp: datetime) -> int:
    """Nanoseconds since 1970 UTC, exact to the microsecond that a datetime holds."""
    since = stamp.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1000


def local(at_utc_ns: int, zone: ZoneInfo) -> datetime:
    """The instant in a zone."""
    whole = datetime.fromtimestamp(at_utc_ns // SECOND, UTC).astimezone(zone)
    return whole.replace(microsecond=at_utc_ns % SECOND // 1000)


def shown(at_utc_ns: int, zone: ZoneInfo) -> str:
    """The instant for a person, in the zone."""
    return f"{local(at_utc_ns, zone):%Y-%m-%d %H:%M:%S}"


def midnight_ns(trading_date: str, zone: ZoneInfo) -> int:
    """When the day YYYYMMDD begins in the zone."""
    return utc_ns(datetime(int(trading_date[:4]), int(trading_date[4:6]), int(trading_date[6:]), tzinfo=zone))
