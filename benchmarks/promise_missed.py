"""What became of the opportunities that a contender did not catch: the first that applies.

What a contender is judged by stands in promise_account.py; here nothing is, it only explains.

    lost        a pair trade was opened on it, and did not end hedged within the slippage budget
    no room     the rule's position limit was full on its side, when it began and when it ended
    used up     on the books that the contender saw the rule was not met: it had taken the lots before
    no price    the gateway's alone: the rule was met on the books, and the trigger had no price (a quote too old,
                or too far from the other's)
    busy        from its beginning to its end the contender had another trade open, or cooled down after it
    let go      the rest: gone before people had reacted, part of what the rule had fired on already, or refused
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from benchmarks.promise_world import Opportunity, Spell


class Missed(NamedTuple):
    """Opportunities by what became of them; with those that were caught they are all."""

    lost: int
    no_room: int
    used_up: int
    no_price: int
    busy: int
    let_go: int


class Record(NamedTuple):
    """What of a contender's day tells why it missed something."""

    caught: frozenset[int]
    """Places of opportunities."""
    tried: frozenset[int]
    """Those that a pair trade was opened on."""
    units: Sequence[tuple[int, int]]
    """When so many units more were held, in order of time; sold ones count down."""
    max_units: int
    met: Mapping[int, Sequence[int]]
    """By side: when the rule was met on the contender's own books, in order of time."""
    late_ns: int
    """So much later than it arrives a quote is seen."""
    unpriced: Mapping[int, Sequence[int]]
    """By side: when the rule was met and the trigger had no price, in order of time."""
    spells: Sequence[Spell]
    """In order of time."""


def missed(opportunities: Sequence[Opportunity], record: Record) -> Missed:
    """Count what was not caught by its reason."""
    times = [at_ns for at_ns, _ in record.units]
    held = [0, *accumulate(units for _, units in record.units)]
    begins = [spell.begin_ns for spell in record.spells]
    counts = dict.fromkeys(Missed._fields, 0)
    for place, one in enumerate(opportunities):
        if place in record.caught:
            continue
        ends = one.begin_ns, one.end_ns
        if place in record.tried:
            counts["lost"] += 1
        elif all(one.side * held[bisect_right(times, at_ns)] >= record.max_units for at_ns in ends):
            counts["no_room"] += 1
        elif not _within(record.met[one.side], (one.begin_ns, one.end_ns + record.late_ns)):
            counts["used_up"] += 1
        elif _within(record.unpriced.get(one.side, ()), ends):
            counts["no_price"] += 1
        elif _covered(record.spells, begins, ends):
            counts["busy"] += 1
        else:
            counts["let_go"] += 1
    return Missed(**counts)


def _within(times: Sequence[int], ends: tuple[int, int]) -> bool:
    return bisect_right(times, ends[1]) > bisect_right(times, ends[0] - 1)


def _covered(spells: Sequence[Spell], begins: Sequence[int], ends: tuple[int, int]) -> bool:
    place = bisect_right(begins, ends[0]) - 1
    return place >= 0 and spells[place].end_ns >= ends[1]
