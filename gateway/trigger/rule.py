"""One rule: when it may fire, and when it may not fire again.

Transitions of a rule. Its condition is a side (buy or sell) whose executable price meets the threshold.

| state   | event                                   | next    |
|---------|-----------------------------------------|---------|
| idle    | condition met, persist_ns = 0           | fired   |
| idle    | condition met                           | holding |
| holding | condition gone                          | idle    |
| holding | condition of the other side             | holding, from now |
| holding | condition held for persist_ns           | fired   |
| fired   | intent not handed over                  | cooling |
| fired   | intent refused, pair trade ended        | cooling |
| fired   | nothing heard of the intent in time     | cooling |
| fired, opened | execution has no trade of the pair | cooling |
| cooling | cool_down_ns have passed                | idle    |
| any but fired | a pair trade of it is open        | fired, opened |

It fires at most one intent at a time, so the same quotes never fire it twice; a trade that is open when the trigger
starts, or that is heard of after its silence, counts as its intent. A lost announcement cannot leave it fired for ever:
an intent that nobody speaks of for `silence_ns` after its expiry counts as never arrived, and a trade that was opened
has ended when a later heartbeat of execution names no open trade of the pair.
"""

from enum import StrEnum

from gateway.model.order import Side
from gateway.model.site import RuleSpec


class RuleState(StrEnum):
    """Where a rule stands."""

    IDLE = "idle"
    HOLDING = "holding"
    FIRED = "fired"
    COOLING = "cooling"


class RuleMachine:
    """State of one rule. Times are the monotonic nanoseconds of the events that it is told of."""

    __slots__ = (
        "_opened", "_opened_ns", "_side", "_silence_ns", "_since_ns", "intent_id", "net_units", "spec", "state",
    )  # fmt: skip

    def __init__(self, spec: RuleSpec, silence_ns: int) -> None:
        self.spec = spec
        self.state = RuleState.IDLE
        self.net_units = 0
        self.intent_id = ""
        self._silence_ns = silence_ns
        self._opened = False
        self._opened_ns = 0
        self._side: Side | None = None
        self._since_ns = 0

    def threshold_e9(self, side: Side) -> int | None:
        """The price that `side` has to meet."""
        return self.spec.buy_at_e9 if side is Side.BUY else self.spec.sell_at_e9

    def limit_e9(self, side: Side) -> int | None:
        """From where on it asks for an intent: the threshold, or the edge of the band in which a lead may rest."""
        threshold_e9 = self.threshold_e9(side)
        return None if threshold_e9 is None else threshold_e9 + side.sign * self.spec.quote_band_e9

    def meets(self, side: Side, px_e9: int) -> bool:
        """Whether a price is at that limit or better."""
        limit_e9 = self.limit_e9(side)
        if limit_e9 is None:
            return False
        return px_e9 <= limit_e9 if side is Side.BUY else px_e9 >= limit_e9

    def room_units(self, side: Side) -> int:
        """Most units that an intent may have without going beyond max_units."""
        held = self.net_units if side is Side.BUY else -self.net_units
        return max(0, min(self.spec.units, self.spec.max_units - held))

    def ready(self, at_ns: int) -> bool:
        """Whether a condition would be looked at now; ends a cool-down and a silence that are over."""
        silent_ns = self._since_ns + self._silence_ns
        if self.state is RuleState.FIRED and not self._opened and at_ns > silent_ns:
            self.state, self._since_ns = RuleState.COOLING, silent_ns
        if self.state is RuleState.COOLING and at_ns >= self._since_ns + self.spec.cool_down_ns:
            self.state = RuleState.IDLE
        return self.state in (RuleState.IDLE, RuleState.HOLDING)

    def condition(self, side: Side | None, at_ns: int) -> bool:
        """Tell it which side's condition is met now, if any; True when it has to fire. Only while `ready`."""
        if side is None:
            self.state = RuleState.IDLE
            return False
        if self.state is RuleState.IDLE or side is not self._side:
            self.state, self._side, self._since_ns = RuleState.HOLDING, side, at_ns
        return at_ns - self._since_ns >= self.spec.persist_ns

    def fired(self, intent_id: str, expires_ns: int) -> None:
        """An intent of it was sent."""
        self.state, self.intent_id, self._since_ns, self._opened = RuleState.FIRED, intent_id, expires_ns, False

    def not_sent(self, at_ns: int) -> None:
        """The intent could not be handed over."""
        self._cool(at_ns)

    def opened(self, intent_id: str, opened_ns: int) -> None:
        """Execution has a pair trade of the intent, opened at `opened_ns`, which has not ended yet."""
        if self.state is RuleState.FIRED and intent_id != self.intent_id:
            return
        self.state, self.intent_id, self._opened, self._opened_ns = RuleState.FIRED, intent_id, True, opened_ns

    def ended(self, intent_id: str, at_ns: int) -> None:
        """The intent was refused, or its pair trade has come to an end."""
        if intent_id and intent_id == self.intent_id:
            self._cool(at_ns)

    def no_open_trade(self, as_of_ns: int, at_ns: int) -> None:
        """Execution had no open trade of the pair at `as_of_ns`: one that was opened before has ended unheard."""
        if self.state is RuleState.FIRED and self._opened and as_of_ns > self._opened_ns:
            self._cool(at_ns)

    def _cool(self, at_ns: int) -> None:
        self.state, self.intent_id, self._since_ns = RuleState.COOLING, "", at_ns
