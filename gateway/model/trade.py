"""From intent to balanced pair trade: what trigger asks, what execution decides, does and says.

`Intent` travels from trigger to execution; events enter the execution engine, actions leave it; announcements are
published. Times are nanoseconds on the host's monotonic clock unless a name says venue or utc. Money and pair prices
are whole 1e-9 of the pair's currency or unit and end in `_e9`.
"""

from enum import StrEnum

from gateway.model.base import Message
from gateway.model.order import (
    BadOrderMessage,
    CancelRejected,
    ExecutionReport,
    MassCancelReported,
    MessageRejected,
    Order,
    SessionChanged,
    Side,
)
from gateway.model.position import PositionLine, PositionsAcked
from gateway.model.quote import BookState, Quote

# What trigger asks for.


class IntentLeg(Message):
    """One leg as the decision saw it.

    `px_ticks` is the worst level that `qty_lots` touches in the book that was seen, `vwap_e9` the average price of that
    walk in the instrument's quoted unit; `value_per_tick_e9` is the money, in the pair's currency, that one lot gains
    when the price rises by one tick.
    """

    instrument_id: str
    side: Side
    ratio_lots: int
    qty_lots: int
    px_ticks: int
    vwap_e9: int
    value_per_tick_e9: int
    recv_ns: int
    venue_ns: int
    calibrated_ns: int
    bound_ns: int
    msg_seq_num: int
    last_px_ticks: int | None = None
    """Last trade that the quote told of."""


class Intent(Message):
    """Trade `units` of the pair now. `incarnation` is that of the execution process it was decided against.

    The five times are the hops of the quote that caused it: received, published, taken up by trigger, evaluated,
    intent made. `expires_ns` ends its life; a later arrival is refused by name.
    """

    intent_id: str
    incarnation: int
    pair_id: str
    rule_id: str
    side: Side
    """BUY buys the pair: the first leg is bought."""
    units: int
    pair_px_e9: int
    threshold_e9: int
    edge_e9: int
    """How far the price is beyond the threshold, in money of the pair's currency for one unit."""
    legs: tuple[IntentLeg, ...]
    cause_instrument_id: str
    recv_ns: int
    pub_ns: int
    taken_ns: int
    evaluated_ns: int
    decided_ns: int
    expires_ns: int


# The machines' states. Tables: gateway/execution/order_state.py and gateway/execution/pair_trade.py.


class OrderState(StrEnum):
    """Where an order of ours stands, as far as we know."""

    SENT = "sent"
    """In the journal and handed to the session; the venue has not spoken of it."""
    WORKING = "working"
    CANCELLING = "cancelling"
    IN_DOUBT = "in_doubt"
    """The session was lost while it was open, or a reply is overdue: it is asked about, never sent again."""
    DONE = "done"
    """Filled, cancelled, rejected, expired or never sent. A late fill still counts."""


class PairTradeState(StrEnum):
    """Where a pair trade stands."""

    WORKING = "working"
    """Its first orders are out."""
    REPAIRING = "repairing"
    """Legged, and repair orders are out or about to be."""
    WAITING = "waiting"
    """Legged, and a leg cannot be traded now (session down, in doubt, shut): waits for an event, with an alarm."""
    HEDGED = "hedged"
    UNWOUND = "unwound"
    MISSED = "missed"
    """Nothing was filled on any leg."""
    HALTED = "halted"
    """A person has to decide; the cause is one of HaltCause."""


class HaltCause(StrEnum):
    """Why a pair trade was given to a person. A closed list."""

    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    LEGGED_TIME = "legged_time"
    OVERFILLED = "overfilled"
    """The venue reports more than was ordered."""
    VENUE_DISAGREES = "venue_disagrees"
    """Status answer and journal cannot both be true."""
    KILLED = "killed"
    """kill --hold leaves it as it is."""
    IN_DOUBT = "in_doubt"
    """The venue did not say what became of an order within the pair's limit."""
    TAKEN_OVER = "taken_over"
    """A person has taken it."""
    TOO_MANY_ORDERS = "too_many_orders"
    REMAINDER = "remainder"
    """Lots that no order of the venue's sizes can trade."""


