"""`python -m benchmarks`: all measurements, or those named, as tables and, with --json, as a file."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks import client_effect, clock_accuracy, feed_throughput, pair_pricing, recovery_storm, tick_to_order
from benchmarks.harness import Options, add_options, options_of
from benchmarks.programs import ProgramError
from benchmarks.report import Report, write_json
from benchmarks.venue import VenueError

BENCHMARKS: dict[str, tuple[Callable[[Options], Report], Options]] = {
    "tick-to-order": (tick_to_order.measure, tick_to_order.DEFAULT),
    "feed-throughput": (feed_throughput.measure, feed_throughput.DEFAULT),
    "recovery-storm": (recovery_storm.measure, recovery_storm.DEFAULT),
    "pair-pricing": (pair_pricing.measure, pair_pricing.DEFAULT),
    "clock-accuracy": (clock_accuracy.measure, clock_accuracy.DEFAULT),
    "client-effect": (client_effect.measure, client_effect.DEFAULT),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all was measured, 1 when a program failed. A figure that misses its aim is told, and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"which: {', '.join(BENCHMARKS)}; all where none is named")
    add_options(parser)
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.name) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    reports = []
    begin = time.monotonic()
    try:
        for name in given.name or BENCHMARKS:
            measure, default = BENCHMARKS[name]
            reports.append(measure(options_of(given, default)))
            print()
    except (ProgramError, VenueError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    finally:
        if given.json and reports:
            write_json(given.json, reports)
    print(f"{time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
