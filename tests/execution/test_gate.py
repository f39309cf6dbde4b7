"""The gate: every check of the ladder by name, in its order."""

from collections.abc import Callable

import msgspec
import pytest
from desk import CA, CA_PX, CU, CU_BOOK, CU_PX, E9, PAIR, SETTINGS, Desk, S, brief, intent, quote, settings

from gateway.execution.ledger import ExecutionSettings
from gateway.execution.risk import LADDER, Refusal, judge
from gateway.model.instrument import PositionModel
from gateway.model.order import ExecType, ExecutionReport, SessionChanged, Side
from gateway.model.quote import BookState
from gateway.model.site import BreachAction
from gateway.model.trade import (
    BookStateChanged,
    Command,
    HoursChanged,
    Intent,
    IntentRefused,
    PositionReported,
    RefusalName,
    SendOrders,
    Verb,
)


def limits(**changes: object) -> ExecutionSettings:
    return msgspec.structs.replace(SETTINGS, limits=msgspec.structs.replace(SETTINGS.limits, **changes))


def of_instrument(name: str, **changes: object) -> ExecutionSettings:
    table = dict(SETTINGS.instrument_limits)
    table[name] = msgspec.structs.replace(table[name], **changes)
    return msgspec.structs.replace(SETTINGS, instrument_limits=table)


def of_venue(name: str, **changes: object) -> ExecutionSettings:
    table = dict(SETTINGS.venues)
    table[name] = msgspec.structs.replace(table[name], **changes)
    return msgspec.structs.replace(SETTINGS, venues=table)


def contract(name: str, **changes: object) -> ExecutionSettings:
    table = dict(SETTINGS.instruments)
    table[name] = msgspec.structs.replace(table[name], **changes)
    return msgspec.structs.replace(SETTINGS, instruments=table)


def leg(given: Intent, index: int, **changes: object) -> Intent:
    legs = list(given.legs)
    legs[index] = msgspec.structs.replace(legs[index], **changes)
    return msgspec.structs.replace(given, legs=tuple(legs))


def say(*events: object) -> Callable[[Desk], object]:
    return lambda desk: desk.do(*events)


def hedge_one(desk: Desk) -> None:
    for order in desk.open(99):
        desk.fill(order)


def leg_one(desk: Desk) -> None:
    """A pair trade under repair, its pair on record as legged."""
    first, second = desk.open(99)
    desk.fill(first)
    desk.reject(second)
    desk.books(*())


NOTHING = say()
UNKNOWN = ExecutionReport(
    "LME", 0, 0, 1, False, "Z9", "", "V9", "e9", "LME|e9", "", ExecType.TRADE, None, CA, Side.BUY, 1, 1, "9750", CA_PX, 1, 0, "9750"
)  # fmt: skip

