"""G8: a fill that arrived during a cancel was not hedged."""

from gateway.model.order import TimeInForce
from tests.simulation.scene import AGREE, CHEAP_AT_1S, FAR, Scene, far


def test_g08_the_fill_that_overtakes_a_cancel_counts() -> None:
    """The resting leg is filled while its cancel travels: nobody hedges meanwhile (`Settler._balance`)."""
    scene = Scene(
        *CHEAP_AT_1S,
        far(1030, 3_995),
        far(1530, AGREE),
        legs={FAR: {"time_in_force": TimeInForce.DAY}},
        far_delay_ms=60,
    ).play()
    assert scene.ends() == [("hedged", (1, 1))]
    assert len(scene.orders(FAR)) == 1
    assert scene.net() == (1, -1)
