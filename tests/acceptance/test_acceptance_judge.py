"""How each kind of criterion is judged: pass, fail, not enough, not measured; never a pass by default."""

import pytest

from acceptance.criteria import Criterion, load_criteria
from acceptance.judge import Verdict, judge, overall
from acceptance.measured import Measured

CRITERIA = {one.id: one for one in load_criteria()}
MS, S = 10**6, 10**9

SHARES = """
count | whole | verdict    | needed
183   | 183   | pass       | 0
182   | 182   | not enough | 183
497   | 500   | pass       | 0
496   | 500   | not enough | 509
989   | 1000  | pass       | 0
988   | 1000  | not enough | 1044
10    | 10    | not enough | 183
979   | 1000  | fail       | 0
0     | 1     | fail       | 0
0     | 0     | not enough | 183
"""


@pytest.mark.parametrize("row", SHARES.strip("\n").splitlines()[1:])
def test_98_percent_is_proved_by_the_lower_end_of_the_interval(row: str) -> None:
    """Ten lucky ones do not pass; what would prove it is said."""
    count, whole, verdict, needed = (cell.strip() for cell in row.split("|"))
    found = judge(CRITERIA["pair-completion"], Measured(part=int(count), whole=int(whole)))
    assert (found.verdict.value, found.needed) == (verdict, int(needed))


RATES = """
count | whole | verdict
0     | 183   | pass
0     | 182   | not enough
11    | 1000  | pass
12    | 1000  | not enough
20    | 1000  | not enough
21    | 1000  | fail
"""


@pytest.mark.parametrize("row", RATES.strip("\n").splitlines()[1:])
def test_at_most_20_of_1000_is_proved_by_the_upper_end(row: str) -> None:
    """The mirror of a share, with its own value and interval."""
    count, whole, verdict = (cell.strip() for cell in row.split("|"))
    found = judge(CRITERIA["slippage-over-limit"], Measured(part=int(count), whole=int(whole)))
    assert found.verdict.value == verdict
    assert found.interval is not None
    low, value, high = found.interval.low, found.interval.value, found.interval.high
    assert low is not None
    assert high is not None
    assert value == int(count) / int(whole)
    assert 0.0 <= low <= value <= high <= 1.0


PERCENTILES = """
values                | verdict    | why
400 x 10              | pass       | all below
367 x 10              | not enough | a p99 has no upper end below 368 values
400 x 10, 3 x 60      | not enough | the 99th percentile is below the bound, its upper end is not
1000 x 10, 3 x 60     | pass       | the upper end is below the bound, too
400 x 10, 5 x 60      | fail       | the 99th percentile is beyond
1 x 50                | fail       | at the bound is not below it
"""


@pytest.mark.parametrize("row", PERCENTILES.strip("\n").splitlines()[1:])
def test_50_ms_at_p99_is_proved_by_the_upper_end_of_its_interval(row: str) -> None:
    """Values in milliseconds; the table says why."""
    values, verdict, _ = (cell.strip() for cell in row.split("|"))
    sample = [
        int(ms) * MS for part in values.split(", ") for count, ms in [part.split(" x ")] for _ in range(int(count))
    ]
    assert judge(CRITERIA["gateway-latency"], Measured(sample)).verdict.value == verdict


def test_an_empty_sample_is_not_enough_and_says_why() -> None:
    """With how many values it would take."""
    found = judge(CRITERIA["gateway-latency"], Measured(why_not="no pair trade gives this figure"))
    assert (found.verdict, found.needed, found.why) == (Verdict.NOT_ENOUGH, 368, "no pair trade gives this figure")


def test_nothing_may_be_found_in_something_that_was_looked_at() -> None:
    """A finding fails; nothing found in nothing is not measured."""
    criterion = CRITERIA["reconciliation"]
    assert judge(criterion, Measured(whole=10)).verdict is Verdict.PASS
    assert judge(criterion, Measured(whole=10, findings=["CumQty(14)"])).verdict is Verdict.FAIL
    assert judge(criterion, Measured(why_not="no order to compare")).verdict is Verdict.NOT_MEASURED


def test_recovery_needs_three_times_within_the_bound() -> None:
    """One too slow or one that never came fails; two good ones are not enough."""
    criterion = CRITERIA["recovery"]
    assert judge(criterion, Measured([2 * S, 3 * S, 30 * S])).verdict is Verdict.PASS
    assert judge(criterion, Measured([2 * S, 3 * S, 30 * S + 1])).verdict is Verdict.FAIL
    assert judge(criterion, Measured([2 * S, 3 * S])).verdict is Verdict.NOT_ENOUGH
    assert judge(criterion, Measured([2 * S] * 3, findings=["not armed again"])).verdict is Verdict.FAIL
    assert judge(criterion, Measured()).verdict is Verdict.NOT_ENOUGH


def test_a_soak_adds_up_and_a_failed_invariant_ends_it() -> None:
    """Eight hours in sum; an alarm of an invariant fails however long it ran."""
    criterion, hour = CRITERIA["soak"], 3600 * S
    assert judge(criterion, Measured([5 * hour, 3 * hour])).verdict is Verdict.PASS
    assert judge(criterion, Measured([5 * hour, 3 * hour - 1])).verdict is Verdict.NOT_ENOUGH
    assert judge(criterion, Measured([9 * hour], findings=["an invariant"])).verdict is Verdict.FAIL
    assert judge(criterion, Measured()).verdict is Verdict.NOT_MEASURED


def one(criterion: Criterion, verdict: Verdict) -> object:
    return judge(criterion, Measured(whole=1))._replace(verdict=verdict)


WHOLE = """
verdicts                              | overall
pass, pass                            | pass
pass, does not apply                  | pass
pass, not enough                      | not enough
pass, not measured                    | not measured
not enough, not measured              | not enough
fail, not enough, pass                | fail
does not apply                        | not measured
"""


@pytest.mark.parametrize("row", WHOLE.strip("\n").splitlines()[1:])
def test_the_whole_passes_only_with_all_that_apply(row: str) -> None:
    """And fails with any; where nothing applies nothing was shown."""
    verdicts, whole = (cell.strip() for cell in row.split("|"))
    judged = [one(CRITERIA["journal"], Verdict(word)) for word in verdicts.split(", ")]
    assert overall(judged).value == whole  # type: ignore[arg-type]
