"""The client engine with its journal, its sessions and its sockets. One thread calls it, QuickFIX's callbacks among it.

An event is decided on, written down with its actions in one record, and then carried out: nothing is acknowledged that
is not on record (on the disk, where the site asks for `sync_before_send`). While the journal takes no record, orders
are refused by that name and everything else waits.
"""

import sys
from collections import deque
from collections.abc import Callable, Sequence

from gateway.bus.topics import TriggerStatus
from gateway.clients.checks import Refused
from gateway.clients.decode import (
    ClientReader,
)
from gateway.clients.encode import ClientWriter
from gateway.clients.engine import ClientEngine
from gateway.clients.executions import CLIENT_RULE, Executions
from gateway.clients.pace import Pace
from gateway.clients.telling import Moment, Teller
from gateway.execution.outbox import IdSource
from gateway.fix.acceptor import ClientAcceptor
from gateway.journal.clock_pairs import ClockPairs
from gateway.journal.errors import JournalCause, JournalError
from gateway.journal.tail import JournalTail
from gateway.journal.writer import JournalWriter
from gateway.model.base import Message
from gateway.model.client import (
    AskExecution,
    AskTrigger,
    BusinessRejected,
    CancelRefused,
    ClientAction,
    ClientEvent,
    ClientRefusal,
    ClientReport,
    ClientSession,
    MassCancelTold,
    OrderAsked,
    ReplaceAsked,
    SwitchesHeard,
    Tick,
)
from gateway.model.order import ExecType, OrdStatus
from gateway.model.quote import Quote
from gateway.model.record import ClientDecision, Decision
from gateway.model.rules import ENDED_STANDINGS, ChangeRules, RulesInForce, RuleStanding, RuleStandingState
from gateway.model.trade import CommandAnswered, ExecutionStatus, PairPrice
from gateway.processes import clock
from gateway.processes.clients_bus import ClientsBus
from gateway.processes.clients_questions import Questions
from gateway.processes.durations import MS, SECOND

SILENT_NS = 2 * SECOND
"""Execution or trigger that was not heard of for so long is away."""
LOOK_NS = 50 * MS
"""How often the journal of execution is looked at when nothing tells of it."""
JOURNAL_RETRY_NS = SECOND
MOST_DECISIONS = 500


