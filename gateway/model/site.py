"""What a site file says, as values that the pure cores take: pairs, rules, limits. Reading and checking the file is
`gateway/processes/settings.py`; nothing here has a default that a site could forget to think about.

Money is whole 1e-9 of the currency named; factors and rates are exact decimals; times are nanoseconds.
"""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from gateway.model.base import Message
from gateway.model.order import TimeInForce


class FormulaKind(StrEnum):
    """How the price of a pair is made of the prices of its legs."""

    SPREAD = "spread"
    """First leg minus the others, each times its factor and currency rate, in the pair's currency per pair unit."""
    RATIO = "ratio"
    """First leg divided by the second, each times its factor and rate."""


class LegSpec(Message):
    """One leg. `factor`, exact, turns the quoted price into the pair's unit, before currency: unit conversion x (1 + duty) x
    (1 + VAT). `fx_instrument_id` is the live reference that turns the leg's currency into the pair's, or `fx_rate` a
    fixing; both empty where the currency is the same.
    """

    instrument_id: str
    ratio_lots: int
    factor: Fraction
    fx_instrument_id: str
    fx_rate: Decimal | None
    pay_up_ticks: int
    """How far beyond the price that the decision saw the first order may fill."""
    time_in_force: TimeInForce
    max_quote_age_ns: int


class RuleSpec(Message):
    """Buy the pair at or below `buy_at_e9`, sell it at or above `sell_at_e9`; None: not on that side."""

    rule_id: str
    pair_id: str
    buy_at_e9: int | None
    sell_at_e9: int | None
    units: int
    """Most pair units in one intent."""
    max_units: int
    """Most pair units held, long or short, by this rule's trades."""
    persist_ns: int
    """How long the condition must have held without a break."""
    cool_down_ns: int
    """After a pair trade of it has ended."""
    ttl_ns: int
    """Life of an intent."""


class PairSpec(Message):
    """A pair: legs, formula, and what its trades may cost while they are repaired."""

    pair_id: str
    formula: FormulaKind
    currency: str
    unit: str
    charges_e9: int
    """Added to the price of a spread: freight, fees, in the pair's currency per unit."""
    legs: tuple[LegSpec, ...]
    max_quote_skew_ns: int
    """Two legs' quotes further apart in arrival (until clocks are calibrated) do not make a price."""
    slippage_budget_e9: int
    """Money of the pair's currency that completing one unit may cost beyond the prices seen; else it is unwound."""
    repair_pay_up_ticks: tuple[int, ...]
    """Ticks beyond the touch of each repair attempt in turn; its length is the number of attempts."""
    legged_limit_ns: int
    order_timeout_ns: int
    """An order with no final word after this is cancelled, and after as much again asked about."""
    max_open_trades: int
    max_units: int


class InstrumentLimits(Message):
    """Per instrument: position by our own fills, orders of the day, value of one order in its own currency."""

    instrument_id: str
    max_position_lots: int
    max_orders_per_day: int
    max_order_value_e9: int
    collar_ticks: int
    """A limit price further than this from the last trade (where there is one) is refused."""


class SiteLimits(Message):
    """For the installation as a whole."""

    max_open_trades: int
    max_orders_per_s: int
    throttle_trades: int
    """More pair trades than this of one rule within `throttle_window_ns` disarm it until a named person arms it."""
    throttle_window_ns: int
    daily_loss_e9: dict[str, int]
    """By currency: realised slippage of the day beyond which no new trade opens."""


class VenueSpec(Message):
    """What the execution core has to know of a venue."""

    venue_id: str
    account: str
    mass_status: bool
    """OrderMassStatusRequest(AF) is offered; else each open order is asked about with H."""
    time_in_force: tuple[TimeInForce, ...]
    market_orders: bool
    status_timeout_ns: int
    """A status request unanswered for so long is sent again, with an alarm."""
