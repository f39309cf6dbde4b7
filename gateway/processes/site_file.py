"""The site file as it is written: every key, its type and what it means. docs/SITE_FILE.md is generated from here.

It says what one key may hold. What two keys may hold together is `site_checks.py`, what the programs make of it is
`settings.py`. A decimal is written in quotes, because a TOML float is not the number that was typed.

What can go wrong: a key that has a default and is misspelt would take its default in silence; so a key that is not
known is an error.
"""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from gateway.journal.told import told
from gateway.model.conditions import BandKind, RuleAction, RuleSide
from gateway.model.instrument import PositionModel
from gateway.model.site import BreachAction, DispatchMode, InDoubtPolicy
from gateway.processes import durations
from gateway.processes.client_hours import AtClose, Reset
from gateway.processes.site import Stage

MS, SECOND = durations.MS, durations.SECOND


class AskPositions(StrEnum):
    """When a venue is asked what we hold there."""

    LOGON = "logon"
    NEVER = "never"


class Force(StrEnum):
    """TimeInForce(59) by its name."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"


MOST_DIGITS = 15
"""Before the point of any number: with nine places after it, arithmetic on it stays exact."""


def _exact(value: Any) -> Any:  # noqa: ANN401 what TOML gives may be anything; this is where it is looked at
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        message = told('write the number as text in quotes, such as "0.50": a float is not exact')
        raise ValueError(message)
    try:
        made = Decimal(value)
    except InvalidOperation:
        made = Decimal("nan")
    if made.is_finite() and made.adjusted() >= MOST_DIGITS:
        message = told("a number of at most {} digits before the point", MOST_DIGITS)
        raise ValueError(message)
    if not made.is_finite():
        message = told('write a decimal number in quotes, such as "0.50"')
        raise ValueError(message)
    return made


Exact = Annotated[Decimal, BeforeValidator(_exact)]
Above0 = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0)]
NotBelow0 = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0)]
MOST_FEE_RATE = Decimal("0.05")
"""No exchange asks for one part in twenty of a trade's value: more is a percentage written as a number."""


def _fee_rate(value: Decimal) -> Decimal:
    if value > MOST_FEE_RATE:
        message = told('a share of the value, at most {}; "0.00005" is half of 1/10000', str(MOST_FEE_RATE))
        raise ValueError(message)
    return value


FeeRate = Annotated[NotBelow0, AfterValidator(_fee_rate)]
YearRate = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]+$", max_length=40)]
"""An id: letters, digits, dot, underscore, slash, hyphen."""
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Count = Annotated[int, Field(ge=1)]
FixingDate = Annotated[str, StringConstraints(pattern=r"^(|always|[0-9]{4}-[0-9]{2}-[0-9]{2})$")]
Milliseconds = Annotated[int, Field(ge=1)]


Name = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$", max_length=40)]
"""A name in a formula."""
AUTO = 0
"""Lots that `align` finds, until it has."""


def _lots(value: Any) -> Any:  # noqa: ANN401 as above
    if value == "auto":
        return AUTO
    if isinstance(value, int) and value < 1:
        message = told('at least 1, or "auto"')
        raise ValueError(message)
    return value


Lots = Annotated[int, BeforeValidator(_lots)]
Day = Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


class Align(StrEnum):
    """What the lots of a pair's legs make equal."""

    QUANTITY = "quantity"
    """Tonnes against tonnes; of a currency, what the other legs are worth in it."""
    PRICE = "price"
    """Money against money when the formula's prices move."""
    VALUE = "value"
    """Notional x rate x beta."""


