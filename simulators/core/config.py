"""What a venue is told before it starts: values only, already validated by the profile."""

from dataclasses import dataclass, field
from decimal import Decimal

from simulators.core.clock import VenueClock
from simulators.core.positions import NET


@dataclass(frozen=True)
class Listing:
    """An instrument that the venue lists, with the position that the account starts with."""

    symbol: str
    tick: Decimal
    min_qty: int = 1
    max_qty: int = 1_000_000
    open_close: str = NET
    open_today_long: int = 0
    open_yesterday_long: int = 0
    open_today_short: int = 0
    open_yesterday_short: int = 0
    segment: str = ""
    """Of the market, in the venue's words; empty: it has none."""


@dataclass(frozen=True)
class FaultSpec:
    """A fault by name: which orders (or times) it strikes, and how.

    It strikes an order when the time lies in the window (if `for_ns` is set) and the ordinal is among `ordinals`, or
    the keyed draw falls below `probability`, or neither is given and the window alone decides.
    """

    name: str
    probability: float = 0.0
    ordinals: frozenset[int] = frozenset()
    at_ns: int = 0
    for_ns: int = 0
    params: dict[str, str | int | float | bool] = field(default_factory=dict)

    def number(self, key: str, default: float) -> float:
        """The parameter `key` as a number."""
        return float(self.params.get(key, default))

    def millis(self, key: str, default: int) -> int:
        """The parameter `key`, given in milliseconds, as nanoseconds."""
        return int(self.number(key, default) * 1_000_000)

    def word(self, key: str, default: str) -> str:
        """The parameter `key` as text."""
        return str(self.params.get(key, default))

    def flag(self, key: str, *, default: bool) -> bool:
        """The parameter `key` as yes or no."""
        return bool(self.params.get(key, default))


@dataclass(frozen=True)
class VenueConfig:
    """One venue. `start_ns` is when the tape starts, on the clock that `at_ns` is given in."""

    name: str
    account: str
    listings: tuple[Listing, ...]
    seed: int = 0
    start_ns: int = 0
    clock: VenueClock = field(default_factory=VenueClock)
    incremental: bool = False
    """True: every change is published as it happens (35=X); False: a snapshot every `snapshot_interval_ns`."""
    snapshot_interval_ns: int = 500_000_000
    fok: bool = True
    gtc: bool = False
    gtd: bool = False
    market_orders: bool = True
    cancel_on_disconnect: bool = False
    """Always, whether the Logon asks for it or not."""
    drop_copy: bool = False
    """Executions are told a second time; what a fault swallows is then told there alone."""
    exec_id_per_side: bool = False
    """ExecID(17) is unique per trade date and side only, as on Chinese venues."""
    faults: tuple[FaultSpec, ...] = ()
    truth: bool = True
    truth_books: bool = True
    keep_done: bool = True
    """Mass status answers tell orders that have ended, too."""
    tape_venue: str = ""
    """Whose events of the tape these are; empty: `name`."""
