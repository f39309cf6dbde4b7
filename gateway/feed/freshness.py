"""When an instrument has been silent for longer than is normal for it: judged by the gaps between its own quotes.

A venue that shows its book every 500 ms is not stale after 400 ms, and one that usually moves ten times a second is
stale after one. So the last gaps between quotes are kept; `quantile` of them times `factor` is what the instrument may
be silent for, never less than `least_ns` and never more than `most_ns`. Until `warm_up` gaps are known only `most_ns`
counts. A high quantile and not the longest: one break must not make the next hour's silence look normal; gaps across a
time in which the book could not be traded on (a halt, a lost session) are not counted.

A quote costs one append of its time; gaps and limit are made when somebody looks, off the way of quotes, at most once a
second of quotes.

What can go wrong: a market that calms down is called stale a few times until its gaps have taught the new pace; each
quote ends that. The settings of a pair (`max_quote_age_ms`) stay the upper bound of everything said here.
"""

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

SECOND = 10**9
REMAKE_NS = SECOND
"""The limit is made anew when the newest quote is so much newer than at the last time."""
PAUSE = 0
"""Stands among the times where the book could not be traded on."""


class FreshnessSettings(NamedTuple):
    """`window` gaps are kept; `quantile_pct` of them times `factor_pct` / 100 is the silence that is normal."""

    window: int = 128
    warm_up: int = 32
    quantile_pct: int = 95
    factor_pct: int = 300
    least_ns: int = SECOND // 2
    most_ns: int = 60 * SECOND


class Pace:
    """The times of the last quotes of one instrument."""

    __slots__ = ("_limit_ns", "_made_ns", "_settings", "_times", "_usual_ns", "note")

    def __init__(self, settings: FreshnessSettings) -> None:
        self._settings = settings
        self._times: deque[int] = deque(maxlen=settings.window + 1)
        self._made_ns = -REMAKE_NS
        self._limit_ns = settings.most_ns
        self._usual_ns = 0
        self.note: Callable[[int], None] = self._times.append
        """A quote that can be traded on came, at this time."""

    def pause(self) -> None:
        """The book cannot be traded on: what lies between the quotes before and after is no gap of the market."""
        if self._times and self._times[-1] != PAUSE:
            self._times.append(PAUSE)

    @property
    def usual_ns(self) -> int:
        """The median gap; 0 before the warm-up is over."""
        self._make()
        return self._usual_ns

    @property
    def limit_ns(self) -> int:
        """How long it may be silent."""
        self._make()
        return self._limit_ns

    def _make(self) -> None:
        settings = self._settings
        if not self._times:
            return
        newest_ns = self._times[-1] or self._times[-2]
        if 0 <= newest_ns - self._made_ns < REMAKE_NS:
            return
        times = self._times.copy()
        ordered = sorted(after - before for before, after in pairwise(times) if before != PAUSE != after)
        if len(ordered) < settings.warm_up:
            return
        self._made_ns = newest_ns
        self._usual_ns = ordered[len(ordered) // 2]
        high_ns = ordered[(len(ordered) - 1) * settings.quantile_pct // 100]
        self._limit_ns = min(settings.most_ns, max(settings.least_ns, high_ns * settings.factor_pct // 100))

    def told(self, silent_ns: int) -> str:
        """The figures of a silence."""
        if not self.usual_ns:
            return f"silent for {silent_ns // 10**6} ms, at most {self._limit_ns // 10**6}; too few quotes to know more"
        return (
            f"silent for {silent_ns // 10**6} ms, at most {self._limit_ns // 10**6}; "
            f"usual are {self._usual_ns // 10**6} ms between quotes"
        )
