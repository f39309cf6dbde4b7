"""G7: 15:1, partial fills racing with cancels, and lost packets."""

from gateway.model.order import TimeInForce
from tests.simulation.scene import CHEAP_AT_1S, NEAR, Scene, fault, near


def test_g07_fifteen_to_one_stays_whole() -> None:
    """Half filled, cut off, told twice and out of order: whole units in the end, each lot once (`OwnOrder.add_fill`)."""
    scene = Scene(
        *CHEAP_AT_1S,
        near(1300, 3_998),
        near(1490, 3_990, lots=4),
        faults=[fault("partial", 1, fraction=0.5), fault("drop_connection", 2, processed=True)],
        wire={"replay_twice": 1.0, "replay_shuffled": 1.0},
        ratio=(15, 1),
        legs={NEAR: {"time_in_force": TimeInForce.DAY}},
        far_delay_ms=30,
    )
    scene.cut(1010, NEAR, 1400).play()
    first, second = scene.net()
    assert first == -15 * second
    assert [state for state, _ in scene.ends()] in (["hedged"], ["unwound"])
