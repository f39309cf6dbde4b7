"""How the dialects differ, as values, and what they share when they write fields: prices, sides, stamps.

docs/VENUE_FIX.md is the contract. A profile may change the words of a dialect under `[words]`: so a venue that nobody
has thought of is played from its profile alone.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from simulators.core.clock import VenueClock
from simulators.core.truth import px_text
from simulators.fix.wire import Message, utc_text

DOMESTIC = "domestic44"
OVERSEAS = "overseas42"
LME = "lmeselect44"
FIXT = "fixt11sp2"
CANCEL_ON_DISCONNECT = 20079
_TAG = re.compile(rb"(?:(?<=\x01)|^)(\d+)=")


class Words(NamedTuple):
    """How a venue speaks."""

    begin_string: str
    reports: str = "4.4"
    """ExecutionReports as in FIX "4.4" or "4.2"; a password is in 554 or in RawData(96)."""
    domestic: bool = False
    """207, 75, 77, 20077, 20078, price limits; ExecID(17) is unique per day and side only."""
    incremental: bool = True
    rpt_seq: bool = True
    position_tag: int = 290
    default_appl_ver_id: str = ""
    """DefaultApplVerID(1137) of both Logons; empty: the version has none."""
    mass: bool = False
    """AF and q are taken."""
    positions: bool = False
    """AN is taken."""
    cancel_on_disconnect: int = 0
    """Tag of the Logon that asks for it with Y; 0: it is not offered."""
    gtc: bool = True
    gtd: bool = False
    required: Mapping[str, tuple[int, ...]] = {}
    """Tags that a message needs beyond those of its version."""
    echo: tuple[int, ...] = ()
    """Tags of an order that reports of its symbol give back."""
    rename: Mapping[int, int] = {}
    """Tag of the dialect: the venue's own."""

    def read(self, message: Message) -> Message:
        """A message of the client in the dialect's tags."""
        if not self.rename:
            return message
        own = {theirs: tag for tag, theirs in self.rename.items()}
        return Message([(own.get(tag, tag), value) for tag, value in message.pairs])

    def write(self, body: bytes) -> bytes:
        """The body of a message in the venue's own tags."""
        if not self.rename:
            return body
        return _TAG.sub(lambda match: b"%d=" % self.rename.get(int(match[1]), int(match[1])), body)


WORDS = {
    DOMESTIC: Words(
        "FIX.4.4",
        domestic=True,
        incremental=False,
        mass=True,
        positions=True,
        cancel_on_disconnect=CANCEL_ON_DISCONNECT,
        gtc=False,
    ),
    OVERSEAS: Words("FIX.4.2", reports="4.2"),
    LME: Words(
        "FIX.4.4",
        rpt_seq=False,
        positions=True,
        gtd=True,
        required={"D": (453, 448, 541), "F": (453, 541), "G": (453, 541), "H": (541,)},
        echo=(48, 22, 64, 541, 432),
    ),
    FIXT: Words(
        "FIXT.1.1",
        position_tag=1023,
        default_appl_ver_id="9",
        mass=True,
        positions=True,
        cancel_on_disconnect=CANCEL_ON_DISCONNECT,
        required={"D": (1028,)},
    ),
}


class DialectConfig(NamedTuple):
    """Which dialect a venue speaks, and what a profile may change of it."""

    name: str
    exchange: str
    """SecurityExchange(207)."""
    clock: VenueClock
    rpt_seq: bool = True
    own_words: Words | None = None
    """What the profile made of the dialect's words; None: they are as they are."""

    @property
    def words(self) -> Words:
        """How the venue speaks."""
        return self.own_words or WORDS[self.name]


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
