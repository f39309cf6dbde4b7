"""How an unbalanced pair trade is made whole: which units to end with, and what to trade for it.

For every whole number of units k from none to as many as its largest leg holds, each leg lacks or exceeds k x ratio
lots. What it lacks is traded at today's book against the price that the decision saw; what it exceeds is traded back
against what it cost. The k with the least cost wins (the larger k on a tie); completing (k > 0) is allowed only while
its cost stays within the slippage budget of k units, unwinding (k = 0) always. Re-hedge (补单) and unwind (回退)
are the two ends of this choice, and a remainder that the lot ratio cannot hedge is settled by it too.

A leg whose instrument cannot be traded now is traded in its substitute, where the pair names one. Lots are unwound
where they are held; what the own instrument cannot give back, or holds no more, is sold off in the substitute, so that
the own one is never unwound beyond nothing. Sizes are the venue's: an order is never above its largest (the rest
follows with the next attempt), and what is below its smallest cannot be traded at all.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.execution.pair_trade import Leg, PairTrade
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.site import PairSpec


class RepairOrder(NamedTuple):
    """One order of a repair. `direction` is +1 when it adds to the leg, -1 when it unwinds it."""

    leg_index: int
    instrument_id: str
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
    """A leg cannot be traded now; it may be later."""

    reason: str


class Impossible(NamedTuple):
    """No order of the venue's sizes can balance it."""

    reason: str


class Market(NamedTuple):
    """What a repair may trade: books by instrument, why others are closed, and what is true of each contract."""

    quotes: Mapping[str, Quote]
    closed: Mapping[str, str]
    instruments: Mapping[str, Instrument]
    sellable: Mapping[str, int]
    """Lots that may be sold today of what is bought today and sold tomorrow; no entry: no such limit."""


def plan(
    trade: PairTrade,
    spec: PairSpec,
    quotes: Mapping[str, Quote],
    closed: Mapping[str, str],
    instruments: Mapping[str, Instrument],
    *,
    unwind_only: bool = False,
    hurry: bool = False,
    sellable: Mapping[str, int] | None = None,
) -> Plan | Blocked | Impossible:
    """The cheapest allowed way to balance, from the books as they are now.

    In a `hurry`, a leg's market shuts soon: the largest pay-up is used at once.
    """
    market = Market(quotes, closed, instruments, sellable or {})
    last = len(spec.repair_pay_up_ticks) - 1
    pay_up_ticks = spec.repair_pay_up_ticks[last if hurry else min(trade.attempts, last)]
    most = 0 if unwind_only else max(-(-leg.filled_lots // leg.ratio_lots) for leg in trade.legs)
    most = min(most, trade.intent.units)  # the gate has approved no more, whatever a late fill has added
    candidates: list[Plan] = []
    obstacles: list[Blocked | Impossible] = []
    for units in range(max(most, 0), -1, -1):
        found = _to_units(trade, units, market, pay_up_ticks)
        if not isinstance(found, Plan):
            obstacles.append(found)
        elif units == 0 or found.cost_e9 <= units * spec.slippage_budget_e9:
            candidates.append(found)
    if candidates:
        return min(candidates, key=lambda one: one.cost_e9)
    return next((one for one in obstacles if isinstance(one, Blocked)), obstacles[0])


def _to_units(trade: PairTrade, units: int, market: Market, pay_up_ticks: int) -> Plan | Blocked | Impossible:
    cost_e9 = 0
    orders: list[RepairOrder] = []
    for index, leg in enumerate(trade.legs):
        lots = units * leg.ratio_lots - leg.filled_lots
        if not lots:
            continue
        side = leg.side if lots > 0 else leg.side.opposite
        found = _places(leg, lots, side, market)
        if isinstance(found, Blocked):
            return found
        for name, part in found:
            instrument = market.instruments[name]
            if part < instrument.min_qty_lots:
                text = f"{name}: {part} lots to trade, the venue's smallest order is {instrument.min_qty_lots}"
                return Impossible(text)
            levels = _levels(market.quotes[name], side)
            cost_e9 += _cost_e9(leg, side, part, levels)
            direction = 1 if lots > 0 else -1
            size = min(part, instrument.max_qty_lots)
            orders.append(RepairOrder(index, name, side, direction, size, levels[0][0] + side.sign * pay_up_ticks))
    return Plan(units, cost_e9, tuple(orders))


def _places(leg: Leg, lots: int, side: Side, market: Market) -> list[tuple[str, int]] | Blocked:
    """Where to trade `lots` of a leg, negative to unwind: instruments with their lots, all above nothing."""
    own, substitute = leg.instrument_id, leg.substitute_id
    closed = _obstacle(own, side, market) or _unsellable(own, side, abs(lots), market)
    if not substitute:
        return Blocked(closed) if closed else [(own, abs(lots))]
    here = 0 if closed else lots if lots > 0 else min(-lots, max(leg.held_in(own), 0))
    there = abs(lots) - here
    if there and (shut := _obstacle(substitute, side, market)):
        return Blocked(closed or shut)
    return [(name, part) for name, part in ((own, here), (substitute, there)) if part]


def _levels(quote: Quote, side: Side) -> Levels:
    return quote.asks if side is Side.BUY else quote.bids


def _unsellable(name: str, side: Side, lots: int, market: Market) -> str:
    """Why so many lots cannot be sold before tomorrow."""
    free = market.sellable.get(name)
    if side is Side.BUY or free is None or lots <= free:
        return ""
    return f"{name}: {lots} lots to sell, {free} may be sold today"


def _obstacle(name: str, side: Side, market: Market) -> str:
    """Why this instrument cannot be traded on this side now; empty when it can."""
    if name in market.closed:
        return market.closed[name]
    quote = market.quotes.get(name)
    if quote is None:
        return f"{name}: no quote"
    if quote.state in (BookState.ONE_SIDED, BookState.LIMIT_LOCKED, BookState.STALE) and _levels(quote, side):
        return ""  # the side that is needed is there; a silent market's last book is better than staying legged
    if quote.state is not BookState.OK or not _levels(quote, side):
        return f"{name}: {quote.state.value} {quote.detail}".rstrip()
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
