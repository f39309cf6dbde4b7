"""Given events of several books: which quote to publish, and when to ask for snapshots."""

import pytest
from feed_values import ASKS, BIDS, NAME, increment, instrument, snapshot

from gateway.feed.core import FeedCore
from gateway.model.quote import BadMarketData, BookState, MdRejected, Quote, StatusChange, TradingStatus

OTHER = "LME.AH3M"
DOMESTIC = "SHFE.cu2609"
RETRY = 100
MOST = 350


def core(depth: int | dict[str, int] = 5) -> FeedCore:
    listed = [instrument(name) for name in (NAME, OTHER, DOMESTIC)]
    return FeedCore(listed, depth=depth, kept_limit=10, retry_ns=RETRY, retry_most_ns=MOST)


def trading(at_ns: int = 0) -> FeedCore:
    """Both venues up, every book whole, nothing due."""
    feed = core()
    for venue in ("LME", "SHFE"):
        feed.on_session(venue, up=True, at_ns=at_ns)
    for name in (NAME, OTHER, DOMESTIC):
        feed.on_event(snapshot(10, name=name), at_ns)
    return feed


def asked(feed: FeedCore, upto_ns: int) -> list[tuple[int, list[str]]]:
    """When snapshots are asked for, looking every nanosecond."""
    found = ((at_ns, list(feed.due_snapshots(at_ns))) for at_ns in range(upto_ns + 1))
    return [(at_ns, names) for at_ns, names in found if names]


def test_a_quote_says_when_it_was_received_published_and_made() -> None:
    """The quote carries the message's times and number, and the time of publication."""
    feed = core()
    assert feed.on_event(snapshot(10), 5000) == Quote(NAME, BookState.OK, BIDS, ASKS, 1010, 10, 5000, 0, 10)


def test_what_is_not_ours_makes_no_quote() -> None:
    """An event about an unknown instrument, or a rejected request, is about no book."""
    feed = core()
    assert feed.on_event(snapshot(1, name="LME.ZS3M"), 0) is None
    assert feed.on_event(MdRejected("LME", 0, "MD1", "0", "unknown symbol"), 0) is None
    assert feed.on_event(BadMarketData("LME", "", 0, 1, "Symbol(55) XX"), 0) is None
    assert feed.bad_messages == 1
    assert list(feed.due_snapshots(10**9)) == []


def test_a_message_that_changes_nothing_makes_no_quote() -> None:
    """A duplicate is not published, so nothing looks fresher than it is; nor is a kept increment, after the first."""
    feed = trading()
    assert feed.on_event(snapshot(10), 1) is None
    gap = feed.on_event(increment(12), 2)
    assert gap is not None
    assert gap.state is BookState.GAP
    assert feed.on_event(increment(13), 3) is None


def test_a_status_does_not_make_the_book_look_fresh() -> None:
    """The quote of a status change keeps the times of the last message that told of the book."""
    feed = trading()
    quote = feed.on_event(StatusChange(NAME, 7777, 7777, 42, TradingStatus.HALT), 8000)
    assert quote == Quote(
        NAME, BookState.SHUT, BIDS, ASKS, 1010, 10, 8000, 42, 10, detail="SecurityTradingStatus(326)=2"
    )


def test_bad_market_data_is_told_at_once() -> None:
    """The book goes BAD with the reason, and a snapshot is due at once."""
    feed = trading()
    quote = feed.on_event(BadMarketData("LME", NAME, 7, 8, "MDEntryPx(270) abc"), 9)
    assert quote == Quote(NAME, BookState.BAD, (), (), 7, 0, 9, 8, 10, detail="MDEntryPx(270) abc")
    assert list(feed.due_snapshots(9)) == [NAME]
    assert feed.bad_messages == 1


def test_a_gap_asks_at_once_then_ever_later() -> None:
    """Asked at once, after retry_ns, then each wait twice the last, at most retry_most_ns."""
    feed = trading()
    feed.on_event(increment(12), 3)
    assert asked(feed, 1500) == [(at_ns, [NAME]) for at_ns in (3, 103, 303, 653, 1003, 1353)]


