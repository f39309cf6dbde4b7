"""Starts the C++ reference against the benchmark venue: its QuickFIX settings and its three processes."""

import struct
from decimal import Decimal
from pathlib import Path

from benchmarks.floor.build import REPOSITORY, Floor
from benchmarks.programs import Knobs, Programs
from benchmarks.schedule import BUY_AT, FACTOR, LEGS, SELL_AT, A, B
from benchmarks.venue import CLIENT_COMP_ID, MD, ORDERS, Venue
from benchmarks.venue_fix import BEGIN_STRING

DICTIONARIES = ("domestic44.xml", "overseas42.xml")

_DEFAULT = """[DEFAULT]
ConnectionType=initiator
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
ReconnectInterval=1
ResetOnLogon=Y
CheckLatency=N
SocketNodelay=Y
ValidateFieldsOutOfOrder=N
ValidateUserDefinedFields=N
FileStorePath={store}
SocketConnectHost=127.0.0.1
SenderCompID={sender}
"""

_SESSION = """
[SESSION]
BeginString={begin_string}
TargetCompID={target}
SocketConnectPort={port}
UseDataDictionary={use_dictionary}
DataDictionary={dictionary}
Leg={leg}
Symbol={symbol}
Exchange={target}
Account={account}
Tick={tick}
Decimals={decimals}
"""


def settings(venue: Venue, role: str, store: Path) -> str:
    """The QuickFIX settings of feed (role md) or execution (role orders)."""
    text = _DEFAULT.format(store=store, sender=CLIENT_COMP_ID)
    for leg in (A, B):
        terms = LEGS[leg]
        text += _SESSION.format(
            begin_string=BEGIN_STRING[leg],
            target=terms.venue,
            port=venue.connection(leg, role).port,
            use_dictionary="Y" if role == MD else "N",
            dictionary=REPOSITORY / "fix_specs" / DICTIONARIES[leg],
            leg=leg,
            symbol=terms.symbol,
            account=terms.account,
            tick=terms.tick,
            decimals=max(0, -Decimal(terms.tick).as_tuple().exponent),  # type: ignore[operator]
        )
    return text


_INTENT = struct.Struct("<q i 2i 2i 4x 5q")
_RECORD_BYTES = 1024

HOPS = (
    "written -> received by feed",
    "received -> published",
    "published -> taken by trigger",
    "taken -> intent made",
    "intent made -> taken by execution",
    "taken by execution -> last in its venue's socket",
    "in the socket -> read by the venue",
)
"""What lies between the instants that `journal_hops` gives."""


def journal_hops(directory: Path) -> list[tuple[int, ...]]:
    """Of each intent in the journal: received, published, taken, decided, taken by execution."""
    told = (directory / "journal").read_bytes()
    whole = len(told) - len(told) % _RECORD_BYTES
    return [_INTENT.unpack_from(told, at)[6:] for at in range(0, whole, _RECORD_BYTES)]


class Reference:
    """The reference as the harness drives it."""

    name = "C++"
    hops: tuple[str, ...] = HOPS

    def __init__(self, floor: Floor, knobs: Knobs) -> None:
        self._floor = floor
        self._knobs = knobs

    def start_feed(self, venue: Venue, programs: Programs, directory: Path) -> None:
        """Only the feed."""
        directory.mkdir(parents=True, exist_ok=True)
        config = directory / "feed.cfg"
        config.write_text(settings(venue, MD, directory / "store-md"), encoding="utf-8")
        programs.start("feed", [str(self._floor.folder / "feed"), str(config), str(directory)])

    def start(self, venue: Venue, programs: Programs, directory: Path) -> None:
        """All three processes; they are at work when the venue's sessions are logged on."""
        directory.mkdir(parents=True, exist_ok=True)
        config = directory / "execution.cfg"
        config.write_text(settings(venue, ORDERS, directory / "store-orders"), encoding="utf-8")
        execution = [str(self._floor.folder / "execution"), str(config), str(directory), str(directory / "journal")]
        programs.start("execution", execution, {"FLOOR_WARM": "1" if self._knobs.warm else "0"})
        ticks, lots = [str(leg.tick) for leg in LEGS], [str(leg.qty_lots) for leg in LEGS]
        rule = [str(FACTOR), *ticks, str(BUY_AT), str(SELL_AT), *lots]
        programs.start("trigger", [str(self._floor.folder / "trigger"), str(directory), *rule])
        self.start_feed(venue, programs, directory)

    @staticmethod
    def journal_hops(directory: Path) -> list[tuple[int, ...]]:
        """See `journal_hops`."""
        return journal_hops(directory)
