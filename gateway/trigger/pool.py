"""Whose position a rule minds: its own, or the one that it shares with the rules that close it.

A rule that closes trades under its own name, so that what it bought is its own position and what the opening rule sold
remains the other's: only their sum says what is held. Rules that belong together so share a pool.

What can go wrong: two rules that close the same position at once. What is out counts as done, so that together they
close no more than is held.
"""

from collections.abc import Iterable
from typing import Protocol

from gateway.model.conditions import RuleAction
from gateway.model.order import Side
from gateway.model.site import RuleSpec


class Member(Protocol):
    """A rule as its pool sees it."""

    spec: RuleSpec
    net_units: int

    def out(self, side: Side) -> int: ...


class Pool:
    """The rules that share a position."""

    __slots__ = ("members", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: list[Member] = []

    def room(self, spec: RuleSpec, side: Side, own_units: int) -> int:
        """Most units that a rule of it may trade on `side`; `own_units` is its position, which counts where it is
        alone.
        """
        alone = len(self.members) <= 1
        held = own_units if alone else sum(one.net_units for one in self.members)
        held *= side.sign
        if spec.action is RuleAction.CLOSE:
            return max(0, -held - sum(one.out(side) for one in self.members))
        if spec.action is RuleAction.OPEN and held < 0:
            return 0
        return max(0, spec.max_units - held)

    def opens(self, side: Side, own_units: int) -> bool:
        """Whether a trade on `side` makes the position larger."""
        held = own_units if len(self.members) <= 1 else sum(one.net_units for one in self.members)
        return held * side.sign >= 0

    @staticmethod
    def is_closer(spec: RuleSpec) -> bool:
        return spec.action is RuleAction.CLOSE


def pool_names(specs: Iterable[RuleSpec]) -> dict[str, str]:
    """The pool of each rule of one pair, by rule: those that one closing rule joins share a name.

    A rule that closes all of its pair closes what the house's rules hold, never what an order of a client has made.
    """
    listed = list(specs)
    if any(one.action is RuleAction.CLOSE and not one.closes for one in listed):
        return {one.rule_id: one.rule_id if one.owner else "" for one in listed}
    return {one.rule_id: one.closes if one.action is RuleAction.CLOSE else one.rule_id for one in listed}