class Section(BaseModel):
    """A table of the file: no key beyond those listed, nothing changed after it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class SiteSection(Section):
    """The installation."""

    name: Word = Field(description="its name, in reports and on the screen")
    language: Annotated[str, StringConstraints(pattern="^(en|zh)$")] = Field("en", description='"en" or "zh"')
    stage: Stage = Field(Stage.FULL, description="stage of rollout that execution starts in")
    state_dir: str = Field("state", description="journals, FIX stores, ids; relative to the site file")
    bus_dir: str = Field("", description='ipc sockets, mode 0700; "" takes one under the run-time directory')
    holidays_file: str = Field("", description="CSV of special trading days, relative to the site file; CALENDARS.md")
    sessions_file: str = Field("", description="TOML of trading hours, relative to the site file; CALENDARS.md")


class JournalSection(Section):
    """How execution's journal reaches the disk."""

    fdatasync_interval_ms: Milliseconds = Field(5, description="off the path, at least this often")
    sync_before_send: bool = Field(False, description="fdatasync before each send, to survive loss of power")  # noqa: FBT003 a default
    min_free_mb: Count = Field(64, description="with less room on the disk no new trade opens")
    alarm_every_s: Count = Field(10, description="while it cannot be written: alarmed at once, then this often")


class RecorderSection(Section):
    """How the record of quotes is cut into segments (docs/JOURNAL.md, "The record")."""

    segment_mb: Count = Field(64, description="a segment is closed when its log has so many")
    segment_minutes: Count = Field(60, description="or when it is so old")


class SupervisorSection(Section):
    """Restarts and the orderly stop."""

    restarts_max: int = Field(5, ge=0, description="restarts of one process within the window; then all stops")
    restarts_window_s: Count = Field(60, description="the window")
    stop_timeout_s: Count = Field(30, description="how long a stop waits for the trades to be balanced")


class WatchSection(Section):
    """When the process outside of execution ends it and pulls its orders."""

    heartbeat_timeout_ms: Milliseconds = Field(2000, description="silence of an execution that runs, with orders open")
    restart_timeout_ms: Milliseconds = Field(30_000, description="the same of one that died and is started again")
    kill_answer_ms: Milliseconds = Field(500, description="a kill unanswered for so long is carried out by the watch")
    retry_ms: Milliseconds = Field(1000, description="orders not known to be off the venue are cancelled again")


class BusSection(Section):
    """Messages between the processes."""

    high_water_mark: Count = Field(10_000, description="messages that wait for a slow reader before some are lost")
    heartbeat_interval_ms: Milliseconds = Field(500, description="of each process's status")
    pair_price_interval_ms: Milliseconds = Field(50, description="at most one published price of a pair in this time")


class FreshnessSection(Section):
    """When silence of an instrument is longer than is normal for it (docs/CLOCKS.md, "Silence")."""

    window: int = Field(128, ge=8, le=4096, description="gaps between its own quotes that are kept")
    warm_up: Count = Field(32, description="fewer are no ground: then only most_ms counts")
    quantile_pct: int = Field(95, ge=50, le=100, description="of the gaps; what is longer is not usual")
    factor_pct: int = Field(300, ge=100, description="silence of so many percent of it is still normal")
    least_ms: Milliseconds = Field(500, description="a shorter silence is always normal")
    most_ms: Milliseconds = Field(60_000, description="a longer one never is")


class PerformanceSection(Section):
    """What a quick answer may cost while nothing happens (docs/BENCHMARKS.md, "Warm and burn")."""

    warm_interval_ms: int = Field(
        1, ge=0, le=1000, description="trigger and execution rehearse a trade so often while they wait; 0: never"
    )


class LimitsSection(Section):
    """Limits of the installation as a whole."""

    max_open_trades: Count = Field(description="pair trades open at once")
    max_orders_per_s: Count = Field(description="orders in any second")
    ended_trades_kept: Count = Field(1000, description="ended pair trades kept unpacked; older ones take less memory")
    throttle_trades: Count = Field(description="pair trades of one rule in the window; then a named person arms it")
    throttle_window_s: Count = Field(description="the window")
    daily_loss: dict[Currency, Above0] = Field(description="by currency: realised slippage of the day, then no new one")
    on_breach: BreachAction = Field(
        BreachAction.DISARM, description="when the day's loss or the count of orders is over its limit"
    )
    max_currency: dict[Currency, Above0] = Field(
        default_factory=dict, description="by foreign currency: most that all positions together may hold of it"
    )
    max_legged_trades: Count = Field(1, description="pair trades under repair at once, beyond which no new one opens")
    orders_per_intent: Count = Field(20, description="orders out for each intent, over the last 100; more: a runaway")


