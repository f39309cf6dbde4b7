"""A `[[pair]]` of a site file as the value that the programs take, and what its lots leave over.

Units and named factors become one factor, a formula of names becomes its text with what the names are. It judges
nothing: `site_checks.py` and `site_formula.py` have.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from gateway.journal.told import Told, joined, told
from gateway.model.base import PRICE_E9
from gateway.model.order import TimeInForce
from gateway.model.site import FormulaKind, LegSpec, PairSpec
from gateway.processes.durations import MS, SECOND
from gateway.processes.fixings import ALWAYS
from gateway.processes.site_align import residuals_told
from gateway.processes.site_file import InstrumentSection, PairSection, SiteFile
from gateway.processes.site_formula import formula_of, is_expression, rate_of
from gateway.trigger.units import unit_factor


def lots_notes(written: SiteFile, known: Mapping[str, InstrumentSection]) -> list[Told]:
    """The lots of every pair, and what they leave over."""
    made = []
    for pair in written.pair:
        lots = " : ".join(f"{leg.ratio_lots} {leg.instrument}" for leg in pair.leg)
        left = residuals_told(pair, known)
        if left:
            made.append(told("pair {}: {}; left over of each other leg: {}", pair.id, lots, joined("; ", left)))
    return made


def pair_spec(pair: PairSection, instruments: Mapping[str, InstrumentSection]) -> PairSpec:
    """The pair, with its formula where it has one of names."""
    formula = formula_of(pair, instruments) if is_expression(pair) else None
    ways = (0,) * len(pair.leg) if formula is None else formula.directions
    legs = tuple(
        LegSpec(
            instrument_id=leg.instrument,
            ratio_lots=leg.ratio_lots,
            factor=Fraction(1) if formula else _factor(instruments[leg.instrument].unit, pair.unit, leg.factors),
            fx_instrument_id=rate_of(pair, place, instruments),
            fx_rate=leg.fx_rate,
            pay_up_ticks=leg.pay_up_ticks,
            time_in_force=TimeInForce[leg.time_in_force],
            max_quote_age_ns=leg.max_quote_age_ms * MS,
            substitute_id=leg.substitute,
            name=leg.name,
            direction=ways[place],
        )
        for place, leg in enumerate(pair.leg)
    )
    return PairSpec(
        pair_id=pair.id,
        formula=FormulaKind(pair.formula) if formula is None else formula.kind,
        expression=None if formula is None else formula.spec,
        currency=pair.currency,
        unit=pair.unit,
        charges_e9=_e9(pair.charges),
        legs=legs,
        max_quote_skew_ns=pair.max_quote_skew_ms * MS,
        slippage_budget_e9=_e9(pair.slippage_budget),
        repair_pay_up_ticks=pair.repair_pay_up_ticks,
        legged_limit_ns=pair.legged_limit_ms * MS,
        order_timeout_ns=pair.order_timeout_ms * MS,
        max_open_trades=pair.max_open_trades,
        max_units=pair.max_units,
        dispatch=pair.dispatch,
        lead_leg=(pair.lead_leg or 1) - 1,
        in_doubt=pair.in_doubt,
        in_doubt_limit_ns=pair.in_doubt_limit_ms * MS,
        repair_retry_ns=pair.repair_retry_ms * MS,
        repair_book_wait_ns=pair.repair_book_wait_ms * MS,
        shut_reserve_ns=pair.shut_reserve_s * SECOND,
        collar_e9=_e9_or_none(pair.collar),
        legged_value_limit_e9=_e9_or_none(pair.legged_value_limit),
        residual_lots_e9=_e9(pair.residual_lots),
        max_currency_e9={currency: _e9(most) for currency, most in pair.max_currency.items()},
        fixing_date=fixing_date(pair),
        max_fx_age_ns=pair.max_fx_age_ms * MS,
        max_orders_per_trade=pair.max_orders_per_trade,
        quote_slop_ticks=pair.quote_slop_ticks,
        quote_interval_ns=pair.quote_interval_ms * MS,
        quote_life_ns=pair.quote_life_ms * MS,
    )


def fixing_date(pair: PairSection) -> str:
    """The one day on which all its fixed rates hold; empty where none is bound to a day."""
    dates = [leg.fx_date for leg in pair.leg if leg.fx_rate is not None and leg.fx_date not in {"", ALWAYS}]
    return min(dates, default="")


def _factor(from_unit: str, to_unit: str, factors: Mapping[str, Decimal]) -> Fraction:
    exact = unit_factor(from_unit, to_unit)
    for named in factors.values():
        exact *= Fraction(named)
    return exact


def _e9(value: Decimal) -> int:
    """`value` in whole 1e-9; the checks have seen to it that it is one."""
    return int(value * PRICE_E9)


def _e9_or_none(value: Decimal | None) -> int | None:
    return None if value is None else _e9(value)
