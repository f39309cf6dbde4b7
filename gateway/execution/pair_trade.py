"""One pair trade's machine: from its first orders to hedged, unwound, missed, or halted for a person.

After every event that touches it the engine finds, in this order, what the trade's orders add up to:

    waiting_for   an order is open: more may come
    doubtful      no order is open, but one is in doubt
    hedged        every leg holds the same whole number of units, at least one
    nothing       no leg was ever filled
    flat          every leg is back at zero
    legged        unbalanced, and its legs can be traded
    blocked       unbalanced, and a leg cannot be traded now
    give_up       a cause of HaltCause says that a person has to decide
    released      a person has handed it back

and the table gives the state. A late fill or a bust can make an ended trade unbalanced again: it is repaired like any
other. HALTED is left by a person only.
"""

from enum import StrEnum

import msgspec

from gateway.execution.order_book import OwnOrder
from gateway.execution.order_state import IllegalInputError, read_table
from gateway.model.base import Message
from gateway.model.order import Side
from gateway.model.trade import HaltCause, Intent, LegReport, PairTradeChanged, PairTradeState

MOST_MONEY_E9 = 2**63 - 1
"""What a number of the journal holds. Only a price that a venue got wrong leads beyond it: it is told as this."""


class Balance(StrEnum):
    """What the orders of a pair trade add up to."""

    WAITING_FOR = "waiting_for"
    DOUBTFUL = "doubtful"
    HEDGED = "hedged"
    NOTHING = "nothing"
    FLAT = "flat"
    LEGGED = "legged"
    BLOCKED = "blocked"
    GIVE_UP = "give_up"
    RELEASED = "released"


_TABLE = """
state     | waiting_for doubtful  hedged nothing flat    legged    blocked give_up released
working   | working     waiting   hedged missed  unwound repairing waiting halted  -
repairing | repairing   waiting   hedged missed  unwound repairing waiting halted  -
waiting   | waiting     waiting   hedged missed  unwound repairing waiting halted  -
hedged    | repairing   waiting   hedged missed  unwound repairing waiting halted  -
unwound   | repairing   waiting   hedged missed  unwound repairing waiting halted  -
missed    | repairing   waiting   hedged missed  unwound repairing waiting halted  -
halted    | halted      halted    halted halted  halted  halted    halted  halted  waiting
"""

TRANSITIONS: dict[PairTradeState, dict[Balance, PairTradeState]] = {
    PairTradeState(state): {Balance(name): PairTradeState(following) for name, following in cells.items()}
    for state, cells in read_table(_TABLE).items()
}

ENDED = frozenset({PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED, PairTradeState.HALTED})


def next_state(state: PairTradeState, given: Balance) -> PairTradeState:
    """The state after `given`; IllegalInputError, and nothing changed, when the table has no such move."""
    following = TRANSITIONS[state].get(given)
    if following is None:
        message = f"pair trade is {state.value}: {given.value} cannot happen"
        raise IllegalInputError(message)
    return following


class PackedLeg(Message, frozen=True):
    """A leg of a packed pair trade, without its orders."""

    instrument_id: str
    venue_id: str
    side: Side
    ratio_lots: int
    target_lots: int
    seen_px_e9: int
    value_per_tick_e9: int
    tick_e9: int
    substitute_id: str


class PackedTrade(Message, frozen=True):
    """An ended pair trade as `archive.py` keeps it; the intent without its legs."""

    trade_id: str
    intent: Intent
    legs: tuple[PackedLeg, ...]
    opened_ns: int
    state: PairTradeState
    attempts: int
    cause: str
    legged_over_limit: bool
    orders_before: int
    tried_ns: int
    tried_books: dict[str, tuple[int, int]]
    booked_units: int
    booked_slippage_e9: int
    legged_ns: int