class RefusalName(StrEnum):
    """Why execution does not open a pair trade. The order of the members is the order of the checks."""

    HALTED = "halted"
    STOPPING = "stopping"
    DISARMED = "disarmed"
    STAGE = "stage"
    OTHER_INCARNATION = "other_incarnation"
    EXPIRED = "expired"
    DUPLICATE_INTENT = "duplicate_intent"
    UNKNOWN_PAIR = "unknown_pair"
    MALFORMED = "malformed"
    """Legs, ratios, sides or sizes that are not those of the pair."""
    SESSION_DOWN = "session_down"
    NOT_RECONCILED = "not_reconciled"
    UNEXPLAINED = "unexplained"
    """The venue spoke of an order or a position that is not ours; nothing trades there until a person explains it."""
    HOURS = "hours"
    FIXING = "fixing"
    """A leg is shut, or shuts too soon to repair."""
    NOT_TRADABLE = "not_tradable"
    """A leg's book is not one to trade on: one-sided, limit-locked, halted, in a gap."""
    QUOTE_AGE = "quote_age"
    QUOTE_SKEW = "quote_skew"
    """The two legs' quotes are too far apart in time."""
    PRICE_COLLAR = "price_collar"
    PAIR_COLLAR = "pair_collar"
    """The legs' prices do not fit each other: the pair is priced too far beyond its threshold."""
    MIN_SIZE = "min_size"
    MAX_SIZE = "max_size"
    ORDER_VALUE = "order_value"
    LEGGED_VALUE = "legged_value"
    SELF_MATCH = "self_match"
    """An order of ours that is open on the other side could meet it."""
    PAIR_BUSY = "pair_busy"
    OPEN_TRADES = "open_trades"
    PAIR_LEGGED = "pair_legged"
    LEGGED_TRADES = "legged_trades"
    INSTRUMENT_POSITION = "instrument_position"
    NOT_SELLABLE = "not_sellable"
    """More than was held before today, where what is bought today is sold tomorrow and nothing is sold short."""
    PAIR_POSITION = "pair_position"
    VENUE_POSITION = "venue_position"
    MARGIN = "margin"
    CURRENCY_EXPOSURE = "currency_exposure"
    ORDER_RATE = "order_rate"
    ORDERS_PER_DAY = "orders_per_day"
    CANCELS_PER_DAY = "cancels_per_day"
    RUNAWAY = "runaway"
    """More orders out than the intents taken in can explain."""
    THROTTLED = "throttled"
    """Too many pair trades of one rule in its window: a named person arms it again."""
    DAILY_LOSS = "daily_loss"


class AlarmName(StrEnum):
    """What an operator is told at once."""

    SESSION_LOST = "session_lost"
    ORDER_IN_DOUBT = "order_in_doubt"
    REPLY_OVERDUE = "reply_overdue"
    LEGGED = "legged"
    HALTED = "halted"
    UNKNOWN_ORDER = "unknown_order"
    BAD_MESSAGE = "bad_message"
    OFF_TICK_FILL = "off_tick_fill"
    FILL_BUSTED = "fill_busted"
    LATE_FILL = "late_fill"
    UNKNOWN_EXEC_TYPE = "unknown_exec_type"
    JOURNAL = "journal"
    THROTTLED = "throttled"
    SEND_FAILED = "send_failed"
    INVARIANT = "invariant"
    POSITION_DIFFERS = "position_differs"
    POSITIONS_UNKNOWN = "positions_unknown"
    """The venue does not say what we hold there; it counts as not reconciled."""
    RELEASE_REFUSED = "release_refused"
    """A leg that was held back for arrival alignment did not pass the gate the second time."""
    WATCH = "watch"
    """The watch took the lease: execution is ended and its orders are pulled."""
    LIMIT_BREACHED = "limit_breached"
    """A limit of the whole installation is broken, and execution acts as the site says."""
    CLOCK = "clock"
    """A venue's clock stepped, the way to it changed, it does not answer, or our own is not disciplined."""
    FELL_BACK = "fell_back"
    """What the rollout plan allows at its stage was broken: the stage below is in force."""


# Events that enter the execution engine, beside Intent and what venues say.


class BooksObserved(Message):
    """The newest quote of each instrument that an action ReadBooks asked for; those with none are absent."""

    request: str
    quotes: tuple[Quote, ...]


class OrderSent(Message):
    """What became of one order's way to its session. `sent_ns` is 0 and `failure` says why when it was not sent."""

    cl_ord_id: str
    sent_ns: int
    msg_seq_num: int
    failure: str = ""


class OrdersSent(Message):
    """After the orders of one action were handed over: `journalled_ns` is when their record was written."""

    journalled_ns: int
    orders: tuple[OrderSent, ...]


class TimerFired(Message):
    """A timer set by action SetTimer is due."""

    key: str


