"""The intervals that criteria are judged by, against published values and by simulation."""

# ruff: noqa: S311 - chance is seeded here

from random import Random

import pytest

from acceptance.laws import (
    beta_quantile,
    binomial_at_most,
    incomplete_beta,
    normal_quantile,
    student_quantile,
)
from acceptance.statistics import (
    block_interval,
    mean_interval,
    percentile_interval,
    percentile_needs,
    percentile_ranks,
    resampled_interval,
    share_interval,
    share_needs,
)
from gateway.journal.statistics import lower_bound

STUDENT = """
freedom | probability | table
1       | 0.975       | 12.706
2       | 0.95        | 2.920
5       | 0.99        | 3.365
10      | 0.975       | 2.228
29      | 0.975       | 2.045
30      | 0.995       | 2.750
120     | 0.95        | 1.658
"""


@pytest.mark.parametrize("row", STUDENT.strip("\n").splitlines()[1:])
def test_students_t_is_that_of_the_tables(row: str) -> None:
    """Three decimals, as the printed tables have them; and the law is symmetric."""
    freedom, probability, table = (cell.strip() for cell in row.split("|"))
    found = student_quantile(int(freedom), float(probability))
    assert f"{found:.3f}" == table
    assert student_quantile(int(freedom), 1 - float(probability)) == pytest.approx(-found)


def test_the_normal_law_is_that_of_the_tables() -> None:
    """1.96 and 2.576 bound 95 and 99 %."""
    assert [f"{normal_quantile(one):.3f}" for one in (0.975, 0.995, 0.95)] == ["1.960", "2.576", "1.645"]


def test_the_incomplete_beta_function_is_the_binomial_tail() -> None:
    """Summed term by term, 20 trials of 0.3: the two agree to the last digits."""
    terms = [1.0]
    for k in range(20):
        terms.append(terms[-1] * (20 - k) / (k + 1))
    for count in range(20):
        summed = sum(terms[k] * 0.3**k * 0.7 ** (20 - k) for k in range(count + 1))
        assert binomial_at_most(count, 20, 0.3) == pytest.approx(summed, abs=1e-14)
    assert incomplete_beta(2.0, 3.0, 0.5) == pytest.approx(0.6875, abs=1e-15)
    assert beta_quantile(2.0, 3.0, 0.6875) == pytest.approx(0.5, abs=1e-12)
    assert (binomial_at_most(-1, 5, 0.5), binomial_at_most(5, 5, 0.5)) == (0.0, 1.0)


def test_a_share_outside_0_to_1_is_refused() -> None:
    """The message names it."""
    with pytest.raises(ValueError, match=r"1\.5 is no share"):
        incomplete_beta(1.0, 1.0, 1.5)
    with pytest.raises(ValueError, match="3 of 2 is no share"):
        share_interval(3, 2)


CLOPPER_PEARSON = """
count | trials | low     | high
0     | 10     | 0.0000  | 0.3085
1     | 10     | 0.0025  | 0.4450
5     | 10     | 0.1871  | 0.8129
10    | 10     | 0.6915  | 1.0000
15    | 20     | 0.5090  | 0.9134
81    | 263    | 0.2527  | 0.3676
"""


@pytest.mark.parametrize("row", CLOPPER_PEARSON.strip("\n").splitlines()[1:])
def test_clopper_and_pearson_is_that_of_the_tables(row: str) -> None:
    """Published 95 % limits; the last row is Newcombe's example of 1998."""
    count, trials, low, high = (cell.strip() for cell in row.split("|"))
    found = share_interval(int(count), int(trials))
    assert (f"{found.low:.4f}", f"{found.high:.4f}") == (low, high)


def test_what_proves_98_percent() -> None:
    """183 with none failed, 500 with 3, 1 000 with 11 pass; one trial fewer or one failure more does not."""
    for count, trials, proved in (
        (183, 183, True),
        (182, 182, False),
        (497, 500, True),
        (496, 500, False),
        (989, 1000, True),
        (988, 1000, False),
    ):
        low = share_interval(count, trials).low
        assert low is not None
        assert (low >= 0.98) is proved, (count, trials)
        assert low == pytest.approx(lower_bound(count, trials), abs=1e-9)
    assert (share_needs(0, 0.98), share_needs(3, 0.98), share_needs(11, 0.98)) == (183, 436, 980)


def test_percentiles_ranks_are_the_published_ones() -> None:
    """The median of 100 lies between the 40th and the 61st value; a p99 has an upper end from 368 values on."""
    assert percentile_ranks(100, 50.0) == (40, 61)
    assert percentile_ranks(10, 50.0) == (2, 9)
    assert (percentile_needs(50.0), percentile_needs(90.0), percentile_needs(99.0)) == (6, 36, 368)
    assert percentile_ranks(367, 99.0)[1] is None
    assert percentile_ranks(368, 99.0)[1] == 368


def test_the_interval_of_a_percentile_takes_values_of_the_sample() -> None:
    """1 to 1 000: p99 is 990, its ends the 983rd and the 997th value."""
    assert percentile_interval(range(1000, 0, -1), 99.0) == (990, 983, 997)
    with pytest.raises(ValueError, match="empty sample"):
        percentile_interval([], 99.0)


