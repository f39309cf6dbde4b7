"""Many worlds: `python -m tests.simulation.soak [--seeds N] [--first SEED] [--workers N]`; `make soak SEEDS=N`.

Plays every seed once, in worker processes, and prints what went wrong how often, which cells of the transition tables
were visited, how pair trades ended, and what share of the opportunities was taken with no faults. The first line of a
failure is the seed, the next the command that tells its story again. Exit code 0 when every invariant held, else 1.
"""

# ruff: noqa: T201 - it prints its result

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from tests.simulation import cells, plan
from tests.simulation.invariants import BrokenError
from tests.simulation.plan import SECOND
from tests.simulation.sim_world import Result, World
from tests.simulation.state_matrices import NEVER_ASKED

CHUNK = 10
QUIET_EVERY = 20
"""One seed in so many is played again with nothing going wrong, for the share of opportunities taken."""
LIMITS = frozenset(
    [
        "min_size",
        "max_size",
        "order_value",
        "legged_value",
        "self_match",
        "pair_busy",
        "open_trades",
        "pair_legged",
        "legged_trades",
        "instrument_position",
        "pair_position",
        "venue_position",
        "margin",
        "order_rate",
        "orders_per_day",
        "cancels_per_day",
        "throttled",
        "daily_loss",
        "hours",
    ]
)
"""Refusals that a limit of the site asks for."""
NOT_YET = "disarmed"
"""Where nothing goes wrong, an intent is refused so before a person has armed, which waits for the venues' answers."""
CAPTURE_LEAST = 0.95
FAULTS_LEAST = 1 / 3


class Broken(NamedTuple):
    """A failure: the seed and what was said."""

    seed: int
    text: str


class Sums(NamedTuple):
    """Counts over many worlds."""

    states: Counter[str]
    halted: Counter[str]
    left_halted: Counter[str]
    faults: Counter[str]
    refusals: Counter[str]
    alarms: Counter[str]
    cells: Counter[tuple[str, str, str]]
    contradictions: Counter[str]
    numbers: Counter[str]

    def add(self, one: Result, *, is_quiet: bool) -> None:
        """Count a world."""
        if is_quiet:
            limited = sum(count for name, count in one.refusals.items() if name in LIMITS or name == NOT_YET)
            self.numbers["quiet intents within limits"] += one.intents - limited
            self.numbers["quiet trades"] += one.trades - one.residuals
            self.numbers["quiet all"] += one.trades
            self.numbers["quiet hedged"] += one.states["hedged"]
            return
        for name in ("states", "halted", "left_halted", "faults", "refusals", "alarms", "cells", "contradictions"):
            getattr(self, name).update(getattr(one, name))
        self.numbers["worlds"] += 1
        self.numbers["trades"] += one.trades
        self.numbers["residuals"] += one.residuals
        self.numbers["intents"] += one.intents
        self.numbers["decisions"] += one.decisions
        self.numbers["virtual_s"] += one.virtual_ns // SECOND


def sums() -> Sums:
    """All at nothing."""
    return Sums(*(Counter() for _ in Sums._fields))


