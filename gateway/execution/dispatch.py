"""From an approved intent, or a repair plan, to orders. What to trade is decided before; this gives it form."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.execution.ledger import Ledger
from gateway.execution.order_book import OwnOrder
from gateway.execution.pair_trade import Leg, PairTrade
from gateway.execution.repair import RepairOrder
from gateway.execution.risk import RiskApproved, limit_px_ticks
from gateway.model.order import Order, OrdType, Side, TimeInForce
from gateway.model.quote import BookState, Quote
from gateway.model.site import PairSpec
from gateway.model.trade import Intent
from gateway.trigger.depth import Walk
from gateway.trigger.price import PairFormula

QUOTE_REACH_TICKS = 1000
"""How far from the touch, at the least, the price of a resting order is looked for."""
NextId = Callable[[], str]
_LIMIT = OrdType.LIMIT


def open_trade(approved: RiskApproved, ledger: Ledger, trade_id: str) -> PairTrade:
    """The pair trade of an approved intent, with its legs and no order yet."""
    intent = approved.intent
    legs = tuple(_leg(intent, index, ledger) for index in range(len(intent.legs)))
    return PairTrade(trade_id, intent, legs, approved.at_ns)


def first_orders(trade: PairTrade, indexes: Iterable[int], ledger: Ledger, next_id: NextId) -> list[OwnOrder]:
    """The first orders of these legs: all are built before any is sent."""
    spec = ledger.pairs[trade.intent.pair_id].spec
    made: list[OwnOrder] = []
    for index in indexes:
        leg = trade.legs[index]
        px_ticks = limit_px_ticks(ledger, trade.intent, index)
        wanted = RepairOrder(index, leg.instrument_id, leg.side, 1, leg.target_lots, px_ticks)
        made += _orders(trade, wanted, spec.legs[index].time_in_force, ledger, next_id)
    return made


def leg_orders(trade: PairTrade, force: TimeInForce, ledger: Ledger, next_id: NextId) -> list[OwnOrder]:
    """The orders of a trade of one leg, at the limit that was asked, for as long as `force` says."""
    leg = trade.legs[0]
    wanted = RepairOrder(0, leg.instrument_id, leg.side, 1, leg.target_lots, trade.intent.legs[0].px_ticks)
    return _orders(trade, wanted, force, ledger, next_id)


def hedge_orders(trade: PairTrade, lead: int, ledger: Ledger, next_id: NextId) -> list[OwnOrder]:
    """Orders for the whole units that the lead has filled and no order has hedged yet, at the intent's limits.

    Each unit is hedged once here; what such an order leaves unfilled is repaired when the lead is done, and so is a leg
    that cannot be traded now.
    """
    spec = ledger.settings.pairs[trade.intent.pair_id]
    # A late fill of a withdrawn quote may give the lead more than the intent asked: that is repaired, not hedged.
    units = min(trade.legs[lead].filled_lots // trade.legs[lead].ratio_lots, trade.intent.units)
    made: list[OwnOrder] = []
    for index, leg in enumerate(trade.legs):
        if index == lead or ledger.not_tradable(leg.instrument_id):
            continue
        lots = units * leg.ratio_lots - sum(own.order.qty_lots for own in leg.orders)
        if lots > 0:
            px_ticks = limit_px_ticks(ledger, trade.intent, index)
            wanted = RepairOrder(index, leg.instrument_id, leg.side, 1, lots, px_ticks)
            made += _orders(trade, wanted, spec.legs[index].time_in_force, ledger, next_id)
    return made


def quote_order(trade: PairTrade, px_ticks: int, ledger: Ledger, next_id: NextId) -> list[OwnOrder]:
    """The resting order of the lead, for what it still lacks."""
    lead = ledger.settings.pairs[trade.intent.pair_id].lead_leg
    leg = trade.legs[lead]
    wanted = RepairOrder(lead, leg.instrument_id, leg.side, 1, leg.target_lots - leg.filled_lots, px_ticks)
    return _orders(trade, wanted, TimeInForce.DAY, ledger, next_id) if wanted.qty_lots > 0 else []


def quote_px_ticks(trade: PairTrade, spec: PairSpec, ledger: Ledger, quotes: Mapping[str, Quote]) -> int | None:
    """Where the lead has to rest so that the pair, hedged at the other legs' books, meets its threshold.

    None while a book that it depends on cannot be traded on.
    """
    formula = ledger.formulas[spec.pair_id]
    for name in formula.instrument_ids:
        quote = quotes.get(name)
        if quote is None or quote.state is not BookState.OK:
            return None
    lead = trade.legs[spec.lead_leg]
    lots = lead.target_lots - lead.filled_lots
    units = max(1, lots // lead.ratio_lots)
    return _furthest_px_ticks(formula, spec.lead_leg, trade, units, quotes)


def _furthest_px_ticks(
    formula: PairFormula, lead: int, trade: PairTrade, units: int, quotes: Mapping[str, Quote]
) -> int | None:
    """The least favourable price of the lead at which the pair still meets its threshold, found by halving."""
    side, threshold_e9 = trade.intent.side, trade.intent.threshold_e9
    walks = formula.walks(side, units, quotes)
    if walks is None:
        return None
    lots = units * trade.legs[lead].ratio_lots
    buys = formula.leg_side(side, lead) is Side.BUY

    def meets(px_ticks: int) -> bool:
        given = [*walks[:lead], Walk(lots, px_ticks * lots, px_ticks), *walks[lead + 1 :]]
        px_e9 = formula.executable_e9(side, given, quotes)
        if px_e9 is None:
            return False
        return px_e9 <= threshold_e9 if side is Side.BUY else px_e9 >= threshold_e9

    touch = walks[lead].worst_px_ticks
    reach = max(QUOTE_REACH_TICKS, abs(touch))
    good, bad = (touch - reach, touch + reach) if buys else (touch + reach, touch - reach)
    if not meets(good):
        return None
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if meets(middle) else (good, middle)
    return good


def repair_orders(trade: PairTrade, wanted: Sequence[RepairOrder], ledger: Ledger, next_id: NextId) -> list[OwnOrder]:
    """The orders of a repair: immediate-or-cancel where the venue has it."""
    made: list[OwnOrder] = []
    for one in wanted:
        venue_id = ledger.settings.instruments[one.instrument_id].venue_id
        offered = ledger.settings.venues[venue_id].time_in_force
        time_in_force = TimeInForce.IOC if TimeInForce.IOC in offered else TimeInForce.DAY
        made += _orders(trade, one, time_in_force, ledger, next_id)
    return made


def _leg(intent: Intent, index: int, ledger: Ledger) -> Leg:
    leg = intent.legs[index]
    row = ledger.instruments[leg.instrument_id]
    return Leg(
        leg.instrument_id,
        row.venue_id,
        leg.side,
        leg.ratio_lots,
        leg.qty_lots,
        leg.vwap_e9,
        leg.value_per_tick_e9,
        row.tick_e9,
        ledger.pairs[intent.pair_id].spec.legs[index].substitute_id,
    )


def _orders(
    trade: PairTrade, wanted: RepairOrder, time_in_force: TimeInForce, ledger: Ledger, next_id: NextId
) -> list[OwnOrder]:
    """One order per PositionEffect(77) that the position makes necessary."""
    leg_index, instrument_id, side, direction, qty_lots, px_ticks = wanted
    row = ledger.instruments[instrument_id]
    assumed_px_e9 = px_ticks * trade.legs[leg_index].tick_e9
    made = []
    for lots, effect in row.position.effects(side, qty_lots):
        order = Order(
            next_id(),
            row.venue_id,
            row.account,
            instrument_id,
            side,
            lots,
            _LIMIT,
            px_ticks,
            time_in_force,
            effect,
            row.hedge_flag,
        )
        made.append(OwnOrder(order, trade.trade_id, leg_index, direction, assumed_px_e9))
    return made
