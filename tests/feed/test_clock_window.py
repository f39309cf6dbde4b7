"""Bounds of the difference of two clocks, and which drifts they leave."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.feed.clock_window import NEWEST, SLOTS, Bound, Rates, View, Window

S = 10**9
MOST = 200_000


def crowd(window: Window, at_ns: int) -> None:
    """So many loose bounds that none of the newest is tight."""
    for _ in range(NEWEST):
        window.upper(Bound(at_ns, S))
        window.lower(Bound(at_ns, -S))


def tightest(view: View | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """The least upper and the greatest lower bound, with their ages."""
    assert view is not None
    return min(view.uppers, key=lambda one: one[1]), max(view.lowers, key=lambda one: one[1])


def test_a_slot_keeps_its_tightest_bounds() -> None:
    """Of one slot the least upper and the greatest lower bound stay."""
    window = Window(SLOTS * S)
    for value in (90, 70, 80):
        window.upper(Bound(10 * S, value))
        window.lower(Bound(10 * S, value - 50))
    crowd(window, 10 * S)
    assert tightest(window.view(10 * S, 0)) == ((0, 70), (0, 40))
    window.clear()
    assert window.view(10 * S, 0) is None


def test_the_newest_are_kept_whatever_they_are() -> None:
    """Before the drift is known nobody can tell which bound of a slot is the tightest: the last ones stay beside it."""
    window = Window(SLOTS * S)
    for number in range(NEWEST + 2):
        window.upper(Bound(10 * S + number, 100 + number))
        window.lower(Bound(10 * S + number, -100 - number))
    view = window.view(10 * S, 0)
    assert view is not None
    assert sorted(value for _, value in view.uppers) == [100, *range(102, 102 + NEWEST)]
    assert sorted(-value for _, value in view.lowers) == [100, *range(102, 102 + NEWEST)]


def test_bounds_of_a_slot_compare_by_the_drift() -> None:
    """With a clock that gains 100 us a second a bound that is 60 us higher half a second later is no looser."""
    window = Window(10 * SLOTS * S)
    window.rate_ppb = 100_000
    window.upper(Bound(10 * S, 0))
    window.upper(Bound(10 * S + S // 2, 40_000))
    assert window.view(10 * S + S // 2, 0) is None, "no lower bound yet"
    crowd(window, 10 * S + S // 2 + 1)
    assert tightest(window.view(10 * S + S // 2, 0))[0] == (0, 40_000)


def test_what_leaves_the_window_is_forgotten() -> None:
    """A bound counts as long as its slot is one of the newest, and so does a round trip."""
    window = Window(SLOTS * S)
    window.upper(Bound(0, 5))
    window.lower(Bound(0, -5))
    window.round_trip(0, 10)
    window.upper(Bound((SLOTS - 1) * S, 50))
    window.lower(Bound((SLOTS - 1) * S, -50))
    window.round_trip((SLOTS - 1) * S, 100)
    view = window.view((SLOTS - 1) * S, 0)
    assert view is not None
    assert (len(view.uppers), window.least_round_trip_ns) == (2, 10)
    assert window.view(SLOTS * S, 0) == View([(S, 50)], [(S, -50)])
    assert window.least_round_trip_ns == 100


def test_old_bounds_are_loosened_by_what_a_rate_may_wander() -> None:
    """With 1000 ppb a bound of ten seconds ago counts 10 us less."""
    window = Window(SLOTS * S)
    window.upper(Bound(0, 70_000))
    window.lower(Bound(0, -70_000))
    assert window.view(10 * S, 1_000) == View([(10 * S, 80_000)], [(10 * S, -80_000)])


def test_the_drifts_that_two_gates_leave() -> None:
    """Between gates 20 us wide, ten seconds apart, a line without drift may tilt by 2 us a second either way."""
    view = View([(0, 10_000), (10 * S, 10_000)], [(0, -10_000), (10 * S, -10_000)])
    assert view.rates(0, MOST) == Rates(-2_000, 2_000)
    assert view.rates(20_000, MOST) == Rates(0, 0)
    assert view.rates(20_001, MOST) is None, "no line has more room than the gates"
    assert view.rates(0, 1_500) == Rates(-1_500, 1_500)


def test_a_step_leaves_no_line() -> None:
    """A clock that jumped by half a second cannot be a line with 200 ppm."""
    view = View([(0, 510_000_000), (S, 10_000)], [(0, 490_000_000), (S, -10_000)])
    assert view.rates(0, MOST) is None


DELAYS = st.integers(0, 50_000_000)


@given(
    st.lists(st.tuples(st.integers(0, 600), DELAYS, DELAYS), min_size=1, max_size=80),
    st.integers(-MOST, MOST),
    st.integers(-(10**18), 10**18),
)
def test_the_true_line_is_never_excluded(samples: list[tuple[int, int, int]], rate: int, offset: int) -> None:
    """Whatever the delays were, the true drift is among those that are possible, and the true offset in the bounds."""
    window = Window(SLOTS * 10 * S)
    for tenths, there_ns, back_ns in sorted(samples):
        at_ns = tenths * S // 10
        true_ns = offset + at_ns * rate // S
        window.upper(Bound(at_ns, true_ns + there_ns + 1))
        window.lower(Bound(at_ns, true_ns - back_ns - 1))
    now_ns = 60 * S
    view = window.view(now_ns, 0)
    assert view is not None
    least_ns = min(there_ns for _, there_ns, _ in samples) + min(back_ns for _, _, back_ns in samples)
    rates = view.rates(least_ns, MOST)
    assert rates is not None
    assert rates.low_ppb - 2 <= rate <= rates.high_ppb + 2
    true_ns = offset + now_ns * rate // S
    assert view.lower_ns(rates.low_ppb) - 200 <= true_ns <= view.upper_ns(rates.high_ppb) + 200
