"""What is true of a contract: tick, lot, currency, unit, order limits. Dated rows of the site file become one of these.

Text becomes ticks here and nowhere else, exactly (Decimal). Off tick is an error of its own: our own order is refused,
a book is unusable, an execution is kept with its exact price and an alarm.
"""

from decimal import Decimal, InvalidOperation
from enum import StrEnum

import msgspec

from gateway.model.base import Message
from gateway.model.conditions import FeeRow


class OffTickError(ValueError):
    """A price that is no whole number of ticks, or no number."""


class PositionModel(StrEnum):
    """How the venue keeps a position."""

    NET = "net"
    """One signed figure; an order needs no PositionEffect(77)."""
    OPEN_CLOSE = "open_close"
    """Long and short apart; every order opens or closes (CFFEX, DCE)."""
    OPEN_CLOSE_TODAY = "open_close_today"
    """As open_close, and a close says whether it closes today's or an earlier day's position (SHFE, INE)."""
    T_PLUS_1 = "t_plus_1"
    """Bought today, sold from the next trading day on, and never short; no PositionEffect(77) (shares on SSE, SZSE)."""


class Instrument(Message):
    """A contract on one venue, on one trading day.

    `instrument_id` is `VENUE.SYMBOL` and unique in a site; `symbol` is the venue's Symbol(55). `tick` is in the quoted
    unit of price; `lot_units` is how many `unit` one lot holds (5 for SHFE CU in t, 25000 for COMEX HG in lb);
    `point_value` is what one lot gains, in `currency`, when the quoted price rises by 1.
    """

    instrument_id: str
    venue_id: str
    symbol: str
    tick: Decimal
    lot_units: Decimal
    unit: str
    currency: str
    point_value: Decimal
    position_model: PositionModel = PositionModel.NET
    min_qty_lots: int = 1
    max_qty_lots: int = 1000
    tradable: bool = True
    """False for a reference such as USD/CNH that is priced but never ordered."""
    account: str = ""
    hedge_flag: str = ""
    """Domestic hedge flag: "1" speculation, "2" arbitrage, "3" hedging; empty where the venue has none."""
    lock: bool = False
    """Open on the other side instead of closing (锁仓): no close-today fee, both sides held until they are closed."""
    price_multiplier: Decimal = Decimal(1)
    """The venue's price times this is ours: 0.01 where it says cents and `tick` is in dollars. It is applied where text
    becomes ticks and where ticks become text for the venue, nowhere else."""
    reference_price: Decimal | None = None
    """In our unit. The first price of the book has to lie within `reference_within_pct` percent of it, else the book
    is bad: a wrong multiplier is a hundredfold error, and shows here before anything is ordered."""
    reference_within_pct: Decimal = Decimal(0)
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    """What the dialect calls instrument:NAME: a prompt date, a SecurityID."""
    fees: tuple[FeeRow, ...] = ()
    """What a lot costs to open and to close, oldest row first; empty: not known."""

    def to_ticks(self, text: str | Decimal) -> int:
        """The venue's price `text` as whole ticks; OffTickError names it and the two neighbours that would be right."""
        try:
            price = text if isinstance(text, Decimal) else Decimal(text)
            if self.price_multiplier != 1:
                price *= self.price_multiplier
            ticks, rest = divmod(price, self.tick)
        except InvalidOperation as error:
            message = f"{self.instrument_id}: price {text!r} is not a number"
            raise OffTickError(message) from error
        if rest:
            below = ticks * self.tick if rest > 0 else (ticks - 1) * self.tick
            message = f"{self.instrument_id}: price {text} is off the tick {self.tick}; {below} or {below + self.tick}"
            raise OffTickError(message)
        return int(ticks)

    def price(self, ticks: int) -> Decimal:
        """The quoted price of `ticks` whole ticks, exact."""
        return self.tick * ticks

    def venue_price(self, ticks: int) -> Decimal:
        """The same as the venue writes it; exact, for the site's check refuses a multiplier with which it were not."""
        return self.tick * ticks if self.price_multiplier == 1 else self.tick * ticks / self.price_multiplier

    def our_price(self, text: str) -> str:
        """A price in the venue's words in our unit, exact; what is no number stays as it is."""
        if self.price_multiplier == 1 or not text:
            return text
        try:
            return format(Decimal(text) * self.price_multiplier, "f")
        except InvalidOperation:
            return text

    def implausible(self, text: str) -> str:
        """Why a first price of the venue cannot be believed, naming both prices; empty when it can."""
        reference = self.reference_price
        price = Decimal(self.our_price(text))
        if reference is None or abs(price - reference) * 100 <= reference * self.reference_within_pct:
            return ""
        return (
            f"{price} (price_multiplier {self.price_multiplier}) is not within {self.reference_within_pct} % of "
            f"reference_price {reference} of {self.instrument_id}"
        )
