"""One rule: when it may fire, and when it may not fire again.

Transitions of a rule. Its condition is a side (buy or sell) whose executable price meets the threshold.

| state   | event                                   | next    |
|---------|-----------------------------------------|---------|
| idle    | condition met, nothing to wait for      | fired   |
| idle    | condition met                           | holding |
| holding | condition gone                          | idle    |
| holding | condition of the other side             | holding, from now |
| holding | held for persist_ns and persist_quotes  | fired   |
| fired   | intent not handed over                  | cooling |
| fired   | intent refused, pair trade ended        | cooling |
| fired   | nothing heard of the intent in time     | cooling |
| fired, opened | execution has no trade of the pair | cooling |
| cooling | cool_down_ns have passed                | idle    |
| any but fired | a pair trade of it is open        | fired, opened |
| any     | its units are filled, its time is over, removed | ended |
| ended   | nothing heard of its intent in time     | ended, and nothing of it is out |

It fires at most one intent at a time, and after a restart or a change of it never on quotes none of which is newer than
those of its last intent, so the same quotes never fire it twice; a trade that is open when the trigger starts, or that
is heard of after its silence, counts as its intent. A lost announcement cannot leave it fired for ever: an intent that
nobody speaks of for `silence_ns` after its expiry counts as never arrived, and a trade that was opened has ended when a
later heartbeat of execution names no open trade of the pair.

What it must not forget is a `RuleMemory`: a rule that is changed, and one that is restarted, is made anew of its
settings and that.
"""

from enum import StrEnum

from gateway.model.conditions import RuleKind, RuleSide
from gateway.model.order import Side
from gateway.model.rules import RuleMemory, RuleStandingState
from gateway.model.site import RuleSpec
from gateway.trigger.band import Band
from gateway.trigger.pool import Pool

WARMING_UP = "warming up"
OUTSIDE = "outside its windows"
COMES_BACK = "the price has not come back yet"
COOLING_DOWN = "cooling down"
NOTHING_TO_CLOSE = "nothing to close"


class RuleState(StrEnum):
    """Where a rule stands."""

    IDLE = "idle"
    HOLDING = "holding"
    FIRED = "fired"
    COOLING = "cooling"
    ENDED = "ended"


