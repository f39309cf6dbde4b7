"""One simulated venue of a backtest and the ways to it: market data and orders travel with the network's delays.

The venue is `simulators/core`: it matches against the tape, less what our own fills took. The ways are its links: a
floor, mostly small jitter, rarely a spike, never out of order. Sessions never break here; what happens when they do is
proved elsewhere (docs/SIMULATION.md).
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import Order, OrderEvent
from gateway.model.port import SendResult
from gateway.model.position import PositionLine, PositionsAcked
from gateway.model.quote import MarketEvent
from gateway.model.trade import AskPositions, AskStatus, SendCancel
from gateway.processes.backtest_words import market_event, new_order, order_event, position_event
from simulators.core.config import Listing, VenueConfig
from simulators.core.network import NETWORK_PROFILES, Link, Way
from simulators.core.tape import Tape
from simulators.core.values import (
    CancelOrder,
    CancelReject,
    Levels,
    MdIncrement,
    MdSnapshot,
    MdStatus,
    PositionsAck,
    PositionTold,
    Report,
    VenueEvent,
)
from simulators.core.venue import Venue

_MARKET_DATA = (MdSnapshot, MdIncrement, MdStatus)


class Timeline(Protocol):
    """Puts a call on the world's timeline: it is made with the time, then `what`."""

    def __call__(self, at_ns: int, call: Callable[..., None], *what: object) -> None: ...


class VenueSetting(Protocol):
    """What a venue of a backtest is made of."""

    @property
    def network(self) -> str: ...
    @property
    def incremental(self) -> bool: ...
    @property
    def as_received(self) -> bool:
        """The tape holds what we received, when it came: quotes need no way any more, orders take all of it."""

    @property
    def seed(self) -> int: ...