class SessionSection(Section):
    """One FIX session; we are the initiator."""

    host: Annotated[str, StringConstraints(min_length=1)] = Field(description="of the venue")
    port: int = Field(ge=1, le=65535, description="of the venue")
    sender_comp_id: Word = Field(description="SenderCompID(49): ours")
    target_comp_id: Word = Field(description="TargetCompID(56): the venue's")
    sender_sub_id: str = Field("", description="SenderSubID(50), where the venue wants one")
    constants: dict[str, str] = Field(default_factory=dict, description="fields that the dialect calls constant:NAME")
    heart_bt_int_s: int = Field(5, ge=1, le=120, description="HeartBtInt(108)")
    username: str = Field("", description="of the logon; the password comes from the environment or a file")
    password_file: str = Field("", description="file with the password, relative to the site file")
    start_time: TimeOfDay | None = Field(None, description="UTC, HH:MM:SS: the session's own day, not trading hours")
    end_time: TimeOfDay | None = Field(None, description="its end; numbers begin again at 1 after it; both or neither")


class ClockSection(Section):
    """How the venue's clock is calibrated: docs/CLOCKS.md."""

    test_request_interval_ms: int = Field(1000, ge=0, description="between two TestRequests(1); 0: no calibration")
    window_s: int = Field(300, ge=10, le=3600, description="of bounds that are kept")
    max_drift_ppm: int = Field(200, ge=1, le=10_000, description="of the venue's clock on ours, most")
    wander_ppb: int = Field(1000, ge=0, description="how far a clock's rate may be off a straight line")
    live_s: Count = Field(30, description="a calibration without an answer for so long is not used")
    asymmetry_us: int | None = Field(None, description="way to the venue less the way back, where it was measured")
    asymmetry_error_us: int | None = Field(None, ge=0, description="how far off that may be; needed with it")
    utc_error_us: int | None = Field(None, ge=0, description="off UTC, venue and host together, where both declare it")


class VenueSection(Section):
    """A venue with its two sessions."""

    id: Word = Field(description="unique")
    dialect: str = Field(description="its FIX: a name in gateway/fix/dialects, or a file *.toml beside the site file")
    account: Word = Field(description="Account(1)")
    status_timeout_ms: Milliseconds = Field(2000, description="a status request unanswered for so long is repeated")
    reconnect_min_s: float = Field(0.5, gt=0, description="first wait before a new logon")
    reconnect_max_s: float = Field(30, gt=0, description="longest")
    time_in_force: tuple[Force, ...] | None = Field(None, description="offered, where it differs from the dialect")
    rpt_seq: bool | None = Field(None, description="RptSeq(83) is sent, where it differs from the dialect")
    depth: Count | None = Field(None, description="levels of a book, where it differs from the dialect")
    market_orders: bool = Field(True, description="OrdType(40)=1 is offered")  # noqa: FBT003 a default
    max_gross_lots: Count | None = Field(None, description="sum of the absolute positions of its instruments")
    max_net_lots: Count | None = Field(None, description="absolute sum of the signed positions of its instruments")
    margin_available: dict[Currency, NotBelow0] | None = Field(
        None, description="by currency: margin that may be used; needs `margin_per_lot` of its instruments"
    )
    clock: ClockSection = ClockSection()  # type: ignore[call-arg]
    ask_positions: AskPositions | None = Field(
        None, description='"logon": asked what we hold after each logon, before it counts as reconciled; "never"'
    )
    ask_positions_interval_s: int = Field(0, ge=0, description="and so often while it is up; 0: no more")
    cancel_on_disconnect: bool = Field(
        False,  # noqa: FBT003 a default
        description="the Logon asks that our orders be cancelled when the session is lost",
    )
    md: SessionSection = Field(description="market data")
    orders: SessionSection = Field(description="orders")
    watch: SessionSection | None = Field(None, description="of the watch alone, to cancel all; else it takes `orders`")
    drop_copy: SessionSection | None = Field(None, description="on which the venue tells every execution again; read")

    @property
    def sessions(self) -> dict[str, SessionSection]:
        """Those that there are, by kind."""
        named = {"md": self.md, "orders": self.orders, "watch": self.watch, "drop_copy": self.drop_copy}
        return {kind: session for kind, session in named.items() if session is not None}


