"""A desk for tests of the execution core: one pair of two venues, words to build events with, and a short way to act."""

from decimal import Decimal
from fractions import Fraction
from itertools import count

import msgspec

from gateway.execution.engine import ExecutionEngine
from gateway.execution.ledger import ExecutionSettings
from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import (
    CancelRejected,
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    SessionChanged,
    Side,
    TimeInForce,
)
from gateway.model.quote import BookState, Quote
from gateway.model.site import (
    FormulaKind,
    InstrumentLimits,
    LegSpec,
    PairSpec,
    RuleSpec,
    SiteLimits,
    VenueSpec,
)
from gateway.model.trade import (
    Action,
    Alarm,
    Announce,
    Announcement,
    BooksObserved,
    Command,
    ExecutionEvent,
    Intent,
    IntentLeg,
    OrderSent,
    OrdersSent,
    PairTradeChanged,
    PairTradeState,
    ReadBooks,
    SendOrders,
    TimerFired,
    Verb,
)

MS = 1_000_000
S = 1000 * MS
CU, CA, SUB = "SHFE.cu", "LME.CA", "LME.CB"
E9 = 10**9

INSTRUMENTS = {
    CU: Instrument(
        CU, "SHFE", "cu", Decimal(10), Decimal(5), "t", "CNY", Decimal(5), PositionModel.OPEN_CLOSE_TODAY, 1, 100,
        account="A1", hedge_flag="2",
    ),
    CA: Instrument(CA, "LME", "CA", Decimal("0.5"), Decimal(25), "t", "USD", Decimal(25), account="B1"),
    SUB: Instrument(SUB, "LME", "CB", Decimal("0.5"), Decimal(25), "t", "USD", Decimal(25), account="B1"),
}  # fmt: skip
VENUES = {
    "SHFE": VenueSpec("SHFE", "A1", True, (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK), True, 2 * S),
    "LME": VenueSpec("LME", "B1", False, (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC), False, 2 * S),
}
LEGS = (
    LegSpec(CU, 5, Fraction(1), "", None, 2, TimeInForce.IOC, 2 * S),
    LegSpec(CA, 1, Fraction("1.13"), "", Decimal(7), 2, TimeInForce.IOC, 5 * S),
)
PAIR = PairSpec(
    "CU-CA", FormulaKind.SPREAD, "CNY", "t", 0, LEGS, S, 2000 * E9, (2, 4, 8), 3 * S, 1500 * MS, 1, 5,
)  # fmt: skip
RULE = RuleSpec("band", "CU-CA", -150 * E9, 150 * E9, 1, 3, 0, 0, 250 * MS)
LIMITS = SiteLimits(8, 50, 60, 60 * S, {"CNY": 200_000 * E9})
INSTRUMENT_LIMITS = {name: InstrumentLimits(name, 50, 5000, 50_000_000 * E9, 200) for name in INSTRUMENTS}
SETTINGS = ExecutionSettings(
    "C", "full", {"CU-CA": PAIR}, {"band": RULE}, INSTRUMENTS, INSTRUMENT_LIMITS, LIMITS, VENUES
)
CU_PX, CA_PX = 7_800, 19_500
"""Prices that the decision sees, in ticks: 78 000 CNY/t and 9 750 USD/t."""


def settings(**pair: object) -> ExecutionSettings:
    """SETTINGS with other words of the pair."""
    return msgspec.structs.replace(SETTINGS, pairs={"CU-CA": msgspec.structs.replace(PAIR, **pair)})


