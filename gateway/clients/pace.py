"""How fast a peer may send: a bucket of tokens that fills with time. Pure."""

NS_PER_S = 10**9
MINUTE_NS = 60 * NS_PER_S


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

    def rested(self, at_ns: int) -> bool:
        """Whether a whole burst would be let through: nothing of before is remembered."""
        return self._free_ns <= at_ns - self._burst_ns + self._step_ns


class PerMinute:
    """Lets so many through in a minute, and counts the rest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._end_ns = 0
        self._let = self._rest = 0

    def take(self, at_ns: int) -> bool:
        """Whether one more is let through; `over` is asked before."""
        if not self._end_ns:
            self._end_ns = at_ns + MINUTE_NS
        if self._let < self._most:
            self._let += 1
            return True
        self._rest += 1
        return False

    def over(self, at_ns: int) -> int:
        """How many were not let through in a minute that is over by now; 0 while it goes on."""
        if not self._end_ns or at_ns < self._end_ns:
            return 0
        rest, self._end_ns, self._let, self._rest = self._rest, 0, 0, 0
        return rest
