"""A gap of the session: every book is unusable at once, what is sent again reaches the record and no rule."""

from pathlib import Path
from typing import Any

import pytest
from feed_live import Bus, LiveFeed, Quick, feed_of, site_for, venue_of
from feed_values import NAME, increment, instrument, snapshot

from gateway.feed.core import ASKED_AGAIN, NOT_SENT_AGAIN, FeedCore
from gateway.model.quote import BadMarketData, BookState

OTHER = "LME.AH3M"


def core(*, numbered: bool = True) -> FeedCore:
    """One venue, up, two whole books."""
    unnumbered = () if numbered else ("LME",)
    listed = [instrument(name) for name in (NAME, OTHER)]
    made = FeedCore(listed, depth=5, kept_limit=10, retry_ns=100, retry_most_ns=350, unnumbered=unnumbered)
    made.on_session("LME", up=True, at_ns=0)
    for name in (NAME, OTHER):
        made.on_event(snapshot(10 if numbered else 0, name=name, at=10), 0)
    return made


def states(feed: FeedCore) -> dict[str, BookState]:
    return {name: state for name, state, _ in feed.states()}


def test_a_session_gap_makes_every_book_suspect_at_once() -> None:
    """Each whole book is told in GAP without levels, once, and a second gap on top tells nothing new."""
    feed = core()
    quotes = feed.on_session_gap("LME", 5)
    assert [(one.instrument_id, one.state, one.bids, one.detail) for one in quotes] == [
        (NAME, BookState.GAP, (), ASKED_AGAIN),
        (OTHER, BookState.GAP, (), ASKED_AGAIN),
    ]
    assert feed.on_session_gap("LME", 6) == []
    assert feed.totals() == (2, 0, 0)


def test_what_is_sent_again_goes_to_the_record_and_the_books_follow() -> None:
    """A repeated message gives the record the book with its levels; the first live message tells the books whole."""
    feed = core()
    feed.on_session_gap("LME", 5)
    late = feed.on_replayed(increment(11, "delete bid 1"), 7)
    assert late is not None
    assert (late.state, late.bids, late.pub_ns) == (BookState.OK, ((99, 3),), 7)
    assert states(feed) == {NAME: BookState.GAP, OTHER: BookState.GAP}
    quotes = feed.on_session_live("LME", 9)
    assert [(one.instrument_id, one.state, one.bids) for one in quotes] == [
        (NAME, BookState.OK, ((99, 3),)),
        (OTHER, BookState.OK, ((100, 5), (99, 3))),
    ]
    assert feed.totals() == (2, 2, 0)
    counts = feed.repairs("LME")
    assert (counts.filled, counts.took_ns_p50, counts.took_ns_max) == (1, 4, 4)


def test_a_numbered_book_is_good_again_when_its_own_number_continues() -> None:
    """Where the venue passes over what was missing, each book waits for its own next number or a snapshot."""
    feed = core()
    feed.on_session_gap("LME", 5)
    feed.on_gap_filled("LME")
    quotes = feed.on_session_live("LME", 6)
    assert {(one.state, one.detail) for one in quotes} == {(BookState.GAP, NOT_SENT_AGAIN)}
    assert list(feed.due_snapshots(6)) == [NAME, OTHER]
    continued = feed.on_event(increment(11, "delete bid 1"), 7)
    assert continued is not None
    assert (continued.state, continued.bids) == (BookState.OK, ((99, 3),))
    lost = feed.on_event(increment(13, "delete bid 1", name=OTHER), 8)
    assert lost is not None
    assert (lost.state, lost.detail) == (BookState.GAP, "RptSeq(83) 13 came, 11 was due")
    healed = feed.on_event(snapshot(13, name=OTHER), 9)
    assert healed is not None
    assert healed.state is BookState.OK
    assert feed.totals() == (2, 2, 2)


def test_without_numbers_only_a_snapshot_heals_what_is_not_sent_again() -> None:
    """An increment after the gap cannot show that nothing is missing before it."""
    feed = core(numbered=False)
    feed.on_session_gap("LME", 5)
    feed.on_gap_filled("LME")
    feed.on_session_live("LME", 6)
    feed.on_event(increment(0, "delete bid 1", at=20), 7)
    assert states(feed)[NAME] is BookState.GAP
    healed = feed.on_event(snapshot(0, at=21), 8)
    assert healed is not None
    assert (healed.state, healed.bids) == (BookState.OK, ((100, 5), (99, 3)))
    assert states(feed)[OTHER] is BookState.GAP


