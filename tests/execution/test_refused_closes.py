"""Lots that the venue refuses to close are taken for gone: the next order takes others, or opens."""

from gateway.execution.positions import REFUSED_CLOSES, Position
from gateway.model.instrument import PositionModel
from gateway.model.order import Order, OrdType, PositionEffect, Side, TimeInForce


def order(side: Side, effect: PositionEffect, lots: int = 6) -> Order:
    return Order("O1", "SHFE", "A", "SHFE.cu", side, lots, OrdType.LIMIT, 10, TimeInForce.IOC, effect, "")


def with_yesterdays_lots() -> Position:
    """Six lots of yesterday and six of today, long."""
    one = Position("SHFE.cu", PositionModel.OPEN_CLOSE_TODAY)
    one.on_day("20260615", "")
    one.seed(Side.BUY, 6, today=False)
    one.seed(Side.BUY, 6, today=True)
    return one


def refuse(one: Position, effect: PositionEffect, times: int) -> None:
    for _ in range(times):
        one.refuse(order(Side.SELL, effect), one.day)


def test_lots_whose_close_was_refused_often_are_not_closed_again() -> None:
    """One refusal changes nothing; after several in turn the other lots are closed, and after theirs it opens."""
    one = with_yesterdays_lots()
    refuse(one, PositionEffect.CLOSE, REFUSED_CLOSES - 1)
    assert one.effects(Side.SELL, 6) == [(6, PositionEffect.CLOSE)]
    refuse(one, PositionEffect.CLOSE, 1)
    assert one.effects(Side.SELL, 6) == [(6, PositionEffect.CLOSE_TODAY)]
    refuse(one, PositionEffect.CLOSE_TODAY, REFUSED_CLOSES)
    assert one.effects(Side.SELL, 6) == [(6, PositionEffect.OPEN)]


def test_a_fill_or_a_new_day_ends_the_doubt() -> None:
    """A close that is filled shows that the lots are there, and a new day begins with all of them."""
    one = with_yesterdays_lots()
    refuse(one, PositionEffect.CLOSE, REFUSED_CLOSES)
    one.fill(order(Side.SELL, PositionEffect.CLOSE), 1, one.day)
    assert one.effects(Side.SELL, 5) == [(5, PositionEffect.CLOSE)]
    refuse(one, PositionEffect.CLOSE, REFUSED_CLOSES)
    one.on_day("20260616", "")
    assert one.effects(Side.SELL, 11) == [(11, PositionEffect.CLOSE)]


def test_an_order_that_opens_counts_nothing() -> None:
    """A refused opening says nothing of the lots that are held."""
    one = with_yesterdays_lots()
    refuse(one, PositionEffect.OPEN, REFUSED_CLOSES)
    assert one.effects(Side.SELL, 6) == [(6, PositionEffect.CLOSE)]
