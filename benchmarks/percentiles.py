"""Exact percentiles of a list of nanoseconds, and the row that every table prints.

Nearest rank on the sorted list: a percentile is always a value that was measured. A percentile that fewer than ten
measurements lie beyond is still printed, and `count` beside it says how little it rests on.
"""

from collections.abc import Sequence

import msgspec

PER_MILLE = {"p50": 500, "p90": 900, "p99": 990, "p99.9": 999}


class Summary(msgspec.Struct, frozen=True, rename={"p99_9_ns": "p99.9_ns"}):
    """Percentiles of `count` measurements, in nanoseconds."""

    count: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    p99_9_ns: int
    max_ns: int


def percentile(ordered: Sequence[int], per_mille: int) -> int:
    """The smallest value that at least `per_mille` thousandths of the sorted `ordered` do not exceed."""
    if not ordered:
        message = "a percentile of no measurements"
        raise ValueError(message)
    rank = -(-len(ordered) * per_mille // 1000)
    return ordered[max(rank, 1) - 1]


def summarise(values_ns: Sequence[int]) -> Summary | None:
    """All percentiles of `values_ns`; None when there are none."""
    if not values_ns:
        return None
    ordered = sorted(values_ns)
    p50, p90, p99, p99_9 = (percentile(ordered, per_mille) for per_mille in PER_MILLE.values())
    return Summary(len(ordered), p50, p90, p99, p99_9, ordered[-1])


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones."""
    if not values:
        message = "a median of no rounds"
        raise ValueError(message)
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
