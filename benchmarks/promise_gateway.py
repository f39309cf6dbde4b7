"""(c) of the promise: the product's TriggerCore and ExecutionEngine in virtual time, with measured processing delays.

What the shells do is done here without sockets: an event is decided on at its arrival, its orders leave when the rest
of the drawn processing time has passed, a decision's books are those that have arrived. `decided` is called with every
decision, so that a caller may write the journal that the product would.

What is left out: FIX text, sessions that break, the feed's repair of gaps. Calendars: the day is open throughout.
"""

import heapq
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from benchmarks.promise_desks import Opened, Processing
from benchmarks.promise_market import MS, SECOND
from benchmarks.promise_slice import Book, Seen
from benchmarks.promise_world import ACCOUNT, Once, Spell, World
from gateway.execution.engine import ExecutionEngine
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus, OrdType, SessionChanged, Side
from gateway.model.quote import BookState, Quote
from gateway.model.record import Decision
from gateway.model.trade import (
    Action,
    Announce,
    AskStatus,
    BooksObserved,
    BookStateChanged,
    Command,
    ExecutionEvent,
    HoursChanged,
    Intent,
    IntentRefused,
    OrderSent,
    OrdersSent,
    PairPosition,
    PairTradeChanged,
    PairTradeState,
    ReadBooks,
    Restarted,
    SendCancel,
    SendOrders,
    SetTimer,
    TimerFired,
    Verb,
)
from gateway.trigger.core import ENDED, Hops, TriggerCore
from simulators.core.values import CancelOrder, NewOrder, Report, VenueEvent
from simulators.core.venue import Venue

BEAT_NS = 500 * MS
SILENCE_NS = SECOND
ARMED_NS = 2 * SECOND
BOUND_NS = MS
"""Error bound of a calibrated quote."""
HOP_NS = 20_000
"""Between a quote's hops, for the journal's sake; the sum of them and of the rest is what was drawn."""
_EXEC_TYPES = {one.value: one for one in ExecType}
_STATUSES = {one.value: one for one in OrdStatus}
_SIDES = {one.value: one for one in Side}


