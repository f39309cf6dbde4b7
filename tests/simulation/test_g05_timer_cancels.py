"""G5: the active leg was filled, a timer cancelled the passive leg, nobody hedged again."""

from gateway.model.order import TimeInForce
from tests.simulation.scene import CHEAP_AT_1S, FAR, Scene, far, near


def test_g05_a_leg_cancelled_by_its_timer_is_hedged_again() -> None:
    """The far leg rests, its time runs out, it is cancelled and bought anew (`Settler.settle` after `_overdue`)."""
    scene = Scene(
        *CHEAP_AT_1S,
        near(1030, 3_970),
        far(1030, 3_995),
        legs={FAR: {"time_in_force": TimeInForce.DAY}},
        far_delay_ms=60,
    ).play()
    assert scene.ends() == [("hedged", (1, 1))]
    assert [order.px_ticks for order in scene.orders(FAR)] == [3_998, 3_993]
    assert scene.net() == (1, -1)
