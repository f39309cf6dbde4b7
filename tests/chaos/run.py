"""`python -m tests.chaos.run --rounds N --seed S [--json FILE] [--only FAULT]`: rounds of chaos, and how they went.

The installation is kept from round to round, so that what one fault leaves behind meets the next; after a failure a
fresh one is made and the failed one's folder is kept. Exit code 0 when no round failed.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.chaos.faults import FAULTS
from tests.chaos.rounds import Round, play
from tests.chaos.world import World

SECONDS_A_ROUND = 30
"""Tape for each round: the longest that one usually takes."""


def main() -> int:
    """Play, print as it goes, sum up."""
    given = _arguments()
    random = Random(given.seed)  # noqa: S311 chosen by a seed on purpose
    wanted = [name for name in FAULTS if given.only in name]
    names = _names(wanted, random)
    begun = time.monotonic()
    played: list[Round] = []
    world: World | None = None
    try:
        while len(played) < given.rounds and time.monotonic() - begun < given.seconds:
            left = given.rounds - len(played)
            if world is None:
                world = _world(given.seed + len(played), min(left * SECONDS_A_ROUND, given.seconds) + 60)
            one = play(world, len(played) + 1, next(names), random)
            played.append(one)
            _say(one, given.seed, world)
            if one.failures:
                world.close()
                world = None
    finally:
        if world is not None:
            world.close()
            if not given.keep:
                shutil.rmtree(world.folder, ignore_errors=True)
    summary = _summary(played, given.seed, time.monotonic() - begun)
    if given.json is not None:
        given.json.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    _table(summary)
    return 0 if played and not summary["failed"] else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=len(FAULTS), help="how many (default: each fault once)")
    parser.add_argument("--seconds", type=int, default=3600, help="no new round after so long (default 3600)")
    parser.add_argument("--seed", type=int, default=1, help="order of faults, moments, tape, the venues' own faults")
    parser.add_argument("--only", default="", metavar="WORDS", help="faults whose name has these words")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the summary there as well")
    parser.add_argument("--keep", action="store_true", help="keep the folder of an installation that did not fail")
    return parser.parse_args()


def _names(wanted: list[str], random: Random) -> Iterator[str]:
    """Each fault once in an order by chance, again and again."""
    while True:
        yield from random.sample(wanted, len(wanted))


def _world(seed: int, seconds: int) -> World:
    world = World(Path(tempfile.mkdtemp(prefix="cmc-chaos-")), seed, seconds)
    try:
        world.start()
    except BaseException:
        world.close()
        raise
    return world


def _say(one: Round, seed: int, world: World) -> None:
    went = "FAILED" if one.failures else "ok"
    print(  # noqa: T201 progress
        f"{one.ordinal:>4} {one.fault:<28} armed {one.armed_s:6.2f} s, trading {one.trading_s:6.2f} s, "
        f"{one.hedged:>3} hedged  {went}",
        flush=True,
    )
    for what, seconds in one.slow:
        print(f"     {seconds:5.1f} s: {what}", flush=True)  # noqa: T201
    for text in one.failures:
        print(f"     seed {seed} round {one.ordinal}: {text}; logs in {world.folder}", flush=True)  # noqa: T201


def _summary(played: list[Round], seed: int, seconds: float) -> dict[str, object]:
    faults = {}
    for name in FAULTS:
        rounds = [one for one in played if one.fault == name]
        if rounds:
            faults[name] = {
                "rounds": len(rounds),
                "failed": sum(bool(one.failures) for one in rounds),
                **{f"armed_s_{key}": value for key, value in _spread([one.armed_s for one in rounds]).items()},
                **{f"trading_s_{key}": value for key, value in _spread([one.trading_s for one in rounds]).items()},
            }
    return {
        "seed": seed,
        "rounds": len(played),
        "failed": sum(bool(one.failures) for one in played),
        "hedged": sum(one.hedged for one in played),
        "seconds": round(seconds, 1),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "recovery_armed_s": _spread([one.armed_s for one in played]),
        "recovery_trading_s": _spread([one.trading_s for one in played]),
        "faults": faults,
        "failures": [
            {"round": one.ordinal, "fault": one.fault, "what": one.failures} for one in played if one.failures
        ],
    }


def _spread(values: list[float]) -> dict[str, float]:
    reached = [one for one in values if one]
    if not reached:
        return {"p50": 0.0, "max": 0.0}
    return {"p50": round(statistics.median(reached), 3), "max": round(max(reached), 3)}


def _table(summary: dict[str, object]) -> None:
    faults = summary["faults"]
    assert isinstance(faults, dict)
    print(f"\n{'fault':<28} rounds failed   armed p50    max   trading p50    max")  # noqa: T201
    for name, one in faults.items():
        print(  # noqa: T201
            f"{name:<28} {one['rounds']:>6} {one['failed']:>6} {one['armed_s_p50']:>9.2f} s {one['armed_s_max']:>5.2f} s"
            f" {one['trading_s_p50']:>9.2f} s {one['trading_s_max']:>5.2f} s"
        )
    print(f"{summary['rounds']} rounds, {summary['failed']} failed, {summary['hedged']} pair trades hedged")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
