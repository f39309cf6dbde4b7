"""What the real execution engine writes down, read for clients: every fill once, every step, nothing of nobody's."""

from fractions import Fraction

import msgspec
from client_desk import CA, CU, E9, INSTRUMENTS, PAIR, SPEC, S, client, settings

from gateway.clients.executions import Executions
from gateway.execution.engine import ExecutionEngine
from gateway.execution.ledger import ExecutionSettings
from gateway.model.client import ClientSpec, ExecutionHeard, LegEnd
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus, SessionChanged, Side, TimeInForce
from gateway.model.record import Decision
from gateway.model.site import FormulaKind, InstrumentLimits, LegSpec, PairSpec, SiteLimits, VenueSpec
from gateway.model.trade import Command, ExecutionEvent, Intent, IntentLeg, OrderSent, OrdersSent, SendOrders, Verb

FORCES = (TimeInForce.DAY, TimeInForce.IOC)
LEG = LegSpec(CU, 1, Fraction(1), "", None, 0, TimeInForce.IOC, 5 * S)
ALONE = PairSpec(CU, FormulaKind.SPREAD, "CNY", "t", 0, (LEG,), S, 0, (0,), 60 * S, 5 * S, 10**6, 10**6)
GIVEN = ExecutionSettings(
    "C", "full", {PAIR: SPEC, CU: ALONE}, {}, INSTRUMENTS,
    {name: InstrumentLimits(name, 500, 5000, 10**9 * E9, 10**6) for name in (CU, CA)},
    SiteLimits(8, 500, 600, 60 * S, {}), {name: VenueSpec(name, "A1", False, FORCES, True, S) for name in ("SHFE", "LME")},
)  # fmt: skip


class Floor:
    """An armed engine whose decisions are read for clients."""

    def __init__(self, *clients: ClientSpec) -> None:
        self.engine = ExecutionEngine(GIVEN, 1)
        self.reader = Executions(settings(*clients))
        self.orders: list[Order] = []
        self.heard: list[ExecutionHeard] = []
        self._seq = 0
        self.do(SessionChanged("SHFE", "orders", True, 0), SessionChanged("LME", "orders", True, 0))
        self.do(Command("arm", Verb.ARM, "li", "test"))

    def do(self, *events: ExecutionEvent) -> None:
        """Decide, and read what is written down."""
        for event in events:
            self._seq += 1
            actions = tuple(self.engine.on_event(event, S))
            for action in actions:
                if isinstance(action, SendOrders):
                    self.orders += action.orders
            heard = self.reader.take(Decision(self._seq, S, event, actions))
            if heard is not None:
                self.heard.append(heard)

    def intent(self, rule_id: str) -> None:
        legs = (
            IntentLeg(CU, Side.BUY, 5, 5, 7000, 70_000 * E9, 50 * E9, S, 0, 0, 0, 1),
            IntentLeg(CA, Side.SELL, 1, 1, 18_000, 9_000 * E9, 87_500_000_000, S, 0, 0, 0, 1),
        )
        intent = Intent("I1", 1, PAIR, rule_id, Side.BUY, 1, -200 * E9, -150 * E9, 0, legs, CU, S, S, S, S, S, 9 * S)
        self.do(intent)
        self.do(OrdersSent(S, tuple(OrderSent(one.cl_ord_id, S, 1) for one in self.orders)))

    def fill(
        self, order: Order, lots: int, px: str, exec_id: str, kind: ExecType = ExecType.TRADE, ref: str = ""
    ) -> None:
        cum = 0 if kind is ExecType.TRADE_CANCEL else lots
        status = OrdStatus.FILLED if lots == order.qty_lots else OrdStatus.PARTIALLY_FILLED
        self.do(
            ExecutionReport(
                order.venue_id, S, S, 1, False, order.cl_ord_id, "", "V", exec_id, exec_id, ref, kind, status,
                order.instrument_id, order.side, order.qty_lots, lots, px, 7000, cum, order.qty_lots - cum, px,
                ref_exec_key=ref,
            )
        )  # fmt: skip