class Leg:
    """One leg: its orders, what they add up to, and the price that the decision saw."""

    def __init__(
        self,
        instrument_id: str,
        venue_id: str,
        side: Side,
        ratio_lots: int,
        target_lots: int,
        seen_px_e9: int,
        value_per_tick_e9: int,
        tick_e9: int,
        substitute_id: str = "",
    ) -> None:
        self.instrument_id = instrument_id
        self.venue_id = venue_id
        self.side = side
        self.ratio_lots = ratio_lots
        self.target_lots = target_lots
        self.seen_px_e9 = seen_px_e9
        self.value_per_tick_e9 = value_per_tick_e9
        self.tick_e9 = tick_e9
        self.substitute_id = substitute_id
        """Instrument that repairs may trade where the leg's own cannot be traded; empty: none."""
        self.instrument_ids = (instrument_id, substitute_id) if substitute_id else (instrument_id,)
        """What orders of it may trade."""
        self.orders: list[OwnOrder] = []

    def held_in(self, instrument_id: str) -> int:
        """Lots that its orders in this instrument hold, in the leg's direction."""
        return sum(own.direction * own.filled_lots for own in self.orders if own.order.instrument_id == instrument_id)

    @property
    def filled_lots(self) -> int:
        """Lots held in the leg's direction; unwinding orders count down."""
        lots = 0  # a loop, not a sum: this is asked a dozen times for every intent, of one order or two
        for own in self.orders:
            lots += own.direction * own.filled_lots
        return lots

    @property
    def open_lots(self) -> int:
        lots = 0
        for own in self.orders:
            lots += own.open_lots
        return lots

    def open_by_direction(self) -> tuple[int, int]:
        """Lots of open orders that add to the leg, and of those that unwind it."""
        adding = sum(own.open_lots for own in self.orders if own.direction > 0)
        return adding, self.open_lots - adding

    @property
    def average_px_e9(self) -> int:
        """Average price of what was filled in the leg's direction, in the quoted unit; 0 with nothing filled."""
        lots = value_e9 = 0
        for own in self.orders:
            if own.direction > 0 and own.filled_lots:
                lots += own.filled_lots
                value_e9 += own.value_e9
        return value_e9 // lots if lots else 0

    def slippage_e9(self, units: int) -> int:
        """Money lost against the price seen if `units` stay hedged: what was paid net, minus what that should cost."""
        paid = sum(own.direction * own.value_e9 for own in self.orders)
        due = units * self.ratio_lots * self.seen_px_e9
        return self.side.sign * (paid - due) * self.value_per_tick_e9 // self.tick_e9

    def packed(self) -> PackedLeg:
        """All but its orders."""
        return PackedLeg(
            self.instrument_id,
            self.venue_id,
            self.side,
            self.ratio_lots,
            self.target_lots,
            self.seen_px_e9,
            self.value_per_tick_e9,
            self.tick_e9,
            self.substitute_id,
        )

    def report(self) -> LegReport:
        return LegReport(
            self.instrument_id,
            self.side,
            self.ratio_lots,
            self.target_lots,
            self.filled_lots,
            self.average_px_e9,
            self.seen_px_e9,
            self.open_lots,
        )


