"""How often a process that dies is started again, and how long it waits. Pure.

The first restart comes at once; each further one within the window waits twice as long. One more than the limit within
the window, and the answer is no: something is wrong that a restart does not mend.
"""

from gateway.processes.durations import SECOND

FIRST_WAIT_NS = SECOND // 5
LONGEST_WAIT_NS = 5 * SECOND


class Restarts:
    """The deaths of one process within the window."""

    def __init__(self, most: int, window_ns: int) -> None:
        self._most = most
        self._window_ns = window_ns
        self._deaths: list[int] = []

    def died(self, at_ns: int) -> int | None:
        """How long to wait before it is started again; None: not again."""
        self._deaths = [one for one in self._deaths if at_ns - one < self._window_ns] + [at_ns]
        count = len(self._deaths)
        if count > self._most:
            return None
        return 0 if count == 1 else min(FIRST_WAIT_NS << (count - 2), LONGEST_WAIT_NS)
