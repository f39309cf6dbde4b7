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

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gateway.model.client import OrderAsked
from gateway.model.order import ExecType, OrdStatus, Side
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


@dataclass(slots=True)
class Told:
    """A trade that was told, and what of it stands."""

    key: str
    """Of the venue's execution; empty where there is none: a pair's, or one that a total only implies."""
    units: int = 0
    px_e9: int = 0
    exec_id: str = ""
    """ExecID(17) of the last report about it."""


class Change(NamedTuple):
    """What is to be told next of a trade: made (150=F), taken back (H) or corrected (G)."""

    exec_type: ExecType
    units: int
    px_e9: int
    told: Told
    key: str = ""


class Tally:
    """What was told of trades and stands. CumQty(14) and AvgPx(6) come of it, so they always agree with the trades."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.units = 0
        self.value_e9 = 0

    def take(self, change: Change) -> None:
        """It is told now."""
        told = change.told
        if change.exec_type is ExecType.TRADE:
            told.units, told.px_e9 = change.units, change.px_e9
            self.told.append(told)
            self.units += change.units
            self.value_e9 += change.units * change.px_e9
        elif change.exec_type is ExecType.TRADE_CANCEL:
            told.units -= change.units
            self.units -= change.units
            self.value_e9 -= change.units * told.px_e9
        else:
            self.value_e9 += told.units * (change.px_e9 - told.px_e9)
            told.px_e9, told.key = change.px_e9, change.key or told.key

    def of_fill(self, lots: int, px_e9: int, key: str, ref_key: str) -> list[Change]:
        """A fill of a venue, in the place of one that a total implied. Negative lots: `ref_key` is taken back."""
        if lots < 0:
            told = self._find(ref_key) or next((one for one in reversed(self.told) if one.units), None)
            if told is None:
                return []
            return [Change(ExecType.TRADE_CANCEL, min(-lots, told.units), told.px_e9, told)]
        made = Change(ExecType.TRADE, lots, px_e9, Told(key))
        implied = next((one for one in self.told if one.units and not one.key), None)
        if implied is None:
            return [made]
        if implied.units == lots:
            return [Change(ExecType.TRADE_CORRECT, lots, px_e9, implied, key)]
        return [Change(ExecType.TRADE_CANCEL, min(lots, implied.units), implied.px_e9, implied), made]

    def of_correction(self, lots: int, px_e9: int, key: str, ref_key: str) -> list[Change]:
        """A venue has corrected the price of a fill."""
        told = self._find(ref_key)
        if told is not None and told.units == lots:
            return [Change(ExecType.TRADE_CORRECT, lots, px_e9, told, key)]
        return [*self.of_fill(-lots, 0, "", ref_key), *self.of_fill(lots, px_e9, key, "")]

    def of_total(self, units: int, px_e9: int) -> list[Change]:
        """So many units are held now, at this price on average: the latest trades are taken back first."""
        value_e9 = self.value_e9
        if units > self.units:
            more = units - self.units
            return [Change(ExecType.TRADE, more, (units * px_e9 - value_e9) // more, Told(""))]
        changes = []
        less = self.units - units
        left: Told | None = None
        left_units = 0
        for told in reversed([one for one in self.told if one.units]):
            back = min(less, told.units)
            if back:
                changes.append(Change(ExecType.TRADE_CANCEL, back, told.px_e9, told))
                value_e9 -= back * told.px_e9
                less -= back
            if told.units > back:
                left, left_units = told, told.units - back
                break
        if left is not None:
            off_e9 = units * px_e9 - value_e9
            by_e9 = abs(off_e9) // left_units * (1 if off_e9 > 0 else -1)
            if by_e9:
                changes.append(Change(ExecType.TRADE_CORRECT, left_units, left.px_e9 + by_e9, left))
        return changes

    @property
    def avg_px_e9(self) -> int:
        """Average price of what stands, cut towards zero."""
        if not self.units:
            return 0
        quotient = abs(self.value_e9) // self.units
        return quotient if self.value_e9 >= 0 else -quotient

    def _find(self, key: str) -> Told | None:
        return next((one for one in self.told if key and one.key == key and one.units), None)


class TradePart(Tally):
    """What one pair trade has given to an order."""

    def __init__(self) -> None:
        super().__init__()
        self.state: PairTradeState | None = None
        self.legs: dict[int, LegPart] = {}


class LegPart:
    """What was told of one leg of a pair trade: lots in the leg's direction, and what those that were added cost."""

    def __init__(self) -> None:
        self.lots = 0
        self.value_e9 = 0
        self.unwound = False

    def add(self, lots: int, value_e9: int, *, unwinds: bool) -> None:
        """More of it, or less."""
        self.unwound = self.unwound or unwinds
        self.lots += -lots if unwinds else lots
        self.value_e9 += 0 if unwinds else value_e9


LegKey = tuple[int, str, bool]
"""Index of a leg, the instrument that was traded, whether it was taken back: each has a count of its own."""


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
        self.legs: dict[LegKey, Tally] = {}
        self.intents_ended: set[str] = set()
        self.wanted: OrderAsked | None = None
        """What it shall be when its rule is gone and a replacement is pending."""
        self.base_qty = 0
        """What was filled before its rule of now: trigger counts from there."""
        self.changes = 0
        """Commands sent for it, so that each has an id of its own."""
        self.names: list[str] = []
        """ClOrdIDs(11) that belong to it."""
        self.kept = False
        """An order on a leg of which nothing is at its venue: it is entered when it can be."""
        self.not_before_ns = 0
        """Before then it is not tried again."""
        self.shut_day = ""
        """Trading day of its venue that is over for it: it waits for the next one, or for the next opening."""
        self.again = False
        """What is left of it is entered anew when what is at its venue has ended."""
        self.placed_by = ""
        """The command that last gave it to execution."""

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

    def take(self, trade_id: str, change: Change) -> None:
        """A trade of it is told now: what is filled follows."""
        part = self.trades.setdefault(trade_id, TradePart())
        before, value_e9 = part.units, part.value_e9
        part.take(change)
        self.cum_qty += part.units - before
        self.value_e9 += part.value_e9 - value_e9
        self.count()

    def count(self) -> None:
        """Set the state by what is filled."""
        if self.cum_qty >= self.asked.qty:
            self.move(Move.FULL)
        elif not self.ended or self.state is OrdStatus.FILLED:
            self.move(Move.PART if self.cum_qty else Move.NONE)

    def tally(self, key: LegKey) -> Tally:
        return self.legs.setdefault(key, Tally())

    def held_lots(self, leg_index: int) -> int:
        """Lots of a leg that are held, in its direction, by whatever instrument."""
        return sum(
            -one.units if back else one.units for (index, _, back), one in self.legs.items() if index == leg_index
        )
