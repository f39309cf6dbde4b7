"""A client that orders one leg, the real engines of clients and execution, and a venue, in one thread on virtual time.

Every step is drawn from a seed: what the client asks, which message arrives next, what the venue does, what is lost or
dies. Messages of one way keep their order; commands and answers may be lost. The venue counts what it has open and has
filled of each order of the client: together they may never be more than the client has asked for.
"""

from collections import Counter, deque
from random import Random
from typing import Any

import msgspec
from client_desk import CU, UTC, S, client, order, settings, switches
from test_client_executions import GIVEN

from gateway.clients.engine import ClientEngine
from gateway.clients.executions import Executions
from gateway.clients.settings import ClientSettings
from gateway.clients.telling import Moment
from gateway.execution.engine import ExecutionEngine
from gateway.model.client import (
    AskExecution,
    CancelAsked,
    ClientAction,
    ClientEvent,
    ClientReport,
    LegHours,
    ReplaceAsked,
    Tick,
)
from gateway.model.order import (
    CancelRejected,
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    SessionChanged,
    Side,
    TimeInForce,
)
from gateway.model.record import Decision
from gateway.model.trade import (
    Announce,
    AskStatus,
    Command,
    CommandAnswered,
    ExecutionEvent,
    OrderSent,
    OrdersSent,
    Restarted,
    SendCancel,
    SendOrders,
    SetTimer,
    TimerFired,
    Verb,
)

MS = 10**6
DAY, IOC, FOK, GTC, GTD = (TimeInForce[name] for name in ("DAY", "IOC", "FOK", "GTC", "GTD"))
DAY_S = 600
"""Seconds of a trading day here."""


class VenueOrder:
    """An order as the venue has it."""

    def __init__(self, given: Order) -> None:
        self.given = given
        self.filled = 0
        self.status = OrdStatus.NEW

    @property
    def open(self) -> bool:
        return self.status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)

    @property
    def leaves(self) -> int:
        return self.given.qty_lots - self.filled if self.open else 0


