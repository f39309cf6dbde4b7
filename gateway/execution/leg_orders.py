"""An order on one leg, straight through to its venue: asked for by a client as a command, judged by the whole gate.

It is a pair trade of one leg, under the client's rule and with the instrument's own name as its pair: it passes
through the same machine, journal and report as everything else. Immediate orders leave at the limit that was asked; an
order for the day rests at its venue until it is filled, withdrawn, or its day is over there. Nothing is repaired: what
is filled is held.

What can go wrong: the command is sent twice. The first one's answer is given again, as for every command.
"""

from gateway.execution.dispatch import first_orders, open_trade, quote_order
from gateway.execution.ledger import Ledger
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.risk import Refusal, judge
from gateway.execution.settling import Settler
from gateway.model.base import PRICE_E9
from gateway.model.order import Side, TimeInForce
from gateway.model.trade import Command, Intent, IntentLeg, OrderState

WORDS = 6
FORM = "RULE INSTRUMENT SIDE LOTS PX_TICKS TIME_IN_FORCE"
FORCES = (TimeInForce.IOC, TimeInForce.DAY)


class LegOrders:
    """Places orders on legs alone, and withdraws them."""

    def __init__(self, ledger: Ledger, outbox: Outbox, settler: Settler, ids: tuple[IdSource, IdSource]) -> None:
        self._ledger = ledger
        self._out = outbox
        self._settler = settler
        self._order_ids, self._trade_ids = ids

    def place(self, command: Command, at_ns: int) -> tuple[bool, str]:
        """Judge it and send it; why not, by the gate's name and figures."""
        read = self._read(command, at_ns)
        if isinstance(read, str):
            return False, read
        intent, force = read
        ledger = self._ledger
        verdict = judge(ledger, intent, at_ns)
        if isinstance(verdict, Refusal):
            return False, f"{verdict.name.value}: {verdict.figures}"
        trade = open_trade(verdict, ledger, self._trade_ids.next())
        ledger.intents_in += 1
        ledger.trades[trade.trade_id] = trade
        ledger.keep_open(trade)
        ledger.note_rule_trade(intent.rule_id, at_ns)
        trade.quoting = force is TimeInForce.DAY
        if trade.quoting:
            orders = quote_order(trade, intent.legs[0].px_ticks, ledger, self._order_ids.next)
        else:
            orders = first_orders(trade, [0], ledger, self._order_ids.next)
        self._settler.send(trade, orders, at_ns, intent.expires_ns)
        report = trade.report(at_ns)
        if trade.is_news(report):
            self._out.announce(report)
        return True, trade.trade_id

    def withdraw(self, command: Command, at_ns: int) -> tuple[bool, str]:
        """Cancel what is open of it."""
        for trade in list(self._ledger.open_trades.values()):
            if trade.intent.rule_id != command.argument:
                continue
            trade.quoting = False
            for own in trade.orders():
                if own.state in (OrderState.SENT, OrderState.WORKING):
                    self._settler.cancel(own, at_ns)
            self._settler.settle(trade, at_ns)
            return True, trade.trade_id
        return False, f"no open order of {command.argument!r}"

    def _read(self, command: Command, at_ns: int) -> tuple[Intent, TimeInForce] | str:
        words = command.argument.split()
        settings = self._ledger.settings
        if len(words) != WORDS:
            return f"{command.argument!r}: {FORM}"
        rule_id, name, side_text, lots_text, px_text, force_text = words
        spec = settings.pairs.get(name)
        if spec is None or len(spec.legs) != 1:
            return f"{name}: no instrument that the site lets clients order alone"
        if side_text not in ("1", "2") or not lots_text.isdecimal() or not px_text.removeprefix("-").isdecimal():
            return f"{command.argument!r}: {FORM}, in FIX's characters and whole numbers"
        if force_text not in FORCES:
            return f"{command.argument!r}: TIME_IN_FORCE one of {', '.join(FORCES)}"
        side, lots, px_ticks = Side(side_text), int(lots_text), int(px_text)
        instrument = settings.instruments[name]
        px_e9 = int(instrument.price(px_ticks) * PRICE_E9)
        leg = IntentLeg(
            instrument_id=name,
            side=side,
            ratio_lots=1,
            qty_lots=lots,
            px_ticks=px_ticks,
            vwap_e9=px_e9,
            value_per_tick_e9=int(instrument.tick * instrument.point_value * PRICE_E9),
            recv_ns=at_ns,
            venue_ns=0,
            calibrated_ns=at_ns,
            bound_ns=0,
            msg_seq_num=0,
        )
        intent = Intent(
            intent_id=command.command_id,
            incarnation=self._ledger.incarnation,
            pair_id=name,
            rule_id=rule_id,
            side=side,
            units=lots,
            pair_px_e9=px_e9,
            threshold_e9=px_e9,
            edge_e9=0,
            legs=(leg,),
            cause_instrument_id=name,
            recv_ns=at_ns,
            pub_ns=at_ns,
            taken_ns=at_ns,
            evaluated_ns=at_ns,
            decided_ns=at_ns,
            expires_ns=at_ns + spec.order_timeout_ns,
        )
        return intent, TimeInForce(force_text)
