"""What a counter-price trade leaves: the edge against the fair price, less fees, financing and expected slippage.

In money of the pair's currency, for all units together; costs are rounded up, the edge as the formula rounds it, so
that the net edge is never too good. Fees are those of the instrument's row of the day: to open and to close again, or,
where the trade makes a position smaller, to close alone at the dearer of today's and yesterday's rate.

What can go wrong: no row of fees for the day. Then there is no edge, and the rule does not fire.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gateway.model.base import PRICE_E9
from gateway.model.conditions import Costs, FeeRow
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.trigger.depth import Walk
from gateway.trigger.price import PairFormula

DAYS_OF_YEAR = 365

Day = Callable[[str], str]
"""The day, YYYYMMDD, that fees of an instrument count by."""


class Edge(NamedTuple):
    """Money of the pair's currency in 1e-9, for all units."""

    gross_e9: int
    fees_e9: int
    financing_e9: int
    slippage_e9: int

    @property
    def net_e9(self) -> int:
        return self.gross_e9 - self.fees_e9 - self.financing_e9 - self.slippage_e9


class Trade(NamedTuple):
    """What is about to be traded: at which price, from which levels."""

    side: Side
    units: int
    px_e9: int
    walks: Sequence[Walk]
    opens: bool
    """It makes the position larger, so that it has to be closed again."""


def fee_row(instrument: Instrument, day: str) -> FeeRow | None:
    """The row that counts on `day`."""
    found = None
    for row in instrument.fees:
        if row.from_day <= day:
            found = row
    return found


def edge(formula: PairFormula, costs: Costs, trade: Trade, quotes: Mapping[str, Quote], day: Day) -> Edge | None:
    """What the trade leaves at its price; None where fees are not known."""
    fees_e9 = financing_e9 = slippage_e9 = 0
    for index, (leg, taken) in enumerate(zip(formula.legs, trade.walks, strict=True)):
        row = fee_row(leg.instrument, day(leg.spec.instrument_id))
        if row is None:
            return None
        tick_e9 = leg.value_per_tick_e9(formula.fx_ticks(trade.side, index, quotes))
        value_e9 = abs(taken.cost) * tick_e9
        per_lot_e9, rate_e9 = _fees(row, costs, opens=trade.opens)
        fees_e9 += _up(per_lot_e9 * taken.qty_lots * tick_e9, _point_e9(leg.instrument)) + _up(
            value_e9 * rate_e9, PRICE_E9
        )
        if index < len(costs.slippage_ticks):
            slippage_e9 += costs.slippage_ticks[index] * tick_e9 * taken.qty_lots
        if trade.opens and costs.holding_days:
            share_e9 = costs.financed_e9[index] if costs.financed_e9 else PRICE_E9
            part = value_e9 * share_e9 * costs.financing_rate_e9 * costs.holding_days
            financing_e9 += _up(part, PRICE_E9 * PRICE_E9 * DAYS_OF_YEAR)
    away_e9 = (costs.fair_e9 - trade.px_e9) * trade.side.sign
    gross_e9 = formula.money_e9(away_e9 * trade.units, quotes, trade.side)
    return Edge(gross_e9, fees_e9, financing_e9, slippage_e9)


def _fees(row: FeeRow, costs: Costs, *, opens: bool) -> tuple[int, int]:
    """Per lot, and as a share of the value: of the trade and, where it opens, of closing it again."""
    if not opens:
        return (
            max(row.close_per_lot_e9, row.close_today_per_lot_e9),
            max(row.close_rate_e9, row.close_today_rate_e9),
        )
    if costs.holding_days:
        return row.open_per_lot_e9 + row.close_per_lot_e9, row.open_rate_e9 + row.close_rate_e9
    return row.open_per_lot_e9 + row.close_today_per_lot_e9, row.open_rate_e9 + row.close_today_rate_e9


def _point_e9(instrument: Instrument) -> int:
    """What one tick of one lot is worth in the currency of the instrument itself, in 1e-9."""
    return int(instrument.tick * instrument.point_value * PRICE_E9)


def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