class FeeSection(Section):
    """What a lot costs from a trading day on; per lot in the instrument's currency, and as a share of its value."""

    from_day: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] = Field(description="first trading day")
    open_per_lot: NotBelow0 = Field(Decimal(0), description="to open one lot")
    close_per_lot: NotBelow0 = Field(Decimal(0), description="to close one of an earlier day")
    close_today_per_lot: NotBelow0 | None = Field(None, description="to close one of today; none: as close_per_lot")
    open_rate: FeeRate = Field(Decimal(0), description='of the value, "0.00005" is half of 1/10000; most 0.05')
    close_rate: FeeRate = Field(Decimal(0), description="to close one of an earlier day")
    close_today_rate: FeeRate | None = Field(None, description="to close one of today; none: as close_rate")
    source: Annotated[str, StringConstraints(min_length=1)] = Field(description="where the figures are from")


class InstrumentSection(Section):
    """A contract of a venue, and its limits."""

    id: Word = Field(description="VENUE.SYMBOL")
    venue: Word = Field(description="a venue's id")
    symbol: Word = Field(description="Symbol(55)")
    calendar: str = Field("", description='trading hours, a product such as "SHFE.CU"; "" counts as always open')
    tick: Above0 = Field(description="smallest step of the quoted price")
    lot_units: Above0 = Field(description="units in one lot")
    unit: str = Field(description="of the quoted price")
    currency: Currency = Field(description="of the quoted price")
    point_value: Above0 | None = Field(None, description="what one lot gains when the price rises by 1; else lot_units")
    position_model: PositionModel = Field(PositionModel.NET, description="how the venue keeps a position")
    min_qty: Count = Field(1, description="lots of one order, least")
    max_qty: Count = Field(1000, description="lots of one order, most")
    tradable: bool = Field(True, description="false: a reference such as USD/CNH, never ordered")  # noqa: FBT003 a default
    hedge_flag: Annotated[str, StringConstraints(pattern="^[123]?$")] = Field(
        "", description='"1" speculation, "2" arbitrage, "3" hedging, "" where the venue has none'
    )
    price_multiplier: Above0 | None = Field(
        None, description="the venue's price times this is ours, \"0.01\" where it says cents; else the dialect's"
    )
    reference_price: Above0 | None = Field(None, description="in our unit; a first price far from it is not believed")
    reference_within_pct: Above0 | None = Field(None, description="how far it may be, percent; needed with it")
    fixing: Above0 | None = Field(None, description="of a reference: its price while it is shut or stale, on its date")
    fixing_date: FixingDate = Field("", description='that day in Beijing, YYYY-MM-DD, or "always"; needed with it')
    fixing_source: str = Field("", description="where it is from; needed with it")
    fields: dict[str, str] = Field(default_factory=dict, description="fields that the dialect calls instrument:NAME")
    lock: bool = Field(
        False,  # noqa: FBT003 a default
        description="true: open on the other side instead of closing",
    )
    max_position_lots: Count | None = Field(None, description="held, long or short; needed where tradable")
    max_orders_per_day: Count | None = Field(None, description="needed where tradable")
    max_order_value: Above0 | None = Field(None, description="of one order, in its currency; needed where tradable")
    collar_ticks: Count | None = Field(None, description="from the last trade; further is refused; needed if tradable")
    max_cancels_per_day: Count | None = Field(None, description="set it short of the exchange's count")
    margin_per_lot: Above0 | None = Field(None, description="of the day, in its currency; with `margin_available`")
    fees: tuple[FeeSection, ...] = Field((), description="what a lot costs; needed by counter-price rules")


class LegSide(StrEnum):
    """What buying the pair does with a leg."""

    BUY = "buy"
    SELL = "sell"


