"""G12: two executions on one side, none on the other."""

from tests.simulation.scene import CHEAP_AT_1S, NEAR, Scene, fault


def test_g12_twice_told_is_once_traded() -> None:
    """The intent arrives twice, every report twice, the far leg is lost: one unit each (`risk._duplicate_intent`)."""
    scene = Scene(
        *CHEAP_AT_1S,
        faults=[fault("duplicate", 1)],
        far_faults=[fault("silence", 1, lost=True)],
        wire={"duplicate_intent": 1.0},
    ).play()
    assert scene.ends() == [("hedged", (1, 1))]
    assert scene.net() == (1, -1)
    assert len(scene.orders(NEAR)) == 1
    assert "duplicate_intent" in scene.refused()
