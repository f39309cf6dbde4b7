"""Which checks of the gate can refuse an intent of a pair at all: a limit that the settings do not set refuses nothing.

The gate leaves the others out, to save their microseconds. What can go wrong: a check that is left out and could
refuse after all; a test compares the ladder with and without.
"""

from gateway.execution.ledger import ExecutionSettings
from gateway.model.instrument import PositionModel
from gateway.model.site import PairSpec
from gateway.model.trade import RefusalName


def can_refuse(name: RefusalName, spec: PairSpec, settings: ExecutionSettings) -> bool:
    """False where the settings set it no limit for this pair."""
    names = [leg.instrument_id for leg in spec.legs]
    instruments = [settings.instruments[one] for one in names]
    substitutes = [settings.instruments[leg.substitute_id] for leg in spec.legs if leg.substitute_id]
    venues = [settings.venues[one.venue_id] for one in instruments + substitutes]
    limited = {
        RefusalName.FIXING: bool(spec.fixing_date),
        RefusalName.PAIR_COLLAR: spec.collar_e9 is not None,
        RefusalName.LEGGED_VALUE: spec.legged_value_limit_e9 is not None,
        RefusalName.NOT_SELLABLE: any(one.position_model is PositionModel.T_PLUS_1 for one in instruments),
        RefusalName.VENUE_POSITION: any(
            one.max_gross_lots is not None or one.max_net_lots is not None for one in venues
        ),
        RefusalName.MARGIN: any(one.margin_available_e9 is not None for one in venues),
        RefusalName.CURRENCY_EXPOSURE: bool(spec.max_currency_e9 or settings.limits.max_currency_e9),
        RefusalName.CANCELS_PER_DAY: any(
            settings.instrument_limits[one].max_cancels_per_day is not None for one in names
        ),
        RefusalName.DAILY_LOSS: spec.currency in settings.limits.daily_loss_e9,
    }
    return limited.get(name, True)
