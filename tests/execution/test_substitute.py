"""A leg that has a substitute: what the gate counts for it, where lots are unwound, and what doubt may do."""

import msgspec
import pytest
from desk import CA, CA_PX, CU, CU_BOOK, CU_PX, LEGS, MS, SUB, Desk, S, brief, intent, quote, settings

from gateway.execution.ledger import ExecutionSettings
from gateway.model.order import ExecType
from gateway.model.site import InDoubtPolicy
from gateway.model.trade import HoursChanged, IntentRefused, OrderState, PairTradeState, RefusalName

WITH_SUB = (LEGS[0], msgspec.structs.replace(LEGS[1], substitute_id=SUB))
SUB_BOOK = quote(SUB, CA_PX, CA_PX + 1)


def limited(name: str, lots: int, **pair: object) -> ExecutionSettings:
    """With a substitute, and this position limit of one instrument."""
    given = settings(legs=WITH_SUB, **pair)
    table = dict(given.instrument_limits)
    table[name] = msgspec.structs.replace(table[name], max_position_lots=lots)
    return msgspec.structs.replace(given, instrument_limits=table)


def shut(desk: Desk, name: str) -> None:
    desk.do(HoursChanged(name, False, 0, "20260615"))


def hedged_in_the_substitute(given: ExecutionSettings, units: int = 1) -> Desk:
    """LME.CA shuts before its leg is filled: the repair sells LME.CB."""
    desk = Desk(given)
    cu, ca = desk.open(units=units)
    desk.fill(cu)
    shut(desk, CA)
    desk.reject(ca)
    desk.books(CU_BOOK, SUB_BOOK)
    return desk


@pytest.mark.parametrize(("lots", "refused"), [(2, False), (1, True)])
def test_the_gate_counts_what_a_substitute_may_come_to_hold(lots: int, *, refused: bool) -> None:
    """An intent that might have to be hedged in the substitute is refused where the substitute's limit is too small."""
    desk = Desk(limited(SUB, lots))
    desk.do(intent(units=2))
    names = [(one.name, one.figures) for one in desk.announced(IntentRefused) if isinstance(one, IntentRefused)]
    wanted = (RefusalName.INSTRUMENT_POSITION, f"{SUB}: up to 2 lots as a substitute, at most 1")
    assert names == ([wanted] if refused else [])


def test_open_trades_count_in_their_substitute_too() -> None:
    """Two trades that are not yet hedged may both end up there."""
    desk = Desk(limited(SUB, 3, max_open_trades=5, max_units=9))
    desk.open(1, units=2)
    desk.do(intent(2, desk.at_ns, units=2))
    assert [one.figures for one in desk.announced(IntentRefused) if isinstance(one, IntentRefused)] == [
        f"{SUB}: up to 4 lots as a substitute, at most 3"
    ]


def test_the_venue_of_a_substitute_is_counted() -> None:
    """Its lots and its margin stand beside those of the leg itself: both may be asked for."""
    given = limited(SUB, 50)
    venues = {**given.venues, "LME": msgspec.structs.replace(given.venues["LME"], max_gross_lots=1)}
    desk = Desk(msgspec.structs.replace(given, venues=venues))
    desk.do(intent())
    assert [one.name for one in desk.announced(IntentRefused) if isinstance(one, IntentRefused)] == [
        RefusalName.VENUE_POSITION
    ]


def test_lots_are_unwound_where_they_are_held() -> None:
    """One of two lots stands in the substitute: each is bought back where it was sold."""
    desk = Desk(settings(legs=WITH_SUB, slippage_budget_e9=0))
    cu, ca = desk.open(units=2)
    fill = desk.report(cu, ExecType.TRADE, 10)
    desk.do(fill)
    desk.fill(ca, 1)
    shut(desk, CA)
    desk.cancelled(ca)
    desk.books(CU_BOOK, SUB_BOOK)
    (sub,) = desk.orders()
    assert brief([sub]) == [(SUB, "SELL", 1, CA_PX - 2, "")]
    desk.fill(sub)
    assert desk.state() is PairTradeState.HEDGED
    desk.do(HoursChanged(CA, True, 0, "20260615"))
    desk.do(desk.report(cu, ExecType.TRADE_CANCEL, cum=0, ref_exec_key=fill.exec_key, exec_key="B1"))
    desk.books(quote(CU, CU_PX + 90, CU_PX + 91), quote(CA, CA_PX, CA_PX + 1), SUB_BOOK)
    assert brief(desk.orders()) == [(CA, "BUY", 1, CA_PX + 5, ""), (SUB, "BUY", 1, CA_PX + 5, "")]


