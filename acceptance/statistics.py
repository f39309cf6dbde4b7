"""Intervals by which criteria are judged. Pure.

    share        Clopper and Pearson: exact, two-sided, never shorter than promised. 183 of 183 prove 98 %, so do 497 of
                 500 and 989 of 1 000.
    in blocks    the same where cases of one block (a minute, say) may share a cause: Korn and Graubard's, which takes
                 as many cases as the spread between blocks shows them to be worth.
    percentile   order statistics: the chance that at most so many of n values lie below the true percentile is
                 binomial, whatever the law of the values. The upper end of a p99 exists from 368 values on (two-sided
                 95 %); with fewer the interval has no upper end, and a bound on it is not proved.
    mean         Student's t, for figures that are sums of many (one per seed).
    any other    bootstrap over cases: the seeds are drawn anew, everything of one seed together.

Percentiles themselves are `gateway.journal.statistics.nearest_rank`, the one definition of the reports.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import sqrt
from random import Random
from typing import NamedTuple

from acceptance.laws import beta_quantile, binomial_at_most, student_quantile
from gateway.journal.statistics import nearest_rank

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A value with the two ends of its interval; an end that the sample cannot give is None."""

    value: float
    low: float | None
    high: float | None


def share_interval(count: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Clopper and Pearson's interval of count / trials; without trials it is everything."""
    if not 0 <= count <= trials:
        message = f"{count} of {trials} is no share"
        raise ValueError(message)
    if not trials:
        return Interval(0.0, 0.0, 1.0)
    tail = (1.0 - confidence) / 2
    low = 0.0 if count == 0 else beta_quantile(count, trials - count + 1, tail)
    high = 1.0 if count == trials else beta_quantile(count + 1, trials - count, 1.0 - tail)
    return Interval(count / trials, low, high)


class Blocks(NamedTuple):
    """A share whose cases come in blocks: how many blocks, how many independent cases they are worth, the interval."""

    blocks: int
    worth: float
    interval: Interval


def block_interval(blocks: Sequence[tuple[int, int]], confidence: float = CONFIDENCE) -> Blocks | None:
    """The interval of a share from (part, whole) of each block; None with fewer than two blocks.

    Korn and Graubard (Survey Methodology 24, 1998): Clopper and Pearson's with the effective sample size, which is n
    over the design effect (never below 1), times the square of the ratio of Student's quantiles. Where all cases or
    none count, no spread is seen: then each block is taken for one case, which is the worst that blocks can do.
    """
    size, whole, part = len(blocks), sum(one[1] for one in blocks), sum(one[0] for one in blocks)
    if size < 2 or not whole:  # noqa: PLR2004 - one block shows no spread
        return None
    share, tail = part / whole, (1.0 - confidence) / 2
    if part in (0, whole):
        worth = float(size)
    else:
        spread = size / (size - 1) * sum((one[0] - share * one[1]) ** 2 for one in blocks) / whole**2
        worth = min(float(whole), share * (1.0 - share) / spread) if spread > 0.0 else float(whole)
        worth *= (student_quantile(whole - 1, 1.0 - tail) / student_quantile(size - 1, 1.0 - tail)) ** 2
    count = share * worth
    low = 0.0 if part == 0 else beta_quantile(count, worth - count + 1.0, tail)
    high = 1.0 if part == whole else beta_quantile(count + 1.0, worth - count, 1.0 - tail)
    return Blocks(size, worth, Interval(share, low, high))


def percentile_interval(sample: Sequence[int], percent: float, confidence: float = CONFIDENCE) -> Interval:
    """A percentile of a sample (nearest rank) and its interval by order statistics; ValueError when it is empty."""
    if not sample:
        message = "an empty sample has no percentile"
        raise ValueError(message)
    ordered = sorted(sample)
    low, high = percentile_ranks(len(ordered), percent, confidence)
    return Interval(
        nearest_rank(ordered, percent),
        None if low is None else ordered[low - 1],
        None if high is None else ordered[high - 1],
    )


@lru_cache(maxsize=256)
def percentile_ranks(size: int, percent: float, confidence: float = CONFIDENCE) -> tuple[int | None, int | None]:
    """Ranks, from 1, of the values that bound a percentile on either side, each with half of the rest of `confidence`.

    The k-th smallest value is above the true percentile unless k or more values lie below it.
    """
    share, tail = percent / 100.0, (1.0 - confidence) / 2
    low = _last(size, lambda rank: binomial_at_most(rank - 1, size, share) <= tail)
    high = _first(size, lambda rank: binomial_at_most(rank - 1, size, share) >= 1.0 - tail)
    return low, high


def percentile_needs(percent: float, confidence: float = CONFIDENCE) -> int:
    """The smallest sample whose percentile has an upper end."""
    size = 1
    while percentile_ranks(size, percent, confidence)[1] is None:
        size *= 2
    low, high = size // 2 + 1, size
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if percentile_ranks(middle, percent, confidence)[1] else (middle + 1, high)
    return low


def share_needs(failures: int, share: float, confidence: float = CONFIDENCE) -> int:
    """The smallest number of trials with so many failures whose interval begins at `share` or above."""
    low, high = failures + 1, failures + 2
    while (share_interval(high - failures, high, confidence).low or 0.0) < share:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        reached = (share_interval(middle - failures, middle, confidence).low or 0.0) >= share
        low, high = (low, middle) if reached else (middle + 1, high)
    return low


def mean_interval(sample: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The mean and Student's interval; one value has none."""
    size = len(sample)
    mean = sum(sample) / size
    if size < 2:  # noqa: PLR2004 - one value tells nothing of its spread
        return Interval(mean, None, None)
    variance = sum((one - mean) ** 2 for one in sample) / (size - 1)
    half = student_quantile(size - 1, (1.0 + confidence) / 2) * sqrt(variance / size)
    return Interval(mean, mean - half, mean + half)


def resampled_interval(
    size: int,
    figure: Callable[[Sequence[int]], float | None],
    *,
    resamples: int,
    seed: int,
    confidence: float = CONFIDENCE,
) -> Interval:
    """A figure of `size` cases and its bootstrap interval: cases are drawn anew, with replacement, `resamples` times.

    `figure` takes the places of the cases drawn, and gives None where it does not exist; then there is no interval.
    """
    value = figure(range(size)) if size else None
    if value is None:
        return Interval(float("nan"), None, None)
    rng = Random(seed)  # noqa: S311 - a resample is drawn from a stated seed
    drawn = []
    for _ in range(resamples):
        one = figure(rng.choices(range(size), k=size))
        if one is None:
            return Interval(value, None, None)
        drawn.append(one)
    drawn.sort()
    tail = (1.0 - confidence) / 2
    return Interval(value, drawn[int(tail * resamples)], drawn[min(resamples - 1, int((1.0 - tail) * resamples))])


def _first(size: int, holds: Callable[[int], bool]) -> int | None:
    """The smallest rank for which a condition holds that, once true, stays true."""
    if not holds(size):
        return None
    low, high = 1, size
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _last(size: int, holds: Callable[[int], bool]) -> int | None:
    """The largest rank for which a condition holds that, once false, stays false."""
    if not holds(1):
        return None
    low, high = 1, size
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
