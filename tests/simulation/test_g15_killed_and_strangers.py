"""G15: state was lost because it was saved at exit only; manual fills were taken for the strategy's own."""

import pytest

from tests.simulation.scene import CHEAP_AT_1S, FAR, Scene
from tests.simulation.trouble import stranger

POINTS = ("kill_before_write", "kill_after_write", "kill_between_sends", "kill_after_sends", "kill_any_time")


@pytest.mark.parametrize("where", POINTS)
def test_g15_killed_anywhere_nothing_is_lost(where: str) -> None:
    """Killed around the write and the sends: a new process reads the journal and ends it whole (`process.start`)."""
    scene = Scene(*CHEAP_AT_1S, far_delay_ms=60, rule={"ttl_ns": 100_000_000})
    scene.kill(1000, where).play()
    assert scene.faults[where] == 1
    first, second = scene.net()
    assert first == -second
    assert {state for state, _ in scene.ends()} <= {"hedged", "unwound", "missed"}


def test_g15_a_stranger_s_fill_is_not_ours() -> None:
    """A fill of an order that we never sent changes no position and freezes its instrument (`VenueWords._not_ours`)."""
    scene = Scene(*CHEAP_AT_1S)
    line = scene.lines[FAR.partition(".")[0]]
    scene.on(500, lambda: line.said(scene.now_ns, [stranger(scene, scene.now_ns, line)])).play()
    assert set(scene.refused()) == {"unexplained"}
    assert scene.net() == (0, 0)
    assert scene.process is not None
    assert scene.process.engine.ledger.positions[FAR].net_lots == 0
