"""The live currency rate of a world whose other leg is quoted in dollars: a book that moves a little, and its troubles.

It stalls, or its market shuts, as the plan says; both have to keep every pair that needs it from opening.
"""

# ruff: noqa: S311 - chance is seeded here

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from gateway.model.quote import BookState, Quote
from tests.simulation.installation import RATE, RATE_TICKS
from tests.simulation.plan import MS

if TYPE_CHECKING:
    from tests.simulation.sim_world import World

STEP_NS = 150 * MS
WALK_TICKS = 1
"""How far the rate goes to either side."""


class Currency:
    """See the module. Without a leg in dollars there is none."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = Random(f"currency {world.seed}")
        self.name = f"LME.{RATE}"
        self.there = self.name in world.given.settings.instruments
        self._stalled_until_ns = 0
        self._shut_until_ns = 0
        self._told = 0
        self.good_ns = 0
        """When it was last heard of with its market open."""

    def begin(self) -> None:
        if self.there:
            self._world.at(MS, self._step)

    def stall(self, until_ns: int) -> bool:
        """No quote of it until then; whether there is one to stall."""
        self._stalled_until_ns = max(self._stalled_until_ns, until_ns)
        return self.there

    def shut(self, now_ns: int, until_ns: int) -> bool:
        """Its market is shut until then."""
        self._shut_until_ns = max(self._shut_until_ns, until_ns)
        if self.there:
            self._tell(now_ns)
        return self.there

    def calm_down(self) -> None:
        """Nothing goes wrong any more."""
        self._stalled_until_ns = self._shut_until_ns = 0

    def _step(self, now_ns: int) -> None:
        self._world.at(now_ns + self._rng.randint(STEP_NS // 2, STEP_NS), self._step)
        if now_ns >= self._stalled_until_ns:
            self._tell(now_ns)

    def _tell(self, now_ns: int) -> None:
        bid = RATE_TICKS + self._rng.randint(-WALK_TICKS, WALK_TICKS)
        state = BookState.SHUT if now_ns < self._shut_until_ns else BookState.OK
        self._told += 1
        if state is BookState.OK:
            self.good_ns = now_ns
        levels = (((bid, 1000),), ((bid + 1, 1000),)) if state is BookState.OK else ((), ())
        quote = Quote(self.name, state, *levels, now_ns, now_ns, now_ns, self._told)
        self._world.quote_arrives(now_ns, quote)