class ClientsShell:
    """See the module. `acceptor` is given when QuickFIX has its sessions."""

    def __init__(
        self,
        engine: ClientEngine,
        journal: JournalWriter,
        bus: ClientsBus,
        tail: JournalTail,
        seq: int,
        incarnation: int,
        *,
        sync: bool,
        market_data_interval_ns: int,
    ) -> None:
        self.engine = engine
        self.acceptor: ClientAcceptor | None = None
        self.pending_bytes: Callable[[str], int] = lambda _client_id: 0
        self.cancels: Callable[[str], tuple[bool, bool]] = lambda _client_id: (False, False)
        """Client -> its choice at logon for its orders at a disconnect; whether it began again at 1."""
        self.ends: Callable[[str], tuple[bool, bool]] = lambda _client_id: (False, False)
        """Client -> of the end of its session: whether its orders end or outlive it, whatever it chose at logon."""
        self.orders = self.rejected = 0
        self.details: dict[str, str] = {}
        self._journal = journal
        self._bus = bus
        self._tail = tail
        self._seq = seq
        self._incarnation = incarnation
        self._sync = sync
        self._pairs = ClockPairs(clock.monotonic_ns())
        self._unwritten: deque[ClientDecision] = deque()
        self._retry_ns = 0
        self._ids_retry_ns = 0
        settings = engine.settings
        self._executions = Executions(settings)
        clients = settings.clients
        self._readers = {name: ClientReader(one, settings.instruments) for name, one in clients.items()}
        self._writers = {name: ClientWriter(one.begin_string) for name, one in clients.items()}
        self._paces = {name: Pace(one.orders_per_s, one.orders_per_s) for name, one in clients.items()}
        self._answers = IdSource("A", incarnation)
        self._refusals = Teller(settings, IdSource("T", incarnation))
        self.questions = Questions(engine, self._writers, self._answers, market_data_interval_ns, self._send, self._do)
        self._market = self.questions.market
        self._execution: ExecutionStatus | None = None
        self._trigger: TriggerStatus | None = None
        self._heard_ns = {"execution": 0, "trigger": 0}
        self._look_ns = 0
        self._ask_again = False
        self._woken = True
        self._late: list[RuleStanding] = []

    # QuickFIX's callbacks, in the thread that polls.

    def on_message(self, client_id: str, raw: str) -> None:
        """An application message of a client."""
        asked = self._readers[client_id].read(raw)
        if isinstance(asked, OrderAsked | ReplaceAsked):
            self._order(asked)
        elif isinstance(asked, ClientEvent):
            if self.writable:
                self.handle(asked)
            else:
                self._unavailable(asked.client_id, asked.msg_seq_num, raw)
        else:
            self.questions.answer(asked)

    def on_session(self, client_id: str, up: bool, detail: str) -> None:  # noqa: FBT001 the callback's form
        """A client logged on or off."""
        cancels, reset = self.cancels(client_id) if up else (False, False)
        self.details[client_id] = "" if up else self.details.get(client_id) or detail
        if not up:
            self.questions.gone(client_id)
        ends, keeps = (False, False) if up else self.ends(client_id)
        self.handle(ClientSession(client_id, up, cancels or ends, detail[:200], reset, keeps))

    # The loop.

    @property
    def writable(self) -> bool:
        """Whether the journal takes records."""
        return not self._unwritten

    def handle(self, event: ClientEvent) -> None:
        """Decide, write down, carry out."""
        now = Moment(clock.monotonic_ns(), clock.utc_ns())
        actions = self.engine.on_event(event, now)
        if isinstance(event, Tick) and not actions:
            return
        self._seq += 1
        decision = ClientDecision(self._seq, now.at_ns, now.utc_ns, event, tuple(actions))
        self._unwritten.append(decision)
        self._write()

    def take_bus(self) -> None:
        """What the others have said."""
        self._bus.drain(self._heard)

    def take_journal(self, now_ns: int) -> None:
        """What execution has written down since."""
        look = now_ns >= self._look_ns
        if not look and not self._woken:
            return
        self._woken = False
        if look:
            self._look_ns = now_ns + LOOK_NS
        while records := self._tail.read(MOST_DECISIONS, look=look):
            for record in records:
                heard = self._executions.take(record) if isinstance(record, Decision) else None
                if heard is not None and heard.seq > self.engine.heard_seq:
                    self.handle(heard)
        late, self._late = self._late, []
        for standing in late:
            self.handle(standing)

    def mind(self, now_ns: int) -> None:
        """What is due by the clock."""
        if self._unwritten and now_ns >= self._retry_ns:
            self._write()
        if self.writable and self._pairs.is_due(now_ns):
            self._journal.append(self._pairs.take(now_ns, clock.utc_ns()))
        if self.writable and now_ns >= self._ids_retry_ns:
            self._keep_ids(now_ns)
        self._mind_switches(now_ns)
        if self.engine.book_due(now_ns):
            self.handle(Tick())
        self.questions.mind(now_ns, self.pending_bytes)

    def resend(self, answers: Sequence[ClientAction]) -> None:
        """What was written down and never handed over."""
        for one in answers:
            self._do(one, again=True)

    def _keep_ids(self, now_ns: int) -> None:
        """Used ids go to their files behind the journal, which has them; they stay in memory where that fails."""
        try:
            self.engine.book.keep_used()
        except OSError as error:
            sys.stderr.write(f"clients: {error}; used ids are kept in memory until it can be written\n")
            self._ids_retry_ns = now_ns + JOURNAL_RETRY_NS

    def ask_rules(self) -> None:
        """Ask trigger what has become of our rules."""
        self._bus.ask_rules(self._answers.next())

    def _order(self, asked: OrderAsked | ReplaceAsked) -> None:
        order = asked.order if isinstance(asked, ReplaceAsked) else asked
        pace = self._paces[order.client_id]
        refused = None
        if not self.writable:
            refused = Refused(ClientRefusal.JOURNAL, "it cannot be written down now; accepted: later")
        elif not pace.take(clock.monotonic_ns()):
            most = self.engine.settings.clients[order.client_id].orders_per_s
            wait_ms = -(-pace.wait_ns(clock.monotonic_ns()) // MS)
            text = f"more than {most} orders/s; the same ClOrdID(11) is accepted in {max(1, wait_ms)} ms"
            refused = Refused(ClientRefusal.THROTTLED, text)
        if refused is None:
            self.orders += isinstance(asked, OrderAsked)
            self.handle(asked)
            return
        self.rejected += 1
        self._refuse(asked, order, refused)

    def _refuse(self, asked: OrderAsked | ReplaceAsked, order: OrderAsked, refused: Refused) -> None:
        """An order that is not taken and leaves no trace: its ClOrdID may be used again."""
        now = Moment(clock.monotonic_ns(), clock.utc_ns())
        if isinstance(asked, OrderAsked):
            self._refusals.rejected(order, refused, now)
            for action in self._refusals.take():
                self._do(action)
            return
        known = self.engine.find(order.client_id, asked.orig_cl_ord_id)
        status = known.ord_status if known is not None else OrdStatus.REJECTED
        order_id = known.order_id if known is not None else "NONE"
        self._do(
            CancelRefused(
                order.client_id,
                order_id,
                order.cl_ord_id,
                asked.orig_cl_ord_id,
                status,
                "2",
                "99",
                refused.words,
                now.utc_ns,
            )
        )

    def _unavailable(self, client_id: str, seq: int, raw: str) -> None:
        kind = raw.partition("\x0135=")[2].partition("\x01")[0]
        text = f"{ClientRefusal.JOURNAL.value}: it cannot be written down now; accepted: later"
        self._do(BusinessRejected(client_id, seq, kind, "", "4", text))

    def _heard(self, message: Message) -> None:
        now_ns = clock.monotonic_ns()
        match message:
            case PairPrice():
                self._market.on_price(message)
            case Quote():
                self._market.on_quote(message)
            case RuleStanding():
                self._woken = True
                self._late.append(message)  # after what execution has written: its fills come first as a rule
            case CommandAnswered():
                self.handle(message)
                if not message.done or self._ask_again:
                    self._ask_again = False
                    self.ask_rules()  # what we believe of a rule may be wrong
            case ExecutionStatus():
                self._heard_ns["execution"], self._execution = now_ns, message
            case TriggerStatus():
                if self._trigger is None or self._trigger.incarnation != message.incarnation:
                    self.ask_rules()
                self._heard_ns["trigger"], self._trigger = now_ns, message
            case RulesInForce():
                self._rules(message)
            case _:
                self._woken = True

    def _rules(self, message: RulesInForce) -> None:
        """What became of our rules while we, or trigger, were away."""
        self._end_orphans(message)
        standings = {one.rule_id: one for one in message.standings}
        known = {one.rule_id for one in message.rules} | standings.keys()
        waiting = self.engine.placing()
        for order in self.engine.all_open():
            if not order.multileg:
                continue
            if order.order_id in waiting:
                self._ask_again = True  # its rule is asked about when trigger has answered for it
                continue
            standing = standings.get(order.rule_id)
            if standing is None and order.rule_id not in known:
                gone = "trigger does not know its rule any more"
                standing = RuleStanding(
                    order.rule_id, order.asked.symbol, RuleStandingState.REMOVED, order.cum_qty, 0, 0, 0, gone, 0
                )
            if standing is not None:
                self._late.append(standing)
        self._woken = True

    def _end_orphans(self, message: RulesInForce) -> None:
        """Rules of orders that nobody here knows any more, after a change of the site say: they shall not trade."""
        alive = {one.rule_id for one in message.rules} - {
            one.rule_id for one in message.standings if one.state in ENDED_STANDINGS
        }
        open_rules = {order.rule_id for order in self.engine.all_open()}
        orphans = tuple(sorted(name for name in alive - open_rules if name.startswith(CLIENT_RULE)))
        if orphans:
            sys.stderr.write(f"clients: rules without an order are removed: {', '.join(orphans)}\n")
            self._bus.place(ChangeRules(self._answers.next(), "clients", "no order of a client", removed=orphans))

    def _mind_switches(self, now_ns: int) -> None:
        """Tell the engine when execution was armed, disarmed, killed, or fell silent."""
        silent = [name for name, at_ns in self._heard_ns.items() if not at_ns or now_ns - at_ns > SILENT_NS]
        one = self._execution
        heard = not silent and one is not None
        detail = f"{' and '.join(silent)} not heard of; accepted: when they are" if silent else ""
        new = SwitchesHeard(
            heard=heard,
            armed=one.armed if one is not None else False,
            held=one.halted if one is not None else False,
            stopping=one.stopping if one is not None else False,
            stage=one.stage if one is not None else "",
            incarnation=one.incarnation if one is not None else 0,
            detail=detail,
        )
        if new != self.engine.switches:
            self.handle(new)

    def _write(self) -> None:
        """Write what is decided, in order, and carry it out; later, where the journal takes nothing now."""
        while self._unwritten:
            decision = self._unwritten[0]
            try:
                self._journal.append(decision)
                if self._sync and isinstance(decision.event, OrderAsked | ReplaceAsked):
                    self._journal.sync()
            except JournalError as error:
                if error.cause is JournalCause.ENCODE:
                    raise  # it never can be written: our own mistake, and waiting would hide it
                if not self._retry_ns:
                    sys.stderr.write(f"clients: {error}; orders are refused until it can be written\n")
                self._retry_ns = clock.monotonic_ns() + JOURNAL_RETRY_NS
                return
            self._unwritten.popleft()
            self._retry_ns = 0
            for action in decision.actions:
                self._do(action)

    def _do(self, action: ClientAction, *, again: bool = False) -> None:
        """Carry it out; `again` marks what a client may have heard already."""
        match action:
            case ClientReport():
                self.rejected += action.exec_type is ExecType.REJECTED
                text = self._writers[action.client_id].report(action)
            case CancelRefused():
                text = self._writers[action.client_id].cancel_refused(action)
            case MassCancelTold():
                text = self._writers[action.client_id].mass_cancel(action)
            case BusinessRejected():
                text = self._writers[action.client_id].business_reject(action)
            case AskTrigger():
                self._bus.place(action.change)
                return
            case AskExecution():
                self._bus.command(action.command)
                return
        self._send(action.client_id, text.replace("\x01", "\x0197=Y\x01", 1) if again else text)

    def _send(self, client_id: str, text: str, *, keep: bool = True) -> None:
        if self.acceptor is not None:
            self.acceptor.send(client_id, text, keep=keep)
