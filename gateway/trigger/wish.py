"""An intent to be: what a rule asks for, before its id and the times that the shell stamps. Nothing is decided here."""

from typing import NamedTuple

from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.model.trade import Intent, IntentLeg
from gateway.trigger.rule import RuleMachine


class Hops(NamedTuple):
    """When the trigger took a quote up, and which incarnation and ids it works with."""

    taken_ns: int
    evaluated_ns: int
    decided_ns: int


class Wish(NamedTuple):
    """An intent to be: all but its id and the times that the shell stamps."""

    rule: RuleMachine
    pair_id: str
    side: Side
    units: int
    pair_px_e9: int
    threshold_e9: int
    edge_e9: int
    legs: tuple[IntentLeg, ...]
    quote: Quote
    incarnation: int
    newest_ns: int
    """Receipt of the newest quote that it was made of."""

    def intent(self, intent_id: str, hops: Hops) -> Intent:
        """The intent, and its rule told that it fired."""
        expires_ns = hops.decided_ns + self.rule.spec.ttl_ns
        self.rule.fired(intent_id, expires_ns, self.side, self.units, self.newest_ns)
        return Intent(
            intent_id,
            self.incarnation,
            self.pair_id,
            self.rule.spec.rule_id,
            self.side,
            self.units,
            self.pair_px_e9,
            self.threshold_e9,
            self.edge_e9,
            self.legs,
            self.quote.instrument_id,
            self.quote.recv_ns,
            self.quote.pub_ns,
            hops.taken_ns,
            hops.evaluated_ns,
            hops.decided_ns,
            expires_ns,
        )
