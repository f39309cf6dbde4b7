"""The straight line between two clocks, in whole nanoseconds."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.feed.clock_map import ClockMap
from gateway.feed.clock_settings import StampForm, stamp_form

EPOCH = 1_790_000_000_123_456_789
HOUR = 3600 * 10**9


def line(rate_ppb: int = 0, bound_ns: int = 0, growth_ppb: int = 0) -> ClockMap:
    return ClockMap(1_000, EPOCH, rate_ppb, bound_ns, growth_ppb, 0, 0, 0, 0, 0)


def test_a_nanosecond_since_1970_is_not_lost() -> None:
    """Stamps of 1.8e18 ns that differ by one nanosecond differ by one on our clock, where a float would merge them."""
    assert [line().local_of(EPOCH + more) for more in (0, 1, 2)] == [1_000, 1_001, 1_002]
    assert float(EPOCH) == float(EPOCH + 1)


def test_a_drift_is_taken_out() -> None:
    """A clock that gains 100 ppm shows 100 us more after a second."""
    assert line(100_000).venue_of(10**9 + 1_000) == EPOCH + 10**9 + 100_000
    assert line(100_000).local_of(EPOCH + 10**9 + 100_000) == 10**9 + 1_000


@given(st.integers(-HOUR, HOUR), st.integers(-1_000_000, 1_000_000))
def test_there_and_back_is_within_two_nanoseconds(since_ns: int, rate_ppb: int) -> None:
    """`local_of` undoes `venue_of` for an hour either way at any drift."""
    made = line(rate_ppb)
    assert abs(made.local_of(made.venue_of(1_000 + since_ns)) - 1_000 - since_ns) <= 2


def test_the_bound_grows_with_the_time_since() -> None:
    """10 ppm not known of the drift are 10 us a second, before and after."""
    made = line(bound_ns=500, growth_ppb=10_000)
    assert [made.bound_at(1_000 + since * 10**9) for since in (-1, 0, 2)] == [10_500, 500, 20_500]


def test_what_a_stamp_says_of_its_clock() -> None:
    """A stamp that was cut off lies at or before the moment, one that was rounded within half of its resolution."""
    assert stamp_form(10**6, cut_off=True) == StampForm(0, 10**6)
    assert stamp_form(10**6, cut_off=False) == StampForm(-500_000, 500_000)
    assert (StampForm(0, 10**6).middle_ns, StampForm(0, 10**6).half_ns) == (500_000, 500_000)
    assert (StampForm(-500_000, 500_000).middle_ns, StampForm(-500_000, 500_000).half_ns) == (0, 500_000)
