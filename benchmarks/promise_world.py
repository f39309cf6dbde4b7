"""One contender's world in virtual time: the day's venues, the ways to them and back, and a record of what was done.

    tape -> venue -> quote, one way later -> contender -> order, one way later -> venue -> report, one way later

Each contender has a world of its own with the same tape and the same draws of delay, and trades alone in it: what it
takes from a book is gone for it, as simulators/core does it. Nothing is lost on the way and no session breaks here.
"""

import heapq
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from benchmarks.promise_market import MS, Day, Delays
from benchmarks.promise_slice import Book
from simulators.core.config import FaultSpec, Listing, VenueConfig
from simulators.core.network import NETWORK_PROFILES
from simulators.core.values import IOC, CancelOrder, NewOrder, Report
from simulators.core.venue import Venue

ACCOUNT = "A1"
FOREVER_NS = 10**15


class Contender(Protocol):
    """Who trades. Every call says what time it is."""

    name: str

    def begin(self) -> None:
        """The day begins."""

    def on_quote(self, now_ns: int, instrument_id: str, book: Book, sent_ns: int) -> None:
        """A book arrives."""

    def on_report(self, now_ns: int, venue_id: str, report: Report) -> None:
        """What a venue said of an order arrives."""


class Fill(NamedTuple):
    """Lots that traded, at the venue's time; `sign` is 1 for bought."""

    at_ns: int
    trade: str
    leg: int
    sign: int
    lots: int
    px_ticks: int


