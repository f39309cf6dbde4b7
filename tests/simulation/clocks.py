"""The venues' clocks of a world, as calibration knows them: an error for each quote, within a bound that is told."""

# ruff: noqa: S311 - chance is seeded here

from collections.abc import Iterable
from random import Random

from tests.simulation.plan import MS, SECOND

CALIBRATED_FROM_NS = 2 * SECOND
"""Until then a venue's clock is not known, and its quotes are compared by arrival."""


class VenueClocks:
    """Drawn once; `wanted` is false for a world without calibration."""

    def __init__(self, seed: int, venue_ids: Iterable[str], *, wanted: bool) -> None:
        self._rng = Random(f"clocks {seed}")
        self._bounds = {name: self._rng.choice((1, 5, 20)) * MS for name in venue_ids} if wanted else {}

    def calibrated(self, venue_id: str, true_ns: int) -> tuple[int, int]:
        """The time of an event at its venue as calibration gives it, and its bound; 0 and 0 before there is one."""
        bound_ns = self._bounds.get(venue_id, 0)
        if not bound_ns or true_ns < CALIBRATED_FROM_NS:
            return 0, 0
        return true_ns + self._rng.randint(-bound_ns, bound_ns), bound_ns
