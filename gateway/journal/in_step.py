"""How well two legs' quotes were in step at a decision: the difference of their errors against true event times.

error = calibrated_ns - true event time. The true time of a quote is the venue's stamp read on the venue's true clock,
which a simulator records in `truth/<VENUE>/clock.csv`; on a real venue nobody knows it. Venues stamp whole
milliseconds, so that figures below 1 ms say no more than that. Not measured where quotes carry no calibrated time.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from gateway.journal.statistics import nearest_rank
from gateway.journal.truth import TRUTH_FOLDER, TruthError
from gateway.model.trade import Intent

NOT_MEASURED = "not measured"
CLOCK_FILE = "clock.csv"


class InStep(NamedTuple):
    """The figure, or why there is none, and how many decisions it rests on."""

    p99_ns: int | str
    decisions: int
    why: str


class ClockPoint(NamedTuple):
    """The venue's clock at one time of ours."""

    venue_ns: int
    monotonic_ns: int


def read_venue_clocks(run_dir: Path) -> dict[str, list[ClockPoint]]:
    """Give the recorded clock of each venue that has one, by venue time."""
    found = {}
    for path in sorted((run_dir / TRUTH_FOLDER).glob(f"*/{CLOCK_FILE}")):
        found[path.parent.name] = _read_clock(path)
    return found


def _read_clock(path: Path) -> list[ClockPoint]:
    points = []
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            try:
                points.append(ClockPoint(int(row["venue_ns"]), int(row["monotonic_ns"])))
            except (KeyError, TypeError, ValueError) as error:
                message = f"{path}: line {len(points) + 2}: {row}; a line is monotonic_ns,venue_ns in whole numbers"
                raise TruthError(message) from error
    return sorted(points)


def measure_in_step(intents: Iterable[Intent], clocks: Mapping[str, list[ClockPoint]]) -> InStep:
    """Give the 99th percentile over all decisions whose legs' quotes can be judged. Pure."""
    sample, why = in_step_sample(intents, clocks)
    if sample:
        return InStep(nearest_rank(sorted(sample), 99.0), len(sample), "")
    return InStep(NOT_MEASURED, 0, why)


def in_step_sample(intents: Iterable[Intent], clocks: Mapping[str, list[ClockPoint]]) -> tuple[list[int], str]:
    """Give each decision's difference of its legs' errors, and why there is none where there is none. Pure."""
    sample, calibrated = [], False
    for intent in intents:
        errors = []
        for leg in intent.legs:
            calibrated = calibrated or leg.calibrated_ns != 0
            points = clocks.get(leg.instrument_id.partition(".")[0], [])
            if leg.calibrated_ns and len(points) > 1:
                errors.append(leg.calibrated_ns - true_ns(points, leg.venue_ns))
        if len(errors) == len(intent.legs) and len(errors) > 1:
            sample.append(max(errors) - min(errors))
    if sample:
        return sample, ""
    return [], "no venue recorded its true clock" if calibrated else "quotes carry no calibrated time"


def true_ns(points: list[ClockPoint], venue_ns: int) -> int:
    """Read a venue's stamp on its recorded clock: our monotonic time of it, interpolated in whole nanoseconds."""
    after = min(max(bisect_right(points, (venue_ns, 0)), 1), len(points) - 1)
    start, end = points[after - 1], points[after]
    span = end.venue_ns - start.venue_ns
    if span <= 0:
        return start.monotonic_ns
    passed = venue_ns - start.venue_ns
    return start.monotonic_ns + passed * (end.monotonic_ns - start.monotonic_ns) // span
