"""What is published of a book: entries that a reader can apply, numbers without holes, five levels."""

from hypothesis import given
from hypothesis import strategies as st
from sim_fakes import ASKS, BIDS, MS, SYMBOL, book, order, trade, venue

from simulators.core.market_data import DEPTH, changes
from simulators.core.values import Levels, MdEntry, MdIncrement, MdSnapshot


def applied(before: Levels, entries: list[MdEntry]) -> Levels:
    """A reader as docs/VENUE_FIX.md describes it."""
    levels = list(before)
    for entry in entries:
        index = entry.position - 1
        if entry.action == "0":
            levels.insert(index, (entry.px_ticks, entry.qty_lots))
            del levels[DEPTH:]
        elif entry.action == "1":
            levels[index] = (entry.px_ticks, entry.qty_lots)
        else:
            del levels[index]
    return tuple(levels)


SIDE = st.dictionaries(st.integers(90, 105), st.integers(1, 9), max_size=8)


@given(SIDE, SIDE)
def test_a_reader_that_applies_the_changes_has_the_new_book(before: dict[int, int], after: dict[int, int]) -> None:
    """For any two books, both sides, five levels deep."""
    for kind, reverse in (("0", True), ("1", False)):
        old = tuple(sorted(before.items(), reverse=reverse))[:DEPTH]
        new = tuple(sorted(after.items(), reverse=reverse))[:DEPTH]
        assert applied(old, changes(kind, old, new)) == new


def test_an_unchanged_book_publishes_nothing() -> None:
    """The same book twice is one message."""
    out = [item for item in venue([book(0), book(5)]).advance(9 * MS) if isinstance(item, MdIncrement)]
    assert [item.rpt_seq for item in out] == [1]


def test_a_pushed_level_falls_off_without_a_word() -> None:
    """A better bid is one entry; the sixth level is not deleted."""
    old = tuple((px, 1) for px in range(99, 94, -1))
    assert changes("0", old, ((100, 2), *old[:4])) == [MdEntry("0", "0", 1, 100, 2)]


def test_our_own_fill_is_seen_in_the_published_book() -> None:
    """Taking 4 at 101 deletes the level in the next message."""
    sim = venue()
    events = sim.on_order(MS, order("C1", "1", 4, 101))
    last = [item for item in events if isinstance(item, MdIncrement)][-1]
    assert last.entries == (MdEntry("2", "1", 1, 101, 0),)


def test_a_trade_is_a_message_of_its_own() -> None:
    """269=2 with price and size, no position, its own number."""
    sim = venue([book(0), trade(5, 101, 2, "1")])
    last = [item for item in sim.advance(9 * MS) if isinstance(item, MdIncrement)][-1]
    assert (last.rpt_seq, last.entries) == (2, (MdEntry("0", "2", 0, 101, 2),))


def test_an_image_carries_the_number_of_the_last_change_that_it_includes() -> None:
    """After three changes the image has number 3 and the third book."""
    sim = venue([book(at, bids=((99, 5 + at),)) for at in range(3)])
    sim.advance(9 * MS)
    assert sim.image(9 * MS, SYMBOL) == MdSnapshot(9 * MS, SYMBOL, 3, ((99, 7),), ASKS, None, 0)


def test_snapshots_come_at_their_interval_with_the_book_and_last_trade_of_that_moment() -> None:
    """Every 500 ms from the start of the tape to its end; the trade between stands in the next."""
    sim = venue([book(0), trade(600, 101, 2, "1"), book(1000, asks=())], incremental=False)
    out = [item for item in sim.advance(5000 * MS) if isinstance(item, MdSnapshot)]
    assert out == [
        MdSnapshot(0, SYMBOL, 1, BIDS, ASKS, None, 0),
        MdSnapshot(500 * MS, SYMBOL, 2, BIDS, ASKS, None, 0),
        MdSnapshot(1000 * MS, SYMBOL, 3, BIDS, (), 101, 2),
    ]
