"""G2: one leg filled at 11:30, the other sent and cancelled through the lunch break, over 20 000 cancels."""

from gateway.model.site import DispatchMode
from simulators.core.values import CLOSED, READY
from tests.simulation.scene import CHEAP_AT_1S, NEAR, Scene, status


def test_g02_nothing_is_sent_into_the_break() -> None:
    """No order or cancel meets the shut venue; what was filled is closed where it can be (`Ledger.not_tradable`)."""
    scene = Scene(
        *CHEAP_AT_1S,
        status(1050, NEAR, CLOSED),
        status(4000, NEAR, READY),
        pair={"dispatch": DispatchMode.LEAD_THEN_HEDGE, "lead_leg": 1},
        far_delay_ms=60,
        until_ms=5_000,
    ).play()
    to_the_near = [at_ns for at_ns, order in scene.sent if order.instrument_id == NEAR]
    assert min(to_the_near) > 3_980_000_000
    assert scene.ends() == [("unwound", (0, 0)), ("hedged", (1, 1))]
    assert len(scene.sent) == 4
