"""Pairs the orders that a venue saw with the quotes that called for them. Pure.

An order belongs to the newest trigger written before it arrived whose price and side it carries. What answers none is
a stray; a trigger that lacks a leg's order is missed. Neither enters a percentile, both are printed.
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from benchmarks.schedule import CODES, A, B, expected


class TriggerWritten(msgspec.Struct, frozen=True):
    """`at_ns` is the instant before the send() of the trigger's market-data message."""

    number: int
    at_ns: int


class OrderArrived(msgspec.Struct, frozen=True):
    """`at_ns` is the instant recv() returned with the order."""

    leg: int
    buy: bool
    px_ticks: int
    at_ns: int


class Answered(msgspec.Struct, frozen=True):
    """A trigger whose both legs' orders arrived."""

    number: int
    written_ns: int
    arrived_ns: tuple[int, int]

    @property
    def last_leg_ns(self) -> int:
        """Quote written to the last leg's order read."""
        return max(self.arrived_ns) - self.written_ns

    @property
    def skew_ns(self) -> int:
        """Between the two legs' arrivals."""
        return abs(self.arrived_ns[A] - self.arrived_ns[B])


class Matched(msgspec.Struct, frozen=True):
    """What came of a run."""

    answered: tuple[Answered, ...]
    missed: tuple[int, ...]
    strays: tuple[OrderArrived, ...]


def match(triggers: Sequence[TriggerWritten], orders: Sequence[OrderArrived]) -> Matched:
    """Every trigger with its orders. `triggers` are in order of time; a second order for the same leg is a stray."""
    times = [trigger.at_ns for trigger in triggers]
    found: dict[int, dict[int, int]] = {}
    strays = []
    for order in orders:
        newest = bisect_right(times, order.at_ns)
        candidates = triggers[max(0, newest - CODES + 1) : newest]
        for trigger in reversed(candidates):
            want = expected(trigger.number, order.leg)
            if (want.buy, want.px_ticks) == (order.buy, order.px_ticks):
                legs = found.setdefault(trigger.number, {})
                if order.leg in legs:
                    strays.append(order)
                else:
                    legs[order.leg] = order.at_ns
                break
        else:
            strays.append(order)
    answered = tuple(
        Answered(trigger.number, trigger.at_ns, (found[trigger.number][A], found[trigger.number][B]))
        for trigger in triggers
        if len(found.get(trigger.number, {})) == len((A, B))
    )
    complete = {one.number for one in answered}
    missed = tuple(trigger.number for trigger in triggers if trigger.number not in complete)
    return Matched(answered, missed, tuple(strays))
