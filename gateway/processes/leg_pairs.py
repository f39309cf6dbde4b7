"""Pairs of one leg, one for each instrument that a client may order alone: such an order has everything that the gate
and the machines ask a pair for. Its name is the instrument's; no rule watches it.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from gateway.model.client import ClientSpec
from gateway.model.instrument import Instrument
from gateway.model.order import TimeInForce
from gateway.model.site import FormulaKind, LegSpec, PairSpec
from gateway.processes.durations import SECOND
from gateway.processes.site import VenueSettings

ORDER_TIMEOUT_NS = 5 * SECOND
"""An immediate order with no final word after this is cancelled, and after as much again asked about."""
MOST = 10**6
"""Of open trades and of units: the limits are the client's own, and the instrument's position limit."""


def leg_pairs(
    instruments: Mapping[str, Instrument], venues: Mapping[str, VenueSettings], clients: Iterable[ClientSpec]
) -> dict[str, PairSpec]:
    """By instrument; none where no client orders legs alone."""
    names = sorted({name for one in clients if one.leg_orders for name in one.instruments})
    return {
        name: _pair(instruments[name], venues[instruments[name].venue_id])
        for name in names
        if instruments[name].tradable
    }


def _pair(one: Instrument, venue: VenueSettings) -> PairSpec:
    offered = venue.spec.time_in_force
    force = TimeInForce.IOC if TimeInForce.IOC in offered else TimeInForce.DAY
    leg = LegSpec(one.instrument_id, 1, Fraction(1), "", None, 0, force, ORDER_TIMEOUT_NS)
    return PairSpec(
        pair_id=one.instrument_id,
        formula=FormulaKind.SPREAD,
        currency=one.currency,
        unit=one.unit,
        charges_e9=0,
        legs=(leg,),
        max_quote_skew_ns=SECOND,
        slippage_budget_e9=0,
        repair_pay_up_ticks=(0,),
        legged_limit_ns=60 * SECOND,
        order_timeout_ns=ORDER_TIMEOUT_NS,
        max_open_trades=MOST,
        max_units=MOST,
    )