class LegWorld:
    """See the module. `calm`: nothing is lost and nothing dies any more, and the venue fills nothing."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)  # noqa: S311 a world from a seed
        self.now_ns = S
        self.calm = False
        self.day = 0
        self.settings: ClientSettings = msgspec.structs.replace(
            settings(client("F", leg_orders=True, max_open_orders=50, max_lots=100)),
            leg_forces={CU: (DAY, IOC, FOK, GTC, GTD)},
        )
        limits = msgspec.structs.replace(GIVEN.limits, max_open_trades=500, orders_per_intent=1000)
        venues = {
            name: msgspec.structs.replace(one, time_in_force=(DAY, IOC, FOK)) for name, one in GIVEN.venues.items()
        }
        self.execution = ExecutionEngine(msgspec.structs.replace(GIVEN, limits=limits, venues=venues), 1)
        self.incarnation = 1
        self.decisions: list[Decision] = []
        self.read = 0
        self.reader = Executions(self.settings)
        self.clients = ClientEngine(self.settings, 1)
        self.clients_incarnation = 1
        self.history: list[tuple[ClientEvent, Moment, list[ClientAction]]] = []
        self.commands: deque[Command] = deque()
        self.answers: deque[CommandAnswered] = deque()
        self.to_venue: deque[Any] = deque()
        self.to_execution: deque[ExecutionEvent] = deque()
        self.timers: dict[str, int] = {}
        self.book: dict[str, VenueOrder] = {}
        self.by_order: dict[str, list[VenueOrder]] = {}
        """Order of the client -> what the venue has, or had, of it."""
        self.exec_ids = 0
        self.names = 0
        self.asked: Counter[str] = Counter()
        """Order of the client -> the most that it was ever asked to be."""
        self.reports: list[ClientReport] = []
        self.up = True
        self.decide(SessionChanged("SHFE", "orders", True, 0), SessionChanged("LME", "orders", True, 0))
        self.arm()
        self.tell(LegHours(CU, True, "20260601"))

    # Engines.

    def decide(self, *events: ExecutionEvent) -> None:
        """Execution takes events; what it does goes its ways."""
        for event in events:
            actions = tuple(self.execution.on_event(event, self.now_ns))
            self.decisions.append(Decision(len(self.decisions) + 1, self.now_ns, event, actions))
            for action in actions:
                self._do(action)

    def _do(self, action: Any) -> None:  # noqa: ANN401 any action
        match action:
            case SendOrders():
                up = self.up
                sent = tuple(
                    OrderSent(one.cl_ord_id, self.now_ns if up else 0, 1, "" if up else "down") for one in action.orders
                )
                self.to_execution.append(OrdersSent(self.now_ns, sent))
                if up:
                    self.to_venue.extend(action.orders)
            case SendCancel() | AskStatus():
                if self.up:
                    self.to_venue.append(action)
            case SetTimer():
                self.timers[action.key] = action.at_ns
            case Announce(what=CommandAnswered() as answer):
                self.answers.append(answer)

    def tell(self, *events: ClientEvent) -> None:
        """The clients' engine takes events."""
        for event in events:
            now = Moment(self.now_ns, UTC + self.now_ns)
            made = self.clients.on_event(event, now)
            if made or not isinstance(event, Tick):
                self.history.append((event, now, made))
            self.commands.extend(one.command for one in made if isinstance(one, AskExecution))
            self.reports += [one for one in made if isinstance(one, ClientReport)]

    def arm(self) -> None:
        self.names += 1
        self.decide(Command(f"arm{self.names}", Verb.ARM, "li", "test"))
        self.tell(switches(incarnation=self.incarnation))

    # What happens.

    def step(self) -> None:
        """One thing happens; then what was asked for is held against what the venue has."""
        self.now_ns += self.draw.choice((MS, 10 * MS, 100 * MS))
        happenings = [self.arrive] * 12 + [self.ask, self.venue_acts, self.tick, self.tick]
        if not self.calm and self.draw.random() < 0.08:
            happenings = [self.lose, self.kill_clients, self.kill_execution, self.next_day, self.line]
        self.draw.choice(happenings)()
        self.check()

    def arrive(self) -> None:
        """The next message of one of the ways."""
        ways = (self._command, self._answer, self._at_venue, self._at_execution, self._journal)
        self.draw.choice(ways)()

    def _command(self) -> None:
        if self.commands:
            self.decide(self.commands.popleft())

    def _answer(self) -> None:
        if self.answers:
            self.tell(self.answers.popleft())

    def _at_execution(self) -> None:
        if self.to_execution:
            self.decide(self.to_execution.popleft())

    def _journal(self) -> None:
        if self.read < len(self.decisions):
            heard = self.reader.take(self.decisions[self.read])
            self.read += 1
            if heard is not None and heard.seq > self.clients.heard_seq:
                self.tell(heard)

    def _at_venue(self) -> None:
        if not self.to_venue:
            return
        what = self.to_venue.popleft()
        if isinstance(what, Order):
            self._new(what)
        elif isinstance(what, SendCancel):
            self._cancel(what)
        else:
            for one in what.orders:
                self._status(one)

    def ask(self) -> None:
        """The client asks for something."""
        if self.calm:
            return
        self.names += 1
        name, open_orders = f"n{self.names}", self.clients.orders_of("F")
        kind = self.draw.random()
        if kind < 0.45 or not open_orders:
            force = self.draw.choice((DAY, GTC, GTC, GTD, IOC, FOK))
            self.tell(self._wanted(name, force, self.draw.choice((Side.BUY,))))
            found = self.clients.find("F", name)
            if found is not None:
                self.asked[found.order_id] = found.asked.qty
            return
        one = self.draw.choice(open_orders)
        if kind < 0.9:
            wanted = self._wanted(name, self.draw.choice((DAY, GTC)), one.side)
            self.tell(ReplaceAsked(one.cl_ord_id, "", wanted))
            if self.clients.find("F", name) is one:
                self.asked[one.order_id] = max(self.asked[one.order_id], wanted.qty)
        else:
            self.tell(CancelAsked("F", 1, name, one.cl_ord_id, "", CU))

    def _wanted(self, name: str, force: TimeInForce, side: Side) -> Any:  # noqa: ANN401 an order that is asked for
        qty = self.draw.randrange(1, 9)
        expire = UTC + self.now_ns + self.draw.randrange(1, 2 * DAY_S) * S if force is GTD else 0
        price = str(70_000 + 10 * self.draw.randrange(3))
        return order(name, price, qty, symbol=CU, side=side, time_in_force=force, expire_utc_ns=expire)

    def tick(self) -> None:
        due = [key for key, at_ns in self.timers.items() if at_ns <= self.now_ns]
        for key in due:
            del self.timers[key]
            self.decide(TimerFired(key))
        if self.clients.book_due(self.now_ns):
            self.tell(Tick())

    # The venue.

    def venue_acts(self) -> None:
        """It fills a part of an order that is open, or cancels one by itself."""
        open_orders = [one for one in self.book.values() if one.open]
        if self.calm or not open_orders:
            return
        one = self.draw.choice(open_orders)
        if self.draw.random() < 0.05:
            self._end(one, OrdStatus.CANCELED, ExecType.CANCELED)
            return
        self._fill(one, self.draw.randrange(1, one.leaves + 1))

    def _new(self, given: Order) -> None:
        one = self.book[given.cl_ord_id] = VenueOrder(given)
        rule_id = self.execution.ledger.trades[self.execution.ledger.orders[given.cl_ord_id].trade_id].intent.rule_id
        self.by_order.setdefault(rule_id.rpartition("/")[2].partition(".")[0], []).append(one)
        if not self.calm and self.draw.random() < 0.05:
            self._end(one, OrdStatus.REJECTED, ExecType.REJECTED, reason="99", text="no")
            return
        self._say(one, ExecType.NEW)
        if given.time_in_force is not DAY:
            lots = self.draw.choice((0, one.leaves, one.leaves if given.time_in_force is FOK else 1))
            if lots:
                self._fill(one, min(lots, one.leaves))
            if one.open:
                self._end(one, OrdStatus.CANCELED, ExecType.CANCELED)

    def _cancel(self, asked: SendCancel) -> None:
        one = self.book.get(asked.order.cl_ord_id)
        if one is not None and one.open:
            self._end(
                one,
                OrdStatus.CANCELED,
                ExecType.CANCELED,
                cl_ord_id=asked.cl_ord_id,
                orig_cl_ord_id=asked.order.cl_ord_id,
            )
            return
        status = one.status if one is not None else OrdStatus.REJECTED
        self._send(
            CancelRejected("SHFE", self.now_ns, 1, asked.cl_ord_id, asked.order.cl_ord_id, "V", status, "1", "0", "x")
        )

    def _status(self, asked: Order) -> None:
        one = self.book.get(asked.cl_ord_id)
        if one is not None:
            self._say(one, ExecType.ORDER_STATUS)
        else:
            self._say(
                VenueOrder(asked),
                ExecType.ORDER_STATUS,
                order_id="NONE",
                ord_status=OrdStatus.REJECTED,
                leaves_qty_lots=0,
            )

    def _fill(self, one: VenueOrder, lots: int) -> None:
        one.filled += lots
        one.status = OrdStatus.FILLED if one.filled == one.given.qty_lots else OrdStatus.PARTIALLY_FILLED
        self.exec_ids += 1
        key = f"x{self.exec_ids}"
        self._say(one, ExecType.TRADE, last_qty_lots=lots, last_px="70000", exec_key=key, exec_id=key)

    def _end(self, one: VenueOrder, status: OrdStatus, kind: ExecType, **changes: Any) -> None:  # noqa: ANN401
        one.status = status
        self._say(one, kind, **changes)

    def _say(self, one: VenueOrder, kind: ExecType, **changes: Any) -> None:  # noqa: ANN401 fields of the report
        given = one.given
        made = ExecutionReport(
            "SHFE", self.now_ns, self.now_ns, 1, False, given.cl_ord_id, "", "V", "e", "", "", kind, one.status,
            given.instrument_id, given.side, given.qty_lots, 0, "0", None, one.filled, one.leaves, "70000",
        )  # fmt: skip
        self._send(msgspec.structs.replace(made, **changes))

    def _send(self, event: ExecutionEvent) -> None:
        if self.up or not self.calm:
            self.to_execution.append(event)

    # Faults.

    def lose(self) -> None:
        """A command, or an answer, is lost."""
        way = self.draw.choice((self.commands, self.answers))
        if way:
            way.popleft()

    def kill_clients(self) -> None:
        """The clients' process dies and reads its journal; what was on its way to it is lost."""
        self.answers.clear()
        self.commands.clear()
        fresh = ClientEngine(self.settings, 1)
        for event, now, actions in self.history:
            fresh.replay(event, now, actions)
        self.clients = fresh
        self.clients_incarnation += 1
        self.reader, self.read = Executions(self.settings), 0
        self.tell(Restarted(self.clients_incarnation), switches(incarnation=self.incarnation))

    def kill_execution(self) -> None:
        """Execution dies; a new one asks the venue about what was open, and a person arms it."""
        self.incarnation += 1
        self.answers.clear()
        self.timers.clear()
        self.line()
        self.decide(Restarted(self.incarnation))
        self.tell(switches(armed=False, incarnation=self.incarnation))
        self._back()
        self.arm()

    def line(self) -> None:
        """The order session is lost and back; what was on its way there is lost, what the venue said comes later."""
        self.up = False
        self.to_venue.clear()
        self.decide(SessionChanged("SHFE", "orders", False, self.now_ns, "lost"))
        if self.draw.random() < 0.5:
            for one in self.book.values():
                if one.open:
                    self._end(one, OrdStatus.CANCELED, ExecType.CANCELED)
        self._back()

    def _back(self) -> None:
        self.up = True
        self.decide(SessionChanged("SHFE", "orders", True, self.now_ns))

    def next_day(self) -> None:
        """The market shuts, what rests there expires, and it opens on the next day."""
        self.day += 1
        self.now_ns += DAY_S * S
        for one in self.book.values():
            if one.open:
                self._end(one, OrdStatus.EXPIRED, ExecType.EXPIRED)
        today = str(20260601 + self.day)
        self.tell(LegHours(CU, False, today), LegHours(CU, True, today))

    # What must hold.

    def check(self) -> None:
        """Open and filled at the venue, together, are never more than was asked for."""
        for order_id, at_venue in self.by_order.items():
            if any(each.open for each in at_venue):
                taken, most = sum(each.leaves + each.filled for each in at_venue), self.asked[order_id]
                assert taken <= most, f"{order_id}: {taken} lots at the venue, {most} asked for"
                assert sum(each.open for each in at_venue) <= 1, f"{order_id}: two orders work at once"

    def rest(self) -> None:
        """No more faults; the client cancels what is open; everything that is on its way arrives."""
        self.calm = True
        for _ in range(40):
            for one in self.clients.orders_of("F"):
                if not one.pending:
                    self.names += 1
                    self.tell(CancelAsked("F", 1, f"n{self.names}", one.cl_ord_id, "", CU))
            for _ in range(300):
                self.step()
            self.now_ns += 10 * S
            if not self.clients.orders_of("F") and not self._under_way():
                return

    def _under_way(self) -> bool:
        return bool(self.commands or self.answers or self.to_venue or self.to_execution) or self.read < len(
            self.decisions
        )
