"""A fixing in place of a live currency: on its date, while the live quote is not there, and never as a live one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from feed_live import Bus, LiveFeed, site_for

from gateway.model.quote import BookSnapshot, BookState
from gateway.processes.fixings import ALWAYS, Fixing, beijing_day, is_day

FX = "LME.USDCNH"
E9 = 10**9
MIDNIGHT_NS = 1_781_452_800 * E9
"""2026-06-15 in Beijing, 2026-06-14T16:00Z."""


def test_a_fixing_holds_on_its_day_in_beijing() -> None:
    """From midnight to midnight; one that is bound to no day always."""
    fixing = Fixing(71_234, "2026-06-15", "PBOC")
    assert [fixing.holds(MIDNIGHT_NS + one) for one in (-1, 0, 86_400 * E9 - 1, 86_400 * E9)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert fixing._replace(day=ALWAYS).holds(0)
    assert (beijing_day(MIDNIGHT_NS - 1), beijing_day(MIDNIGHT_NS)) == ("2026-06-14", "2026-06-15")
    assert (is_day("2026-02-28"), is_day("2026-02-29")) == (True, False)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveFeed]:
    """A feed of the demo with a fixing for its reference, its market-data session up, nothing started."""

    def fixed(content: dict[str, list[dict[str, str]]]) -> None:
        content["instrument"][2] |= {"fixing": "7.1234", "fixing_date": "2026-06-15", "fixing_source": "PBOC"}

    wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
    made = LiveFeed(site_for(tmp_path, {}, fixed), tmp_path, wake_fd)
    made.feed.on_session("LME.md", True, "")
    yield made
    os.close(wake_fd)


def told(bus: Bus) -> list[tuple[BookState, str]]:
    return [(one.state, one.detail) for one in bus.quotes(f"Q.{FX}")]


def test_without_a_live_quote_the_fixing_is_told_as_one(live: LiveFeed) -> None:
    """Both sides at the rate, with its day and source, at the time it is told; and again at each beat."""
    live.feed.mind_fixings(5, MIDNIGHT_NS)
    live.feed.mind_fixings(6, MIDNIGHT_NS)
    quotes = live.bus.quotes(f"Q.{FX}")[-2:]
    assert [(one.bids[0][0], one.asks[0][0], one.recv_ns, one.state) for one in quotes] == [
        (71_234, 71_234, 5, BookState.OK),
        (71_234, 71_234, 6, BookState.OK),
    ]
    assert quotes[0].detail == "fixing of 2026-06-15, PBOC"
    assert (quotes[0].calibrated_ns, quotes[0].venue_ns) == (0, 0)


def test_on_another_day_it_is_not_used(live: LiveFeed) -> None:
    """The day before nothing is told; when its day ends, what is so without it is told at once."""
    before = told(live.bus)
    live.feed.mind_fixings(5, MIDNIGHT_NS - 1)
    assert told(live.bus) == before
    live.feed.mind_fixings(6, MIDNIGHT_NS)
    live.feed.mind_fixings(7, MIDNIGHT_NS + 86_400 * E9)
    assert told(live.bus)[-2:] == [
        (BookState.OK, "fixing of 2026-06-15, PBOC"),
        (BookState.EMPTY, "no snapshot since logon"),
    ]
    live.feed.mind_fixings(8, MIDNIGHT_NS + 86_400 * E9)
    assert len(told(live.bus)) == len(before) + 2


def test_a_live_quote_comes_first(live: LiveFeed) -> None:
    """While the venue quotes it the fixing is silent; when the session is lost, it stands in again."""
    event = BookSnapshot(FX, 9, 9, 1, 1, ((71_000, 1),), ((71_001, 1),))
    with live.feed._lock:
        live.feed._core.on_event(event, 9)
    before = told(live.bus)
    live.feed.mind_fixings(10, MIDNIGHT_NS)
    assert told(live.bus) == before
    live.feed.on_session("LME.md", False, "gone")
    live.feed.mind_fixings(11, MIDNIGHT_NS)
    assert [state for state, _ in told(live.bus)[-2:]] == [BookState.DOWN, BookState.OK]
