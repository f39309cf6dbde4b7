"""Two resting orders of different accounts that cross, at the simulated venues: both trade, never with each other."""

import msgspec

from gateway.execution.ledger import ExecutionSettings
from gateway.model.order import Side
from gateway.model.trade import PairTradeChanged, PairTradeState
from tests.simulation.scene import AGREE, CHEAP, Scene, far, near

E9 = 10**9


def crossed(given: ExecutionSettings) -> ExecutionSettings:
    """R buys at -40 for account A1, S sells at -1 000 for account A2: both are met at every price between."""
    change = msgspec.structs.replace
    buyer = change(given.rules["R"], total_units=1, owner="A1")
    seller = change(given.rules["S"], buy_at_e9=None, sell_at_e9=-1_000 * E9, total_units=1, owner="A2")
    return change(given, rules={"R": buyer, "S": seller})


def test_both_sides_trade_with_the_venues_one_after_the_other() -> None:
    """The pair may have two trades open, and both are met at once: the gate holds one back as `self_match`.

    Each account ends with its unit, the venues hold nothing in sum, and the second trade opened when no order of the
    first could still have met one of its own.
    """
    scene = Scene(near(0, CHEAP), far(0, AGREE), rules=2, pair={"max_open_trades": 2}, change=crossed).play()
    assert scene.ends() == [("hedged", (1, 1)), ("hedged", (1, 1))]
    assert {(one.intent.rule_id, one.intent.side) for one in scene.trades} == {("R", Side.BUY), ("S", Side.SELL)}
    assert scene.net() == (0, 0)
    first, second = sorted(scene.trades, key=lambda one: one.opened_ns)
    told = [(at_ns, what) for at_ns, what in scene.told if isinstance(what, PairTradeChanged)]
    (hedged_ns,) = {
        at_ns for at_ns, what in told if (what.trade_id, what.state) == (first.trade_id, PairTradeState.HEDGED)
    }
    assert second.opened_ns >= hedged_ns
    assert set(scene.refused()) - {"disarmed"} == {"self_match"}
