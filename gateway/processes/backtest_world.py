"""A backtest's world in virtual time: tape -> venues -> ways -> feed -> trigger -> execution -> ways -> venues.

Feed, trigger and execution are the product's own cores; nothing reads a clock and nothing is drawn but from the seed,
so the same call gives the same run to the byte. Both clocks of the product show UTC of the tape.

What it is not: the market does not react to us beyond what our own fills take out of a book, sessions do not break, the
venues' clocks are right, and how long our own program takes is one assumed figure.
"""

import heapq
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from gateway.execution.ledger import ExecutionSettings
from gateway.feed.calendar import ProductCalendar
from gateway.model.order import OrderEvent, SessionChanged, Side
from gateway.model.position import PositionLine, PositionsAcked
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.record import (
    DayTold,
    Decision,
    Heard,
    HoursHeard,
    IntentMade,
    QuotesTaken,
    Ticked,
    TriggerInput,
    TriggerStarted,
)
from gateway.model.trade import (
    Announcement,
    BookStateChanged,
    Command,
    ExecutionStatus,
    HoursChanged,
    Intent,
    IntentRefused,
    PairPosition,
    PairPrice,
    PairTradeChanged,
    Restarted,
    Verb,
)
from gateway.processes.backtest_execution import BacktestExecution, Delays
from gateway.processes.backtest_feed import BacktestFeed
from gateway.processes.backtest_opportunities import HELD_TOO_SHORT, NO_ROOM, OPEN_TRADE
from gateway.processes.backtest_venue import BacktestVenue
from gateway.processes.cores import execution_engine, trigger_core, trigger_started
from gateway.processes.durations import MS, SECOND
from gateway.processes.hours import HoursTeller
from gateway.processes.ids import IdCounter
from gateway.processes.rule_times import RuleTimesTeller
from gateway.processes.settings import Site
from gateway.processes.site_calendars import fixing_calendars
from gateway.processes.site_formula_days import beijing_day
from gateway.trigger.core import Hops
from gateway.trigger.rulebook import Rulebook
from simulators.core.tape import Tape
from simulators.tapes.shared import SharedTape

INCARNATION = 1
BEAT_NS = 500 * MS
BUS_NS = 100_000
"""From an announcement to whoever listens, assumed."""
UP_NS, ARM_NS = 2 * MS, 10 * MS
"""After the start: sessions are logged on, execution is armed."""
SETTLE_NS = 60 * SECOND
"""How long after the end of the tape open trades may take to end."""
_HEARD = (PairTradeChanged, IntentRefused, PairPosition, ExecutionStatus)


class VenueFacts(NamedTuple):
    """What a venue of the backtest is made of."""

    network: str
    incremental: bool
    mass_status: bool
    seed: int
    as_received: bool
    """The tape holds what was received: see `backtest_venue.py`."""


class Watcher(Protocol):
    """Whoever looks on; it changes nothing."""

    def decided(self, decision: Decision) -> None: ...
    def quoted(self, quote: Quote, number: int, at_ns: int) -> None: ...
    def started(self, started: TriggerStarted) -> None: ...
    def took(self, given: TriggerInput) -> None: ...
    def announced(self, what: Announcement, at_ns: int) -> None: ...
    def wants_prices(self, at_ns: int) -> bool:
        """Whether `seen` is to be told now: making a price costs more than looking at it."""

    def seen(self, prices: list[PairPrice], at_ns: int) -> None: ...
    def true_book(self, instrument_id: str, bids: Levels, asks: Levels, status: str, at_ns: int) -> None: ...
    def day(self, day: str) -> None: ...
    def hours(self, change: HoursChanged) -> None: ...


class Result(NamedTuple):
    """How it ended."""

    armed: str
    """Empty, or why execution could not be armed."""
    quotes: int
    events: int
    open_trades: int
    end_ns: int


