"""Plays the promise's days: every contender in a world of its own, judged on the same opportunities.

What a table's rows share is made once for all of them: the tape as long as the row leaves the market as it was, the
opportunities as long as it leaves everything that they are counted by.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from benchmarks.promise_account import Figures, judge
from benchmarks.promise_desks import Oracle, People, Program
from benchmarks.promise_gateway import Gateway
from benchmarks.promise_market import Day, same_tape, synthetic
from benchmarks.promise_parameters import Parameters
from benchmarks.promise_world import Opportunity, Watcher, World

CONTENDERS: dict[str, Callable[[World], Any]] = {
    "people": People,
    "program": Program,
    "gateway": Gateway,
    "oracle": Oracle,
}
Seeds = list[dict[str, Figures]]
Wanted = tuple[Parameters, Sequence[str]]
"""One row's parameters, and who has to be played under them."""
_AFFECTED: dict[str, tuple[str, ...]] = {
    "people": ("people",),
    "program": ("program",),
    "gateway": ("program", "gateway"),
    "market": tuple(CONTENDERS),
    "recorded": tuple(CONTENDERS),
}
"""By table of the file, whom its parameters reach; the program has the gateway's processing time."""


def opportunities_of(day: Day) -> list[Opportunity]:
    """What there is to catch on a day."""
    watcher = World(day, Watcher).run().contender
    assert isinstance(watcher, Watcher)  # noqa: S101 it was made here
    return watcher.opportunities


def play(day: Day, names: Iterable[str], opportunities: Sequence[Opportunity]) -> dict[str, Figures]:
    """These contenders on one day."""
    found = {}
    for name in names:
        world = World(day, CONTENDERS[name]).run()
        found[name] = judge(day, world.contender, world, opportunities)  # type: ignore[arg-type]
    return found


def one_seed(parameters: Parameters, seed: int, day_s: int, names: Sequence[str]) -> dict[str, Figures]:
    """These contenders on one seed's synthetic day."""
    day = Day(parameters, seed, day_s)
    return play(day, names, opportunities_of(day))


def rows_of_seed(wanted: Sequence[Wanted], seed: int, day_s: int) -> list[dict[str, Figures]]:
    """One seed's synthetic day under each row's parameters."""
    return list(_played(wanted, seed, day_s))


def _played(wanted: Sequence[Wanted], seed: int, day_s: int) -> Iterator[dict[str, Figures]]:
    last: tuple[Parameters, Day, list[Opportunity]] | None = None
    for parameters, names in wanted:
        if not names:
            yield {}
            continue
        tape = last[1].tape if last is not None and same_tape(last[0], parameters) else None
        day = Day(parameters, seed, day_s, synthetic(parameters, seed, day_s, tape))
        known = last is not None and last[0].tables["market"] == parameters.tables["market"]
        opportunities = last[2] if last is not None and known else opportunities_of(day)
        last = parameters, day, opportunities
        yield play(day, names, opportunities)


def many_seeds(
    pool: ProcessPoolExecutor,
    parameters: Parameters,
    seeds: int,
    day_s: int,
    names: Sequence[str] = tuple(CONTENDERS),
) -> Seeds:
    """The days of all seeds."""
    first = parameters.get("market", "first_seed")
    numbers = range(first, first + seeds)
    return list(pool.map(one_seed, [parameters] * seeds, numbers, [day_s] * seeds, [names] * seeds))


def varied(parameters: Parameters) -> Iterator[tuple[str, object, Wanted]]:
    """The rows of the sensitivity table: one parameter at a time; nobody to play where nothing is changed.

    Who does not know the parameter has the base's day: worlds do not touch one another.
    """
    for name, values in parameters.tables["sensitivity"].items():
        if not isinstance(values, list):
            continue
        for value in values:
            names = _AFFECTED[name.partition(".")[0]] if value != _base_value(parameters, name) else ()
            yield name, value, (parameters.changed_to(name, value), names)


def _base_value(parameters: Parameters, name: str) -> object:
    """What a parameter is where nothing is changed; None for the tape's and the rule's own, which are not looked up."""
    table, _, key = name.partition(".")
    return 1 if name == "gateway.processing_times" else parameters.tables[table].get(key)
