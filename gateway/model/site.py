"""What a site file says, as values that the pure cores take: pairs, rules, limits. Reading and checking the file is
`gateway/processes/settings.py`; nothing here has a default that a site could forget to think about.

Money is whole 1e-9 of the currency named; factors and rates are exact decimals; times are nanoseconds.
"""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import msgspec

from gateway.model.base import Message
from gateway.model.conditions import Costs, MovingBand, RuleAction, RuleKind, RuleSide, Window
from gateway.model.order import Side, TimeInForce


class FormulaKind(StrEnum):
    """How the price of a pair is made of the prices of its legs."""

    SPREAD = "spread"
    """First leg minus the others, each times its factor and currency rate, in the pair's currency per pair unit."""
    RATIO = "ratio"
    """First leg divided by the second, each times its factor and rate."""


class DispatchMode(StrEnum):
    """How the first orders of a pair trade leave."""

    SIMULTANEOUS = "simultaneous"
    """All legs in one go."""
    ARRIVAL_ALIGNED = "arrival_aligned"
    """The nearer venue's leg is held back by the measured difference of one-way delay."""
    LEAD_THEN_HEDGE = "lead_then_hedge"
    """One leg first, the others at each of its fills, for what was filled."""
    QUOTE_THEN_HEDGE = "quote_then_hedge"
    """One leg rests in its book, repriced from the others; each fill is hedged."""


class InDoubtPolicy(StrEnum):
    """What to do with a pair trade when an order of it stays in doubt beyond the pair's limit."""

    WAIT = "wait"
    """Wait, with an alarm; at the limit a person has to decide."""
    HEDGE_SUBSTITUTE = "hedge_substitute"
    """Complete the leg in its substitute instrument as if nothing more was filled."""
    UNWIND_FILLED = "unwind_filled"
    """Close what is known to be filled."""


class LegSpec(Message):
    """One leg. `factor`, exact, turns the quoted price into the pair's unit, before currency.

    It is unit conversion x (1 + duty) x (1 + VAT). `fx_instrument_id` is the live reference that turns the leg's
    currency into the pair's, or `fx_rate` a fixing; both empty where the currency is the same.
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
    substitute_id: str = ""
    """Instrument that repairs may trade, lot for lot, where this one cannot be traded; empty: none."""
    name: str = ""
    """How the pair's formula calls it; empty where the formula is a kind."""
    direction: int = 0
    """What buying the pair does with it: 1 buys, -1 sells, 0 by its place (the first is bought, the others sold)."""


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
    quote_band_e9: int = 0
    """For a pair whose lead rests (quote then hedge): an intent is made while the price is so near to the threshold,
    so that the order rests before the threshold is met."""
    kind: RuleKind = RuleKind.PRICE
    action: RuleAction = RuleAction.BOTH
    closes: str = ""
    """With action close: the rule whose position it makes smaller; empty: all rules of the pair."""
    min_units: int = 1
    """Least pair units of an intent; with immediate and as many as total_units: all or none."""
    total_units: int | None = None
    """Units that its trades may complete in its life, then it is done; None: a standing rule."""
    one_shot: bool = False
    """Done with the end of its first pair trade, whatever that filled."""
    expires_utc_ns: int = 0
    """It ends then, nanoseconds since 1970; 0: never."""
    immediate: bool = False
    """Looked at once with the quotes that are there when it arrives: it fires then or never."""
    rearm_e9: int = 0
    """After it fired the price has to come back by so much from the threshold before that side may fire again."""
    persist_quotes: int = 0
    """In so many looks in a row, quotes of the pair, the condition must have held, beside persist_ns."""
    windows: tuple[Window, ...] = ()
    """It fires inside one of them only; none: always."""
    side: RuleSide = RuleSide.BOTH
    """Of a moving band or a counter-price rule."""
    band: MovingBand | None = None
    """Thresholds that move; buy_at_e9 and sell_at_e9, where given, bound them."""
    min_edge_e9: int | None = None
    """Counter-price: least net money, in the pair's currency, that one unit has to leave."""
    costs: Costs = Costs()
    owner: str = ""
    """Account(1) of the client whose order it is; empty: a rule of the house. Rules of one owner may not cross."""


class ParameterRow(Message):
    """What a parameter is from one trading day until another, both belonging to it (YYYYMMDD); empty: no end."""

    value: Decimal
    from_day: str = ""
    until_day: str = ""


class ParameterSpec(Message):
    """A dated number of a formula: duty, VAT, premium. `unit` as in "USD/t"; empty: none."""

    name: str
    unit: str
    rows: tuple[ParameterRow, ...]


class ReferenceSpec(Message):
    """An instrument that a formula is priced with and that is not traded by the pair."""

    name: str
    instrument_id: str


