"""A client engine for tests, with words to build what clients, trigger and execution say."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from gateway.clients.engine import ClientEngine
from gateway.clients.settings import ClientSettings, price_e9
from gateway.clients.telling import Moment
from gateway.model.client import (
    AskExecution,
    AskTrigger,
    CancelAsked,
    CancelRefused,
    ClientAction,
    ClientEvent,
    ClientReport,
    ClientSpec,
    ExecutionHeard,
    LegFill,
    OrderAsked,
    ReplaceAsked,
    SwitchesHeard,
    TradeStep,
)
from gateway.model.instrument import Instrument
from gateway.model.order import Side, TimeInForce
from gateway.model.rules import ChangeRules, RuleStanding, RuleStandingState
from gateway.model.site import FormulaKind, LegSpec, PairSpec
from gateway.model.trade import Command, CommandAnswered, IntentRefused, PairTradeState, RefusalName

PAIR, CU, CA, FX = "CU-CA", "SHFE.cu", "LME.CA", "LME.USDCNH"
E9, MS, S = 10**9, 10**6, 10**9
UTC = 1_790_000_000 * S
INSTRUMENTS = {
    CU: Instrument(CU, "SHFE", "cu", Decimal(10), Decimal(5), "t", "CNY", Decimal(5), max_qty_lots=100, account="A1"),
    CA: Instrument(
        CA, "LME", "CA", Decimal("0.5"), Decimal(25), "t", "USD", Decimal(25), max_qty_lots=10, account="B1"
    ),
    FX: Instrument(FX, "LME", "USDCNH", Decimal("0.0001"), Decimal(1), "usd", "CNH", Decimal(1), tradable=False),
}
LEGS = (
    LegSpec(CU, 5, Fraction(1), "", None, 2, TimeInForce.IOC, 2 * S),
    LegSpec(CA, 1, Fraction("1.13"), "", Decimal(7), 2, TimeInForce.IOC, 5 * S),
)
SPEC = PairSpec(PAIR, FormulaKind.SPREAD, "CNY", "t", 0, LEGS, S, 0, (2,), S, S, 1, 9)
EVERY_FORCE = tuple(TimeInForce)


def client(name: str, **changes: Any) -> ClientSpec:  # noqa: ANN401 any field
    """A client that may do most things."""
    made = ClientSpec(name, "FIX.4.4", ("A1",), (PAIR,), (CU, CA), EVERY_FORCE, 5, 9, 3, 1000)
    return msgspec.structs.replace(made, **changes)


def settings(*clients: ClientSpec) -> ClientSettings:
    """The pair, its legs and these clients."""
    listed = clients or (client("F"),)
    return ClientSettings(
        {one.client_id: one for one in listed}, {PAIR: SPEC}, INSTRUMENTS, 250 * MS, 100 * MS, 79_200, S, 2 * S
    )


def order(cl_ord_id: str = "a", price: str = "-150", qty: int = 2, **changes: Any) -> OrderAsked:  # noqa: ANN401
    """An order on the pair."""
    made = OrderAsked(
        "F",
        "D",
        1,
        False,
        cl_ord_id,
        "A1",
        PAIR,
        Side.BUY,
        qty,
        str(qty),
        "2",
        price_e9(price),
        price,
        TimeInForce.GTC,
        0,
    )
    return msgspec.structs.replace(made, **changes)


def switches(**changes: Any) -> SwitchesHeard:  # noqa: ANN401
    """Armed, and everybody is heard of."""
    made = SwitchesHeard(heard=True, armed=True, held=False, stopping=False, stage="full", incarnation=1)
    return msgspec.structs.replace(made, **changes)


class ClientDesk:
    """An engine that is armed; keeps the last actions."""

    def __init__(self, *clients: ClientSpec, ready: bool = True) -> None:
        self.engine = ClientEngine(settings(*clients), 1)
        self.at_ns = S
        self.actions: list[ClientAction] = []
        self.history: list[tuple[ClientEvent, Moment, list[ClientAction]]] = []
        self._seq = 0
        if ready:
            self.do(switches())

    def do(self, *events: ClientEvent, after_ns: int = 0) -> list[ClientAction]:
        """Give events; the actions of all of them."""
        self.at_ns += after_ns
        self.actions = []
        for event in events:
            now = Moment(self.at_ns, UTC + self.at_ns)
            made = self.engine.on_event(event, now)
            self.history.append((event, now, made))
            self.actions += made
        return self.actions

    def open(self, cl_ord_id: str = "a", **changes: Any) -> str:  # noqa: ANN401
        """An order that trigger has taken; its rule."""
        self.do(order(cl_ord_id, **changes))
        (change,) = self.changes()
        self.do(CommandAnswered(change.command_id, True, ""))
        return change.rules[0].rule_id

    def cancel(self, orig: str = "a", cl_ord_id: str = "c", **changes: Any) -> list[ClientAction]:  # noqa: ANN401
        made = CancelAsked("F", 9, cl_ord_id, orig, "", PAIR)
        return self.do(msgspec.structs.replace(made, **changes))

    def replace(self, orig: str = "a", cl_ord_id: str = "r", **changes: Any) -> list[ClientAction]:  # noqa: ANN401
        return self.do(ReplaceAsked(orig, "", order(cl_ord_id, **changes)))

    def standing(self, rule_id: str, state: RuleStandingState, filled: int = 0, **more: Any) -> list[ClientAction]:  # noqa: ANN401
        known = {"held_units": 0, "open_units": 0, "leaves_units": 0, "reason": "", "at_ns": 1} | more
        return self.do(RuleStanding(rule_id, PAIR, state, filled, **known))

    def heard(
        self, *fills: LegFill, steps: tuple[TradeStep, ...] = (), refused: tuple[IntentRefused, ...] = ()
    ) -> list[ClientAction]:
        """One decision of execution."""
        self._seq += 1
        return self.do(ExecutionHeard(self._seq, fills, steps, refused))

    def answer(self, done: bool = True, text: str = "") -> list[ClientAction]:  # noqa: FBT001, FBT002 a test's short word
        """Trigger's, or execution's, answer to the last command."""
        commands = [one.command_id for one in [*self.changes(), *self.asked()]]
        return self.do(CommandAnswered(commands[-1], done, text))

    def reports(self, client_id: str = "F") -> list[ClientReport]:
        return [one for one in self.actions if isinstance(one, ClientReport) and one.client_id == client_id]

    def refusals(self) -> list[CancelRefused]:
        return [one for one in self.actions if isinstance(one, CancelRefused)]

    def changes(self) -> list[ChangeRules]:
        return [one.change for one in self.actions if isinstance(one, AskTrigger)]

    def asked(self) -> list[Command]:
        return [one.command for one in self.actions if isinstance(one, AskExecution)]

    def brief(self, client_id: str = "F") -> list[tuple[str, str, int, int]]:
        """Reports as (ExecType, OrdStatus, CumQty, LeavesQty)."""
        return [
            (one.exec_type.value, one.ord_status.value, one.cum_qty, one.leaves_qty) for one in self.reports(client_id)
        ]


def fill(rule_id: str, leg: int = 0, lots: int = 5, px: str = "70000", **changes: Any) -> LegFill:  # noqa: ANN401
    """A fill of the trade P1."""
    name = (CU, CA)[leg]
    made = LegFill(
        "P1", rule_id, PAIR, leg, name, INSTRUMENTS[name].account, (Side.BUY, Side.SELL)[leg], lots, price_e9(px) or 0, px,
        f"x{leg}", "C1-1", True, False, "20260615", UTC,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def step(rule_id: str, state: PairTradeState, units: int = 0, px: str = "-200", **changes: Any) -> TradeStep:  # noqa: ANN401
    """The trade P1, of intent I1."""
    made = TradeStep("P1", rule_id, PAIR, "I1", Side.BUY, units or 1, units, state, price_e9(px) or 0, 0, 0, 0, "")
    return msgspec.structs.replace(made, **changes)


def refused(rule_id: str, intent_id: str = "I1") -> IntentRefused:
    """The gate's no."""
    return IntentRefused(intent_id, PAIR, rule_id, RefusalName.MARGIN, "LME: 3 lots more than its margin")
