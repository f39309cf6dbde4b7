"""Two oddities of venues' stamps: market data stamped by another clock than SendingTime(52), and coarse stamps.

Another clock: nobody can ask it, but it stamps before the message is sent, and the fastest messages leave at once. The
greatest difference seen between the two stamps is that of the clocks, give or take what the venue declares and the
stamps' resolution.

Coarse stamps (whole seconds): the stamp allows a whole second, the arrival only what the way and the publishing take.
A moment has to lie in both. Where snapshots are taken at a fixed phase, only moments of that phase are looked at.
"""

from gateway.feed.clock_map import ClockMap
from gateway.feed.clock_settings import StampClocks

_PHASE_BEYOND = 4
"""The jitter of a fixed phase: a snapshot is looked for up to an interval's 1/4 beyond the moments allowed."""


class EntryClock:
    """How far the clock of MDEntryTime(273) is ahead of that of SendingTime(52), over the last half to whole window."""

    def __init__(self, stamps: StampClocks, window_ns: int) -> None:
        self._stamps = stamps
        self._half_ns = max(1, window_ns // 2)
        self._turn_ns = 0
        self._before: int | None = None
        self._now: int | None = None

    def clear(self) -> None:
        """Begin anew."""
        self._before = self._now = None

    def note(self, entry_ns: int, sending_ns: int, recv_ns: int) -> None:
        """One message that carries both."""
        if recv_ns - self._turn_ns > self._half_ns:
            self._before, self._now, self._turn_ns = self._now, None, recv_ns
        ahead_ns = entry_ns - sending_ns
        if self._now is None or ahead_ns > self._now:
            self._now = ahead_ns

    def shift(self) -> tuple[int, int]:
        """How far ahead, and how far off that may be."""
        known = [one for one in (self._before, self._now) if one is not None]
        resolution_ns = self._stamps.sending.half_ns + self._stamps.entry.half_ns
        if not known:
            return 0, resolution_ns + self._stamps.publish_floor_ns
        middle_ns = self._stamps.entry.middle_ns - self._stamps.sending.middle_ns
        half_ns = self._stamps.publish_floor_ns // 2
        return max(known) + middle_ns + half_ns, half_ns + resolution_ns


def coarse(made: ClockMap, stamps: StampClocks, local_ns: int, bound_ns: int, recv_ns: int) -> tuple[int, int]:
    """The moment of a coarse stamp, `local_ns` give or take `bound_ns`, sharpened by when its message came."""
    if stamps.publish_lag_ns is None:
        return local_ns, bound_ns
    off_ns = made.bound_at(recv_ns)
    latest_ns = recv_ns - made.delay_ns - stamps.publish_floor_ns
    earliest_ns = latest_ns - made.spread_ns - (stamps.publish_lag_ns - stamps.publish_floor_ns)
    low_ns, high_ns = max(local_ns - bound_ns, earliest_ns - off_ns), min(local_ns + bound_ns, latest_ns + off_ns)
    if low_ns > high_ns:
        # Sent before its stamp: the stamp is left to believe. Or later than nearly all: its last moment is likeliest.
        return (local_ns, bound_ns) if latest_ns < local_ns else (local_ns + bound_ns, 2 * bound_ns)
    at_phase = _at_phase(made, stamps, earliest_ns, latest_ns)
    if at_phase is not None and low_ns <= at_phase <= high_ns:
        return at_phase, off_ns
    usual_ns = (
        recv_ns
        - made.way_ns
        - stamps.publish_floor_ns
        - (made.usual_ns + stamps.publish_lag_ns - stamps.publish_floor_ns) // 2
    )
    best_ns = min(high_ns, max(low_ns, usual_ns))
    return best_ns, max(high_ns - best_ns, best_ns - low_ns)


def _at_phase(made: ClockMap, stamps: StampClocks, earliest_ns: int, latest_ns: int) -> int | None:
    """The one snapshot's moment between the two, on our clock; None when there is no phase, or none or two of them."""
    if stamps.snapshot_phase_ns is None or not stamps.snapshot_interval_ns:
        return None
    interval_ns = stamps.snapshot_interval_ns
    beyond_ns = interval_ns // _PHASE_BEYOND
    if latest_ns - earliest_ns + 2 * beyond_ns >= 2 * interval_ns:
        return None
    last = made.venue_of(latest_ns + beyond_ns) - stamps.snapshot_phase_ns
    taken_ns = made.local_of(last // interval_ns * interval_ns + stamps.snapshot_phase_ns)
    return taken_ns if earliest_ns - beyond_ns <= taken_ns else None
