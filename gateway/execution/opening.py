"""From an intent to a pair trade with its first orders: the gate, then the pair's mode of dispatch.

    simultaneous      every leg leaves now
    arrival aligned   the farther leg leaves now, the nearer one when a timer of the difference of delays fires, after
                      passing the gate's checks of the moment again
    lead then hedge   the lead leaves now; each of its fills is hedged (settling)
    quote then hedge  the lead rests at the price that makes the pair meet its threshold, repriced on a timer

A leg that is held back counts in every exposure from the start, because its pair trade does.
"""

from gateway.execution import rollout
from gateway.execution.dispatch import first_orders, open_trade, quote_order, quote_px_ticks
from gateway.execution.ledger import Ledger
from gateway.execution.operator import Operator
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.pair_trade import PairTrade
from gateway.execution.risk import Refusal, judge, judge_release
from gateway.execution.settling import Settler
from gateway.model.site import DispatchMode
from gateway.model.trade import (
    AlarmName,
    BooksObserved,
    Intent,
    IntentRefused,
    OrderState,
    PairTradeState,
    ReadBooks,
    RefusalName,
    SetTimer,
)

BREACHES = frozenset({RefusalName.RUNAWAY, RefusalName.DAILY_LOSS})
"""Refusals that concern the installation as a whole: execution acts by itself."""
REMEMBERED_INTENTS = 10_000
"""Intents whose ids are kept to refuse a second one; an older one has long expired."""
QUOTE = "quote|"
"""Before the trade's id in a ReadBooks that is about a resting order."""


