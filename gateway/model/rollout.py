"""A rollout plan as values: the stages an installation passes through, what each may do, and what makes it fall back.

Reading and checking the file is `acceptance/grey_plan.py`; who may go up, and what has to be shown before, is judged
outside of execution (`cmc stage`). Execution holds the installation to the stage's limits and falls back by itself.
"""

from gateway.model.base import Message
from gateway.model.trade import AlarmName

SHADOW, CANARY, LIMITED, FULL = STAGES = ("shadow", "canary", "limited", "full")
WHOLE_E6 = 1_000_000


class StageLimits(Message):
    """What a stage may do. An empty list, or None, does not limit."""

    pairs: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    max_units: int | None = None
    """Of one pair trade; a larger intent is taken up with so many."""
    share_e6: int = WHOLE_E6
    """Share of the opportunities of each rule and side that are taken up."""
    opportunity_gap_ns: int = 0
    """Intents of a rule and side that follow each other within this belong to one opportunity, and share its fate."""
    max_position_lots: int | None = None
    """Of every instrument, in the worst case."""
    max_pair_units: int | None = None
    max_open_trades: int | None = None
    max_orders: int | None = None
    """First orders and repairs in the whole time of the stage; what is open is still repaired beyond it."""


class Tripwire(Message):
    """What makes execution fall back to the stage below. None: not watched."""

    window_trades: int = 20
    """Pair trades that ended last, over which failures and lateness are counted."""
    most_failed: int | None = None
    """Pair trades of the window that were taken back or given to a person."""
    most_rejected: int | None = None
    """Pair trades of the window with an order that its venue rejected."""
    most_slipped: int | None = None
    """Pair trades of the window that lost more than `slippage_e9`."""
    slippage_e9: int = 0
    """Money of the pair's currency that one unit of a pair trade may lose."""
    most_late: int | None = None
    """Pair trades of the window whose gateway latency was over `latency_ns`."""
    latency_ns: int = 0
    legged_ns: int | None = None
    """One pair trade unbalanced for longer."""
    alarms: tuple[AlarmName, ...] = ()
    """One of these alarms."""
    most_restarts: int | None = None
    """Starts of execution within the stage, beyond which it falls back."""


class RolloutStage(Message):
    """One stage. `name` is the plan's own (`limited-25`), `kind` one of STAGES."""

    name: str
    kind: str
    limits: StageLimits
    tripwire: Tripwire


class Rollout(Message):
    """A plan, as it is given to execution by the command `rollout`."""

    name: str
    digest: str
    """SHA-256 of the plan's file."""
    approvers: tuple[str, ...]
    stages: tuple[RolloutStage, ...]

    def place(self, name: str) -> int:
        """Of the stage of this name, from 0; -1 where there is none."""
        return next((place for place, one in enumerate(self.stages) if one.name == name), -1)
