"""Coarse stamps sharpened by their arrival, and market data with a clock of its own."""

import pytest
from clock_values import MS, START, US, S, World, wavy

from gateway.feed.clock_settings import StampClocks, stamp_form
from gateway.feed.clock_stamps import EntryClock

SECONDS = stamp_form(S, cut_off=True)
MILLIS = stamp_form(MS, cut_off=True)


@pytest.mark.parametrize("lag_ms", [0, 20])
def test_a_coarse_stamp_is_sharpened_by_when_it_came(lag_ms: int) -> None:
    """With a second's stamp and a venue that publishes within 20 ms, the arrival tells the moment to those 20 ms."""
    told = StampClocks(SECONDS, SECONDS, publish_lag_ns=lag_ms * MS)
    world = World(S, stamps=told, there=wavy(10 * MS, 12 * MS, 1), back=wavy(10 * MS, 12 * MS, 2)).run(90)
    for tenth in range(20):
        error, bound = world.quote(world.now_ns + tenth * S // 10)
        assert abs(error) < (lag_ms // 2 + 3) * MS
        assert abs(error) <= bound < (lag_ms + 30) * MS


def test_a_coarse_stamp_that_came_very_late_is_believed_as_it_stands() -> None:
    """Two seconds after the moment the arrival says nothing; the bound is the stamp's second."""
    told = StampClocks(SECONDS, SECONDS, publish_lag_ns=0)
    world = World(S, stamps=told).run(90)
    error, bound = world.quote(late_ns=2 * S)
    assert abs(error) <= bound
    assert bound > 500 * MS


def test_a_fixed_phase_gives_the_moment_of_a_snapshot() -> None:
    """Snapshots at .000 and .500 of the venue's clock, stamped in seconds: arrival tells which, the phase tells when."""
    told = StampClocks(SECONDS, SECONDS, publish_lag_ns=20 * MS, snapshot_interval_ns=500 * MS, snapshot_phase_ns=0)
    world = World(S, stamps=told, there=wavy(10 * MS, 30 * MS, 1), back=wavy(10 * MS, 30 * MS, 2)).run(90)
    for half in range(10):
        at_ns = world.now_ns + half * S // 2
        at_ns -= world.true_ns(at_ns) % (S // 2)
        error, bound = world.quote(at_ns)
        assert abs(error) < 10 * MS, "what is left is the offset's own error, under a jitter of 20 ms"
        assert bound < 25 * MS


def test_another_clock_for_market_data_is_found_by_its_fastest_messages() -> None:
    """Market data stamped 300 ms ahead, published 0 to 5 ms later: the difference is found, give or take resolution."""
    told = StampClocks(MILLIS, MILLIS, entry_clock="matching")
    world = World(MS, stamps=told).run(60)
    for number in range(200):
        at_ns = world.now_ns + number * 7 * MS
        sent_ns = at_ns + number * 1_237 % 5_000 * US
        recv_ns = sent_ns + 10 * MS
        world.session.note_entry(world.stamp(at_ns) + 300 * MS, world.stamp(sent_ns), recv_ns)
        calibrated_ns, bound_ns = world.session.calibrate(world.stamp(at_ns) + 300 * MS, recv_ns, 0)
    assert abs(calibrated_ns - at_ns) <= bound_ns
    assert abs(calibrated_ns - at_ns) < 2 * MS


def test_the_difference_of_two_clocks_is_forgotten_in_halves() -> None:
    """What was seen in the last half window and the one before counts; older differences do not."""
    entry = EntryClock(StampClocks(MILLIS, MILLIS, entry_clock="matching"), 10 * S)
    assert entry.shift() == (0, MS)
    entry.note(500, 0, START)
    entry.note(400, 0, START + S)
    assert entry.shift() == (500, MS)
    entry.note(100, 0, START + 6 * S)
    assert entry.shift() == (500, MS)
    entry.note(200, 0, START + 12 * S)
    assert entry.shift() == (200, MS)
    entry.clear()
    assert entry.shift() == (0, MS)


def test_what_the_venue_needs_at_the_least_moves_the_difference() -> None:
    """Published 200 us after the stamp at the earliest: half of that is taken, the other half is in the bound."""
    entry = EntryClock(StampClocks(MILLIS, MILLIS, entry_clock="matching", publish_floor_ns=200 * US), 10 * S)
    entry.note(1_000, 0, START)
    assert entry.shift() == (1_000 + 100 * US, MS + 100 * US)


def test_stamps_of_two_resolutions_are_compared_by_their_middles() -> None:
    """A second's stamp is half a second early on average, a millisecond's half a millisecond."""
    entry = EntryClock(StampClocks(MILLIS, SECONDS, entry_clock="matching"), 10 * S)
    entry.note(0, 0, START)
    assert entry.shift() == (S // 2 - MS // 2, S // 2 + MS // 2)
