"""The only reader of clocks in `gateway/`.

Two clocks: the monotonic one, on which everything local is timed, and UTC, for what leaves the host (files' names,
stamps of FIX, journal headers). Every other module takes a time as an argument, so a replay gives it the recorded one.

What can go wrong: CLOCK_MONOTONIC starts anew with each boot, so a time on it means nothing without `boot_id`; UTC may
be set by hand or by NTP and is never subtracted from itself.
"""

import time
from datetime import UTC, datetime


def monotonic_ns() -> int:
    """Nanoseconds on this host's CLOCK_MONOTONIC, the same for all processes of this boot."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def utc_ns() -> int:
    """Nanoseconds since 1970 UTC as this host believes."""
    return time.time_ns()


def utc_stamp(at_utc_ns: int) -> str:
    """`at_utc_ns` as a word for names of folders: 20260615T013000Z."""
    return datetime.fromtimestamp(at_utc_ns // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")


def pause_ns(duration_ns: int) -> None:
    """Sleep for `duration_ns`; only mains and the supervisor's loop wait like this."""
    time.sleep(duration_ns / 10**9)
