"""G9: new clips were opened while the last hedge was still pending; a runaway loop of 15 trades in a minute."""

import msgspec

from gateway.execution.ledger import ExecutionSettings
from tests.simulation.scene import CHEAP_AT_1S, Scene, fault


def _five_a_minute(given: ExecutionSettings) -> ExecutionSettings:
    limits = msgspec.structs.replace(given.limits, throttle_trades=5, throttle_window_ns=60_000_000_000)
    return msgspec.structs.replace(given, limits=limits)


def test_g09_no_clip_while_a_hedge_is_pending() -> None:
    """A second rule meets the same books while the hedge's report is late: refused by name (`risk._pair_busy`)."""
    scene = Scene(*CHEAP_AT_1S, far_faults=[fault("delay", 1, delay_ms=400)], rules=2).play()
    assert "pair_busy" in scene.refused()
    assert scene.ends()[0] == ("hedged", (1, 1))
    opened_ns = [trade.opened_ns for trade in scene.trades]
    assert all(later - opened_ns[0] >= 400_000_000 for later in opened_ns[1:])


def test_g09_a_runaway_rule_is_throttled_until_a_named_person_arms_it() -> None:
    """Five pair trades of a rule within its window, then none (`risk._throttled`)."""
    scene = Scene(*CHEAP_AT_1S, rule={"max_units": 100}, pair={"max_units": 100}, change=_five_a_minute).play()
    assert len(scene.trades) == 5
    assert set(scene.refused()) == {"throttled"}
    assert scene.alarmed().count("throttled") == 1
