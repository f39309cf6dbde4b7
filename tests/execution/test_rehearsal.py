"""A rehearsal goes the way of an intent and leaves no trace."""

from typing import Any

import msgspec
import pytest
from desk import CA, CU, LIMITS, RULE, SETTINGS, Desk, intent

from gateway.execution.rehearsal import NAME, Rehearsal
from gateway.journal.frame import FrameEncoder
from gateway.model.order import ExecType, Side
from gateway.model.trade import Action, OrderSent, OrdersSent, SendOrders, Verb

REMEMBERED = frozenset({"exposure", "moved"})
"""Sums that the ledger keeps of its other fields until these change."""


def state(value: Any, seen: dict[int, int] | None = None) -> object:  # noqa: ANN401 - whatever a ledger is made of
    """All that an object holds, to the last number, but for what it only remembers of the rest."""
    seen = {} if seen is None else seen
    if value is None or isinstance(value, int | str | bytes):
        return value
    if id(value) in seen:
        return ("seen", seen[id(value)])
    seen[id(value)] = len(seen)
    if isinstance(value, dict):
        return [(state(key, seen), state(one, seen)) for key, one in value.items()]
    if isinstance(value, set | frozenset):
        return sorted(str(state(one, seen)) for one in value)
    if hasattr(value, "__iter__"):
        return [state(one, seen) for one in value]
    names = [*getattr(value, "__struct_fields__", ()), *getattr(type(value), "__slots__", ()), *vars_of(value)]
    parts = [(name, state(getattr(value, name), seen)) for name in names if name not in REMEMBERED]
    return [type(value).__name__, *parts] if parts else str(value)


def vars_of(value: object) -> list[str]:
    return list(getattr(value, "__dict__", ()))


def rehearsed(desk: Desk, rehearsal: Rehearsal | None) -> None:
    if rehearsal is not None:
        assert rehearsal.next(desk.at_ns) is not None


def life(*, rehearses: bool) -> tuple[list[list[Action]], object]:
    """Trades that are hedged, legged and repaired, refused and killed: all actions, and the ledger in the end."""
    desk = Desk(msgspec.structs.replace(SETTINGS, limits=msgspec.structs.replace(LIMITS, max_orders_per_s=8)))
    rehearsal = Rehearsal(desk.engine.ledger) if rehearses else None
    said = []
    for number in range(1, 7):
        side = Side.BUY if number % 2 else Side.SELL
        given = intent(number, desk.at_ns, side)
        rehearsed(desk, rehearsal)
        said.append(desk.do(given))
        if rehearsal is not None:
            rehearsal.note(given)
        orders = desk.orders()
        rehearsed(desk, rehearsal)
        sent = tuple(OrderSent(one.cl_ord_id, desk.at_ns, 7) for one in orders)
        said.append(desk.do(OrdersSent(desk.at_ns, sent)))
        for order in orders:
            rehearsed(desk, rehearsal)
            said.append(desk.do(desk.report(order, ExecType.TRADE, order.qty_lots), after_ns=100_000_000))
    rehearsed(desk, rehearsal)
    said.append(desk.command(Verb.DISARM))
    rehearsed(desk, rehearsal)
    said.append(desk.do(intent(9, desk.at_ns)))
    return said, state(desk.engine.ledger)


def test_a_life_with_rehearsals_is_the_life_without() -> None:
    """The same actions at every event, and the same ledger to the last number in the end."""
    plain, ledger = life(rehearses=False)
    assert any(isinstance(one, SendOrders) for actions in plain for one in actions)
    again, ledger_again = life(rehearses=True)
    assert again == plain
    assert ledger_again == ledger


@pytest.mark.parametrize("armed", [True, False])
def test_a_rehearsal_makes_the_orders_of_every_leg_whatever_the_gate_says(armed: bool) -> None:  # noqa: FBT001
    """Before any intent and while execution is disarmed as well; their ids are none that an order could have."""
    desk = Desk(ready=armed)
    made = Rehearsal(desk.engine.ledger).next(desk.at_ns)
    assert made is not None
    decision, orders = made
    assert [(one.cl_ord_id, one.instrument_id, one.qty_lots) for one in orders] == [
        (f"{NAME}0-1", CU, 5),
        (f"{NAME}0-2", CA, 1),
    ]
    assert FrameEncoder().encode(decision)


def test_it_is_like_the_last_intent_of_its_pair() -> None:
    """Side, size and prices are those of the intent, so that texts of prices are at hand too."""
    desk = Desk()
    rehearsal = Rehearsal(desk.engine.ledger)
    given = intent(1, desk.at_ns, Side.SELL, 2)
    rehearsal.note(given)
    desk.do(given)
    made = rehearsal.next(desk.at_ns)
    assert made is not None
    alike = [(one.instrument_id, one.side, one.qty_lots, one.px_ticks) for one in desk.orders()]
    assert [(one.instrument_id, one.side, one.qty_lots, one.px_ticks) for one in made[1]] == alike


def test_pairs_without_a_rule_are_not_rehearsed() -> None:
    """Nothing can come for them."""
    assert RULE.pair_id == "CU-CA"
    desk = Desk(msgspec.structs.replace(SETTINGS, rules={}))
    assert Rehearsal(desk.engine.ledger).next(desk.at_ns) is None
