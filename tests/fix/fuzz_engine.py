"""Damaged messages into the decoders, and what comes out of them into an execution engine with open orders.

What has to hold after every message, and is asserted here:

1. the decoder gives an event, or nothing where the message is the session's own; a damaged one is a Bad* event with a
   reason, and every event can be written to the journal and to the bus;
2. the engine takes it without an exception, and its decision can be written to the journal;
3. an order's filled lots are at most what decoded reports of that order said, and never below zero; only the order
   that a message names has other fills, or another state, than before;
4. a message that cannot be used moves no lots, no order and no pair trade: alarms, questions and timers only; the same
   for a report about an order that is not ours;
5. positions are the sum of the fills, the gate's sums are those made anew, and a pair trade with more lots than were
   ordered is halted.
"""

import re
from collections import Counter
from random import Random
from typing import Any, NamedTuple

import msgspec

from gateway.execution.exposure import Exposure
from gateway.execution.order_book import OwnOrder
from gateway.fix.dialect import load_dialect
from gateway.fix.market_data import MarketDataDecoder
from gateway.fix.orders import OrderDecoder
from gateway.fix.scan import readable
from gateway.journal.frame import FrameEncoder
from gateway.model.order import BadOrderMessage, CancelRejected, ExecType, ExecutionReport, MessageRejected, OrderEvent
from gateway.model.quote import BadMarketData
from gateway.model.record import Decision
from gateway.model.trade import (
    Action,
    Announce,
    AskStatus,
    BooksObserved,
    ExecutionEvent,
    OrderSent,
    OrdersSent,
    OrderState,
    PairTradeState,
    ReadBooks,
    SendOrders,
    SetTimer,
    TimerFired,
)
from tests.execution.desk import CA, CA_BOOK, CU, CU_BOOK, INSTRUMENTS, LIMITS, MS, SUB, Desk, quote, settings
from tests.fix.fuzz_messages import Dialect, Facts, market_message, mutated, order_message

DIALECTS = {"SHFE": load_dialect("domestic44"), "LME": load_dialect("overseas42")}
MARKETS = (
    Dialect("SHFE", b"FIX.4.4", True, b"cu", b"A1", (7_800, b"10")),
    Dialect("LME", b"FIX.4.2", False, b"CA", b"B1", (19_500, b"0.5")),
)
TRADES = 4
LIFE = 300
"""Messages that one engine gets before the next begins with orders that are open."""
_QUIET = (Announce, AskStatus, SetTimer)
_VALUE = re.compile(r" ['\"].*| is missing.*|: .*", re.DOTALL)


def reason_of(reason: str) -> str:
    """A reason without the value that caused it: what the counts go by."""
    return _VALUE.sub(" missing" if " is missing" in reason else "", reason, count=1)


class Broken(AssertionError):  # noqa: N818 - it is a state
    """Something that has to hold does not; the message that did it is in the text."""


class Share(NamedTuple):
    """How a decoder's events are counted: by class, and the bad ones by reason."""

    events: Counter[str]
    reasons: Counter[str]

    def note(self, event: object) -> None:
        """Count one event."""
        self.events[type(event).__name__ if event is not None else "the session's own"] += 1
        if isinstance(event, BadOrderMessage | BadMarketData):
            self.reasons[reason_of(event.reason)] += 1


def as_handed_over(data: bytes) -> str:
    """The text that the border makes of bytes: QuickFIX's binding escapes what is no UTF-8."""
    return readable(data.decode("utf-8", "surrogateescape"))