class Opener:
    """Opens pair trades, releases legs that were held back, keeps resting orders priced."""

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        settler: Settler,
        operator: Operator,
        ids: tuple[IdSource, IdSource],
    ) -> None:
        self._ledger = ledger
        self._out = outbox
        self._settler = settler
        self._operator = operator
        self._order_ids, self._trade_ids = ids

    def on_intent(self, intent: Intent, at_ns: int) -> None:
        """Judge it; open its pair trade or say why not."""
        ledger = self._ledger
        if ledger.rollout is not None:
            intent = rollout.sized(ledger, intent)
        verdict = judge(ledger, intent, at_ns)
        if ledger.rollout is not None:
            ledger.rollout.note(intent, at_ns)
        if isinstance(verdict, Refusal):
            self._refuse(intent, verdict, at_ns)
            return
        trade = open_trade(verdict, ledger, self._trade_ids.next())
        self._remember(intent, trade.trade_id)
        for leg, wanted in zip(intent.legs, self._settler.spec(trade).legs, strict=False):
            ledger.exposure.see(leg, wanted.substitute_id)
        ledger.intents_in += 1
        ledger.trades[trade.trade_id] = trade
        ledger.keep_open(trade)
        ledger.note_rule_trade(intent.rule_id, at_ns)
        self._dispatch(trade, at_ns)
        told = trade.report(at_ns)
        if trade.is_news(told):
            self._out.announce(told)

    def release(self, trade: PairTrade, index: int, at_ns: int) -> None:
        """The time of a leg that was held back has come: it is judged once more, as things are now."""
        if index not in trade.held_legs:
            return
        trade.held_legs.discard(index)
        refusal = judge_release(self._ledger, trade.intent, index, at_ns)
        if refusal is not None or trade.state is not PairTradeState.WORKING:
            why = f"{refusal.name.value}: {refusal.figures}" if refusal else trade.state.value
            self._out.alarm(AlarmName.RELEASE_REFUSED, trade.trade_id, f"leg {index + 1} not sent: {why}")
            self._settler.settle(trade, at_ns)
            return
        self._settler.send(trade, first_orders(trade, [index], self._ledger, self._order_ids.next), at_ns)

    def look_at_quote(self, trade: PairTrade, at_ns: int) -> None:
        """The timer of a resting order: withdraw it when its life is over, else look at its price."""
        if trade.state is not PairTradeState.WORKING or not trade.quoting:
            return
        spec = self._settler.spec(trade)
        if at_ns - trade.opened_ns >= spec.quote_life_ns or self._ledger.stopping or not self._ledger.armed:
            self._withdraw(trade, at_ns)
            return
        self._read_for_quote(trade)
        self._out.do(SetTimer(f"quote:{trade.trade_id}", at_ns + spec.quote_interval_ns))

    def on_quote_books(self, trade: PairTrade, event: BooksObserved, at_ns: int) -> None:
        """The books for a resting order: place it, leave it, or cancel it so that it is placed anew."""
        if not trade.quoting or trade.state is not PairTradeState.WORKING:
            return
        spec = self._settler.spec(trade)
        quotes = {quote.instrument_id: quote for quote in event.quotes}
        px_ticks = quote_px_ticks(trade, spec, self._ledger, quotes)
        resting = [own for own in trade.legs[spec.lead_leg].orders if own.open]
        if resting:
            order = resting[0].order
            moved = px_ticks is None or abs((order.px_ticks or 0) - px_ticks) > spec.quote_slop_ticks
            if moved and resting[0].state in (OrderState.SENT, OrderState.WORKING):
                self._settler.cancel(resting[0], at_ns)
            return
        if px_ticks is None or self._ledger.held:
            return
        orders = quote_order(trade, px_ticks, self._ledger, self._order_ids.next)
        if orders:
            self._settler.send(trade, orders, at_ns)

    def _withdraw(self, trade: PairTrade, at_ns: int) -> None:
        trade.quoting = False
        for own in trade.legs[self._settler.spec(trade).lead_leg].orders:
            if own.state in (OrderState.SENT, OrderState.WORKING):
                self._settler.cancel(own, at_ns)
        self._settler.settle(trade, at_ns)

    def _read_for_quote(self, trade: PairTrade) -> None:
        names = self._ledger.formulas[trade.intent.pair_id].instrument_ids
        self._out.do(ReadBooks(f"{QUOTE}{trade.trade_id}", names))

    def _dispatch(self, trade: PairTrade, at_ns: int) -> None:
        spec = self._settler.spec(trade)
        now = list(range(len(trade.legs)))
        if spec.dispatch is DispatchMode.QUOTE_THEN_HEDGE:
            trade.quoting = True
            self._read_for_quote(trade)
            self._out.do(SetTimer(f"quote:{trade.trade_id}", at_ns + spec.quote_interval_ns))
            return
        if spec.dispatch is DispatchMode.LEAD_THEN_HEDGE:
            now = [spec.lead_leg]
        elif spec.dispatch is DispatchMode.ARRIVAL_ALIGNED:
            delays = [self._ledger.venue_of(leg.instrument_id).one_way_ns for leg in trade.legs]
            for index, delay_ns in enumerate(delays):
                if max(delays) > delay_ns:
                    trade.held_legs.add(index)
                    now.remove(index)
        orders = first_orders(trade, now, self._ledger, self._order_ids.next)
        self._settler.send(trade, orders, at_ns, trade.intent.expires_ns)
        for index in sorted(trade.held_legs):
            self._out.do(SetTimer(f"release:{trade.trade_id}:{index}", at_ns + max(delays) - delays[index]))

    def _refuse(self, intent: Intent, refusal: Refusal, at_ns: int) -> None:
        if refusal.name is RefusalName.THROTTLED and intent.rule_id not in self._ledger.throttled:
            self._ledger.throttled.add(intent.rule_id)
            self._out.alarm(AlarmName.THROTTLED, intent.rule_id, refusal.figures)
        if refusal.name is not RefusalName.DUPLICATE_INTENT:
            self._remember(intent, f"refused: {refusal.name.value}")
        self._out.announce(
            IntentRefused(intent.intent_id, intent.pair_id, intent.rule_id, refusal.name, refusal.figures)
        )
        if refusal.name in BREACHES:
            self._operator.on_breach(refusal, at_ns)

    def _remember(self, intent: Intent, what: str) -> None:
        seen = self._ledger.seen_intents
        seen[intent.intent_id] = what
        if len(seen) > REMEMBERED_INTENTS:
            del seen[next(iter(seen))]
