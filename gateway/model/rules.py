"""Rules that change while the trigger runs, and what becomes of each: commands to trigger, answers, announcements.

`ChangeRules` and `AskRules` go to trigger's own command socket (`trigger.cmd`, as `gateway/bus/sockets.py` has it for
execution) and are answered there: the one with `CommandAnswered`, the other with `RulesInForce`. A change is all or
nothing, is written down before it is answered, and the same `command_id` twice is answered, not done, twice.
"""

from enum import StrEnum

from gateway.model.base import Message
from gateway.model.order import Side
from gateway.model.site import PairSpec, RuleSpec


class RuleStandingState(StrEnum):
    """Where a rule stands, as a client sees its resting order."""

    WORKING = "working"
    """It is watched; `reason` says what keeps it from firing, if anything (warming up, outside its window)."""
    FIRED = "fired"
    """An intent of it is out, or a pair trade of it is open."""
    DONE = "done"
    """All its units are filled. It never fires again."""
    EXPIRED = "expired"
    """Its time is over, or it was immediate and is over; what it has not filled it never will."""
    REMOVED = "removed"
    """A command took it away; a trade of it that is open goes on."""


ENDED_STANDINGS = frozenset({RuleStandingState.DONE, RuleStandingState.EXPIRED, RuleStandingState.REMOVED})


class RuleStanding(Message):
    """A rule after a change of it. Published by trigger under `R.<rule_id>`; the last word of each can be asked for.

    An ended rule whose trade is still open speaks again when that trade ends, in the same state, with what was filled.
    """

    rule_id: str
    pair_id: str
    state: RuleStandingState
    filled_units: int
    """Pair units that its trades have completed in its life, both sides together."""
    held_units: int
    """Bought less sold, as execution keeps it."""
    open_units: int
    """Units of the intent that is out or the trade that is open; 0: none."""
    leaves_units: int | None
    """What it may still fill; 0 when it has ended; None: a standing rule without a total."""
    reason: str
    at_ns: int
    intent_id: str = ""
    """Of the intent that is out, or was last."""


class ChangeRules(Message):
    """Change rules and pairs' coefficients, all at one event or none.

    `rules` are new or replace the one of that id (which keeps its position, its open trade and what it has filled);
    `removed` are ids; `pairs` replace pairs that exist and may differ from them in coefficients alone.
    """

    command_id: str
    who: str
    reason: str
    rules: tuple[RuleSpec, ...] = ()
    removed: tuple[str, ...] = ()
    pairs: tuple[PairSpec, ...] = ()
    base_digest: str = ""
    """Of a new site file that the rules in force are from now on those of; empty: a change on top of the file."""
    base_rules: tuple[str, ...] = ()
    """With it: ids of the rules that stand in that file."""


class AskRules(Message):
    """Answered at once with RulesInForce."""

    command_id: str


class RulesInForce(Message):
    """All rules that are watched, pairs as they are priced, and where each rule stands, ended ones of late included."""

    command_id: str
    rules: tuple[RuleSpec, ...]
    pairs: tuple[PairSpec, ...]
    standings: tuple[RuleStanding, ...]
    changed: tuple[str, ...]
    """Ids of rules and pairs that are not as the site file has them, because a command changed them."""
    conflicts: tuple[str, ...]
    """Of these, the ones that were edited in the file since: the command's version is in force."""
    site_digest: str
    file_rules: tuple[str, ...] = ()
    """Ids of the rules that stand in the site file."""


class RuleMemory(Message):
    """What a rule must not forget over a restart or a change of its settings."""

    rule_id: str
    net_units: int
    filled_units: int
    intent_id: str = ""
    """Last intent. While `out` nobody has said that it ended."""
    out: bool = False
    opened: bool = False
    """Execution has a trade of it."""
    out_units: int = 0
    out_side: Side | None = None
    since_ns: int = 0
    """While out, the end of the intent's life; else since when it cools."""
    opened_ns: int = 0
    fence_ns: int = 0
    """Receipt of the newest quote that an intent of it was made of: it fires on something newer only."""
    waits_back: tuple[Side, ...] = ()
    """Sides on which the price has not come back yet since it fired."""
    ended: str = ""
    """A RuleStandingState that ended it."""
    reason: str = ""
    before_units: int = 0
    """Of the filled units, those before the last intent."""
    birth_units: int = 0
    """Held under its id when its life began, by an earlier rule of that name."""
    cooling: bool = False
