"""Keeps pair trades whole: what do a trade's orders add up to, and what follows?

    every event that touches a pair trade -> balance -> hedge what the lead filled | wait | repair | end | halt

Orders leave through `send` and `cancel` here and nowhere else, so that every count and every limit sees them.

What can go wrong is a venue that is down, shut or halted while a trade is legged: then it waits, with an alarm, and
looks again; it never sends into a closed door. What code cannot resolve is given to a person under a name of HaltCause.
"""

from gateway.execution import repair
from gateway.execution.dispatch import hedge_orders, repair_orders
from gateway.execution.ledger import Ledger
from gateway.execution.order_book import OwnOrder
from gateway.execution.order_state import IllegalInputError, OrderInput
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.pair_trade import ENDED, Balance, Leg, PairTrade, next_state
from gateway.model.base import PRICE_E9
from gateway.model.quote import Quote
from gateway.model.site import DispatchMode, InDoubtPolicy, PairSpec
from gateway.model.trade import (
    AlarmName,
    BooksObserved,
    HaltCause,
    OrderState,
    PairPosition,
    PairTradeState,
    ReadBooks,
    SendCancel,
    SendOrders,
    SetTimer,
)

RESIDUAL_RULE = "residual"
"""The rule name of pair trades of one leg that trade a residual away."""
_LED = frozenset({DispatchMode.LEAD_THEN_HEDGE, DispatchMode.QUOTE_THEN_HEDGE})


