"""How many quotes a second one feed process carries with the p99 of written -> received by a subscriber under 10 ms.

The rate climbs step by step. A rate is sustained when every quote arrived, the venue could write them all at that rate,
and the p99 stays under the limit. The venue, the feed and the subscriber share the machine's cores, so on two cores the
table also tells what the feed itself used of a core: beyond 100 % nothing more is to be had from one process.
"""

import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.harness import Options, Side, medians, open_report, stage, wait_for
from benchmarks.machine import in_words
from benchmarks.percentiles import Summary, median, summarise
from benchmarks.programs import Programs, cpu_seconds
from benchmarks.report import Figure, Report, table, us
from benchmarks.venue import MD, Run

DEFAULT = Options(rounds=3, seconds=2.0, rates=(1000, 2500, 5000, 7500, 10000, 12500, 15000, 20000, 30000))
LIMIT_NS = 10_000_000
ACHIEVED_SHARE = 0.97
REACH, STRETCH = 10_000, 20_000


class Step(msgspec.Struct, frozen=True):
    """One side at one rate in one round."""

    number: int
    side: str
    rate: int
    achieved_per_s: int
    lost: int
    delay: Summary | None
    feed_cpu_percent: int

    @property
    def sustained(self) -> bool:
        """Every quote arrived, in time, at the rate that was asked."""
        if self.delay is None or self.lost:
            return False
        return self.delay.p99_ns < LIMIT_NS and self.achieved_per_s >= self.rate * ACHIEVED_SHARE


def delays(run: Run, received: dict[tuple[int, int], int]) -> tuple[list[int], int]:
    """Written -> received of each quote of the run, and how many never came."""
    found = []
    lost = 0
    for leg, written in enumerate(run.written_ns):
        for msg_seq_num, at_ns in written.items():
            arrived_ns = received.get((leg, msg_seq_num))
            if arrived_ns is None:
                lost += 1
            else:
                found.append(arrived_ns - at_ns)
    return found, lost


def read_received(path: Path) -> dict[tuple[int, int], int]:
    """What the subscriber wrote: (leg, MsgSeqNum) to the instant of arrival."""
    numbers = array("q")
    numbers.frombytes(path.read_bytes())
    return {(numbers[at], numbers[at + 1]): numbers[at + 2] for at in range(0, len(numbers), 3)}


def play(side: Side, options: Options, number: int, reader: Sequence[str]) -> list[Step]:
    """One side's climb. It ends early where the venue could not write even four fifths of what was asked."""
    played: list[tuple[int, Run, int]] = []
    with stage(options, f"feed-{side.name}-{number}") as (venue, programs, directory):
        side.start_feed(venue, programs, directory)
        out = directory / "received"
        with Programs(directory / "log", msgspec.structs.replace(options.knobs, burn=False)) as readers:
            wait_for(venue, programs, (MD,))
            readers.start("reader", [*reader, side.name, str(directory), str(out)])
            venue.serve_until(lambda: False, 0.8)
            for rate in options.rates:
                begin, used = time.monotonic(), cpu_seconds(programs.pid("feed"))
                run = venue.run_quiet(rate, options.seconds)
                share = (cpu_seconds(programs.pid("feed")) - used) / (time.monotonic() - begin)
                programs.check()
                played.append((rate, run, round(share * 100)))
                if len(run.late_ns) * 1e9 / run.spent_ns < rate * 0.8:
                    break
            venue.serve_until(lambda: False, 0.5)
        received = read_received(out)
    return [_step(number, side.name, rate, run, cpu, received) for rate, run, cpu in played]


def _step(
    number: int, side: str, rate: int, run: Run, cpu: int, received: dict[tuple[int, int], int]
) -> Step:  # fmt: skip
    found, lost = delays(run, received)
    achieved = round(len(run.late_ns) * 1e9 / run.spent_ns)
    return Step(number, side, rate, achieved, lost, summarise(found), cpu)


def knee(steps: Sequence[Step]) -> int:
    """The highest rate that more than half of the rounds sustained, with every rate below it; 0 when there is none."""
    highest = 0
    for rate in sorted({step.rate for step in steps}):
        verdicts = [step.sustained for step in steps if step.rate == rate]
        if 2 * sum(verdicts) <= len({step.number for step in steps}):
            break
        highest = rate
    return highest


def measure(options: Options) -> Report:
    """All rounds; prints as it goes."""
    report, sides = open_report("feed_throughput", options)
    print("Quotes per second that one feed carries; written by the venue -> received by a subscriber, microseconds")
    print(in_words(report.machine))
    print(f"knobs: {options.knobs.in_words()}; {options.rounds} rounds in turn, {options.seconds:g} s at each rate")
    reader = reader_command()
    steps: list[Step] = []
    for number in range(1, options.rounds + 1):
        for side in sides if number % 2 else sides[::-1]:
            steps += play(side, options, number, reader)
        print(f"round {number} of {options.rounds} done", flush=True)
    report.rounds += [{**msgspec.to_builtins(step), "sustained": step.sustained} for step in steps]
    _print(report, sides, steps)
    return report


def reader_command() -> list[str]:
    """How the subscriber is started."""
    return [sys.executable, "-m", "benchmarks.quote_reader"]


def _print(report: Report, sides: Sequence[Side], steps: Sequence[Step]) -> None:
    head = ["rate", "side", "round", "achieved", "lost", "p50", "p90", "p99", "p99.9", "max", "feed CPU %", "sustained"]
    rows: list[list[object]] = []
    for rate in sorted({step.rate for step in steps}):
        for side in sides:
            played = [step for step in steps if (step.rate, step.side) == (rate, side.name)]
            rows += [_row(step) for step in played]
            if played:
                middle = medians([step.delay for step in played])
                cpu = round(median([step.feed_cpu_percent for step in played]))
                sustained = sum(step.sustained for step in played)
                figures = [us(middle[key]) for key in ("p50", "p90", "p99", "p99_9", "max")]
                row = [rate, side.name, "median", "-", sum(step.lost for step in played), *figures, cpu]
                rows.append([*row, f"{sustained} of {len(played)}"])
                if middle["p99"] is not None:
                    name = f"feed_throughput.{side.name}.{rate}.p99"
                    report.figures.append(Figure(name, round(middle["p99"] / 1000, 1), "us"))
    print(table(head, rows))
    for side in sides:
        found = knee([step for step in steps if step.side == side.name])
        reach, stretch = (REACH, STRETCH) if side.name == "gateway" else (None, None)
        figure = Figure(f"feed_throughput.{side.name}.knee", found, "quotes/s", reach, stretch, less_is_better=False)
        report.figures.append(figure)
        print(figure.in_words())
    for note in report.notes:
        print(note)


def _row(step: Step) -> list[object]:
    delay = step.delay
    figures = [us(getattr(delay, f"{key}_ns") if delay else None) for key in ("p50", "p90", "p99", "p99_9", "max")]
    told = [step.rate, step.side, step.number, step.achieved_per_s, step.lost, *figures, step.feed_cpu_percent]
    return [*told, "yes" if step.sustained else "no"]
