"""What the two dialects share when they write fields: prices, sides, stamps. docs/VENUE_FIX.md is the contract."""

from decimal import Decimal
from typing import NamedTuple

from simulators.core.clock import VenueClock
from simulators.core.truth import px_text
from simulators.fix.wire import utc_text

DOMESTIC = "domestic44"
OVERSEAS = "overseas42"
BEGIN_STRING = {DOMESTIC: b"FIX.4.4", OVERSEAS: b"FIX.4.2"}


class DialectConfig(NamedTuple):
    """Which dialect a venue speaks, and what a profile may change of it."""

    name: str
    exchange: str
    """SecurityExchange(207)."""
    clock: VenueClock
    rpt_seq: bool = True

    @property
    def domestic(self) -> bool:
        """Whether it is the 4.4 dialect."""
        return self.name == DOMESTIC


class Outgoing(NamedTuple):
    """An application message of the venue. `lost`: it takes a number and does not arrive."""

    msg_type: str
    body: bytes
    lost: bool = False


class Refused(NamedTuple):
    """Reject(35=3): `reason` is SessionRejectReason(373), `tag` RefTagID(371)."""

    reason: int
    tag: int
    text: str


def stamp(clock: VenueClock, at_ns: int) -> str:
    """The venue's time of an event as UTCTimestamp."""
    return utc_text(clock.venue_ns(at_ns)).decode()


class PriceText:
    """Whole ticks to text, each price formatted once."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, int], bytes] = {}

    def of(self, symbol: str, tick: Decimal, px_ticks: int) -> bytes:
        """The quoted price of `px_ticks` whole ticks."""
        text = self._texts.get((symbol, px_ticks))
        if text is None:
            text = px_text(tick * px_ticks).encode()
            self._texts[symbol, px_ticks] = text
        return text
