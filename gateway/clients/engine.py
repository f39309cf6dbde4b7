"""The client engine: `on_event(event, now) -> actions`, the one place where a client's order is taken, changed, ended.

    asked -> ladder (checks) -> order -> a rule for trigger, or for a leg alone a command for execution
    what trigger says of the rule, what execution's journal says of its trades -> reports
    asked to cancel or replace -> a command; its answer and the rule's last word decide what came of it

It reads no clock, no socket and no file. The shell writes an event with its actions into the journal, in one write,
and then carries the actions out: an order is on record before it is acknowledged, and after a kill the same events give
the same orders, so a ClOrdID(11) is accepted once, ever.

An order ends when trigger says that its rule has, when no intent of it is out, and when every fill that trigger counts
has been heard from execution's journal: two ways that are not in step, so it waits for the later one, and after
`settle_ns` ends with what is known. A fill that is heard later still counts.
"""

from collections.abc import Callable, Sequence

from gateway.clients.asking import Desk
from gateway.clients.book import OrderBook
from gateway.clients.order import ClientOrder
from gateway.clients.outcome import Outcomes
from gateway.clients.settings import ClientSettings
from gateway.clients.telling import Moment, Teller
from gateway.clients.used import was_used
from gateway.execution.outbox import IdSource
from gateway.model.client import (
    CancelAsked,
    ClientAction,
    ClientEvent,
    ClientReport,
    ClientSession,
    ExecutionHeard,
    LegHours,
    MassCancelAsked,
    OrderAsked,
    ReplaceAsked,
    SwitchesHeard,
    Tick,
)
from gateway.model.order import ExecType
from gateway.model.rules import RuleStanding
from gateway.model.trade import CommandAnswered, Restarted


class ClientEngine:
    """All orders of all clients of one installation."""

    def __init__(self, settings: ClientSettings, incarnation: int) -> None:
        self.settings = settings
        self._ids = [IdSource("O", incarnation), IdSource("E", incarnation)]
        self.book = OrderBook(settings)
        self._teller = Teller(settings, self._ids[1])
        self._outcomes = Outcomes(self.book, self._teller)
        self._desk = Desk(self.book, self._teller, self._outcomes, self._ids[0])
        self._handlers: dict[type, Callable[..., None]] = {
            OrderAsked: self._desk.on_order,
            ReplaceAsked: self._desk.on_replace,
            CancelAsked: self._desk.on_cancel,
            MassCancelAsked: self._desk.on_mass_cancel,
            ClientSession: self._desk.on_session,
            SwitchesHeard: self._outcomes.on_switches,
            ExecutionHeard: self._outcomes.on_execution,
            RuleStanding: self._outcomes.on_standing,
            CommandAnswered: self._outcomes.on_answer,
            Restarted: self._on_restarted,
            Tick: self._outcomes.on_tick,
            LegHours: self._outcomes.legs.on_hours,
        }

    def on_event(self, event: ClientEvent, now: Moment) -> list[ClientAction]:
        """Take one event and say what to do, in order."""
        self._handlers[type(event)](event, now)
        return self._teller.take()

    def decide_again(self, event: ClientEvent, now: Moment, actions: Sequence[ClientAction]) -> list[ClientAction]:
        """Decide on an event of a journal anew; an id that it says was used may have been used in an earlier run."""
        self.book.said_used = True if was_used(actions) else None
        made = self.on_event(event, now)
        self.book.said_used = None
        return made

    def replay(self, event: ClientEvent, now: Moment, actions: Sequence[ClientAction]) -> None:
        """Take an event of the journal as it was taken then: what a client may do can be another by now."""
        self.book.said_used = was_used(actions)
        if isinstance(event, OrderAsked | ReplaceAsked):
            reports = [one for one in actions if isinstance(one, ClientReport)]
            taken = any(one.exec_type in (ExecType.NEW, ExecType.PENDING_REPLACE) for one in reports)
            asks_status = any(one.exec_type is ExecType.ORDER_STATUS for one in reports)
            self._handlers[type(event)](event, now, taken=None if asks_status else taken)
        else:
            self._handlers[type(event)](event, now)
        self.book.said_used = None
        self._teller.take()

    @property
    def heard_seq(self) -> int:
        """The last decision of execution's journal that was taken up."""
        return self.book.heard_seq

    @property
    def switches(self) -> SwitchesHeard | None:
        """How execution and trigger stood when it was last told."""
        return self.book.switches

    def book_due(self, at_ns: int) -> bool:
        """Whether a Tick would do anything now."""
        return self._outcomes.due(at_ns)

    def placing(self) -> set[str]:
        """Orders of which trigger has not said yet whether it takes them."""
        return {one.order_id for one in self.book.commands.values()}

    def all_open(self) -> list[ClientOrder]:
        return self.book.all_open()

    def orders_of(self, client_id: str) -> list[ClientOrder]:
        """Its open orders, oldest first."""
        return self.book.open_of(client_id)

    def find(self, client_id: str, cl_ord_id: str) -> ClientOrder | None:
        """The order that one of its ClOrdIDs belongs to."""
        return self.book.find(client_id, cl_ord_id)

    def named(self, client_id: str, cl_ord_id: str, order_id: str) -> ClientOrder | None:
        """By its ClOrdID, else by its OrderID(37); a client never reaches another's."""
        return self._desk.named(client_id, cl_ord_id, order_id)

    def status(self, order: ClientOrder, now: Moment, request_id: str) -> ClientReport:
        """The answer to OrderStatusRequest(35=H)."""
        return self._teller.status(order, now, request_id)

    def mass_status(self, client_id: str, now: Moment, request_id: str) -> list[ClientReport]:
        """The answers to OrderMassStatusRequest(35=AF): its open orders."""
        orders = self.orders_of(client_id)
        count = len(orders)
        return [
            self._teller.status(one, now, request_id, mass=True, of=count, last=index == count)
            for index, one in enumerate(orders, 1)
        ]

    def _on_restarted(self, event: Restarted, _now: Moment) -> None:
        """A new incarnation: ids begin anew; what was not answered is asked again with the next Tick."""
        for ids in self._ids:
            ids.restart(event.incarnation)
        self.book.forget_times()
