"""Ended trades that are packed away are the same trades."""

import msgspec
import pytest

from gateway.execution.archive import Archive
from gateway.execution.pair_trade import PairTrade
from tests.simulation.installation import installation
from tests.simulation.sim_world import World


def played(seed: int, kept: int) -> World:
    """The world of this seed, with so many ended trades kept as they are."""
    given = installation(seed)
    limits = msgspec.structs.replace(given.settings.limits, ended_trades_kept=kept)
    world = World(seed, given=given._replace(settings=msgspec.structs.replace(given.settings, limits=limits)))
    world.run()
    return world


@pytest.mark.parametrize("seed", range(8))
def test_a_world_in_which_all_is_packed_writes_the_same_journal(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late fills, busts, copies, status answers and restarts find the same orders, packed or not, byte for byte."""
    packings: list[str] = []
    pack = Archive._pack

    def counted(self: Archive, trade: PairTrade) -> None:
        packings.append(trade.trade_id)
        pack(self, trade)

    monkeypatch.setattr(Archive, "_pack", counted)
    kept = played(seed, 10**9)
    assert packings == []
    packed = played(seed, 0)
    assert len(packings) > 10
    assert packed.disk.records == kept.disk.records
