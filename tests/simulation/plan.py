"""What goes wrong in one world: named faults, drawn from its seed.

Each seed switches on about half of the faults and gives each its own rate, so that some worlds know one trouble only and
some know many at once. Faults per order are probabilities; faults in time have a mean interval. Some faults take a message away
for good; what follows from that is the referee's to judge (`Referee.gone`).
"""

# ruff: noqa: S311 - chance is seeded here

from random import Random
from typing import NamedTuple

from simulators.core.config import FaultSpec

MS = 1_000_000
SECOND = 1_000 * MS

Params = dict[str, str | int | float | bool]

ORDER_FAULTS: dict[str, tuple[float, tuple[Params, ...]]] = {
    "reject": (0.10, ({}, {"reason": "2", "text": "market closed"})),
    "partial": (0.20, ({"fraction": 0.5}, {"fraction": 0.2}, {"fraction": 0.0})),
    "late_fill": (0.10, ({"delay_ms": 60}, {"delay_ms": 700}, {"delay_ms": 2500})),
    "fill_before_ack": (0.20, ({},)),
    "delay": (0.10, ({"delay_ms": 100}, {"delay_ms": 900}, {"delay_ms": 2600})),
    "duplicate": (0.20, ({},)),
    "out_of_order": (0.15, ({"delay_ms": 20}, {"delay_ms": 400})),
    "bust": (0.10, ({"delay_ms": 30}, {"delay_ms": 1200})),
    "correct": (0.05, ({"delay_ms": 200, "ticks": 1}, {"delay_ms": 900, "ticks": 0.5})),
    "silence": (0.05, ({}, {"lost": True})),
    "cancel_reject": (0.30, ({}, {"reason": "0", "text": "too late"})),
    "drop_connection": (0.02, ({"processed": True}, {"processed": False})),
    "halt": (0.01, ({"for_ms": 400}, {"for_ms": 2500})),
    "limit_locked": (0.01, ({"for_ms": 700, "side": "up"}, {"for_ms": 2000, "side": "down"})),
}
"""Faults of simulators.core: name -> highest probability for an order, and the parameters to choose from."""

WIRE_FAULTS: dict[str, float] = {
    "message_rejected": 0.02,
    "garbled": 0.02,
    "off_tick": 0.03,
    "unknown_exec_type": 0.02,
    "replay_twice": 0.5,
    "replay_shuffled": 0.4,
    "replay_after_answers": 0.4,
    "numbers_reset": 0.15,
    "notice_late": 0.5,
    "stale_answer": 0.2,
    "duplicate_intent": 0.05,
    "late_intent": 0.03,
}
"""Faults of a message or of one reconnection: highest probability."""

TIMED_FAULTS: dict[str, tuple[int, int]] = {
    "session_drop": (3 * SECOND, 12 * SECOND),
    "venue_down": (8 * SECOND, 25 * SECOND),
    "one_sided": (3 * SECOND, 10 * SECOND),
    "quotes_stall": (4 * SECOND, 12 * SECOND),
    "rate_stale": (4 * SECOND, 12 * SECOND),
    "rate_shut": (5 * SECOND, 15 * SECOND),
    "break": (6 * SECOND, 20 * SECOND),
    "unsolicited_cancel": (2 * SECOND, 6 * SECOND),
    "stranger": (10 * SECOND, 30 * SECOND),
    "stray_cancel_reject": (SECOND, 4 * SECOND),
    "new_day": (SECOND, 2 * SECOND),
    "disk_full": (5 * SECOND, 15 * SECOND),
    "kill_before_write": (8 * SECOND, 25 * SECOND),
    "kill_after_write": (8 * SECOND, 25 * SECOND),
    "kill_between_sends": (8 * SECOND, 25 * SECOND),
    "kill_after_sends": (8 * SECOND, 25 * SECOND),
    "kill_any_time": (8 * SECOND, 25 * SECOND),
    "power_lost": (10 * SECOND, 30 * SECOND),
    "held_up": (4 * SECOND, 15 * SECOND),
    "lease_taken": (15 * SECOND, 40 * SECOND),
    "kill_hold": (6 * SECOND, 20 * SECOND),
    "kill_balance": (6 * SECOND, 20 * SECOND),
    "disarm": (6 * SECOND, 20 * SECOND),
    "takeover": (4 * SECOND, 12 * SECOND),
}
"""Faults that come by themselves: shortest and longest mean interval."""


class Plan(NamedTuple):
    """The faults of one world."""

    seed: int
    order: tuple[FaultSpec, ...]
    wire: dict[str, float]
    timed: dict[str, int]
    """name -> mean interval, ns."""


def quiet(seed: int) -> Plan:
    """A world in which nothing goes wrong."""
    return Plan(seed, (), {}, {})


def draw(seed: int) -> Plan:
    """The faults of this seed's world."""
    rng = Random(f"plan {seed}")
    share = rng.choice((0.15, 0.3, 0.5))
    chosen = {name for name in (*ORDER_FAULTS, *WIRE_FAULTS, *TIMED_FAULTS) if rng.random() < share}
    chosen.add(rng.choice(sorted(ORDER_FAULTS)))
    if "new_day" in chosen:
        chosen.add("break")
    chosen.add(rng.choice(("partial", "reject", "duplicate", "fill_before_ack", "delay", "out_of_order")))
    order = tuple(
        FaultSpec(name, most * rng.uniform(0.3, 1.0), params=rng.choice(params))
        for name, (most, params) in ORDER_FAULTS.items()
        if name in chosen
    )
    wire = {name: most * rng.uniform(0.3, 1.0) for name, most in WIRE_FAULTS.items() if name in chosen}
    timed = {name: rng.randint(*between) for name, between in TIMED_FAULTS.items() if name in chosen}
    return Plan(seed, order, wire, timed)
