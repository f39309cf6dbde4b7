"""Percentiles and intervals against values known from elsewhere."""

import pytest

from gateway.journal.statistics import distribution, lower_bound, nearest_rank, trials_needed


@pytest.mark.parametrize(
    ("successes", "total", "expected"),
    [
        (10, 10, 0.691503),  # 0.025 ** (1 / 10)
        (8, 10, 0.443905),  # table of exact binomial limits
        (1, 10, 0.002529),
        (50, 100, 0.398321),
        (183, 183, 0.980044),
        (0, 10, 0.0),
    ],
)
def test_lower_bound_is_clopper_and_pearsons(successes: int, total: int, expected: float) -> None:
    """The lower end is that of the exact two-sided 95 % interval, to six places."""
    assert lower_bound(successes, total) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("failures", "trials"), [(0, 183), (3, 436), (11, 980)])
def test_trials_needed_is_the_smallest_that_proves_it(failures: int, trials: int) -> None:
    """So many trials with so many failures prove 98 %, one less does not."""
    assert trials_needed(failures) == trials
    assert lower_bound(trials - failures, trials) >= 0.98
    assert lower_bound(trials - 1 - failures, trials - 1) < 0.98


@pytest.mark.parametrize(
    ("total", "failures", "proven"), [(500, 3, True), (500, 4, False), (1000, 11, True), (1000, 12, False)]
)
def test_promised_sizes(total: int, failures: int, proven: bool) -> None:  # noqa: FBT001
    """500 with at most 3 failed and 1 000 with at most 11 prove 98 %."""
    assert (lower_bound(total - failures, total) >= 0.98) is proven


def test_nearest_rank_takes_a_value_of_the_sample() -> None:
    """Percentiles are values of the sample, by nearest rank."""
    ordered = list(range(1, 1001))
    assert [nearest_rank(ordered, percent) for percent in (50.0, 90.0, 99.0, 99.9)] == [500, 900, 990, 999]
    assert nearest_rank([7], 50.0) == 7
    assert nearest_rank([1, 2, 3], 50.0) == 2


def test_distribution_of_nothing_has_no_figures() -> None:
    """An empty sample gives a count of zero and no figure."""
    assert distribution([]) == {"p50": None, "p90": None, "p99": None, "p99.9": None, "max": None, "count": 0}
    assert distribution([3, 1, 2]) == {"p50": 2, "p90": 3, "p99": 3, "p99.9": 3, "max": 3, "count": 3}
