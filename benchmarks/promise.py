"""The promise, measured: one seeded day of two cointegrated markets, traded by people, by one program, by this gateway
and by an oracle; with intervals over the seeds and a table of what changes when a parameter does.

    python -m benchmarks.promise [--seeds N] [--day-s S] [--workers 2] [--no-sensitivity] [--json F] [--markdown F]

Everything that is compared stands in `promise.toml`, which is older than the first result. A row that is not reached is
printed as not reached. With the file's 30 seeds and its sensitivity table it takes some minutes on two cores; one round
of everything prints how long it took. Exit code 0: measured, whatever came of it.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from acceptance.statistics import Interval, mean_interval, resampled_interval
from benchmarks.machine import describe
from benchmarks.promise_account import Figures, judge
from benchmarks.promise_desks import Oracle, People, Program
from benchmarks.promise_gateway import Gateway
from benchmarks.promise_market import Day
from benchmarks.promise_parameters import Parameters, load
from benchmarks.promise_world import Watcher, World

CONTENDERS: dict[str, Callable[[World], Any]] = {
    "people": People,
    "program": Program,
    "gateway": Gateway,
    "oracle": Oracle,
}
MILLION, BILLION = 1e6, 1e9
Seeds = list[dict[str, Figures]]


class Row(NamedTuple):
    """One figure of a contender's day. `of` gives a numerator and a denominator; a sum over seeds is divided by one."""

    name: str
    unit: str
    more_is_better: bool
    of: Callable[[Figures], tuple[float, float]]


ROWS = (
    Row("caught", "a day", more_is_better=True, of=lambda one: (one.caught, 1)),
    Row("at price", "a day", more_is_better=True, of=lambda one: (one.at_price, 1)),
    Row("slippage", "CNY a hedged unit", more_is_better=False, of=lambda one: (one.slippage_e9 / BILLION, one.hedged)),
    Row("failure", "of pair trades", more_is_better=False, of=lambda one: (one.failures, one.dispatched)),
    Row("actions", "a day", more_is_better=False, of=lambda one: (one.actions, 1)),
    Row("legged", "ms a pair trade", more_is_better=False, of=lambda one: (one.legged_ns / MILLION, one.dispatched)),
)
BY_NAME = {row.name: row for row in ROWS}


class Judged(NamedTuple):
    """One aim of the promise."""

    aim: str
    reach: str
    found: Interval
    verdict: str


def one_seed(parameters: Parameters, seed: int, day_s: int, names: Sequence[str]) -> dict[str, Figures]:
    """These contenders on one seed's day."""
    day = Day(parameters, seed, day_s)
    watcher = World(day, Watcher).run().contender
    assert isinstance(watcher, Watcher)  # noqa: S101 it was made here
    found = {}
    for name in names:
        world = World(day, CONTENDERS[name]).run()
        found[name] = judge(day, world.contender, world, watcher.opportunities)  # type: ignore[arg-type]
    return found


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


def figure(days: Seeds, contender: str, row: Row, places: Iterable[int]) -> float | None:
    """A row's figure over some of the days; None where its denominator is 0."""
    parts = [row.of(days[place][contender]) for place in places]
    below = sum(part[1] for part in parts)
    return sum(part[0] for part in parts) / below if below else None


class Comparison:
    """The intervals of one set of days."""

    def __init__(self, parameters: Parameters, days: Seeds) -> None:
        self.days = days
        self._drawn: dict[str, Any] = {
            "resamples": parameters.get("intervals", "resamples"),
            "seed": parameters.get("intervals", "bootstrap_seed"),
            "confidence": parameters.get("intervals", "confidence"),
        }

    def of(self, contender: str, row: Row) -> Interval:
        """A figure and its interval."""
        if all(row.of(day[contender])[1] == 1 for day in self.days):
            return mean_interval([row.of(day[contender])[0] for day in self.days], self._drawn["confidence"])
        return resampled_interval(
            len(self.days), lambda places: figure(self.days, contender, row, places), **self._drawn
        )

    def gain(self, row: Row, other: str, base: str) -> Interval:
        """By how much `other` is better than `base`, as a share of it."""

        def share(places: Sequence[int]) -> float | None:
            ours, theirs = (figure(self.days, name, row, places) for name in (other, base))
            if ours is None or theirs is None or theirs == 0:
                return None
            more = (ours - theirs) / abs(theirs)
            return more if row.more_is_better else -more

        return resampled_interval(len(self.days), share, **self._drawn)

    def better(self, row: Row, other: str, base: str) -> Interval:
        """By how much `other` is better than `base`, in the row's unit."""

        def difference(places: Sequence[int]) -> float | None:
            ours, theirs = (figure(self.days, name, row, places) for name in (other, base))
            if ours is None or theirs is None:
                return None
            return ours - theirs if row.more_is_better else theirs - ours

        return resampled_interval(len(self.days), difference, **self._drawn)

    def ratio(self, row: Row, other: str, base: str) -> Interval:
        """`other`'s figure as a share of `base`'s."""

        def share(places: Sequence[int]) -> float | None:
            ours, theirs = (figure(self.days, name, row, places) for name in (other, base))
            return ours / theirs if ours is not None and theirs else None

        return resampled_interval(len(self.days), share, **self._drawn)


