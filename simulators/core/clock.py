"""The venue's clock: true time, plus an offset, plus a drift, plus one step. Exact integers, no float of a time.

It decides what a venue writes in SendingTime(52), TransactTime(60) and MDEntryTime(273); nothing waits for it.
"""

from typing import NamedTuple

_PPM = 1_000_000
_DRIFT_SCALE = 1_000


class VenueClock(NamedTuple):
    """`venue_ns(at_ns)` of one venue. All fields are nanoseconds but the drift.

    `drift_ppb` is whole parts per billion (12.5 ppm is 12 500), counted from `start_ns`. `utc_offset_ns` is what turns
    the monotonic clock into nanoseconds since 1970 UTC; 0 keeps the monotonic scale.
    """

    start_ns: int = 0
    utc_offset_ns: int = 0
    offset_ns: int = 0
    drift_ppb: int = 0
    step_ns: int = 0
    step_at_ns: int = 0
    """After `start_ns`; without meaning when `step_ns` is 0."""

    def venue_ns(self, at_ns: int) -> int:
        """What this clock shows at the monotonic time `at_ns`."""
        since_start_ns = at_ns - self.start_ns
        drift_ns = since_start_ns * self.drift_ppb // (_PPM * _DRIFT_SCALE)
        step_ns = self.step_ns if since_start_ns >= self.step_at_ns else 0
        return at_ns + self.utc_offset_ns + self.offset_ns + drift_ns + step_ns

    def record_times(self, until_ns: int) -> list[int]:
        """The times since start at which the record of the clock gets a line: every second and at the step."""
        times = list(range(0, until_ns, 1_000_000_000))
        if self.step_ns and 0 <= self.step_at_ns < until_ns and self.step_at_ns not in times:
            times.append(self.step_at_ns)
        return sorted(times)
