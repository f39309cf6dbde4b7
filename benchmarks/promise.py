"""The promise, measured: one seeded day of two cointegrated markets, traded by people, by one program, by this gateway
and by an oracle; with intervals over the seeds and a table of what changes when a parameter does.

    python -m benchmarks.promise [--seeds N] [--day-s S] [--workers 2] [--no-sensitivity] [--json F] [--markdown F]
    python -m benchmarks.promise --recorded DIR [--seeds N] [--workers 2] [--no-sensitivity] [--json F] [--markdown F]

Everything that is compared stands in `promise.toml`, and what `--recorded` plays in `promise-recorded.toml`; each is
older than its first result. A row that is not reached is printed as not reached. Exit code 0: measured, whatever came
of it, or the recorded sets are not there, which is said.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks import promise_recorded
from benchmarks.machine import describe
from benchmarks.promise_parameters import Parameters, load
from benchmarks.promise_play import CONTENDERS, Seeds, many_seeds, rows_of_seed, varied
from benchmarks.promise_report import (
    SENSITIVITY_HEAD,
    Comparison,
    aims,
    aims_table,
    aims_told,
    figures_table,
    markdown_table,
    missed_table,
    number,
    raw,
    sensitivity_row,
)


def sensitivity(pool: ProcessPoolExecutor, parameters: Parameters) -> tuple[str, list[dict[str, Any]]]:
    """One parameter at a time: what the gateway is worth against the others then."""
    table = parameters.tables["sensitivity"]
    seeds, day_s = table["seeds"], table["day_s"]
    first = parameters.get("market", "first_seed")
    rows = list(varied(parameters))
    wanted = [(parameters, tuple(CONTENDERS)), *(one for _, _, one in rows)]
    played = list(pool.map(rows_of_seed, [wanted] * seeds, range(first, first + seeds), [day_s] * seeds))
    written, kept = [], []
    for place, (name, value, (changed, _)) in enumerate(rows, 1):
        days: Seeds = [{**of_seed[0], **of_seed[place]} for of_seed in played]
        written.append(sensitivity_row(name, value, Comparison(changed, days)))
        kept.append({"parameter": name, "value": value, "days": raw(days)})
    return markdown_table(SENSITIVITY_HEAD, written), kept


def synthetic(pool: ProcessPoolExecutor, given: argparse.Namespace) -> tuple[list[str], dict[str, Any]]:
    """The comparison on synthetic days: what is printed, and what is written."""
    parameters = load()
    seeds = given.seeds or parameters.get("market", "seeds")
    day_s = given.day_s or parameters.get("market", "day_s")
    days = many_seeds(pool, parameters, seeds, day_s)
    comparison = Comparison(parameters, days)
    judged = aims(parameters, comparison)
    seen = sum(day["oracle"].opportunities for day in days) / len(days)
    first = parameters.get("market", "first_seed")
    parts = [
        f"{seeds} seeds from {first}, {day_s} s each, {number(seen)} opportunities a day; intervals 95 %",
        figures_table(comparison),
        missed_table(comparison),
        aims_table(judged),
    ]
    kept: list[dict[str, Any]] = []
    if not given.no_sensitivity:
        table, kept = sensitivity(pool, parameters)
        shorter = parameters.tables["sensitivity"]
        parts += [
            f"Sensitivity: {shorter['seeds']} seeds of {shorter['day_s']} s; caught is a day of that length",
            table,
        ]
    return parts, {"days": raw(days), "aims": aims_told(judged), "sensitivity": kept}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.promise", description=__doc__)
    parser.add_argument("--recorded", type=Path, default=None, metavar="DIR", help="play the recorded sets under DIR")
    parser.add_argument("--seeds", type=int, default=None, help="seeds, instead of the file's")
    parser.add_argument("--day-s", type=int, default=None, help="length of a synthetic day in seconds")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument("--no-sensitivity", action="store_true")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="every figure of every seed")
    parser.add_argument("--markdown", type=Path, default=None, metavar="FILE", help="what is printed")
    given = parser.parse_args(arguments)
    if given.recorded is not None and given.day_s is not None:
        parser.error("--day-s is of synthetic days; the recorded ones are half hours")
    if given.recorded is not None and not given.recorded.is_dir():
        print(f"--recorded {given.recorded}: no such folder; nothing is played without the recorded sets")
        return 0
    begun = monotonic()
    with ProcessPoolExecutor(max_workers=given.workers) as pool:
        parts, content = (synthetic if given.recorded is None else promise_recorded.recorded)(pool, given)
    parts.append(f"took {monotonic() - begun:.0f} s with {given.workers} processes on {describe()}")
    text = "\n\n".join(parts) + "\n"
    print(text)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    if given.json:
        content["machine"] = describe()
        given.json.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
