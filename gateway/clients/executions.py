"""Reads off execution's journal what clients and drop copies are to be told: fills of legs, steps of pair trades.

The journal, not the bus: nothing of it is missed by who was away, and it is on record before anything of it was done.
A fill counts once by the key that its venue's dialect declares; a bust takes it back, a correction replaces it. Lots
that a venue only implies by a total (CumQty(14)) have no fill; the legs of a trade's step have them.

It reads every decision from the first of the run on, and makes something of those that concern anybody.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.clients.settings import ClientSettings, price_e9
from gateway.model.client import ExecutionHeard, LegEnd, LegFill, TradeStep
from gateway.model.order import (
    ExecType,
    ExecutionReport,
    MessageRejected,
    Order,
    OrdStatus,
    SessionChanged,
    Side,
)
from gateway.model.record import Decision
from gateway.model.site import FormulaKind
from gateway.model.trade import (
    Announce,
    Announcement,
    BooksObserved,
    ExecutionEvent,
    Intent,
    IntentRefused,
    OrdersSent,
    PairTradeChanged,
    PairTradeState,
    Restarted,
    SendCancel,
    SendOrders,
)

CLIENT_RULE = "C/"
"""Rules of clients' orders begin so."""
EXCHANGE_CLOSED = "2"
"""OrdRejReason(103)."""
REMEMBERED = 20_000
"""Pair trades that have ended and are kept for a late fill or a bust; what comes later than that is nobody's."""
_ENDED = frozenset({PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED})


@dataclass(slots=True)
class _Sent:
    """An order of ours at a venue."""

    order: Order
    trade_id: str
    first: bool
    withdrawn: bool = False
    lost: bool = False
    """Its venue's session, or execution itself, was away since."""
    end: str = ""
    """A LegEnd, when it has ended unfilled."""


@dataclass(slots=True)
class _Trade:
    """A pair trade as far as its orders need it."""

    intent: Intent | None
    rule_id: str
    pair_id: str
    legs: tuple[tuple[str, Side], ...]
    fills: dict[str, LegFill] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    ended: bool = False
    said: str = ""
    """Why a venue refused an order of it, the last time."""


