"""What a lot ratio leaves over: booked per unit, and traded when it adds up to a lot.

Nine lots of copper against four of HG hedge 0.79 % less than they should. A pair states what one unit of it leaves
over, in lots of its first leg; execution books it with every pair trade that ends, and when at least one whole lot has
added up it trades that lot away as a pair trade of one leg under the rule name "residual". Such a trade can only be
filled or not: what is not filled stays booked and is tried again when the next pair trade ends. It passes the gate's
checks like any other, those apart that compare two legs.
"""

from gateway.execution.dispatch import first_orders, open_trade
from gateway.execution.ledger import Ledger
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.risk import Refusal, judge_residual
from gateway.execution.settling import RESIDUAL_RULE, Settler
from gateway.model.base import PRICE_E9
from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
from gateway.model.trade import BooksObserved, Intent, IntentLeg, IntentRefused, ReadBooks

RESIDUAL = "residual|"
"""Before the pair's id in a ReadBooks that is about its residual."""


class Residuals:
    """Trades away what has added up."""

    def __init__(self, ledger: Ledger, outbox: Outbox, settler: Settler, ids: tuple[IdSource, IdSource]) -> None:
        self._ledger = ledger
        self._out = outbox
        self._settler = settler
        self._order_ids, self._trade_ids = ids

    def look(self, pair_id: str) -> None:
        """A pair trade of the pair has ended: ask for the book when a whole lot has added up."""
        if self._settler.residual_lots(pair_id):
            name = self._settler.spec_of(pair_id).legs[0].instrument_id
            self._out.do(ReadBooks(f"{RESIDUAL}{pair_id}", (name,)))

    def on_books(self, event: BooksObserved, at_ns: int) -> None:
        """The book of the first leg: send the order, if it is still due and may be sent."""
        pair_id = event.request.removeprefix(RESIDUAL)
        ledger = self._ledger
        quote = next(iter(event.quotes), None)
        lots = self._settler.residual_lots(pair_id)
        if not lots or quote is None or quote.state is not BookState.OK or ledger.not_tradable(quote.instrument_id):
            return
        trade_id = self._trade_ids.next()
        intent = self._intent(pair_id, trade_id, lots, quote, at_ns)
        verdict = judge_residual(ledger, intent, at_ns)
        if isinstance(verdict, Refusal):
            told = IntentRefused(intent.intent_id, pair_id, RESIDUAL_RULE, verdict.name, verdict.figures)
            self._out.announce(told)
            return
        trade = open_trade(verdict, ledger, trade_id)
        ledger.intents_in += 1
        ledger.trades[trade_id] = trade
        ledger.keep_open(trade)
        self._settler.send(trade, first_orders(trade, [0], ledger, self._order_ids.next), at_ns)
        report = trade.report(at_ns)
        if trade.is_news(report):
            self._out.announce(report)

    def _intent(self, pair_id: str, trade_id: str, lots: int, quote: Quote, at_ns: int) -> Intent:
        """An intent of one leg: too many lots held are sold, too few are bought."""
        instrument = self._ledger.settings.instruments[quote.instrument_id]
        side = Side.SELL if lots > 0 else Side.BUY
        px_ticks = (quote.bids if side is Side.SELL else quote.asks)[0][0]
        leg = IntentLeg(
            instrument_id=quote.instrument_id,
            side=side,
            ratio_lots=1,
            qty_lots=min(abs(lots), instrument.max_qty_lots),
            px_ticks=px_ticks,
            vwap_e9=int(instrument.price(px_ticks) * PRICE_E9),
            value_per_tick_e9=int(instrument.tick * instrument.point_value * PRICE_E9),
            recv_ns=quote.recv_ns,
            venue_ns=quote.venue_ns,
            calibrated_ns=quote.calibrated_ns,
            bound_ns=quote.bound_ns,
            msg_seq_num=quote.msg_seq_num,
            last_px_ticks=quote.last_px_ticks,
        )
        return Intent(
            intent_id=f"{RESIDUAL_RULE}-{trade_id}",
            incarnation=self._ledger.incarnation,
            pair_id=pair_id,
            rule_id=RESIDUAL_RULE,
            side=side,
            units=leg.qty_lots,
            pair_px_e9=0,
            threshold_e9=0,
            edge_e9=0,
            legs=(leg,),
            cause_instrument_id=quote.instrument_id,
            recv_ns=quote.recv_ns,
            pub_ns=quote.pub_ns,
            taken_ns=at_ns,
            evaluated_ns=at_ns,
            decided_ns=at_ns,
            expires_ns=at_ns + self._settler.spec_of(pair_id).order_timeout_ns,
        )
