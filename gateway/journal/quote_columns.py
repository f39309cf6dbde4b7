"""The flat columns of a recorded quote: their names, their kinds, and a quote's way there and back. Pure.

Prices stay whole ticks; `tick` beside them is the tick as an exact decimal, so that price = ticks x tick without our
code and without a float. Times are nanoseconds: `recv_ns`, `pub_ns`, `at_ns`, `calibrated_ns` on the monotonic clock
of `clock_host` in `clock_boot_id`, `venue_ns` since 1970 UTC on the venue's clock; `utc_minus_monotonic_ns`, as the
recorder read it when the segment began, turns the former into UTC. An absent price or level is null.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.model.quote import BookState, Levels, Quote
from gateway.model.record import Observed

LEAST_DEPTH = 5
"""Levels a side that a file has columns for at least, so that files of one site have the same columns."""

WORD, WHOLE, SMALL, YES_NO, DECIMAL = "word", "whole", "small", "yes_no", "decimal"
"""Kinds of columns: few different texts, 64 bits, 32 bits, true or false, exact with nine decimals."""

_HEAD = {
    "instrument_id": WORD,
    "state": WORD,
    "recv_ns": WHOLE,
    "venue_ns": WHOLE,
    "calibrated_ns": WHOLE,
    "bound_ns": WHOLE,
    "pub_ns": WHOLE,
    "at_ns": WHOLE,
    "tick": DECIMAL,
}
_TAIL = {
    "last_px_ticks": WHOLE,
    "last_qty_lots": WHOLE,
    "repaired": YES_NO,
    "missed_before": SMALL,
    "detail": WORD,
    "msg_seq_num": WHOLE,
    "rpt_seq": WHOLE,
    "feed_incarnation": WHOLE,
    "feed_seq": WHOLE,
    "clock_host": WORD,
    "clock_boot_id": WORD,
    "utc_minus_monotonic_ns": WHOLE,
    "filled": YES_NO,
}


class SegmentClock(NamedTuple):
    """Whose monotonic clock the times of a segment are on, and how far UTC was ahead of it when it began."""

    host: str
    boot_id: str
    utc_minus_monotonic_ns: int


class RecordedQuote(NamedTuple):
    """A quote of the record: as it was observed, after how many that the recorder missed, by which clock."""

    observed: Observed
    quote: Quote
    missed_before: int
    clock: SegmentClock


def columns(depth: int) -> dict[str, str]:
    """Name and kind of every column, in their order, for a book of `depth` levels."""
    levels = {
        f"{side}_{what}_{level}": WHOLE
        for level in range(1, depth + 1)
        for side in ("bid", "ask")
        for what in ("px_ticks", "qty_lots")
    }
    return {**_HEAD, **levels, **_TAIL}


def row(one: RecordedQuote, tick: Decimal | None, depth: int) -> list[object]:
    """The values of the columns."""
    seen, quote, clock = one.observed, one.quote, one.clock
    values: list[object] = [
        quote.instrument_id, quote.state.value, quote.recv_ns, quote.venue_ns, quote.calibrated_ns, quote.bound_ns,
        quote.pub_ns, seen.at_ns, tick,
    ]  # fmt: skip
    bids, asks = quote.bids, quote.asks
    for level in range(depth):
        values += bids[level] if level < len(bids) else (None, None)
        values += asks[level] if level < len(asks) else (None, None)
    values += [
        quote.last_px_ticks, quote.last_qty_lots, seen.repaired, one.missed_before, quote.detail, quote.msg_seq_num,
        quote.rpt_seq, seen.incarnation, seen.seq, *clock, seen.filled,
    ]  # fmt: skip
    return values


def quote_of(values: Mapping[str, Any], depth: int) -> RecordedQuote:
    """The recorded quote that these values came from."""
    quote = Quote(
        values["instrument_id"], BookState(values["state"]),
        _levels(values, "bid", depth), _levels(values, "ask", depth),
        values["recv_ns"], values["venue_ns"], values["pub_ns"], values["msg_seq_num"], values["rpt_seq"],
        values["calibrated_ns"], values["bound_ns"], values["last_px_ticks"], values["last_qty_lots"], values["detail"],
    )  # fmt: skip
    filled = bool(values.get("filled"))  # a file of an earlier version has no such column
    seen = Observed(values["at_ns"], values["feed_incarnation"], values["feed_seq"], quote, values["repaired"], filled)
    clock = SegmentClock(values["clock_host"], values["clock_boot_id"], values["utc_minus_monotonic_ns"])
    return RecordedQuote(seen, quote, values["missed_before"], clock)


def depth_of(names: Sequence[str]) -> int:
    """How many levels a side a file with these columns has."""
    return sum(name.startswith("bid_px_ticks_") for name in names)


def _levels(values: Mapping[str, Any], side: str, depth: int) -> Levels:
    found = ((values[f"{side}_px_ticks_{level}"], values[f"{side}_qty_lots_{level}"]) for level in range(1, depth + 1))
    return tuple(level for level in found if level[0] is not None)
