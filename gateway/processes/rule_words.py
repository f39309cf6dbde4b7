"""Rules and their changes in words, for a person. Nothing is decided here."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.journal.told import Told, joined, told
from gateway.model.rules import RulesInForce, RuleStanding, RuleStandingState
from gateway.model.site import PairSpec, RuleSpec
from gateway.processes.e9_text import text_of
from gateway.processes.rule_keys import rule_keys

_STATES = {
    RuleStandingState.WORKING: told("watched"),
    RuleStandingState.FIRED: told("fired"),
    RuleStandingState.DONE: told("done"),
    RuleStandingState.EXPIRED: told("expired"),
    RuleStandingState.REMOVED: told("removed"),
}
_REASONS = {
    one.template: one
    for one in (
        told("warming up"),
        told("outside its windows"),
        told("the price has not come back yet"),
        told("cooling down"),
        told("nothing to close"),
        told("max_units are held"),
        told("its one trade has ended"),
        told("its time is over"),
        told("all its units are filled"),
        told("immediate: what is not filled never will be"),
        told("the trigger was restarted"),
        told("execution is not heard"),
        told("no price at its limit for its units"),
    )
}


def standing_words(one: RuleStanding) -> Told:
    """Where a rule stands, in a line."""
    leaves = told("standing") if one.leaves_units is None else told("{} left", one.leaves_units)
    reason = _REASONS.get(one.reason, told("{}", one.reason))
    state = _STATES[one.state]
    words = told("{}, filled {}, held {}, out {}, {}", state, one.filled_units, one.held_units, one.open_units, leaves)
    return told("{}: {}", words, reason) if one.reason else words


def rules_words(found: RulesInForce) -> Iterator[Told]:
    """Every rule with its keys, and what is not as the site file has it."""
    pairs = {one.pair_id: one for one in found.pairs}
    standings = {one.rule_id: one for one in found.standings}
    for rule in found.rules:
        mark = told(" (changed by command)") if rule.rule_id in found.changed else ""
        yield told("rule {}{}: {}", rule.rule_id, mark, standing_words(standings[rule.rule_id]))
        keys = rule_keys(rule, pairs)
        yield told("  {}", ", ".join(f"{key} = {shown(value)}" for key, value in keys.items() if key != "id"))
    ids = {one.rule_id for one in found.rules}
    for name in found.changed:
        if name not in ids and name not in pairs:
            yield told("rule {}: removed by command; the site file has it", name)
        elif name in pairs:
            yield told("pair {}: coefficients changed by command", name)
    for name in found.conflicts:
        yield told("{}: edited in the site file since; what the command left is in force", name)


def shown(value: Any) -> str:  # noqa: ANN401 what a key may hold
    """A value as a file would have it, short."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {shown(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(one) for one in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def rule_difference(old: RuleSpec | None, new: RuleSpec | None, pairs: Mapping[str, PairSpec]) -> list[Told]:
    """What becomes other with a rule, key by key."""
    if new is None or old is None:
        one = old or new
        words = told("- rule {}") if new is None else told("+ rule {}")
        return [] if one is None else [told(words.template, one.rule_id)]
    before, after = rule_keys(old, pairs), rule_keys(new, pairs)
    return [
        told("~ rule {}: {} {} -> {}", new.rule_id, key, _or_none(before.get(key)), _or_none(after.get(key)))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]


def pair_difference(old: PairSpec, new: PairSpec) -> list[Told]:
    """What becomes other with a pair's coefficients."""
    found = []
    if old.charges_e9 != new.charges_e9:
        found.append(
            told("~ pair {}: {} {} -> {}", new.pair_id, "charges", text_of(old.charges_e9), text_of(new.charges_e9))
        )
    for before, after in zip(old.legs, new.legs, strict=False):
        for name in ("factor", "fx_rate"):
            was, becomes = getattr(before, name), getattr(after, name)
            if was != becomes:
                key = f"leg {after.instrument_id} {name}"
                found.append(told("~ pair {}: {} {} -> {}", new.pair_id, key, was, becomes))
    if old.expression != new.expression:
        found.append(told("~ pair {}: the values of its parameters", new.pair_id))
    return found


def _or_none(value: object) -> Told:
    return told("none") if value is None else told("{}", shown(value))


def lines(parts: Iterable[str]) -> Told:
    """One under another."""
    return joined("\n", parts)