class RuleMachine:
    """State of one rule. Times are the monotonic nanoseconds of the events that it is told of."""

    __slots__ = (
        "_before_units", "_birth_units", "_expires_ns", "_fence_ns", "_is_open", "_looks", "_newest_ns", "_opened",
        "_opened_ns",
        "_out_side", "_out_units", "_side", "_silence_ns", "_since_ns",
        "_unheard", "_until_ns", "band", "changed", "ended_as",
        "filled_units", "intent_id", "net_units", "pool", "reason", "spec", "state", "waits_back",
    )  # fmt: skip

    def __init__(
        self, spec: RuleSpec, silence_ns: int, memory: RuleMemory | None = None, band: Band | None = None
    ) -> None:
        known = RuleMemory(spec.rule_id, 0, 0) if memory is None else memory
        self.spec = spec
        self.pool = Pool(spec.rule_id)
        self.band = Band(spec.band) if band is None and spec.band is not None else band
        self.changed = True
        """Since its standing was last asked for."""
        self.state = RuleState.IDLE
        if known.out:
            self.state = RuleState.FIRED
        elif known.cooling:
            self.state = RuleState.COOLING
        self.ended_as = RuleStandingState(known.ended) if known.ended else None
        self.reason = known.reason
        self.net_units = known.net_units
        self.filled_units = known.filled_units
        self.intent_id = known.intent_id
        self.waits_back = known.waits_back if spec.rearm_e9 else ()
        self._silence_ns = silence_ns
        self._opened = known.opened
        self._unheard = known.out
        """Nobody has said that the last intent ended; it may be given up by then."""
        self._opened_ns = known.opened_ns
        self._out_units = known.out_units
        self._out_side = known.out_side
        self._before_units = known.before_units
        self._birth_units = known.birth_units
        self._since_ns = known.since_ns
        self._fence_ns = self._newest_ns = known.fence_ns
        self._side: Side | None = None
        self._looks = 0
        self._is_open = not spec.windows
        self._until_ns = self._expires_ns = 0
        if self.ended_as is not None:
            self.state = RuleState.ENDED
        else:
            self._finish_if_full()

    def memory(self) -> RuleMemory:
        """What it must not forget."""
        return RuleMemory(
            self.spec.rule_id,
            self.net_units,
            self.filled_units,
            self.intent_id,
            self.is_out,
            self._opened,
            self._out_units,
            self._out_side,
            self._since_ns if self.is_out or self.state is RuleState.COOLING else 0,
            self._opened_ns,
            self._newest_ns,
            self.waits_back,
            "" if self.ended_as is None else self.ended_as.value,
            self.reason,
            self._before_units,
            self._birth_units,
            self.state is RuleState.COOLING,
        )

    # What it asks for.

    def threshold_e9(self, side: Side) -> int | None:
        """The price that `side` has to meet; of a counter-price rule the one at which money is left before costs."""
        spec = self.spec
        fixed = spec.buy_at_e9 if side is Side.BUY else spec.sell_at_e9
        moving: int | None
        if self.band is not None:
            moving = self.band.threshold_e9(side)
        elif spec.kind is RuleKind.COUNTER_PRICE:
            moving = spec.costs.fair_e9
        else:
            return fixed
        if moving is None or not trades(spec, side):
            return None
        if fixed is None:
            return moving
        return min(fixed, moving) if side is Side.BUY else max(fixed, moving)

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
        """Most units that an intent may have without going beyond its limits."""
        spec = self.spec
        most = min(spec.units, self.pool.room(spec, side, self.net_units))
        if spec.total_units is not None:
            most = min(most, spec.total_units - self.filled_units)
        return most if most >= spec.min_units else 0

    def is_news(self, newest_ns: int) -> bool:
        """Whether the newest of the quotes of now came after those of the last intent that it remembers from before."""
        return newest_ns > self._fence_ns

    @property
    def wants_every_look(self) -> bool:
        """Whether it has to hear of prices that do not meet its threshold."""
        return self.state is RuleState.HOLDING or bool(self.waits_back)

    @property
    def is_out(self) -> bool:
        """An intent of it is out, or a trade of it open; also of one that has ended meanwhile."""
        return self.state is RuleState.FIRED or (self.state is RuleState.ENDED and self._out_units > 0)

    @property
    def out_units(self) -> int:
        """Units of that intent."""
        return self._out_units if self.is_out else 0

    def out(self, side: Side) -> int:
        """Units of an intent on that side that is out and not filled yet, as far as positions tell."""
        return self._out_units if self._out_side is side and self.is_out else 0

    # What it is told.

    def ready(self, at_ns: int) -> bool:
        """Whether a condition would be looked at now; ends a cool-down and a silence that are over."""
        self._mind_silence(at_ns)
        if self.state is RuleState.COOLING and at_ns >= self._since_ns + self.spec.cool_down_ns:
            self.state, self.changed = RuleState.IDLE, True
        if self.state not in (RuleState.IDLE, RuleState.HOLDING):
            return False
        if self._expires_ns and at_ns >= self._expires_ns:
            return False
        if self._inside(at_ns):
            return True
        self.state = RuleState.IDLE
        return False

    def condition(self, side: Side | None, at_ns: int) -> bool:
        """Tell it which side's condition is met now, if any; True when it has to fire. Only while `ready`."""
        if side is None:
            self.state = RuleState.IDLE
            return False
        if self.state is RuleState.IDLE or side is not self._side:
            self.state, self._side, self._since_ns, self._looks = RuleState.HOLDING, side, at_ns, 0
        self._looks += 1
        return at_ns - self._since_ns >= self.spec.persist_ns and self._looks >= self.spec.persist_quotes

    def came_to(self, side: Side, px_e9: int | None) -> None:
        """The price of a side that waits for it to come back; None where there is none."""
        threshold_e9 = self.threshold_e9(side)
        if px_e9 is None or threshold_e9 is None:
            return
        if (px_e9 - threshold_e9) * side.sign >= self.spec.rearm_e9:
            self.waits_back = tuple(one for one in self.waits_back if one is not side)
            self.changed = True

    def fired(
        self, intent_id: str, expires_ns: int, side: Side | None = None, units: int = 0, newest_ns: int = 0
    ) -> None:
        """An intent of it was sent, made of quotes the newest of which came at `newest_ns`."""
        self.state, self.intent_id, self._since_ns, self._opened = RuleState.FIRED, intent_id, expires_ns, False
        self._out_side, self._out_units, self._newest_ns = side, units, newest_ns
        self._before_units = self.filled_units
        self._unheard = True
        if self.spec.rearm_e9 and side is not None and side not in self.waits_back:
            self.waits_back = (*self.waits_back, side)
        self.changed = True

    def not_sent(self, at_ns: int) -> None:
        """The intent could not be handed over."""
        self._unheard = False
        self._cool(at_ns)

    def meet(self, intent_id: str, opened_ns: int) -> None:
        """A pair trade of its name, opened at `opened_ns`: one that it knows nothing of, because it was restarted or
        was silent for too long, counts as that of its last intent, made of nothing newer than that.
        """
        if intent_id != self.intent_id and not self.is_out and opened_ns > self._newest_ns:
            self.intent_id, self._before_units = intent_id, self.filled_units
            self._fence_ns = self._newest_ns = opened_ns - 1

    def opened(self, intent_id: str, opened_ns: int, side: Side | None = None, units: int = 0) -> None:
        """Execution has a pair trade of the intent, opened at `opened_ns`, which has not ended yet."""
        if intent_id != self.intent_id:
            if self.is_out:
                return
            self.intent_id, self._before_units = intent_id, self.filled_units
        if self.state is not RuleState.ENDED:
            self.state = RuleState.FIRED
        self._opened, self._opened_ns, self._out_side, self._out_units = True, opened_ns, side, units
        self._unheard = self.changed = True

    def filled(self, intent_id: str, hedged_units: int) -> None:
        """A pair trade of the intent has completed so many units by now."""
        if intent_id == self.intent_id and self._before_units + hedged_units > self.filled_units:
            self.filled_units, self.changed = self._before_units + hedged_units, True
            self._finish_if_full()

    def ended(self, intent_id: str, at_ns: int, *, traded: bool = True) -> None:
        """The intent was refused, or its pair trade (`traded`) has come to an end."""
        if not intent_id or intent_id != self.intent_id or not self._unheard:
            return
        self._unheard = False
        self._cool(at_ns)
        if traded and self.spec.one_shot and self.ended_as is None:
            self.end(RuleStandingState.DONE, "its one trade has ended")

    def no_open_trade(self, as_of_ns: int, at_ns: int) -> None:
        """Execution had no open trade of the pair at `as_of_ns`: one that was opened before has ended unheard."""
        if self.is_out and self._opened and as_of_ns > self._opened_ns:
            self.ended(self.intent_id, at_ns)

    def holds(self, net_units: int) -> None:
        """What execution holds by its trades now: never less was filled than that."""
        self.net_units = net_units
        self.filled_units = max(self.filled_units, abs(net_units - self._birth_units))
        self.changed = True
        self._finish_if_full()

    def in_time(self, *, is_open: bool, until_ns: int, expires_ns: int) -> None:
        """Whether it is inside a window, until when that holds (0: for ever), when its life ends (0: never)."""
        self._is_open, self._until_ns, self._expires_ns, self.changed = is_open, until_ns, expires_ns, True

    def end(self, state: RuleStandingState, reason: str) -> None:
        """It never fires again."""
        if not self.is_out:
            self._out_units = 0
        self.ended_as, self.reason, self.state, self.changed = state, reason, RuleState.ENDED, True

    def expire(self, at_ns: int) -> None:
        """End it when its time is over; end a silence that is."""
        self._mind_silence(at_ns)
        if self._expires_ns and at_ns >= self._expires_ns and self.ended_as is None:
            self.end(RuleStandingState.EXPIRED, "its time is over")

    @property
    def next_ns(self) -> int:
        """When something of it changes by the clock alone; 0: never."""
        next_ns, expires_ns = (self._until_ns, self._expires_ns) if self.ended_as is None else (0, 0)
        if expires_ns and (not next_ns or expires_ns < next_ns):
            next_ns = expires_ns
        if self.is_out and not self._opened:
            silent_ns = self._since_ns + self._silence_ns + 1
            next_ns = min(next_ns, silent_ns) if next_ns else silent_ns
        return next_ns

    # How it stands.

    def obstacle(self, at_ns: int) -> str:
        """What keeps it from firing whatever the price; empty: nothing."""
        if self.band is not None and not self.band.is_warm:
            return WARMING_UP
        if not self._inside(at_ns):
            return OUTSIDE
        if self.state is RuleState.COOLING:
            return COOLING_DOWN
        if self.waits_back:
            return COMES_BACK
        return "" if self.room_units(Side.BUY) or self.room_units(Side.SELL) or self.is_out else self._no_room()

    def standing(self) -> RuleStandingState:
        """As its client sees it."""
        if self.ended_as is not None:
            return self.ended_as
        return RuleStandingState.FIRED if self.is_out else RuleStandingState.WORKING

    def leaves_units(self) -> int | None:
        """What it may still fill."""
        if self.ended_as is not None:
            return 0
        return None if self.spec.total_units is None else max(0, self.spec.total_units - self.filled_units)

    def _mind_silence(self, at_ns: int) -> None:
        if self._opened or not (self._out_units or self.state is RuleState.FIRED):
            return
        silent_ns = self._since_ns + self._silence_ns
        if at_ns > silent_ns:
            self._cool(silent_ns)

    def _no_room(self) -> str:
        return NOTHING_TO_CLOSE if self.pool.is_closer(self.spec) else "max_units are held"

    def _inside(self, at_ns: int) -> bool:
        return self._is_open is not bool(self._until_ns and at_ns >= self._until_ns)

    def _cool(self, at_ns: int) -> None:
        """Its intent is over. The id stays, for words of it that come late."""
        self._opened, self._out_units, self._out_side, self.changed = False, 0, None, True
        if self.state is not RuleState.ENDED:
            self.state, self._since_ns = RuleState.COOLING, at_ns
            self._finish_if_full()
        if self.spec.immediate and self.ended_as is None:
            self.end(RuleStandingState.EXPIRED, "immediate: what is not filled never will be")

    def _finish_if_full(self) -> None:
        total = self.spec.total_units
        if total is not None and self.filled_units >= total and self.ended_as is None and not self.is_out:
            self.end(RuleStandingState.DONE, "all its units are filled")


def trades(spec: RuleSpec, side: Side) -> bool:
    """Whether a moving band or a counter-price rule trades that side."""
    return spec.side is RuleSide.BOTH or spec.side.value == side.name.lower()
