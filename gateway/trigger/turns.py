"""Small questions about a pair and its rules that the core asks in its turn. Nothing is held here."""

from gateway.model.conditions import RuleAction
from gateway.model.order import Side
from gateway.model.site import RuleSpec
from gateway.trigger.rule import OUTSIDE, WARMING_UP, RuleMachine
from gateway.trigger.standing import StandingPair


def newest_of(pair: StandingPair) -> int:
    """Receipt of the newest quote that the pair is priced with."""
    return max(seat.quote.recv_ns if seat.quote is not None else 0 for seat in pair.seats)


def opens(rule: RuleMachine, side: Side) -> bool:
    """Whether a trade of the rule makes the position larger, so that it has to be closed again."""
    return rule.spec.action is not RuleAction.CLOSE and rule.pool.opens(side, rule.net_units)


def verdict(pair: StandingPair) -> str:
    """What keeps every rule of the pair from firing, whatever the price; "ok" where one may, or there is none."""
    words = [one.machine.obstacle(pair.at_ns) for one in pair.rules]
    if not words or not all(word in (WARMING_UP, OUTSIDE) for word in words):
        return "ok"
    return f"{pair.rules[0].machine.spec.rule_id}: {words[0]}"


def always_met(spec: RuleSpec, price_e9: int) -> RuleSpec:
    """A rule that buys at this price at once, whatever `spec` waits for."""
    return RuleSpec(
        spec.rule_id, spec.pair_id, price_e9, None, spec.units, spec.max_units, 0, spec.cool_down_ns, spec.ttl_ns,
        spec.quote_band_e9,
    )  # fmt: skip
