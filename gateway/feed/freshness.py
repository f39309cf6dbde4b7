"""When an instrument has been silent for longer than is normal for it: judged by the gaps between its own quotes.

A venue that shows its book every 500 ms is not stale after 400 ms, and one that usually moves ten times a second is
stale after one. So the last gaps between quotes are kept; `quantile` of them times `factor` is what the instrument may
be silent for, never less than `least_ns` and never more than `most_ns`. Until `warm_up` gaps are known only `most_ns`
counts. A high quantile and not the longest: one break must not make the next hour's silence look normal; gaps across a
time in which the book could not be traded on (a halt, a lost session) are not counted.

A quote costs a subtraction and an append; the limit is made when somebody looks, off the way of quotes.

What can go wrong: a market that calms down is called stale a few times until its gaps have taught the new pace; each
quote ends that. The settings of a pair (`max_quote_age_ms`) stay the upper bound of everything said here.
"""

from collections import deque
from typing import NamedTuple

SECOND = 10**9


class FreshnessSettings(NamedTuple):
    """`window` gaps are kept; `quantile_pct` of them times `factor_pct` / 100 is the silence that is normal."""

    window: int = 128
    warm_up: int = 32
    quantile_pct: int = 95
    factor_pct: int = 300
    least_ns: int = SECOND // 2
    most_ns: int = 60 * SECOND


class Pace:
    """The gaps between the quotes of one instrument."""

    __slots__ = ("_counted", "_gaps", "_last_ns", "_limit_ns", "_made_at", "_settings", "_usual_ns")

    def __init__(self, settings: FreshnessSettings) -> None:
        self._settings = settings
        self._gaps: deque[int] = deque(maxlen=settings.window)
        self._last_ns = 0
        self._counted = 0
        self._made_at = 0
        self._limit_ns = settings.most_ns
        self._usual_ns = 0

    def note(self, recv_ns: int) -> None:
        """A quote that can be traded on came."""
        if self._last_ns:
            self._gaps.append(recv_ns - self._last_ns)
            self._counted += 1
        self._last_ns = recv_ns

    def pause(self) -> None:
        """The book cannot be traded on: what lies between the quotes before and after is no gap of the market."""
        self._last_ns = 0

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
        if len(self._gaps) < settings.warm_up or self._counted - self._made_at < settings.warm_up // 2:
            return
        self._made_at = self._counted
        ordered = sorted(self._gaps)
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