def play(seeds: range) -> tuple[list[tuple[bool, Result]], list[Broken], float]:
    """The worlds of these seeds, and the seconds of processor that they took."""
    begun_s = time.process_time()
    done: list[tuple[bool, Result]] = []
    broken: list[Broken] = []
    for seed in seeds:
        try:
            done.append((False, World(seed).run()))
            if seed % QUIET_EVERY == 0:
                done.append((True, World(seed, drawn=plan.quiet(seed)).run()))
        except BrokenError as error:
            broken.append(Broken(seed, str(error)))
    return done, broken, time.process_time() - begun_s


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many (1000)")
    parser.add_argument("--first", type=int, default=0, help="the first one (0)")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    given = parser.parse_args(argv)
    total, broken = sums(), list[Broken]()
    chunks = [range(begin, min(begin + CHUNK, given.first + given.seeds))
              for begin in range(given.first, given.first + given.seeds, CHUNK)]  # fmt: skip
    begun_s = told_s = time.monotonic()
    used_s = 0.0
    with ProcessPoolExecutor(given.workers) as pool:
        for number, (done, failed, cpu_s) in enumerate(pool.map(play, chunks), 1):
            used_s += cpu_s
            for is_quiet, one in done:
                total.add(one, is_quiet=is_quiet)
            for failure in failed:
                tell_broken(failure)
            broken += failed
            now_s = time.monotonic()
            if now_s - told_s > 5:
                told_s = now_s
                print(f"{number} of {len(chunks)} chunks, {total.numbers['trades']} pair trades, "
                      f"{len(broken)} broken", flush=True)  # fmt: skip
    tell(total, time.monotonic() - begun_s, used_s)
    capture = total.numbers["quiet trades"] / max(1, total.numbers["quiet intents within limits"])
    few_faults = sum(total.faults.values()) < FAULTS_LEAST * total.numbers["trades"]
    if total.numbers["quiet trades"] and capture < CAPTURE_LEAST:
        print(f"share of opportunities taken is {capture:.1%}, at least {CAPTURE_LEAST:.0%} wanted")
        return 1
    if few_faults:
        print("fewer than one fault in three pair trades: the plans are too tame")
        return 1
    print(f"{len(broken)} seeds broke an invariant" if broken else "every invariant held")
    return 1 if broken else 0


def tell_broken(failure: Broken) -> None:
    """A failure as soon as it is known."""
    print(f"BROKEN {failure.text}\n  python -m tests.simulation.replay {failure.seed}", flush=True)


def tell(total: Sums, took_s: float, used_s: float) -> None:
    """The counts of all worlds."""
    numbers = total.numbers
    trades = max(1, numbers["trades"])
    print(f"\n{numbers['worlds']} worlds, {numbers['trades']} pair trades of {numbers['intents']} intents, "
          f"{numbers['decisions']} decisions, {numbers['virtual_s']} s of virtual time in {took_s:.1f} s: "
          f"{numbers['trades'] / took_s * 60:,.0f} pair trades a minute")  # fmt: skip
    print(f"{numbers['trades'] / max(used_s, 1e-9) * 60:,.0f} pair trades a minute of one processor's time")
    faults = sum(total.faults.values())
    print(f"{faults} faults, {faults / trades:.2f} for each pair trade")
    for title, counts in (
        ("faults", total.faults),
        ("ends", total.states),
        ("given to a person", total.halted),
        ("left with a person", total.left_halted),
        ("refusals", total.refusals),
        ("alarms", total.alarms),
        ("contradictions", total.contradictions),
    ):
        print(f"{title}: " + (_list(counts.most_common()) or "none"))
    halted = sum(total.halted.values())
    print(f"given to a person at some time: {halted / trades:.2%} of the pair trades")
    if numbers["quiet trades"]:
        taken = numbers["quiet trades"] / max(1, numbers["quiet intents within limits"])
        print(f"with no faults: {taken:.2%} of the opportunities that the limits allow were taken, "
              f"{numbers['quiet hedged'] / numbers['quiet all']:.2%} of all trades ended hedged")  # fmt: skip
    for machine, all_legal in cells.legal().items():
        known = {cell for cell in all_legal if (machine, *cell) not in NEVER_ASKED}
        seen = {(state, given) for name, state, given in total.cells if name == machine}
        print(f"{machine}: {len(seen & known)} of {len(known)} legal cells that are asked for visited; not visited: "
              + (", ".join(f"{state} x {given}" for state, given in sorted(known - seen)) or "none"))  # fmt: skip
        unasked = seen - known
        refused = Counter({(state, given): total.cells[machine, state, given] for state, given in unasked})
        print(f"{machine}: other cells met: "
              + (_list((f"{state} x {given}", count) for (state, given), count in refused.items()) or "none"))  # fmt: skip


def _list(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts)


if __name__ == "__main__":
    sys.exit(main())
