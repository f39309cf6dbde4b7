"""Proof that the invariants of flags and remainders can be broken."""

# ruff: noqa: ANN401 - what is replaced takes anything

from typing import Any

import msgspec
import pytest

from gateway.execution import dispatch
from gateway.execution.settling import Settler
from gateway.model.order import Order
from tests.simulation.invariants import BrokenError
from tests.simulation.sim_world import World


def first_broken(seeds: range) -> str:
    """The name of the first invariant that one of these seeds breaks."""
    for seed in seeds:
        try:
            World(seed).run()
        except BrokenError as error:
            return error.name
    return ""


def test_a_wrong_hedge_flag_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lots of another flag are another position at a domestic venue."""

    def careless(*values: Any) -> Order:
        return msgspec.structs.replace(Order(*values), hedge_flag="9")

    monkeypatch.setattr(dispatch, "Order", careless)
    assert first_broken(range(3)) == "account and hedge flag are the site's"


def test_a_remainder_that_is_not_booked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pair trade leaves what its ratio says."""
    book = Settler._book

    def careless(self: Settler, trade: Any) -> None:
        before = dict(self._ledger.residual_e9)
        book(self, trade)
        self._ledger.residual_e9 = before

    monkeypatch.setattr(Settler, "_book", careless)
    assert first_broken(range(10)) == "what a ratio leaves over adds up"
