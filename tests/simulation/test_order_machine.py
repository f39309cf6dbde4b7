"""An order against any sequence of what can happen to it: the machine, the fills, and a venue that keeps count."""

# ruff: noqa: PT017 - what is refused depends on the state

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.execution.order_book import OwnOrder
from gateway.execution.order_state import TRANSITIONS, IllegalInputError, OrderInput
from gateway.execution.pair_trade import TRANSITIONS as TRADE_TRANSITIONS
from gateway.execution.pair_trade import Balance, next_state
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus, OrdType, Side, TimeInForce
from gateway.model.trade import OrderState, PairTradeState

QTY = 10
REPORT = ExecutionReport(
    "V", 0, 0, 1, False, "C1", "", "O1", "E", "", "", ExecType.NEW, OrdStatus.NEW, "V.v", Side.BUY, QTY, 0, "", None,
    0, QTY, "0",
)  # fmt: skip


class OrderMachine(RuleBasedStateMachine):
    """A venue fills, busts and corrects; reports arrive once, twice, late; every input may come in every state."""

    @initialize()
    def begin(self) -> None:
        order = Order("C1", "V", "A", "V.v", Side.BUY, QTY, OrdType.LIMIT, 100, TimeInForce.DAY)
        self.own = OwnOrder(order, "P1", 0, 1, 100)
        self.fills: dict[str, int] = {}
        self.unsaid: list[ExecutionReport] = []
        self.said: list[ExecutionReport] = []
        self.number = 0
        self.most = 0

    @rule(lots=st.integers(1, 4))
    def fill(self, lots: int) -> None:
        """The venue fills; its report waits."""
        if sum(self.fills.values()) + lots <= QTY:
            self.fills[self._key()] = lots
            self._say(ExecType.TRADE, lots, self._last())

    @precondition(lambda self: self.fills)
    @rule(data=st.data())
    def bust(self, data: st.DataObject) -> None:
        """The venue takes a fill back."""
        key = data.draw(st.sampled_from(sorted(self.fills)))
        lots = self.fills.pop(key)
        self._say(ExecType.TRADE_CANCEL, lots, self._key(), ref=key)

    @rule()
    def status(self) -> None:
        """The venue says CumQty(14)."""
        self._say(ExecType.ORDER_STATUS, 0, "")

    @precondition(lambda self: self.unsaid)
    @rule()
    def deliver(self) -> None:
        """The oldest report arrives."""
        report = self.unsaid.pop(0)
        self.said.append(report)
        self._take(report)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        """A report that has arrived arrives once more."""
        self._take(data.draw(st.sampled_from(self.said)))

    @rule(given=st.sampled_from(list(OrderInput)))
    def move(self, given: OrderInput) -> None:
        """Any input in any state: the table's next state, or a refusal that changes nothing."""
        before = self.own.state
        following = TRANSITIONS[before].get(given)
        try:
            self.own.take(given)
        except IllegalInputError as error:
            assert following is None
            assert self.own.state is before
            assert given.value in str(error)
        else:
            assert self.own.state is following

    @invariant()
    def never_more_than_the_venue_ever_said(self) -> None:
        if hasattr(self, "own"):
            assert self.own.filled_lots <= self.most
            assert self.own.open_lots >= 0

    @invariant()
    def all_told_is_all_agreed(self) -> None:
        """With nothing on its way, the order has what the venue has given it."""
        if hasattr(self, "own") and not self.unsaid and self.number:
            assert self.own.filled_lots == sum(self.fills.values())

    def teardown(self) -> None:
        while self.unsaid:
            self.deliver()
            self.never_more_than_the_venue_ever_said()
        self.all_told_is_all_agreed()

    def _key(self) -> str:
        return f"K{len(self.said) + len(self.unsaid) + 1}"

    def _last(self) -> str:
        return next(reversed(self.fills))

    def _say(self, kind: ExecType, lots: int, key: str, ref: str = "") -> None:
        self.number += 1
        cum = sum(self.fills.values())
        self.most = max(self.most, cum)
        report = msgspec.structs.replace(
            REPORT, exec_type=kind, last_qty_lots=lots, exec_key=key, ref_exec_key=ref, cum_qty_lots=cum,
            last_px="100", venue_ns=self.number,
        )  # fmt: skip
        self.unsaid.append(report)

    def _take(self, report: ExecutionReport) -> None:
        match report.exec_type:
            case ExecType.TRADE:
                self.own.add_fill(report)
            case ExecType.TRADE_CANCEL:
                self.own.drop_fill(report)
            case _:
                self.own.told_cum(report)


class TradeMachine(RuleBasedStateMachine):
    """A pair trade's table: any balance in any state."""

    @initialize()
    def begin(self) -> None:
        self.state = PairTradeState.WORKING

    @rule(given=st.sampled_from(list(Balance)))
    def step(self, given: Balance) -> None:
        following = TRADE_TRANSITIONS[self.state].get(given)
        if following is None:
            try:
                next_state(self.state, given)
            except IllegalInputError as error:
                assert given.value in str(error)
                return
            raise AssertionError(f"{self.state} x {given} is no cell of the table")
        was, self.state = self.state, next_state(self.state, given)
        if was is PairTradeState.HALTED and given is not Balance.RELEASED:
            assert self.state is PairTradeState.HALTED, "only a person ends a halt"

    @invariant()
    def a_balance_decides_alone(self) -> None:
        """Outside HALTED the next state depends on the balance only: no history can hide an imbalance."""
        rows = {state: row for state, row in TRADE_TRANSITIONS.items() if state is not PairTradeState.HALTED}
        for given in (Balance.HEDGED, Balance.NOTHING, Balance.FLAT, Balance.LEGGED, Balance.BLOCKED, Balance.GIVE_UP):
            assert len({row[given] for row in rows.values()}) == 1


TestOrderMachine = OrderMachine.TestCase
TestOrderMachine.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestTradeMachine = TradeMachine.TestCase
TestTradeMachine.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)


def test_done_is_the_only_state_with_nothing_open() -> None:
    """An order is open in every state but DONE."""
    order = Order("C1", "V", "A", "V.v", Side.BUY, QTY, OrdType.LIMIT, 100, TimeInForce.DAY)
    own = OwnOrder(order, "P1", 0, 1, 100)
    opens = {}
    for state in OrderState:
        own.state = state
        opens[state] = own.open
    assert [state for state, is_open in opens.items() if not is_open] == [OrderState.DONE]
