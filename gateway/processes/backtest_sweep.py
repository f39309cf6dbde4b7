"""`cmc backtest --sweep`: one backtest for each combination of values, each in a process of its own, and one table.

At most `jobs` run at once, as a rule one less than there are cores, so that the machine stays usable. A run that fails
is a line of its own; the others go on.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from rich.table import Table

from gateway.journal.told import environment_language, said, told
from gateway.journal.units import duration, percent, rounded_money
from gateway.processes.backtest import Options, console
from gateway.processes.backtest_overrides import Assignment, combinations, variables
from gateway.processes.child import python
from gateway.processes.cli import FAILED, OK, WRONG_CALL
from gateway.processes.supervisor_log import out, say

LONGEST_ERROR = 2000


class One(NamedTuple):
    """A run of the sweep: what it was given, and its document or why there is none."""

    given: tuple[Assignment, ...]
    document: Mapping[str, Any] | None
    exit_code: int
    error: str


def run(wanted: Options) -> int:
    """All of them."""
    given = combinations(wanted.sweep)
    for each in given:
        variables(wanted.site, (*wanted.set, *each))
    jobs = min(len(given), wanted.jobs or max(1, (os.cpu_count() or 2) - 1))
    if not wanted.json:
        out(told("a sweep runs {} backtests, {} at once", len(given), jobs))
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(lambda each: _one(wanted, each), given))
    if wanted.json:
        content = [{"set": {one.key: one.value for one in each.given}, "exit_code": each.exit_code,
                    "error": each.error, "result": each.document} for each in found]  # fmt: skip
        out(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        _show(found)
    if any(each.exit_code == WRONG_CALL for each in found):
        return WRONG_CALL
    return FAILED if any(each.exit_code for each in found) else OK


def command(wanted: Options, given: Sequence[Assignment]) -> tuple[str, ...]:
    """One run of it, as its own program."""
    asked = wanted.asked
    words = ["backtest", str(wanted.site), "--json", "--tape", asked.tape, "--seed", str(asked.seed)]
    words += ["--latency-us", str(wanted.latency_us), "--out", str(wanted.out)]
    for option, value in (("--name", asked.name), ("--from", asked.begin), ("--to", asked.end)):
        words += [f"{option}={value}"] if value else []
    words += [f"--profile={one}" for one in wanted.profiles]
    words += [f"--set={one.key}={one.value}" for one in (*wanted.set, *given)]
    return python("gateway.processes.cli", *words)


def _one(wanted: Options, given: tuple[Assignment, ...]) -> One:
    ended = subprocess.run(command(wanted, given), capture_output=True, text=True, check=False)  # noqa: S603 our own program
    try:
        document = json.loads(ended.stdout)
    except ValueError:
        return One(given, None, ended.returncode or FAILED, ended.stderr.strip()[-LONGEST_ERROR:])
    return One(given, document, ended.returncode, "")


def _show(found: Sequence[One]) -> None:
    language = environment_language()
    table = Table(box=None, header_style="bold")
    for name in (one.key for one in found[0].given):
        table.add_column(name)
    for words in (told("opportunities"), told("captured"), told("trades"), told("slippage"), told("before costs"),
                  told("after costs"), told("took"), told("run")):  # fmt: skip
        table.add_column(said(words, language), overflow="fold")
    for each in found:
        values = [one.value for one in each.given]
        if each.document is None:
            say(told("{}: failed ({}): {}", ", ".join(values), each.exit_code, each.error))
            continue
        table.add_row(*values, *_cells(each.document, language))
    console().print(table)


def _cells(document: Mapping[str, Any], language: str) -> list[str]:
    counts = [one["opportunities"] for one in document["rules"]]
    all_of, captured = sum(one["count"] for one in counts), sum(one["captured"] for one in counts)
    sums = document["currencies"]

    def money(values: list[tuple[int | None, str]]) -> str:
        unknown = said(told("not known"), language)
        return ", ".join(f"{unknown if one is None else rounded_money(one)} {name}" for one, name in values)

    return [
        str(all_of),
        f"{captured} ({percent(captured / all_of if all_of else None)})",
        str(document["pair_trades"]["opened"]),
        money([(one["slippage_e9"], one["currency"]) for one in sums]),
        money([(one["profit_e9"]["gross"], one["currency"]) for one in sums]),
        money([(one["profit_e9"]["net"], one["currency"]) for one in sums]),
        duration(document["took_ns"]),
        document["folder"].rpartition("/")[2],
    ]
