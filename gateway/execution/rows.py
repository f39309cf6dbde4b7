"""What the gate and dispatch look up of an instrument and of a pair, side by side: made once, of the settings.

Nothing here decides and nothing here changes: a row holds facts and limits of the settings, and where the parts that
move (session, position) are kept. It is here for the microseconds of an intent, which would else be spent on the way
through the settings, a dozen times for each leg.

What can go wrong: settings that change after the ledger was made. They do not: other settings are another ledger.
"""

from fractions import Fraction
from typing import NamedTuple

from gateway.execution.positions import Position
from gateway.execution.venue_state import VenueState
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.site import InstrumentLimits, PairSpec, VenueSpec, leg_side


class InstrumentRow(NamedTuple):
    """One instrument that may be ordered."""

    venue_id: str
    account: str
    hedge_flag: str
    tick_e9: int
    min_qty_lots: int
    max_qty_lots: int
    value_e9: tuple[int, int]
    """Of one lot for each tick of its price, in 1e-9 of its currency: an exact fraction."""
    limits: InstrumentLimits
    state: VenueState
    position: Position


class LegRow(NamedTuple):
    """A leg as an intent of its pair must have it, on one side of the pair."""

    instrument_id: str
    side: Side
    ratio_lots: int


class PairRow(NamedTuple):
    """One pair."""

    spec: PairSpec
    legs: dict[Side, tuple[LegRow, ...]]
    """By the side of the pair."""
    pay_up_ticks: tuple[int, ...]
    venue_ids: tuple[str, ...]
    """Venues of its legs, each once, in order, then those of their substitutes."""


def instrument_row(
    one: Instrument, limits: InstrumentLimits, venue: VenueSpec, state: VenueState, position: Position
) -> InstrumentRow:
    """Of an instrument with limits."""
    each_e9 = Fraction(one.tick) * Fraction(one.point_value) * PRICE_E9
    return InstrumentRow(
        one.venue_id,
        one.account or venue.account,
        one.hedge_flag,
        int(one.tick * PRICE_E9),
        one.min_qty_lots,
        one.max_qty_lots,
        each_e9.as_integer_ratio(),
        limits,
        state,
        position,
    )


def pair_row(spec: PairSpec, instruments: dict[str, Instrument]) -> PairRow:
    """Of a pair of these instruments."""
    named = [leg.instrument_id for leg in spec.legs] + [leg.substitute_id for leg in spec.legs if leg.substitute_id]
    return PairRow(
        spec,
        {
            side: tuple(
                LegRow(leg.instrument_id, leg_side(spec, side, index), leg.ratio_lots)
                for index, leg in enumerate(spec.legs)
            )
            for side in Side
        },
        tuple(leg.pay_up_ticks for leg in spec.legs),
        tuple(dict.fromkeys(instruments[name].venue_id for name in named)),
    )
