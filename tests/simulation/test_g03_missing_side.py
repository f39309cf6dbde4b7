"""G3: one leg's quote was missing, or stood limit-up with no offer, and the pair still traded."""

from tests.simulation.scene import AGREE, CHEAP, CHEAP_AT_1S, FAR, Scene, book, far, near


def test_g03_a_one_sided_book_makes_no_price() -> None:
    """Nobody bids for what the pair would sell: no intent (`StandingPair.unusable`)."""
    scene = Scene(near(0, AGREE), far(0, AGREE), book(900, FAR, None, AGREE + 1), near(1000, CHEAP)).play()
    assert (scene.intents, scene.sent) == (0, [])


def test_g03_the_gate_knows_the_state_of_each_book() -> None:
    """A book that lost a side after the decision refuses the intent by name (`risk._not_tradable`)."""
    scene = Scene(*CHEAP_AT_1S, book(1200, FAR, None, AGREE + 1), hold_intents=True).let_go(1300).play()
    assert set(scene.refused()) == {"not_tradable"}
    assert scene.sent == []
