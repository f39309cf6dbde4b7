"""What execution knows: pairs and limits, venues, orders, pair trades, positions, counts. Held by the engine; read by the gate.

Nothing here decides. Counts of a day are since the journal's first record of the trading day.
"""

from collections import deque
from collections.abc import Mapping

from gateway.execution.order_book import OwnOrder
from gateway.execution.pair_trade import PairTrade
from gateway.execution.positions import Position
from gateway.model.base import Message
from gateway.model.instrument import Instrument
from gateway.model.site import InstrumentLimits, PairSpec, RuleSpec, SiteLimits, VenueSpec

NS_PER_S = 1_000_000_000


class ExecutionSettings(Message, frozen=True):
    """The part of a site file that execution decides by."""

    id_prefix: str
    stage: str
    pairs: dict[str, PairSpec]
    rules: dict[str, RuleSpec]
    instruments: dict[str, Instrument]
    instrument_limits: dict[str, InstrumentLimits]
    limits: SiteLimits
    venues: dict[str, VenueSpec]


class VenueState:
    """An order session as execution sees it."""

    def __init__(self) -> None:
        self.up = False
        self.reconciled = False


class Ledger:
    """Everything that an event can change."""

    def __init__(self, settings: ExecutionSettings, incarnation: int) -> None:
        self.settings = settings
        self.incarnation = incarnation
        self.armed = False
        self.stopping = False
        self.held = False
        """kill --hold: nothing is sent at all."""
        self.stage = settings.stage
        self.venues = {name: VenueState() for name in settings.venues}
        self.orders: dict[str, OwnOrder] = {}
        self.trades: dict[str, PairTrade] = {}
        self.open_trades: dict[str, PairTrade] = {}
        """Those that have not ended, and those that are halted: a person has yet to end them."""
        self.seen_intents: dict[str, str] = {}
        self.positions = {
            name: Position(name, instrument.position_model) for name, instrument in settings.instruments.items()
        }
        self.unexplained: dict[str, str] = {}
        """Instrument -> what the venue said of it that our orders do not explain."""
        self.orders_of_day: dict[str, int] = {}
        self.sent_at_ns: deque[int] = deque()
        self.rule_trades_ns: dict[str, deque[int]] = {}
        self.throttled: set[str] = set()
        self.rule_units: dict[str, int] = {}
        self.pair_units: dict[str, int] = {}
        self.loss_e9: dict[str, int] = {}
        self.done_commands: dict[str, str] = {}

    def venue_of(self, instrument_id: str) -> VenueState:
        return self.venues[self.settings.instruments[instrument_id].venue_id]

    def pair_trades(self, pair_id: str) -> list[PairTrade]:
        """Pair trades of this pair that have not ended, halted ones included."""
        return [trade for trade in self.open_trades.values() if trade.intent.pair_id == pair_id]

    def working_orders(self) -> list[OwnOrder]:
        return [own for trade in self.open_trades.values() for own in trade.orders() if own.open]

    def orders_in_last_second(self, at_ns: int) -> int:
        """Orders sent within the second before `at_ns`."""
        while self.sent_at_ns and self.sent_at_ns[0] <= at_ns - NS_PER_S:
            self.sent_at_ns.popleft()
        return len(self.sent_at_ns)

    def rule_trades(self, rule_id: str, at_ns: int) -> int:
        """Pair trades of a rule within its throttle window."""
        times = self.rule_trades_ns.setdefault(rule_id, deque())
        while times and times[0] <= at_ns - self.settings.limits.throttle_window_ns:
            times.popleft()
        return len(times)

    def open_lots(self, instrument_id: str) -> int:
        """Signed lots that unended pair trades may still buy (positive) or sell, the sum of absolute worst cases."""
        return sum(
            abs(leg.target_lots - leg.filled_lots)
            for trade in self.open_trades.values()
            for leg in trade.legs
            if leg.instrument_id == instrument_id
        )


def sum_by(table: Mapping[str, int], key: str) -> int:
    """The entry, or 0."""
    return table.get(key, 0)
