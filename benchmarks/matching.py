"""Pairs the orders that a venue saw with the quotes that called for them. Pure.

An order belongs to the newest trigger written before it arrived whose price and side it carries. The leg that did not
cause it may already stand at the next trigger's level: the two legs' quotes come by two sockets, and a program that is
late may read the later one first. What answers no trigger is a stray; a trigger that lacks a leg's order is missed.
Neither enters a percentile, both are printed.
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from benchmarks.schedule import CODES, A, B, Expected, cause_of, expected


class TriggerWritten(msgspec.Struct, frozen=True):
    """`at_ns` is the instant before the send() of the trigger's market-data message."""

    number: int
    at_ns: int


class OrderArrived(msgspec.Struct, frozen=True):
    """`at_ns` is the instant recv() returned with the order, `socket_ns` when the kernel had it."""

    leg: int
    buy: bool
    px_ticks: int
    at_ns: int
    socket_ns: int


class Answered(msgspec.Struct, frozen=True):
    """A trigger whose both legs' orders arrived."""

    number: int
    written_ns: int
    arrived_ns: tuple[int, int]
    socket_ns: tuple[int, int]

    @property
    def last_leg_ns(self) -> int:
        """Quote written to the last leg's order read."""
        return max(self.arrived_ns) - self.written_ns

    @property
    def socket_leg_ns(self) -> int:
        """Quote written to the last leg's order in the venue's socket, without the venue's own wake-up."""
        return max(self.socket_ns) - self.written_ns

    @property
    def skew_ns(self) -> int:
        """Between the two legs' arrivals in their sockets."""
        return abs(self.socket_ns[A] - self.socket_ns[B])


class Matched(msgspec.Struct, frozen=True):
    """What came of a run."""

    answered: tuple[Answered, ...]
    missed: tuple[int, ...]
    strays: tuple[OrderArrived, ...]


def wanted(trigger: int, leg: int) -> tuple[Expected, ...]:
    """The orders on `leg` that answer `trigger`."""
    first = expected(trigger, leg)
    if leg == cause_of(trigger):
        return (first,)
    step = (trigger + 1) % CODES - trigger % CODES
    return first, Expected(first.buy, first.px_ticks + step)


def match(triggers: Sequence[TriggerWritten], orders: Sequence[OrderArrived]) -> Matched:
    """Every trigger with its orders. `triggers` are in order of time; a second order for the same leg is a stray."""
    times = [trigger.at_ns for trigger in triggers]
    found: dict[int, dict[int, OrderArrived]] = {}
    strays = []
    for order in orders:
        newest = bisect_right(times, order.at_ns)
        candidates = triggers[max(0, newest - CODES + 1) : newest]
        for trigger in reversed(candidates):
            if Expected(order.buy, order.px_ticks) in wanted(trigger.number, order.leg):
                legs = found.setdefault(trigger.number, {})
                if order.leg in legs:
                    strays.append(order)
                else:
                    legs[order.leg] = order
                break
        else:
            strays.append(order)
    answered = tuple(
        _answered(trigger, found[trigger.number])
        for trigger in triggers
        if len(found.get(trigger.number, {})) == len((A, B))
    )
    complete = {one.number for one in answered}
    missed = tuple(trigger.number for trigger in triggers if trigger.number not in complete)
    return Matched(answered, missed, tuple(strays))


def _answered(trigger: TriggerWritten, legs: dict[int, OrderArrived]) -> Answered:
    read = (legs[A].at_ns, legs[B].at_ns)
    return Answered(trigger.number, trigger.at_ns, read, (legs[A].socket_ns, legs[B].socket_ns))
