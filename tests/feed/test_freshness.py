"""When silence is longer than normal for an instrument, and what is told of it."""

from collections.abc import Iterator
from itertools import accumulate
from math import log
from pathlib import Path

import pytest
from feed_live import Quick, feed_of, site_for, venue_of
from feed_values import NAME, instrument, snapshot
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.feed.core import FeedCore
from gateway.feed.freshness import FreshnessSettings, Pace
from gateway.model.quote import BookSnapshot, BookState, StatusChange, TradingStatus
from simulators.core.tape import TapeEvent

MS, SECOND = 10**6, 10**9


def paced(gaps_ms: list[int], settings: FreshnessSettings | None = None) -> Pace:
    """Quotes with these gaps between them."""
    pace = Pace(settings or FreshnessSettings())
    for at_ms in accumulate(gaps_ms, initial=1):
        pace.note(at_ms * MS)
    return pace


@pytest.mark.parametrize(("gap_ms", "limit_ms"), [(500, 1500), (100, 500), (1, 500), (5000, 15_000), (60_000, 60_000)])
def test_the_normal_silence_follows_the_pace(gap_ms: int, limit_ms: int) -> None:
    """Three times the usual gap, within half a second and a minute: a snapshot venue is not stale after 400 ms."""
    assert paced([gap_ms] * 40).limit_ns == limit_ms * MS


def test_ten_quotes_a_second_at_random_are_stale_after_a_second() -> None:
    """Gaps as chance makes them, 100 ms in the mean: the longest normal silence is under a second."""
    gaps = [round(-100 * one) for one in _logarithms(128)]
    assert 500 * MS <= paced(gaps).limit_ns <= SECOND


def _logarithms(count: int) -> list[float]:
    """The quantiles of an exponential distribution with mean 1, negative, in an order that mixes them."""
    return [log((index * 37 % count + 0.5) / count) for index in range(count)]


def test_before_the_warm_up_only_the_longest_counts() -> None:
    """31 gaps teach nothing yet."""
    pace = paced([100] * 31)
    assert (pace.limit_ns, pace.usual_ns) == (60 * SECOND, 0)
    assert "too few quotes to know more" in pace.told(61 * SECOND)


def test_one_long_break_does_not_change_what_is_normal() -> None:
    """An hour's silence among 128 gaps of 100 ms leaves the limit where it was."""
    assert paced([100] * 60 + [3_600_000] + [100] * 60).limit_ns == 500 * MS


def test_time_in_which_the_book_cannot_be_traded_on_is_no_gap() -> None:
    """A halt of an hour after every quote teaches no slow pace."""
    pace = Pace(FreshnessSettings())
    at_ns = SECOND
    for _ in range(100):
        pace.note(at_ns)
        pace.note(at_ns + 100 * MS)
        pace.pause()
        at_ns += 3600 * SECOND
    assert pace.limit_ns == 500 * MS


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=300))
def test_the_limit_stays_within_its_settings(gaps_ms: list[int]) -> None:
    """Whatever the gaps are."""
    settings = FreshnessSettings(window=32, warm_up=8, least_ns=200 * MS, most_ns=5 * SECOND)
    assert 200 * MS <= paced(gaps_ms, settings).limit_ns <= 5 * SECOND


def fed(gap_ms: int, count: int = 40) -> tuple[FeedCore, int]:
    """A core whose instrument had a quote every `gap_ms`, and the time of the last one."""
    feed = FeedCore([instrument()], depth=5, kept_limit=10, retry_ns=SECOND, retry_most_ns=SECOND)
    feed.on_session("LME", up=True, at_ns=0)
    at_ns = SECOND
    for number in range(1, count + 1):
        feed.on_event(_at(number, at_ns), at_ns)
        at_ns += gap_ms * MS
    return feed, at_ns - gap_ms * MS


def _at(number: int, at_ns: int) -> BookSnapshot:
    return replace(snapshot(number), recv_ns=at_ns)


def test_a_silent_instrument_is_told_stale_once_and_a_quote_ends_it() -> None:
    """The verdict comes when the limit is over, with its levels and figures; the next quote is fresh again."""
    feed, last_ns = fed(500)
    assert feed.stale(last_ns + 400 * MS) == []
    [told] = feed.stale(last_ns + 1500 * MS)
    assert (told.state, told.recv_ns, told.bids) == (BookState.STALE, last_ns, ((100, 5), (99, 3)))
    assert told.detail == "silent for 1500 ms, at most 1500; usual are 500 ms between quotes"
    assert feed.states()[0][1] is BookState.STALE
    assert feed.stale(last_ns + 9000 * MS) == []
    fresh = feed.on_event(_at(41, last_ns + 9500 * MS), last_ns + 9500 * MS)
    assert fresh is not None
    assert fresh.state is BookState.OK
    assert feed.states()[0][1] is BookState.OK


def test_it_is_looked_at_when_the_first_of_them_is_due() -> None:
    """The next look is due when the silence is over its limit, not before, and at least every second."""
    feed, last_ns = fed(500)
    feed.stale(last_ns + 800 * MS)
    assert feed.stale_due_ns() == last_ns + 1500 * MS
    slow, last_ns = fed(5000)
    slow.stale(last_ns)
    assert slow.stale_due_ns() == last_ns + SECOND


def test_a_book_that_is_shut_is_not_stale_too() -> None:
    """A halt is its verdict, however long it lasts."""
    feed, last_ns = fed(500)
    feed.on_event(StatusChange(NAME, last_ns, last_ns, 1, TradingStatus.HALT), last_ns)
    assert feed.stale(last_ns + 9000 * MS) == []


class Falling(Quick):
    """Moves every 5 ms for four seconds and then falls silent."""

    def events(self) -> Iterator[TapeEvent]:
        for event in super().events():
            if event.at_ns > 4 * SECOND:
                return
            yield event


def test_a_venue_that_falls_silent_is_told_stale(tmp_path: Path) -> None:
    """Through the simulator: the session stays up, and both instruments are told stale with their figures."""
    with venue_of(tmp_path, "LME", "overseas42", Falling()) as simulator:
        site = site_for(tmp_path, {"LME": simulator.md_port}, lambda _: None)
        with feed_of(site, tmp_path) as live:
            live.bus.until(lambda bus: sum(one.state is BookState.STALE for one in bus.verdicts()) == 2)
            stale = [one for one in live.bus.verdicts() if one.state is BookState.STALE]
    assert {one.instrument_id for one in stale} == {"LME.CA3M", "LME.USDCNH"}
    assert all("between quotes" in one.detail for one in stale)