class ExpressionSpec(Message):
    """A formula in the language of docs/FORMULA.md, and what its names are; legs are named in the legs."""

    text: str
    references: tuple[ReferenceSpec, ...]
    parameters: tuple[ParameterSpec, ...]


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
    dispatch: DispatchMode = DispatchMode.SIMULTANEOUS
    lead_leg: int = 0
    """Index of the leg that leads or rests, where the mode has one."""
    in_doubt: InDoubtPolicy = InDoubtPolicy.WAIT
    in_doubt_limit_ns: int = 60_000_000_000
    repair_retry_ns: int = 100_000_000
    """How long a repair waits before it looks again, when a leg could not be traded."""
    repair_book_wait_ns: int = 1_000_000_000
    """How long a further attempt waits for a book that is newer than the one the last attempt was priced from."""
    shut_reserve_ns: int = 0
    """No pair trade opens unless every leg trades on for so long."""
    collar_e9: int | None = None
    """A pair price further than this beyond its rule's threshold is too good to be true."""
    legged_value_limit_e9: int | None = None
    """Most that one leg of a pair trade may be worth, in the pair's currency: what stands open when it is legged."""
    residual_lots_e9: int = 0
    """What one unit bought leaves over, in 1e-9 lots of the first leg: positive when that leg is the larger. It is
    booked, and traded away when it adds up to a lot."""
    max_fx_age_ns: int = 60_000_000_000
    """A live currency rate older than this makes no price: a stale currency blocks the pair."""
    max_orders_per_trade: int = 40
    """A pair trade that has sent so many orders is given to a person."""
    quote_slop_ticks: int = 2
    """A resting order is repriced when its right price is further away than this."""
    quote_interval_ns: int = 250_000_000
    """How often the right price of a resting order is looked at; with `quote_life_ns` it bounds the messages."""
    quote_life_ns: int = 10_000_000_000
    """A resting order with no fill is withdrawn after this."""
    expression: ExpressionSpec | None = None
    """How the price is made, where it is more than `formula` says; `formula` then tells which kind of rule watches it:
    spread where the price has a currency and a unit, ratio where it is a plain number."""
    max_currency_e9: dict[str, int] = msgspec.field(default_factory=dict)
    """By foreign currency: most that the pair may hold of it, long or short."""
    fixing_date: str = ""
    """The day on which its fixed currency rates hold; empty: it has none, or they always do."""


def instruments_of(spec: PairSpec) -> tuple[str, ...]:
    """Every instrument that the pair's price needs: legs, what its formula refers to, currencies."""
    names = [leg.instrument_id for leg in spec.legs]
    names += [one.instrument_id for one in spec.expression.references] if spec.expression is not None else []
    names += [leg.fx_instrument_id for leg in spec.legs if leg.fx_instrument_id]
    return tuple(dict.fromkeys(names))


def leg_side(spec: PairSpec, pair_side: Side, index: int) -> Side:
    """The side of leg `index` when the pair is traded on `pair_side`."""
    direction = spec.legs[index].direction or (1 if index == 0 else -1)
    return pair_side if direction > 0 else pair_side.opposite


class InstrumentLimits(Message):
    """Per instrument: position by our own fills, orders of the day, value of one order in its own currency."""

    instrument_id: str
    max_position_lots: int
    max_orders_per_day: int
    max_order_value_e9: int
    collar_ticks: int
    """A limit price further than this from the last trade (where there is one) is refused."""
    max_cancels_per_day: int | None = None
    """Set it short of the exchange's count: SHFE takes more than 500 a day in a contract for abnormal."""
    margin_per_lot_e9: int | None = None
    """Margin of one lot in the instrument's currency, of the day; None: not limited."""


class BreachAction(StrEnum):
    """What execution does by itself when a limit of the whole installation is broken."""

    DISARM = "disarm"
    """Opens nothing more; what is open is finished."""
    HOLD = "hold"
    """As kill --hold: cancels everything and sends nothing."""
    BALANCE = "balance"
    """As kill --balance: cancels, then only balances. A trade with an order in doubt waits, as its pair says."""


class SiteLimits(Message):
    """For the installation as a whole."""

    max_open_trades: int
    max_orders_per_s: int
    throttle_trades: int
    """More pair trades than this of one rule within `throttle_window_ns` disarm it until a named person arms it."""
    throttle_window_ns: int
    daily_loss_e9: dict[str, int]
    """By currency: realised slippage of the day beyond which no new trade opens."""
    max_legged_trades: int = 1
    """So many pair trades legged at once, and no other opens."""
    orders_per_intent: int = 20
    """More orders out than this for each intent taken in, since a person last armed, and nothing opens."""
    on_breach: BreachAction = BreachAction.DISARM
    """When the loss of the day is over its limit, or more orders left than intents explain."""
    ended_trades_kept: int = 1000
    """So many pair trades that have ended are kept as they are; older ones are packed until something asks for them."""
    max_currency_e9: dict[str, int] = msgspec.field(default_factory=dict)
    """By currency: most that all positions together may hold of it, long or short."""


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
    max_gross_lots: int | None = None
    """Sum of the absolute positions of all its instruments."""
    max_net_lots: int | None = None
    """Absolute sum of the signed positions of all its instruments."""
    margin_available_e9: dict[str, int] | None = None
    """By currency: what may be used; pools of two venues or currencies do not help each other."""
    tells_positions: bool = False
    """RequestForPositions(35=AN) is offered."""
    ask_positions: bool = False
    """After every logon it is asked what we hold; until it has answered it counts as not reconciled."""
    positions_interval_ns: int = 0
    """And so often while the session is up; 0: no more."""
    exec_key: tuple[str, ...] = ()
    """What tells one fill from all others there, as the dialect declares it: tags, "venue", "account"."""
