"""G6: a remainder was left that the lot ratio cannot hedge."""

import pytest

from tests.simulation.scene import CHEAP_AT_1S, Scene, fault


@pytest.mark.parametrize("budget_e9", [0, 10**15])
def test_g06_three_of_five_lots_are_completed_or_closed(budget_e9: int) -> None:
    """5:1 with 3 lots on one side and nothing on the other ends balanced, whatever the budget (`repair.plan`)."""
    scene = Scene(
        *CHEAP_AT_1S,
        faults=[fault("partial", 1, fraction=0.6)],
        far_faults=[fault("reject", 1)],
        ratio=(5, 1),
        pair={"slippage_budget_e9": budget_e9},
    ).play()
    assert scene.net() in ((5, -1), (0, 0))
    assert [state for state, _ in scene.ends()] in (["hedged"], ["unwound"])
