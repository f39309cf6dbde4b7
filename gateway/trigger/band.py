"""A moving band: where the middle of a pair's price has been, how far it strayed, and which thresholds that makes.

All in whole numbers (prices in 1e-9, squares exact, quotients and roots rounded down), in the order of the samples: the
same samples give the same thresholds to the last digit on every machine, and a replay needs nothing but the samples.

A sample is the middle of buying and selling price, rounded down. What can go wrong: fewer samples than `warm_up`; then
there are no thresholds and the rule says that it is warming up.
"""

from collections import deque
from collections.abc import Iterable
from math import isqrt
from typing import Protocol

from gateway.model.base import PRICE_E9
from gateway.model.conditions import BandKind, MovingBand
from gateway.model.order import Side

_SCALE = 1 << 32
"""Of the exponential mean and, squared, of its variance: what is rounded off lies far under 1e-9."""


class Statistics(Protocol):
    """Middle and deviation of the samples so far."""

    samples: int

    def add(self, sample_e9: int) -> None: ...

    def middle_e9(self) -> int: ...

    def deviation_e9(self) -> int: ...


class Rolling:
    """Of the last `length` samples: exact sums, mean rounded down, population deviation rounded down."""

    __slots__ = ("_kept", "_length", "_squares", "_sum", "samples")

    def __init__(self, length: int) -> None:
        self._length = length
        self._kept: deque[int] = deque()
        self._sum = self._squares = 0
        self.samples = 0

    def add(self, sample_e9: int) -> None:
        self._kept.append(sample_e9)
        self._sum += sample_e9
        self._squares += sample_e9 * sample_e9
        if len(self._kept) > self._length:
            gone = self._kept.popleft()
            self._sum -= gone
            self._squares -= gone * gone
        self.samples = len(self._kept)

    def middle_e9(self) -> int:
        return self._sum // len(self._kept)

    def deviation_e9(self) -> int:
        count = len(self._kept)
        return isqrt(count * self._squares - self._sum * self._sum) // count


class Exponential:
    """Each sample weighs a = 2 / (length + 1); mean += a d, variance = (1 - a)(variance + a d^2), d = sample - mean."""

    __slots__ = ("_mean", "_parts", "_variance", "samples")

    def __init__(self, length: int) -> None:
        self._parts = length + 1
        self._mean = self._variance = 0
        self.samples = 0

    def add(self, sample_e9: int) -> None:
        self.samples += 1
        if self.samples == 1:
            self._mean = sample_e9 * _SCALE
            return
        away = sample_e9 * _SCALE - self._mean
        self._mean += 2 * away // self._parts
        self._variance = (self._parts - 2) * (self._variance + 2 * away * away // self._parts) // self._parts

    def middle_e9(self) -> int:
        return self._mean // _SCALE

    def deviation_e9(self) -> int:
        return isqrt(self._variance) // _SCALE


class Band:
    """The statistics of one rule, and the thresholds that they make."""

    __slots__ = ("_statistics", "spec")

    def __init__(self, spec: MovingBand, samples: Iterable[int] = ()) -> None:
        self.spec = spec
        rolling = spec.kind is BandKind.ROLLING
        self._statistics: Statistics = Rolling(spec.length) if rolling else Exponential(spec.length)
        for sample in samples:
            self.add(sample)

    @property
    def samples(self) -> int:
        return self._statistics.samples

    @property
    def is_warm(self) -> bool:
        return self.samples >= self.spec.warm_up

    def add(self, sample_e9: int) -> None:
        """Take a sample in."""
        self._statistics.add(sample_e9)

    def threshold_e9(self, side: Side) -> int | None:
        """Where that side trades now; None while it is warming up."""
        if not self.is_warm:
            return None
        spec = self.spec
        half_e9 = max(spec.floor_e9, self._statistics.deviation_e9() * spec.deviations_e9 // PRICE_E9)
        if spec.cap_e9 is not None:
            half_e9 = min(half_e9, spec.cap_e9)
        return self._statistics.middle_e9() - side.sign * half_e9

    def like(self, spec: MovingBand) -> bool:
        """Whether the same samples give a band of `spec` the same statistics."""
        return (self.spec.kind, self.spec.length, self.spec.interval_ns) == (spec.kind, spec.length, spec.interval_ns)

    def again(self, spec: MovingBand) -> "Band":
        """The same statistics under other deviations, floor or cap; `like` has said that they are the same."""
        made = Band(spec)
        made._statistics = self._statistics
        return made


class Sampler:
    """When samples of one pair are due, and the last ones, for rules that are changed or added while it runs.

    The grid is that of whole intervals of the monotonic clock; a sample is taken at the first look at or after each.
    """

    __slots__ = ("due_ns", "interval_ns", "kept", "pair_id")

    def __init__(self, pair_id: str, interval_ns: int, most: int) -> None:
        self.pair_id = pair_id
        self.interval_ns = interval_ns
        self.kept: deque[int] = deque(maxlen=most)
        self.due_ns = 0

    def resize(self, most: int) -> None:
        """Keep so many from now on."""
        if most != self.kept.maxlen:
            self.kept = deque(self.kept, maxlen=most)

    def begin(self, at_ns: int) -> None:
        """The first sample is that of the first moment of the grid after `at_ns`."""
        if not self.due_ns:
            self.due_ns = (at_ns // self.interval_ns + 1) * self.interval_ns

    def is_due(self, at_ns: int) -> bool:
        """Whether a sample is to be taken now; at most one, however late it is."""
        if at_ns < self.due_ns or not self.due_ns:
            self.begin(at_ns)
            return False
        self.due_ns = (at_ns // self.interval_ns + 1) * self.interval_ns
        return True


def most_samples(spec: MovingBand) -> int:
    """How many samples a band of this kind still depends on: of an exponential one the rest weighs under 1 in 1000."""
    return spec.length if spec.kind is BandKind.ROLLING else max(4 * spec.length, spec.warm_up)