class Gateway:
    """See the module. `clock_error_ns` is by how much a venue's calibrated times are wrong, by venue."""

    name = "gateway"

    def __init__(
        self,
        world: World,
        *,
        decided: Callable[[Decision], None] | None = None,
        clock_error_ns: dict[str, int] | None = None,
    ) -> None:
        self.world = world
        settings = world.day.settings
        self.engine = ExecutionEngine(settings, 1)
        self.trigger = TriggerCore(
            settings.pairs.values(), settings.rules.values(), settings.instruments, silence_ns=SILENCE_NS
        )
        self.opened: list[Opened] = []
        self.refused: dict[str, int] = {}
        self.halted: set[str] = set()
        self.spells: list[Spell] = []
        self.unpriced: dict[int, list[int]] = {1: [], -1: []}
        """By side: when the rule was met on the books that had arrived, and the trigger had no price."""
        self._begun_ns = 0
        self.last: dict[str, PairTradeChanged] = {}
        self._decided = decided
        self._clock_error_ns = clock_error_ns or {}
        self._processing = Processing(world)
        self.once = Once(world.day)
        self._books: dict[str, Book] = {}
        self._quotes: dict[str, Quote] = {}
        self._intents: dict[str, Intent] = {}
        self._after_ns: dict[str, int] = {}
        self._trading_day = world.day.tape.instruments[0].trading_date
        self._seq = 0
        self._messages = 0
        self._events: deque[ExecutionEvent] = deque()
        self._timers: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}

    # The contender.

    def begin(self) -> None:
        """Start, sessions up, hours, armed."""
        world, settings = self.world, self.world.day.settings
        self._handle(0, Restarted(1))
        for name in settings.venues:
            self._handle(MS, SessionChanged(name, "orders", up=True, at_ns=MS, detail="logon"))
        for name in settings.instruments:
            self._handle(MS, HoursChanged(name, open=True, shut_ns=0, trading_day=self._trading_day))
        world.at(ARMED_NS, self._arm)
        world.at(BEAT_NS, self._beat)

    def _arm(self, now_ns: int) -> None:
        self._handle(now_ns, Command("arm-1", Verb.ARM, "promise", "the day begins"))

    def on_quote(self, now_ns: int, instrument_id: str, book: Book, sent_ns: int) -> None:
        """A book arrives: the trigger looks, and what it wants reaches execution later."""
        self._messages += 1
        bids, asks = book
        state = BookState.OK if bids and asks else BookState.ONE_SIDED if bids or asks else BookState.EMPTY
        before = self._quotes.get(instrument_id)
        venue_id = instrument_id.partition(".")[0]
        # A venue's stamp is whole milliseconds on its own clock; here that clock is UTC, which begins with the day.
        venue_ns = sent_ns // MS * MS
        calibrated_ns = sent_ns + self._clock_error_ns.get(venue_id, 0)
        quote = Quote(
            instrument_id, state, bids, asks, now_ns, venue_ns, now_ns, self._messages, 0, calibrated_ns, BOUND_NS
        )
        self._quotes[instrument_id] = quote
        self._books[instrument_id] = book
        if before is None or before.state is not state:
            self._handle(now_ns, BookStateChanged(instrument_id, state, ""))
        wishes = self.trigger.on_quote(quote, now_ns)
        seen = self.world.day.slice.met(self._books)
        may = self.once.look(now_ns, 0 if seen is None else seen.side)
        if not self.world.day.begin_ns <= now_ns <= self.world.day.trading_ns or not may:
            return
        if seen is not None and not wishes and self._has_no_price():
            self.unpriced[seen.side].append(now_ns)
        for wish in wishes:
            self._begun_ns = now_ns
            self.once.fired(now_ns, 1 if wish.side is Side.BUY else -1)
            before_ns, after_ns = self._processing.draw()
            hops = Hops(now_ns + HOP_NS, now_ns + 2 * HOP_NS, now_ns + 3 * HOP_NS)
            intent = wish.intent(f"T1-{len(self._intents) + 1:06d}", hops)
            self._intents[intent.intent_id] = intent
            self._after_ns[intent.intent_id] = after_ns
            self.world.at(now_ns + before_ns, self._intent_arrives, intent, now_ns)

    def _has_no_price(self) -> bool:
        return any(told.buy_px_e9 is None and told.sell_px_e9 is None for told in self.trigger.changed_prices())

    def _intent_arrives(self, now_ns: int, intent: Intent, seen_ns: int) -> None:
        side = 1 if intent.side is Side.BUY else -1
        known = len(self.last)
        fx = self._quotes.get(self.world.day.slice.fx)
        self._handle(now_ns, intent, self._after_ns.pop(intent.intent_id))
        if len(self.last) > known:
            fx_ticks = 1 if fx is None else (fx.bids if side > 0 else fx.asks)[0][0]
            vwaps = tuple(
                leg.vwap_e9 * 10**9 // int(self.world.day.instrument(index).tick * 10**9)
                for index, leg in enumerate(intent.legs)
            )
            worst = tuple(leg.px_ticks for leg in intent.legs)
            seen = Seen(side, (vwaps[0], vwaps[1]), (worst[0], worst[1]), fx_ticks)
            self.opened.append(Opened(next(reversed(self.last)), seen_ns, seen))

    def on_report(self, now_ns: int, venue_id: str, report: Report) -> None:
        """What a venue says, in the gateway's words."""
        self._messages += 1
        self._handle(now_ns, self._normal(now_ns, venue_id, report))

    # The process.

    def _handle(self, now_ns: int, event: ExecutionEvent, after_ns: int | None = None) -> None:
        self._events.append(event)
        while self._events:
            self._decide(now_ns, self._events.popleft(), after_ns)

    def _decide(self, now_ns: int, event: ExecutionEvent, after_ns: int | None) -> None:
        actions = self.engine.on_event(event, now_ns)
        self._seq += 1
        if self._decided is not None:
            self._decided(Decision(self._seq, now_ns, event, tuple(actions)))
        for action in actions:
            self._do(now_ns, action, after_ns)

    def _do(self, now_ns: int, action: Action, after_ns: int | None) -> None:
        world = self.world
        match action:
            case SendOrders():
                later_ns = self._processing.draw()[1] if after_ns is None else after_ns
                world.at(now_ns + later_ns, self._send, action, now_ns)
            case Announce():
                self._heard(now_ns, action)
            case SetTimer():
                self._due[action.key] = action.at_ns
                heapq.heappush(self._timers, (action.at_ns, action.key))
                world.at(action.at_ns, self._fire)
            case ReadBooks():
                quotes = tuple(self._quotes[name] for name in action.instrument_ids if name in self._quotes)
                self._events.append(BooksObserved(action.request, quotes))
            case SendCancel():
                world.cancel(now_ns, action.order.venue_id, CancelOrder(action.cl_ord_id, action.order.cl_ord_id))
            case AskStatus():
                self._ask(now_ns, action)

    def _send(self, now_ns: int, action: SendOrders, decided_ns: int) -> None:
        """Both orders leave; the journal says that their record was written just after it was decided on."""
        sent = []
        for order in action.orders:
            if action.expires_ns and now_ns > action.expires_ns:
                sent.append(OrderSent(order.cl_ord_id, 0, 0, f"its intent expired {now_ns - action.expires_ns} ns ago"))
                continue
            leg = self.world.day.slice.names.index(order.instrument_id)
            self._messages += 1
            self.world.send(now_ns, action.trade_id, leg, self._wire(order))
            sent.append(OrderSent(order.cl_ord_id, now_ns, self._messages))
        self._handle(now_ns, OrdersSent(decided_ns, tuple(sent)))

    def _wire(self, order: Order) -> NewOrder:
        one = self.world.day.settings.instruments[order.instrument_id]
        px = None if order.px_ticks is None else one.tick * order.px_ticks
        return NewOrder(
            order.cl_ord_id,
            order.account or ACCOUNT,
            one.symbol,
            order.side.value,
            Decimal(order.qty_lots),
            px,
            "2" if order.ord_type is OrdType.LIMIT else "1",
            order.time_in_force.value,
            order.position_effect.value,
            order.hedge_flag,
        )

    def _ask(self, now_ns: int, action: AskStatus) -> None:
        venue = self.world.venues[action.venue_id]
        if self.world.day.settings.venues[action.venue_id].mass_status:
            self.world.ask(now_ns, action.venue_id, partial(_mass_status, venue, action.request_id))
        for order in action.orders:
            one = self.world.day.settings.instruments[order.instrument_id]
            about = (order.cl_ord_id, one.symbol, order.side.value, action.request_id)
            self.world.ask(now_ns, action.venue_id, partial(_status, venue, about))

    def _fire(self, now_ns: int) -> None:
        while self._timers and self._timers[0][0] <= now_ns:
            at_ns, key = heapq.heappop(self._timers)
            if self._due.get(key) == at_ns:
                del self._due[key]
                self._handle(now_ns, TimerFired(key))

    def _heard(self, now_ns: int, action: Announce) -> None:
        what = action.what
        if isinstance(what, PairTradeChanged):
            self.last[what.trade_id] = what
            if what.state is PairTradeState.HALTED:
                self.halted.add(what.trade_id)
            if what.state in ENDED:
                self._spell(now_ns)
            self.trigger.on_execution(what, now_ns)
        elif isinstance(what, PairPosition):
            self.trigger.on_execution(what, now_ns)
        elif isinstance(what, IntentRefused):
            self.refused[what.name.value] = self.refused.get(what.name.value, 0) + 1
            self._spell(now_ns)
            self.trigger.on_execution(what, now_ns)

    def _spell(self, now_ns: int) -> None:
        self.spells.append(Spell(self._begun_ns, now_ns + self.world.day.rule.cool_down_ns))

    def _beat(self, now_ns: int) -> None:
        self.trigger.on_execution(self.engine.status(now_ns), now_ns)
        self.world.at(now_ns + BEAT_NS, self._beat)

    # Words.

    def _normal(self, recv_ns: int, venue_id: str, said: Report) -> ExecutionReport:
        """A simulated venue's report as the gateway's decoder would give it."""
        listed = self.world.day.settings.instruments
        instrument = listed.get(f"{venue_id}.{said.symbol}")
        ticks = None
        if instrument is not None and said.last_px is not None:
            whole, rest = divmod(said.last_px, instrument.tick)
            ticks = None if rest else int(whole)
        fill = said.exec_type in {"F", "G", "H"}
        key = f"{venue_id}|{said.account}|{said.trade_date}|{said.side}|"
        return ExecutionReport(
            venue_id=venue_id,
            recv_ns=recv_ns,
            venue_ns=said.at_ns,
            msg_seq_num=self._messages,
            poss_dup=False,
            cl_ord_id=said.cl_ord_id,
            orig_cl_ord_id=said.orig_cl_ord_id,
            order_id=said.order_id,
            exec_id=said.exec_id,
            exec_key=key + said.exec_id if fill else "",
            exec_ref_id=said.exec_ref_id,
            exec_type=_EXEC_TYPES[said.exec_type],
            ord_status=_STATUSES.get(said.ord_status),
            instrument_id=instrument.instrument_id if instrument else "",
            side=_SIDES.get(said.side),
            order_qty_lots=said.order_qty,
            last_qty_lots=said.last_qty,
            last_px="" if said.last_px is None else str(said.last_px),
            last_px_ticks=ticks,
            cum_qty_lots=said.cum_qty,
            leaves_qty_lots=said.leaves_qty,
            avg_px=str(said.avg_px),
            text=said.text,
            reason=said.rej_reason,
            trade_date=said.trade_date,
        )


def _mass_status(venue: Venue, request_id: str, now_ns: int) -> list[VenueEvent]:
    return venue.on_mass_status(now_ns, request_id)


def _status(venue: Venue, about: tuple[str, str, str, str], now_ns: int) -> list[VenueEvent]:
    return venue.on_status(now_ns, *about)