def test_intervals_of_shares_cover_as_they_promise() -> None:
    """Drawn anew 600 times, the interval misses the true share in no more than 5 %: Clopper-Pearson never does."""
    rng = Random(11)
    for share, trials in ((0.98, 200), (0.5, 40), (0.995, 500)):
        missed = 0
        for _ in range(600):
            count = sum(rng.random() < share for _ in range(trials))
            found = share_interval(count, trials)
            assert found.low is not None
            assert found.high is not None
            missed += not found.low <= share <= found.high
        assert missed / 600 <= 0.05 + 3 * (0.05 * 0.95 / 600) ** 0.5


def test_intervals_of_percentiles_cover_as_they_promise() -> None:
    """Of 2 000 samples of 500 whole numbers, at most 5 % (and three deviations) have an interval beside the true p99."""
    rng = Random(12)
    missed = 0
    for _ in range(2000):
        sample = [rng.randrange(10**6) for _ in range(500)]
        found = percentile_interval(sample, 99.0)
        assert found.low is not None
        assert found.high is not None
        missed += not found.low <= 990_000 <= found.high
    assert missed / 2000 <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5
    assert missed > 0


def test_a_mean_has_students_interval() -> None:
    """1 to 5: 3 with 2.776 times its standard error to either side; one value has no interval."""
    found = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.value == 3.0
    assert found.low == pytest.approx(3.0 - 2.7764451 * (2.5 / 5) ** 0.5)
    assert found.high == pytest.approx(3.0 + 2.7764451 * (2.5 / 5) ** 0.5)
    assert mean_interval([7.0]) == (7.0, None, None)


def test_a_bootstrap_is_drawn_from_its_seed_and_holds_cases_together() -> None:
    """The same seed gives the same ends; a ratio of two proportional figures has no spread; an empty one no interval."""
    above, below = [2.0, 4.0, 6.0, 1.0], [1.0, 2.0, 3.0, 0.5]

    def ratio(places: object) -> float:
        listed = list(places)  # type: ignore[call-overload]
        return sum(above[place] for place in listed) / sum(below[place] for place in listed)

    found = resampled_interval(4, ratio, resamples=200, seed=1)
    assert found == (2.0, 2.0, 2.0)
    first = resampled_interval(4, lambda places: sum(above[one] for one in places), resamples=200, seed=1)
    assert first == resampled_interval(4, lambda places: sum(above[one] for one in places), resamples=200, seed=1)
    assert first.low is not None
    assert first.high is not None
    assert first.low < 13.0 < first.high
    assert resampled_interval(4, lambda _places: None, resamples=10, seed=1).low is None


def test_blocks_that_all_count_are_worth_one_case_each() -> None:
    """No spread is seen, so the worst is taken: eight minutes are eight cases, however many trades they hold."""
    found = block_interval([(60, 60)] * 8)
    assert found is not None
    assert (found.blocks, found.worth, found.interval.high) == (8, 8.0, 1.0)
    assert found.interval.low == share_interval(8, 8).low
    none = block_interval([(0, 60)] * 8)
    assert none is not None
    assert (none.interval.low, none.interval.high) == (0.0, share_interval(0, 8).high)


def test_one_block_shows_no_spread() -> None:
    """Neither do none, nor blocks of nothing."""
    assert [block_interval(one) for one in ([], [(3, 4)], [(0, 0), (0, 0)])] == [None, None, None]


def test_failures_spread_evenly_are_worth_nearly_all_cases_and_a_burst_few() -> None:
    """Twenty of a thousand missed: one in each of twenty minutes of fifty, or all in one minute."""
    even = block_interval([(19, 20)] * 20 + [(20, 20)] * 30)
    burst = block_interval([(20, 20)] * 49 + [(0, 20)])
    assert even is not None
    assert burst is not None
    assert even.worth > 950
    assert burst.worth < 55
    assert even.interval.value == burst.interval.value == 0.98


def test_in_bursts_the_interval_over_blocks_covers_and_the_one_over_trades_does_not() -> None:
    """Every 25th minute half of its trades fail: the true 98 % lies above the lower end in 97.5 % of the samples or so."""
    rng = Random(1)
    rounds, minutes, each = 400, 60, 10
    covered = {"blocks": 0, "trades": 0}
    for _ in range(rounds):
        blocks = []
        for _ in range(minutes):
            bad = rng.random() < 0.04
            blocks.append((sum(not bad or rng.random() >= 0.5 for _ in range(each)), each))
        by_blocks = block_interval(blocks)
        by_trades = share_interval(sum(one[0] for one in blocks), minutes * each)
        assert by_blocks is not None
        covered["blocks"] += (by_blocks.interval.low or 0.0) <= 0.98
        covered["trades"] += (by_trades.low or 0.0) <= 0.98
    assert covered["blocks"] > 0.96 * rounds
    assert covered["trades"] < 0.85 * rounds
