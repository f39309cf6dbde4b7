"""What the market would have made of the trades that shadow did not send. Pure but for reading the run's record.

A would-be trade is an intent that execution refused because its stage sends nothing. Its legs are compared with the
recorded books: the first quote of each leg's instrument that left its venue (or, without a calibrated time, arrived)
at or after the decision. Filled means that this book still held the size at the decision's own limit, on every leg.
Slippage is what that book's walk would have cost against the price that the decision saw, positive a loss.

It is an estimate, and says so: the next quote may come later than our order would have, nobody reacts to us, and the
gate's later checks were not run. What has no quote afterwards is not compared and counted apart.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.journal.fold import RunStory
from gateway.journal.parquet import recorded_quotes
from gateway.journal.record_files import segments_of
from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
from gateway.model.trade import IntentLeg, RefusalName

SENDS_NOTHING = "sends nothing"
HORIZON_NS = 5_000_000_000
"""A quote later than this after the decision says nothing of it."""


class WouldBe(NamedTuple):
    """Would-be trades against the market afterwards."""

    intents: int
    compared: int
    filled: int
    slippage_e9: list[int]
    """Of each compared one that would have been filled, in money of its pair's currency for one unit."""


def would_be(story: RunStory, run_dir: Path) -> WouldBe:
    """Every would-be trade of this part of a run, compared."""
    named = {one.refusal.intent_id for one in story.refusals
             if one.refusal.name is RefusalName.STAGE and one.refusal.figures.endswith(SENDS_NOTHING)}  # fmt: skip
    intents = [one for one in story.intents if one.intent_id in named]
    books = _books(run_dir, {leg.instrument_id for one in intents for leg in one.legs}) if intents else {}
    compared = filled = 0
    slipped: list[int] = []
    for one in intents:
        found = [_after(books.get(leg.instrument_id, []), one.decided_ns) for leg in one.legs]
        if any(quote is None for quote in found):
            continue
        compared += 1
        costs = [_cost_e9(leg, quote) for leg, quote in zip(one.legs, found, strict=True) if quote is not None]
        if all(cost is not None for cost in costs):
            filled += 1
            slipped.append(sum(cost for cost in costs if cost is not None) // one.units)
    return WouldBe(len(intents), compared, filled, slipped)


def _books(run_dir: Path, names: set[str]) -> dict[str, list[tuple[int, Quote]]]:
    found: dict[str, list[tuple[int, Quote]]] = defaultdict(list)
    for quote in _quotes(run_dir):
        if quote.instrument_id in names and quote.state is BookState.OK:
            found[quote.instrument_id].append((quote.calibrated_ns or quote.recv_ns, quote))
    return {name: sorted(rows, key=lambda row: row[0]) for name, rows in found.items()}


def _quotes(run_dir: Path) -> Iterator[Quote]:
    for segment in segments_of(run_dir):
        for one in recorded_quotes(segment):
            if not one.observed.filled:
                yield one.quote


def _after(rows: list[tuple[int, Quote]], at_ns: int) -> Quote | None:
    place = bisect_left(rows, at_ns, key=lambda row: row[0])
    if place == len(rows) or rows[place][0] - at_ns > HORIZON_NS:
        return None
    return rows[place][1]


def _cost_e9(leg: IntentLeg, quote: Quote) -> int | None:
    """What the walk costs beyond the price seen, in the pair's money; None where the size is not there at the limit."""
    levels = quote.asks if leg.side is Side.BUY else quote.bids
    left, sum_ticks = leg.qty_lots, 0
    for px_ticks, lots in levels:
        if (px_ticks - leg.px_ticks) * leg.side.sign > 0:
            break
        taken = min(left, lots)
        left -= taken
        sum_ticks += taken * px_ticks
    if left:
        return None
    return (sum_ticks - leg.qty_lots * leg.px_ticks) * leg.side.sign * leg.value_per_tick_e9
