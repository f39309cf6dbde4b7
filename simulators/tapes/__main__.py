"""`python -m simulators.tapes NAME`: what a tape holds, as a table, and the digest of its events."""

import argparse
import sys
from pathlib import Path

from simulators.core.tape import Tape
from simulators.tapes import RECORDED_SETS, TAPES, TapeError, load_tape
from simulators.tapes.recorded.window import RecordedTape
from simulators.tapes.summary import BasisFigures, basis_figures, digest, instrument_figures
from simulators.tapes.synthetic import SyntheticTape


def main(arguments: list[str] | None = None) -> int:
    """Print the summary; 0 when the tape could be read, 2 when not."""
    asked = _parser().parse_args(arguments)
    try:
        tape = _load(asked)
        lines = [tape.label, "", *_instrument_lines(tape), *_pair_lines(tape), "", f"sha256 {digest(tape.events())}"]
    except TapeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    known = "\n".join(
        f"  {kind:<10} {name:<16} {text}" for kind, names in TAPES.items() for name, text in names.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m simulators.tapes",
        description="Summary and digest of a tape.",
        epilog=f"tapes:\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", help="a name from the list below, or a folder in the csv form")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--dir", default="", help=f"the folder of the recorded sets (default {RECORDED_SETS})")
    return parser


def _load(asked: argparse.Namespace) -> Tape:
    name, base = str(asked.name), str(asked.name).partition("@")[0]
    if Path(name).is_dir():
        return load_tape("csv", name, "", asked.seed, asked.seconds)
    kind = next((kind for kind, names in TAPES.items() if base in names and kind != "csv"), None)
    if kind is None:
        names = [each for kind, names in TAPES.items() if kind != "csv" for each in names]
        raise TapeError("name", name, f"one of {', '.join(names)}, or a folder in the csv form")
    return load_tape(kind, name, asked.dir, asked.seed, asked.seconds)


def _instrument_lines(tape: Tape) -> list[str]:
    seconds = tape.duration_ns / 1_000_000_000
    head = ("instrument", "books", "books/s", "peak/s", "trades", "status", "spread", "best lots", "side lots")
    rows = [
        (
            f"{one.venue} {one.symbol}",
            str(one.books),
            f"{one.books / seconds:.1f}",
            str(one.peak_per_s),
            str(one.trades),
            str(one.statuses),
            f"{one.spread_ticks:f}",
            f"{one.best_lots:f}",
            f"{one.depth_lots:f}",
        )
        for one in instrument_figures(tape)
    ]
    return [f"{row[0]:<16}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in (head, *rows)]


def _pair_lines(tape: Tape) -> list[str]:
    if isinstance(tape, SyntheticTape):
        return _basis_lines(basis_figures(tape))
    if isinstance(tape, RecordedTape):
        counted = tape.census()
        return ["", "rows of the whole files by class (a row may be in several):"] + [
            f"  {symbol}: " + ", ".join(f"{name} {count}" for name, count in sorted(census.items()))
            for symbol, census in counted.items()
        ]
    return []


def _basis_lines(basis: BasisFigures) -> list[str]:
    spread = (
        f"basis: mean {basis.mean}, standard deviation {basis.deviation}, half-life {basis.half_life_s} s; "
        f"crossing both spreads costs {basis.crossing}"
    )
    edges = [
        f"  edge from {one.edge}: sell domestic {one.sell_domestic_per_min}, buy domestic {one.buy_domestic_per_min}"
        for one in basis.opportunities
    ]
    return ["", spread, "opportunities per minute, domestic snapshots of 500 ms, both spreads crossed:", *edges]


if __name__ == "__main__":
    sys.exit(main())
