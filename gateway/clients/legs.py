"""Orders on one leg: given to execution, taken back, kept over days.

IOC, FOK and Day are the venue's own. GTC and GTD are ours: what is at a venue is never older than its trading day, so
that nothing of ours stays where nobody watches it, and each day's PositionEffect(77) is that day's. What is left of
such an order is entered as an order for the day when its market opens; entered again on the next trading day, when its
session was lost, and when execution took it back because it stopped or was started anew. What the venue refuses or
cancels by itself ends it: a person would not send the same order again without looking.

A replacement takes back what is at the venue, waits until that has ended and every fill is told, and enters what is
left at the new terms: never is more at a venue than the client's quantity.

What can go wrong: the command of an order is lost while its cancel is not: execution never sends what was withdrawn
before it came, so the answers of both decide. A fill of an earlier day's order comes when the next one works: that one
is taken back, and what is left by then is entered. A trade waits for a person while an order of it may still be open:
the order stays as it is, and nothing is entered for it.
"""

from gateway.clients.book import CANCEL, PLACE, REPLACE, OrderBook
from gateway.clients.ending import Endings
from gateway.clients.order import ClientOrder, Move, Pending
from gateway.clients.placing import next_command
from gateway.clients.settings import price_text
from gateway.clients.telling import RENEWED, Moment, Teller
from gateway.model.client import AskExecution, ClientRefusal, Ended, LegEnd, LegFill, LegHours, TradeStep
from gateway.model.order import ExecType, TimeInForce
from gateway.model.trade import Command, CommandAnswered, PairTradeState, RefusalName, Verb

KEPT_FORCES = (TimeInForce.GTC, TimeInForce.GTD)
KEPT_ENDS = (LegEnd.SHUT, LegEnd.LOST, LegEnd.WITHDRAWN, LegEnd.EXPIRED, LegEnd.UNSENT)
"""Ends at the venue after which a kept order is entered again."""
SHRINK = "shrink"
OF_THE_MOMENT = frozenset(
    {
        RefusalName.STOPPING,
        RefusalName.DISARMED,
        RefusalName.STAGE,
        RefusalName.SESSION_DOWN,
        RefusalName.NOT_RECONCILED,
        RefusalName.UNEXPLAINED,
        RefusalName.HOURS,
        RefusalName.NOT_TRADABLE,
        RefusalName.SELF_MATCH,
        RefusalName.OPEN_TRADES,
        RefusalName.LEGGED_TRADES,
        RefusalName.ORDER_RATE,
        RefusalName.ORDERS_PER_DAY,
        RefusalName.CANCELS_PER_DAY,
        RefusalName.RUNAWAY,
        RefusalName.THROTTLED,
    }
)
"""Refusals of the gate that pass; a kept order waits for it. The others end it."""


