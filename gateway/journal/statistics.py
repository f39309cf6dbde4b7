"""Percentiles and intervals of the reports. Pure.

Percentiles are exact, by nearest rank: the smallest value that at least p per cent of the sample do not exceed. The
interval of a share is Clopper and Pearson's, two-sided 95 %: exact, never shorter than promised, and the one by which
183 of 183 prove 98 %. Floats stand for shares here, never for prices.
"""

from collections.abc import Sequence
from math import exp, lgamma, log

PERCENTILES = (("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9))
PROMISED_SHARE = 0.98
_TAIL = 0.025
_HALVINGS = 60


def nearest_rank(ordered: Sequence[int], percent: float) -> int:
    """Give the percentile of an ascending, non-empty sample."""
    rank = -(-len(ordered) * round(percent * 10) // 1000)
    return ordered[max(rank, 1) - 1]


def distribution(sample: Sequence[int]) -> dict[str, int | None]:
    """Give count, percentiles and max; the figures of an empty sample are None."""
    ordered = sorted(sample)
    figures: dict[str, int | None] = {
        name: nearest_rank(ordered, percent) if ordered else None for name, percent in PERCENTILES
    }
    figures["max"] = ordered[-1] if ordered else None
    figures["count"] = len(ordered)
    return figures


def lower_bound(successes: int, total: int) -> float:
    """Give the lower end of the 95 % interval of successes / total; 0.0 where there is none."""
    failures = total - successes
    if successes <= 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(failures, total, middle) < _TAIL:
            low = middle
        else:
            high = middle
    return low


def trials_needed(failures: int, share: float = PROMISED_SHARE) -> int:
    """Give the smallest sample with so many failures whose lower bound reaches `share`."""
    low, high = failures + 1, 1
    while lower_bound(high - failures, high) < share:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if lower_bound(middle - failures, middle) >= share else (middle + 1, high)
    return low


def _at_most(failures: int, total: int, success_share: float) -> float:
    """Probability of at most so many failures when each trial succeeds with `success_share`."""
    if not 0.0 < success_share < 1.0:
        return 0.0 if success_share <= 0.0 else 1.0
    log_success, log_failure = log(success_share), log(1.0 - success_share)
    constant = lgamma(total + 1)
    return sum(
        exp(constant - lgamma(k + 1) - lgamma(total - k + 1) + k * log_failure + (total - k) * log_success)
        for k in range(failures + 1)
    )
