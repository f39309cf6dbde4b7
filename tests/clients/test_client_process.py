"""Clients over FIX against the process, with trigger and execution played by the test: orders from logon to fills."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client_rig import CA, CU, E9, PAIR, Rig, client, until

from gateway.model.order import Side
from gateway.model.rules import RuleStandingState
from gateway.model.trade import PairTradeState

Start = Callable[..., Rig]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the process with these clients; ends everything."""
    rigs: list[Rig] = []
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:

        def make(*clients: Any, **top: Any) -> Rig:
            rig = Rig(tmp_path, bus_dir, list(clients) or [client("FUND1")], **top)
            rigs.append(rig)
            rig.start()
            return rig

        yield make
        for rig in rigs:
            rig.close()


def test_an_immediate_pair_order_is_acknowledged_filled_leg_by_leg_and_as_a_pair(start: Start) -> None:
    """New, then each leg's fill with its price, then the pair's, with the price reached."""
    rig = start()
    one = rig.client("FUND1").logon()
    until(lambda: "FUND1 up" in rig.log())
    one.order("a1", price="-150")
    new = one.read("8")
    assert (new["150"], new["39"], new["11"], new["44"], new["442"]) == ("0", "0", "a1", "-150", "3")
    until(lambda: bool(rig.others.changes))
    (rule,) = rig.others.changes[0].rules
    assert (rule.pair_id, rule.buy_at_e9, rule.total_units, rule.immediate) == (PAIR, -150 * E9, 1, True)
    rig.others.open_trade(rule.rule_id, Side.BUY, 1)
    rig.others.fill(0, 5, "70010", "x1")
    rig.others.fill(1, 1, "9000.5", "x2")
    rig.others.end_trade(PairTradeState.HEDGED, 1, (70_010 * E9, 9_000_500_000_000), slippage_e9=250 * E9)
    rig.others.standing(rule.rule_id, RuleStandingState.DONE, 1, intent_id="I1-1")
    first, second, pair = one.read("8"), one.read("8"), one.read("8")
    assert (first["442"], first["55"], first["54"], first["32"], first["31"]) == ("2", CU, "1", "5", "70010")
    assert (second["442"], second["55"], second["54"], second["32"], second["31"]) == ("2", CA, "2", "1", "9000.5")
    assert (pair["442"], pair["55"], pair["150"], pair["39"], pair["14"], pair["151"]) == (
        "3",
        PAIR,
        "F",
        "2",
        "1",
        "0",
    )
    assert pair["31"] == "-190", "the price seen was -200; 250 CNY for 25 t are 10 a tonne"