class World:
    """See the module. `fills` and `orders_sent` are what a contender is judged by."""

    def __init__(self, day: Day, make: Callable[["World"], Contender], *, truth: bool = False) -> None:
        self.day = day
        self.now_ns = 0
        self.fills: list[Fill] = []
        self.orders_sent = 0
        self.rejected: dict[str, int] = {}
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self._orders: dict[str, tuple[str, int, int]] = {}
        self._truth = truth
        instruments = day.settings.instruments.values()
        self._listed = {(one.venue_id, one.symbol): one for one in instruments}
        self.venues = {name: self._venue(name) for name in day.settings.venues}
        self._links = {name: _links(day, name) for name in self.venues}
        self._shown: dict[str, Book] = {}
        self._due: dict[str, int] = {}
        self._leg_of = {leg.instrument_id: index for index, leg in enumerate(day.pair.legs)}
        self.contender = make(self)

    @property
    def domestic(self) -> str:
        """The venue of the first leg."""
        return self.day.instrument(0).venue_id

    # Time.

    def at(self, at_ns: int, call: Callable[..., None], *what: object) -> None:
        """Call `call(now_ns, *what)` at `at_ns`."""
        self._count += 1
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), self._count, call, what))

    def run(self) -> "World":
        """The whole day, until nothing is left to happen or the tape ends."""
        self.contender.begin()
        for name in self.venues:
            if name == self.domestic:
                self.at(0, self._snapshot, name)
            else:
                self._sleep(name)
        heap = self._heap
        end_ns = self.day.tape.duration_ns
        while heap and heap[0][0] <= end_ns:
            at_ns, _, call, what = heapq.heappop(heap)
            self.now_ns = at_ns
            call(at_ns, *what)
        return self

    # What a contender does.

    def send(self, now_ns: int, trade: str, leg: int, order: NewOrder) -> None:
        """An order leaves; it belongs to leg `leg` of `trade`."""
        self.orders_sent += 1
        venue_id = self.day.instrument(leg).venue_id
        self._orders[order.cl_ord_id] = (trade, leg, 1 if order.side == "1" else -1)
        self.at(self._links[venue_id].orders_up.arrival_ns(now_ns), self._order_arrives, venue_id, order)

    def cancel(self, now_ns: int, venue_id: str, request: CancelOrder) -> None:
        """A cancel leaves."""
        self.at(self._links[venue_id].orders_up.arrival_ns(now_ns), self._cancel_arrives, venue_id, request)

    def ask(self, now_ns: int, venue_id: str, call: Callable[[int], list[Any]]) -> None:
        """A question leaves; what the venue answers comes back as reports do."""
        self.at(self._links[venue_id].orders_up.arrival_ns(now_ns), self._asked, venue_id, call)

    def limit_order(self, name: str, leg: int, sign: int, lots: int, limit_ticks: int, effect: str) -> NewOrder:
        """An IOC order in the venue's words."""
        one = self.day.instrument(leg)
        px = one.tick * limit_ticks
        flag = one.hedge_flag
        side = "1" if sign > 0 else "2"
        return NewOrder(name, ACCOUNT, one.symbol, side, Decimal(lots), px, "2", IOC, effect, flag)

    # Venues.

    def _venue(self, name: str) -> Venue:
        listings = tuple(
            Listing(one.symbol, one.tick, open_close=one.position_model.value)
            for (venue_id, _), one in self._listed.items()
            if venue_id == name
        )
        config = VenueConfig(
            name,
            ACCOUNT,
            listings,
            seed=2 * self.day.seed + (name == self.domestic),
            snapshot_interval_ns=FOREVER_NS,
            faults=self.faults(name),
            truth=self._truth,
            truth_books=False,
        )
        return Venue(config, self.day.tape_of(name))

    def faults(self, _name: str) -> tuple[FaultSpec, ...]:
        """What goes wrong at a venue: it refuses its share of orders."""
        reject = self.day.parameters.get("market", "reject_probability")
        return (FaultSpec("reject", probability=reject),) if reject else ()

    def _snapshot(self, now_ns: int, name: str) -> None:
        """The domestic venue's book, changed or not."""
        venue = self.venues[name]
        self._said(now_ns, name, venue.advance(now_ns))
        for (venue_id, symbol), one in self._listed.items():
            if venue_id == name:
                self._publish(now_ns, name, one.instrument_id, venue.book(symbol))
        if now_ns < self.day.tape.duration_ns:
            self.at(now_ns + self.day.parameters.get("market", "snapshot_ms") * MS, self._snapshot, name)

    def _sleep(self, name: str) -> None:
        next_ns = self.venues[name].next_at()
        due_ns = self._due.get(name)
        if next_ns is not None and (due_ns is None or next_ns < due_ns):
            self._due[name] = next_ns
            self.at(next_ns, self._wake, name)

    def _wake(self, now_ns: int, name: str) -> None:
        if self._due.get(name) == now_ns:
            del self._due[name]
        self._said(now_ns, name, self.venues[name].advance(now_ns))
        self._changes(now_ns, name)

    def _changes(self, now_ns: int, name: str) -> None:
        """The overseas venue shows each change of a book at once."""
        if name == self.domestic:
            return
        for (venue_id, symbol), one in self._listed.items():
            if venue_id == name:
                book = self.venues[name].book(symbol)
                if book != self._shown.get(one.instrument_id):
                    self._shown[one.instrument_id] = book
                    self._publish(now_ns, name, one.instrument_id, book)
        self._sleep(name)

    def _publish(self, now_ns: int, name: str, instrument_id: str, book: Book) -> None:
        arrives_ns = self._links[name].quotes.arrival_ns(now_ns)
        self.at(arrives_ns, self.contender.on_quote, instrument_id, book, now_ns)

    def _order_arrives(self, now_ns: int, name: str, order: NewOrder) -> None:
        self._said(now_ns, name, self.venues[name].on_order(now_ns, order))
        self._changes(now_ns, name)

    def _cancel_arrives(self, now_ns: int, name: str, request: CancelOrder) -> None:
        self._said(now_ns, name, self.venues[name].on_cancel(now_ns, request))
        self._changes(now_ns, name)

    def _asked(self, now_ns: int, name: str, call: Callable[[int], list[Any]]) -> None:
        self._said(now_ns, name, call(now_ns))

    def _said(self, now_ns: int, name: str, events: list[Any]) -> None:
        for event in events:
            if not isinstance(event, Report):
                continue
            if event.exec_type == "F":
                self._note_fill(now_ns, event)
            elif event.exec_type == "8":
                trade = self._orders[event.cl_ord_id][0]
                self.rejected[trade] = self.rejected.get(trade, 0) + 1
            arrives_ns = self._links[name].orders_down.arrival_ns(now_ns)
            self.at(arrives_ns, self.contender.on_report, name, event)

    def _note_fill(self, now_ns: int, report: Report) -> None:
        trade, leg, sign = self._orders[report.cl_ord_id]
        px = report.last_px or Decimal(0)
        ticks = int(px / self.day.instrument(leg).tick)
        self.fills.append(Fill(now_ns, trade, leg, sign, report.last_qty, ticks))


