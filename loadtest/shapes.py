"""How the number of users goes over time: ramp, step, spike, soak. Pure: seconds in, users out; None ends the test."""

from collections.abc import Callable
from typing import NamedTuple

STEPS = 4
SPIKE_FROM, SPIKE_TO = 0.4, 0.6
SPIKE_BASE = 5
"""Outside of the spike there are so many times fewer users."""


class Wanted(NamedTuple):
    """The whole test."""

    users: int
    seconds: int


def ramp(at_s: float, wanted: Wanted) -> int | None:
    """Evenly from one user to all."""
    if at_s >= wanted.seconds:
        return None
    return max(1, round(wanted.users * at_s / wanted.seconds))


def step(at_s: float, wanted: Wanted) -> int | None:
    """In four equal steps."""
    if at_s >= wanted.seconds:
        return None
    return max(1, wanted.users * (int(at_s * STEPS / wanted.seconds) + 1) // STEPS)


def spike(at_s: float, wanted: Wanted) -> int | None:
    """A fifth of the users, all of them for the middle fifth of the time, a fifth again."""
    if at_s >= wanted.seconds:
        return None
    inside = SPIKE_FROM <= at_s / wanted.seconds < SPIKE_TO
    return wanted.users if inside else max(1, wanted.users // SPIKE_BASE)


def soak(at_s: float, wanted: Wanted) -> int | None:
    """All of them, for as long as was asked."""
    return None if at_s >= wanted.seconds else wanted.users


SHAPES: dict[str, Callable[[float, Wanted], int | None]] = {"ramp": ramp, "step": step, "spike": spike, "soak": soak}