class LegSection(Section):
    """One leg of a pair."""

    instrument: Word = Field(description="an instrument's id")
    name: Name = Field("", description="how the formula calls it; needed where the formula is one of names")
    ratio_lots: Lots = Field(description='lots in one unit of the pair; "auto": found by `align`')
    side: LegSide | None = Field(
        None, description="what buying the pair does with it; needed where the formula goes either way with its price"
    )
    beta: Above0 = Field(Decimal(1), description="of its value against the first leg's, where the pair aligns by value")
    factors: dict[str, Above0] = Field(default_factory=dict, description="named, multiplied: VAT, duty")
    fx: str = Field("", description="instrument that turns its currency into the pair's")
    fx_rate: Above0 | None = Field(None, description="or a fixing")
    fx_source: str = Field("", description="where the fixing is from, with its date; needed with fx_rate")
    fx_date: FixingDate = Field(
        "", description='the day in Beijing on which it holds, YYYY-MM-DD, or "always"; needed with fx_rate'
    )
    pay_up_ticks: int = Field(ge=0, description="beyond the price seen that the first order may fill at")
    time_in_force: Force = Field(Force.IOC, description="of its orders")
    max_quote_age_ms: Milliseconds = Field(description="an older quote makes no price")
    substitute: str = Field("", description="instrument that repairs may trade, lot for lot, where this one cannot be")


class ParameterRowSection(Section):
    """What a parameter is over some trading days."""

    value: Exact = Field(description="in the parameter's unit")
    from_day: Day = Field("", description='first trading day, "2019-04-01"; "" has no beginning')
    until_day: Day = Field("", description='last trading day, which belongs to it; "" has no end')
    source: str = Field("", description="where it is from")
    confirmed: bool = Field(True, description="false: taken over from somebody, `cmc check` reminds of it")  # noqa: FBT003 a default


class ParameterSection(Section):
    """A dated number that the formula names: duty, VAT, premium, freight, a conversion."""

    name: Name = Field(description="how the formula calls it")
    unit: str = Field("", description='such as "USD/t", "CNY/USD", "g/oz"; "" for a plain number')
    meaning: str = Field("", description="in words")
    row: tuple[ParameterRowSection, ...] = Field((), description="its values, one for each stretch of days")


class PairSection(Section):
    """A pair: its legs, its formula, and what its trades may cost."""

    id: Word = Field(description="unique")
    use: str = Field("", description="a ready pair (docs/FORMULA.md) whose keys hold where this file gives none")
    instruments: dict[str, Word] = Field(
        default_factory=dict, description="with `use`: the instrument of each name of the ready pair"
    )
    formula: str = Field(
        min_length=1,
        description='"spread": first leg minus the others; "ratio": first divided by second; or a formula of names,'
        " docs/FORMULA.md",
    )
    references: dict[Name, Word] = Field(
        default_factory=dict, description="names of the formula that are priced and not traded, and their instruments"
    )
    align: Align | None = Field(None, description='what lots that are "auto" make equal; docs/FORMULA.md')
    most_lots: Count = Field(100, description='most lots of any leg that "auto" may find')
    currency: Currency = Field(description="of its price")
    unit: str = Field(description="of its price; every leg's unit converts to it")
    charges: Exact = Field(Decimal(0), description="added to the price of a spread, per unit; a name in a formula")
    max_quote_skew_ms: Milliseconds = Field(description="two legs' quotes further apart make no price")
    slippage_budget: NotBelow0 = Field(description="money that completing one unit may cost; else it is unwound")
    repair_pay_up_ticks: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        min_length=1, max_length=20, description="beyond the touch, one figure for each repair attempt"
    )
    legged_limit_ms: Milliseconds = Field(description="longest that a trade may be unbalanced")
    order_timeout_ms: Milliseconds = Field(description="an order with no final word is then cancelled")
    max_open_trades: Count = Field(1, description="of this pair at once")
    max_units: Count = Field(description="held, long or short")
    dispatch: DispatchMode = Field(DispatchMode.SIMULTANEOUS, description="how the first orders leave")
    lead_leg: Count | None = Field(None, description="leg that leads or rests, 1 for the first; only in such a mode")
    in_doubt: InDoubtPolicy = Field(InDoubtPolicy.WAIT, description="with an order in doubt beyond the limit")
    in_doubt_limit_ms: Milliseconds = Field(60_000, description="the limit")
    repair_retry_ms: Milliseconds = Field(100, description="a repair that could not trade a leg looks again after this")
    repair_book_wait_ms: Milliseconds = Field(1000, description="a further attempt waits so long for a newer book")
    shut_reserve_s: int = Field(0, ge=0, description="no trade opens unless every leg trades on for so long")
    collar: Above0 | None = Field(None, description="a pair price further beyond its threshold is too good to be true")
    legged_value_limit: Above0 | None = Field(
        None, description="one leg of a trade is worth at most, in the pair's currency"
    )
    residual_lots: Exact = Field(
        Decimal(0), description="lots of the first leg that one unit bought has too many; traded away when they add up"
    )
    max_currency: dict[Currency, Above0] = Field(
        default_factory=dict, description="by foreign currency: most that this pair may hold of it"
    )
    max_fx_age_ms: Milliseconds = Field(60_000, description="a live currency rate older than this makes no price")
    max_orders_per_trade: Count = Field(40, description="a trade that has sent so many is given to a person")
    quote_slop_ticks: int = Field(2, ge=0, description="a resting order further from its right price is repriced")
    quote_interval_ms: Milliseconds = Field(250, description="how often the right price is looked at")
    quote_life_ms: Milliseconds = Field(10_000, description="a resting order with no fill is withdrawn after this")
    parameter: tuple[ParameterSection, ...] = ()
    leg: tuple[LegSection, ...] = Field(min_length=2, description="two or more")