class Line:
    """One direction of one session in one world: in order, as TCP keeps it."""

    __slots__ = ("_count", "_delays", "_last_ns")

    def __init__(self, delays: Delays) -> None:
        self._delays = delays
        self._count = 0
        self._last_ns = 0

    def arrival_ns(self, sent_ns: int) -> int:
        """When what is sent at `sent_ns` arrives: never before anything that was sent earlier."""
        arrival_ns = sent_ns + self._delays.of(self._count)
        self._count += 1
        if arrival_ns < self._last_ns:
            return self._last_ns
        self._last_ns = arrival_ns
        return arrival_ns


class _Ways(NamedTuple):
    """The lines of one venue."""

    quotes: Line
    orders_up: Line
    orders_down: Line


def _links(day: Day, name: str) -> _Ways:
    where = "network_domestic" if name == day.instrument(0).venue_id else "network_overseas"
    profile = NETWORK_PROFILES[day.parameters.get("market", where)]
    return _Ways(
        Line(day.delays(profile.to_client, f"{name}.quotes")),
        Line(day.delays(profile.to_venue, f"{name}.orders")),
        Line(day.delays(profile.to_client, f"{name}.reports")),
    )


class Opportunity(NamedTuple):
    """The rule was met on `side` from `begin_ns` to `end_ns`, at one slice, on quotes as they arrived."""

    begin_ns: int
    end_ns: int
    side: int


class Spell(NamedTuple):
    """Time in which a contender could begin nothing: something of its own was open, or it cooled down."""

    begin_ns: int
    end_ns: int


class Once:
    """A rule that fires once on each opportunity: again on the same side when it has not been met for `separate_ms`."""

    def __init__(self, day: Day) -> None:
        self._separate_ns = day.parameters.get("market", "separate_ms") * MS
        self._on = bool(day.parameters.get("market", "once_per_opportunity"))
        self._taken = 0
        self._met_ns = 0
        self.met: dict[int, list[int]] = {1: [], -1: []}
        """By side: when the rule was met."""

    def look(self, now_ns: int, side: int) -> bool:
        """Whether it may fire on `side` (0: it is not met) as things are seen now."""
        if side:
            self.met[side].append(now_ns)
        if not self._on or not self._taken:
            return True
        if now_ns - self._met_ns >= self._separate_ns or side == -self._taken:
            self._taken = 0
            return True
        if side == self._taken:
            self._met_ns = now_ns
        return False

    def fired(self, now_ns: int, side: int) -> None:
        """It fired."""
        self._taken, self._met_ns = side, now_ns


class Watcher:
    """Trades nothing: notes when the rule is met on the quotes as they arrive, for all contenders alike.

    Stretches of one side that are less than `separate_ms` apart are one opportunity.
    """

    name = "watcher"

    def __init__(self, world: World) -> None:
        self._world = world
        self._books: dict[str, Book] = {}
        self._separate_ns = world.day.parameters.get("market", "separate_ms") * MS
        self._since_ns = 0
        self._side = 0
        self.opportunities: list[Opportunity] = []

    def begin(self) -> None:
        """Nothing to prepare."""

    def on_quote(self, now_ns: int, instrument_id: str, book: Book, _sent_ns: int) -> None:
        """Look whether the rule is met now."""
        self._books[instrument_id] = book
        day = self._world.day
        seen = day.slice.met(self._books) if day.begin_ns <= now_ns <= day.trading_ns else None
        side = seen.side if seen is not None else 0
        if side != self._side:
            self._close(now_ns)
            self._side, self._since_ns = side, now_ns

    def on_report(self, now_ns: int, venue_id: str, report: Report) -> None:
        """It has no orders."""

    def _close(self, now_ns: int) -> None:
        if not self._side:
            return
        found = self.opportunities
        if found and found[-1].side == self._side and self._since_ns - found[-1].end_ns < self._separate_ns:
            found[-1] = found[-1]._replace(end_ns=now_ns)
        else:
            found.append(Opportunity(self._since_ns, now_ns, self._side))
