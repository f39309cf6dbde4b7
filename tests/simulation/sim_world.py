"""One world from one seed: execution, venues, links, a disk, a trigger and a person, in one thread on virtual time.

    tape -> venue -> quote -> trigger -> intent -> process (engine, journal) -> order -> line -> venue -> report -> process

Nothing reads a clock and nothing is drawn but from the seed, so that a seed is a whole story that can be told again.
First things go wrong as the plan says; after `active_ns` nothing does any more, a person releases what is halted, and
the world must come to rest.
"""

# ruff: noqa: ANN401, S311 - what is put on the timeline is called as it was given; chance is seeded here

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from gateway.execution.settling import RESIDUAL_RULE
from gateway.model.instrument import Instrument
from gateway.model.order import Order
from gateway.model.quote import BookState, Quote
from gateway.model.record import Decision
from gateway.model.trade import (
    Alarm,
    Announcement,
    BookStateChanged,
    ExecutionEvent,
    HoursChanged,
    Intent,
    IntentRefused,
    PairPosition,
    PairTradeChanged,
    PairTradeState,
    PositionReported,
    Restarted,
    SendOrders,
)
from gateway.trigger.core import Hops, TriggerCore
from simulators.core.checks import Limits
from simulators.core.config import FaultSpec, Listing, VenueConfig
from simulators.core.tape import TapeStatus
from simulators.core.values import CLOSED, READY, RESUME, Levels
from simulators.core.venue import Venue
from tests.simulation import cells, plan
from tests.simulation.clocks import VenueClocks
from tests.simulation.currency import Currency
from tests.simulation.disk import Disk
from tests.simulation.installation import ACCOUNT, Installation, installation
from tests.simulation.invariants import BrokenError, Referee
from tests.simulation.market_tape import WorldTape, tapes
from tests.simulation.person import Person
from tests.simulation.plan import MS, SECOND, Plan
from tests.simulation.process import Killed, Process
from tests.simulation.trouble import KILLS, Trouble
from tests.simulation.wire import Line

ACTIVE_NS = 20 * SECOND
CALM_NS = 30 * SECOND
INTENT_NS = 120_000
"""From a quote's arrival to its intent's."""
BEAT_NS = 500 * MS
TRADING_DAY = 20260615


class Result(NamedTuple):
    """What became of one world."""

    seed: int
    trades: int
    residuals: int
    """Those among them that trade away what a ratio has left over: nobody asked for them."""
    states: Counter[str]
    halted: Counter[str]
    """Pair trades that were ever given to a person, by cause."""
    left_halted: Counter[str]
    """Those that a person's release did not end."""
    faults: Counter[str]
    refusals: Counter[str]
    alarms: Counter[str]
    cells: Counter[tuple[str, str, str]]
    intents: int
    decisions: int
    virtual_ns: int
    contradictions: Counter[str]


