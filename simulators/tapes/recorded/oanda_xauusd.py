"""OANDA XAUUSD, 2014-05-05: bid and ask ticks of a spot CFD, as recorded. It stands in for GC; it is not GC.

Stamps are milliseconds since midnight UTC with up to four decimals; they become Beijing time (eight hours later), so
that a tape may join them to a domestic market by time of day. The file has no sizes: `ASSUMED_LOTS` on each side, one
level, is an assumption and the note says so. It has no trades.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus
from simulators.tapes.errors import TapeError, at_line
from simulators.tapes.recorded.window import HOUR_NS, READY, Census, Source
from simulators.tapes.text import present, text_lines, whole_ticks

FILE = "xauusd/tick_20140505_quote.zip"
VENUE, SYMBOL, TRADING_DATE = "OANDA", "XAUUSD", "20140505"
TICK = Decimal("0.001")
ASSUMED_LOTS = 100
BEIJING_NS = 8 * HOUR_NS
FIELDS = 3
NOTE = (
    f"XAUUSD: recorded bid and ask of 2014-05-05 (a spot CFD), one level, size {ASSUMED_LOTS} lots assumed, no trades "
    "recorded"
)


def xauusd_ticks(directory: Path) -> Source:
    """The stream of XAUUSD in the recorded sets under `directory`."""
    instrument = TapeInstrument(VENUE, SYMBOL, TICK, "USD", TRADING_DATE)
    return Source(instrument, partial(_read, present(directory / FILE)), NOTE)


def _read(path: Path, census: Census) -> Iterator[TapeEvent]:
    yield TapeStatus(BEIJING_NS, VENUE, SYMBOL, READY)
    for line, text in enumerate(text_lines(path), 1):
        fields = text.rstrip("\r\n").split(",")
        if len(fields) != FIELDS:
            raise TapeError(at_line(path, line), text.rstrip("\r\n"), "three fields: milliseconds, bid, ask")
        at_ns = BEIJING_NS + _ms_to_ns(fields[0], at_line(path, line, "milliseconds"))
        bid, ask = (
            whole_ticks(field, TICK, at_line(path, line, name))
            for field, name in ((fields[1], "bid"), (fields[2], "ask"))
        )
        census["quotes" if bid < ask else "locked"] += 1
        yield TapeBook(at_ns, VENUE, SYMBOL, ((bid, ASSUMED_LOTS),), ((ask, ASSUMED_LOTS),))


def _ms_to_ns(text: str, where: str) -> int:
    try:
        return int(Decimal(text) * 1_000_000)
    except InvalidOperation as error:
        raise TapeError(where, text, "milliseconds since midnight UTC, such as 40.1868") from error
