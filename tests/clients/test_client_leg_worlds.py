"""Random lives of orders on a leg, with kills, lost messages and lost sessions: nothing is done twice, all is told."""

import pytest
from leg_world import LegWorld

from gateway.model.order import ExecType


@pytest.mark.parametrize("seed", range(20))
def test_an_order_on_a_leg_is_never_at_the_venue_twice_and_all_of_it_is_told(seed: int) -> None:
    """At each step no more is at the venue than was asked; at rest the client counts what the venue has filled."""
    world = LegWorld(seed)
    for _ in range(1500):
        world.step()
    world.rest()
    assert world.clients.orders_of("F") == []
    assert [one for one in world.book.values() if one.open] == []
    assert world.asked, "it has ordered something"
    for order_id in world.asked:
        one = world.clients.book.orders[order_id]
        filled = sum(each.filled for each in world.by_order.get(order_id, ()))
        told = [report for report in world.reports if report.order_id == order_id]
        traded = sum(report.last_qty for report in told if report.exec_type is ExecType.TRADE)
        assert (one.cum_qty, traded, told[-1].cum_qty) == (filled, filled, filled), order_id
        ends = [report for report in told if report.exec_type in (ExecType.CANCELED, ExecType.EXPIRED)]
        assert len(ends) + (one.ord_status == "2") == 1, (order_id, [report.exec_type for report in told])
