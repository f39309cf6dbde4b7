"""Calibration of one session: what it finds, what its bound covers, what it notices."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from clock_values import DRIFT, EPOCH, MS, START, US, S, World, wavy
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.feed.clock_session import FIRST_ANSWERS, ClockSession
from gateway.feed.clock_settings import ClockSettings, StampClocks, stamp_form

CONSTANT = [
    # resolution, one way each way, most that the error may be
    (1, 0, 3),
    (1, 15 * US, 3),
    (US, 10 * MS, US),
    (MS, 15 * US, MS),
    (MS, 90 * MS, MS),
]


@pytest.mark.parametrize(("resolution", "way", "most"), CONSTANT)
def test_constant_symmetric_delay_leaves_less_than_the_resolution(resolution: int, way: int, most: int) -> None:
    """With equal ways the middle is right: what is left is the stamp's resolution, and the drift while on the way."""
    world = World(resolution, there=lambda _at: way, back=lambda _at: way).run(60)
    error, bound = world.quote()
    assert abs(error) <= most
    assert abs(error) <= bound <= way + 3 * resolution + 20 * US


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 200 * MS), st.integers(5, 60), st.sampled_from([1, US, MS]))
def test_the_error_is_below_the_resolution_for_any_symmetric_delay(way: int, seconds: int, resolution: int) -> None:
    """Once the first dozen of answers is in, for any constant delay: below the resolution, and 10 ns of rounding."""
    world = World(resolution, there=lambda _at: way, back=lambda _at: way).run(seconds)
    error, bound = world.quote()
    assert abs(error) <= resolution + way * DRIFT // S + 10
    assert abs(error) <= bound


def test_the_drift_is_found() -> None:
    """After five minutes of exact stamps the clock's 40 ppm are known to less than one."""
    world = World(US).run(300)
    standing = world.session.standing(world.now_ns)
    assert abs(standing.drift_ppb - DRIFT) < 1_000
    assert abs(standing.drift_ppb - DRIFT) <= standing.drift_bound_ppb


