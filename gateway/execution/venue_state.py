"""An order session as execution sees it. Decides nothing."""

from collections import deque

ROUND_TRIPS_KEPT = 64
"""Acknowledgements of a venue over which the shortest round trip is taken."""


class VenueState:
    """Whether a venue can be sent to, what of it is in doubt, and how far away it is."""

    def __init__(self) -> None:
        self.up = False
        self.reconciled = False
        self.began_anew = False
        """A person has set its session's numbers: what it said meanwhile was lost, and is asked for when it is up."""
        self.doubtful: set[str] = set()
        """ClOrdID(11) of its orders that are in doubt."""
        self._round_trips_ns: deque[int] = deque(maxlen=ROUND_TRIPS_KEPT)

    def note_round_trip(self, ns: int) -> None:
        """An order was acknowledged so long after it was written."""
        self._round_trips_ns.append(ns)

    @property
    def one_way_ns(self) -> int:
        """Half of the shortest round trip of late; 0 before the first."""
        return min(self._round_trips_ns, default=0) // 2