def test_the_own_instrument_is_never_unwound_beyond_what_it_holds() -> None:
    """What stands in the substitute while that is shut waits: buying the own one instead would open a position."""
    desk = hedged_in_the_substitute(settings(legs=WITH_SUB, slippage_budget_e9=10**15))
    (sub,) = desk.orders()
    assert brief([sub]) == [(SUB, "SELL", 1, CA_PX - 2, "")]
    desk.fill(sub)
    assert desk.state() is PairTradeState.HEDGED
    cu = next(iter(desk.engine.ledger.orders.values())).order
    fill = next(iter(desk.engine.ledger.orders[cu.cl_ord_id]._fills))
    desk.do(HoursChanged(CA, True, 0, "20260615"))
    shut(desk, SUB)
    shut(desk, CU)
    bust = desk.report(cu, ExecType.TRADE_CANCEL, cum=0, ref_exec_key=fill, exec_key="B1")
    desk.do(bust)
    desk.books(CU_BOOK, quote(CA, CA_PX, CA_PX + 1), SUB_BOOK)
    assert desk.orders() == []
    assert desk.state() is PairTradeState.WAITING


def test_doubt_is_hedged_in_the_substitute_though_the_own_market_is_open() -> None:
    """The policy names the substitute because the own venue does not answer: a second order there may double the first."""
    given = settings(legs=WITH_SUB, in_doubt=InDoubtPolicy.HEDGE_SUBSTITUTE, in_doubt_limit_ns=10 * S)
    desk = Desk(given)
    cu, ca = desk.open()
    desk.fill(cu)
    for _ in range(4):
        desk.timer("reply:P1-1", 1500 * MS)
    assert desk.engine.ledger.orders[ca.cl_ord_id].state is OrderState.IN_DOUBT
    desk.timer("doubt:P1-1", 10 * S)
    desk.books(CU_BOOK, quote(CA, CA_PX, CA_PX + 1), SUB_BOOK)
    assert brief(desk.orders()) == [(SUB, "SELL", 1, CA_PX - 2, "")]


def test_doubt_of_a_leg_without_a_substitute_is_a_person_s() -> None:
    """The policy says nothing about it, and nothing is guessed."""
    desk = Desk(settings(legs=WITH_SUB, in_doubt=InDoubtPolicy.HEDGE_SUBSTITUTE, in_doubt_limit_ns=10 * S))
    _, ca = desk.open()
    desk.fill(ca)
    for _ in range(4):
        desk.timer("reply:P1-1", 1500 * MS)
    desk.timer("doubt:P1-1", 10 * S)
    assert (desk.state(), desk.told().cause) == (PairTradeState.HALTED, "in_doubt")


def test_a_residual_passes_the_gate() -> None:
    """What a ratio leaves over is traded within the limits: here its order would be worth too much."""
    desk = Desk(settings(residual_lots_e9=500_000_000, max_units=9))
    for number in (1, 2):
        for order in desk.open(number):
            desk.fill(order)
        desk.timer("residual:CU-CA", 1)
    table = desk.engine.ledger.settings.instrument_limits
    table[CU] = msgspec.structs.replace(table[CU], max_order_value_e9=1)
    try:
        desk.books(CU_BOOK)
    finally:
        table[CU] = msgspec.structs.replace(table[CU], max_order_value_e9=50_000_000 * 10**9)
    (refused,) = desk.announced(IntentRefused)
    assert isinstance(refused, IntentRefused)
    assert (refused.rule_id, refused.name) == ("residual", RefusalName.ORDER_VALUE)
    assert desk.orders() == []
    assert desk.engine.ledger.residual_e9 == {"CU-CA": 10**9}
