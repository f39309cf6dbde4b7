"""Worlds from seeds: some hundred pair trades with everything going wrong, and proof that the invariants can be broken."""

# ruff: noqa: PT017 - which seed breaks is not known

from collections.abc import Iterable
from itertools import count

import pytest

from gateway.execution import risk
from gateway.execution.order_book import OwnOrder
from gateway.execution.outbox import IdSource
from gateway.execution.pair_trade import Balance, PairTrade
from gateway.execution.settling import Settler
from gateway.model.order import ExecutionReport
from gateway.model.trade import RefusalName
from tests.simulation import plan, soak
from tests.simulation.invariants import BrokenError
from tests.simulation.sim_world import Result, World

SEEDS = range(14)


@pytest.fixture(scope="module")
def played() -> list[Result]:
    """The worlds of SEEDS, each played to rest with every invariant checked."""
    return [World(seed).run() for seed in SEEDS]


def test_worlds_come_to_rest_whatever_goes_wrong(played: list[Result]) -> None:
    """Some hundred pair trades, a fault for at least every third, and none is left legged."""
    trades = sum(one.trades for one in played)
    assert trades > 300
    assert sum(sum(one.faults.values()) for one in played) > trades / 3
    assert {state for one in played for state in one.states} <= {"hedged", "unwound", "missed", "halted"}


def test_a_seed_is_a_whole_story() -> None:
    """The same seed writes the same journal, byte for byte."""
    first, second = World(3), World(3)
    first.run()
    second.run()
    assert len(first.disk.records) > 100
    assert first.disk.records == second.disk.records


@pytest.mark.parametrize("seed", range(3))
def test_with_no_faults_nearly_every_opportunity_is_taken(seed: int) -> None:
    """At least 95 % of the intents that the site's limits allow become pair trades."""
    total = soak.sums()
    total.add(World(seed, drawn=plan.quiet(seed)).run(), is_quiet=True)
    assert total.numbers["quiet trades"] >= soak.CAPTURE_LEAST * total.numbers["quiet intents within limits"]
    assert total.numbers["quiet trades"] > 10


def test_every_fault_is_drawn_by_some_seed() -> None:
    """No fault of the lists is there in name only."""
    drawn: set[str] = set()
    for seed in range(300):
        one = plan.draw(seed)
        drawn |= {spec.name for spec in one.order} | set(one.wire) | set(one.timed)
    assert drawn == {*plan.ORDER_FAULTS, *plan.WIRE_FAULTS, *plan.TIMED_FAULTS}


def broken_by(seeds: Iterable[int]) -> set[str]:
    """The names of the invariants that these seeds break."""
    names = set()
    for seed in seeds:
        try:
            World(seed).run()
        except BrokenError as error:
            assert f"seed {seed}" in str(error)
            names.add(error.name)
    return names


def test_counting_a_fill_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the fill's key, what arrives twice counts twice."""
    keys = count()
    add_fill = OwnOrder.add_fill

    def careless(self: OwnOrder, report: ExecutionReport) -> int:
        self._fills[f"again {next(keys)}"] = (report.last_qty_lots, 0)
        return add_fill(self, report)

    monkeypatch.setattr(OwnOrder, "add_fill", careless)
    assert "a fill counts once" in broken_by(range(4))


def test_repairing_in_doubt_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that takes an order in doubt for dead hedges twice."""
    careful = Settler._balance

    def hasty(self: Settler, trade: PairTrade, at_ns: int) -> Balance:
        given = careful(self, trade, at_ns)
        return self._final_balance(trade) if given is Balance.DOUBTFUL else given

    monkeypatch.setattr(Settler, "_balance", hasty)
    assert "never over-hedged" in broken_by(range(12))


def test_ids_that_begin_anew_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the incarnation in it a ClOrdID(11) is sent twice after a restart."""

    def forgetful(self: IdSource, _incarnation: int) -> None:
        self._head, self._count = f"{self._prefix}-", 0

    monkeypatch.setattr(IdSource, "restart", forgetful)
    assert broken_by(range(12)) & {"no ClOrdID(11) is sent twice", "the engine takes every event (KeyError)"}


def test_a_gate_without_a_limit_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The referee counts exposure itself: it does not ask the gate."""
    ladder = tuple(step for step in risk.LADDER if step[0] is not RefusalName.INSTRUMENT_POSITION)
    monkeypatch.setattr(risk, "LADDER", ladder)
    assert "worst-case exposure within limits" in broken_by(range(12))


def test_a_gate_that_forgets_the_arm_switch_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After kill --hold, disarm or a restart nothing may open."""
    names = {RefusalName.HALTED, RefusalName.DISARMED}
    monkeypatch.setattr(risk, "LADDER", tuple(step for step in risk.LADDER if step[0] not in names))
    assert broken_by(range(8)) & {"no new trade while disarmed", "no order after kill --hold until armed"}


def test_a_leg_that_nobody_repairs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Legged time is measured with every way open, and nothing may be left legged."""
    monkeypatch.setattr(Settler, "_ask_books", lambda _self, _trade: None)
    assert broken_by(range(6)) & {"legged time is bounded", "the world comes to rest"}


def test_a_decision_that_depends_on_more_than_events_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id from a counter that survives the engine cannot be replayed."""
    numbers = count()
    monkeypatch.setattr(IdSource, "next", lambda self: f"{self._head}{next(numbers)}")
    with pytest.raises(BrokenError, match="a replay decides the same"):
        World(0, drawn=plan.quiet(0)).run()
