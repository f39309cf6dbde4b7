import pytest

from benchmarks.harness import medians, ratios
from benchmarks.percentiles import Summary, median, percentile, summarise


@pytest.mark.parametrize(
    ("count", "per_mille", "rank"),
    [(1, 500, 1), (2, 500, 1), (3, 500, 2), (10, 900, 9), (100, 990, 99), (101, 990, 100), (999, 999, 999)],
)
def test_a_percentile_is_the_measured_value_at_the_nearest_rank(count: int, per_mille: int, rank: int) -> None:
    """Of the values 1 to count, the percentile is its own rank."""
    assert percentile(range(1, count + 1), per_mille) == rank


def test_a_summary_does_not_depend_on_the_order_of_the_values() -> None:
    """Percentiles of 1 000 values, given from the largest down."""
    assert summarise(list(range(1000, 0, -1))) == Summary(1000, 500, 900, 990, 999, 1000)


def test_nothing_measured_is_none_and_not_zero() -> None:
    """A run without an answer has no percentiles, and a percentile of nothing is an error."""
    assert summarise([]) is None
    with pytest.raises(ValueError, match="no measurements"):
        percentile([], 500)
    with pytest.raises(ValueError, match="no rounds"):
        median([])


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two() -> None:
    """Odd and even numbers of rounds."""
    assert [median([3, 1, 2]), median([4, 1, 2, 3])] == [2, 2.5]


def flat(value: int) -> Summary:
    """A round whose percentiles are all the same."""
    return Summary(1, value, value, value, value, value)


def test_a_ratio_is_taken_within_a_round_before_the_median() -> None:
    """A machine that slows both sides in one round does not move the ratio."""
    ours, theirs = [flat(200), flat(2000), flat(300)], [flat(100), flat(1000), flat(100)]
    assert ratios(ours, theirs)["p50"] == 2.0
    assert medians(ours)["p50"] == 300


def test_a_round_without_an_answer_takes_no_part() -> None:
    """It neither counts as zero nor ends the report."""
    assert ratios([None, flat(300)], [flat(100), flat(100)])["p99"] == 3.0
    assert ratios([None], [flat(100)])["p99"] is None
    assert medians([None])["p50"] is None