def verdict(found: Interval, aim: float) -> str:
    """Reached when the whole interval is, not reached when none of it is."""
    if found.low is None or found.high is None:
        return "no interval"
    if found.low >= aim:
        return "reached"
    return "NOT REACHED" if found.value < aim else "not shown"


def aims(parameters: Parameters, comparison: Comparison) -> list[Judged]:
    """Every aim of the promise, judged."""
    judged = []
    for name, key, words in (
        ("caught", "more_caught", "more caught than two people"),
        ("slippage", "less_slippage", "less slippage than two people"),
        ("failure", "less_failure", "less failure than two people"),
        ("actions", "fewer_actions", "fewer actions than two people"),
    ):
        aim = parameters.get("reach", key)
        found = comparison.gain(BY_NAME[name], "gateway", "people")
        judged.append(Judged(words, f"{aim:.0%}", found, verdict(found, aim)))
    for row in ROWS:
        if row.name == "at price":
            continue
        found = comparison.better(row, "gateway", "program")
        judged.append(Judged(f"{row.name}: better than one program, {row.unit}", "above 0", found, _above_zero(found)))
    aim = parameters.get("reach", "of_oracle")
    found = comparison.ratio(BY_NAME["caught"], "gateway", "oracle")
    judged.append(Judged("caught of what the oracle caught", f"{aim:.0%}", found, verdict(found, aim)))
    at_price = BY_NAME["at price"]
    for words, found in (
        ("at the rule's price: more than two people", comparison.gain(at_price, "gateway", "people")),
        ("at the rule's price: more than one program", comparison.gain(at_price, "gateway", "program")),
    ):
        judged.append(Judged(words, "no aim, %", found, "defined after a first trial"))
    return judged


def _above_zero(found: Interval) -> str:
    if found.low is None or found.high is None:
        return "no interval"
    if found.low > 0:
        return "reached"
    if found.low == found.high == 0:
        return "NOT REACHED (equal)"
    return "NOT REACHED" if found.value <= 0 else "not shown"


# What is printed.


def number(value: float) -> str:
    """Three or four digits, no exponent."""
    size = abs(value)
    places = 4 if size < 0.1 else 3 if size < 1 else 2 if size < 100 else 1 if size < 10_000 else 0  # noqa: PLR2004
    return f"{value:.{places}f}" if value else "0"


def percent(value: float) -> str:
    """A share."""
    return f"{value:.1%}"


def with_ends(found: Interval, write: Callable[[float], str] = number) -> str:
    """A value with its interval."""
    if found.low is None or found.high is None:
        return f"{write(found.value)} (no interval)"
    return f"{write(found.value)} ({write(found.low)} to {write(found.high)})"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as Markdown, which reads as text, too."""
    lines = [list(head), *[list(row) for row in rows]]
    wide = [max(len(line[at]) for line in lines) for at in range(len(head))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, wide, strict=True)) + " |" for line in lines
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in wide) + "|")
    return "\n".join(written)


def figures_table(comparison: Comparison) -> str:
    """Each contender's figures."""
    rows = [[f"{row.name}, {row.unit}", *(with_ends(comparison.of(name, row)) for name in CONTENDERS)] for row in ROWS]
    for words, field in (
        ("pair trades a day", "dispatched"),
        ("of them left unbalanced", "left_open"),
        ("legged over the limit a day", "over_limit"),
    ):
        rows.append([words, *(number(_mean(comparison.days, name, field)) for name in CONTENDERS)])
    return markdown_table(["figure", *CONTENDERS], rows)


def _mean(days: Seeds, contender: str, field: str) -> float:
    counts: list[int] = [getattr(day[contender], field) for day in days]
    return sum(counts) / len(counts)


def aims_table(judged: Sequence[Judged]) -> str:
    """Every aim, with what was found."""
    rows = []
    for one in judged:
        write: Callable[[float], str] = percent if one.reach.endswith("%") else number
        rows.append([one.aim, one.reach, with_ends(one.found, write), one.verdict])
    return markdown_table(["aim", "to reach", "found (95 % interval)", "verdict"], rows)


_AFFECTED: dict[str, tuple[str, ...]] = {
    "people": ("people",),
    "program": ("program",),
    "gateway": ("program", "gateway"),
    "market": tuple(CONTENDERS),
}
"""By table of the file, whom its parameters reach; the program has the gateway's processing time."""


