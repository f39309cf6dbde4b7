"""Bounds on the difference of two clocks over a sliding window, and the lines that lie between them.

The difference is venue time minus our time. An answer that was asked for at T1, stamped S and received at T4 was
stamped between T1 and T4, so the difference was at most S - T1 and at least S - T4, whatever the delays were.
Every other message gives a lower bound only, S - T4. Delays are never negative, so the least delayed messages are the
tightest bounds: of each slot of the window one upper and one lower bound is kept.

A line (a clock with an offset and a drift) is possible when it lies below every upper and above every lower bound, with
at least `gap_ns` between the two where the least round trip is known: that is what bounds the drift, since the ways'
least delays move neither up nor down with it. What can go wrong: a clock that steps, or whose rate changes faster than
`wander_ppb`, leaves no such line. `rates` then gives None, which is how a step is found.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from gateway.feed.clock_settings import SECOND

SLOTS = 60
NEWEST = 16
"""So many of the newest are kept whatever they are: while the drift is unknown nobody can tell which is tightest."""
_MOST_STEPS = 40
_ROUNDING_PPB = 2


class Bound(NamedTuple):
    """The difference at `at_ns` of ours was at most, or at least, `value_ns`."""

    at_ns: int
    value_ns: int


class Rates(NamedTuple):
    """The least and the greatest possible drift."""

    low_ppb: int
    high_ppb: int


class Window:
    """Upper and lower bounds by slot, the newest `SLOTS`; bounds of one slot compare by the drift `rate_ppb`."""

    def __init__(self, window_ns: int) -> None:
        self._slot_ns = max(1, window_ns // SLOTS)
        self._uppers: dict[int, Bound] = {}
        self._lowers: dict[int, Bound] = {}
        self._new_uppers: deque[Bound] = deque(maxlen=NEWEST)
        self._new_lowers: deque[Bound] = deque(maxlen=NEWEST)
        self._least: dict[int, int] = {}
        self.rate_ppb = 0

    def clear(self) -> None:
        """Forget everything: the clock is another one now."""
        self._uppers.clear()
        self._lowers.clear()
        self._new_uppers.clear()
        self._new_lowers.clear()
        self._least.clear()

    def round_trip(self, at_ns: int, round_trip_ns: int) -> None:
        """Take a round trip, by our clock alone."""
        slot = at_ns // self._slot_ns
        known = self._least.get(slot)
        if known is None or round_trip_ns < known:
            self._least[slot] = round_trip_ns
            _drop_old(self._least, slot)

    @property
    def least_round_trip_ns(self) -> int:
        """The least round trip of the window; 0 while there is none."""
        return min(self._least.values(), default=0)

    def upper(self, bound: Bound) -> None:
        """Take an upper bound."""
        self._new_uppers.append(bound)
        slot = bound.at_ns // self._slot_ns
        known = self._uppers.get(slot)
        if known is None or bound.value_ns - self._moved_ns(known, bound.at_ns) < 0:
            self._uppers[slot] = bound
            _drop_old(self._uppers, slot)

    def lower(self, bound: Bound) -> None:
        """Take a lower bound."""
        self._new_lowers.append(bound)
        slot = bound.at_ns // self._slot_ns
        known = self._lowers.get(slot)
        if known is None or bound.value_ns - self._moved_ns(known, bound.at_ns) > 0:
            self._lowers[slot] = bound
            _drop_old(self._lowers, slot)

    def view(self, at_ns: int, wander_ppb: int) -> "View | None":
        """The bounds as seen from `at_ns`; None while there are none of one kind."""
        newest = at_ns // self._slot_ns
        _drop_old(self._uppers, newest)
        _drop_old(self._lowers, newest)
        _drop_old(self._least, newest)
        if not self._uppers or not self._lowers:
            return None
        since_ns = (newest - SLOTS + 1) * self._slot_ns
        uppers = {*self._uppers.values(), *(one for one in self._new_uppers if one.at_ns >= since_ns)}
        lowers = {*self._lowers.values(), *(one for one in self._new_lowers if one.at_ns >= since_ns)}
        return View(
            [(age := at_ns - at, value + abs(age) * wander_ppb // SECOND) for at, value in uppers],
            [(age := at_ns - at, value - abs(age) * wander_ppb // SECOND) for at, value in lowers],
        )

    def _moved_ns(self, bound: Bound, at_ns: int) -> int:
        return bound.value_ns + (at_ns - bound.at_ns) * self.rate_ppb // SECOND


def _drop_old(slots: dict[int, Any], newest: int) -> None:
    while slots and next(iter(slots)) <= newest - SLOTS:
        del slots[next(iter(slots))]


class View(NamedTuple):
    """Bounds by their age at one time: (age_ns, value_ns), the values loosened by their age already."""

    uppers: Sequence[tuple[int, int]]
    lowers: Sequence[tuple[int, int]]

    def upper_ns(self, rate_ppb: int) -> int:
        """The most that the difference can be now when the drift is `rate_ppb`."""
        return min(value + age * rate_ppb // SECOND for age, value in self.uppers)

    def lower_ns(self, rate_ppb: int) -> int:
        """The least that it can be now when the drift is `rate_ppb`."""
        return max(value + age * rate_ppb // SECOND for age, value in self.lowers)

    def rates(self, gap_ns: int, most_ppb: int) -> Rates | None:
        """The drifts, at most `most_ppb` either way, that leave `gap_ns` between the bounds; None when there is none.

        The room between the bounds is a concave function of the drift, so Newton's steps from outside never overshoot.
        """
        low = self._edge(-most_ppb, gap_ns, most_ppb, rising=True)
        high = None if low is None else self._edge(most_ppb, gap_ns, most_ppb, rising=False)
        if low is None or high is None or low > high + _ROUNDING_PPB:
            return None
        return Rates(min(low, high), max(low, high))

    def _edge(self, rate_ppb: int, gap_ns: int, most_ppb: int, *, rising: bool) -> int | None:
        for _ in range(_MOST_STEPS):
            upper_ns, upper_age = min((value + age * rate_ppb // SECOND, age) for age, value in self.uppers)
            lower_ns, lower_age = max((value + age * rate_ppb // SECOND, age) for age, value in self.lowers)
            lacking_ns = gap_ns - (upper_ns - lower_ns)
            if lacking_ns <= 0:
                return rate_ppb
            growth = upper_age - lower_age  # how the room grows with the drift
            if growth == 0 or (growth > 0) is not rising:
                return None
            step_ppb = -(-lacking_ns * SECOND // abs(growth))
            rate_ppb += step_ppb if rising else -step_ppb
            if abs(rate_ppb) > most_ppb:
                return None
        return rate_ppb
