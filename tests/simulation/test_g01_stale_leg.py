"""G1: a spread was computed from one fresh and one stale leg, across sessions that did not match."""

from tests.simulation.scene import AGREE, CHEAP, CHEAP_AT_1S, Scene, far, near


def test_g01_no_price_is_made_of_a_fresh_and_a_stale_leg() -> None:
    """The far leg's last book is 3.5 s old (2 s allowed): the trigger makes no intent (`StandingPair.look`)."""
    scene = Scene(near(0, AGREE), far(0, AGREE), near(3500, CHEAP), repeat=False).play()
    assert (scene.intents, scene.sent) == (0, [])


def test_g01_the_gate_looks_at_the_age_again() -> None:
    """An intent that arrives 2.9 s after its quotes is refused by name, nothing is sent (`risk._quote_age`)."""
    scene = Scene(*CHEAP_AT_1S, hold_intents=True).let_go(3900).play()
    assert set(scene.refused()) == {"quote_age"}
    assert scene.sent == []
