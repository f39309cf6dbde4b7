"""What holding the nearer leg back is worth: arrival-aligned against simultaneous dispatch, per network profile.

Both modes run the demo on the same seeds, so on the same tapes and the same draws of delay. For each pair trade: how
far apart its first orders reached their books (the simulators' own record), how long it was legged, what it lost
against the prices that the decision saw. A held leg is later by the difference of delays: where its book moves on
meanwhile, that is a loss, and it is in the figures.

    python -m benchmarks.arrival_alignment [--seeds 3] [--seconds 30] [--json FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.machine import describe
from benchmarks.report import Figure, Report, table, write_json
from gateway.journal.reader import read_run
from gateway.model.record import Decision
from gateway.model.trade import Announce, PairTradeChanged, PairTradeState, SendOrders

PROFILES = ("same-city", "shanghai-london", "shanghai-chicago")
MODES = ("simultaneous", "arrival_aligned")
EXTRA_S = 60
"""A demo that has not ended so long after its trading time is given up."""
MS = 1e6


def run_demo(profile: str, mode: str, seed: int, seconds: int, folder: Path) -> Path:
    """The folder of the run; RuntimeError with what the demo said when it made none."""
    command = [sys.executable, "-m", "gateway.processes.cli", "demo", "--seconds", str(seconds), "--seed", str(seed)]
    command += ["--profile", profile, "--out", str(folder)]
    environment = {**os.environ, "CMC_PAIR__0__DISPATCH": mode}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds + EXTRA_S, check=False
    )
    runs = sorted(folder.iterdir()) if folder.is_dir() else []
    if not runs:
        message = f"{' '.join(command)}: {done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return runs[-1]


def arrivals(run_dir: Path) -> dict[str, int]:
    """When each order reached its book, by ClOrdID(11)."""
    found: dict[str, int] = {}
    for path in (run_dir / "truth").glob("*/orders.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            found.setdefault(one["cl_ord_id"], one["at_ns"])
    return found


def trades(run_dir: Path) -> list[tuple[float, float, float]]:
    """(skew of arrival in ms, legged time in ms, slippage in the pair's money) of each pair trade that was hedged."""
    reached = arrivals(run_dir)
    first: dict[str, dict[str, int]] = {}
    ended: dict[str, PairTradeChanged] = {}
    for record in read_run(run_dir):
        if not isinstance(record, Decision):
            continue
        for action in record.actions:
            if isinstance(action, SendOrders):
                legs = first.setdefault(action.trade_id, {})
                for order in action.orders:
                    if order.cl_ord_id in reached:
                        legs.setdefault(order.instrument_id, reached[order.cl_ord_id])
            elif isinstance(action, Announce) and isinstance(action.what, PairTradeChanged):
                ended[action.what.trade_id] = action.what
    return [
        ((max(first[name].values()) - min(first[name].values())) / MS, one.legged_ns / MS, one.slippage_e9 / 1e9)
        for name, one in ended.items()
        if one.state is PairTradeState.HEDGED and len(first[name]) > 1
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every profile in both modes, in turn, on the same seeds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.arrival_alignment", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args(arguments)
    report = Report("arrival-alignment", describe(), {"seeds": given.seeds, "seconds": given.seconds})
    rows = []
    for profile in PROFILES:
        found: dict[str, list[tuple[float, float, float]]] = {mode: [] for mode in MODES}
        for seed in range(1, given.seeds + 1):
            for mode in MODES:
                with tempfile.TemporaryDirectory(prefix="cmc-align-") as folder:
                    found[mode] += trades(run_demo(profile, mode, seed, given.seconds, Path(folder)))
        for mode, each in found.items():
            figures = [median(values) if values else 0.0 for values in zip(*each, strict=True)] or [0.0, 0.0, 0.0]
            lost = sum(one[2] for one in each) / len(each) if each else 0.0
            rows.append((profile, mode, len(each), *(f"{value:.2f}" for value in figures), f"{lost:.1f}"))
            report.figures.append(Figure(f"{profile}.{mode}.arrival_skew_ms_p50", figures[0], "ms"))
            report.figures.append(Figure(f"{profile}.{mode}.legged_ms_p50", figures[1], "ms"))
            report.figures.append(Figure(f"{profile}.{mode}.slippage_mean", lost, "CNY per pair trade"))
            report.rounds.append({"profile": profile, "mode": mode, "trades": [list(one) for one in each]})
    head = ("profile", "dispatch", "trades", "arrival skew ms p50", "legged ms p50", "slippage p50", "slippage mean")
    print(table(head, rows))
    if given.json:
        write_json(given.json, [report])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
