"""The benchmark of calibrated times: what it judges is reached, and a worse calibration would show."""

import pytest

from benchmarks.clock_accuracy import DEFAULT, IN_STEP_MS, REACH_MS, ROADS, Road, judge
from benchmarks.harness import Options

SHORT = Options(rounds=1, seconds=180.0, rates=DEFAULT.rates, sides=DEFAULT.sides)


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
def test_milliseconds_reach_what_was_aimed_at(road: Road) -> None:
    """Over every way: error, coverage, width and step of the two legs, in three minutes with a step in the middle."""
    one = judge(road, "ms", SHORT)
    assert one.error_p99 < REACH_MS.get(road.name, IN_STEP_MS)
    assert one.in_step < IN_STEP_MS
    assert one.covered >= 0.99
    assert one.quotes_covered >= 0.99
    assert one.width <= one.width_allowed
    assert one.steps == 1
    assert one.uncalibrated < 0.01


def test_asymmetry_shows_in_the_error_and_not_in_the_coverage() -> None:
    """160 ms split 96 : 64 are 16 ms of error, all of them inside the bound."""
    one = judge(ROADS[2].slanted(), "us", SHORT)
    assert 14 < one.error_p50 < 18
    assert one.covered >= 0.99


def test_arrival_and_raw_stamps_are_far_worse() -> None:
    """What calibration is for: over 80 ms arrival times are off by more than that, raw stamps by seconds."""
    one = judge(ROADS[2], "ms", SHORT)
    assert one.by_arrival > 80
    assert one.by_stamp > 500
    assert one.in_step < 5