class BacktestWorld:
    """See the module. `run` plays it once."""

    def __init__(
        self,
        site: Site,
        given: ExecutionSettings,
        facts: Mapping[str, VenueFacts],
        calendars: Mapping[str, ProductCalendar],
        tape: Tape,
        start_ns: int,
        delays: Delays,
        watcher: Watcher,
    ) -> None:
        self.now_ns = start_ns
        self._day = ""
        self._tick_ns = 0
        self._start_ns = start_ns
        self._end_ns = start_ns + tape.duration_ns
        self._watcher = watcher
        self._given = given
        self._delays = delays
        self._heap: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._count = self._quotes = 0
        self._armed = "not answered"
        self._book_states: dict[str, BookState] = {}
        self._hours = HoursTeller({**calendars, **fixing_calendars(given.pairs)})
        self._times = RuleTimesTeller()
        self._times.mind(given.rules.values())
        self._fixings = frozenset(site.fixings)
        self._ids = IdCounter("I", INCARNATION)
        held = {(one.venue, one.symbol) for one in tape.instruments}
        listed = [one for one in given.instruments.values() if (one.venue_id, one.symbol) in held]
        shared = SharedTape(tape, len(facts))
        self.venues = {
            name: BacktestVenue(name, mine, shared, start_ns, one, self.at)
            for name, one in facts.items()
            if (mine := [each for each in listed if each.venue_id == name])
        }
        self._feed = BacktestFeed(site, listed, self.venues, self.at, self._quote)
        self._trigger = trigger_core(given)
        self._newest: dict[str, Quote] = {}
        self._numbers: dict[str, int] = {}
        self._places = {name: place for place, name in enumerate(given.instruments)}
        mass = {name: one.mass_status for name, one in facts.items()}
        engine = execution_engine(given, INCARNATION)
        self.execution = BacktestExecution(
            engine, self.venues, mass, delays, lambda: self.now_ns, lambda at_ns: self.at(at_ns, self._wake)
        )
        self.execution.record = watcher.decided
        self.execution.announced = self._announced
        for one in self.venues.values():
            one.market, one.orders, one.moved = self._feed.on_market, self._orders, self._moved

    def at(self, at_ns: int, call: Callable[..., None], *what: object) -> None:
        """Call `call(at_ns, *what)` at `at_ns`; of one time, what was put down first."""
        self._count += 1
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), self._count, call, what))

    @property
    def rules(self) -> Rulebook:
        """The trigger's rules as they stand."""
        return self._trigger.rules

    def why_not(self, rule_id: str, side: Side, at_ns: int) -> str:
        """Why a rule whose threshold is met does not fire."""
        rule = self._trigger.rules.machines[rule_id]
        if rule.is_out:
            return OPEN_TRADE
        if rule.ended_as is not None:
            return rule.reason or rule.ended_as.value
        return rule.obstacle(at_ns) or ("" if rule.room_units(side) else NO_ROOM) or HELD_TOO_SHORT

    def run(self, on_progress: Callable[[int], None] = lambda _: None) -> Result:
        """The whole tape, then until open trades have ended; `on_progress` is told the time now and then."""
        self._begin()
        heap = self._heap
        events = 0
        last_ns = self._end_ns + SETTLE_NS
        while heap and heap[0][0] <= last_ns:
            at_ns, _, call, what = heapq.heappop(heap)
            self.now_ns = at_ns
            call(at_ns, *what)
            events += 1
            if at_ns >= self._end_ns and not self.execution.engine.ledger.open_trades:
                break
            if events % 20_000 == 0:
                on_progress(at_ns)
        open_trades = len(self.execution.engine.ledger.open_trades)
        return Result(self._armed, self._quotes, events, open_trades, min(self.now_ns, last_ns))

    # Beginning and end.

    def _begin(self) -> None:
        start_ns = self._start_ns
        self._watcher.started(trigger_started(self._given, start_ns))
        self.execution.take(Restarted(INCARNATION))
        for name, venue in self.venues.items():
            self.at(start_ns + UP_NS, self._up, name, venue)
        self.at(start_ns, self._beat)
        self.at(start_ns, self._tick)  # the first tick begins the grids of samples
        self._feed.begin(start_ns + UP_NS)
        self.at(start_ns + ARM_NS, self._command, Command("B1", Verb.ARM, "backtest", "a backtest"))
        self.at(self._end_ns, self._command, Command("B2", Verb.STOP, "backtest", "the tape has ended"))

    def _up(self, now_ns: int, name: str, venue: BacktestVenue) -> None:
        self._feed.on_session(name, now_ns)
        self.execution.take(SessionChanged(name, "orders", up=True, at_ns=now_ns))
        venue.begin(now_ns)

    def _command(self, _now_ns: int, command: Command) -> None:
        self.execution.take(command)
        if command.verb is Verb.ARM:
            done, text = self.execution.engine.ledger.done_commands[command.command_id]
            self._armed = "" if done else text

    def _beat(self, now_ns: int) -> None:
        """What is due by the clock alone."""
        day = beijing_day(now_ns)
        if day != self._day:
            self._day = day
            self._trigger.on_day(day)
            self._watcher.took(DayTold(now_ns, day))
            self._watcher.day(day)
        for times in self._times.changes(now_ns, now_ns):
            self._trigger.on_rule_times(times)
            self._watcher.took(times)
        for change in self._hours.changes(now_ns, now_ns):
            # While a reference with a fixing is shut, the feed tells the fixing in its place.
            if change.instrument_id not in self._fixings:
                self._trigger.on_hours(change.instrument_id, is_open=change.open, trading_day=change.trading_day)
                self._watcher.took(HoursHeard(now_ns, change))
            self._watcher.hours(change)
            self.execution.take(change)
        self.at(now_ns + BUS_NS, self._heard, self.execution.engine.status(now_ns))
        self._feed.beat(now_ns)
        self._mind_ticks(now_ns)
        self.at(now_ns + BEAT_NS, self._beat)

    def _wake(self, _now_ns: int) -> None:
        self.execution.wake()

    def _tick(self, now_ns: int) -> None:
        """Samples of moving bands are due, or a rule's life ends."""
        self._tick_ns = 0
        self._trigger.on_tick(now_ns)
        self._watcher.took(Ticked(now_ns))
        self._mind_ticks(now_ns)

    def _mind_ticks(self, now_ns: int) -> None:
        due_ns = self._trigger.due_ns(now_ns)
        if due_ns and (not self._tick_ns or due_ns < self._tick_ns):
            self._tick_ns = due_ns
            self.at(due_ns, self._tick)

    # Quotes.

    def _quote(self, quote: Quote, now_ns: int) -> None:
        self._quotes += 1
        name = quote.instrument_id
        self._numbers[name] = number = self._numbers.get(name, 0) + 1
        self._watcher.quoted(quote, number, now_ns)
        self.execution.quotes[name] = quote
        if self._book_states.get(name) is not quote.state:
            self._book_states[name] = quote.state
            self.at(now_ns + BUS_NS, self._book_state, BookStateChanged(name, quote.state, quote.detail))
        if name in self._places:
            if not self._newest:
                self.at(now_ns, self._evaluate)
            self._newest[name] = quote

    def _book_state(self, _now_ns: int, change: BookStateChanged) -> None:
        self.execution.take(change)

    def _evaluate(self, now_ns: int) -> None:
        """What arrived at one instant is taken up together, as the trigger does."""
        newest, self._newest = self._newest, {}
        wishes = self._trigger.on_quotes(newest.values(), now_ns)
        taken = tuple((self._places[name], INCARNATION, self._numbers[name]) for name in newest)
        self._watcher.took(QuotesTaken(now_ns, taken, *self._trigger.evaluated()))
        if wishes:
            decided_ns = now_ns + self._delays.decided_ns
            for wish in wishes:
                intent = wish.intent(self._ids.next(), Hops(now_ns, (now_ns + decided_ns) // 2, decided_ns))
                self._watcher.took(IntentMade(intent, sent=True, sent_ns=decided_ns))
                self.at(decided_ns + self._delays.handed_ns, self._intent, intent)
        if self._watcher.wants_prices(now_ns):
            prices = self._trigger.changed_prices()
            if prices:
                self._watcher.seen(prices, now_ns)

    def _intent(self, _now_ns: int, intent: Intent) -> None:
        self.execution.take_intent(intent)

    def _moved(self, now_ns: int, instrument_id: str, bids: Levels, asks: Levels, status: str) -> None:
        self._watcher.true_book(instrument_id, bids, asks, status, now_ns)

    # Orders and what is said of them.

    def _orders(self, event: OrderEvent | PositionsAcked | PositionLine, _now_ns: int) -> None:
        self.execution.take(event)

    def _announced(self, what: Announcement, at_ns: int) -> None:
        self._watcher.announced(what, at_ns)
        if isinstance(what, _HEARD):
            self.at(at_ns + BUS_NS, self._heard, what)

    def _heard(self, now_ns: int, what: PairTradeChanged | IntentRefused | PairPosition | ExecutionStatus) -> None:
        self._trigger.on_execution(what, now_ns)
        self._watcher.took(Heard(now_ns, what))
