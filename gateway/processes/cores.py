"""The two deciding cores as a site makes them: one construction for the processes, the backtest and the replay.

It decides nothing: whoever trades, simulates or replays gets cores that were made of the same values in the same way.

What can go wrong: a value that a core decides by and that is not among `ExecutionSettings` would be missing from what a
run keeps of its settings (`kept_settings.py`), and a replay would differ; the replay's tests find that.
"""

from gateway.execution.engine import ExecutionEngine
from gateway.execution.ledger import ExecutionSettings
from gateway.model.record import TriggerStarted
from gateway.processes.durations import SECOND
from gateway.processes.leg_pairs import leg_pairs
from gateway.processes.site import Site
from gateway.trigger.core import TriggerCore

ID_PREFIX = "C"
SILENCE_NS = SECOND
"""An intent that nobody has spoken of for so long after its expiry never arrived."""


def settings(site: Site) -> ExecutionSettings:
    """What both cores decide by."""
    return ExecutionSettings(
        ID_PREFIX,
        site.stage,
        dict(site.pairs) | leg_pairs(site.instruments, site.venues, site.clients.specs.values()),
        dict(site.rules),
        dict(site.instruments),
        dict(site.instrument_limits),
        site.limits,
        {name: venue.spec for name, venue in site.venues.items()},
    )


def execution_engine(given: ExecutionSettings, incarnation: int) -> ExecutionEngine:
    """A fresh engine."""
    return ExecutionEngine(given, incarnation)


def trigger_core(given: ExecutionSettings) -> TriggerCore:
    """A fresh trigger."""
    return TriggerCore(given.pairs.values(), given.rules.values(), given.instruments, silence_ns=SILENCE_NS)


def trigger_started(given: ExecutionSettings, at_ns: int) -> TriggerStarted:
    """What `trigger_core` makes a trigger of, for its journal."""
    instruments, pairs, rules = given.instruments.values(), given.pairs.values(), given.rules.values()
    return TriggerStarted(at_ns, SILENCE_NS, tuple(instruments), tuple(pairs), tuple(rules), ())
