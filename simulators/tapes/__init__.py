"""Tapes: what the markets did, synthetic from a seed, recorded, or in the user's own files.

`load_tape` is the door. A tape says in its label what is derived or assumed; nothing here knows of a venue's protocol,
of the network or of the gateway.
"""

from simulators.core.tape import Tape
from simulators.tapes.errors import TapeError
from simulators.tapes.markets import MARKETS
from simulators.tapes.parameters import load_fitted
from simulators.tapes.synthetic import SyntheticTape

__all__ = ["TAPES", "TapeError", "load_tape"]

TAPES: dict[str, dict[str, str]] = {
    "synthetic": {
        "cu": "SHFE copper x LME copper 3M with USD/CNH: fair = LME x FX x 1.13, seeded",
        "au": "SHFE gold x COMEX gold with USD/CNH: fair = GC x FX / 31.1034768, seeded",
    },
}
"""Names by kind, each with one line on what it is."""


def load_tape(kind: str, name: str, directory: str, seed: int, seconds: int) -> Tape:
    """The tape `name` of `kind`; TapeError when there is none, or its files cannot be used."""
    if kind not in TAPES:
        raise TapeError("kind", kind, f"one of {', '.join(TAPES)}")
    if seconds <= 0:
        raise TapeError("seconds", seconds, "a whole number above 0")
    if name not in TAPES[kind]:
        raise TapeError("name", name, f"one of {', '.join(TAPES[kind])}")
    return SyntheticTape(MARKETS[name], load_fitted(), seed, seconds)