@pytest.mark.parametrize(("there", "back"), [(12, 8), (19, 1), (1, 19)])
def test_asymmetry_shows_as_half_of_it_and_lies_inside_the_bound(there: int, back: int) -> None:
    """Nothing on FIX tells 12 + 8 ms from 10 + 10 ms: the error is half of the difference, and the bound knows."""
    world = World(there=lambda _at: there * MS, back=lambda _at: back * MS).run(60)
    error, bound = world.quote()
    assert abs(error + (there - back) * MS // 2) < 20 * US
    assert abs(error) <= bound < 10 * MS + 100 * US
    assert world.session.standing(world.now_ns).basis == "half round trip"


def test_a_measured_asymmetry_moves_the_line_and_narrows_the_bound() -> None:
    """12 ms there and 8 ms back, told as 4 ms give or take 100 us, leave microseconds."""
    told = ClockSettings(asymmetry_ns=4 * MS, asymmetry_error_ns=100 * US)
    world = World(settings=told, there=lambda _at: 12 * MS, back=lambda _at: 8 * MS).run(60)
    error, bound = world.quote()
    assert abs(error) < 20 * US
    assert abs(error) <= bound < 200 * US
    assert world.session.standing(world.now_ns).basis == "measured asymmetry"


def test_a_measured_asymmetry_ends_with_its_route() -> None:
    """After another route came the bound is half of the round trip again, and an event says so."""
    told = ClockSettings(asymmetry_ns=0, asymmetry_error_ns=100 * US)
    world = World(settings=told).run(60)
    assert world.quote()[1] < 200 * US
    world.back = lambda _at: 18 * MS
    world.run(60)
    assert world.names() == ["path_changed"]
    error, bound = world.quote()
    assert bound > 9 * MS
    assert abs(error) <= bound


def test_two_clocks_on_utc_need_no_symmetry() -> None:
    """Where both declare 200 us to UTC, the line lies in what both that and the round trip allow."""
    world = World(settings=ClockSettings(utc_error_ns=200 * US), there=lambda _at: 15 * MS, back=lambda _at: 5 * MS)
    world.session.on_utc(EPOCH + 100 * US, 0)
    world.run(1)
    error, bound = world.quote()
    assert abs(error) <= bound <= 300 * US
    assert world.session.standing(world.now_ns).basis == "utc"


def test_a_venue_that_is_not_on_utc_as_declared_is_told() -> None:
    """A clock 50 ms off, declared within 200 us: the declaration is dropped, the round trip stays."""
    world = World(settings=ClockSettings(utc_error_ns=200 * US))
    world.session.on_utc(EPOCH - 50 * MS, 0)
    world.run(5)
    assert world.names() == ["utc_contradicted"]
    assert abs(world.quote()[0]) < 20 * US
    assert world.session.standing(world.now_ns).basis == "half round trip"


def test_an_undisciplined_host_has_no_utc_to_compare_with() -> None:
    """Without our own UTC a declared error is not used."""
    world = World(settings=ClockSettings(utc_error_ns=200 * US))
    world.session.on_utc(None, 0)
    world.run(5)
    assert world.quote()[1] > 9 * MS


def test_nothing_is_calibrated_before_the_first_answer() -> None:
    """No answer, no line: a quote then has neither time nor bound."""
    world = World()
    assert world.quote() == (0, 0)
    world.ask()
    assert world.quote()[1] > 0


def test_a_heartbeat_that_nobody_asked_for_is_no_answer() -> None:
    """A TestReqID(112) that is unknown, or comes a second time, gives no upper bound."""
    world = World()
    world.session.on_heartbeat("T7", world.stamp(START), START + MS)
    assert world.session.map is None
    world.ask()
    made = world.session.map
    world.session.on_heartbeat("T1", world.stamp(START), START + S)
    assert world.session.map is made


def test_requests_come_fast_at_first_then_gently() -> None:
    """A fifth of the interval until a dozen answers are in, then the interval, never more often than that."""
    world = World()
    times = []
    for _ in range(FIRST_ANSWERS + 20):
        due_ns = world.session.due_ns()
        assert due_ns is not None
        world.now_ns = due_ns
        times.append(due_ns)
        world.ask()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps[: FIRST_ANSWERS - 1]) <= S // 5
    assert S // 2 < min(gaps[FIRST_ANSWERS:]) <= max(gaps) <= S


def test_no_requests_where_the_site_wants_none() -> None:
    """An interval of 0 sends nothing."""
    assert World(settings=ClockSettings(interval_ns=0)).session.due_ns() is None


def test_no_requests_before_logon() -> None:
    """A session that was never up is not asked, so that a loop that waits for it does not spin."""
    due_ns = ClockSession(ClockSettings(), StampClocks(), "T").due_ns()
    assert due_ns is not None
    assert due_ns > 10**18


def test_it_converges_under_jitter() -> None:
    """10 to 30 ms each way: the bound holds from the first answer; after five minutes the error is below 1 ms."""
    world = World(there=wavy(10 * MS, 30 * MS, 1), back=wavy(10 * MS, 30 * MS, 2))
    for seconds in (1, 9, 50, 240):
        world.run(seconds)
        error, bound = world.quote()
        assert abs(error) <= bound
    assert abs(error) < MS
    assert 9 * MS < bound < 13 * MS


def test_silence_widens_the_bound_and_then_ends_the_calibration() -> None:
    """Without answers the bound grows by what is not known of the drift; after `live_ns` there is none, and it is told."""
    world = World().run(10)
    bounds = [world.quote()[1]]
    world.answering = False
    for _ in range(3):
        world.now_ns += 9 * S
        bounds.append(world.quote()[1])
    assert all(later > earlier for earlier, later in pairwise(bounds))
    assert world.names() == []
    world.now_ns += 4 * S
    assert world.quote() == (0, 0)
    assert world.names() == ["unanswered"]
    assert world.names() == []
    world.answering = True
    world.run(2)
    assert world.quote()[1] > 0


