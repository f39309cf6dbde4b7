"""G16: a ratio was wanted and only a difference offered; coefficients could not change while running."""

from fractions import Fraction

import msgspec

from gateway.model.site import FormulaKind
from gateway.trigger.core import TriggerCore
from tests.simulation.scene import CHEAP_AT_1S, NEAR, Scene

replace = msgspec.structs.replace
RATIO = {"formula": FormulaKind.RATIO}
BELOW = {"buy_at_e9": 998_000_000, "sell_at_e9": None, "max_units": 100}


def test_g16_a_ratio_is_traded() -> None:
    """3 991 / 4 000 = 0.99775 is below 0.998: bought (`PairFormula.price_e9`)."""
    scene = Scene(*CHEAP_AT_1S, pair=RATIO, rule={**BELOW, "max_units": 1}).play()
    assert scene.ends() == [("hedged", (1, 1))]
    assert scene.trades[0].intent.pair_px_e9 == 997_750_000


def test_g16_a_coefficient_changes_while_execution_runs() -> None:
    """A trigger with another factor takes over; what was traded stays, what is priced now is another thing."""
    scene = Scene(*CHEAP_AT_1S, pair={**RATIO, "max_units": 1000}, rule=BELOW)

    def another_factor() -> None:
        given = scene.given.settings
        pair = given.pairs["P1"]
        legs = tuple(replace(leg, factor=Fraction("1.01")) if leg.instrument_id == NEAR else leg for leg in pair.legs)
        scene.trigger = TriggerCore(
            [replace(pair, legs=legs)], given.rules.values(), given.instruments, silence_ns=10**9
        )

    scene.on(2_000, another_factor).play()
    opened_ns = [trade.opened_ns for trade in scene.trades]
    assert len(opened_ns) > 2
    assert max(opened_ns) < 2_100_000_000
    assert {state for state, _ in scene.ends()} == {"hedged"}
