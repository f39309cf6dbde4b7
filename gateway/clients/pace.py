"""How fast a peer may send: a bucket of tokens that fills with time. Pure."""

NS_PER_S = 10**9


class Pace:
    """At most `rate_per_s` in the long run and `burst` at once."""

    __slots__ = ("_burst_ns", "_free_ns", "_step_ns")

    def __init__(self, rate_per_s: int, burst: int) -> None:
        self._step_ns = NS_PER_S // rate_per_s
        self._burst_ns = self._step_ns * burst
        self._free_ns = 0

    def take(self, at_ns: int) -> bool:
        """Whether one more is within the pace now; one that is not costs nothing."""
        begins_ns = max(self._free_ns, at_ns - self._burst_ns + self._step_ns)
        if begins_ns > at_ns:
            return False
        self._free_ns = begins_ns + self._step_ns
        return True

    def wait_ns(self, at_ns: int) -> int:
        """How long until the next one is."""
        return max(0, self._free_ns - at_ns)