class Verb(StrEnum):
    """What an operator, a client or a program may ask of execution."""

    ARM = "arm"
    DISARM = "disarm"
    STOP = "stop"
    """No new trades, then balanced, then say so."""
    KILL_HOLD = "kill_hold"
    """Cancel everything and send nothing."""
    KILL_BALANCE = "kill_balance"
    """Cancel, then risk-reducing orders only."""
    STATUS = "status"
    STAGE = "stage"
    TAKEOVER = "takeover"
    """A person takes a pair trade: nothing of it is repaired any more. Argument: the trade."""
    RELEASE = "release"
    """Hands a pair trade that is halted back. Argument: the trade."""
    FILL_ADD = "fill_add"
    """Book an execution made elsewhere: `TRADE LEG SIDE LOTS PRICE EXECID`, LEG from 1, SIDE buy or sell."""
    FILL_ASSIGN = "fill_assign"
    """Book a fill that the venue told of and no order explains: `TRADE LEG EXECID`."""
    EXPLAIN = "explain"
    """A person has explained what the venue said of an instrument, or has looked after the positions at a venue that
    does not answer. Argument: the instrument, or the venue."""
    ASK_POSITIONS = "ask_positions"
    """Ask a venue what we hold there. Argument: the venue."""
    RESET_NUMBERS = "reset_numbers"
    """Set the next MsgSeqNum(34) of a session that cannot heal: `VENUE KIND OURS THEIRS`, and `force` at the end where
    it is up or trades are open there."""
    LEG_ORDER = "leg_order"
    """An order on one instrument, through the gate: `RULE INSTRUMENT SIDE LOTS PX_TICKS TIME_IN_FORCE`."""
    WITHDRAW = "withdraw"
    """Cancel what is open of such an order. Argument: its RULE."""
    ROLLOUT = "rollout"
    """Put a rollout plan in force, at its first stage. Argument: the plan as JSON. STAGE then moves along it."""


CLIENT_VERBS = frozenset({Verb.LEG_ORDER, Verb.WITHDRAW})
"""What clients' orders ask for by themselves: no person has decided anything about trading by it."""


class Command(Message):
    """A request with a name and a reason on record; the same `command_id` twice is answered, not done, twice."""

    command_id: str
    verb: Verb
    who: str
    reason: str
    argument: str = ""


class BookStateChanged(Message):
    """An instrument's book became one to trade on, or ceased to be: told at each change."""

    instrument_id: str
    state: BookState
    detail: str


class HoursChanged(Message):
    """Trading hours of an instrument, told at each change and once at the start.

    `shut_ns` is when it next stops trading, on the monotonic clock, 0 when that is not known. `trading_day` is
    YYYYMMDD; when it changes, today's positions become yesterday's. `prompt` names the prompt date that a fill has on a
    venue whose contract has one each day (LME 3M), empty elsewhere. Of a pair's currency fixing (`fixing_of`) it tells
    whether it is of today.
    """

    instrument_id: str
    open: bool
    shut_ns: int
    trading_day: str
    prompt: str = ""


def fixing_of(pair_id: str) -> str:
    """What HoursChanged calls the currency fixing of a pair: open on its date."""
    return f"fixing of {pair_id}"


class PositionReported(Message):
    """What the venue says we hold of an instrument, net lots; asked for or from a statement."""

    instrument_id: str
    net_lots: int
    source: str


class Restarted(Message):
    """Execution begins a new incarnation: whatever was open is in doubt, sessions are down, nothing is armed."""

    incarnation: int


class AlarmHeard(Message):
    """An alarm that something beside the engine raised, and that the rollout's stage in force falls back at."""

    source: str
    """The process that raised it."""
    name: AlarmName
    subject: str
    figures: str


ExecutionEvent = (
    Intent
    | ExecutionReport
    | CancelRejected
    | MassCancelReported
    | MessageRejected
    | BadOrderMessage
    | SessionChanged
    | BooksObserved
    | OrdersSent
    | TimerFired
    | Command
    | Restarted
    | BookStateChanged
    | HoursChanged
    | PositionReported
    | PositionsAcked
    | PositionLine
    | AlarmHeard
)


# Announcements: published on the bus, and part of the journal as the content of Announce.


class LegReport(Message):
    """A leg of a pair trade now. `avg_px_e9` is in the instrument's quoted unit, 0 while nothing is filled.

    `filled_lots` counts in the direction of `side`: what an unwind takes back is subtracted.
    """

    instrument_id: str
    side: Side
    ratio_lots: int
    target_lots: int
    filled_lots: int
    avg_px_e9: int
    seen_px_e9: int
    open_lots: int


