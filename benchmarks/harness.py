"""What every benchmark shares: its options, its sides, rounds that take turns, and ratios within a round.

The machine drifts by a factor of two within minutes, so ours and the reference run in turn, each round gives a ratio of
its own, and the median of the rounds' ratios is the result. Every round is printed.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from benchmarks.floor.build import build
from benchmarks.gateway_side import Gateway
from benchmarks.machine import describe
from benchmarks.pacing import may_go_first
from benchmarks.percentiles import Summary, median
from benchmarks.programs import Knobs, ProgramError, Programs
from benchmarks.reference import Reference
from benchmarks.report import Report
from benchmarks.venue import Venue

SETTLE_S = 0.7
PERCENTILES = ("p50", "p90", "p99", "p99_9", "max")
LOG_ON_TIMEOUT_S = 15.0


class Options(msgspec.Struct, frozen=True):
    """What the command line asked for."""

    rounds: int = 5
    seconds: float = 5.0
    rates: tuple[int, ...] = (100, 1000, 5000)
    knobs: Knobs = Knobs()
    sides: tuple[str, ...] = ("gateway", "reference")
    keep: str = ""


class Side(Protocol):
    """A program under test."""

    @property
    def name(self) -> str:
        """As tables name it."""

    @property
    def hops(self) -> tuple[str, ...]:
        """What lies between the instants of `journal_hops`, from the write to the last arrival."""

    def start(self, venue: Venue, programs: Programs, directory: Path) -> None:
        """All processes, ready to trade."""

    def start_feed(self, venue: Venue, programs: Programs, directory: Path) -> None:
        """Only the feed."""

    def journal_hops(self, directory: Path) -> list[tuple[int, ...]]:
        """The instants of every intent, from the journal of a run that has ended."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that every benchmark has."""
    parser.add_argument("--rounds", type=int, help="rounds of each side, in turn (5)")
    parser.add_argument("--seconds", type=float, help="length of one measurement at one rate")
    parser.add_argument("--rates", type=_rates, help="quotes per second, such as 100,1000,5000")
    parser.add_argument("--only", choices=("gateway", "reference"), help="one side, without a ratio")
    parser.add_argument("--burn", action="store_true", help="a SCHED_IDLE spinner on each core, for both sides")
    parser.add_argument("--warm", action="store_true", help="orders are built while waiting, on both sides")
    parser.add_argument("--fifo", action="store_true", help="both sides' processes under SCHED_FIFO; needs root")
    parser.add_argument("--keep", default="", metavar="DIR", help="keep logs and journals of the runs in DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures, rounds and machine to FILE")


def _rates(text: str) -> tuple[int, ...]:
    rates = tuple(int(part) for part in text.split(","))
    if not rates or min(rates) <= 0:
        raise argparse.ArgumentTypeError(f"rates {text!r}: whole numbers above 0, with commas between")
    return rates


def options_of(arguments: argparse.Namespace, default: Options) -> Options:
    """The benchmark's defaults with what was given."""
    sides = (arguments.only,) if arguments.only else default.sides
    rounds = default.rounds if arguments.rounds is None else arguments.rounds
    seconds = default.seconds if arguments.seconds is None else arguments.seconds
    if rounds < 1 or seconds <= 0:
        raise SystemExit(f"--rounds {rounds} --seconds {seconds}: both have to be above 0")
    knobs = Knobs(burn=arguments.burn, warm=arguments.warm, fifo=arguments.fifo)
    return Options(rounds, seconds, arguments.rates or default.rates, knobs, sides, arguments.keep)


def open_report(name: str, options: Options) -> tuple[Report, list[Side]]:
    """An empty report with the machine, and the sides that can run; a missing one is told in a note."""
    sides: list[Side] = []
    notes = []
    machine = describe()
    if "gateway" in options.sides:
        sides.append(Gateway(options.knobs))
    if "reference" in options.sides:
        floor = build()
        if floor.missing:
            notes.append(f"No C++ reference: {floor.missing}. No ratios; the floors of TCP and ZeroMQ stand alone.")
        else:
            machine["quickfix_cpp"] = floor.quickfix
            sides.append(Reference(floor, options.knobs))
    settings = {
        "rounds": options.rounds, "seconds": options.seconds, "rates": list(options.rates),
        "knobs": options.knobs.in_words(), "venue_goes_first": may_go_first(),
    }  # fmt: skip
    return Report(name, machine, settings, notes=notes), sides


@contextmanager
def stage(options: Options, label: str) -> Iterator[tuple[Venue, Programs, Path]]:
    """A venue, a nursery of processes and a directory with a short path, for one side in one round."""
    with tempfile.TemporaryDirectory(prefix="cmc-bench-") as temporary:
        directory = Path(temporary)
        if options.keep:
            directory = Path(options.keep) / label
        with Venue() as venue, Programs(directory / "log", options.knobs) as programs:
            yield venue, programs, directory


def wait_for(venue: Venue, programs: Programs, roles: tuple[str, ...]) -> None:
    """Until all sessions of `roles` are logged on; then a moment for everything to settle."""

    def ready() -> bool:
        programs.check()
        return venue.ready(roles)

    if not venue.serve_until(ready, LOG_ON_TIMEOUT_S):
        raise ProgramError(f"sessions {roles} were not logged on within {LOG_ON_TIMEOUT_S} s")
    venue.serve_until(lambda: False, SETTLE_S)
    programs.check()


def figure_of(summary: Summary | None, name: str) -> int | None:
    """A percentile by its name; None where nothing was measured."""
    if summary is None:
        return None
    value: int = getattr(summary, f"{name}_ns")
    return value


def medians(summaries: Sequence[Summary | None]) -> dict[str, float | None]:
    """Median over the rounds, of each percentile."""
    present = [one for one in summaries if one is not None]
    if not present:
        return dict.fromkeys(PERCENTILES)
    return {name: median([getattr(one, f"{name}_ns") for one in present]) for name in PERCENTILES}


def ratios(ours: Sequence[Summary | None], theirs: Sequence[Summary | None]) -> dict[str, float | None]:
    """Median over the rounds of ours / theirs within a round, of each percentile."""
    pairs = [(one, other) for one, other in zip(ours, theirs, strict=False) if one and other]
    if not pairs:
        return dict.fromkeys(PERCENTILES)
    return {
        name: median([getattr(one, f"{name}_ns") / getattr(other, f"{name}_ns") for one, other in pairs])
        for name in PERCENTILES
    }