class Executions:
    """Follows execution's journal, one decision after the other."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._copied = {account for one in settings.clients.values() if one.drop_copy for account in one.accounts}
        self._sent: dict[str, _Sent] = {}
        self._trades: dict[str, _Trade] = {}
        self._intents: dict[str, Intent] = {}
        self._ended: deque[str] = deque()

    def take(self, decision: Decision) -> ExecutionHeard | None:
        """What it means for clients; None: nothing."""
        event = decision.event
        if isinstance(event, Intent):
            self._intents[event.intent_id] = event
        else:
            self._note_ends(event)
        steps: list[TradeStep] = []
        refused: list[IntentRefused] = []
        for action in decision.actions:
            if isinstance(action, Announce):
                self._announced(action.what, steps, refused)
        for action in decision.actions:  # a trade may be announced after its first orders: it is known by then
            if isinstance(action, SendOrders):
                self._note_orders(action, decision)
            elif isinstance(action, SendCancel):
                sent = self._sent.get(action.order.cl_ord_id)
                if sent is not None:
                    sent.withdrawn = True
        fills = self._fills(event) if isinstance(event, ExecutionReport) else ()
        if not fills and not steps and not refused:
            return None
        return ExecutionHeard(decision.seq, fills, tuple(steps), tuple(refused))

    def _announced(self, what: Announcement, steps: list[TradeStep], refused: list[IntentRefused]) -> None:
        """Keep what a trade or a refusal says; of a client's order it goes into the lists, and a copied trade's end."""
        if isinstance(what, PairTradeChanged):
            self._note_trade(what)
            if what.rule_id.startswith(CLIENT_RULE) or self._is_copied_end(what):
                steps.append(self._step(what))
        elif isinstance(what, IntentRefused):
            self._intents.pop(what.intent_id, None)
            if what.rule_id.startswith(CLIENT_RULE):
                refused.append(what)

    def _is_copied_end(self, what: PairTradeChanged) -> bool:
        """Of a trade of the house that drop copies hear of, and that was followed from its intent on."""
        return bool(self._copied) and what.state in _ENDED and self._trades[what.trade_id].intent is not None

    def _note_orders(self, action: SendOrders, decision: Decision) -> None:
        event = decision.event
        if isinstance(event, Intent) and action.trade_id not in self._trades:
            legs = tuple((leg.instrument_id, leg.side) for leg in event.legs)
            if self._concerns(event.rule_id, action.orders):
                self._trades[action.trade_id] = _Trade(event, event.rule_id, event.pair_id, legs)
        trade = self._trades.get(action.trade_id)
        if trade is None:
            return
        repairs = isinstance(event, BooksObserved) and event.request == action.trade_id
        for order in action.orders:
            trade.orders.append(order.cl_ord_id)
            self._sent[order.cl_ord_id] = _Sent(order, action.trade_id, not repairs)

    def _note_ends(self, event: ExecutionEvent) -> None:
        """Keep what tells how an order of ours ended."""
        if isinstance(event, ExecutionReport | MessageRejected):
            sent = self._sent_of(event)
            if sent is not None:
                self._note_end(event, sent)
        elif isinstance(event, OrdersSent):
            for one in event.orders:
                if not one.sent_ns and one.cl_ord_id in self._sent:
                    self._sent[one.cl_ord_id].end = LegEnd.UNSENT
        elif isinstance(event, Restarted) or (isinstance(event, SessionChanged) and not event.up):
            venue_id = event.venue_id if isinstance(event, SessionChanged) else ""
            for sent in self._sent.values():
                sent.lost = sent.lost or venue_id in ("", sent.order.venue_id)

    def _sent_of(self, event: ExecutionReport | MessageRejected) -> _Sent | None:
        """The order of ours that it is about: what follows a cancel goes by the cancel's ClOrdID(11), and names it."""
        sent = self._sent.get(event.orig_cl_ord_id) if isinstance(event, ExecutionReport) else None
        return sent or self._sent.get(event.cl_ord_id)

    def _note_end(self, event: ExecutionReport | MessageRejected, sent: _Sent) -> None:
        sent.end = _end_of(event, sent) or sent.end
        trade = self._trades.get(sent.trade_id)
        if trade is not None and (isinstance(event, MessageRejected) or event.exec_type is ExecType.REJECTED):
            trade.said = f"{sent.order.instrument_id} refused by its venue: {event.text or event.reason}"

    def _note_trade(self, what: PairTradeChanged) -> None:
        if what.trade_id not in self._trades and (what.rule_id.startswith(CLIENT_RULE) or self._copied):
            legs = tuple((leg.instrument_id, leg.side) for leg in what.legs)
            intent = self._intents.get(what.intent_id)
            self._trades[what.trade_id] = _Trade(intent, what.rule_id, what.pair_id, legs)
        self._intents.pop(what.intent_id, None)
        trade = self._trades.get(what.trade_id)
        if trade is not None and what.state in _ENDED and not trade.ended:
            trade.ended = True
            self._ended.append(what.trade_id)
            self._forget()

    def _forget(self) -> None:
        """Let go of the oldest of very many ended trades."""
        while len(self._ended) > REMEMBERED:
            trade = self._trades.pop(self._ended.popleft())
            for cl_ord_id in trade.orders:
                self._sent.pop(cl_ord_id, None)

    def _fills(self, report: ExecutionReport) -> tuple[LegFill, ...]:
        """The fill of a report, with the taking back of an earlier one where it is a bust or a correction."""
        sent = self._sent_of(report)
        trade = self._trades.get(sent.trade_id) if sent is not None else None
        if sent is None or trade is None:
            return ()
        made: list[LegFill] = []
        if report.exec_type in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT):
            before = trade.fills.pop(report.ref_exec_key, None)
            if before is None:
                return ()
            made.append(_taken_back(before, report))
        if report.exec_type in (ExecType.TRADE, ExecType.TRADE_CORRECT) and report.last_qty_lots > 0:
            if report.exec_key in trade.fills:
                return ()
            fill = self._fill(report, sent, trade)
            trade.fills[report.exec_key] = fill
            made.append(fill)
        return tuple(made)

    def _concerns(self, rule_id: str, orders: tuple[Order, ...]) -> bool:
        """Whether anybody is told of fills of these orders: nothing else of them is kept."""
        return rule_id.startswith(CLIENT_RULE) or any(order.account in self._copied for order in orders)

    def _fill(self, report: ExecutionReport, sent: _Sent, trade: _Trade) -> LegFill:
        order = sent.order
        instrument = self._settings.instruments.get(order.instrument_id)
        px = instrument.our_price(report.last_px) if instrument is not None else report.last_px
        index = self._leg_index(trade, order.instrument_id)
        unwinds = index < len(trade.legs) and trade.legs[index][1] is not order.side
        return LegFill(
            trade_id=sent.trade_id,
            rule_id=trade.rule_id,
            pair_id=trade.pair_id,
            leg_index=index,
            instrument_id=order.instrument_id,
            account=order.account,
            side=order.side,
            lots=report.last_qty_lots,
            px_e9=price_e9(px, cut=True) or 0,
            px_text=px,
            exec_id=report.exec_id,
            venue_order=order.cl_ord_id,
            first=sent.first,
            unwinds=unwinds,
            trade_date=report.trade_date,
            venue_utc_ns=report.venue_ns,
        )

    def _leg_index(self, trade: _Trade, instrument_id: str) -> int:
        for index, (name, _) in enumerate(trade.legs):
            if name == instrument_id:
                return index
        pair = self._settings.pairs.get(trade.pair_id)
        legs = pair.legs if pair is not None else ()
        return next((index for index, leg in enumerate(legs) if leg.substitute_id == instrument_id), 0)

    def _step(self, what: PairTradeChanged) -> TradeStep:
        trade = self._trades[what.trade_id]
        return TradeStep(
            trade_id=what.trade_id,
            rule_id=what.rule_id,
            pair_id=what.pair_id,
            intent_id=what.intent_id,
            side=what.side,
            units=what.units,
            hedged_units=what.hedged_units,
            state=what.state,
            px_e9=self._reached_e9(what, trade.intent),
            slippage_e9=what.slippage_e9,
            legged_ns=what.legged_ns,
            attempts=what.attempts,
            cause=what.cause or trade.said,
            open_lots=sum(leg.open_lots for leg in what.legs),
            end=self._leg_end(trade) if len(what.legs) == 1 else "",
            legs=tuple((leg.filled_lots, leg.avg_px_e9) for leg in what.legs),
        )

    def _leg_end(self, trade: _Trade) -> str:
        ends = {self._sent[name].end for name in trade.orders if name in self._sent}
        return next((end.value for end in LegEnd if end.value in ends), "")

    def _reached_e9(self, what: PairTradeChanged, intent: Intent | None) -> int:
        """The pair's price at the averages of the legs: the price that the intent saw, and the slippage against it.

        Exact for a ratio and a spread, but for one rounding against the client. For another formula a price is worth
        what the intent's edge says; the price that was seen where it had none.
        """
        if len(what.legs) == 1:
            return what.legs[0].avg_px_e9
        pair = self._settings.pairs.get(what.pair_id)
        if intent is None or pair is None or not what.hedged_units:
            return intent.pair_px_e9 if intent is not None else 0
        sign = what.side.sign
        if pair.expression is not None:
            return intent.pair_px_e9 + sign * _worse_e9(what, intent)
        if pair.formula is FormulaKind.RATIO and what.legs[1].avg_px_e9 and what.legs[0].seen_px_e9:
            first, second = what.legs
            numerator = intent.pair_px_e9 * first.avg_px_e9 * second.seen_px_e9
            denominator = first.seen_px_e9 * second.avg_px_e9
            return sign * -(-sign * numerator // denominator)
        if pair.formula is not FormulaKind.SPREAD:
            return intent.pair_px_e9
        leg = pair.legs[0]
        instrument = self._settings.instruments[leg.instrument_id]
        numerator, denominator = Decimal(instrument.point_value).as_integer_ratio()
        # What one unit of the pair gains when its price rises by 1: point value x lots of its first leg / its factor.
        money = numerator * leg.ratio_lots * leg.factor.denominator * what.hedged_units
        worse_e9 = -(-what.slippage_e9 * denominator * leg.factor.numerator // money)
        return intent.pair_px_e9 + sign * worse_e9


def _end_of(report: ExecutionReport | MessageRejected, sent: _Sent) -> str:
    """How this report ends its order; empty where it does not."""
    if isinstance(report, MessageRejected):
        return LegEnd.REJECTED
    if report.exec_type is ExecType.ORDER_STATUS and report.order_id in ("", "NONE"):
        return LegEnd.UNSENT if report.ord_status is OrdStatus.REJECTED else ""
    match report.ord_status:
        case OrdStatus.REJECTED:
            return LegEnd.SHUT if report.reason == EXCHANGE_CLOSED else LegEnd.REJECTED
        case OrdStatus.EXPIRED | OrdStatus.DONE_FOR_DAY:
            return LegEnd.EXPIRED
        case OrdStatus.CANCELED:
            return LegEnd.WITHDRAWN if sent.withdrawn else LegEnd.LOST if sent.lost else LegEnd.BY_VENUE
    return ""


def _worse_e9(what: PairTradeChanged, intent: Intent) -> int:
    """The slippage of one unit as a difference of price, where the edge tells what a price is worth in money."""
    better_e9 = abs(intent.threshold_e9 - intent.pair_px_e9)
    if not better_e9 or not intent.edge_e9:
        return 0
    return -(-what.slippage_e9 * better_e9 // (abs(intent.edge_e9) * what.hedged_units))


def _taken_back(before: LegFill, report: ExecutionReport) -> LegFill:
    return LegFill(
        trade_id=before.trade_id,
        rule_id=before.rule_id,
        pair_id=before.pair_id,
        leg_index=before.leg_index,
        instrument_id=before.instrument_id,
        account=before.account,
        side=before.side,
        lots=-before.lots,
        px_e9=before.px_e9,
        px_text=before.px_text,
        exec_id=report.exec_id,
        venue_order=before.venue_order,
        first=before.first,
        unwinds=before.unwinds,
        trade_date=before.trade_date,
        venue_utc_ns=report.venue_ns,
        exec_ref_id=before.exec_id,
    )