def _base_value(parameters: Parameters, name: str) -> object:
    """What a parameter is where nothing is changed; None for the tape's and the rule's own, which are not looked up."""
    table, _, key = name.partition(".")
    return 1 if name == "gateway.processing_times" else parameters.tables[table].get(key)


def sensitivity(pool: ProcessPoolExecutor, parameters: Parameters) -> tuple[str, list[dict[str, Any]]]:
    """One parameter at a time: what the gateway is worth against the others then."""
    table = parameters.tables["sensitivity"]
    seeds, day_s = table["seeds"], table["day_s"]
    base = many_seeds(pool, parameters, seeds, day_s)
    rows, raw = [], []
    for name, values in table.items():
        if not isinstance(values, list):
            continue
        for value in values:
            changed = parameters.changed_to(name, value)
            # Who does not know the parameter has the base's day: worlds do not touch one another.
            names = _AFFECTED[name.partition(".")[0]] if value != _base_value(parameters, name) else ()
            days = many_seeds(pool, changed, seeds, day_s, names) if names else [{} for _ in base]
            days = [{**as_ever, **day} for as_ever, day in zip(base, days, strict=True)]
            comparison = Comparison(changed, days)
            rows.append([name, str(value), *_sensitivity_cells(comparison)])
            raw.append({"parameter": name, "value": value, "days": _raw(days)})
    head = [
        "parameter", "value", "opportunities", "caught: people", "program", "gateway", "oracle",
        "more than people", "of oracle", "slippage: people", "program", "gateway",
        "failure: people", "program", "gateway",
    ]  # fmt: skip
    return markdown_table(head, rows), raw


def _sensitivity_cells(comparison: Comparison) -> list[str]:
    days, every = comparison.days, range(len(comparison.days))

    def plain(name: str, row: str) -> str:
        value = figure(days, name, BY_NAME[row], every)
        return "none" if value is None else f"{value:.1%}" if row == "failure" else number(value)

    seen = sum(day["oracle"].opportunities for day in days) / len(days)
    cells = [number(seen), *(plain(name, "caught") for name in CONTENDERS)]
    caught = {name: figure(days, name, BY_NAME["caught"], every) or 0.0 for name in CONTENDERS}
    cells.append(f"{caught['gateway'] / caught['people'] - 1:.0%}" if caught["people"] else "none")
    cells.append(f"{caught['gateway'] / caught['oracle']:.1%}" if caught["oracle"] else "none")
    for row in ("slippage", "failure"):
        cells += [plain(name, row) for name in ("people", "program", "gateway")]
    return cells


def _raw(days: Seeds) -> list[dict[str, dict[str, int]]]:
    return [{name: found._asdict() for name, found in day.items()} for day in days]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.promise", description=__doc__)
    parser.add_argument("--seeds", type=int, default=None, help="days, instead of the file's")
    parser.add_argument("--day-s", type=int, default=None, help="length of a day in seconds, instead of the file's")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument("--no-sensitivity", action="store_true")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="every figure of every seed")
    parser.add_argument("--markdown", type=Path, default=None, metavar="FILE", help="what is printed")
    given = parser.parse_args(arguments)
    parameters = load()
    begun = monotonic()
    seeds = given.seeds or parameters.get("market", "seeds")
    day_s = given.day_s or parameters.get("market", "day_s")
    with ProcessPoolExecutor(max_workers=given.workers) as pool:
        days = many_seeds(pool, parameters, seeds, day_s)
        comparison = Comparison(parameters, days)
        judged = aims(parameters, comparison)
        seen = sum(day["oracle"].opportunities for day in days) / len(days)
        first = parameters.get("market", "first_seed")
        parts = [
            f"{seeds} seeds from {first}, {day_s} s each, {number(seen)} opportunities a day; intervals 95 %",
            figures_table(comparison),
            aims_table(judged),
        ]
        raw: list[dict[str, Any]] = []
        if not given.no_sensitivity:
            table, raw = sensitivity(pool, parameters)
            shorter = parameters.tables["sensitivity"]
            parts += [
                f"Sensitivity: {shorter['seeds']} seeds of {shorter['day_s']} s; caught is a day of that length",
                table,
            ]
    parts.append(f"took {monotonic() - begun:.0f} s with {given.workers} processes on {describe()}")
    text = "\n\n".join(parts) + "\n"
    print(text)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    if given.json:
        aims_found = [
            {"aim": one.aim, "reach": one.reach, **one.found._asdict(), "verdict": one.verdict} for one in judged
        ]
        content = {"days": _raw(days), "aims": aims_found, "sensitivity": raw, "machine": describe()}
        given.json.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
