"""The way to a venue keeps order and its seed; the venue's clock is exact integers."""

from hypothesis import given
from hypothesis import strategies as st

from simulators.core.clock import VenueClock
from simulators.core.network import NETWORK_PROFILES, Link

MS = 1_000_000
SECOND = 1_000_000_000


@given(st.lists(st.integers(0, 5 * MS), min_size=1, max_size=60), st.sampled_from(sorted(NETWORK_PROFILES)))
def test_a_link_never_reorders(gaps: list[int], name: str) -> None:
    """Arrivals are in the order of sending and never before the floor of the way."""
    way = NETWORK_PROFILES[name].to_venue
    link = Link(way, 7, "x")
    sent_ns = last_ns = 0
    for gap in gaps:
        sent_ns += gap
        arrival_ns = link.arrival_ns(sent_ns)
        assert arrival_ns >= max(last_ns, sent_ns + way.floor_ns)
        last_ns = arrival_ns


def test_the_same_seed_gives_the_same_delays_and_another_seed_others() -> None:
    """The n-th message of a link has the same jitter in every run."""
    way = NETWORK_PROFILES["shanghai-london"].to_venue
    runs = []
    for seed in (7, 7, 8):
        link = Link(way, seed, "x")
        runs.append([link.arrival_ns(at) for at in range(0, 100 * SECOND, SECOND)])
    assert runs[0] == runs[1] != runs[2]


def test_far_profiles_take_at_least_80_ms_one_way_with_jitter_and_none_takes_nothing() -> None:
    """Both directions of both far profiles; `none` delivers at the time of sending."""
    for name in ("shanghai-london", "shanghai-chicago"):
        profile = NETWORK_PROFILES[name]
        for way in (profile.to_venue, profile.to_client):
            link = Link(way, 1, name)
            delays = [link.arrival_ns(at) - at for at in range(0, 50 * SECOND, SECOND)]
            assert min(delays) >= 80 * MS
            assert len(set(delays)) > 25
    assert Link(NETWORK_PROFILES["none"].to_venue, 1, "none").arrival_ns(123) == 123


def test_a_clock_is_offset_drift_and_one_step() -> None:
    """1.25 s ahead, 12 ppm fast, and 3 s back after 10 s: at 20 s it is 240 us further on and 1.75 s behind."""
    clock = VenueClock(5 * SECOND, 0, 1250 * MS, 12_000, -3 * SECOND, 10 * SECOND)
    assert clock.venue_ns(5 * SECOND) == 5 * SECOND + 1250 * MS
    assert clock.venue_ns(15 * SECOND - 1) == 15 * SECOND - 1 + 1250 * MS + 119_999
    assert clock.venue_ns(25 * SECOND) == 25 * SECOND - 1750 * MS + 240_000
