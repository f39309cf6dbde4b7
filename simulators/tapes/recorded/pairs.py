"""The recorded pairs by name: which sources, from what time of day, and what the label must say of them.

A name may carry its own start: `if-cn-20140129@04:24:00` begins there instead of at the documented time.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from simulators.tapes.errors import TapeError
from simulators.tapes.parameters import load_fitted
from simulators.tapes.recorded.cffex_bars import if_bars
from simulators.tapes.recorded.cffex_ticks import if_ticks
from simulators.tapes.recorded.oanda_xauusd import xauusd_ticks
from simulators.tapes.recorded.sgx_cn import cn_book
from simulators.tapes.recorded.window import RecordedTape, Source
from simulators.tapes.text import time_of_day_ns

DATES_DIFFER = "DATES DIFFER: aligned by time of day, so spread and profit mean nothing"


class RecordedPair(NamedTuple):
    """`start` is the first whole minute, Beijing, at which both sides have a book and trade continuously."""

    description: str
    start: str
    warning: str
    sources: Callable[[Path, int], tuple[Source, Source]]


PAIRS = {
    "if-cn-20140129": RecordedPair(
        "CFFEX IF (derived from one-minute bars) x SGX CN best-3 book, both of 2014-01-29",
        "09:16:00",
        "same day, Beijing time",
        lambda folder, seed: (if_bars(folder, load_fitted(), seed), cn_book(folder)),
    ),
    "if-cn-ticks": RecordedPair(
        "CFFEX IF2101 ticks of 2021-01-04 x SGX CN book of 2014-01-29, aligned by time of day",
        "09:31:00",
        DATES_DIFFER,
        lambda folder, _: (if_ticks(folder), cn_book(folder)),
    ),
    "if-xauusd": RecordedPair(
        "CFFEX IF2101 ticks of 2021-01-04 x XAUUSD ticks of 2014-05-05, aligned by time of day",
        "09:31:00",
        DATES_DIFFER,
        lambda folder, _: (if_ticks(folder), xauusd_ticks(folder)),
    ),
}


def recorded_tape(name: str, directory: Path, seed: int, seconds: int) -> RecordedTape:
    """The pair `name` from the recorded sets under `directory`; TapeError when either is not there."""
    base, _, asked = name.partition("@")
    pair = PAIRS.get(base)
    if pair is None:
        raise TapeError(
            "name", name, f"one of {', '.join(PAIRS)}, or one with its start as in {next(iter(PAIRS))}@10:00:00"
        )
    if not directory.is_dir():
        raise TapeError("directory", str(directory), "the folder of the recorded sets")
    start = asked or pair.start
    sources = pair.sources(directory, seed)
    notes = "; ".join(source.note for source in sources)
    label = f"recorded {base} from {start} Beijing, {seconds} s, {pair.warning}: {notes}"
    return RecordedTape(base, label, sources, time_of_day_ns(start, "name"), seconds)
