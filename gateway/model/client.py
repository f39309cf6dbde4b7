"""What passes between our clients and us: what a client asks for, what execution did for it, what it is told.

Prices of pairs are whole 1e-9 of the pair's unit, prices of legs whole 1e-9 of the quoted unit; quantities are units of
a pair, or lots of a leg; `utc_ns` is nanoseconds since 1970 UTC, every other time this host's monotonic clock. Enums
have FIX's characters as their values.
"""

from enum import StrEnum

from gateway.model.base import Message
from gateway.model.order import ExecType, OrdStatus, Side, TimeInForce
from gateway.model.rules import ChangeRules, RuleStanding
from gateway.model.trade import Command, CommandAnswered, IntentRefused, PairTradeState, Restarted


class ClientSpec(Message):
    """A client as the site file has it: what it may do and how much of it. `client_id` is its SenderCompID(49)."""

    client_id: str
    begin_string: str
    """"FIX.4.2", "FIX.4.4" or "FIXT.1.1"."""
    accounts: tuple[str, ...]
    """Account(1) of its orders; the first where an order names none. A drop copy has the executions of these."""
    pairs: tuple[str, ...]
    instruments: tuple[str, ...]
    """Legs that it may see; with `leg_orders`, trade alone."""
    times_in_force: tuple[TimeInForce, ...]
    max_units: int
    """Of one order on a pair."""
    max_lots: int
    """Of one order on a leg."""
    max_open_orders: int
    orders_per_s: int
    leg_orders: bool = False
    drop_copy: bool = False
    """Reads the executions of its accounts, and may send nothing else."""
    cancel_on_disconnect: bool = False


class ClientRefusal(StrEnum):
    """Why a client's order is not taken. The order of the members is the order of the checks; Text(58) begins so."""

    CL_ORD_ID = "cl_ord_id"
    """A ClOrdID(11) that is none: too long, or not printable."""
    DUPLICATE_ORDER = "duplicate_order"
    """A ClOrdID(11) is accepted once, ever."""
    READ_ONLY = "read_only"
    """A drop copy sends nothing."""
    THROTTLED = "throttled"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NOT_ENTITLED = "not_entitled"
    ACCOUNT = "account"
    ORDER_TYPE = "order_type"
    TIME_IN_FORCE = "time_in_force"
    LEGS = "legs"
    """Legs of a multileg order that are not those of the pair."""
    QUANTITY = "quantity"
    MAX_QUANTITY = "max_quantity"
    PRICE = "price"
    EXPIRE_TIME = "expire_time"
    OPEN_ORDERS = "open_orders"
    IDS_FULL = "ids_full"
    """The client has used as many ClOrdIDs(11) as the site keeps of one."""
    GATEWAY_DOWN = "gateway_down"
    """Execution or trigger is not heard of."""
    STOPPING = "stopping"
    KILLED = "killed"
    DISARMED = "disarmed"
    STAGE = "stage"
    JOURNAL = "journal"
    """The order cannot be written down, so it is not taken."""


class Ended(StrEnum):
    """Why an order ended without being filled, at the head of Text(58)."""

    BY_CLIENT = "by_client"
    DISCONNECT = "disconnect"
    MASS_CANCEL = "mass_cancel"
    NOT_MARKETABLE = "not_marketable"
    """Immediate-or-cancel, or fill-or-kill, at a price or a size that the books do not hold."""
    REFUSED_BY_GATE = "refused_by_gate"
    REFUSED_BY_TRIGGER = "refused_by_trigger"
    NOT_COMPLETED = "not_completed"
    """Its pair trade was taken back, or nothing of it was filled."""
    TIME_OVER = "time_over"
    KILLED = "killed"
    OPERATOR = "operator"
    BY_VENUE = "by_venue"
    """An order on a leg that its venue refused or cancelled by itself."""
    WITHDRAWN = "withdrawn"
    """An order on a leg that the gateway took back from its venue: it stopped, or was started anew."""
    HALTED = "halted"
    """Its trade waits for a person, and nothing of it is open at a venue."""


# What a client asks for.


class OrderAsked(Message):
    """NewOrderSingle(35=D) or NewOrderMultileg(35=AB), readable but not judged. A price of None: there is none."""

    client_id: str
    msg_type: str
    msg_seq_num: int
    poss_resend: bool
    cl_ord_id: str
    account: str
    symbol: str
    side: Side
    qty: int
    qty_text: str
    """As it was written; `qty` is 0 where that is no whole number above 0."""
    ord_type: str
    price_e9: int | None
    price_text: str
    time_in_force: TimeInForce
    expire_utc_ns: int
    """0: none."""
    legs: tuple[tuple[str, str, str], ...] = ()
    """(LegSymbol, LegSide, LegRatioQty) as written; empty: not given."""
    expire_text: str = ""
    """ExpireTime(126), or ExpireDate(432), as written."""


class ReplaceAsked(Message):
    """OrderCancelReplaceRequest(35=G) or MultilegOrderCancelReplace(35=AC): the order, as it shall be from now on."""

    orig_cl_ord_id: str
    order_id: str
    order: OrderAsked


class CancelAsked(Message):
    """OrderCancelRequest(35=F)."""

    client_id: str
    msg_seq_num: int
    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str
    symbol: str
    poss_resend: bool = False
    side: Side | None = None


class MassCancelAsked(Message):
    """OrderMassCancelRequest(35=q); an empty symbol: all."""

    client_id: str
    msg_seq_num: int
    cl_ord_id: str
    request_type: str
    symbol: str
    poss_resend: bool = False


