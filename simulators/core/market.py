"""One listed instrument while a venue runs, and how it comes from the profile and the tape."""

from typing import TYPE_CHECKING

from simulators.core.checks import Limits
from simulators.core.config import Listing, VenueConfig
from simulators.core.depth import Depth
from simulators.core.positions import Position
from simulators.core.tape import Tape
from simulators.core.values import READY, RESUME

if TYPE_CHECKING:
    from simulators.core.order import Order


class TapeError(ValueError):
    """A tape that cannot be played: it names the event and the one before, or what the tape has instead."""


class Market:
    """One listed instrument while the venue runs."""

    __slots__ = (
        "depth", "limits", "listing", "position", "resting", "session_shut", "status", "status_before_halt",
        "trade_date",
    )  # fmt: skip

    def __init__(self, listing: Listing, limits: Limits, trade_date: str) -> None:
        self.listing = listing
        self.limits = limits
        self.trade_date = trade_date
        self.depth = Depth()
        self.status = READY
        self.status_before_halt = ""
        self.session_shut = ""
        """TradSesStatus(340) of its segment while that does not trade."""
        self.resting: list[Order] = []
        self.position = Position(
            listing.open_close,
            listing.open_today_long,
            listing.open_yesterday_long,
            listing.open_today_short,
            listing.open_yesterday_short,
        )

    @property
    def trading(self) -> bool:
        """Whether orders match continuously now."""
        return self.status in {READY, RESUME} and not self.session_shut


def listed_markets(config: VenueConfig, tape: Tape) -> dict[str, Market]:
    """The instruments of `config` as the tape has them; TapeError when it has one differently or not at all."""
    venue = config.tape_venue or config.name
    known = {item.symbol: item for item in tape.instruments if item.venue == venue}
    markets: dict[str, Market] = {}
    for listing in config.listings:
        item = known.get(listing.symbol)
        if item is None or item.tick != listing.tick:
            there = f"tick {item.tick}" if item else f"{sorted(known)} of {sorted({i.venue for i in tape.instruments})}"
            message = f"{venue} {listing.symbol}, tick {listing.tick}: the tape {tape.name} has {there}"
            raise TapeError(message)
        limits = Limits(item.low_limit_ticks, item.high_limit_ticks)
        markets[listing.symbol] = Market(listing, limits, item.trading_date)
    return markets
