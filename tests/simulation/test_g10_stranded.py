"""G10: a limit leg was stranded for hours after the market had moved."""

from gateway.model.order import TimeInForce
from gateway.model.trade import PairTradeChanged
from tests.simulation.scene import CHEAP_AT_1S, FAR, Scene, far, fault


def test_g10_a_leg_that_the_market_left_ends_within_seconds() -> None:
    """The market leaves, the first cancel is refused: cancelled again and unwound (`ExecutionEngine._chase`)."""
    scene = Scene(
        *CHEAP_AT_1S,
        far(1030, 3_900),
        far_faults=[fault("cancel_reject", 1)],
        legs={FAR: {"time_in_force": TimeInForce.DAY}},
        far_delay_ms=60,
        pair={"slippage_budget_e9": 0},
    )
    far_venue = scene.lines["LME"].venue
    scene.on(2_000, lambda: [order.faults.clear() for order in far_venue.orders()])
    scene.play()
    assert scene.ends() == [("unwound", (0, 0))]
    ended_ns = max(at_ns for at_ns, what in scene.told if isinstance(what, PairTradeChanged))
    assert ended_ns < 5_000_000_000