class PairTrade:
    """What execution made of one intent."""

    def __init__(self, trade_id: str, intent: Intent, legs: tuple[Leg, ...], opened_ns: int) -> None:
        self.trade_id = trade_id
        self.intent = intent
        self.legs = legs
        self.state = PairTradeState.WORKING
        self.opened_ns = opened_ns
        self.attempts = 0
        self.cause = ""
        self.legged_over_limit = False
        self.reading = False
        """Whether an answer to ReadBooks is due for its repair."""
        self.orders_before = 0
        """Orders that it had sent when a person last handed it back: the limit counts those since."""
        self.tried_ns = 0
        self.tried_books: dict[str, tuple[int, int]] = {}
        """When the last repair was sent, and which quote of each instrument it was priced from."""
        self.held_legs: set[int] = set()
        """Legs held back for arrival alignment."""
        self.quoting = False
        """Whether an order of its lead rests, or is about to."""
        self._booked_units = 0
        self._booked_slippage_e9 = 0
        self._told: tuple[object, ...] = ()
        self._legged_ns = 0
        self._legged_since_ns: int | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def in_trouble(self) -> bool:
        """Unbalanced beyond the course of its first dispatch."""
        return self.state is not PairTradeState.WORKING and not self.balanced

    @property
    def hedged_units(self) -> int:
        """Whole units that every leg holds."""
        return min(leg.filled_lots // leg.ratio_lots for leg in self.legs)

    @property
    def balanced(self) -> bool:
        """Whether every leg holds the same whole number of units."""
        first = self.legs[0]
        if first.filled_lots % first.ratio_lots:
            return False
        units = first.filled_lots // first.ratio_lots
        return units >= 0 and all(leg.filled_lots == units * leg.ratio_lots for leg in self.legs)

    @property
    def touched(self) -> bool:
        """Whether anything was ever filled."""
        for leg in self.legs:
            for own in leg.orders:
                if own.filled_lots:
                    return True
        return False

    @property
    def orders_sent(self) -> int:
        """Orders since it was opened, or since a person handed it back."""
        return sum(len(leg.orders) for leg in self.legs) - self.orders_before

    def orders(self) -> list[OwnOrder]:
        return [own for leg in self.legs for own in leg.orders]

    def note_time(self, at_ns: int) -> bool:
        """Keep the legged time; True when the trade has just become unbalanced."""
        if self.balanced:
            if self._legged_since_ns is not None:
                self._legged_ns += at_ns - self._legged_since_ns
                self._legged_since_ns = None
            return False
        if self._legged_since_ns is None:
            self._legged_since_ns = at_ns
            return True
        return False

    def note_boot(self, at_ns: int) -> None:
        """After a boot the clock may stand before the moment at which it became unbalanced: that counts from now on."""
        if self._legged_since_ns is not None:
            self._legged_since_ns = min(self._legged_since_ns, at_ns)

    def legged_ns(self, at_ns: int) -> int:
        """How long it was unbalanced, up to now."""
        running = at_ns - self._legged_since_ns if self._legged_since_ns is not None else 0
        return self._legged_ns + running

    def halt(self, cause: HaltCause) -> None:
        self.state, self.cause = next_state(self.state, Balance.GIVE_UP), cause.value

    def release(self) -> None:
        """A person hands it back: it begins its attempts anew."""
        self.state, self.cause, self.attempts = next_state(self.state, Balance.RELEASED), "", 0
        self.orders_before = len(self.orders())

    def book(self, units: int, slippage_e9: int) -> tuple[int, int]:
        """Keep what is booked of it; returns the changes of units and slippage against what was booked before."""
        change = units - self._booked_units, slippage_e9 - self._booked_slippage_e9
        self._booked_units, self._booked_slippage_e9 = units, slippage_e9
        return change

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it is under way and all was told: it may be packed."""
        waits = self.reading or self.quoting or self.held_legs or self._legged_since_ns is not None
        if waits or self.state not in ENDED or self.state is PairTradeState.HALTED:
            return False
        return not any(own.open for own in self.orders()) and self._facts(self.report(0)) == self._told

    def packed(self) -> PackedTrade:
        """All of it that an ended trade may need again."""
        return PackedTrade(
            self.trade_id,
            msgspec.structs.replace(self.intent, legs=()),
            tuple([leg.packed() for leg in self.legs]),
            self.opened_ns,
            self.state,
            self.attempts,
            self.cause,
            self.legged_over_limit,
            self.orders_before,
            self.tried_ns,
            self.tried_books,
            self._booked_units,
            self._booked_slippage_e9,
            self._legged_ns,
        )

    @classmethod
    def unpacked(cls, one: PackedTrade) -> "PairTrade":
        """As it was packed, its legs still without their orders; `note_told` when they have them."""
        made = cls(one.trade_id, one.intent, tuple([Leg(*msgspec.structs.astuple(leg)) for leg in one.legs]), 0)
        made.opened_ns, made.state, made.attempts, made.cause = one.opened_ns, one.state, one.attempts, one.cause
        made.legged_over_limit, made.orders_before = one.legged_over_limit, one.orders_before
        made.tried_ns, made.tried_books = one.tried_ns, one.tried_books
        made._booked_units, made._booked_slippage_e9 = one.booked_units, one.booked_slippage_e9
        made._legged_ns = one.legged_ns
        return made

    def note_told(self) -> None:
        """All that it would tell now was told before."""
        self._told = self._facts(self.report(0))

    @staticmethod
    def _facts(told: PairTradeChanged) -> tuple[object, ...]:
        return told.state, told.legs, told.attempts, told.cause, told.legged_over_limit

    def is_news(self, told: PairTradeChanged) -> bool:
        """Whether a report says anything that the last one did not, time apart."""
        facts = self._facts(told)
        news = facts != self._told
        self._told = facts
        return news

    def report(self, at_ns: int) -> PairTradeChanged:
        units = slippage_e9 = 0
        if self.touched and self.balanced:
            units = self.hedged_units
            slippage_e9 = sum(leg.slippage_e9(units) for leg in self.legs)
            slippage_e9 = max(-MOST_MONEY_E9, min(slippage_e9, MOST_MONEY_E9))
        return PairTradeChanged(
            self.trade_id,
            self.intent.intent_id,
            self.intent.pair_id,
            self.intent.rule_id,
            self.intent.side,
            self.intent.units,
            units,
            self.state,
            tuple([leg.report() for leg in self.legs]),
            slippage_e9,
            self.legged_ns(at_ns),
            self.legged_over_limit,
            self.attempts,
            self.opened_ns,
            self.cause,
        )
