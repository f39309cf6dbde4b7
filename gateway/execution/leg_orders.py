"""An order on one leg, straight through to its venue: asked for by a client as a command, judged by the whole gate.

It is a pair trade of one leg, under the client's rule and with the instrument's own name as its pair: it passes
through the same machine, journal and report as everything else. Immediate orders leave at the limit that was asked,
fill-or-kill as the venue's own; an order for the day rests at its venue until it is filled, withdrawn, or its day is
over there. Nothing is repaired: what is filled is held.

What can go wrong: the command is sent twice: the first one's answer is given again, as for every command. A withdrawal
overtakes the order that it is about: what was withdrawn is never sent. A fill-or-kill order that needs more than one
PositionEffect(77) would be several orders, each filled or killed by itself: it is refused.
"""

from gateway.execution.dispatch import leg_orders, open_trade
from gateway.execution.ledger import Ledger
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.risk import Refusal, judge
from gateway.execution.settling import Settler
from gateway.model.base import PRICE_E9
from gateway.model.order import Side, TimeInForce
from gateway.model.trade import Command, Intent, IntentLeg, OrderState

WORDS = 6
FORM = "RULE INSTRUMENT SIDE LOTS PX_TICKS TIME_IN_FORCE"
FORCES = (TimeInForce.IOC, TimeInForce.DAY, TimeInForce.FOK)
REMEMBERED = 10_000
"""Withdrawn rules whose order never came, and may still come: seconds later, not days."""


class LegOrders:
    """Places orders on legs alone, and withdraws them."""

    def __init__(self, ledger: Ledger, outbox: Outbox, settler: Settler, ids: tuple[IdSource, IdSource]) -> None:
        self._ledger = ledger
        self._out = outbox
        self._settler = settler
        self._order_ids, self._trade_ids = ids
        self._withdrawn: dict[str, None] = {}

    def place(self, command: Command, at_ns: int) -> tuple[bool, str]:
        """Judge it and send it; why not, by the gate's name and figures."""
        read = self._read(command, at_ns)
        if isinstance(read, str):
            return False, read
        intent, force = read
        ledger = self._ledger
        if intent.rule_id in self._withdrawn:
            return False, f"withdrawn: {intent.rule_id} was withdrawn before it came"
        verdict = judge(ledger, intent, at_ns)
        if isinstance(verdict, Refusal):
            return False, f"{verdict.name.value}: {verdict.figures}"
        trade = open_trade(verdict, ledger, self._trade_ids.next())
        ledger.intents_in += 1
        ledger.trades[trade.trade_id] = trade
        ledger.keep_open(trade)
        ledger.note_rule_trade(intent.rule_id, at_ns)
        trade.quoting = force is TimeInForce.DAY
        if force is TimeInForce.IOC:  # for the day, and cancelled by us, where the venue has none
            force = self._settler.spec(trade).legs[0].time_in_force
        orders = leg_orders(trade, force, ledger, self._order_ids.next)
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
        self._withdrawn[command.argument] = None
        if len(self._withdrawn) > REMEMBERED:
            del self._withdrawn[next(iter(self._withdrawn))]
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
        force = TimeInForce(force_text)
        instrument = settings.instruments[name]
        refused = self._whole(name, side, lots) if force is TimeInForce.FOK else ""
        if refused:
            return refused
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
        return intent, force

    def _whole(self, name: str, side: Side, lots: int) -> str:
        """Why an order cannot be filled whole or not at all; empty when it can."""
        row = self._ledger.instruments[name]
        offered = self._ledger.settings.venues[row.venue_id].time_in_force
        if TimeInForce.FOK not in offered:
            accepted = ", ".join(f"{one.value} ({one.name})" for one in FORCES if one in offered)
            return f"fok: TimeInForce(59)=4 (FOK) is not offered by {row.venue_id}; accepted: {accepted}"
        parts = row.position.effects(side, lots)
        if len(parts) == 1:
            return ""
        words = ", ".join(f"{part} lots {effect.name.lower()}" for part, effect in parts)
        most = max(part for part, _ in parts)
        return f"fok: {lots} lots would be {len(parts)} orders ({words}); accepted: {most} lots, or 3 (IOC)"
