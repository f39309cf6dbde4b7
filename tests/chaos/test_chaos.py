"""Chaos in short: a few rounds, and that a round would notice."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from gateway.bus.topics import OrderSessions
from tests.chaos.faults import FAULTS
from tests.chaos.rig import AWAY, HOME
from tests.chaos.rounds import differences, play, rest
from tests.chaos.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh installation with faults by chance."""
    made = World(tmp_path, seed=11, seconds=150)
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_what_dies_comes_back_whole_and_what_is_not_whole_is_noticed(world: World) -> None:
    """Execution killed, a venue killed, execution frozen: each time at rest journal and venues agree.

    Then the venue's own record is given a fill and an order that the journal does not have: all of it is told.
    """
    random = Random(11)  # noqa: S311
    for ordinal, fault in enumerate(("kill execution", "kill home venue", "freeze execution"), start=1):
        played = play(world, ordinal, fault, random)
        assert played.failures == (), f"round {ordinal}, {fault}"
        assert played.hedged >= 2
    last_order = list(world.truth(HOME))[-1]
    last_fill = list(world.truth(HOME, "fills.jsonl"))[-1]
    _append(world, "orders.jsonl", last_order | {"event": "new", "status": "0", "leaves_qty": 1})
    _append(world, "fills.jsonl", last_fill | {"exec_id": "T-EXTRA"})
    found = "\n".join(differences(world))
    assert f"orders work at {HOME}" in found
    assert f"T-EXTRA fill of {last_fill['cl_ord_id']}: missing" in found
    assert "a leg is left" in found
    assert f"ClOrdID(11) {last_order['cl_ord_id']} came 2 times to {HOME}" in found


def _append(world: World, name: str, line: dict[str, object]) -> None:
    with (world.folder / "truth" / HOME / name).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def test_a_venue_that_lost_its_numbers_is_not_traded_with(world: World) -> None:
    """It counts from 1 and knows no order: the session stays down, with the reason, and nothing is sent to it."""
    world.arm()
    world.trades_on()
    rest(world)
    world.arm()
    world.venues[AWAY].kill()
    world.venues[AWAY].wait()
    for file in (world.folder / "venue_state" / AWAY).iterdir():
        file.unlink()
    world.start_venue(AWAY)
    ears = world.listen("execution", "OrderSessions.")

    def told() -> bool:
        said = [one.message for one in ears.poll() if isinstance(one.message, OrderSessions)]
        return any("numbers lost" in line.detail for one in said for line in one.sessions)

    world.until("the reason is told", told)
    ears.close()
    time.sleep(1)  # two attempts to log on, at least: none of them may succeed
    status = world.status()
    assert status is not None
    assert {name: up for name, up, _ in status.sessions} == {HOME: True, AWAY: False}
    assert list(world.truth(AWAY)) == []


def test_every_fault_has_a_name_of_its_own() -> None:
    """They are told apart in the table."""
    assert len(FAULTS) == len({name.casefold() for name in FAULTS}) >= 20
