"""Which rules share a position after a command is what it would be after a start with the same rules."""

from itertools import product

import msgspec
import pytest
from trigger_values import SILENCE_NS, rule

from gateway.model.conditions import RuleAction
from gateway.model.rules import ChangeRules
from gateway.model.site import RuleSpec
from gateway.trigger.rulebook import Rulebook

OPENER = rule("-15", rule_id="O")
OTHER = rule("-16", rule_id="X")
ORDER = msgspec.structs.replace(rule("-17", rule_id="C/F/1"), owner="F")
CLOSER = msgspec.structs.replace(rule(None, "15", rule_id="C"), action=RuleAction.CLOSE, closes="O")
CLOSER_OF_ALL = msgspec.structs.replace(CLOSER, closes="")
AWAY = rule("-15", rule_id="Q", pair_id="Q")


def members(book: Rulebook) -> dict[str, set[str]]:
    """Who shares a position with whom; a rule alone may be in its pool or not."""
    return {
        name: {name} | {one.spec.rule_id for one in machine.pool.members} for name, machine in book.machines.items()
    }


def command(*rules: RuleSpec, removed: tuple[str, ...] = ()) -> ChangeRules:
    return ChangeRules("K", "desk", "test", rules, removed)


@pytest.mark.parametrize(("closer", "late"), list(product((CLOSER, CLOSER_OF_ALL), (OPENER, OTHER, ORDER, CLOSER))))
def test_a_rule_that_comes_by_a_command_joins_the_pool_that_it_would_begin_in(closer: RuleSpec, late: RuleSpec) -> None:
    """Whichever of them comes last, the closing rule among them."""
    late = closer if late is CLOSER else late
    rules = [one for one in (OPENER, OTHER, ORDER, closer, AWAY) if one is not late]
    book = Rulebook(rules, (), SILENCE_NS)
    book.change(command(late), 1)
    assert members(book) == members(Rulebook([*rules, late], (), SILENCE_NS))


@pytest.mark.parametrize(
    ("closer", "together"),
    [
        (CLOSER, {"O": {"O", "C"}, "C": {"O", "C"}, "X": {"X"}}),
        (CLOSER_OF_ALL, {name: {"O", "C", "X"} for name in "OCX"}),
    ],
)
def test_a_closing_rule_that_is_removed_still_shares_what_it_has_traded(
    closer: RuleSpec, together: dict[str, set[str]]
) -> None:
    """Its position counts until it is forgotten, for rules that come later too."""
    book = Rulebook([OPENER, closer], (), SILENCE_NS)
    book.change(command(removed=("C",)), 1)
    book.change(command(OTHER), 2)
    assert members(book) == together
