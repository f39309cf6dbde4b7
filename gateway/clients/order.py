"""One order of a client: where it stands, and what its pair trades have made of it.

Its state is OrdStatus(39) without what is pending; the moves are the table below. A move that is not in it is an error
of ours and changes nothing. What is filled can fall again: a venue may take a fill back after the order has ended.

    part      some of it is filled, not all
    full      all of it is filled
    none      nothing of it is filled any more
    cancel    it ends by the client, by us, or because nothing more of it can be filled
    expire    its time is over
    suspend   execution is disarmed: it stays and does not trade
    resume    execution is armed again
"""

from enum import StrEnum

from gateway.model.client import OrderAsked
from gateway.model.order import OrdStatus, Side
from gateway.model.trade import PairTradeState


class Move(StrEnum):
    """What can happen to an order."""

    PART = "part"
    FULL = "full"
    NONE = "none"
    CANCEL = "cancel"
    EXPIRE = "expire"
    SUSPEND = "suspend"
    RESUME = "resume"


_NEW, _PART, _FULL = OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.FILLED
_GONE, _OVER, _SUSPENDED = OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.SUSPENDED

_TABLE = """
state            | part             full   none      cancel   expire  suspend   resume
new              | partially_filled filled new       canceled expired suspended new
partially_filled | partially_filled filled new       canceled expired suspended partially_filled
suspended        | suspended        filled suspended canceled expired suspended new
filled           | canceled         filled canceled  filled   filled  filled    filled
canceled         | canceled         filled canceled  canceled -       -         -
expired          | expired          filled expired   -        expired -         -
"""

ENDED = frozenset({_FULL, _GONE, _OVER})


def _read(text: str) -> dict[OrdStatus, dict[Move, OrdStatus]]:
    head, *rows = [line.split() for line in text.strip().splitlines()]
    moves = [Move(word) for word in head[2:]]
    table = {}
    for state, _, *cells in rows:
        following = {move: OrdStatus[cell.upper()] for move, cell in zip(moves, cells, strict=True) if cell != "-"}
        table[OrdStatus[state.upper()]] = following
    return table


MOVES = _read(_TABLE)


class IllegalMoveError(RuntimeError):
    """A move that the table does not have: a mistake of ours."""


class Pending(StrEnum):
    """What was asked for and is not answered yet."""

    NOTHING = ""
    CANCEL = "cancel"
    REPLACE = "replace"


class LegTally:
    """What one leg of an order holds: lots in the leg's direction, and what the lots that were added cost."""

    def __init__(self) -> None:
        self.net_lots = 0
        self.added_lots = 0
        self.value_e9 = 0

    def take(self, lots: int, px_e9: int, *, unwinds: bool) -> None:
        """A fill, negative where one is taken back."""
        self.net_lots += -lots if unwinds else lots
        if not unwinds:
            self.added_lots += lots
            self.value_e9 += lots * px_e9

    @property
    def avg_px_e9(self) -> int:
        return self.value_e9 // self.added_lots if self.added_lots else 0


class TradePart:
    """What one pair trade has given to an order."""

    def __init__(self) -> None:
        self.booked_units = 0
        self.booked_px_e9 = 0
        self.state: PairTradeState | None = None


class ClientOrder:
    """An accepted order. `asked` is it as it stands now, after replacements."""

    def __init__(self, order_id: str, rule_id: str, asked: OrderAsked, *, multileg: bool) -> None:
        self.order_id = order_id
        self.rule_id = rule_id
        self.rules = 1
        self.asked = asked
        self.multileg = multileg
        self.cl_ord_id = asked.cl_ord_id
        self.state = OrdStatus.NEW
        self.pending = Pending.NOTHING
        self.pending_cl_ord_id = ""
        self.why = ""
        """What Text(58) says when it ends, where something special ended it."""
        self.note = ""
        """The last thing that kept it from trading, for whoever asks."""
        self.cum_qty = 0
        self.value_e9 = 0
        self.trades: dict[str, TradePart] = {}
        self.legs: dict[int, LegTally] = {}
        self.intents_ended: set[str] = set()
        self.wanted: OrderAsked | None = None
        """What it shall be when its rule is gone and a replacement is pending."""
        self.base_qty = 0
        """What was filled before its rule of now: trigger counts from there."""
        self.changes = 0
        """Commands sent for it, so that each has an id of its own."""

    @property
    def client_id(self) -> str:
        return self.asked.client_id

    @property
    def side(self) -> Side:
        return self.asked.side

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def ord_status(self) -> OrdStatus:
        """OrdStatus(39): what is pending comes first, as the standard's order of precedence has it."""
        if self.ended:
            return self.state
        if self.pending is Pending.CANCEL:
            return OrdStatus.PENDING_CANCEL
        return OrdStatus.PENDING_REPLACE if self.pending is Pending.REPLACE else self.state

    @property
    def leaves_qty(self) -> int:
        return 0 if self.ended else max(0, self.asked.qty - self.cum_qty)

    @property
    def avg_px_e9(self) -> int:
        """Average price of what is filled, cut towards zero."""
        if not self.cum_qty:
            return 0
        quotient = abs(self.value_e9) // self.cum_qty
        return quotient if self.value_e9 >= 0 else -quotient

    def move(self, move: Move) -> None:
        """Take one step of the table; IllegalMoveError, and nothing changed, where there is none."""
        following = MOVES[self.state].get(move)
        if following is None:
            message = f"order {self.order_id} is {self.state.name}: {move.value} cannot happen"
            raise IllegalMoveError(message)
        self.state = following

    def book(self, trade_id: str, units: int, px_e9: int) -> int:
        """A pair trade holds so many units at this price now; by how many that changes the order."""
        part = self.trades.setdefault(trade_id, TradePart())
        change = units - part.booked_units
        self.cum_qty += change
        self.value_e9 += units * px_e9 - part.booked_units * part.booked_px_e9
        part.booked_units, part.booked_px_e9 = units, px_e9
        return change

    def count(self) -> None:
        """Set the state by what is filled."""
        if self.cum_qty >= self.asked.qty:
            self.move(Move.FULL)
        elif not self.ended or self.state is OrdStatus.FILLED:
            self.move(Move.PART if self.cum_qty else Move.NONE)

    def tally(self, leg_index: int) -> LegTally:
        return self.legs.setdefault(leg_index, LegTally())
