"""What a long day costs: the gate and the engine with many pair trades open and very many ended, and the memory.

An engine alone, in this process: first with nothing, then with `--open` pair trades open on other pairs, then with
`--ended` more that have ended and are packed away. Each is timed as in `execution_path`, rounds in turn. Memory is what
the process holds more after each step, divided by the trades.
"""

import argparse
import gc
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.execution_path import Alone, orders_of
from benchmarks.execution_site import TRADED_PAIRS, intent
from benchmarks.machine import describe, in_words
from benchmarks.percentiles import median, summarise
from benchmarks.report import table
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus

REACH_RATIO = 1.1
STEP_NS = 1_000_000


class Day(Alone):
    """An engine that has seen a long day."""

    def __init__(self, folder: Path, open_trades: int, ended: int) -> None:
        before = _resident()
        super().__init__(folder, open_trades)
        opened = _resident()
        self.ended = ended
        for number in range(ended):
            self._at_ns += STEP_NS
            asked = intent(next(self._numbers), self._at_ns, 1, number % TRADED_PAIRS)
            for order in orders_of(self.engine.on_event(asked, self._at_ns)):
                self.engine.on_event(_filled(order, self._at_ns), self._at_ns)
        self.bytes_open = (opened - before) // max(1, open_trades)
        self.bytes_ended = (_resident() - opened) // max(1, ended)


def _filled(order: Order, at_ns: int) -> ExecutionReport:
    """The whole order, with a key as long as they are in the field."""
    key = f"{order.venue_id}|A-{order.venue_id}|20260615|{order.side.value}|T{order.cl_ord_id[3:]:>09}"
    return ExecutionReport(
        order.venue_id, at_ns, at_ns, 1, False, order.cl_ord_id, "", f"V{order.cl_ord_id}", key[-10:], key, "",  # noqa: FBT003
        ExecType.TRADE, OrdStatus.FILLED, order.instrument_id, order.side, order.qty_lots, order.qty_lots, "9750",
        order.px_ticks, order.qty_lots, 0, "9750",
    )  # fmt: skip


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the gate's time is the same within REACH_RATIO, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger_size", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--open", type=int, default=5000, help="pair trades open on other pairs")
    parser.add_argument("--ended", type=int, default=200_000, help="pair trades that have ended")
    given = parser.parse_args(arguments)
    print(in_words(describe()))
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        days = []
        for number, (opened, ended) in enumerate(((0, 0), (given.open, 0), (given.open, given.ended))):
            (home := Path(folder) / str(number)).mkdir()
            days.append(Day(home, opened, ended))
        rows: list[list[object]] = []
        gates: dict[int, list[float]] = {place: [] for place in range(len(days))}
        for number in range(1, given.rounds + 1):
            for place, day in list(enumerate(days))[:: 1 if number % 2 else -1]:
                gate, engine = summarise(day.gate()), summarise(day.decide()[0])
                if gate is None or engine is None:
                    return 1
                gates[place].append(gate.p50_ns)
                figures = [gate.p50_ns, gate.p99_ns, engine.p50_ns, engine.p99_ns]
                rows.append([number, day.open_trades, day.ended, *(f"{one / 1000:.1f}" for one in figures)])
        print(table(("round", "open", "ended", "gate p50 us", "p99", "engine p50 us", "p99"), rows))
        last = days[-1]
        ratio = median([many / none for none, many in zip(gates[0], gates[len(days) - 1], strict=True)])
        print(
            f"gate with {last.open_trades} open and {last.ended} ended, against none: {ratio:.2f} (reach {REACH_RATIO})"
        )
        print(f"memory: {days[1].bytes_open} bytes for each open pair trade, {last.bytes_ended} for each ended one")
        for day in days:
            day.close()
    return 0 if ratio <= REACH_RATIO else 1


if __name__ == "__main__":
    raise SystemExit(main())