class Legs:
    """What becomes of orders on legs."""

    def __init__(self, book: OrderBook, teller: Teller, endings: Endings) -> None:
        self._book = book
        self._teller = teller
        self._endings = endings

    def place(self, order: ClientOrder, now: Moment) -> None:
        """What is left of an order, new or at new terms: to its venue, or kept until it can be entered."""
        asked = order.asked
        self._book.dated.pop(order.order_id, None)
        if asked.time_in_force is TimeInForce.GTD:
            self._book.dated[order.order_id] = now.at_ns + asked.expire_utc_ns - now.utc_ns
        obstacle = self._obstacle(order) if asked.time_in_force in KEPT_FORCES else ""
        if obstacle:
            order.kept, order.note = True, obstacle
            self._book.kept[order.order_id] = order
        else:
            self._enter(order, now)

    def replace(self, order: ClientOrder, now: Moment) -> None:
        """It shall be another: what is at the venue is taken back first."""
        if order.kept:
            self._replaced(order, now)
        else:
            self._take_back(order, REPLACE, f"replaced by {order.pending_cl_ord_id}", now)

    def withdraw(self, order: ClientOrder, why: Ended, now: Moment) -> None:
        """It shall end."""
        if order.kept:
            self._ended(order, now)
        else:
            self._take_back(order, CANCEL, f"cancelled: {why.value}", now)

    def on_placed(self, order: ClientOrder, event: CommandAnswered, now: Moment) -> None:
        """Execution has answered the command that gives it to the venue."""
        if event.command_id != order.placed_by or order.kept:
            return
        if event.done:
            order.note = ""
            if order.rules > 1 and order.pending is Pending.NOTHING:
                self._restate(order, f"entered: pair trade {event.text}", now)
        elif order.pending is Pending.CANCEL:
            self._ended(order, now)
        elif order.pending is Pending.REPLACE:
            self._replaced(order, now)
        elif self._may_wait(order) and event.text.partition(":")[0] in OF_THE_MOMENT:
            order.kept, order.note = True, f"{Ended.REFUSED_BY_GATE.value}: {event.text}"
            order.not_before_ns = now.at_ns + self._book.settings.reenter_ns
            self._book.kept[order.order_id] = order
        else:
            self._endings.end(order, Move.CANCEL, f"{Ended.REFUSED_BY_GATE.value}: {event.text}", now)

    def on_late_fill(self, order: ClientOrder, fill: LegFill, now: Moment) -> None:
        """A fill of what was at the venue before came while more of it works: that may be too much by now."""
        if order.pending is not Pending.CANCEL:
            order.again = not order.ended
            self._take_back(order, SHRINK, f"a late fill of {fill.rule_id}", now)

    def on_over(self, order: ClientOrder, step: TradeStep, now: Moment) -> None:
        """Its trade is over, and all that was filled is counted."""
        if not order.ended and not order.kept and step.rule_id == order.rule_id:
            self._over(order, step, now)

    def on_hours(self, event: LegHours, now: Moment) -> None:
        """Its market opened or shut, or began another day."""
        before = self._book.hours.get(event.instrument_id)
        self._book.hours[event.instrument_id] = event
        if event.open and (before is None or not before.open):
            for order in self._book.kept.values():
                if order.asked.symbol == event.instrument_id:
                    order.shut_day, order.not_before_ns = "", 0
        self.look(now)

    def look(self, now: Moment) -> None:
        """Enter what is kept and may be entered; end what is over."""
        for order_id, due_ns in list(self._book.dated.items()):
            order = self._book.orders[order_id]
            if now.at_ns >= due_ns and order.asked.expire_utc_ns <= now.utc_ns and order.pending is not Pending.CANCEL:
                self._expire(order, now)
        for order in list(self._book.kept.values()):
            if now.at_ns >= order.not_before_ns and not self._obstacle(order):
                self._enter(order, now)

    def due(self, at_ns: int) -> bool:
        """Whether `look` would do anything now."""
        return any(
            at_ns >= due_ns and self._book.orders[order_id].pending is not Pending.CANCEL
            for order_id, due_ns in self._book.dated.items()
        ) or any(at_ns >= one.not_before_ns and not self._obstacle(one) for one in self._book.kept.values())

    def _enter(self, order: ClientOrder, now: Moment) -> None:
        order.kept, order.again = False, False
        self._book.kept.pop(order.order_id, None)
        asked = order.asked
        force = TimeInForce.DAY if asked.time_in_force in KEPT_FORCES else asked.time_in_force
        px_ticks = self._book.settings.instruments[asked.symbol].to_ticks(price_text(asked.price_e9 or 0))
        words = (order.rule_id, asked.symbol, asked.side.value, order.leaves_qty, px_ticks, force.value)
        argument = " ".join(str(word) for word in words)
        command = Command(next_command(order), Verb.LEG_ORDER, asked.client_id, "an order of a client", argument)
        order.placed_by = self._endings.ask(order, PLACE, AskExecution(command), now)

    def _take_back(self, order: ClientOrder, purpose: str, reason: str, now: Moment) -> None:
        command = Command(next_command(order), Verb.WITHDRAW, order.client_id, reason, order.rule_id)
        self._endings.ask(order, purpose, AskExecution(command), now)

    def _over(self, order: ClientOrder, step: TradeStep, now: Moment) -> None:
        """What was at the venue has ended, and something is left."""
        if order.pending is Pending.CANCEL:
            self._ended(order, now)
        elif step.state is PairTradeState.HALTED:
            text = f"{Ended.HALTED.value}: pair trade {step.trade_id} {step.cause}; a person decides".replace(" ;", ";")
            self._endings.end(order, Move.CANCEL, text, now)
        elif order.pending is Pending.REPLACE:
            self._replaced(order, now)
        elif order.again or (self._may_wait(order) and step.end in KEPT_ENDS):
            self._keep(order, step, now)
        else:
            move = Move.EXPIRE if step.end == LegEnd.EXPIRED and not self._is_immediate(order) else Move.CANCEL
            self._endings.end(order, move, self._why(order, step), now)

    def _keep(self, order: ClientOrder, step: TradeStep, now: Moment) -> None:
        """It waits here, under a new name, until it may be entered again."""
        hours = self._book.hours.get(order.asked.symbol)
        if step.end in (LegEnd.EXPIRED, LegEnd.SHUT) and hours is not None and not order.again:
            order.shut_day = hours.trading_day
        self._book.renew(order)
        order.kept, order.not_before_ns = True, now.at_ns
        self._book.kept[order.order_id] = order
        order.note = self._obstacle(order)
        self._restate(order, f"kept: {step.end or 'what is left'}; entered again when it may be", now)
        self.look(now)

    def _replaced(self, order: ClientOrder, now: Moment) -> None:
        order.kept = False
        self._book.kept.pop(order.order_id, None)
        self._endings.replaced(order, now)
        self.place(order, now)

    def _ended(self, order: ClientOrder, now: Moment) -> None:
        self._endings.end(order, Move.EXPIRE if order.why == Ended.TIME_OVER else Move.CANCEL, order.why, now)

    def _expire(self, order: ClientOrder, now: Moment) -> None:
        """The time of an order that is good till one is over."""
        if order.pending is Pending.REPLACE:
            self._endings.refuse(order, "2", "0", "too_late: its time is over", now)
            order.pending_cl_ord_id, order.wanted = "", None
        order.pending, order.why = Pending.CANCEL, Ended.TIME_OVER.value
        self.withdraw(order, Ended.TIME_OVER, now)

    def _restate(self, order: ClientOrder, text: str, now: Moment) -> None:
        self._teller.of(order, ExecType.RESTATED, now, text, restatement=RENEWED)

    def _obstacle(self, order: ClientOrder) -> str:
        """Why it cannot be entered now, by the name that a refusal has; empty when it can."""
        switches = self._book.switches
        if switches is None or not switches.heard:
            return f"{ClientRefusal.GATEWAY_DOWN.value}: execution or trigger is not heard of"
        if switches.stopping:
            return f"{ClientRefusal.STOPPING.value}: the gateway is stopping"
        if not switches.armed or switches.held:
            return f"{ClientRefusal.DISARMED.value}: execution is not armed"
        if switches.stage == "shadow":
            return f"{ClientRefusal.STAGE.value}: stage shadow sends no orders"
        hours = self._book.hours.get(order.asked.symbol)
        if hours is not None and (not hours.open or (order.shut_day and order.shut_day == hours.trading_day)):
            return f"{RefusalName.HOURS.value}: {order.asked.symbol} is shut"
        return ""

    @staticmethod
    def _may_wait(order: ClientOrder) -> bool:
        return order.asked.time_in_force in KEPT_FORCES

    @staticmethod
    def _is_immediate(order: ClientOrder) -> bool:
        return order.asked.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)

    def _why(self, order: ClientOrder, step: TradeStep) -> str:
        """Text(58) of an end that its venue, or we, have made."""
        if step.end in (LegEnd.REJECTED, LegEnd.SHUT):
            return f"{Ended.BY_VENUE.value}: {step.cause or 'refused'}"
        if self._is_immediate(order) and step.end:
            return f"{Ended.NOT_MARKETABLE.value}: filled {order.cum_qty} of {order.asked.qty} lots"
        if step.end == LegEnd.EXPIRED:
            return f"{Ended.TIME_OVER.value}: its day at the venue is over"
        if step.end in (LegEnd.BY_VENUE, LegEnd.LOST):
            after = ", after its session was lost" if step.end == LegEnd.LOST else ""
            return f"{Ended.BY_VENUE.value}: its venue cancelled it{after}"
        if step.end:
            return f"{Ended.WITHDRAWN.value}: {'it was not sent' if step.end == LegEnd.UNSENT else 'taken back by us'}"
        return f"{Ended.NOT_COMPLETED.value}: pair trade {step.trade_id} {step.state.value} {step.cause}".rstrip()
