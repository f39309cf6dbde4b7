"""One round: trading, a fault, recovery, trading again, rest; then journal and venues are compared.

A round fails when the installation does not come back in time, or does not come to rest, or when at rest a leg is
left, a fill is missing or counted twice, an order reached a venue twice, or an order still works.
"""

import time
from collections import Counter
from random import Random
from typing import NamedTuple

from gateway.model.trade import Verb
from tests.chaos.faults import FAULTS
from tests.chaos.rig import AWAY, HOME, VENUES, RigError
from tests.chaos.world import LOTS, World

BACK_S = 40
REST_S = 40
SLOW_S = 5.0


class Round(NamedTuple):
    """How one went; times in seconds from the strike, 0 where it was not reached."""

    ordinal: int
    fault: str
    armed_s: float
    """Until execution was armed and every venue reconciled."""
    trading_s: float
    """Until a pair trade of after that was hedged."""
    failures: tuple[str, ...]
    hedged: int
    slow: tuple[tuple[str, float], ...] = ()
    """What took longer than SLOW_S from the strike on, with its seconds."""


def play(world: World, ordinal: int, fault: str, random: Random) -> Round:
    """Play one round; RigError becomes a failure."""
    struck = armed = trading = 0.0
    failures: list[str] = []
    before = len(world.hedged)
    try:
        world.arm()
        world.trades_on(BACK_S)
        _aim(world, random)
        struck = time.monotonic()
        world.took.clear()
        FAULTS[fault](world, random)
        world.until("armed and reconciled", lambda: world.reconciled() and world.armed(), BACK_S)
        armed = time.monotonic() - struck
        world.trades_on(BACK_S)
        trading = time.monotonic() - struck
        rest(world)
        failures += differences(world)
    except (RigError, OSError) as error:
        failures.append(str(error))
    slow = tuple(one for one in world.took if one[1] > SLOW_S)
    return Round(ordinal, fault, armed, trading, tuple(failures), len(world.hedged) - before, slow)


def _aim(world: World, random: Random) -> None:
    """The moment of the strike: three times in four just after a pair trade has opened, with orders on their way."""
    if random.random() < 0.25:
        time.sleep(random.uniform(0, 0.5))
        return
    world.hear()
    seen = world.opened

    def one_more() -> bool:
        world.hear()
        return world.opened > seen

    world.until("a pair trade opens", one_more, BACK_S, every=0.0005)
    time.sleep(random.uniform(0, 0.2))


def rest(world: World) -> None:
    """No new trades; wait until nothing is open."""
    world.until("disarmed", lambda: world.does(Verb.DISARM), REST_S)
    world.until("everything balanced and nothing working", world.quiet, REST_S)
    world.hear()


def differences(world: World) -> list[str]:
    """What is wrong at rest, by the venues' own record."""
    found = [f"orders work at {venue}: {names}" for venue in VENUES if (names := world.working_at(venue))]
    compared = world.reconcile()
    found += [
        f"{one.venue} {one.subject} {one.field}: {one.journal} / {one.venue_says}" for one in compared.differences
    ]
    found += compared.not_compared
    lots = {venue: _net(world, venue) for venue in VENUES}
    if lots[HOME] * LOTS[AWAY] != -lots[AWAY] * LOTS[HOME]:
        found.append(f"a leg is left: {lots[HOME]} lots at {HOME}, {lots[AWAY]} at {AWAY}, 5 to -1 would be whole")
    for venue in VENUES:
        came = Counter(one["cl_ord_id"] for one in world.truth(venue) if one["event"] in ("new", "reject"))
        found += [f"ClOrdID(11) {name} came {times} times to {venue}" for name, times in came.items() if times > 1]
    return found


def _net(world: World, venue: str) -> int:
    return sum((1 if one["side"] == "1" else -1) * int(one["last_qty"]) for one in world.truth(venue, "fills.jsonl"))
