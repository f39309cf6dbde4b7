"""G4: legs were left unbalanced when the strategy was stopped."""

from gateway.model.trade import Verb
from tests.simulation.scene import CHEAP_AT_1S, Scene, fault


def test_g04_a_stop_opens_nothing_and_ends_balanced() -> None:
    """Stopped with one leg filled and the other rejected: repaired, then nothing new (`Verb.STOP`, `Settler.settle`)."""
    scene = Scene(*CHEAP_AT_1S, far_faults=[fault("reject", 1)], far_delay_ms=60, rule={"max_units": 5})
    scene.say(1050, Verb.STOP).play()
    assert scene.ends() == [("hedged", (1, 1))]
    assert scene.net() == (1, -1)
    assert set(scene.refused()) == {"stopping"}