class RuleWord(StrEnum):
    """What a rule compares: the pair's price, as its formula makes it, or the money that is left after costs."""

    SPREAD = "spread"
    RATIO = "ratio"
    COUNTER_PRICE = "counter_price"


class Weekday(StrEnum):
    """The day on which a window begins."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WORKDAYS = tuple(Weekday)[:5]


class WindowSection(Section):
    """Hours in which a rule may fire."""

    zone: str = Field(description='time zone by its IANA name, such as "Asia/Shanghai"')
    days: tuple[Weekday, ...] = Field(WORKDAYS, min_length=1, description="days on which it begins")
    from_time: TimeOfDay = Field(description="its begin, that zone's wall clock")
    until_time: TimeOfDay = Field(description="its end; an earlier one is of the next day")


class BandSection(Section):
    """Thresholds that follow the pair's price."""

    kind: BandKind = Field(description='"rolling": of the last `length` samples; "exponential": weights 2/(length+1)')
    interval_ms: Annotated[int, Field(ge=100)] = Field(description="between two samples")
    length: Annotated[int, Field(ge=2, le=100_000)] = Field(description="samples that count, or make the weights")
    warm_up: Annotated[int, Field(ge=2)] = Field(description="samples that have to be there before the rule may fire")
    deviations: Above0 = Field(description="half width, in standard deviations")
    floor: NotBelow0 = Field(Decimal(0), description="least half width")
    cap: Above0 | None = Field(None, description="greatest half width")
    warm_up_age_min: int = Field(0, ge=0, description="how old a sample of the record may be at a start; 0: by length")


class CostsSection(Section):
    """What a counter-price rule takes off the edge, beside the fees of its instruments."""

    fair: Exact = Field(Decimal(0), description="price at which the pair is worth nothing; of a ratio mostly 1")
    financing_rate: YearRate = Field(Decimal(0), description='per year, "0.025" is 2.5 %')
    holding_days: int = Field(0, ge=0, description="expected; 0: closed on the same day")
    financed: tuple[NotBelow0, ...] = Field((), description="share of each leg's value that is financed; none: all")
    slippage_ticks: tuple[Annotated[int, Field(ge=0)], ...] = Field((), description="expected, of each leg")


