"""A calibration as a quote meets it: a straight line from the venue's clock to ours, and how far off it may be.

Whole numbers only, relative to an anchor: a float of nanoseconds since 1970 is off by a hundred of them. The line is
replaced about once a second (`clock_session.py`); to put a stamp on it costs a few multiplications.
"""

from typing import NamedTuple

from gateway.feed.clock_settings import SECOND

NOT_CALIBRATED = (0, 0)


class ClockMap(NamedTuple):
    """The line through (`local_ns`, `venue_ns`); the venue's clock gains `rate_ppb` on ours.

    `bound_ns` holds at the anchor and grows by `growth_ppb` of the time since. The fastest messages take `way_ns` to us
    by this calibration, and at most `delay_ns`; nearly all others `spread_ns` longer at most, most of them `usual_ns`.
    From `live_until_ns` on it is not used.
    """

    local_ns: int
    venue_ns: int
    rate_ppb: int
    bound_ns: int
    growth_ppb: int
    delay_ns: int
    way_ns: int
    spread_ns: int
    usual_ns: int
    live_until_ns: int

    def local_of(self, venue_ns: int) -> int:
        """When, on our clock, the venue's clock showed `venue_ns`.

        >>> ClockMap(100, 5_000_000_100, 0, 0, 0, 0, 0, 0, 0, 0).local_of(5_000_000_107)
        107
        """
        since_ns = venue_ns - self.venue_ns
        return self.local_ns + since_ns - since_ns * self.rate_ppb // (SECOND + self.rate_ppb)

    def venue_of(self, local_ns: int) -> int:
        """What the venue's clock shows at `local_ns` of ours."""
        since_ns = local_ns - self.local_ns
        return self.venue_ns + since_ns + since_ns * self.rate_ppb // SECOND

    def bound_at(self, local_ns: int) -> int:
        """How far off the line may be at `local_ns`."""
        return self.bound_ns + abs(local_ns - self.local_ns) * self.growth_ppb // SECOND
