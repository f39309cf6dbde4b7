"""What execution knows: pairs and limits, venues, orders, pair trades, positions, counts. Held by the engine, read by
the gate.

Nothing here decides. Everything is indexed by what it is asked for, so that thousands of open pair trades of other
pairs cost an intent nothing.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from gateway.execution.archive import Archive
from gateway.execution.exposure import Exposure
from gateway.execution.order_book import OwnOrder
from gateway.execution.pair_trade import PairTrade
from gateway.execution.positions import Position
from gateway.execution.rollout_standing import Standing
from gateway.execution.rows import instrument_row, pair_row
from gateway.execution.venue_state import VenueState
from gateway.model.base import Message
from gateway.model.instrument import Instrument
from gateway.model.order import Order, Side
from gateway.model.quote import BookState
from gateway.model.site import InstrumentLimits, PairSpec, RuleSpec, SiteLimits, VenueSpec
from gateway.model.trade import RefusalName
from gateway.trigger.price import PairFormula

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


class Hours(NamedTuple):
    """Trading hours of an instrument as last told."""

    open: bool
    shut_ns: int


class Ledger:
    """Everything that an event can change."""

    def __init__(self, settings: ExecutionSettings, incarnation: int) -> None:
        self.settings = settings
        self.incarnation = incarnation
        self.formulas = {name: PairFormula(spec, settings.instruments) for name, spec in settings.pairs.items()}
        self.substitutes = {
            name: tuple((index, leg.substitute_id) for index, leg in enumerate(spec.legs) if leg.substitute_id)
            for name, spec in settings.pairs.items()
        }
        """By pair: the places of legs that have a substitute, and which."""
        self.armed = False
        self.stopping = False
        self.held = False
        """kill --hold: nothing is sent at all."""
        self.stage = settings.stage
        self.rollout: Standing | None = None
        """The rollout plan in force; then the stage is the plan's."""
        self.orders_ever = 0
        self.venues = {name: VenueState() for name in settings.venues}
        self.hours: dict[str, Hours] = {}
        self.book_states: dict[str, tuple[BookState, str]] = {}
        self.archive = Archive(settings.limits.ended_trades_kept)
        self.orders = self.archive.orders
        self.open_orders: dict[str, OwnOrder] = {}
        self.trades = self.archive.trades
        self.open_trades: dict[str, PairTrade] = {}
        """Those that have not ended, and those that are halted: a person has yet to end them."""
        self.legged: set[str] = set()
        self.positions = {
            name: Position(name, instrument.position_model, lock=instrument.lock)
            for name, instrument in settings.instruments.items()
        }
        self.unexplained: dict[str, str] = {}
        """Instrument -> what the venue said of it that our orders do not explain."""
        self.copies_up: set[str] = set()
        """Venues whose drop copy is logged on."""
        self.outside_fills: dict[tuple[str, str], str] = {}
        """(venue, ExecID) of executions that a person booked -> the trade."""
        self.seen_intents: dict[str, str] = {}
        self.intents_in = self.orders_out = 0
        self.orders_of_day: dict[str, int] = {}
        self.cancels_of_day: dict[str, int] = {}
        self.trading_day: dict[str, str] = {}
        self.throttled: set[str] = set()
        self.rule_units: dict[str, int] = {}
        self.pair_units: dict[str, int] = {}
        self.residual_e9: dict[str, int] = {}
        """By pair: lots of the first leg, in 1e-9, that its ratio has left over."""
        self.loss_e9: dict[str, int] = {}
        self.commands_done = 0  # of persons, not of clients' orders
        self.done_commands: dict[str, tuple[bool, str]] = {}
        self._sent_at_ns: deque[int] = deque()
        self._rule_trades_ns: dict[str, deque[int]] = {}
        self._by_pair: dict[str, dict[str, PairTrade]] = {}
        self._by_instrument: dict[str, dict[str, PairTrade]] = {}
        self.exposure = Exposure(
            settings.instruments,
            settings.instrument_limits,
            self.positions,
            self.swing,
            counts_currencies=any(
                [settings.limits.max_currency_e9, *[one.max_currency_e9 for one in settings.pairs.values()]]
            ),
        )
        for position in self.positions.values():
            position.moved = self.exposure.changed
        self._make_rows()

    def _make_rows(self) -> None:
        """What is looked up of every intent, found once."""
        settings = self.settings
        self._venue_of = {name: self.venues[one.venue_id] for name, one in settings.instruments.items()}
        self.pairs = {name: pair_row(spec, settings.instruments) for name, spec in settings.pairs.items()}
        self.instruments = {
            name: instrument_row(
                settings.instruments[name],
                limits,
                settings.venues[settings.instruments[name].venue_id],
                self._venue_of[name],
                self.positions[name],
            )
            for name, limits in settings.instrument_limits.items()
        }
        """Those that have limits: what has none is never ordered."""
        self.ladders: dict[str, tuple[tuple[RefusalName, Callable[..., str]], ...]] = {}
        """By pair: the gate's checks that can refuse an intent of it."""

    def venue_of(self, instrument_id: str) -> VenueState:
        return self._venue_of[instrument_id]

    def keep_open(self, trade: PairTrade) -> None:
        """The pair trade has not ended, or waits for a person."""
        if trade.trade_id in self.open_trades:
            return
        self.open_trades[trade.trade_id] = trade
        self.archive.opened(trade)
        self._by_pair.setdefault(trade.intent.pair_id, {})[trade.trade_id] = trade
        for leg in trade.legs:
            for name in leg.instrument_ids:
                self._by_instrument.setdefault(name, {})[trade.trade_id] = trade
        self.touch(trade)

    def drop_open(self, trade: PairTrade) -> None:
        """The pair trade has ended."""
        if self.open_trades.pop(trade.trade_id, None) is None:
            return
        self.archive.ended(trade)
        del self._by_pair[trade.intent.pair_id][trade.trade_id]
        for leg in trade.legs:
            for name in leg.instrument_ids:
                self._by_instrument[name].pop(trade.trade_id, None)
        self.touch(trade)

    def touch(self, trade: PairTrade) -> None:
        """Something of this pair trade has changed: what its legs can lead to is found anew when it is asked for."""
        changed = self.exposure.changed
        for leg in trade.legs:
            changed.add(leg.instrument_id)
            if leg.substitute_id:
                changed.add(leg.substitute_id)

    def busy_pairs(self) -> tuple[str, ...]:
        """Pairs with pair trades that have not ended, in order of their names."""
        return tuple(sorted([pair_id for pair_id, trades in self._by_pair.items() if trades]))

    def pair_trades(self, pair_id: str) -> list[PairTrade]:
        """Pair trades of this pair that have not ended, halted ones included."""
        trades = self._by_pair.get(pair_id)
        return list(trades.values()) if trades else []

    def pair_trades_of(self, instrument_id: str) -> list[PairTrade]:
        """Unended pair trades with a leg that this instrument is, or may stand in for."""
        trades = self._by_instrument.get(instrument_id)
        return list(trades.values()) if trades else []

    def pair_trades_at(self, venue_id: str) -> list[PairTrade]:
        """Unended pair trades with a leg, or what may stand in for one, at this venue."""
        found: dict[str, PairTrade] = {}
        for name, instrument in self.settings.instruments.items():
            if instrument.venue_id == venue_id:
                found |= self._by_instrument.get(name, {})
        return list(found.values())

    def orders_at(self, venue_id: str) -> list[OwnOrder]:
        """Orders at this venue of which more may come."""
        return [own for own in self.open_orders.values() if own.order.venue_id == venue_id]

    def swing(self, instrument_id: str) -> tuple[int, int]:
        """Lots that unended pair trades may still buy and may still sell of it: the worst case of each.

        A leg may yet be filled to its target, and what it has filled may yet be unwound; an order that is out may be
        filled whatever a bust has made of the leg meanwhile. A substitute may see all of it; in a leg that has one no
        more is unwound than it holds itself (repair.py).
        """
        bought = sold = 0
        for trade in self._by_instrument.get(instrument_id, {}).values():
            for leg in trade.legs:
                if instrument_id in leg.instrument_ids:
                    adding, unwinding = leg.open_by_direction()
                    ahead = max(leg.target_lots - leg.filled_lots, adding)
                    there = leg.instrument_id == instrument_id and leg.substitute_id
                    back = max(leg.held_in(instrument_id) if there else leg.filled_lots, unwinding)
                    up, down = (ahead, back) if leg.side is Side.BUY else (back, ahead)
                    bought += up
                    sold += down
        return bought, sold

    def note_sent(self, order: Order, at_ns: int) -> None:
        """An order leaves."""
        self.orders_out += 1
        self.orders_ever += 1
        self.orders_of_day[order.instrument_id] = self.orders_of_day.get(order.instrument_id, 0) + 1
        self._sent_at_ns.append(at_ns)

    def note_message(self, at_ns: int) -> None:
        """A cancel leaves: it counts as a message of its second."""
        self._sent_at_ns.append(at_ns)

    def orders_in_last_second(self, at_ns: int) -> int:
        """Orders and cancels sent within the second before `at_ns`."""
        while self._sent_at_ns and self._sent_at_ns[0] <= at_ns - NS_PER_S:
            self._sent_at_ns.popleft()
        return len(self._sent_at_ns)

    def note_rule_trade(self, rule_id: str, at_ns: int) -> None:
        self._rule_trades_ns.setdefault(rule_id, deque()).append(at_ns)

    def rule_trades(self, rule_id: str, at_ns: int) -> int:
        """Pair trades of a rule within its throttle window."""
        times = self._rule_trades_ns.get(rule_id)
        if times is None:
            return 0
        while times and times[0] <= at_ns - self.settings.limits.throttle_window_ns:
            times.popleft()
        return len(times)

    def rearm(self) -> None:
        """A named person starts the counts of runaways anew."""
        self.throttled.clear()
        self._rule_trades_ns.clear()
        self.intents_in = self.orders_out = 0

    def on_day(self, instrument_id: str, trading_day: str) -> None:
        """Counts of a day begin anew with the instrument's trading day, and formulas take the parameters of it."""
        for formula in self.formulas.values():
            if formula.expression is not None and formula.legs[0].spec.instrument_id == instrument_id:
                formula.expression.on_day(trading_day)
        if self.trading_day.get(instrument_id, trading_day) != trading_day:
            self.orders_of_day.pop(instrument_id, None)
            self.cancels_of_day.pop(instrument_id, None)
        self.trading_day[instrument_id] = trading_day

    def not_tradable(self, instrument_id: str) -> str:
        """Why an order of this instrument would be in vain now; empty when it would not."""
        venue = self.venue_of(instrument_id)
        if not venue.up:
            return f"{instrument_id}: order session down"
        if not venue.reconciled:
            return f"{instrument_id}: its venue has not told every order and position yet"
        if instrument_id in self.unexplained:
            return f"{instrument_id}: {self.unexplained[instrument_id]}"
        hours = self.hours.get(instrument_id)
        if hours is not None and not hours.open:
            return f"{instrument_id}: outside trading hours"
        return ""
