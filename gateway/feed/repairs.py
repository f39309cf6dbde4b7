"""What became of messages that were missed: counted, and how long it took until the books were whole again.

`lost` are messages that had not come when a later one did. `filled` are those that came after all and were applied to a
book while it could not be traded on: kept during a gap, or sent again by the venue. They go into the record, marked,
and never to a rule. Times count from the message that showed the gap to the one that made the book whole.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

TIMES_KEPT = 512


class RepairTotals(NamedTuple):
    """Of one venue's market data since the start; the times are of the last repairs, 0 before the first."""

    gaps: int = 0
    repaired: int = 0
    lost: int = 0
    filled: int = 0
    took_ns_p50: int = 0
    took_ns_p99: int = 0
    took_ns_max: int = 0


class Repairs:
    """The counts of one book, or of one session."""

    __slots__ = ("_since_ns", "filled", "gaps", "lost", "repaired", "took_ns")

    def __init__(self) -> None:
        self.gaps = 0
        self.repaired = 0
        self.lost = 0
        self.filled = 0
        self.took_ns: deque[int] = deque(maxlen=TIMES_KEPT)
        self._since_ns = 0

    def opened(self, at_ns: int) -> None:
        """A gap was seen."""
        self.gaps += 1
        self._since_ns = at_ns

    def closed(self, at_ns: int) -> None:
        """The book is whole again."""
        self.repaired += 1
        self.took_ns.append(max(0, at_ns - self._since_ns))

    def forgotten(self) -> None:
        """The session was lost: the gap is not repaired, it is no more."""
        self._since_ns = 0


def totals(counts: Iterable[Repairs]) -> RepairTotals:
    """Of several books together."""
    known = list(counts)
    took = sorted(one for each in known for one in each.took_ns)
    figures = (took[(len(took) - 1) * share // 100] for share in (50, 99, 100)) if took else (0, 0, 0)
    return RepairTotals(
        sum(one.gaps for one in known),
        sum(one.repaired for one in known),
        sum(one.lost for one in known),
        sum(one.filled for one in known),
        *figures,
    )
