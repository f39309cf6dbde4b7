"""When the next pair of clock readings is due in a journal. Pure: the readings are given."""

from gateway.model.record import ClockPair

CLOCK_PAIR_INTERVAL_NS = 60_000_000_000


class ClockPairs:
    """Asks for one ClockPair a minute; the opening record counts as the first."""

    def __init__(self, opened_ns: int, interval_ns: int = CLOCK_PAIR_INTERVAL_NS) -> None:
        """Count from `opened_ns`, monotonic."""
        self._interval_ns = interval_ns
        self._next_ns = opened_ns + interval_ns

    def is_due(self, monotonic_ns: int) -> bool:
        """Tell whether a pair should be appended now; cheap, so that a loop may ask each round."""
        return monotonic_ns >= self._next_ns

    def take(self, monotonic_ns: int, utc_ns: int) -> ClockPair:
        """Give the record to append, and count the interval from it."""
        self._next_ns = monotonic_ns + self._interval_ns
        return ClockPair(monotonic_ns, utc_ns)