def test_a_venue_that_never_answers_is_told_once() -> None:
    """A venue that ignores TestRequests(1) has no calibration, and an operator hears why."""
    world = World()
    world.answering = False
    world.run(31)
    assert world.names() == ["unanswered"]
    world.run(100)
    assert world.names() == []
    assert world.quote() == (0, 0)


def test_a_step_ahead_shows_with_the_next_quote() -> None:
    """A stamp from the future cannot be: the quote and those after it have no calibration until the next answer."""
    world = World().run(60)
    world.offset_ns += 500 * MS
    assert world.quote() == (0, 0)
    assert world.names() == ["stepped"]
    assert world.quote() == (0, 0)
    world.run(1)
    error, bound = world.quote()
    assert abs(error) < 100 * US <= bound
    assert world.session.standing(world.now_ns).steps == 1


def test_a_step_back_widens_late_quotes_until_the_next_answer_proves_it() -> None:
    """It looks like half a second of delay: the bound covers it at once, and a request goes out sooner."""
    world = World().run(60)
    world.offset_ns -= 500 * MS
    error, bound = world.quote()
    assert -510 * MS < error < -490 * MS
    assert abs(error) <= bound < 520 * MS
    due_ns = world.session.due_ns()
    assert due_ns is not None
    assert due_ns <= world.now_ns + S // 4
    assert world.names() == []
    world.run(1)
    assert world.names() == ["stepped"]
    assert abs(world.quote()[0]) < 100 * US


def test_a_step_far_below_the_round_trip_is_found_too() -> None:
    """5 ms against a round trip of 20 ms leave less room than the round trip takes: that cannot be."""
    for step in (5 * MS, -5 * MS):
        world = World().run(60)
        world.offset_ns += step
        world.run(3)
        assert world.names() == ["stepped"]
        assert abs(world.quote()[0]) < 100 * US


