"""What a tape is: the true market of some instruments over some time, before any venue or network touches it.

A tape decides what the books hold and what others trade. It does not decide when anybody learns of it (network), nor
what time a venue writes on it (clock). Times are nanoseconds since the start of the tape; prices are whole ticks and
sizes whole lots of the instrument.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple, Protocol


class TapeInstrument(NamedTuple):
    """A contract as the tape knows it. `trading_date` is the original one (YYYYMMDD), kept for calendars."""

    venue: str
    symbol: str
    tick: Decimal
    currency: str
    trading_date: str
    high_limit_ticks: int | None = None
    low_limit_ticks: int | None = None
    prev_settlement_ticks: int | None = None


class TapeBook(NamedTuple):
    """The true book of `symbol` from `at_ns` on: levels best first, (px_ticks, qty_lots)."""

    at_ns: int
    venue: str
    symbol: str
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]


class TapeTrade(NamedTuple):
    """Others traded `qty_lots` at `px_ticks`; `aggressor` is FIX's Side(54) of the taker, "1" buy, "2" sell."""

    at_ns: int
    venue: str
    symbol: str
    px_ticks: int
    qty_lots: int
    aggressor: str


class TapeStatus(NamedTuple):
    """SecurityTradingStatus(326) of `symbol` from `at_ns` on."""

    at_ns: int
    venue: str
    symbol: str
    status: str


TapeEvent = TapeBook | TapeTrade | TapeStatus


class Tape(Protocol):
    """Events in order of `at_ns`, ties in the order of the source; iterating twice gives the same events."""

    @property
    def name(self) -> str:
        """One word for reports: "synthetic-cu", "if-cn-20140129"."""

    @property
    def label(self) -> str:
        """What a reader of a report has to know of it: derived from bars, dates that differ, parameters and seed."""

    @property
    def instruments(self) -> tuple[TapeInstrument, ...]: ...

    @property
    def duration_ns(self) -> int: ...

    def events(self) -> Iterator[TapeEvent]: ...