class World:
    """See the module."""

    def __init__(
        self,
        seed: int,
        *,
        drawn: Plan | None = None,
        given: Installation | None = None,
        active_ns: int = ACTIVE_NS,
        made: dict[str, WorldTape] | None = None,
        trace: Callable[[int, str, object], None] | None = None,
    ) -> None:
        cells.watch()
        self.seed = seed
        self.plan = plan.draw(seed) if drawn is None else drawn
        self.given = installation(seed) if given is None else given
        self.now_ns = 0
        self.active_ns = active_ns
        self.calm = False
        self.trace = trace
        self.rng = Random(f"world {seed}")
        self.faults: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.alarms: Counter[str] = Counter()
        self.contradictions: Counter[str] = Counter()
        self.outside_lots: Counter[str] = Counter()
        self.lost_orders: dict[str, str] = {}
        """Orders that left and that the journal lost, and their pair trades."""
        self.quotes: dict[str, Quote] = {}
        self.intents = 0
        self.decisions = 0
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self._cells_before = Counter(cells.visited)
        self.disk = Disk(sync_before_send=self.given.sync_before_send)
        self.referee = Referee(self)
        self.process: Process | None = None
        self._incarnation = 0
        self._by_signal = False
        self.left: dict[str, Order] = {}
        self._opening = False
        self._halted: dict[str, str] = {}
        end_ns = active_ns + CALM_NS + SECOND
        self._tapes = tapes(self.given, self.plan, active_ns, end_ns) if made is None else made
        self.lines = self._build_lines()
        self.sent: list[tuple[int, Order]] = []
        """Orders in the order in which they were handed to their sessions, with the time."""
        self.told: list[tuple[int, object]] = []
        """Announcements."""
        self._by_symbol = {one.venue_id: one for one in self.given.traded}
        self._shown: dict[str, tuple[object, ...]] = {}
        self._stalled_until_ns: dict[str, int] = {}
        self._book_states: dict[str, BookState] = {}
        self._hours: dict[str, HoursChanged] = {}
        self._due: dict[str, int] = {}
        self._clocks = VenueClocks(seed, self.lines, wanted=self.given.calibrated)
        settings = self.given.settings
        self.trigger = TriggerCore(
            settings.pairs.values(), settings.rules.values(), settings.instruments, silence_ns=SECOND
        )
        self.person = Person(self)
        self.currency = Currency(self)
        self.prompt_of: dict[tuple[str, str], str] = {}
        """(instrument, trading day) -> the prompt date of that day's contract."""

    def _build_lines(self) -> dict[str, Line]:
        lines = {}
        for instrument in self.given.traded:
            name = instrument.venue_id
            config = VenueConfig(
                name,
                ACCOUNT,
                (Listing(instrument.symbol, instrument.tick, open_close=instrument.position_model.value),),
                seed=self.seed,
                snapshot_interval_ns=10**15,
                cancel_on_disconnect=self.given.cancel_on_disconnect[name],
                exec_id_per_side=name == "SHFE",
                faults=self._venue_faults(name),
                truth=False,
                keep_done=self.seed % 2 == 0,
            )
            venue = Venue(config, self._tapes[name])
            line = Line(venue, instrument, self.given.ways[name], self.plan, self.at, self.faults)
            line.touched = self._touched
            line.gone = self.referee_gone
            line.numbers_set = self._numbers_set
            lines[name] = line
        return lines

    def _venue_faults(self, _name: str) -> tuple[FaultSpec, ...]:
        return self.plan.order

    # Time.

    def at(self, at_ns: int, call: Callable[..., None], *what: Any) -> None:
        """Call `call(now_ns, *what)` at `at_ns`."""
        self._count += 1
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), self._count, call, what))

    def run(self) -> Result:
        """From the beginning to rest; BrokenError when an invariant does not hold."""
        try:
            self._run()
        except BrokenError:
            raise
        except Exception as error:
            name = f"the engine takes every event ({type(error).__name__})"
            raise BrokenError(name, self.seed, self.now_ns, str(error)) from error
        return self._result()

    def _run(self) -> None:
        self._begin()
        heap = self._heap
        end_ns = self.active_ns + CALM_NS
        while heap and heap[0][0] <= end_ns:
            at_ns, _, call, what = heapq.heappop(heap)
            self.now_ns = at_ns
            call(at_ns, *what)
            if self.calm and self._rested:
                break
        self._statements()
        self.referee.at_rest()
        self.referee.replayed(self.disk.read())

    def _begin(self) -> None:
        for line in self.lines.values():
            self.at(0, self._wake_venue, line)
        for instrument in self.given.traded:
            self._schedule_hours(instrument.instrument_id)
        self.currency.begin()
        self.at(MS, self._start_process)
        self.at(BEAT_NS, self._beat)
        self.at(self.active_ns, self._calm_down)
        Trouble(self).begin()
        self._rested = False
        self.person.begin()

    # Venues and quotes.

    def _wake_venue(self, now_ns: int, line: Line) -> None:
        if self._due.get(line.venue_id) == now_ns:
            del self._due[line.venue_id]
        line.said(now_ns, line.venue.advance(now_ns))

    def _touched(self, now_ns: int, line: Line) -> None:
        """The venue may show another book now, and may have something else to do next."""
        self._publish(now_ns, line)
        next_ns = line.venue.next_at()
        if next_ns is None:
            return
        due_ns = self._due.get(line.venue_id)
        if due_ns is None or next_ns < due_ns:
            self._due[line.venue_id] = next_ns
            self.at(next_ns, self._wake_venue, line)

    def _publish(self, now_ns: int, line: Line) -> None:
        instrument = self._by_symbol[line.venue_id]
        bids, asks = line.venue.book(instrument.symbol)
        status = line.venue.status(instrument.symbol)
        shown = (bids, asks, status)
        if self._shown.get(line.venue_id) == shown:
            return
        self._shown[line.venue_id] = shown
        if now_ns < self._stalled_until_ns.get(line.venue_id, 0):
            return
        way = self.given.ways[line.venue_id][1]
        arrives_ns = now_ns + way.floor_ns
        state = _state(bids, asks, status, line.venue.limits(instrument.symbol))
        self._count += 1
        calibrated_ns, bound_ns = self._clocks.calibrated(line.venue_id, now_ns)
        quote = Quote(
            instrument.instrument_id, state, bids, asks, arrives_ns, now_ns, arrives_ns, self._count,
            calibrated_ns=calibrated_ns, bound_ns=bound_ns, last_px_ticks=None,
        )  # fmt: skip
        self.at(arrives_ns, self._quote_arrives, quote)

    def quote_arrives(self, now_ns: int, quote: Quote) -> None:
        """A quote, of an instrument or of the currency, reaches trigger and the books that repairs read."""
        self._quote_arrives(now_ns, quote)

    def _quote_arrives(self, now_ns: int, quote: Quote) -> None:
        name = quote.instrument_id
        self.quotes[name] = quote
        if self._book_states.get(name) is not quote.state:
            self._book_states[name] = quote.state
            self.tell(BookStateChanged(name, quote.state, quote.detail))
        wishes = self.trigger.on_quote(quote, now_ns)
        if self.calm:
            return
        for wish in wishes:
            self.intents += 1
            intent = wish.intent(f"I{self.intents}", Hops(now_ns, now_ns, now_ns))
            late_ns = 400 * MS if self._strikes("late_intent") else 0
            self.at(now_ns + INTENT_NS + late_ns, self._intent_arrives, intent)
            if self._strikes("duplicate_intent"):
                self.at(now_ns + INTENT_NS + MS, self._intent_arrives, intent)

    def _intent_arrives(self, now_ns: int, intent: Intent) -> None:
        if self.process is not None:
            self.in_process(now_ns, self.process.take_intent, intent)

    def _schedule_hours(self, name: str) -> None:
        """The calendar knows the breaks of the tape; it is some milliseconds off the venue's clock."""
        venue = self.given.settings.instruments[name].venue_id
        changes = [event for event in self._tapes[venue].made if isinstance(event, TapeStatus)]
        shuts = [event.at_ns for event in changes if event.status == CLOSED]
        day = TRADING_DAY
        for at_ns, is_open in [(0, True), *[(event.at_ns, event.status == READY) for event in changes]]:
            shut_ns = next((each for each in shuts if each > at_ns), 0)
            if is_open and at_ns and "new_day" in self.plan.timed and self.rng.random() < 0.5:
                day += 1
                self.at(at_ns - 1, self._new_day, self.lines[venue], str(day))
            prompt = f"prompt of {day}" if name in self.given.prompts else ""
            self.prompt_of[name, str(day)] = prompt
            told = HoursChanged(name, is_open, shut_ns if is_open else 0, str(day), prompt)
            self.at(max(0, at_ns + self.rng.randint(-20, 20) * MS), self._hours_change, told)
            self.faults["break"] += not is_open

    def _new_day(self, _now_ns: int, line: Line, day: str) -> None:
        """The venue's next trading day: what is held is yesterday's."""
        self.faults["new_day"] += 1
        line.venue.next_day(self._by_symbol[line.venue_id].symbol, day)

    def _hours_change(self, _now_ns: int, told: HoursChanged) -> None:
        self._hours[told.instrument_id] = told
        self.tell(told)

    # The process.

    def _start_process(self, now_ns: int) -> None:
        self._incarnation += 1
        self.process = process = Process(self, self._incarnation, by_signal=self._by_signal)
        self.in_process(now_ns, self._first_steps, process)

    def _first_steps(self, process: Process) -> None:
        process.start()
        for line in self.lines.values():
            line.deliver = self.tell
            self.at(self.now_ns + self.rng.randint(5, 60) * MS, line.connect)
        for told in self._hours.values():
            process.take(told)
        for name, state in self._book_states.items():
            process.take(BookStateChanged(name, state, ""))
        self._beat_once()
        # The last word of each pair trade is kept by its topic: a trigger that missed it hears it again.
        for trade in process.engine.ledger.trades.values():
            self.trigger.on_execution(trade.report(self.now_ns), self.now_ns)

    def tell(self, event: ExecutionEvent) -> None:
        """Hand an event to the process that runs, if one does."""
        if self.process is not None:
            self.in_process(self.now_ns, self.process.take, event)

    def in_process(self, _now_ns: int, call: Callable[..., Any], *what: Any) -> Any:
        """Call something of the process; a kill ends it here."""
        owner = getattr(call, "__self__", None)
        if isinstance(owner, Process):
            if owner is not self.process:
                return None
            if not what:
                what = (self.now_ns,)
        try:
            return call(*what)
        except Killed as killed:
            self.die(str(killed))
        return None

    def die(self, how: str) -> None:
        """The process ends here; another begins soon."""
        if self.process is None:
            return
        self.faults[how] += 1
        self._by_signal = how in KILLS
        self.note("killed", how)
        self.process = None
        if how == "power_lost":
            lost = self.disk.lose_tail()
            orders = {order.cl_ord_id: action.trade_id for record in lost for action, order in _orders(record)}
            self.lost_orders |= {name: trade_id for name, trade_id in orders.items() if name in self.left}
        for line in self.lines.values():
            line.process_died(self.now_ns, power_lost=how == "power_lost")
        self.at(self.now_ns + self.rng.randint(50, 900) * MS, self._start_process)

    def _numbers_set(self, venue_id: str) -> bool:
        """The venue has lost its numbers: a person sets them, on record, and what was not resent is never said again."""
        self.person.set_numbers(venue_id)
        return self.process is not None and self.process.engine.ledger.venues[venue_id].began_anew

    def referee_gone(self, what: list[tuple[str, str]]) -> None:
        """Reports that nobody will tell again."""
        self.referee.gone(self.process, what)

    def decided(self, process: Process, decision: Decision) -> None:
        """A decision was made; it is not written yet."""
        self.decisions += 1
        if self.trace is not None:
            self.note("event", decision.event)
            for action in decision.actions:
                self.note("action", action)
        self._opening = isinstance(decision.event, Intent)
        if isinstance(decision.event, Restarted):
            self.referee.begin(process)
        self.referee.decided(process, decision)

    def order_left(self, order: Order, trade_id: str, at_ns: int) -> None:
        """An order was handed to its session."""
        self.left[order.cl_ord_id] = order
        self.sent.append((at_ns, order))
        self.referee.order_left(order, trade_id, at_ns, opening=self._opening)

    def heard(self, what: Announcement) -> None:
        """Something was published."""
        self.told.append((self.now_ns, what))
        if isinstance(what, PairTradeChanged | PairPosition):
            if isinstance(what, PairTradeChanged) and what.state is PairTradeState.HALTED:
                self._halted[what.trade_id] = what.cause
            self.trigger.on_execution(what, self.now_ns)
        elif isinstance(what, IntentRefused):
            # Of a residual nobody made an intent: it is no opportunity that was missed.
            alone = what.rule_id == RESIDUAL_RULE
            self.refusals[f"residual {what.name.value}" if alone else what.name.value] += 1
            self.trigger.on_execution(what, self.now_ns)
        elif isinstance(what, Alarm):
            self.alarms[what.name.value] += 1

    def _beat(self, now_ns: int) -> None:
        self._beat_once()
        self.at(now_ns + BEAT_NS, self._beat)
        if self.calm:
            self._rested = self._at_rest()

    def _beat_once(self) -> None:
        if self.process is not None:
            self.trigger.on_execution(self.process.engine.status(self.now_ns), self.now_ns)

    def _statements(self) -> None:
        """The venues' statements at the end: what they say we hold."""
        for instrument in self.given.traded:
            name = instrument.instrument_id
            held = self.lines[instrument.venue_id].venue.position(instrument.symbol).net
            self.tell(PositionReported(name, held + self.outside_lots[name], "statement"))

    # Trouble.

    def _strikes(self, fault: str) -> bool:
        rate = self.plan.wire.get(fault)
        if rate is None or self.calm or self.rng.random() >= rate:
            return False
        self.faults[fault] += 1
        return True

    def stall(self, line: Line, until_ns: int) -> None:
        """No quote of this venue arrives before `until_ns`."""
        self._stalled_until_ns[line.venue_id] = until_ns

    def name(self, prefix: str) -> str:
        """A word that was not used before."""
        self._count += 1
        return f"{prefix}{self._count}"

    def instrument_of(self, line: Line) -> Instrument:
        """What the venue of this line lists."""
        return self._by_symbol[line.venue_id]

    def _calm_down(self, now_ns: int) -> None:
        """From now on nothing goes wrong."""
        self.calm = True
        self.note("calm", "")
        self.disk.full_until_ns = 0
        self._stalled_until_ns.clear()
        self._shown.clear()
        self.currency.calm_down()
        for line in self.lines.values():
            line.calm_down()
            line.venue.faults._orders.clear()
            for order in line.venue.orders():
                order.faults.pop("cancel_reject", None)
            self._publish(now_ns, line)
        if self.process is not None:
            self.process.kill_at = ""

    def _at_rest(self) -> bool:
        """Whether there is nothing left to wait for."""
        if self.process is None or self.now_ns < self.active_ns + 4 * SECOND:
            return False
        if not all(line.up for line in self.lines.values()):
            return False
        ledger = self.process.engine.ledger
        halted = all(
            trade.state is PairTradeState.HALTED and trade.cause in ("overfilled", "venue_disagrees")
            for trade in ledger.open_trades.values()
        )
        return halted and not any(order.open for line in self.lines.values() for order in line.venue.orders())

    # What the referee and the person ask.

    def all_open(self) -> bool:
        """Whether every way to trade is open, in truth: sessions, markets, both sides of every book."""
        for line in self.lines.values():
            if not (line.up and line.noticed_up):
                return False
            shown = self._shown.get(line.venue_id)
            if shown is None or shown[2] not in (READY, RESUME) or not shown[0] or not shown[1]:
                return False
            quote = self.quotes.get(self._by_symbol[line.venue_id].instrument_id)
            if quote is None or quote.state is not BookState.OK:
                return False
        if any(not hours.open for hours in self._hours.values()):
            return False
        process = self.process
        return process is not None and process.lease and not process.engine.ledger.unexplained

    def most_filled(self, order: Order) -> int:
        """The most lots that the venue ever said were filled of this order."""
        return self.lines[order.venue_id].most_filled(order.cl_ord_id)

    def note(self, kind: str, what: object) -> None:
        if self.trace is not None:
            self.trace(self.now_ns, kind, what)

    def _result(self) -> Result:
        assert self.process is not None
        trades = {trade.trade_id: trade for trade in self.process.engine.ledger.trades.values()}
        for line in self.lines.values():
            for name, count in line.venue.faults.counts.items():
                self.faults[name] += count
        return Result(
            self.seed,
            len(trades),
            sum(trade.intent.rule_id == RESIDUAL_RULE for trade in trades.values()),
            Counter(trade.state.value for trade in trades.values()),
            Counter(self._halted.values()),
            self.referee.halts,
            self.faults,
            self.refusals,
            self.alarms,
            Counter(cells.visited) - self._cells_before,
            self.intents,
            self.decisions,
            self.now_ns,
            self.contradictions,
        )


def _orders(record: Decision) -> list[tuple[SendOrders, Order]]:
    return [(action, order) for action in record.actions if isinstance(action, SendOrders) for order in action.orders]


def _state(bids: Levels, asks: Levels, status: str, limits: Limits) -> BookState:
    if status not in (READY, RESUME):
        return BookState.SHUT
    if bids and asks:
        return BookState.OK
    if not bids and not asks:
        return BookState.EMPTY
    if (bids and bids[0][0] == limits.high_ticks) or (asks and asks[0][0] == limits.low_ticks):
        return BookState.LIMIT_LOCKED
    return BookState.ONE_SIDED
