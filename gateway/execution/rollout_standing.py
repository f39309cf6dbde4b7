"""The plan in force, the stage that it stands at, and which opportunities that stage takes up. Pure.

What a stage refuses is `rollout.py`'s matter, what ends it `tripwire.py`'s.
"""

from gateway.model.rollout import WHOLE_E6, Rollout, RolloutStage
from gateway.model.trade import Intent


class Standing:
    """The plan in force and the stage that it stands at."""

    def __init__(self, plan: Rollout, at_ns: int) -> None:
        self.plan = plan
        self.place = 0
        self.since_ns = at_ns
        self.orders_before = 0
        self._count: dict[tuple[str, str], int] = {}
        self._last: dict[tuple[str, str], tuple[int, bool]] = {}

    @property
    def stage(self) -> RolloutStage:
        return self.plan.stages[self.place]

    def enter(self, place: int, at_ns: int, orders_out: int) -> None:
        """Begin this stage: what was counted in the one before counts no more."""
        self.place, self.since_ns, self.orders_before = place, at_ns, orders_out
        self._count.clear()
        self._last.clear()

    def lets_through(self, intent: Intent, at_ns: int) -> bool:
        """Whether the stage's share of opportunities holds this one; the same answer while it lasts."""
        limits = self.stage.limits
        if limits.share_e6 >= WHOLE_E6:
            return True
        key = (intent.rule_id, intent.side.value)
        last = self._last.get(key)
        if last is not None and at_ns - last[0] <= limits.opportunity_gap_ns:
            return last[1]
        count = self._count.get(key, 0)
        return (count + 1) * limits.share_e6 // WHOLE_E6 > count * limits.share_e6 // WHOLE_E6

    def note(self, intent: Intent, at_ns: int) -> None:
        """An intent was taken in: it goes on with its opportunity, or is the next one."""
        limits = self.stage.limits
        if limits.share_e6 >= WHOLE_E6:
            return
        key = (intent.rule_id, intent.side.value)
        last = self._last.get(key)
        through = self.lets_through(intent, at_ns)
        if last is None or at_ns - last[0] > limits.opportunity_gap_ns:
            self._count[key] = self._count.get(key, 0) + 1
        self._last[key] = (at_ns, through)