class BacktestVenue:
    """A venue with its ways. `market` and `orders` are told what arrives here; `moved` each true book that
    has changed, with the trading status, at the venue's own moment.
    """

    def __init__(
        self,
        venue_id: str,
        instruments: Iterable[Instrument],
        tape: Tape,
        start_ns: int,
        setting: VenueSetting,
        at: Timeline,
    ) -> None:
        self.venue_id = venue_id
        self.instruments = {one.symbol: one for one in instruments}
        self._by_id = {one.instrument_id: one for one in self.instruments.values()}
        first = next(iter(self.instruments.values()))
        config = VenueConfig(
            venue_id,
            first.account,
            tuple(_listing(one) for one in self.instruments.values()),
            seed=setting.seed,
            start_ns=start_ns,
            incremental=setting.incremental,
            exec_id_per_side=first.position_model is not PositionModel.NET,
            truth_books=False,
        )
        self.venue = Venue(config, tape)
        up, down = ways(setting)
        self._orders_up = Link(up, setting.seed, f"{venue_id}.orders.up")
        self._orders_down = Link(down, setting.seed, f"{venue_id}.orders.down")
        self._md_up = Link(up, setting.seed, f"{venue_id}.md.up")
        self._md_down = Link(down, setting.seed, f"{venue_id}.md.down")
        self._at = at
        self._due_ns = -1
        self._stood: dict[str, tuple[Levels, Levels, str]] = {}
        self._md_number = self._orders_number = self._sent = 0
        self._ended_ns = start_ns + tape.duration_ns
        self.market: Callable[[MarketEvent, int], None]
        self.orders: Callable[[OrderEvent | PositionsAcked | PositionLine, int], None]
        self.moved: Callable[[int, str, Levels, Levels, str], None]

    def begin(self, at_ns: int) -> None:
        """Its tape begins to play; the market-data session asks for what it has to show."""
        self._wake(at_ns)
        for symbol in self.instruments:
            self._tell(at_ns, MdStatus(at_ns, symbol, self.venue.status(symbol)))
            self._tell(at_ns, self.venue.image(at_ns, symbol))

    # What we send.

    def send_order(self, now_ns: int, order: Order) -> SendResult:
        self._sent += 1
        made = new_order(order, self._by_id[order.instrument_id])
        self._up(now_ns, lambda at_ns: self.venue.on_order(at_ns, made))
        return SendResult(ok=True, reason="", msg_seq_num=self._sent)

    def send_cancel(self, now_ns: int, action: SendCancel) -> None:
        self._sent += 1
        request = CancelOrder(action.cl_ord_id, action.order.cl_ord_id)
        self._up(now_ns, lambda at_ns: self.venue.on_cancel(at_ns, request))

    def ask(self, now_ns: int, action: AskStatus, *, mass: bool) -> None:
        """OrderStatusRequest for each, OrderMassStatusRequest before them where the venue has it."""
        if mass:
            self._up(now_ns, lambda at_ns: self.venue.on_mass_status(at_ns, action.request_id))
        for order in action.orders:
            self._up(now_ns, self._status_of(order, action.request_id))

    def ask_positions(self, now_ns: int, action: AskPositions) -> None:
        """RequestForPositions."""
        self._up(now_ns, lambda at_ns: self.venue.on_positions(at_ns, action.request_id))

    def ask_snapshot(self, now_ns: int, instrument_id: str) -> None:
        """MarketDataRequest for one instrument's book."""
        symbol = self._by_id[instrument_id].symbol
        self._at(self._md_up.arrival_ns(now_ns), self._image, symbol)

    def _status_of(self, order: Order, request_id: str) -> Callable[[int], list[VenueEvent]]:
        symbol = self._by_id[order.instrument_id].symbol
        return lambda at_ns: self.venue.on_status(at_ns, order.cl_ord_id, symbol, order.side.value, request_id)

    # The ways.

    def _up(self, now_ns: int, take: Callable[[int], list[VenueEvent]]) -> None:
        self._at(self._orders_up.arrival_ns(now_ns), self._arrived, take)

    def _arrived(self, now_ns: int, take: Callable[[int], list[VenueEvent]]) -> None:
        self._said(now_ns, take(now_ns))

    def _image(self, now_ns: int, symbol: str) -> None:
        self._said(now_ns, [*self.venue.advance(now_ns), self.venue.image(now_ns, symbol)])

    def _wake(self, now_ns: int) -> None:
        self._due_ns = -1
        self._said(now_ns, self.venue.advance(now_ns))

    def _said(self, now_ns: int, events: list[VenueEvent]) -> None:
        for event in events:
            if isinstance(event, _MARKET_DATA):
                self._tell(now_ns, event)
            elif isinstance(event, Report | CancelReject | PositionsAck | PositionTold):
                self._at(self._orders_down.arrival_ns(now_ns), self._answer_arrives, event)
        self._look(now_ns)
        next_ns = self.venue.next_at()
        if next_ns is not None and next_ns <= self._ended_ns and not 0 <= self._due_ns <= next_ns:
            self._due_ns = next_ns
            self._at(next_ns, self._wake)

    def _look(self, now_ns: int) -> None:
        """Tell which true books are others than before."""
        for symbol, instrument in self.instruments.items():
            stands = (*self.venue.book(symbol), self.venue.status(symbol))
            if stands != self._stood.get(symbol):
                self._stood[symbol] = stands
                self.moved(now_ns, instrument.instrument_id, *stands)

    def _tell(self, now_ns: int, event: MdSnapshot | MdIncrement | MdStatus) -> None:
        self._at(self._md_down.arrival_ns(now_ns), self._market_arrives, event)

    def _market_arrives(self, now_ns: int, event: MdSnapshot | MdIncrement | MdStatus) -> None:
        self._md_number += 1
        instrument = self.instruments[event.symbol]
        limits = self.venue.limits(event.symbol)
        self.market(market_event(event, instrument, limits, now_ns, self._md_number), now_ns)

    def _answer_arrives(self, now_ns: int, event: Report | CancelReject | PositionsAck | PositionTold) -> None:
        self._orders_number += 1
        if isinstance(event, PositionsAck | PositionTold):
            self.orders(position_event(event, self.venue_id, self.instruments, now_ns), now_ns)
            return
        self.orders(order_event(event, self.venue_id, self.instruments, now_ns, self._orders_number), now_ns)


def ways(setting: VenueSetting) -> tuple[Way, Way]:
    """To the venue and back; on a tape of what was received the whole round trip lies on the way there."""
    profile = NETWORK_PROFILES[setting.network]
    if not setting.as_received:
        return profile.to_venue, profile.to_client
    both = (profile.to_venue, profile.to_client)
    there = Way(
        sum(one.floor_ns for one in both),
        sum(one.jitter_ns for one in both),
        max(one.spike_ns for one in both),
        sum(one.spike_probability for one in both),
    )
    return there, Way(0, 0, 0, 0.0)


def _listing(one: Instrument) -> Listing:
    return Listing(
        one.symbol,
        one.tick / one.price_multiplier,
        one.min_qty_lots,
        one.max_qty_lots,
        one.position_model.value,
    )
