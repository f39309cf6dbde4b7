"""A share: bought today it is sold from the next trading day on, and it is never sold short."""

import msgspec
from desk import CA, CA_BOOK, CA_PX, CU, CU_BOOK, SETTINGS, Desk, intent, quote, settings

from gateway.execution.ledger import ExecutionSettings
from gateway.execution.positions import Position
from gateway.model.instrument import PositionModel
from gateway.model.order import Order, OrdType, PositionEffect, Side, TimeInForce
from gateway.model.trade import HoursChanged, IntentRefused, PairTradeChanged, RefusalName

MONDAY, TUESDAY = "20261123", "20261124"


def share() -> ExecutionSettings:
    """The desk's first leg as a share."""
    table = dict(SETTINGS.instruments)
    table[CU] = msgspec.structs.replace(table[CU], position_model=PositionModel.T_PLUS_1)
    return msgspec.structs.replace(settings(max_open_trades=9), instruments=table)


def order(side: Side, lots: int, name: str = "O1") -> Order:
    return Order(name, "SSE", "A", "SSE.s", side, lots, OrdType.LIMIT, 10, TimeInForce.IOC, PositionEffect.NONE, "")


def held(position: Position) -> tuple[int, int | None, int | None]:
    return position.net_lots, position.held_before_today, position.sellable_lots


def test_what_is_bought_today_is_sold_from_tomorrow_on() -> None:
    """An order carries no effect; lots become sellable when the trading day changes, and a working sale freezes them."""
    one = Position("SSE.s", PositionModel.T_PLUS_1)
    one.on_day(MONDAY, "")
    assert one.effects(Side.BUY, 7) == [(7, PositionEffect.NONE)]
    one.fill(order(Side.BUY, 7), 7, one.day)
    assert held(one) == (7, 0, 0)
    one.on_day(TUESDAY, "")
    assert held(one) == (7, 7, 7)
    one.fill(order(Side.BUY, 2), 2, one.day)
    sale = order(Side.SELL, 5)
    one.freeze(sale)
    assert held(one) == (9, 7, 2)
    one.fill(sale, 3, one.day)
    one.thaw(sale, 3, one.day)
    assert held(one) == (6, 4, 2)
    one.thaw(sale, 2, one.day)
    assert held(one) == (6, 4, 4)
    report = one.report()
    assert (report.long_today_lots, report.long_yesterday_lots, report.short_today_lots) == (2, 4, 0)


def test_a_bust_of_yesterdays_purchase_takes_sellable_lots_back() -> None:
    """Told on the next day, it was no purchase of today's."""
    one = Position("SSE.s", PositionModel.T_PLUS_1)
    one.on_day(MONDAY, "")
    bought_on = one.day
    one.fill(order(Side.BUY, 7), 7, bought_on)
    one.on_day(TUESDAY, "")
    one.fill(order(Side.BUY, 7), -7, bought_on)
    assert held(one) == (0, 0, 0)


def refusals(desk: Desk) -> list[tuple[RefusalName, str]]:
    return [(one.name, one.figures) for one in desk.announced(IntentRefused) if isinstance(one, IntentRefused)]


def test_the_gate_refuses_to_sell_what_was_bought_today_or_is_not_held() -> None:
    """Short selling and selling on the day of the purchase are refused by name; the next day's sale passes."""
    desk = Desk(share())
    desk.do(HoursChanged(CU, True, 0, MONDAY))
    desk.do(intent(1, side=Side.SELL))
    words = f"{CU}: 5 lots, 0 of those held before today are free"
    assert refusals(desk) == [(RefusalName.NOT_SELLABLE, words)]
    for one in desk.open(2):
        desk.fill(one)
    desk.do(intent(3, side=Side.SELL))
    assert refusals(desk) == [(RefusalName.NOT_SELLABLE, words)]
    desk.do(HoursChanged(CU, True, 0, TUESDAY))
    assert [one.side for one in desk.open(4, side=Side.SELL)] == [Side.SELL, Side.BUY]
    desk.do(intent(5, side=Side.SELL))
    assert refusals(desk) == [(RefusalName.NOT_SELLABLE, words)], "the open trade may still sell all of them"


def test_a_share_that_was_bought_is_not_unwound_on_the_same_day() -> None:
    """The other leg missed: where completing is too dear, the trade waits with the reason instead of selling short."""
    desk = Desk(msgspec.structs.replace(share(), pairs=settings(slippage_budget_e9=0, max_open_trades=9).pairs))
    desk.do(HoursChanged(CU, True, 0, MONDAY))
    first, second = desk.open(1)
    desk.fill(first)
    desk.cancelled(second)
    sent = len(desk.sent)
    desk.books(CU_BOOK, quote(CA, CA_PX - 100, CA_PX - 99))
    assert len(desk.sent) == sent
    told = [one for one in desk.announced(PairTradeChanged) if isinstance(one, PairTradeChanged)]
    assert f"{CU}: 5 lots to sell, 0 may be sold today" in " ".join(str(one) for one in told)


def test_a_share_that_was_bought_is_completed_where_that_is_within_the_budget() -> None:
    """What cannot be taken back is hedged."""
    desk = Desk(share())
    desk.do(HoursChanged(CU, True, 0, MONDAY))
    first, second = desk.open(1)
    desk.fill(first)
    desk.cancelled(second)
    desk.books(CU_BOOK, CA_BOOK)
    assert [(one.instrument_id, one.side) for one in desk.orders()] == [(CA, Side.SELL)]