def test_a_clock_that_steps_all_the_time_is_asked_at_leisure_and_told_seldom() -> None:
    """Stamps of two clocks on one session neither flood the venue with requests nor the operator with alarms."""
    world = World().run(60)
    world.events()
    asked = 0
    begin_ns = world.now_ns
    while world.now_ns < begin_ns + 9 * S:
        world.now_ns += 10 * MS
        world.offset_ns = EPOCH + (world.now_ns // (10 * MS) % 2) * S
        world.quote()
        due_ns = world.session.due_ns()
        if due_ns is not None and due_ns <= world.now_ns:
            asked += 1
            world.ask()
    assert asked <= 9 * 6
    assert world.names() == ["stepped"]


ROUTES = [
    # name, further there, further back
    ("longer both ways", 4 * MS, 4 * MS),
    ("longer there", 8 * MS, 0),
    ("longer back", 0, 8 * MS),
    ("shorter", -4 * MS, -4 * MS),
]


@pytest.mark.parametrize(("name", "there", "back"), ROUTES)
def test_another_route_is_told_and_breaks_nothing(name: str, there: int, back: int) -> None:
    """Another route is no step: told once, the true time stays within the bound, before and after it is noticed."""
    world = World(there=wavy(10 * MS, 11 * MS, 1), back=wavy(10 * MS, 11 * MS, 2)).run(60)
    old_there, old_back = world.there, world.back
    world.there = lambda at_ns: old_there(at_ns) + there
    world.back = lambda at_ns: old_back(at_ns) + back
    for _ in range(400):
        world.run(1)
        error, bound = world.quote()
        assert abs(error) <= bound, name
    assert world.names() == ["path_changed"], name
    standing = world.session.standing(world.now_ns)
    assert (standing.steps, standing.path_changes) == (0, 1)
    assert abs(error + (there - back) // 2) < MS


def test_a_burst_of_delay_is_no_other_route() -> None:
    """Some seconds of long delays move neither line nor bound by much, and nothing is told."""
    world = World().run(60)
    before = world.quote()
    world.there = world.back = lambda _at: 60 * MS
    world.run(5)
    world.there = world.back = lambda _at: 10 * MS
    world.run(5)
    after = world.quote()
    assert world.names() == []
    assert abs(after[0] - before[0]) < 20 * US
    assert after[1] < before[1] + 100 * US


def test_a_late_quote_has_a_wider_bound_and_the_same_time() -> None:
    """Nobody can tell a slow way from a clock that went back, so the bound holds for both."""
    world = World().run(60)
    usual = world.quote()
    late = world.quote(late_ns=300 * MS)
    assert abs(late[0] - usual[0]) < 5 * US
    assert 300 * MS < late[1] < 330 * MS


def test_another_connection_begins_anew() -> None:
    """After a logout nothing of the old machine's clock is believed."""
    world = World().run(60)
    world.session.on_session(up=False, at_ns=world.now_ns)
    assert world.quote() == (0, 0)
    world.session.on_session(up=True, at_ns=world.now_ns)
    world.offset_ns += S
    world.run(1)
    assert abs(world.quote()[0]) < 100 * US
    assert world.names() == []


def test_seconds_become_milliseconds_by_asking_at_the_edges() -> None:
    """Stamps of whole seconds: requests that meet the venue as its second turns find the offset to a millisecond."""
    world = World(S).run(60)
    made = world.session.map
    assert made is not None
    offset_error_ns = made.local_of(world.true_ns(world.now_ns)) - world.now_ns
    assert abs(offset_error_ns) < MS
    error, bound = world.quote()
    assert abs(error) <= bound
    assert 500 * MS < bound < 520 * MS, "the stamp of a quote still says no more than its second"


def test_a_step_of_half_a_second_shows_in_stamps_of_seconds() -> None:
    """Not every request goes to an edge: within some seconds one meets a phase that a step made impossible."""
    for step in (500 * MS, -500 * MS):
        world = World(S).run(60)
        world.offset_ns += step
        world.run(10)
        assert "stepped" in world.names()
        world.run(40)
        made = world.session.map
        assert made is not None
        assert abs(made.local_of(world.true_ns(world.now_ns)) - world.now_ns) < 5 * MS


def test_stamps_that_are_rounded_are_read_as_such() -> None:
    """A stamp to the nearest millisecond is right on average; one that was cut off is half a millisecond early."""
    form = stamp_form(MS, cut_off=False)
    world = World(MS, stamps=StampClocks(form, form))
    world.stamp = lambda at_ns: (world.true_ns(at_ns) + MS // 2) // MS * MS  # type: ignore[method-assign]
    world.run(120)
    errors = [world.quote(world.now_ns + step * 37 * US)[0] for step in range(100)]
    assert abs(sum(errors) // len(errors)) < MS // 10


@pytest.mark.parametrize(("there", "back"), [(0, 200), (200, 0)])
def test_the_drift_on_the_way_is_in_the_bounds(there: int, back: int) -> None:
    """Where in 200 ms a stamp was written is not known, and the clock drifts meanwhile: each bound allows for it."""
    world = World(1, there=lambda _at: there * MS, back=lambda _at: back * MS).run(10)
    for late in range(3):
        world.quote(late_ns=late * MS)
    world.ask()
    view = world.session._window.view(world.now_ns, 0)
    assert view is not None
    true_ns = world.true_ns(world.now_ns) - world.now_ns
    assert view.lower_ns(DRIFT) <= true_ns + 2
    assert view.upper_ns(DRIFT) >= true_ns - 2


def test_jitter_without_a_floor_is_no_step() -> None:
    """Delays around a mean, hardly ever near their least, make no step of luck, and the bound holds all the time."""

    def bell(key: int) -> Callable[[int], int]:
        parts = [wavy(0, 10 * MS, key + part) for part in range(6)]
        return lambda at_ns: sum(part(at_ns * (place + 1)) for place, part in enumerate(parts))

    world = World(there=bell(1), back=bell(20))
    for _ in range(200):
        world.run(5)
        error, bound = world.quote()
        assert abs(error) <= bound
    standing = world.session.standing(world.now_ns)
    assert (standing.steps, standing.live) == (0, True)