class ClientSession(Message):
    """A client's session logged on or off. `cancels` is its choice at logon for its orders at a disconnect."""

    client_id: str
    up: bool
    cancels: bool
    detail: str = ""
    reset: bool = False
    """Sequence numbers began again at 1."""
    keeps: bool = False
    """Of an end: its orders outlive it whatever its choice was; `cancels` of an end: they do not."""


# What the gateway tells.


class LegFill(Message):
    """A fill of an order of ours, as execution's journal has it, counted once."""

    trade_id: str
    rule_id: str
    pair_id: str
    leg_index: int
    instrument_id: str
    account: str
    side: Side
    lots: int
    """Negative: an earlier fill is taken back (`busted` names it)."""
    px_e9: int
    px_text: str
    exec_id: str
    """The venue's ExecID(17)."""
    venue_order: str
    """Our ClOrdID(11) at the venue."""
    first: bool
    """Of the trade's first orders; False: of a repair."""
    unwinds: bool
    """Of an order that takes back what was filled."""
    trade_date: str
    venue_utc_ns: int
    exec_ref_id: str = ""
    """On a bust or a correction: the venue's ExecID that it is about."""


class TradeStep(Message):
    """A pair trade after an event, with the price that its intent saw. `px_e9` is the pair price reached so far."""

    trade_id: str
    rule_id: str
    pair_id: str
    intent_id: str
    side: Side
    units: int
    hedged_units: int
    state: PairTradeState
    px_e9: int
    slippage_e9: int
    legged_ns: int
    attempts: int
    cause: str
    open_lots: int = 0
    """That may still be filled at venues, by orders that work or are in doubt."""
    end: str = ""
    """A LegEnd: how the orders of a trade of one leg ended; empty while they have not, and when they are filled."""
    legs: tuple[tuple[int, int], ...] = ()
    """(lots held in the leg's direction, average price in 1e-9) of each leg, what a venue only implies included."""


class LegEnd(StrEnum):
    """How an order on a leg ended at its venue unfilled. Of several orders the first in this list counts."""

    BY_VENUE = "by_venue"
    """The venue cancelled it by itself."""
    REJECTED = "rejected"
    SHUT = "shut"
    """Refused because the market is shut: OrdRejReason(103)=2."""
    LOST = "lost"
    """Cancelled by the venue after its session with us was lost."""
    WITHDRAWN = "withdrawn"
    """We cancelled it."""
    EXPIRED = "expired"
    """Its day is over at the venue."""
    UNSENT = "unsent"
    """It never reached the venue."""


class ExecutionHeard(Message):
    """What one decision of execution means for clients. `seq` is the decision's number in execution's journal."""

    seq: int
    fills: tuple[LegFill, ...]
    steps: tuple[TradeStep, ...]
    refused: tuple[IntentRefused, ...]


class SwitchesHeard(Message):
    """How execution and trigger stand, told when it changes."""

    heard: bool
    """Both are heard of."""
    armed: bool
    held: bool
    stopping: bool
    stage: str
    incarnation: int
    detail: str = ""


class LegHours(Message):
    """An instrument that clients order alone opened or shut, or began a trading day (YYYYMMDD)."""

    instrument_id: str
    open: bool
    trading_day: str


class Tick(Message):
    """Time has passed: commands without an answer are sent again, orders of a day that is over are looked after."""


ClientEvent = (
    OrderAsked
    | ReplaceAsked
    | CancelAsked
    | MassCancelAsked
    | ClientSession
    | ExecutionHeard
    | SwitchesHeard
    | RuleStanding
    | CommandAnswered
    | Restarted
    | Tick
    | LegHours
)


# What is to be done. The shell carries these out in order, after their record is written.


class ClientReport(Message):
    """ExecutionReport(35=8) to the session `client_id`."""

    client_id: str
    order_id: str
    exec_id: str
    exec_type: ExecType
    ord_status: OrdStatus
    symbol: str
    side: Side
    order_qty: int
    leaves_qty: int
    cum_qty: int
    avg_px_e9: int
    utc_ns: int
    multileg: str
    """MultiLegReportingType(442): "1" a leg alone, "2" a leg of a pair, "3" the pair."""
    cl_ord_id: str = ""
    orig_cl_ord_id: str = ""
    account: str = ""
    price_e9: int | None = None
    time_in_force: str = ""
    expire_utc_ns: int = 0
    last_qty: int = 0
    last_px_e9: int = 0
    last_px_text: str = ""
    """The venue's own decimal, where there is one."""
    exec_ref_id: str = ""
    secondary_exec_id: str = ""
    trade_date: str = ""
    ord_rej_reason: str = ""
    restatement: str = ""
    text: str = ""
    request_id: str = ""
    """MassStatusReqID(584) or OrdStatusReqID(790), of an answer."""
    mass: bool = False
    of: int = 0
    last: bool = False
    copy: bool = False
    """To a drop copy."""


class CancelRefused(Message):
    """OrderCancelReject(35=9)."""

    client_id: str
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: OrdStatus
    response_to: str
    """CxlRejResponseTo(434)."""
    reason: str
    text: str
    utc_ns: int


class MassCancelTold(Message):
    """OrderMassCancelReport(35=r)."""

    client_id: str
    cl_ord_id: str
    order_id: str
    request_type: str
    response: str
    reject_reason: str
    affected: int
    symbol: str
    text: str


class BusinessRejected(Message):
    """BusinessMessageReject(35=j)."""

    client_id: str
    ref_seq_num: int
    ref_msg_type: str
    ref_id: str
    reason: str
    text: str


class AskTrigger(Message):
    """Send the change to trigger; the same again where no answer came."""

    change: ChangeRules


class AskExecution(Message):
    """Send the command to execution."""

    command: Command


ClientAction = ClientReport | CancelRefused | MassCancelTold | BusinessRejected | AskTrigger | AskExecution
