"""The true books of a world: random walks whose difference swings from one side of the rules' thresholds to the other.

Made once from the seed, event by event, so that a world of a minute costs a few milliseconds. Trading breaks and
one-sided books are faults of the plan and are written into the tape.
"""

# ruff: noqa: S311 - chance is seeded here

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus
from simulators.core.values import CLOSED, READY
from tests.simulation.installation import SWING_TICKS, Installation
from tests.simulation.plan import MS, SECOND, Plan

DEPTH = 4
STEP_NS = 80 * MS
SWING_NS = 700 * MS


class WorldTape:
    """The events of one venue."""

    name = "random-walk"
    label = "seeded random walks, made for the simulation"

    def __init__(self, venue: str, symbol: str, tick: Decimal, mid_ticks: int, duration_ns: int) -> None:
        self.instruments = (
            TapeInstrument(venue, symbol, tick, "CNY", "20260615", mid_ticks + 2_000, mid_ticks - 2_000),
        )
        self.duration_ns = duration_ns
        self.made: list[TapeEvent] = []

    def events(self) -> Iterator[TapeEvent]:
        return iter(self.made)


def tapes(given: Installation, plan: Plan, active_ns: int, duration_ns: int) -> dict[str, WorldTape]:
    """Venue -> its tape; faults strike until `active_ns`."""
    rng = Random(f"tape {plan.seed}")
    instruments = {one.instrument_id: one for one in given.traded}
    made = {
        one.venue_id: WorldTape(one.venue_id, one.symbol, one.tick, given.mid_ticks[name], duration_ns)
        for name, one in instruments.items()
    }
    names = list(instruments)
    mids = dict(given.mid_ticks)
    one_sided = {name: _windows(rng, plan.timed.get("one_sided"), active_ns, 800 * MS) for name in names}
    swing, swing_until_ns = SWING_TICKS, 0
    at_ns = 0
    while at_ns < duration_ns:
        if at_ns >= swing_until_ns:
            swing = -swing
            swing_until_ns = at_ns + rng.randint(SWING_NS // 2, 3 * SWING_NS // 2)
        name = names[rng.randrange(len(names))]
        base = sum(given.in_base(other, mids[other]) for other in given.legs[1:])
        if name == names[0]:
            mids[name] = base + swing + rng.randint(-1, 1)
        elif name in given.follows:
            mids[name] = mids[given.follows[name]] + rng.randint(-1, 1)
        else:
            mids[name] += rng.randint(-1, 1)
        venue = instruments[name].venue_id
        ratio = given.ratio_lots[name]
        bids, asks = _levels(rng, mids[name], ratio, -1), _levels(rng, mids[name] + 1, ratio, 1)
        side = _inside(one_sided[name], at_ns)
        if side:
            bids, asks = (bids, ()) if side % 2 else ((), asks)
        made[venue].made.append(TapeBook(at_ns, venue, instruments[name].symbol, bids, asks))
        # When nothing goes wrong any more nobody trades on the books, but repairs look at them.
        slower = 1 if at_ns < active_ns else 6
        at_ns += slower * rng.randint(STEP_NS // 4, STEP_NS) // len(names)
    for name in names:
        _breaks(rng, made[instruments[name].venue_id], plan, active_ns)
    return made


def _levels(rng: Random, best: int, ratio: int, step: int) -> tuple[tuple[int, int], ...]:
    draw = rng.random
    return tuple((best + step * depth, ratio * (1 + int(draw() * 8))) for depth in range(DEPTH))


def _windows(rng: Random, mean_ns: int | None, until_ns: int, length_ns: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at_ns = 0
    while mean_ns:
        at_ns += int(rng.expovariate(1 / mean_ns)) + length_ns
        if at_ns > until_ns:
            break
        found.append((at_ns, at_ns + rng.randint(length_ns // 4, length_ns)))
    return found


def _inside(windows: list[tuple[int, int]], at_ns: int) -> int:
    """The number of the window that holds `at_ns`, from 1; 0 for none."""
    return next((number for number, (begin, end) in enumerate(windows, 1) if begin <= at_ns < end), 0)


def _breaks(rng: Random, tape: WorldTape, plan: Plan, active_ns: int) -> None:
    venue, symbol = tape.instruments[0].venue, tape.instruments[0].symbol
    windows = _windows(rng, plan.timed.get("break"), active_ns, 2 * SECOND)
    for begin, end in windows:
        tape.made.append(TapeStatus(begin, venue, symbol, CLOSED))
        tape.made.append(TapeStatus(end, venue, symbol, READY))
    if windows:
        tape.made.sort(key=lambda event: event.at_ns)
