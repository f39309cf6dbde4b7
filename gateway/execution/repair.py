"""How an unbalanced pair trade is made whole: which units to end with, and what to trade for it.

For every whole number of units k from none to as many as its largest leg holds, each leg lacks or exceeds k x ratio
lots. What it lacks is bought on at today's book against the price that the decision saw; what it exceeds is sold back
against what it cost. The k with the least cost wins (the larger k on a tie); completing (k > 0) is allowed only while
its cost stays within the slippage budget of k units, unwinding (k = 0) always. Re-hedge (补单) and unwind (回退) are the
two ends of this choice, and a remainder that the lot ratio cannot hedge falls out of it.

What can go wrong: a book that cannot be traded on. Then nothing is planned, and the reason says which.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.execution.pair_trade import Leg, PairTrade
from gateway.model.order import Side
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.site import PairSpec


class RepairOrder(NamedTuple):
    """One order of a repair. `direction` is +1 when it adds to the leg, -1 when it unwinds it."""

    leg_index: int
    side: Side
    direction: int
    qty_lots: int
    px_ticks: int


class Plan(NamedTuple):
    """What to trade to end with `units`; `cost_e9` is its estimate in money of the pair's currency."""

    units: int
    cost_e9: int
    orders: tuple[RepairOrder, ...]


class Blocked(NamedTuple):
    """A leg cannot be traded now."""

    reason: str


def plan(trade: PairTrade, spec: PairSpec, quotes: Mapping[str, Quote], pay_up_ticks: int) -> Plan | Blocked:
    """The cheapest allowed way to balance, from the books as they are now."""
    most = max(-(-leg.filled_lots // leg.ratio_lots) for leg in trade.legs)
    candidates: list[Plan] = []
    reasons: list[str] = []
    for units in range(max(most, 0), -1, -1):
        found = _to_units(trade, units, quotes, pay_up_ticks)
        if isinstance(found, Blocked):
            reasons.append(found.reason)
        elif units == 0 or found.cost_e9 <= units * spec.slippage_budget_e9:
            candidates.append(found)
    if not candidates:
        return Blocked(reasons[0])
    return min(candidates, key=lambda one: one.cost_e9)


def _to_units(trade: PairTrade, units: int, quotes: Mapping[str, Quote], pay_up_ticks: int) -> Plan | Blocked:
    cost_e9 = 0
    orders: list[RepairOrder] = []
    for index, leg in enumerate(trade.legs):
        lots = units * leg.ratio_lots - leg.filled_lots
        if not lots:
            continue
        side = leg.side if lots > 0 else leg.side.opposite
        direction = 1 if lots > 0 else -1
        quote = quotes.get(leg.instrument_id)
        reason = _untradable(leg.instrument_id, quote, side)
        if reason or quote is None:
            return Blocked(reason)
        levels = quote.asks if side is Side.BUY else quote.bids
        cost_e9 += _cost_e9(leg, side, abs(lots), levels)
        orders.append(RepairOrder(index, side, direction, abs(lots), levels[0][0] + side.sign * pay_up_ticks))
    return Plan(units, cost_e9, tuple(orders))


def _untradable(instrument_id: str, quote: Quote | None, side: Side) -> str:
    if quote is None:
        return f"{instrument_id}: no quote yet"
    levels = quote.asks if side is Side.BUY else quote.bids
    if quote.state in (BookState.ONE_SIDED, BookState.LIMIT_LOCKED) and levels:
        return ""  # the side that we need is there
    if quote.state is not BookState.OK or not levels:
        return f"{instrument_id}: {quote.state.value} {quote.detail}".rstrip()
    return ""


def _cost_e9(leg: Leg, side: Side, lots: int, levels: Levels) -> int:
    """Money that trading `lots` costs against the price that counts: the one seen when adding, the one paid when not.

    Lots that the book does not show are taken at its last level: they will not be filled better.
    """
    left, value = lots, 0
    px_ticks = levels[0][0]
    for px_ticks, size_lots in levels:
        taken = min(left, size_lots)
        value += taken * px_ticks
        left -= taken
        if not left:
            break
    value += left * px_ticks
    against_e9 = leg.seen_px_e9 if side is leg.side else leg.average_px_e9
    worse_e9 = side.sign * (value * leg.tick_e9 - lots * against_e9)
    return worse_e9 * leg.value_per_tick_e9 // leg.tick_e9