def fills(floor: Floor) -> list[tuple[str, int, str, bool]]:
    """Every fill so far as (instrument, lots, ExecID, of the first orders)."""
    return [(one.instrument_id, one.lots, one.exec_id, one.first) for heard in floor.heard for one in heard.fills]


def test_a_pair_trade_of_a_client_is_told_leg_by_leg_with_the_price_reached() -> None:
    """5 lots at 10 CNY/t more than was seen, for 25 t of one unit: the pair's price is 10 worse."""
    floor = Floor(client("F"))
    floor.intent("C/F/O1-1")
    first, second = floor.orders
    floor.fill(first, 5, "70010", "x1")
    floor.fill(first, 5, "70010", "x1")
    floor.fill(second, 1, "9000", "x2")
    assert fills(floor) == [(CU, 5, "x1", True), (CA, 1, "x2", True)]
    last = floor.heard[-1].steps[-1]
    assert (last.state, last.hedged_units, last.px_e9) == ("hedged", 1, -190 * E9)


def test_a_bust_takes_the_fill_back_that_it_names() -> None:
    """As negative lots, with the venue's ExecID of both."""
    floor = Floor(client("F"))
    floor.intent("C/F/O1-1")
    floor.fill(floor.orders[0], 5, "70010", "x1")
    floor.fill(floor.orders[0], 5, "70010", "x9", ExecType.TRADE_CANCEL, "x1")
    (bust,) = floor.heard[-1].fills
    assert (bust.lots, bust.exec_id, bust.exec_ref_id) == (-5, "x9", "x1")


def test_an_order_on_a_leg_is_told_with_its_fill() -> None:
    """Its trade is announced after its order has left: nothing of it is missed."""
    floor = Floor(client("F"))
    floor.do(Command("c1", Verb.LEG_ORDER, "F", "order", f"C/F/O1-1 {CU} 1 3 7000 3"))
    floor.do(OrdersSent(S, (OrderSent(floor.orders[0].cl_ord_id, S, 1),)))
    floor.fill(floor.orders[0], 3, "70000", "x1")
    assert fills(floor) == [(CU, 3, "x1", True)]
    last = floor.heard[-1].steps[-1]
    assert (last.state, last.hedged_units, last.px_e9) == ("hedged", 3, 70_000 * E9)


def test_a_trade_of_the_house_is_for_drop_copies_only() -> None:
    """Without one of its account nothing is made of it; with one its fills are, and no steps."""
    for clients, told in (((client("F"),), 0), ((client("F"), client("D", drop_copy=True)), 1)):
        floor = Floor(*clients)
        floor.intent("band")
        floor.fill(floor.orders[0], 5, "70010", "x1")
        assert len(fills(floor)) == told
        assert not any(heard.steps for heard in floor.heard)


def test_a_reader_that_begins_in_the_middle_of_a_run_reads_it_from_its_start() -> None:
    """Two readers of the same decisions make the same of them: nothing depends on when one looked."""
    floor = Floor(client("F"))
    decisions: list[Decision] = []
    take = floor.reader.take

    def keep(decision: Decision) -> ExecutionHeard | None:
        decisions.append(decision)
        return take(decision)

    floor.reader.take = keep  # type: ignore[method-assign]
    floor.intent("C/F/O1-1")
    floor.fill(floor.orders[0], 5, "70010", "x1")
    again = Executions(settings(client("F")))
    assert [made for one in decisions if (made := again.take(one)) is not None] == floor.heard


def day_order(floor: Floor) -> Order:
    """Three lots of the leg that rest at their venue."""
    floor.do(Command("k1", Verb.LEG_ORDER, "F", "x", f"C/F/O1-1 {CU} 1 3 7000 0"))
    (order,) = floor.orders
    floor.do(OrdersSent(S, (OrderSent(order.cl_ord_id, S, 1),)))
    said(floor, order, ExecType.NEW, OrdStatus.NEW)
    return order


