"""A tick storm as a tape: a synthetic market whose time runs so many times faster. `python -m loadtest.storm FOLDER`.

The venues play it at its own speed as any tape; books change as often as in a panic. Prices and sizes are those of the
synthetic tape of the same seed, so nothing in it is off tick or beyond a limit.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from simulators.core.tape import Tape, TapeEvent, TapeInstrument
from simulators.tapes import load_tape, write_csv_tape


class Faster:
    """A tape, its times divided."""

    def __init__(self, tape: Tape, times: int) -> None:
        self._tape, self._times = tape, times
        self.name = "storm"
        self.label = f"{tape.label}; {times} times as fast"
        self.instruments: tuple[TapeInstrument, ...] = tuple(tape.instruments)
        self.duration_ns = tape.duration_ns // times

    def events(self) -> Iterator[TapeEvent]:
        """In order of time."""
        for event in self._tape.events():
            yield event._replace(at_ns=event.at_ns // self._times)


def write_storm(folder: Path, name: str, seed: int, seconds: int, times: int) -> None:
    """So many seconds of a storm, in the csv form."""
    tape = load_tape("synthetic", name, "", seed, seconds * times)
    write_csv_tape(Faster(tape, times), folder)


def main(words: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.storm")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default="cu", help="of the synthetic tape")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--times", type=int, default=10, help="how many times as fast")
    given = parser.parse_args(words)
    write_storm(given.folder, given.name, given.seed, given.seconds, given.times)
    return 0


if __name__ == "__main__":
    sys.exit(main())