class RuleSection(Section):
    """When a pair is traded: docs/RULES.md."""

    id: Word = Field(description="unique")
    pair: Word = Field(description="a pair's id")
    kind: RuleWord = Field(description="the pair's formula, or counter_price")
    buy_at: Exact | None = Field(None, description="buy the pair at or below")
    sell_at: Exact | None = Field(None, description="sell it at or above")
    units: Count = Field(description="of one intent, most")
    max_units: Count = Field(description="held by this rule's trades, most")
    persist_ms: int = Field(0, ge=0, description="the condition has to have held this long")
    cool_down_ms: int = Field(ge=0, description="after a pair trade of it has ended")
    ttl_ms: Milliseconds = Field(description="life of an intent")
    quote_band: NotBelow0 = Field(Decimal(0), description="quote_then_hedge: the lead rests while the price is so near")
    persist_quotes: int = Field(0, ge=0, description="and in so many looks in a row")
    rearm: NotBelow0 = Field(Decimal(0), description="after it fired the price has to come back by so much")
    action: RuleAction = Field(RuleAction.BOTH, description="what it may do to the position: open, close or both")
    closes: str = Field("", description="rule whose position it closes; none: all of the pair")
    side: RuleSide = Field(RuleSide.BOTH, description="of a band or a counter-price rule")
    min_units: Count = Field(1, description="of one intent, least")
    total_units: Count | None = Field(None, description="in its whole life; none: a standing rule")
    one_shot: bool = Field(False, description="done with its first pair trade")  # noqa: FBT003 a default
    expires: str = Field("", description='end of its life, with its offset: "2026-12-31T15:00:00+08:00"')
    min_edge: Exact | None = Field(None, description="counter_price: least net money of one unit, pair's currency")
    window: tuple[WindowSection, ...] = Field((), description="hours in which it may fire; none: always")
    band: BandSection | None = Field(None, description="thresholds that move; buy_at and sell_at bound them")
    costs: CostsSection = CostsSection()  # type: ignore[call-arg]


class ClientsSection(Section):
    """Where clients connect over FIX (docs/CLIENT_FIX.md). Plain connections are taken from this machine only."""

    comp_id: Word = Field("GATEWAY", description="TargetCompID(56) that clients send: ours")
    port: int = Field(0, ge=0, le=65535, description="on 127.0.0.1, without TLS; 0: none")
    tls_host: str = Field("", description='address that TLS is listened on, "0.0.0.0" for all; "": none')
    tls_port: int = Field(0, ge=0, le=65535, description="with TLS and a certificate that the client has to show")
    certificate_file: str = Field("", description="ours, PEM, relative to the site file; needed with tls_host")
    key_file: str = Field("", description="its key, PEM")
    ca_file: str = Field("", description="whose certificates clients show, PEM")
    intent_ttl_ms: Milliseconds = Field(250, description="life of an intent of a client's order")
    cool_down_ms: int = Field(250, ge=0, description="pause of a resting order after each of its pair trades")
    day_end: TimeOfDay = Field("22:00:00", description="UTC: orders good for the day end then")
    market_data_interval_ms: Milliseconds = Field(100, description="at most one update of a symbol in this time")
    logon_timeout_s: Count = Field(10, description="a connection that has not logged on by then is closed")
    heart_bt_min_s: Count = Field(1, description="HeartBtInt(108), least")
    heart_bt_max_s: Count = Field(120, description="HeartBtInt(108), most")
    max_latency_s: Count = Field(120, description="SendingTime(52) may be off our clock by so much")
    max_connections: Count = Field(200, description="at once, logged on or not")
    max_connections_per_address: Count = Field(100, description="at once, of one address")
    connects_per_s: Count = Field(50, description="of one address; what is beyond a burst of them is turned away")
    strangers_logged_per_min: Count = Field(600, description="lines on who is not let in; the rest is counted in one")
    max_message_bytes: int = Field(16_384, ge=512, le=1_048_576, description="a longer one ends the connection")
    max_pending_kb: Count = Field(1024, description="what waits for a client that does not read, before it is cut off")
    slow_client_s: Count = Field(10, description="how long a client may leave half of that unread")
    messages_per_s: Count = Field(500, description="of one client; what it sends beyond waits in its own connection")
    nice: int = Field(5, ge=0, le=19, description="its process steps back so far where the trading path wants the core")
    max_cl_ord_ids: Count = Field(
        100_000_000, description="ClOrdIDs(11) kept as used, of each client, ever: 15 to 40 bytes each in the state"
    )


