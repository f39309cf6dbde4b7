"""G14: a handler was blocked for three hours after the broker restarted; no time-out on a request."""

from gateway.model.trade import PairTradeChanged
from tests.simulation.scene import CHEAP_AT_1S, FAR, Scene, fault


def test_g14_a_silent_venue_is_chased_by_time_outs() -> None:
    """No report of the order ever leaves: cancelled, asked about, known within 2 s (`ExecutionEngine._overdue`)."""
    scene = Scene(*CHEAP_AT_1S, far_faults=[fault("silence", 1)]).play()
    assert scene.ends() == [("hedged", (1, 1))]
    assert _ended_ns(scene) < 3_000_000_000


def test_g14_a_venue_that_was_away_is_asked_when_it_is_back() -> None:
    """Gone for 3 s, nothing resent: in doubt, asked about after the logon, never sent again (`VenueWords.on_session`)."""
    scene = Scene(*CHEAP_AT_1S, far_delay_ms=60, wire={"numbers_reset": 1.0})
    scene.cut(1080, FAR, 4_080).play()
    assert scene.ends() == [("hedged", (1, 1))]
    assert len(scene.orders(FAR)) == 1
    assert "order_in_doubt" in scene.alarmed()
    assert _ended_ns(scene) < 4_600_000_000


def _ended_ns(scene: Scene) -> int:
    return max(at_ns for at_ns, what in scene.told if isinstance(what, PairTradeChanged))
