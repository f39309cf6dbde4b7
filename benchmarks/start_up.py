"""How long an installation takes from `cmc up` to armed, and from the venues being up; how much memory it then holds.

Two simulated venues and a site of `--pairs` pairs, a fresh folder each round. The venues are started, and are up when
both say so; then the program as an operator calls it, `cmc up SITE`, in a process of its own; then arming is asked for,
every 20 ms, until it is done. Memory is the sum of the proportional set sizes (PSS) of the supervisor and of all its
processes, some seconds later. At last execution is killed (SIGKILL), and counts as back when it is armed again.

`--other DIR` measures another copy of the program (its folder `gateway` lies in DIR) in turn with this one. Processor
time is printed beside the time that passed: on a machine with other work it is the steadier of the two.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil

from benchmarks.machine import describe, in_words
from benchmarks.percentiles import percentile
from benchmarks.report import table
from gateway.model.trade import CommandAnswered, ExecutionStatus, Verb
from gateway.processes import clock, demo_sites
from gateway.processes.demo_sites import Asked, Plan
from gateway.processes.ids import IdCounter
from gateway.processes.operator import Operator
from gateway.processes.start import said_ready
from gateway.processes.toml_text import toml_text

HERE = Path(__file__).parents[1]
ASKED = Asked("synthetic", "cu", "", 7, 60, "none", faults=False)
MS, SECOND = 10**6, 10**9
LOOK_NS, ANSWER_NS, PATIENCE_NS, SETTLE_NS = 20 * MS, 500 * MS, 60 * SECOND, 2 * SECOND
END_S = 60
"""From SIGTERM to SIGKILL, of the supervisor and of a venue."""
PARTS = ("feed", "execution", "watch", "recorder", "trigger")


class Round(NamedTuple):
    """One start."""

    venues_to_armed_ns: int
    up_to_armed_ns: int
    up_to_all_ns: int
    """Armed, and the last process ready."""
    processor_ns: int
    """Of the supervisor and its processes, until then."""
    pss_bytes: int
    processes: int
    back_ns: int
    """From SIGKILL of execution to armed again."""


class StartUpError(RuntimeError):
    """A start that did not come to its end."""


def site_of(made: Plan, ports: Mapping[str, tuple[int, int]], bus_dir: str, pairs: int) -> dict[str, Any]:
    """The demo's site with so many pairs of the same two contracts, whose rules are never met."""
    content = demo_sites.site(made, ports, bus_dir)
    pair, rule = content["pair"][0], content["rule"][0]
    names = [f"{pair['id']}-{number}" for number in range(1, pairs + 1)]
    content["pair"] = [pair | {"id": name} for name in names]
    never = {"buy_at": "-1000000", "sell_at": "1000000"}
    content["rule"] = [rule | {"id": f"rule-{name}", "pair": name} | never for name in names]
    return content


def until(done: Callable[[], bool], what: str) -> None:
    """Wait for it, looking often."""
    end_ns = clock.monotonic_ns() + PATIENCE_NS
    while not done():
        if clock.monotonic_ns() > end_ns:
            message = f"{what}: not within {PATIENCE_NS // SECOND} s"
            raise StartUpError(message)
        clock.pause_ns(LOOK_NS)


def one_round(tree: Path, pairs: int) -> Round:
    """Venues and gateway up, armed, killed, armed again, down."""
    with ExitStack() as left:
        folder = Path(left.enter_context(tempfile.TemporaryDirectory(prefix="cmc-start-")))
        bus_dir = left.enter_context(tempfile.TemporaryDirectory(prefix="cmc-"))
        return _measured(tree, pairs, folder, bus_dir, left)


