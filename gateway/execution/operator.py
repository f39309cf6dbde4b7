"""What a person may do: arm, stop, kill, take a pair trade over, book an execution made elsewhere. Each with a name and
a reason on record, each answered, and each done once however often it is sent.
"""

from collections.abc import Callable

from gateway.execution import rollout
from gateway.execution.ledger import Ledger
from gateway.execution.order_book import OwnOrder, price_e9
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.outside_fills import Booked, OutsideFills
from gateway.execution.pair_trade import PairTrade
from gateway.execution.risk import Refusal
from gateway.execution.session_numbers import reset_numbers
from gateway.execution.settling import Settler
from gateway.execution.venue_positions import VenuePositions
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus, OrdType, Side, TimeInForce
from gateway.model.rollout import STAGES
from gateway.model.site import BreachAction
from gateway.model.trade import (
    CLIENT_VERBS,
    AlarmName,
    Command,
    CommandAnswered,
    HaltCause,
    OrderState,
    PairTradeState,
    Verb,
)

FILL_ADD_WORDS = 6
FILL_ASSIGN_WORDS = 3
REMEMBERED_COMMANDS = 10_000
"""Commands whose ids are kept so that one sent twice is done once; a client sends again within seconds, not days."""
MOST_DIGITS = 9
"""Of a count that a person writes."""
BREACH_VERBS = {
    BreachAction.DISARM: Verb.DISARM,
    BreachAction.HOLD: Verb.KILL_HOLD,
    BreachAction.BALANCE: Verb.KILL_BALANCE,
}


