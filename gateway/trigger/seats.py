"""What a quote touches: the newest quote of each instrument, and of each pair the legs and references that it prices.

They keep numbers; which price comes of them is `gateway/trigger/standing.py`.

What can go wrong: a leg's numbers are right only while its quote and its currency's quote may be traded on. A seat that
may not be counts itself into `unusable` of the pairs that it touches.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.model.quote import BookState, Quote
from gateway.trigger.depth import walk
from gateway.trigger.price import LegFormula

if TYPE_CHECKING:
    from gateway.trigger.standing import StandingPair


def shared(number: int) -> int:
    """The one object for this number: legs and pairs that say the same touch the same memory."""
    return _SHARED.setdefault(number, number)


_SHARED: dict[int, int] = {}


class Seat:
    """An instrument's newest quote, and what it touches: each pair with those of its legs that are priced anew."""

    __slots__ = ("name", "open", "quote", "touched", "usable")

    def __init__(self, name: str) -> None:
        self.name = name
        self.quote: Quote | None = None
        self.usable = False
        self.open = True
        """Within its trading hours, or without a calendar."""
        self.touched: list[tuple[StandingPair, tuple[StandingLeg | StandingReference, ...]]] = []

    def take(self, quote: Quote) -> None:
        """A new quote: every pair that it touches stands at its prices afterwards."""
        self.quote = quote
        self._judge()

    def mind_hours(self, *, is_open: bool) -> None:
        """It opened, or shut."""
        self.open = is_open
        self._judge()

    @property
    def obstacle(self) -> str:
        """Why it is not usable."""
        if self.quote is None:
            return f"{self.name}: no quote yet"
        return f"{self.name}: {self.quote.state.value if self.open else 'outside trading hours'}"

    def _judge(self) -> None:
        usable = self.open and self.quote is not None and self.quote.state is BookState.OK
        if usable is not self.usable:
            self.usable = usable
            for pair, _ in self.touched:
                pair.unusable += -1 if usable else 1


class StandingLeg:
    """A leg's weighted cost for one unit, bought (`ask`) and sold (`bid`); None where the book does not hold it."""

    __slots__ = (
        "ask", "bid", "calibrated_ns", "formula", "fx", "lots", "max_age_ns", "recv_ns", "seat", "unit_weight",
        "weight",
    )  # fmt: skip

    def __init__(self, formula: LegFormula, seat: Seat, fx: Seat | None) -> None:
        self.formula = formula
        self.seat = seat
        self.fx = fx
        self.lots = formula.spec.ratio_lots
        self.weight = shared(formula.weight)
        self.unit_weight = shared(formula.weight * self.lots)
        self.max_age_ns = shared(formula.spec.max_quote_age_ns)
        self.recv_ns = self.calibrated_ns = 0
        self.ask: int | None = None
        self.bid: int | None = None

    def reprice(self) -> None:
        """Take both sides from the newest quotes, if they may be used."""
        quote = self.seat.quote
        fx = self.fx
        if quote is None or not self.seat.usable or (fx is not None and not fx.usable):
            return
        self.recv_ns = quote.recv_ns
        self.calibrated_ns = quote.calibrated_ns
        lots = self.lots
        px_ticks, size_lots = quote.asks[0]
        ask = px_ticks * self.unit_weight if size_lots >= lots else self._deeper(quote.asks)
        px_ticks, size_lots = quote.bids[0]
        bid = px_ticks * self.unit_weight if size_lots >= lots else self._deeper(quote.bids)
        if fx is not None and fx.quote is not None:
            ask = None if ask is None else ask * fx.quote.asks[0][0]
            bid = None if bid is None else bid * fx.quote.bids[0][0]
        self.ask, self.bid = ask, bid

    def _deeper(self, levels: Sequence[tuple[int, int]]) -> int | None:
        taken = walk(tuple(levels), self.lots)
        return None if taken is None else taken.cost * self.weight


class StandingReference:
    """The touch of an instrument that a formula names and the pair does not trade, in ticks."""

    __slots__ = ("ask", "bid", "fx", "seat")

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.fx: Seat | None = None
        self.ask: int | None = None
        self.bid: int | None = None

    def reprice(self) -> None:
        """Take both sides from the newest quote, if it may be used."""
        quote = self.seat.quote
        if quote is not None and self.seat.usable:
            self.ask, self.bid = quote.asks[0][0], quote.bids[0][0]