def _measured(tree: Path, pairs: int, folder: Path, bus_dir: str, left: ExitStack) -> Round:
    made = demo_sites.plan(ASKED, demo_sites.tape_of(ASKED))
    ports = _venues(made, folder, left)
    site = folder / "site.toml"
    site.write_text(toml_text(site_of(made, ports, bus_dir, pairs)), encoding="utf-8")
    venues_ns = clock.monotonic_ns()
    up = _start((sys.executable, "-m", "gateway.processes.cli", "up", str(site)), tree, left)
    operator = Operator(Path(bus_dir), IdCounter("B", 1), "benchmark")
    up_ns = clock.monotonic_ns()
    until(lambda: _armed(operator), "armed")
    armed_ns = clock.monotonic_ns()
    run_dir = folder / "state" / "run"
    until(lambda: all(said_ready(run_dir, name) for name in PARTS), "all ready")
    all_ns = clock.monotonic_ns()
    family = [psutil.Process(up.pid), *psutil.Process(up.pid).children(recursive=True)]
    spent = sum(sum(one.cpu_times()[:4]) for one in family)
    clock.pause_ns(SETTLE_NS)
    pss = sum(one.memory_full_info().pss for one in family)
    execution = said_ready(run_dir, "execution")
    if execution is None:
        message = "execution did not say who it is"
        raise StartUpError(message)
    os.kill(execution.pid, signal.SIGKILL)
    killed_ns = clock.monotonic_ns()
    until(lambda: said_ready(run_dir, "execution") not in {None, execution}, "execution ready again")
    until(lambda: _stands_armed(operator), "armed again")
    back_ns = clock.monotonic_ns() - killed_ns
    up_to = (armed_ns - up_ns, all_ns - up_ns)
    return Round(armed_ns - venues_ns, *up_to, int(spent * SECOND), pss, len(family), back_ns)


def _venues(made: Plan, folder: Path, left: ExitStack) -> dict[str, tuple[int, int]]:
    venues = (made.domestic, made.overseas)
    (folder / "ready").mkdir()
    for venue in venues:
        profile = folder / f"{venue.id}.toml"
        profile.write_text(toml_text(demo_sites.profile(made, venue, ASKED, folder, 0)), encoding="utf-8")
        _start((sys.executable, "-m", "simulators", str(profile)), HERE, left)
    files = {venue.id: folder / "ready" / f"venue-{venue.id}.json" for venue in venues}
    until(lambda: all(one.is_file() for one in files.values()), "venues up")
    said = {name: msgspec.json.decode(file.read_bytes()) for name, file in files.items()}
    return {name: (int(one["md_port"]), int(one["orders_port"])) for name, one in said.items()}


def _start(command: Sequence[str], tree: Path, left: ExitStack) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CMC_")}
    process = subprocess.Popen(
        command,
        cwd=tree,
        env=environment | {"PYTHONPATH": str(tree)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    left.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    finally:
        process.kill()
        process.wait()


def _armed(operator: Operator) -> bool:
    answer = operator.ask(Verb.ARM, "benchmark", timeout_ns=ANSWER_NS)
    return isinstance(answer, CommandAnswered) and answer.done


def _stands_armed(operator: Operator) -> bool:
    answer = operator.ask(Verb.STATUS, "benchmark", timeout_ns=ANSWER_NS)
    return isinstance(answer, ExecutionStatus) and answer.armed


def rows(name: str, rounds: Sequence[Round]) -> list[list[str]]:
    """A row for each figure."""
    figures: dict[str, list[int]] = {
        "venues up -> armed, ms": [one.venues_to_armed_ns // MS for one in rounds],
        "cmc up -> armed, ms": [one.up_to_armed_ns // MS for one in rounds],
        "cmc up -> armed and all processes ready, ms": [one.up_to_all_ns // MS for one in rounds],
        "processor time until then, ms": [one.processor_ns // MS for one in rounds],
        "SIGKILL of execution -> armed again, ms": [one.back_ns // MS for one in rounds],
        "memory, sum of PSS, MB": [one.pss_bytes // 10**6 for one in rounds],
    }
    made = []
    for what, values in figures.items():
        ordered = sorted(values)
        shown = [percentile(ordered, 500), percentile(ordered, 900), ordered[-1]]
        made.append([name, what, str(len(values)), *map(str, shown), " ".join(map(str, values))])
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """All rounds, each program in turn."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start_up", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--other", type=Path, metavar="DIR", help="another copy of the program")
    given = parser.parse_args(arguments)
    trees = {"this": HERE} | ({"other": given.other.resolve()} if given.other else {})
    taken: dict[str, list[Round]] = {name: [] for name in trees}
    print(in_words(describe()))
    for _ in range(given.rounds):
        for name, tree in trees.items():
            taken[name].append(one_round(tree, given.pairs))
    heads = ["program", "figure", "n", "p50", "p90", "max", "rounds"]
    print(table(heads, [row for name, rounds in taken.items() for row in rows(name, rounds)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