def intent(
    number: int = 1, at_ns: int = S, side: Side = Side.BUY, units: int = 1, incarnation: int = 1, **changes: object
) -> Intent:
    """An intent to trade the pair at CU_PX and CA_PX."""
    legs = (
        IntentLeg(CU, side, 5, 5 * units, CU_PX, CU_PX * 10 * E9, 50 * E9, at_ns, 0, 0, 0, 1, CU_PX),
        IntentLeg(CA, side.opposite, 1, units, CA_PX, CA_PX * E9 // 2, 87_500_000_000, at_ns, 0, 0, 0, 1, CA_PX),
    )
    made = Intent(
        f"I1-{number}", incarnation, "CU-CA", "band", side, units, -200 * E9, -150 * E9, 0, legs, CU,
        at_ns, at_ns, at_ns, at_ns, at_ns, at_ns + 250 * MS,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes) if changes else made


def quote(name: str, bid: int, ask: int, lots: int = 100, state: BookState = BookState.OK) -> Quote:
    """A book of three levels a side."""
    bids = tuple((bid - step, lots) for step in range(3))
    asks = tuple((ask + step, lots) for step in range(3))
    return Quote(name, state, bids, asks, 0, 0, 0, 0)


CU_BOOK, CA_BOOK = quote(CU, CU_PX - 1, CU_PX), quote(CA, CA_PX, CA_PX + 1)


class Desk:
    """An armed engine with both sessions up; keeps what it was told to send."""

    def __init__(self, given: ExecutionSettings = SETTINGS, *, ready: bool = True) -> None:
        self.engine = ExecutionEngine(given, 1)
        self.at_ns = S
        self.actions: list[Action] = []
        self.sent: list[Order] = []
        self._exec_ids = count(1)
        self._quoted = 0
        if ready:
            self.do(SessionChanged("SHFE", "orders", True, 0), SessionChanged("LME", "orders", True, 0))
            self.do(Command("arm", Verb.ARM, "li", "test"))

    def do(self, *events: ExecutionEvent, after_ns: int = 0) -> list[Action]:
        """Give events, `after_ns` later than the last; the actions of all of them."""
        self.at_ns += after_ns
        self.actions = []
        for event in events:
            given = self.engine.on_event(event, self.at_ns)
            self.actions += given
            for action in given:
                if isinstance(action, SendOrders):
                    self.sent += action.orders
        return self.actions

    def open(self, number: int = 1, **changes: object) -> list[Order]:
        """An intent that passes the gate, written to the sockets; its orders."""
        self.do(intent(number, self.at_ns, **changes))
        orders = self.orders()
        self.do(OrdersSent(self.at_ns, tuple(OrderSent(one.cl_ord_id, self.at_ns, 7) for one in orders)))
        return orders

    def orders(self) -> list[Order]:
        """The orders of the last actions."""
        return [order for action in self.actions if isinstance(action, SendOrders) for order in action.orders]

    def report(
        self, order: Order, kind: ExecType, lots: int = 0, cum: int | None = None, **changes: object
    ) -> ExecutionReport:
        """What a venue says of `order`: a fill of `lots`, or no fill; `cum` is CumQty(14)."""
        own = self.engine.ledger.orders[order.cl_ord_id]
        total = own.filled_lots + lots if cum is None else cum
        number = next(self._exec_ids)
        status = {
            ExecType.NEW: OrdStatus.NEW,
            ExecType.REJECTED: OrdStatus.REJECTED,
            ExecType.CANCELED: OrdStatus.CANCELED,
            ExecType.EXPIRED: OrdStatus.EXPIRED,
        }.get(kind, OrdStatus.FILLED if total == order.qty_lots else OrdStatus.PARTIALLY_FILLED)
        instrument = INSTRUMENTS[order.instrument_id]
        px = str(instrument.price(order.px_ticks or 0)) if lots else "0"
        made = ExecutionReport(
            order.venue_id, self.at_ns, 0, number, False, order.cl_ord_id, "", f"V{order.cl_ord_id}", str(number),
            f"{order.venue_id}|{number}" if lots else "", "", kind, status, order.instrument_id, order.side,
            order.qty_lots, lots, px, (order.px_ticks if lots else None), total, order.qty_lots - total, px,
        )  # fmt: skip
        return msgspec.structs.replace(made, **changes) if changes else made

    def ack(self, order: Order) -> list[Action]:
        return self.do(self.report(order, ExecType.NEW))

    def fill(self, order: Order, lots: int | None = None, **changes: object) -> list[Action]:
        return self.do(self.report(order, ExecType.TRADE, order.qty_lots if lots is None else lots, **changes))

    def reject(self, order: Order) -> list[Action]:
        return self.do(self.report(order, ExecType.REJECTED, text="no"))

    def cancelled(self, order: Order) -> list[Action]:
        return self.do(self.report(order, ExecType.CANCELED))

    def cancel_rejected(self, order: Order) -> list[Action]:
        name = order.cl_ord_id
        return self.do(CancelRejected(order.venue_id, self.at_ns, 1, "x", name, "", None, "1", "0", "too late"))

    def books(self, *quotes: Quote) -> list[Action]:
        """Answer the engine's question for books; the ones it saw by default."""
        asked = next(one for one in self.actions if isinstance(one, ReadBooks))
        self._quoted += 1
        given = [msgspec.structs.replace(one, msg_seq_num=self._quoted) for one in quotes or (CU_BOOK, CA_BOOK)]
        return self.do(BooksObserved(asked.request, tuple(given)))

    def same_books(self) -> list[Action]:
        """As `books`, with the quotes of the last time."""
        self._quoted -= 1
        return self.books()

    def timer(self, key: str, after_ns: int) -> list[Action]:
        return self.do(TimerFired(key), after_ns=after_ns)

    def down(self, venue_id: str) -> list[Action]:
        return self.do(SessionChanged(venue_id, "orders", False, self.at_ns, "lost"))

    def up(self, venue_id: str) -> list[Action]:
        return self.do(SessionChanged(venue_id, "orders", True, self.at_ns))

    def command(self, verb: Verb, argument: str = "", number: str = "c1") -> list[Action]:
        return self.do(Command(number, verb, "li", "test", argument))

    def announced(self, kind: type[Announcement]) -> list[Announcement]:
        """What of this class the last actions announce."""
        return [one.what for one in self.actions if isinstance(one, Announce) and isinstance(one.what, kind)]

    def alarms(self) -> list[str]:
        return [one.name.value for one in self.announced(Alarm) if isinstance(one, Alarm)]

    def state(self, trade_id: str = "P1-1") -> PairTradeState:
        return self.engine.ledger.trades[trade_id].state

    def told(self) -> PairTradeChanged:
        """The last pair-trade announcement of the last actions."""
        told = self.announced(PairTradeChanged)[-1]
        assert isinstance(told, PairTradeChanged)
        return told

    def filled(self, trade_id: str = "P1-1") -> tuple[int, ...]:
        return tuple(leg.filled_lots for leg in self.engine.ledger.trades[trade_id].legs)


def brief(orders: list[Order]) -> list[tuple[str, str, int, int | None, str]]:
    """Orders as (instrument, side, lots, price in ticks, PositionEffect(77))."""
    return [(one.instrument_id, one.side.name, one.qty_lots, one.px_ticks, one.position_effect.value) for one in orders]