class PairTradeChanged(Message):
    """A pair trade after an event."""

    trade_id: str
    intent_id: str
    pair_id: str
    rule_id: str
    side: Side
    units: int
    hedged_units: int
    state: PairTradeState
    legs: tuple[LegReport, ...]
    slippage_e9: int
    """Money of the pair's currency lost against the prices that the decision saw, all orders so far; negative: won."""
    legged_ns: int
    """How long it held an unbalanced position, in sum."""
    legged_over_limit: bool
    attempts: int
    opened_ns: int
    cause: str = ""


class PositionChanged(Message):
    """Lots held of an instrument by our own fills: net, and apart where the venue keeps long and short apart."""

    instrument_id: str
    net_lots: int
    long_today_lots: int
    long_yesterday_lots: int
    short_today_lots: int
    short_yesterday_lots: int
    by_prompt: tuple[tuple[str, int], ...] = ()
    """Net lots by prompt date where the venue's contract has one each day."""


class PairPosition(Message):
    """Units of a pair held by the trades of one rule: bought minus sold."""

    pair_id: str
    rule_id: str
    net_units: int
    residual_lots_e9: int = 0
    """What the lot ratio of all units held has left over, in 1e-9 lots of the pair's first leg."""


class IntentRefused(Message):
    """Execution's gate said no: the first check that failed, with its figures."""

    intent_id: str
    pair_id: str
    rule_id: str
    name: RefusalName
    figures: str


class Alarm(Message):
    """Something that a person should know now."""

    name: AlarmName
    subject: str
    """The trade, order, venue or instrument it is about."""
    figures: str


class CommandAnswered(Message):
    """What became of a command."""

    command_id: str
    done: bool
    text: str


class ExecutionStatus(Message):
    """Execution's heartbeat."""

    incarnation: int
    armed: bool
    stopping: bool
    halted: bool
    stage: str
    open_trades: int
    working_orders: int
    sessions: tuple[tuple[str, bool, bool], ...]
    """(venue_id, order session logged on, reconciled since)."""
    at_ns: int
    busy_pairs: tuple[str, ...] = ()
    step: str = ""
    """Stage of the rollout plan in force, by the plan's own name; empty: no plan."""
    plan: str = ""


Announcement = (
    PairTradeChanged | PositionChanged | PairPosition | IntentRefused | Alarm | CommandAnswered | ExecutionStatus
)


# Actions of the execution engine. The shell carries them out in order, after their record is written.


class SendOrders(Message):
    """Hand all of them to their sessions back to back, then report with OrdersSent."""

    trade_id: str
    orders: tuple[Order, ...]
    expires_ns: int = 0
    """An order that has not been written by then must not leave any more; 0: it always may."""


class SendCancel(Message):
    """Ask the venue to cancel `order`; `cl_ord_id` is the request's own, `order_id` the venue's, empty if unknown."""

    cl_ord_id: str
    order: Order
    order_id: str


class AskStatus(Message):
    """Ask the venue about these orders, and with `mass` about all of them where its dialect can."""

    venue_id: str
    request_id: str
    orders: tuple[Order, ...]
    mass: bool = True


class AskPositions(Message):
    """Ask the venue what we hold there; it answers with PositionsAcked and PositionLines that name the request."""

    venue_id: str
    request_id: str
    trading_day: str
    """YYYYMMDD as its instruments have it now; empty where that is not known."""


class ResetNumbers(Message):
    """Begin the session anew with these numbers; one that is up is logged out first."""

    venue_id: str
    session: str
    next_sender_num: int
    next_target_num: int


class ReadBooks(Message):
    """Answer at once with BooksObserved."""

    request: str
    instrument_ids: tuple[str, ...]


class SetTimer(Message):
    """Deliver TimerFired(key) at `at_ns` or as soon after as may be; a later SetTimer of the same key replaces it."""

    key: str
    at_ns: int


class Announce(Message):
    """Publish `what`."""

    what: Announcement


Action = SendOrders | SendCancel | AskStatus | AskPositions | ResetNumbers | ReadBooks | SetTimer | Announce


# What trigger publishes.


class PairPrice(Message):
    """The pair's executable prices now, at one unit. `verdict` is "ok" or what stands in the way.

    `buy_px_e9` is what buying the pair costs, `sell_px_e9` what selling it brings; None where it cannot be done.
    """

    pair_id: str
    at_ns: int
    buy_px_e9: int | None
    sell_px_e9: int | None
    buy_units: int
    sell_units: int
    buy_at_e9: int | None
    """The rule's threshold to buy at or below."""
    sell_at_e9: int | None
    verdict: str