class HoursSection(WindowSection):
    """Hours in which a client's session is open, as at an exchange; several are open in turn, none: always."""


class ClientSection(Section):
    """A client's session, and what it may do."""

    id: Word = Field(description="its SenderCompID(49); unique")
    version: Annotated[str, StringConstraints(pattern=r"^(FIX\.4\.2|FIX\.4\.4|FIXT\.1\.1)$")] = Field(
        "FIX.4.4", description='BeginString(8): "FIX.4.2", "FIX.4.4", or "FIXT.1.1" with FIX 5.0 SP2'
    )
    accounts: tuple[Word, ...] = Field(
        min_length=1, description="Account(1) of its orders; the first where none is sent"
    )
    pairs: tuple[Word, ...] = Field((), description="pairs that it may see and trade")
    instruments: tuple[Word, ...] = Field((), description="legs that it may see; with leg_orders, trade alone")
    leg_orders: bool = Field(False, description="may order a leg alone")  # noqa: FBT003 a default
    drop_copy: bool = Field(False, description="reads every execution of its accounts, and sends nothing")  # noqa: FBT003
    time_in_force: tuple[Force, ...] = Field(tuple(Force), description="of its orders")
    max_units: Count = Field(1, description="of one order on a pair")
    max_lots: Count = Field(1, description="of one order on a leg")
    max_open_orders: Count = Field(100, description="at once")
    orders_per_s: Count = Field(50, description="orders and replacements; what is beyond is rejected")
    cancel_on_disconnect: bool = Field(False, description="its orders end with its connection")  # noqa: FBT003 a default
    username: str = Field("", description="of its logon")
    password_file: str = Field("", description="file with its password; or CMC_CLIENT__ID__PASSWORD; none: not asked")
    certificate_cn: str = Field(
        "", description="common name of the certificate that it shows; it then comes over TLS only"
    )
    certificate_sha256: str = Field("", description="or its fingerprint, 64 hexadecimal digits")
    addresses: tuple[str, ...] = Field(
        (), description='networks that it may come from, such as "10.1.2.0/24"; none: any'
    )
    reset: Reset = Field(
        Reset.NEVER,
        description="its numbers begin again at 1 after the last hours of a day, or of a week, which begins on Sunday",
    )
    at_close: AtClose = Field(
        AtClose.CHOICE,
        description="its orders when its hours end: as at a disconnect; all end, also when it is away; none does",
    )
    hours: tuple[HoursSection, ...] = Field((), description="in which it may be logged on; none: always")


class ApproverSection(Section):
    """A person who may sign for a stage or for the acceptance, by the public half of a key of their own."""

    name: str = Field(min_length=1, description="as it stands on what they sign; unique")
    public_key: str = Field(
        pattern=r"^ed25519:[A-Za-z0-9+/]{43}=$", description='as `cmc deliver keygen` prints it: "ed25519:..."'
    )


class SiteFile(Section):
    """The whole file."""

    site: SiteSection
    journal: JournalSection = JournalSection()  # type: ignore[call-arg]
    recorder: RecorderSection = RecorderSection()  # type: ignore[call-arg]
    supervisor: SupervisorSection = SupervisorSection()  # type: ignore[call-arg]
    watch: WatchSection = WatchSection()  # type: ignore[call-arg]
    bus: BusSection = BusSection()  # type: ignore[call-arg]
    freshness: FreshnessSection = FreshnessSection()  # type: ignore[call-arg]
    performance: PerformanceSection = PerformanceSection()  # type: ignore[call-arg]
    limits: LimitsSection
    venue: tuple[VenueSection, ...] = Field(min_length=1)
    instrument: tuple[InstrumentSection, ...] = Field(min_length=1)
    pair: tuple[PairSection, ...] = ()
    rule: tuple[RuleSection, ...] = ()
    clients: ClientsSection = ClientsSection()  # type: ignore[call-arg]
    client: tuple[ClientSection, ...] = ()
    approver: tuple[ApproverSection, ...] = ()