class Markets:
    """The market-data decoders of both dialects."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._decoders = {}
        for venue_id, dialect in DIALECTS.items():
            listed = {one.symbol: one for one in INSTRUMENTS.values() if one.venue_id == venue_id}
            self._decoders[venue_id] = MarketDataDecoder(dialect, venue_id, listed)

    def step(self, draw: Random, number: int) -> None:
        """One message."""
        venue = draw.choice(MARKETS)
        data = mutated(draw, market_message(draw, venue, number))
        events = self._decoders[venue.name].decode(as_handed_over(data), number)
        if not events:
            raise Broken(f"market data vanished: {data!r}")
        for event in events:
            self._share.note(event)
            msgspec.msgpack.encode(event)


class Orders:
    """The order decoders of both dialects, and an engine behind them."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._encoder = FrameEncoder()
        self._left = 0
        self.engines = 0
        self.decisions = 0
        self.filled = 0
        self.halted = 0

    def _begin(self) -> None:
        limits = msgspec.structs.replace(
            LIMITS, max_legged_trades=TRADES, throttle_trades=1000, max_orders_per_s=1000, daily_loss_e9={}
        )
        wide = msgspec.structs.replace(settings(max_open_trades=TRADES, max_units=1000), limits=limits)
        self.desk = Desk(wide)
        self._sent: dict[int, str] = {}
        for number in range(TRADES):
            for order in self.desk.open(number):
                self._sent[len(self._sent)] = order.cl_ord_id
        if len(self.desk.engine.ledger.open_orders) != 2 * TRADES:
            raise Broken("the engine did not open its pair trades")
        self._decoders = {}
        for venue_id, dialect in DIALECTS.items():
            listed = {one.symbol: one for one in INSTRUMENTS.values() if one.venue_id == venue_id}
            self._decoders[venue_id] = OrderDecoder(dialect, venue_id, listed, lambda seq: self._sent.get(seq, ""))
        self._timers: dict[str, int] = {}
        self._said: dict[str, tuple[dict[str, int], int]] = {}
        self._left = LIFE
        self.engines += 1

    def step(self, draw: Random, number: int) -> None:
        """One message, and what the engine wants done for it."""
        if not self._left:
            self._begin()
        self._left -= 1
        self.desk.at_ns += MS
        data, venue_id = self._drawn(draw, number)
        event = self._decoders[venue_id].decode(as_handed_over(data), self.desk.at_ns)
        self._share.note(event)
        if event is not None:
            try:
                self._tell(event)
            except Exception as error:
                raise Broken(f"{type(error).__name__}: {error} after {data!r} which is {event}") from error
        if self._timers and draw.random() < 0.05:
            self._do(TimerFired(draw.choice(sorted(self._timers))))

    def _drawn(self, draw: Random, number: int) -> tuple[bytes, str]:
        own = draw.choice(list(self.desk.engine.ledger.orders.values()))
        order = own.order
        instrument = INSTRUMENTS[order.instrument_id]
        px = str(instrument.price(order.px_ticks or 0)).encode()
        cl_ord_id = b"Z9-%d" % number if draw.random() < 0.02 else order.cl_ord_id.encode()
        facts = Facts(
            cl_ord_id, instrument.symbol.encode(), instrument.account.encode(), order.side.value.encode(),
            order.qty_lots, own.filled_lots, px,
        )  # fmt: skip
        begin_string = DIALECTS[order.venue_id].begin_string.encode()
        return mutated(draw, order_message(draw, begin_string, facts, number)), order.venue_id

    def _tell(self, event: OrderEvent) -> None:
        ledger = self.desk.engine.ledger
        before = {name: (own.filled_lots, own.state) for name, own in ledger.orders.items()}
        trades = {name: trade.state for name, trade in ledger.trades.items()}
        lots = {name: position.net_lots for name, position in ledger.positions.items()}
        named = self._named(event)
        self._hear(event, named)
        actions = self._decide(event)
        for name, was in before.items():
            own = ledger.orders[name]
            if own is not named and (own.filled_lots, own.state) != was:
                raise Broken(f"{name} was {was} and is {(own.filled_lots, own.state)}")
        if (
            named is not None
            and not isinstance(event, ExecutionReport)
            and named.filled_lots != before[named.order.cl_ord_id][0]
        ):
            raise Broken("lots moved without an execution")
        if named is None or isinstance(event, BadOrderMessage):
            after = {name: position.net_lots for name, position in ledger.positions.items()}
            if after != lots or {name: trade.state for name, trade in ledger.trades.items()} != trades:
                raise Broken("what names no order of ours moved lots or a pair trade")
            if not all(isinstance(action, _QUIET) for action in actions):
                raise Broken(f"what cannot be used led to {actions}")
        self._follow(actions)
        self._check()

    def _named(self, event: OrderEvent) -> OwnOrder | None:
        """The order that a message is about, by the ids in it; None for a report that cannot be about it."""
        orders = self.desk.engine.ledger.orders
        if isinstance(event, ExecutionReport):
            own = orders.get(event.orig_cl_ord_id) or orders.get(event.cl_ord_id)
            fits = own is not None and event.instrument_id == own.order.instrument_id
            return own if own is not None and fits and event.side in (None, own.order.side) else None
        if isinstance(event, CancelRejected):
            return orders.get(event.orig_cl_ord_id) or self._cancelled(event.cl_ord_id)
        if isinstance(event, MessageRejected):
            return orders.get(event.cl_ord_id) or self._cancelled(event.cl_ord_id)
        return None

    def _cancelled(self, cl_ord_id: str) -> OwnOrder | None:
        return self.desk.engine._settler.cancels.get(cl_ord_id)

    def _hear(self, event: OrderEvent, named: OwnOrder | None) -> None:
        """Keep the most that reports of an order can add up to."""
        if not isinstance(event, ExecutionReport) or named is None:
            return
        fills, told = self._said.get(named.order.cl_ord_id, ({}, 0))
        if event.exec_type in (ExecType.TRADE, ExecType.TRADE_CORRECT):
            fills[event.exec_key] = max(fills.get(event.exec_key, 0), event.last_qty_lots)
        else:
            told = max(told, event.cum_qty_lots)
        self._said[named.order.cl_ord_id] = (fills, told)

    def _decide(self, event: ExecutionEvent) -> list[Action]:
        actions = self.desk.engine.on_event(event, self.desk.at_ns)
        self.decisions += 1
        self._encoder.encode(Decision(self.decisions, self.desk.at_ns, event, tuple(actions)))
        for action in actions:
            if isinstance(action, SetTimer):
                self._timers[action.key] = action.at_ns
        return actions

    def _do(self, event: ExecutionEvent) -> None:
        self._follow(self._decide(event))
        self._check()

    def _follow(self, actions: list[Action]) -> None:
        """What the shell would do: hand orders over, read books."""
        for action in actions:
            if isinstance(action, SendOrders):
                at_ns = self.desk.at_ns
                self._do(OrdersSent(at_ns, tuple(OrderSent(one.cl_ord_id, at_ns, 9) for one in action.orders)))
            elif isinstance(action, ReadBooks):
                books = {CU: CU_BOOK, CA: CA_BOOK, SUB: quote(SUB, 19_500, 19_501)}
                self._do(BooksObserved(action.request, tuple(books[name] for name in action.instrument_ids)))

    def _check(self) -> None:
        ledger = self.desk.engine.ledger
        net: Counter[str] = Counter()
        self.filled = self.halted = 0
        for name, own in ledger.orders.items():
            fills, told = self._said.get(name, ({}, 0))
            most = max(sum(fills.values()), told)
            if not 0 <= own.filled_lots <= most:
                raise Broken(f"{name}: {own.filled_lots} lots filled, reports said at most {most}")
            if own.filled_lots > own.order.qty_lots and ledger.trades[own.trade_id].state is not PairTradeState.HALTED:
                raise Broken(f"{name}: {own.filled_lots} of {own.order.qty_lots} lots, and its pair trade goes on")
            if own.open is (own.state is OrderState.DONE):
                raise Broken(f"{name}: open and done")
            net[own.order.instrument_id] += own.order.side.sign * own.filled_lots
        for name, position in ledger.positions.items():
            if position.net_lots != net[name]:
                raise Broken(f"{name}: position {position.net_lots}, fills {net[name]}")
        self._check_exposure()

    def _check_exposure(self) -> None:
        """The sums that the gate keeps are those made anew."""
        ledger, given = self.desk.engine.ledger, self.desk.engine.ledger.settings
        anew = Exposure(given.instruments, given.instrument_limits, ledger.positions, ledger.swing)
        for venue_id in given.venues:
            kept, right = (one.of_venue(venue_id, ()) for one in (ledger.exposure, anew))
            if (kept.gross_lots, kept.net_lots) != (right.gross_lots, right.net_lots):
                raise Broken(f"{venue_id}: exposure {kept.gross_lots} gross, {right.gross_lots} is right")


def run(messages: int, seed: int) -> dict[str, Any]:
    """Half of the messages are market data, half are of orders; what came of them, by class and reason."""
    draw = Random(seed)  # noqa: S311 - a seed names a run
    market, orders = Share(Counter(), Counter()), Share(Counter(), Counter())
    books, engine = Markets(market), Orders(orders)
    for number in range(1, messages + 1):
        (books if number % 2 else engine).step(draw, number)
    return {
        "messages": messages,
        "seed": seed,
        "engines": engine.engines,
        "decisions": engine.decisions,
        "market data": dict(market.events.most_common()),
        "orders": dict(orders.events.most_common()),
        "reasons of market data": dict(market.reasons.most_common()),
        "reasons of orders": dict(orders.reasons.most_common()),
    }
