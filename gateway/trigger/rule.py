"""One rule: when it may fire, and when it may not fire again.

Transitions of a rule. Its condition is a side (buy or sell) whose executable price meets the threshold.

| state   | event                                   | next    |
|---------|-----------------------------------------|---------|
| idle    | condition met, persist_ns = 0           | fired   |
| idle    | condition met                           | holding |
| holding | condition gone, or of the other side    | idle    |
| holding | condition held for persist_ns           | fired   |
| fired   | intent refused, pair trade ended        | cooling |
| fired   | nothing heard of the intent in time     | cooling |
| cooling | cool_down_ns have passed                | idle    |

It fires at most one intent at a time, so the same quotes never fire it twice. A lost announcement cannot leave it fired
for ever: an intent that nobody speaks of for `silence_ns` after its expiry counts as never arrived, and one that was
opened is asked about through the last message of its topic.
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

    def __init__(self, spec: RuleSpec, silence_ns: int) -> None:
        self.spec = spec
        self.state = RuleState.IDLE
        self.net_units = 0
        self.intent_id = ""
        self._silence_ns = silence_ns
        self._opened = False
        self._side: Side | None = None
        self._since_ns = 0

    def threshold_e9(self, side: Side) -> int | None:
        """The price that `side` has to meet."""
        return self.spec.buy_at_e9 if side is Side.BUY else self.spec.sell_at_e9

    def meets(self, side: Side, px_e9: int) -> bool:
        """Whether a price is at the threshold or better."""
        threshold_e9 = self.threshold_e9(side)
        if threshold_e9 is None:
            return False
        return px_e9 <= threshold_e9 if side is Side.BUY else px_e9 >= threshold_e9

    def room_units(self, side: Side) -> int:
        """Most units that an intent may have without going beyond max_units."""
        held = self.net_units if side is Side.BUY else -self.net_units
        return max(0, min(self.spec.units, self.spec.max_units - held))

    def ready(self, at_ns: int) -> bool:
        """Whether a condition would be looked at now; ends a cool-down and a silence that are over."""
        if self.state is RuleState.FIRED and not self._opened and at_ns > self._since_ns + self._silence_ns:
            self._cool(at_ns)
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

    def opened(self, intent_id: str) -> None:
        """Execution made a pair trade of the intent, which has not ended yet."""
        if intent_id == self.intent_id and self.state is RuleState.FIRED:
            self._opened = True

    def ended(self, intent_id: str, at_ns: int) -> None:
        """The intent was refused, or its pair trade has come to an end."""
        if intent_id == self.intent_id and self.state is RuleState.FIRED:
            self._cool(at_ns)

    def _cool(self, at_ns: int) -> None:
        self.state, self._since_ns = RuleState.COOLING, at_ns