CASES: dict[RefusalName, tuple[ExecutionSettings, Callable[[Desk], object], Intent]] = {
    RefusalName.HALTED: (SETTINGS, say(Command("k", Verb.KILL_HOLD, "li", "test")), intent()),
    RefusalName.STOPPING: (SETTINGS, say(Command("k", Verb.STOP, "li", "test")), intent()),
    RefusalName.DISARMED: (SETTINGS, say(Command("k", Verb.DISARM, "li", "test")), intent()),
    RefusalName.STAGE: (SETTINGS, say(Command("k", Verb.STAGE, "li", "test", "shadow")), intent()),
    RefusalName.OTHER_INCARNATION: (SETTINGS, NOTHING, intent(incarnation=2)),
    RefusalName.EXPIRED: (SETTINGS, NOTHING, intent(expires_ns=S - 1)),
    RefusalName.DUPLICATE_INTENT: (SETTINGS, hedge_one, intent(99)),
    RefusalName.UNKNOWN_PAIR: (SETTINGS, NOTHING, intent(pair_id="none")),
    RefusalName.MALFORMED: (SETTINGS, NOTHING, leg(intent(), 1, side=Side.BUY)),
    RefusalName.SESSION_DOWN: (SETTINGS, say(SessionChanged("LME", "orders", False, 0)), intent()),
    RefusalName.NOT_RECONCILED: (
        settings(max_open_trades=9),
        lambda desk: (desk.open(99), desk.down("LME"), desk.up("LME")),
        intent(),
    ),
    RefusalName.UNEXPLAINED: (SETTINGS, say(UNKNOWN), intent()),
    RefusalName.HOURS: (
        settings(shut_reserve_ns=60 * S),
        say(HoursChanged(CU, True, 61 * S - 1, "20260615")),
        intent(at_ns=S),
    ),
    RefusalName.FIXING: (settings(fixing_date="2026-06-15"), NOTHING, intent()),
    RefusalName.NOT_TRADABLE: (SETTINGS, say(BookStateChanged(CA, BookState.LIMIT_LOCKED, "")), intent()),
    RefusalName.QUOTE_AGE: (SETTINGS, NOTHING, leg(intent(), 0, recv_ns=-S - 1)),
    RefusalName.QUOTE_SKEW: (SETTINGS, NOTHING, leg(intent(), 1, recv_ns=-1)),
    RefusalName.PRICE_COLLAR: (SETTINGS, NOTHING, leg(intent(), 1, last_px_ticks=CA_PX + 199)),
    RefusalName.PAIR_COLLAR: (settings(collar_e9=50 * E9 - 1), NOTHING, intent()),
    RefusalName.MIN_SIZE: (contract(CA, min_qty_lots=2), NOTHING, intent()),
    RefusalName.MAX_SIZE: (contract(CU, max_qty_lots=4), NOTHING, intent()),
    RefusalName.ORDER_VALUE: (of_instrument(CU, max_order_value_e9=(CU_PX + 2) * 10 * 25 * E9 - 1), NOTHING, intent()),
    RefusalName.LEGGED_VALUE: (settings(legged_value_limit_e9=CU_PX * 5 * 50 * E9 - 1), NOTHING, intent()),
    RefusalName.SELF_MATCH: (
        settings(max_open_trades=9),
        lambda desk: desk.open(99, side=Side.SELL),
        leg(leg(intent(), 0, px_ticks=CU_PX - 4), 1, px_ticks=CA_PX),
    ),
    RefusalName.PAIR_BUSY: (SETTINGS, lambda desk: desk.open(99), intent()),
    RefusalName.OPEN_TRADES: (
        msgspec.structs.replace(
            settings(max_open_trades=9), limits=msgspec.structs.replace(SETTINGS.limits, max_open_trades=1)
        ),
        lambda desk: desk.open(99),
        intent(),
    ),
    RefusalName.PAIR_LEGGED: (
        settings(max_open_trades=9),
        lambda desk: desk.fill(desk.open(99)[0]),
        intent(),
    ),
    RefusalName.LEGGED_TRADES: (limits(max_legged_trades=0), NOTHING, intent()),
    RefusalName.INSTRUMENT_POSITION: (of_instrument(CA, max_position_lots=1), hedge_one, intent()),
    RefusalName.NOT_SELLABLE: (contract(CA, position_model=PositionModel.T_PLUS_1), NOTHING, intent()),
    RefusalName.PAIR_POSITION: (settings(max_units=1), hedge_one, intent()),
    RefusalName.VENUE_POSITION: (of_venue("SHFE", max_gross_lots=4), NOTHING, intent()),
    RefusalName.MARGIN: (
        msgspec.structs.replace(
            of_instrument(CU, margin_per_lot_e9=46_800 * E9),
            venues=of_venue("SHFE", margin_available_e9={"CNY": 5 * 46_800 * E9 - 1}).venues,
        ),
        NOTHING,
        intent(),
    ),
    RefusalName.CURRENCY_EXPOSURE: (settings(max_currency_e9={"USD": CA_PX * 25 * E9 // 2 - 1}), NOTHING, intent()),
    RefusalName.ORDER_RATE: (limits(max_orders_per_s=3), hedge_one, intent()),
    RefusalName.ORDERS_PER_DAY: (of_instrument(CU, max_orders_per_day=1), hedge_one, intent()),
    RefusalName.CANCELS_PER_DAY: (of_instrument(CU, max_cancels_per_day=0), NOTHING, intent()),
    RefusalName.RUNAWAY: (limits(orders_per_intent=1), hedge_one, intent()),
    RefusalName.THROTTLED: (limits(throttle_trades=1), hedge_one, intent()),
    RefusalName.DAILY_LOSS: (
        limits(daily_loss_e9={"CNY": 0}),
        lambda desk: [desk.fill(order) for order in desk.open(99)],
        intent(),
    ),
}


def test_the_ladder_has_every_name_in_the_order_of_the_enum() -> None:
    """The order of RefusalName is the order of the checks."""
    assert [name for name, _ in LADDER] == list(RefusalName)
    assert list(CASES) == list(RefusalName)


def first_refusal(desk: Desk, asked: Intent) -> Refusal | None:
    """The whole ladder, every step of it."""
    for name, check in LADDER:
        if figures := check(desk.engine.ledger, asked, desk.at_ns):
            return Refusal(name, figures)
    return None


@pytest.mark.parametrize("name", list(RefusalName), ids=lambda name: name.value)
def test_steps_that_are_left_out_would_refuse_nothing(name: RefusalName) -> None:
    """The gate leaves out checks without a limit; the whole ladder says the same, with the same figures."""
    given, prepare, asked = CASES[name]
    desk = Desk(given)
    prepare(desk)
    verdict = judge(desk.engine.ledger, asked, desk.at_ns)
    assert isinstance(verdict, Refusal)
    assert first_refusal(desk, asked) == verdict
    kept = desk.engine.ledger.ladders.get(asked.pair_id, LADDER)
    plain = Desk()
    judge(plain.engine.ledger, intent(), plain.at_ns)
    assert name in [step for step, _ in kept]
    assert len(plain.engine.ledger.ladders["CU-CA"]) < len(LADDER)


@pytest.mark.parametrize("name", list(RefusalName), ids=lambda name: name.value)
def test_each_check_refuses_by_its_name(name: RefusalName) -> None:
    """What one check is about is refused under its name, with figures, and nothing is sent."""
    given, prepare, asked = CASES[name]
    desk = Desk(given)
    prepare(desk)
    actions = desk.do(asked)
    refused = desk.announced(IntentRefused)
    assert [one.name for one in refused if isinstance(one, IntentRefused)] == [name]
    assert all(one.figures for one in refused if isinstance(one, IntentRefused))
    assert not any(isinstance(one, SendOrders) for one in actions)


def test_what_passes_sends_both_legs_at_once() -> None:
    """An intent inside every limit leaves as one action with both orders, at the price seen plus the pay-up."""
    desk = Desk()
    actions = desk.do(intent())
    assert [type(one).__name__ for one in actions] == ["SendOrders", "SetTimer", "Announce"]
    assert brief(desk.orders()) == [
        (CU, "BUY", 5, CU_PX + 2, "O"),
        (CA, "SELL", 1, CA_PX - 2, ""),
    ]


def test_an_order_at_the_limit_passes() -> None:
    """A limit is the last value that is allowed."""
    desk = Desk(of_instrument(CU, max_order_value_e9=(CU_PX + 2) * 10 * 25 * E9))
    assert desk.open()


def test_a_throttled_rule_stays_so_until_a_person_arms() -> None:
    """The throttle is not over when its window is: it waits for a named person."""
    desk = Desk(limits(throttle_trades=1))
    hedge_one(desk)
    desk.do(intent(2, desk.at_ns))
    assert desk.alarms() == ["throttled"]
    desk.at_ns += 120 * S
    desk.do(intent(3, desk.at_ns))
    assert desk.announced(IntentRefused)
    desk.do(Command("again", Verb.ARM, "wang", "looked at it"))
    assert desk.open(4)


@pytest.mark.parametrize(
    ("action", "armed", "held"),
    [(BreachAction.DISARM, False, False), (BreachAction.HOLD, False, True), (BreachAction.BALANCE, False, False)],
)
def test_a_breach_of_the_whole_is_acted_on_as_the_site_says(action: BreachAction, *, armed: bool, held: bool) -> None:
    """The loss of the day over its limit disarms, holds or balances by itself, once, with an alarm; and an arm by a
    named person is needed.
    """
    desk = Desk(limits(daily_loss_e9={"CNY": 0}, on_breach=action))
    for order in desk.open(99):
        desk.fill(order)
    desk.do(intent(2, desk.at_ns))
    assert desk.alarms() == ["limit_breached"]
    assert (desk.engine.ledger.armed, desk.engine.ledger.held) == (armed, held)
    desk.do(intent(3, desk.at_ns))
    assert desk.alarms() == []


def test_an_unexplained_position_freezes_its_instrument_until_explained() -> None:
    """Where the venue counts other than we do, nothing trades until a person has explained it."""
    desk = Desk()
    desk.do(PositionReported(CU, 3, "statement"))
    assert desk.alarms() == ["position_differs"]
    desk.do(intent(2, desk.at_ns))
    assert [one.name for one in desk.announced(IntentRefused)] == [RefusalName.UNEXPLAINED]
    desk.command(Verb.EXPLAIN, CU)
    assert desk.open(3)


def test_what_may_still_be_unwound_counts_in_the_worst_case() -> None:
    """A leg may yet be filled to its target, and what it has filled may yet be traded back."""
    desk = Desk()
    first, _ = desk.open(1, side=Side.SELL)
    assert desk.engine.ledger.swing(CU) == (0, 5)
    desk.fill(first, 3)
    assert desk.engine.ledger.swing(CU) == (3, 2)
    desk.fill(first, 2)
    assert desk.engine.ledger.swing(CU) == (5, 0)


def test_an_unwinding_order_that_is_out_counts_after_a_bust_of_what_it_unwinds() -> None:
    """The bust takes the leg to zero; the order that was closing it may still be filled."""
    desk = Desk()
    first, second = desk.open(1)
    fill = desk.report(first, ExecType.TRADE, 5)
    desk.do(fill)
    desk.reject(second)
    desk.books(CU_BOOK, quote(CA, CA_PX - 100, CA_PX - 99))
    assert brief(desk.orders())[0][:3] == (CU, "SELL", 5)
    desk.do(desk.report(first, ExecType.TRADE_CANCEL, 5, cum=0, ref_exec_key=fill.exec_key))
    assert desk.engine.ledger.swing(CU) == (5, 5)


def test_a_statement_is_compared_while_a_trade_waits_but_not_while_an_order_is_out() -> None:
    """A legged trade does not hide that the venue counts otherwise; an order on its way may."""
    desk = Desk()
    first, second = desk.open()
    desk.do(PositionReported(CU, 3, "statement"))
    assert desk.alarms() == []
    desk.fill(first)
    desk.reject(second)
    desk.do(PositionReported(CU, 3, "statement"))
    assert desk.alarms() == ["position_differs"]


def test_a_shut_leg_refuses() -> None:
    """A leg outside its trading hours refuses, whatever its quote says."""
    desk = Desk()
    desk.do(HoursChanged(CA, False, 0, "20260615"))
    desk.do(intent(2, desk.at_ns))
    assert [one.name for one in desk.announced(IntentRefused)] == [RefusalName.HOURS]


def test_counts_of_a_day_begin_anew_with_the_trading_day() -> None:
    """The night session counts to the next trading day."""
    desk = Desk(of_instrument(CU, max_orders_per_day=1))
    desk.do(HoursChanged(CU, True, 0, "20260615"))
    hedge_one(desk)
    desk.do(intent(2, desk.at_ns))
    assert [one.name for one in desk.announced(IntentRefused)] == [RefusalName.ORDERS_PER_DAY]
    desk.do(HoursChanged(CU, True, 0, "20260616"))
    assert desk.open(3)


def test_limits_are_by_instrument() -> None:
    """InstrumentLimits of one contract do not bind another."""
    desk = Desk(of_instrument("LME.CB", max_position_lots=0))
    assert desk.open()


def test_a_quote_as_old_as_allowed_passes() -> None:
    """Age is refused above the limit, not at it."""
    desk = Desk(settings(max_quote_skew_ns=9 * S))
    desk.do(leg(intent(), 0, recv_ns=-PAIR.legs[0].max_quote_age_ns + S))
    assert desk.orders()