def test_what_was_kept_during_a_gap_is_for_the_record() -> None:
    """The books between a gap and the quote after it are given once, each as it stood, but for the newest."""
    feed = core()
    feed.on_event(increment(12, "delete bid 1"), 1)
    feed.on_event(increment(13, "delete ask 1"), 2)
    told = feed.on_event(snapshot(11), 3)
    assert told is not None
    assert (told.bids, told.asks) == (((99, 3),), ((102, 6),))
    filled = feed.take_filled(NAME)
    assert [(one.rpt_seq, one.bids, one.asks) for one in filled] == [
        (11, ((100, 5), (99, 3)), ((101, 4), (102, 6))),
        (12, ((99, 3),), ((101, 4), (102, 6))),
    ]
    assert feed.take_filled(NAME) == []
    assert feed.repairs("LME").filled == 2


def test_a_message_without_an_instrument_spoils_every_book_of_an_unnumbered_session() -> None:
    """Nobody knows which book it was about; a venue with numbers shows it by itself, and another's name is no doubt."""
    bad = BadMarketData("LME", "", 7, 8, "NoMDEntries(268) is missing")
    quotes = core(numbered=False).on_unnamed(bad, 9)
    assert [(one.instrument_id, one.state, one.detail) for one in quotes] == [
        (NAME, BookState.BAD, bad.reason),
        (OTHER, BookState.BAD, bad.reason),
    ]
    assert core().on_unnamed(bad, 9) == []
    another = BadMarketData("LME", "", 7, 8, "Symbol(55) 'XX'", suspect=False)
    assert core(numbered=False).on_unnamed(another, 9) == []


def unnumbered(content: dict[str, Any]) -> None:
    content["venue"][1]["rpt_seq"] = False


@pytest.mark.parametrize("resend", [True, False])
@pytest.mark.parametrize("numbered", [True, False])
def test_lost_messages_of_a_session_through_the_simulator(tmp_path: Path, resend: bool, numbered: bool) -> None:  # noqa: FBT001
    """Both books go into GAP, what is sent again comes late and marked, and both are whole and live afterwards."""
    # A loss every two seconds: whenever the logon is done, one follows.
    faults = [{"name": "gap", "ordinals": list(range(100, 4000, 400)), "params": {"level": "msg_seq_num"}}]
    faults[0]["params"]["symbol"] = "CA3M"
    venue = {"rpt_seq": numbered, "md_resend": resend}
    with venue_of(tmp_path, "LME", "overseas42", Quick(), venue=venue, fault=faults) as simulator:
        site = site_for(tmp_path, {"LME": simulator.md_port}, (lambda _: None) if numbered else unnumbered)
        with feed_of(site, tmp_path) as live:
            live.bus.until(lambda bus: _whole_after_a_gap(bus, "LME.CA3M") and _whole_after_a_gap(bus, "LME.USDCNH"))
            late = [one for one in live.bus.quotes("L.LME.CA3M") if one.state is BookState.OK]
            if resend:
                assert late
                live_numbers = {one.msg_seq_num for one in live.bus.quotes("Q.LME.CA3M")}
                assert {one.msg_seq_num for one in late}.isdisjoint(live_numbers)
            _no_gap_is_left(live, numbered=numbered, resend=resend)


def _whole_after_a_gap(bus: Bus, name: str) -> bool:
    """It was traded on, then in a gap, and is whole with a quote after that."""
    states = [one.state for one in bus.quotes(f"Q.{name}")]
    if BookState.GAP not in states:
        return False
    at = states.index(BookState.GAP)
    return states[at - 1] is BookState.OK and states[-2:] == [BookState.OK, BookState.OK]


def _no_gap_is_left(live: LiveFeed, *, numbered: bool, resend: bool) -> None:
    counts = live.feed._core.repairs("LME")
    assert counts.gaps == counts.repaired > 0
    assert counts.took_ns_max > 0
    assert (counts.filled > 0) is resend
    assert (counts.lost > 0) is (numbered and not resend)
