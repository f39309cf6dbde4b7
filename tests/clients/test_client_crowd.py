"""How many connections are taken, of one address and of all, and how much of it is written down."""

from gateway.clients.crowd import MOST_ADDRESSES, Crowd
from gateway.clients.pace import Pace, PerMinute

S = 10**9


def test_one_address_never_has_all_places() -> None:
    """Its third is turned away with both figures; another address comes in; who goes makes a place."""
    crowd = Crowd(10, 2, 1000)
    assert [crowd.come("a", S), crowd.come("a", S)] == ["", ""]
    assert crowd.come("a", S) == (
        "turned away: 2 connections of this address are open; accepted: 2 (max_connections_per_address)"
    )
    assert crowd.come("b", S) == ""
    crowd.go("a")
    assert (crowd.come("a", 2 * S), crowd.count) == ("", 3)


def test_all_places_are_a_limit_too() -> None:
    """Whoever comes then is told how many there are."""
    crowd = Crowd(2, 2, 1000)
    assert [crowd.come(one, S) for one in "ab"] == ["", ""]
    assert crowd.come("c", S) == "turned away: 2 connections are open; accepted: 2 (max_connections)"


def test_connections_that_come_and_go_are_paced_by_address() -> None:
    """A burst of as many as may be open, then so many a second; another address is not held for it."""
    crowd = Crowd(100, 3, 2)

    def knock(address: str, at_ns: int) -> bool:
        reason = crowd.come(address, at_ns)
        if not reason:
            crowd.go(address)
        return not reason

    assert [knock("a", 10 * S) for _ in range(5)] == [True, True, True, False, False]
    assert knock("b", 10 * S)
    assert [knock("a", 11 * S) for _ in range(3)] == [True, True, False]
    assert crowd.count == 0


def test_addresses_without_end_take_no_memory_without_end() -> None:
    """Those that have been quiet are forgotten; who is pacing is remembered as long as there is room."""
    crowd = Crowd(10**9, 1, 1)
    for number in range(3 * MOST_ADDRESSES):
        crowd.come(str(number), number * S)
    assert len(crowd._paces) <= MOST_ADDRESSES


def test_a_pace_has_rested_when_a_whole_burst_may_come() -> None:
    """Three were let through at 10 s, one a second: a third one may come with them again from 13 s on."""
    pace = Pace(1, 3)
    for _ in range(3):
        pace.take(10 * S)
    assert [pace.rested(at_s * S) for at_s in (10, 12, 13)] == [False, False, True]


def test_lines_beyond_so_many_a_minute_are_counted() -> None:
    """Two are let through, three are counted, and told once when the minute is over."""
    lines = PerMinute(2)
    assert lines.over(S) == 0
    assert [lines.take(S) for _ in range(5)] == [True, True, False, False, False]
    assert [lines.over(60 * S), lines.over(61 * S), lines.over(62 * S)] == [0, 3, 0]
    assert lines.take(63 * S)