def test_further_trouble_during_a_recovery_asks_no_sooner() -> None:
    """More increments, a snapshot that leaves a hole, a bad message: the waits go on as they were."""
    feed = trading()
    feed.on_event(increment(12), 0)
    assert list(feed.due_snapshots(0)) == [NAME]
    feed.on_event(increment(15), 1)
    feed.on_event(snapshot(11), 2)
    feed.on_event(BadMarketData("LME", NAME, 3, 3, "x"), 3)
    assert asked(feed, 250) == [(100, [NAME])]


def test_a_whole_book_is_not_asked_about() -> None:
    """The answer ends the asking, and the next gap asks at once again."""
    feed = trading()
    feed.on_event(increment(12), 0)
    feed.due_snapshots(0)
    feed.on_event(snapshot(12), 50)
    assert asked(feed, 1000) == []
    feed.on_event(increment(14), 2000)
    assert list(feed.due_snapshots(2000)) == [NAME]


def test_a_late_packet_does_not_end_the_asking() -> None:
    """A snapshot from before the gap leaves the request standing."""
    feed = trading()
    feed.on_event(increment(12), 0)
    feed.due_snapshots(0)
    assert feed.on_event(snapshot(9), 1) is None
    assert asked(feed, 100) == [(100, [NAME])]


def test_after_a_logon_the_subscription_is_given_time() -> None:
    """The first snapshot comes by itself; only after retry_ns without it one is asked for."""
    feed = core()
    quotes = feed.on_session("LME", up=True, at_ns=0)
    assert [(one.instrument_id, one.state) for one in quotes] == [(NAME, BookState.EMPTY), (OTHER, BookState.EMPTY)]
    feed.on_event(increment(1), 1)
    feed.on_event(snapshot(1, name=OTHER), 1)
    assert asked(feed, 320) == [(100, [NAME]), (300, [NAME])]


def test_nothing_is_asked_while_the_session_is_down() -> None:
    """A logout forgets what was due, and a message that comes after it asks for nothing."""
    feed = trading()
    feed.on_event(increment(12), 0)
    quotes = feed.on_session("LME", up=False, at_ns=1)
    assert [(one.instrument_id, one.state) for one in quotes] == [(NAME, BookState.DOWN), (OTHER, BookState.DOWN)]
    assert feed.on_event(increment(13), 2) is None
    assert asked(feed, 1000) == []
    assert not feed.venue_up("LME")
    assert feed.venue_up("SHFE")
    assert {name: state for name, state, _ in feed.states()}[DOMESTIC] is BookState.OK


def test_when_trading_resumes_a_snapshot_is_asked_for() -> None:
    """A reopening makes the book unusable until the venue has told it anew."""
    feed = trading()
    feed.on_event(StatusChange(NAME, 1, 1, 1, TradingStatus.HALT), 1)
    assert list(feed.due_snapshots(1)) == []
    quote = feed.on_event(StatusChange(NAME, 2, 2, 2, TradingStatus.RESUME), 2)
    assert quote is not None
    assert quote.state is BookState.EMPTY
    assert list(feed.due_snapshots(2)) == [NAME]


def test_totals_count_over_all_books() -> None:
    """Gaps, repairs and losses of all books together."""
    feed = trading()
    feed.on_event(increment(12), 0)
    feed.on_event(increment(14, name=OTHER), 0)
    feed.on_event(snapshot(12), 1)
    assert feed.totals() == (2, 1, 4)
    assert feed.states()[1] == (OTHER, BookState.GAP, "RptSeq(83) 14 came, 11 was due")


@pytest.mark.parametrize(("depth", "kept"), [(1, 1), ({"LME": 1, "SHFE": 5}, 1), ({"LME": 5, "SHFE": 1}, 2)])
def test_each_venue_has_its_own_depth(depth: int | dict[str, int], kept: int) -> None:
    """A book keeps the levels that its venue publishes, not those of the deepest venue."""
    quote = core(depth).on_event(snapshot(1), 0)
    assert quote is not None
    assert len(quote.bids) == kept
