"""From an approved intent, or a repair plan, to orders. Quantities and prices are decided before; this gives them form."""

from collections.abc import Callable, Sequence

from gateway.execution.ledger import Ledger
from gateway.execution.order_book import OwnOrder
from gateway.execution.pair_trade import Leg, PairTrade
from gateway.execution.repair import RepairOrder
from gateway.execution.risk import RiskApproved, limit_px_ticks
from gateway.model.base import PRICE_E9
from gateway.model.order import Order, OrdType, Side, TimeInForce
from gateway.model.trade import Intent


def open_trade(approved: RiskApproved, ledger: Ledger, trade_id: str) -> PairTrade:
    """The pair trade of an approved intent, with its legs and no order yet."""
    intent = approved.intent
    legs = tuple(_leg(intent, index, ledger) for index in range(len(intent.legs)))
    return PairTrade(trade_id, intent, legs, approved.at_ns)


def first_orders(trade: PairTrade, ledger: Ledger, next_id: Callable[[], str]) -> list[OwnOrder]:
    """Every order of the first dispatch: both legs are built before either is sent."""
    spec = ledger.settings.pairs[trade.intent.pair_id]
    made: list[OwnOrder] = []
    for index, leg in enumerate(trade.legs):
        px_ticks = limit_px_ticks(ledger, trade.intent, index)
        time_in_force = spec.legs[index].time_in_force
        made += _orders(trade, index, leg.side, 1, leg.target_lots, px_ticks, time_in_force, ledger, next_id)
    return made


def repair_orders(
    trade: PairTrade, wanted: Sequence[RepairOrder], ledger: Ledger, next_id: Callable[[], str]
) -> list[OwnOrder]:
    """The orders of a repair: immediate-or-cancel where the venue has it, and never above the venue's largest size."""
    made: list[OwnOrder] = []
    for one in wanted:
        leg = trade.legs[one.leg_index]
        instrument = ledger.settings.instruments[leg.instrument_id]
        offered = ledger.settings.venues[leg.venue_id].time_in_force
        time_in_force = TimeInForce.IOC if TimeInForce.IOC in offered else TimeInForce.DAY
        lots = min(one.qty_lots, instrument.max_qty_lots)
        made += _orders(
            trade, one.leg_index, one.side, one.direction, lots, one.px_ticks, time_in_force, ledger, next_id
        )
    return made


def _leg(intent: Intent, index: int, ledger: Ledger) -> Leg:
    leg = intent.legs[index]
    instrument = ledger.settings.instruments[leg.instrument_id]
    return Leg(
        leg.instrument_id,
        instrument.venue_id,
        leg.side,
        leg.ratio_lots,
        leg.qty_lots,
        leg.vwap_e9,
        leg.value_per_tick_e9,
        int(instrument.tick * PRICE_E9),
    )


def _orders(
    trade: PairTrade,
    index: int,
    side: Side,
    direction: int,
    lots: int,
    px_ticks: int,
    time_in_force: TimeInForce,
    ledger: Ledger,
    next_id: Callable[[], str],
) -> list[OwnOrder]:
    """One order per PositionEffect(77) that the position makes necessary."""
    leg = trade.legs[index]
    instrument = ledger.settings.instruments[leg.instrument_id]
    made = []
    for part, effect in ledger.positions[leg.instrument_id].effects(side, lots):
        order = Order(
            next_id(),
            leg.venue_id,
            instrument.account or ledger.settings.venues[leg.venue_id].account,
            leg.instrument_id,
            side,
            part,
            OrdType.LIMIT,
            px_ticks,
            time_in_force,
            effect,
            instrument.hedge_flag,
        )
        made.append(OwnOrder(order, trade.trade_id, index, direction, px_ticks * leg.tick_e9))
    return made
