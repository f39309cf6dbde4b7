"""G13: a reconciliation counted an inferred fill and the real fill."""

from tests.simulation.scene import CHEAP_AT_1S, FAR, Scene


def test_g13_the_real_fill_takes_the_inferred_one_s_place() -> None:
    """CumQty(14) of the status answer counts first, the fill that is sent again after it adds nothing (`_recount`)."""
    scene = Scene(*CHEAP_AT_1S, wire={"replay_after_answers": 1.0, "replay_twice": 1.0}, far_delay_ms=60)
    scene.cut(1100, FAR, 1500).play()
    assert scene.ends() == [("hedged", (1, 1))]
    assert scene.net() == (1, -1)
    assert len(scene.orders(FAR)) == 1
    assert scene.faults["replay_after_answers"] == 1