def said(floor: Floor, order: Order, kind: ExecType, status: OrdStatus, **changes: object) -> None:
    """What the venue says of it; no fill."""
    leaves = order.qty_lots if status is OrdStatus.NEW else 0
    made = ExecutionReport(
        order.venue_id, S, S, 1, False, order.cl_ord_id, "", "V", "e", "", "", kind, status, order.instrument_id,
        order.side, order.qty_lots, 0, "0", None, 0, leaves, "0",
    )  # fmt: skip
    floor.do(msgspec.structs.replace(made, **changes))


def end_of(floor: Floor) -> str:
    """How the last step says that it ended."""
    return floor.heard[-1].steps[-1].end


def test_each_way_in_which_a_venue_ends_an_order_on_a_leg_is_told_apart() -> None:
    """Its day is over, it refused it, the market is shut, it cancelled it by itself."""
    for kind, status, reason, end in (
        (ExecType.EXPIRED, OrdStatus.EXPIRED, "", LegEnd.EXPIRED),
        (ExecType.DONE_FOR_DAY, OrdStatus.DONE_FOR_DAY, "", LegEnd.EXPIRED),
        (ExecType.REJECTED, OrdStatus.REJECTED, "99", LegEnd.REJECTED),
        (ExecType.REJECTED, OrdStatus.REJECTED, "2", LegEnd.SHUT),
        (ExecType.CANCELED, OrdStatus.CANCELED, "", LegEnd.BY_VENUE),
        (ExecType.ORDER_STATUS, OrdStatus.EXPIRED, "", LegEnd.EXPIRED),
    ):
        floor = Floor(client("F"))
        said(floor, day_order(floor), kind, status, reason=reason)
        assert (end_of(floor), floor.heard[-1].steps[-1].open_lots) == (end, 0), (kind, reason)


def test_an_order_that_we_took_back_is_told_as_that_by_its_cancels_own_id() -> None:
    """The venue's word names the cancel in ClOrdID(11) and the order in OrigClOrdID(41); a fill of it so named counts."""
    floor = Floor(client("F"))
    order = day_order(floor)
    floor.do(Command("k2", Verb.WITHDRAW, "F", "x", "C/F/O1-1"))
    named = {"cl_ord_id": "C1-9", "orig_cl_ord_id": order.cl_ord_id}
    said(
        floor, order, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty_lots=1, cum_qty_lots=1, last_px="70000",
        exec_key="x1", exec_id="x1", leaves_qty_lots=2, **named,
    )  # fmt: skip
    assert fills(floor) == [(CU, 1, "x1", True)]
    said(floor, order, ExecType.CANCELED, OrdStatus.CANCELED, cum_qty_lots=1, **named)
    assert (end_of(floor), floor.heard[-1].steps[-1].hedged_units) == (LegEnd.WITHDRAWN, 1)


def test_an_order_that_its_venue_cancelled_when_the_session_was_lost_is_told_as_that() -> None:
    """The lots may be open while nobody is heard; then the venue says that they are cancelled."""
    floor = Floor(client("F"))
    order = day_order(floor)
    floor.do(SessionChanged("SHFE", "orders", False, S))
    assert floor.heard[-1].steps[-1].open_lots == 3
    floor.do(SessionChanged("SHFE", "orders", True, S))
    said(floor, order, ExecType.ORDER_STATUS, OrdStatus.CANCELED)
    assert end_of(floor) == LegEnd.LOST


def test_an_order_that_did_not_leave_is_told_as_that() -> None:
    """Its session took nothing."""
    floor = Floor(client("F"))
    floor.do(Command("k1", Verb.LEG_ORDER, "F", "x", f"C/F/O1-1 {CU} 1 3 7000 0"))
    floor.do(OrdersSent(S, (OrderSent(floor.orders[0].cl_ord_id, 0, 0, "session down"),)))
    assert end_of(floor) == LegEnd.UNSENT
