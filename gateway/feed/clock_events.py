"""What calibration tells an operator: named, with the figures."""

from enum import StrEnum
from typing import NamedTuple


class ClockEventName(StrEnum):
    """What happened to a clock or to the way to it."""

    STEPPED = "stepped"
    """The venue's clock jumped (leap second, NTP, a hand); its quotes have no calibration until it answers again."""
    PATH_CHANGED = "path_changed"
    """The least round trip changed for good: another route. A measured asymmetry does not hold for it."""
    UTC_CONTRADICTED = "utc_contradicted"
    """The venue's clock is further from UTC than was declared; the declaration is not used."""
    UNANSWERED = "unanswered"
    """TestRequests(1) get no Heartbeat(0) with their TestReqID(112); the calibration is not live any more."""


class ClockEvent(NamedTuple):
    """One of them."""

    name: ClockEventName
    figures: str


class ClockStanding(NamedTuple):
    """How the calibration of one session stands; durations in nanoseconds.

    `bound_ns` and `offset_ns` are of `at_ns`; `noise_ns` is the part of the bound that more samples make smaller,
    the rest is half of the least round trip, which nothing on FIX can make smaller.
    """

    live: bool
    at_ns: int
    offset_ns: int
    bound_ns: int
    noise_ns: int
    drift_ppb: int
    drift_bound_ppb: int
    least_round_trip_ns: int
    answers: int
    steps: int
    path_changes: int
    basis: str
    """What the offset rests on: "half round trip", "measured asymmetry" or "utc"."""
