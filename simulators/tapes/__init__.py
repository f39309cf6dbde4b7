"""Tapes: what the markets did, synthetic from a seed, recorded, or in the user's own files.

`load_tape` is the door. A tape says in its label what is derived or assumed; nothing here knows of a venue's protocol,
of the network or of the gateway.
"""

from pathlib import Path

from simulators.core.tape import Tape
from simulators.tapes.csvform.reader import csv_tape
from simulators.tapes.csvform.writer import write_csv_tape
from simulators.tapes.errors import TapeError
from simulators.tapes.markets import MARKETS
from simulators.tapes.parameters import load_fitted
from simulators.tapes.recorded.ecb_fx import usdcny_fixing
from simulators.tapes.recorded.pairs import PAIRS, recorded_tape
from simulators.tapes.synthetic import SyntheticTape

__all__ = ["RECORDED_SETS", "TAPES", "TapeError", "load_tape", "usdcny_fixing", "write_csv_tape"]

RECORDED_SETS = Path(__file__).resolve().parents[3] / "shared" / "marketdata"
"""Where the recorded sets are looked for when no directory is given: ../shared/marketdata of the repository."""

TAPES: dict[str, dict[str, str]] = {
    "synthetic": {name: market.description for name, market in MARKETS.items()},
    "recorded": {name: pair.description for name, pair in PAIRS.items()},
    "csv": {"FOLDER": "the user's own recording: instruments.csv and events.csv (docs/TAPES.md)"},
}
"""Names by kind, each with one line on what it is."""


def load_tape(kind: str, name: str, directory: str, seed: int, seconds: int) -> Tape:
    """The tape `name` of `kind`; TapeError when there is none, or its files cannot be used.

    `directory` is the folder of the recorded sets, or the one that a csv tape's folder `name` lies in; a synthetic tape
    does not use it. `seed` matters to synthetic tapes and to bar-derived quotes.
    """
    if seconds <= 0:
        raise TapeError("seconds", seconds, "a whole number above 0")
    if kind == "synthetic":
        if name not in MARKETS:
            raise TapeError("name", name, f"one of {', '.join(MARKETS)}")
        return SyntheticTape(MARKETS[name], load_fitted(), seed, seconds)
    if kind == "recorded":
        return recorded_tape(name, Path(directory) if directory else RECORDED_SETS, seed, seconds)
    if kind == "csv":
        return csv_tape(Path(directory, name), seconds)
    raise TapeError("kind", kind, f"one of {', '.join(TAPES)}")