class Settler:
    """Balance, repair, halt and booking of pair trades; sends their orders."""

    def __init__(self, ledger: Ledger, outbox: Outbox, order_ids: IdSource) -> None:
        self._ledger = ledger
        self._out = outbox
        self._order_ids = order_ids
        self.cancels = ledger.archive.cancels
        """Our cancel requests by their ClOrdID(11)."""

    def spec(self, trade: PairTrade) -> PairSpec:
        return self._ledger.settings.pairs[trade.intent.pair_id]

    def spec_of(self, pair_id: str) -> PairSpec:
        return self._ledger.settings.pairs[pair_id]

    def residual_lots(self, pair_id: str) -> int:
        """Whole lots of the pair's first leg to trade away now; 0 while there are none, or nothing may be opened."""
        ledger = self._ledger
        residual_e9 = ledger.residual_e9.get(pair_id, 0)
        quiet = ledger.armed and not ledger.stopping and ledger.stage != "shadow" and not ledger.pair_trades(pair_id)
        lots = abs(residual_e9) // PRICE_E9
        return (lots if residual_e9 > 0 else -lots) if quiet else 0

    def settle(self, trade: PairTrade, at_ns: int) -> None:
        """The one question after every event: what do its orders add up to now, and what follows from it?"""
        self._ledger.touch(trade)
        self._note_time(trade, at_ns)
        if trade.state is PairTradeState.HALTED:
            self.advance(trade, Balance.GIVE_UP, at_ns)
            return
        hedged = self._hedge_lead(trade, at_ns)
        self._mind_quote(trade, at_ns)
        if hedged:
            self.advance(trade, Balance.WAITING_FOR, at_ns)
            return
        given = self._balance(trade, at_ns)
        if given is Balance.LEGGED:
            # An ended trade that a bust has made legged is open from now on, whatever dies before its books are read.
            self._ledger.keep_open(trade)
            self._ask_books(trade)
            return
        if given is Balance.GIVE_UP:
            self.halt(trade, self._cause(trade), f"{trade.attempts} attempts; {legs_text(trade)}")
        self.advance(trade, given, at_ns)

    def settle_all(self, at_ns: int) -> None:
        self.settle_each(list(self._ledger.open_trades.values()), at_ns)

    def settle_each(self, trades: list[PairTrade], at_ns: int) -> None:
        """Something has changed for all of these."""
        for trade in trades:
            self.settle(trade, at_ns)

    def settle_order(self, own: OwnOrder, at_ns: int) -> None:
        """An order has changed."""
        if not own.open:
            self._ledger.open_orders.pop(own.order.cl_ord_id, None)
            own.thaw(self._ledger.positions[own.order.instrument_id], own.frozen_lots)
        else:
            self._ledger.open_orders[own.order.cl_ord_id] = own
        self.settle(self._ledger.trades[own.trade_id], at_ns)

    def send(self, trade: PairTrade, orders: list[OwnOrder], at_ns: int, expires_ns: int = 0) -> None:
        """Orders of a pair trade leave; what they need to be found again is kept first.

        Those that open a trade are not written after `expires_ns`; those that repair one always may be.
        """
        ledger = self._ledger
        kept = ledger.orders.kept
        for own in orders:
            order = own.order
            own.sent_ns = at_ns
            kept[order.cl_ord_id] = ledger.open_orders[order.cl_ord_id] = own
            trade.legs[own.leg_index].orders.append(own)
            position = ledger.positions[order.instrument_id]
            position.freeze(order)
            own.sent_on = position.day
            ledger.note_sent(order, at_ns)
        self._out.do(SendOrders(trade.trade_id, tuple(own.order for own in orders), expires_ns))
        self._out.do(SetTimer(f"reply:{trade.trade_id}", at_ns + self.spec(trade).order_timeout_ns))

    def cancel(self, own: OwnOrder, at_ns: int) -> None:
        """Ask the venue to cancel an order."""
        self.move(own, OrderInput.CANCEL_SENT)
        own.asks_when_cancelled = own.asks
        cl_ord_id = self._order_ids.next()
        self.cancels[cl_ord_id] = own
        own.cancel_ids.append(cl_ord_id)
        name = own.order.instrument_id
        self._ledger.cancels_of_day[name] = self._ledger.cancels_of_day.get(name, 0) + 1
        self._ledger.note_message(at_ns)
        self._out.do(SendCancel(cl_ord_id, own.order, own.order_id))

    def set_reply_timer(self, trade: PairTrade, at_ns: int) -> None:
        """Look after the orders of this pair trade at `at_ns`."""
        self._out.do(SetTimer(f"reply:{trade.trade_id}", at_ns))

    def restart_timers(self, trade: PairTrade, at_ns: int) -> None:
        """The timers of an earlier incarnation are gone."""
        self.set_reply_timer(trade, at_ns + self.spec(trade).order_timeout_ns)
        if not trade.balanced:
            self._out.do(SetTimer(f"legged:{trade.trade_id}", at_ns + self.spec(trade).legged_limit_ns))

    def move(self, own: OwnOrder, given: OrderInput) -> None:
        """Move an order's machine; what the table forbids is a venue contradicting itself, and a person's to judge."""
        try:
            own.take(given)
            doubtful = self._ledger.venues[own.order.venue_id].doubtful
            if own.state is OrderState.IN_DOUBT:
                doubtful.add(own.order.cl_ord_id)
            else:
                doubtful.discard(own.order.cl_ord_id)
        except IllegalInputError as error:
            trade = self._ledger.trades[own.trade_id]
            self.halt(trade, HaltCause.VENUE_DISAGREES, f"{own.order.cl_ord_id}: {error}")

    def halt(self, trade: PairTrade, cause: HaltCause, figures: str) -> None:
        """Give a pair trade to a person."""
        if trade.state is PairTradeState.HALTED:
            return
        self._ledger.keep_open(trade)
        trade.quoting = False
        trade.held_legs.clear()
        trade.halt(cause)
        self._out.alarm(AlarmName.HALTED, trade.trade_id, f"{cause.value}: {figures}")

    def legged_too_long(self, trade: PairTrade, at_ns: int) -> None:
        """Its legged time is over the pair's limit."""
        if trade.balanced:
            return
        trade.legged_over_limit = True
        figures = f"legged for {trade.legged_ns(at_ns)} ns; {legs_text(trade)}"
        self._out.alarm(AlarmName.LEGGED, trade.trade_id, figures)
        self._out.announce(trade.report(at_ns))

    def on_books(self, trade: PairTrade, event: BooksObserved, at_ns: int) -> None:
        """The books that a repair asked for: plan it, send it."""
        trade.reading = False
        if trade.state is PairTradeState.HALTED or self._balance(trade, at_ns) is not Balance.LEGGED:
            self.settle(trade, at_ns)
            return
        spec = self.spec(trade)
        found = self._plan(trade, spec, event.quotes, at_ns)
        if isinstance(found, repair.Impossible):
            self.halt(trade, HaltCause.REMAINDER, found.reason)
            self.advance(trade, Balance.GIVE_UP, at_ns)
            return
        if isinstance(found, repair.Blocked):
            self._wait(trade, found.reason, at_ns)
            return
        if self._seen_before(trade, found, event.quotes, at_ns):
            self.advance(trade, Balance.BLOCKED, at_ns)
            self._out.do(SetTimer(f"retry:{trade.trade_id}", at_ns + spec.repair_retry_ns))
            return
        trade.attempts += 1
        trade.cause = ""
        trade.tried_ns = at_ns
        trade.tried_books = {one.instrument_id: (one.recv_ns, one.msg_seq_num) for one in event.quotes}
        self.send(trade, repair_orders(trade, found.orders, self._ledger, self._order_ids.next), at_ns)
        self.advance(trade, Balance.LEGGED, at_ns)

    def advance(self, trade: PairTrade, given: Balance, at_ns: int) -> None:
        """Move the pair trade's machine, book what changed, tell."""
        trade.state = next_state(trade.state, given)
        if trade.state in ENDED:
            self._book(trade)
        if trade.state in ENDED and trade.state is not PairTradeState.HALTED:
            self._ledger.drop_open(trade)
        else:
            self._ledger.keep_open(trade)
        told = trade.report(at_ns)
        if trade.is_news(told):
            self._out.announce(told)

    def _note_time(self, trade: PairTrade, at_ns: int) -> None:
        if trade.note_time(at_ns):
            self._ledger.legged.add(trade.trade_id)
            self._out.do(SetTimer(f"legged:{trade.trade_id}", at_ns + self.spec(trade).legged_limit_ns))
        elif trade.balanced:
            self._ledger.legged.discard(trade.trade_id)

    def _balance(self, trade: PairTrade, at_ns: int) -> Balance:
        orders = trade.orders()
        if trade.held_legs or trade.quoting or any(own.open and own.state is not OrderState.IN_DOUBT for own in orders):
            return Balance.WAITING_FOR
        if any(own.state is OrderState.IN_DOUBT for own in orders):
            if not self._doubt_is_over(trade, at_ns):
                return Balance.DOUBTFUL
            if not self._doubt_may_be_acted_on(trade):
                return Balance.GIVE_UP
        return self._final_balance(trade)

    def _final_balance(self, trade: PairTrade) -> Balance:
        """As `_balance`, when no order is open that more is waited for."""
        if trade.balanced:
            if trade.hedged_units:
                return Balance.HEDGED
            return Balance.FLAT if trade.touched else Balance.NOTHING
        spec = self.spec(trade)
        spent = trade.attempts >= len(spec.repair_pay_up_ticks) or trade.orders_sent >= spec.max_orders_per_trade
        return Balance.GIVE_UP if spent or self._ledger.held else Balance.LEGGED

    def _doubt_is_over(self, trade: PairTrade, at_ns: int) -> bool:
        """Whether an order has been in doubt for longer than the pair waits."""
        limit_ns = self.spec(trade).in_doubt_limit_ns
        since = [own.doubt_since_ns for own in trade.orders() if own.state is OrderState.IN_DOUBT]
        return bool(since) and at_ns - min(since) >= limit_ns

    def _doubt_may_be_acted_on(self, trade: PairTrade) -> bool:
        """Whether the pair's policy says what to do about the orders that stay in doubt."""
        policy = self.spec(trade).in_doubt
        if policy is InDoubtPolicy.HEDGE_SUBSTITUTE:
            return all(leg.substitute_id for leg in trade.legs if _doubtful(leg))
        return policy is InDoubtPolicy.UNWIND_FILLED

    def _cause(self, trade: PairTrade) -> HaltCause:
        if self._ledger.held:
            return HaltCause.KILLED
        if any(own.state is OrderState.IN_DOUBT for own in trade.orders()):
            return HaltCause.IN_DOUBT
        if trade.orders_sent >= self.spec(trade).max_orders_per_trade:
            return HaltCause.TOO_MANY_ORDERS
        return HaltCause.ATTEMPTS_EXHAUSTED

    def _ask_books(self, trade: PairTrade) -> None:
        if trade.reading:
            return
        trade.reading = True
        names = [leg.instrument_id for leg in trade.legs]
        names += [leg.substitute_id for leg in self.spec(trade).legs if leg.substitute_id]
        self._out.do(ReadBooks(trade.trade_id, tuple(names)))

    def _plan(
        self, trade: PairTrade, spec: PairSpec, quotes: tuple[Quote, ...], at_ns: int
    ) -> repair.Plan | repair.Blocked | repair.Impossible:
        usable: dict[str, Quote] = {}
        closed: dict[str, str] = {}
        for quote in quotes:
            name = quote.instrument_id
            reason = self._ledger.not_tradable(name)
            if reason:
                closed[name] = reason
            else:
                usable[name] = quote
        doubtful = self._doubt_is_over(trade, at_ns)
        if doubtful and spec.in_doubt is InDoubtPolicy.HEDGE_SUBSTITUTE:
            for name in {name for leg in trade.legs for name in _doubtful(leg)}:
                closed[name] = f"{name}: an order of it is in doubt"
        return repair.plan(
            trade,
            spec,
            usable,
            closed,
            self._ledger.settings.instruments,
            unwind_only=doubtful and spec.in_doubt is InDoubtPolicy.UNWIND_FILLED,
            hurry=any(self._shuts_soon(leg.instrument_id, spec, at_ns) for leg in trade.legs),
            sellable=self._sellable(trade),
        )

    def _sellable(self, trade: PairTrade) -> dict[str, int]:
        """Of the legs that are shares: what may be sold of them today."""
        lots = {leg.instrument_id: self._ledger.positions[leg.instrument_id].sellable_lots for leg in trade.legs}
        return {name: free for name, free in lots.items() if free is not None}

    def _shuts_soon(self, instrument_id: str, spec: PairSpec, at_ns: int) -> bool:
        """Whether its market stops trading within the time that the pair keeps for repairs."""
        hours = self._ledger.hours.get(instrument_id)
        return hours is not None and hours.open and 0 < hours.shut_ns < at_ns + spec.shut_reserve_ns

    def _seen_before(self, trade: PairTrade, found: repair.Plan, quotes: tuple[Quote, ...], at_ns: int) -> bool:
        """Whether the last attempt, which was not filled, was priced from this same book a moment ago.

        A venue that sends snapshots shows the old book for a while: trying it again would burn the attempts on it.
        """
        if not trade.attempts or at_ns - trade.tried_ns >= self.spec(trade).repair_book_wait_ns:
            return False
        newest = {one.instrument_id: (one.recv_ns, one.msg_seq_num) for one in quotes}
        traded = {order.instrument_id for order in found.orders}
        return any(newest[name] == trade.tried_books.get(name) for name in traded)

    def _wait(self, trade: PairTrade, reason: str, at_ns: int) -> None:
        """A leg cannot be traded now: alarm once for each reason, look again soon."""
        if trade.cause != reason:
            trade.cause = reason
            self._out.alarm(AlarmName.LEGGED, trade.trade_id, f"cannot be repaired now: {reason}; {legs_text(trade)}")
        self.advance(trade, Balance.BLOCKED, at_ns)
        self._out.do(SetTimer(f"retry:{trade.trade_id}", at_ns + self.spec(trade).repair_retry_ns))

    def _hedge_lead(self, trade: PairTrade, at_ns: int) -> bool:
        """In a led mode: orders for the whole units that the lead has filled and nobody has hedged yet."""
        spec = self.spec(trade)
        led = spec.dispatch in _LED and trade.intent.rule_id != RESIDUAL_RULE
        if not led or trade.state is not PairTradeState.WORKING or self._ledger.held:
            return False
        orders = hedge_orders(trade, spec.lead_leg, self._ledger, self._order_ids.next)
        if orders:
            self.send(trade, orders, at_ns)
        return bool(orders)

    def _mind_quote(self, trade: PairTrade, at_ns: int) -> None:
        """A lead that rests is withdrawn when it is filled, or when a hedge of it came back unfilled.

        An order on a leg alone rests once: when its venue has ended it, nothing is waited for.
        """
        if not trade.quoting:
            return
        lead = trade.legs[self.spec(trade).lead_leg]
        if len(self.spec(trade).legs) == 1 and not any(own.open for own in lead.orders):
            trade.quoting = False
            return
        units = lead.filled_lots // lead.ratio_lots
        hedges = [leg for leg in trade.legs if leg is not lead]
        failed = any(not leg.open_lots and leg.filled_lots < units * leg.ratio_lots for leg in hedges)
        if lead.filled_lots < lead.target_lots and not failed:
            return
        trade.quoting = False
        for own in lead.orders:
            if own.state in (OrderState.SENT, OrderState.WORKING):
                self.cancel(own, at_ns)

    def _book(self, trade: PairTrade) -> None:
        """Units and loss of an ended pair trade, as the difference to what was booked of it before."""
        ledger, intent = self._ledger, trade.intent
        units = trade.hedged_units * intent.side.sign if trade.balanced else 0
        slippage_e9 = sum(leg.slippage_e9(trade.hedged_units) for leg in trade.legs) if trade.balanced else 0
        change, loss_e9 = trade.book(units, slippage_e9)
        currency = self.spec(trade).currency
        ledger.loss_e9[currency] = ledger.loss_e9.get(currency, 0) + loss_e9
        if not change:
            return
        pair_id, rule_id = intent.pair_id, intent.rule_id
        if rule_id == RESIDUAL_RULE:
            residual_e9 = change * PRICE_E9
        else:
            residual_e9 = change * self.spec(trade).residual_lots_e9
            ledger.pair_units[pair_id] = ledger.pair_units.get(pair_id, 0) + change
        ledger.rule_units[rule_id] = ledger.rule_units.get(rule_id, 0) + change
        ledger.residual_e9[pair_id] = ledger.residual_e9.get(pair_id, 0) + residual_e9
        self._out.announce(PairPosition(pair_id, rule_id, ledger.rule_units[rule_id], ledger.residual_e9[pair_id]))
        if rule_id != RESIDUAL_RULE and self.spec(trade).residual_lots_e9:
            self._out.do(SetTimer(f"residual:{pair_id}", trade.opened_ns))


def _doubtful(leg: Leg) -> list[str]:
    """Instruments in which an order of this leg is in doubt."""
    return [own.order.instrument_id for own in leg.orders if own.state is OrderState.IN_DOUBT]


def legs_text(trade: PairTrade) -> str:
    """Every leg's lots, for alarms."""
    return ", ".join(f"{leg.instrument_id} {leg.filled_lots} of {leg.target_lots}" for leg in trade.legs)