class Operator:
    """Obeys commands."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        settler: Settler,
        outside_ids: IdSource,
        told: tuple[OutsideFills, VenuePositions],
    ) -> None:
        self._ledger = ledger
        self._outside, self._positions = told
        self._verbs: dict[Verb, Callable[[Command, int], tuple[bool, str]]] = {
            Verb.TAKEOVER: self._take_or_release,
            Verb.RELEASE: self._take_or_release,
            Verb.FILL_ADD: self._fill_add,
            Verb.FILL_ASSIGN: self._fill_assign,
            Verb.EXPLAIN: lambda command, at_ns: self._explain(command.argument, at_ns),
            Verb.ASK_POSITIONS: lambda command, at_ns: self._ask_positions(command.argument, at_ns),
            Verb.ROLLOUT: lambda command, at_ns: rollout.begin(ledger, command, at_ns),
            Verb.RESET_NUMBERS: lambda command, _at_ns: reset_numbers(ledger, outbox, command.argument),
        }
        self._out = outbox
        self._settler = settler
        self._outside_ids = outside_ids

    def also(self, verbs: dict[Verb, Callable[[Command, int], tuple[bool, str]]]) -> None:
        """Verbs that others carry out; each gives whether it was done, and the words."""
        self._verbs |= verbs

    def on_command(self, command: Command, at_ns: int) -> None:
        """Do it and answer; a command that was done is answered again, not done again."""
        known = self._ledger.done_commands.get(command.command_id)
        if known is None:
            known = self._obey(command, at_ns)
            self._ledger.commands_done += command.verb not in CLIENT_VERBS
            self._remember(command.command_id, known)
        self._out.announce(CommandAnswered(command.command_id, *known))

    def _remember(self, command_id: str, done: tuple[bool, str]) -> None:
        """So that the same command is not done twice; the oldest of very many is forgotten."""
        ledger = self._ledger
        ledger.done_commands[command_id] = done
        if len(ledger.done_commands) > REMEMBERED_COMMANDS:
            del ledger.done_commands[next(iter(ledger.done_commands))]

    def on_breach(self, refusal: Refusal, at_ns: int) -> None:
        """A limit of the whole installation is broken: do what the site says, in execution's own name."""
        action = self._ledger.settings.limits.on_breach
        figures = f"{refusal.name.value}: {refusal.figures}; {action.value}"
        self._out.alarm(AlarmName.LIMIT_BREACHED, refusal.name.value, figures)
        self._switch(Command(f"breach-{at_ns}", BREACH_VERBS[action], "execution", figures), at_ns)

    def _obey(self, command: Command, at_ns: int) -> tuple[bool, str]:
        fault = self._fault(command)
        if fault:
            return False, fault
        if command.verb is Verb.STAGE and self._ledger.rollout is not None:
            return rollout.move(self._ledger, command, at_ns)
        obey = self._verbs.get(command.verb)
        if obey is not None:
            return obey(command, at_ns)
        self._switch(command, at_ns)
        return True, f"{command.verb.value}: {len(self._ledger.open_trades)} pair trades open"

    def _fault(self, command: Command) -> str:
        """Why it cannot be obeyed; empty when it can."""
        if command.verb is not Verb.STATUS and not (command.who and command.reason):
            return "a command needs a name and a reason"
        if command.verb is Verb.STAGE and self._ledger.rollout is None and command.argument not in STAGES:
            return f"no stage {command.argument!r}; one of {', '.join(STAGES)}"
        if command.verb is Verb.ARM and self._ledger.stopping:
            return "a stop was asked for; start anew"
        return ""

    def _switch(self, command: Command, at_ns: int) -> None:
        """The verbs that concern the whole of execution."""
        ledger = self._ledger
        match command.verb:
            case Verb.ARM:
                ledger.armed, ledger.held = True, False
                ledger.rearm()
            case Verb.DISARM:
                ledger.armed = False
            case Verb.STOP:
                ledger.stopping, ledger.armed = True, False
                self._withdraw_quotes(at_ns)
            case Verb.STAGE:
                ledger.stage = command.argument
            case Verb.KILL_HOLD:
                ledger.armed, ledger.held = False, True
                self._cancel_all(at_ns)
            case Verb.KILL_BALANCE:
                ledger.armed = False
                self._cancel_all(at_ns)

    def _cancel_all(self, at_ns: int) -> None:
        for trade in list(self._ledger.open_trades.values()):
            trade.held_legs.clear()
            trade.quoting = False
        for own in list(self._ledger.open_orders.values()):
            if own.state in (OrderState.SENT, OrderState.WORKING):
                self._settler.cancel(own, at_ns)
        self._settler.settle_all(at_ns)

    def _withdraw_quotes(self, at_ns: int) -> None:
        for trade in list(self._ledger.open_trades.values()):
            if trade.quoting:
                trade.quoting = False
                self._cancel_open(trade, at_ns)
                self._settler.settle(trade, at_ns)

    def _cancel_open(self, trade: PairTrade, at_ns: int) -> None:
        for own in trade.orders():
            if own.state in (OrderState.SENT, OrderState.WORKING):
                self._settler.cancel(own, at_ns)

    def _take_or_release(self, command: Command, at_ns: int) -> tuple[bool, str]:
        trade = self._ledger.trades.get(command.argument)
        if trade is None:
            return False, f"no pair trade {command.argument!r}"
        if command.verb is Verb.TAKEOVER:
            if trade.trade_id not in self._ledger.open_trades:
                return False, f"{trade.trade_id} has ended: {trade.state.value}"
            trade.held_legs.clear()
            trade.quoting = False
            self._settler.halt(trade, HaltCause.TAKEN_OVER, f"taken over by {command.who}: {command.reason}")
            self._cancel_open(trade, at_ns)
            self._settler.settle(trade, at_ns)
            return True, f"{trade.trade_id} is yours"
        if trade.state is not PairTradeState.HALTED:
            return False, f"{trade.trade_id} is {trade.state.value}, not halted"
        trade.release()
        self._settler.settle(trade, at_ns)
        return True, f"{trade.trade_id} is {trade.state.value}"

    def _fill_add(self, command: Command, at_ns: int) -> tuple[bool, str]:
        """`TRADE LEG SIDE LOTS PRICE EXECID`."""
        words = command.argument.split()
        form = "TRADE LEG SIDE LOTS PRICE EXECID, SIDE buy or sell"
        if len(words) != FILL_ADD_WORDS:
            return False, f"{command.argument!r}: {form}"
        trade_id, leg_text, side_text, lots_text, px, exec_id = words
        found = self._leg_of(trade_id, leg_text)
        if isinstance(found, str):
            return False, found
        trade, index = found
        lots = _count(lots_text)
        if side_text not in ("buy", "sell") or not lots or not price_e9(px):
            return False, f"{command.argument!r}: {form}; LOTS from 1 to {MOST_DIGITS} digits, PRICE a number"
        side = Side.BUY if side_text == "buy" else Side.SELL
        venue_id = trade.legs[index].venue_id
        day = self._ledger.trading_day.get(trade.legs[index].instrument_id, "")
        booked = self._outside.booked(venue_id, exec_id, side, day)
        if booked is not None:
            return True, f"{exec_id} is booked already, into {booked.trade_id}"
        self._book(trade, index, side, lots, px, exec_id, day, at_ns)
        self._settler.settle(trade, at_ns)
        return True, f"{side_text} {lots_text} booked into {trade_id}, now {trade.state.value}"

    def _fill_assign(self, command: Command, at_ns: int) -> tuple[bool, str]:
        """`TRADE LEG EXECID`."""
        words = command.argument.split()
        if len(words) != FILL_ASSIGN_WORDS:
            return False, f"{command.argument!r}: TRADE LEG EXECID"
        found = self._leg_of(words[0], words[1])
        if isinstance(found, str):
            return False, found
        trade, index = found
        leg = trade.legs[index]
        named = self._outside.named(leg.venue_id, words[2], leg.instrument_id)
        side = named[0].side if len(named) == 1 else None
        if side is None:
            listed = [f"{one.exec_id} of {one.instrument_id}" for one in self._outside.waiting.values()]
            what = f"{len(named)} unexplained fills" if named else "no unexplained fill"
            return False, f"{what} {words[2]!r} of {leg.instrument_id}; waiting: {', '.join(listed) or 'none'}"
        report = named[0]
        self._book(trade, index, side, report.last_qty_lots, report.last_px, report.exec_id, report.trade_date, at_ns)
        self._settler.settle(trade, at_ns)
        return True, f"{words[2]} booked into {trade.trade_id}, now {trade.state.value}"

    def _explain(self, instrument_id: str, at_ns: int) -> tuple[bool, str]:
        if instrument_id in self._ledger.venues:
            if not self._positions.accept(instrument_id, at_ns):
                return False, f"{instrument_id} has told what is held there"
            self._settler.settle_all(at_ns)
            return True, f"positions at {instrument_id} as they are here, by a person's word"
        if instrument_id not in self._ledger.unexplained:
            return False, f"nothing unexplained of {instrument_id!r}"
        was = self._ledger.unexplained.pop(instrument_id)
        self._positions.explained(instrument_id)
        self._outside.forget(instrument_id)
        self._settler.settle_all(at_ns)
        return True, f"explained: {was}"

    def _ask_positions(self, venue_id: str, at_ns: int) -> tuple[bool, str]:
        spec = self._ledger.settings.venues.get(venue_id)
        if spec is None:
            return False, f"no venue {venue_id!r}; one of {', '.join(self._ledger.settings.venues)}"
        if not spec.tells_positions:
            return False, f"{venue_id} does not tell positions: its dialect has no [positions]"
        if not self._ledger.venues[venue_id].up:
            return False, f"{venue_id}: order session down"
        self._positions.ask(venue_id, at_ns)
        return True, f"{venue_id} is asked; a difference is alarmed"

    def _leg_of(self, trade_id: str, leg_text: str) -> tuple[PairTrade, int] | str:
        trade = self._ledger.trades.get(trade_id)
        if trade is None:
            return f"no pair trade {trade_id!r}"
        number = _count(leg_text)
        if not 1 <= number <= len(trade.legs):
            return f"leg {leg_text!r} of {trade_id}: 1 to {len(trade.legs)}"
        return trade, number - 1

    def _book(
        self,
        trade: PairTrade,
        index: int,
        side: Side,
        lots: int,
        px: str,
        exec_id: str,
        day: str,
        at_ns: int,
    ) -> None:
        """An execution made elsewhere becomes an order of the leg that was filled and is done."""
        leg, ledger = trade.legs[index], self._ledger
        effect = ledger.positions[leg.instrument_id].effects(side, lots)[0][1]
        order = Order(
            self._outside_ids.next(),
            leg.venue_id,
            ledger.settings.venues[leg.venue_id].account,
            leg.instrument_id,
            side,
            lots,
            OrdType.LIMIT,
            None,
            TimeInForce.DAY,
            effect,
        )
        own = OwnOrder(order, trade.trade_id, index, 1 if side is leg.side else -1, price_e9(px))
        own.add_fill(_outside_report(order, lots, px, exec_id))
        own.state = OrderState.DONE
        leg.orders.append(own)
        ledger.orders[order.cl_ord_id] = own
        self._outside.book(Booked(leg.venue_id, exec_id, side, day, trade.trade_id), leg.instrument_id)
        ledger.outside_fills[leg.venue_id, exec_id] = trade.trade_id
        position = ledger.positions[leg.instrument_id]
        own.sent_on = position.day
        position.fill(order, lots, position.day)
        self._out.announce(position.report())
        self._positions.booked(leg.instrument_id, at_ns)


def _count(text: str) -> int:
    """The whole number `text`; 0 where it is none, or longer than anyone means."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0


def _outside_report(order: Order, lots: int, px: str, exec_id: str) -> ExecutionReport:
    """A person's word in the form of a venue's."""
    return ExecutionReport(
        venue_id=order.venue_id,
        recv_ns=0,
        venue_ns=0,
        msg_seq_num=0,
        poss_dup=False,
        cl_ord_id=order.cl_ord_id,
        orig_cl_ord_id="",
        order_id="outside",
        exec_id=exec_id,
        exec_key=f"outside|{exec_id}",
        exec_ref_id="",
        exec_type=ExecType.TRADE,
        ord_status=OrdStatus.FILLED,
        instrument_id=order.instrument_id,
        side=order.side,
        order_qty_lots=lots,
        last_qty_lots=lots,
        last_px=px,
        last_px_ticks=None,
        cum_qty_lots=lots,
        leaves_qty_lots=0,
        avg_px=px,
    )
