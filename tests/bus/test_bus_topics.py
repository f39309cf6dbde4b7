"""Topics, frames, and what sequence numbers tell."""

import msgspec
import pytest
from bus_values import intent, position, quote, status
from hypothesis import given
from hypothesis import strategies as st

from gateway.bus.topics import (
    Gap,
    GapWatch,
    Published,
    Received,
    TriggerStatus,
    pack,
    pack_end,
    prefix,
    topic_of,
    unpack,
    unpack_end,
)
from gateway.model.order import Side
from gateway.model.trade import (
    Alarm,
    AlarmName,
    IntentRefused,
    PairPrice,
    PairTradeChanged,
    PairTradeState,
    PositionChanged,
    RefusalName,
)

TOPICS = [
    (quote(1, "SHFE.cu"), "Q.SHFE.cu"),
    (PairPrice("P1", 0, 1, None, 1, 0, None, None, "ok"), "P.P1"),
    (PairTradeChanged("T1", "I1", "P1", "R1", Side.BUY, 1, 0, PairTradeState.WORKING, (), 0, 0, False, 0, 0), "T.P1"),
    (position(2, "R1"), "U.R1"),
    (PositionChanged("SHFE.cu", 0, 0, 0, 0, 0), "N.SHFE.cu"),
    (IntentRefused("I1", "P1", "R1", RefusalName.STAGE, "shadow"), "IntentRefused."),
    (Alarm(AlarmName.LEGGED, "T1", "3 lots"), "Alarm."),
    (status(), "ExecutionStatus."),
    (TriggerStatus(1, 2, 3, 4, 5, 6), "TriggerStatus."),
]


@pytest.mark.parametrize(("message", "topic"), TOPICS, ids=[row[1] for row in TOPICS])
def test_every_message_has_its_topic_and_comes_out_as_it_went_in(message: Published, topic: str) -> None:
    """A frame gives back topic, incarnation, number and the very message."""
    assert topic_of(message) == topic
    assert unpack(pack(prefix(topic), 2**63, 2**64 - 1, message)) == Received(topic, 2**63, 2**64 - 1, message)


def test_a_frame_begins_with_its_topic_and_a_zero_byte() -> None:
    """A subscription to one topic does not fit a topic whose name goes on from it."""
    frame = pack(prefix("Q.SHFE.cu"), 1, 1, quote(1, "SHFE.cu"))
    assert frame.startswith(prefix("Q.SHFE.cu"))
    assert not pack(prefix("Q.SHFE.cu2"), 1, 1, quote(1, "SHFE.cu2")).startswith(prefix("Q.SHFE.cu"))


@pytest.mark.parametrize("frame", [b"", b"no zero byte", b"Q.A\0short", pack(prefix("Q.A"), 1, 1, intent())])
def test_a_frame_of_another_kind_is_an_error(frame: bytes) -> None:
    """What is no message of a publisher is not taken for one."""
    with pytest.raises((ValueError, msgspec.MsgspecError, __import__("struct").error)):
        unpack(frame)


def test_the_end_of_an_answer_names_the_incarnation() -> None:
    """The last frame tells whose answer it was, and to which request."""
    assert unpack_end(pack_end(2**60, b"7")) == (2**60, b"7")
    assert unpack_end(pack_end(1, b"")) == (1, b"")


def see(watch: GapWatch, seq: int, topic: str = "A", incarnation: int = 1) -> Gap | bool | None:
    return watch.see(Received(topic, incarnation, seq, quote(seq)))


def test_numbers_that_follow_are_no_gap() -> None:
    """The first number of a late joiner, whatever it is, and each next one."""
    watch = GapWatch()
    assert [see(watch, seq) for seq in (7, 8, 9)] == [None, None, None]


def test_a_missing_number_is_a_gap_with_both_ends() -> None:
    """The gap names the first and the last number that never came."""
    watch = GapWatch()
    see(watch, 7)
    assert see(watch, 9) == Gap("A", 1, 8, 8)
    assert see(watch, 20) == Gap("A", 1, 10, 19)
    assert see(watch, 21) is None


def test_what_was_seen_or_overtaken_is_dropped() -> None:
    """Each number counts once, and none after a later one."""
    watch = GapWatch()
    see(watch, 7)
    see(watch, 9)
    assert [see(watch, seq) for seq in (9, 8, 7, 1)] == [False, False, False, False]


def test_topics_are_counted_apart() -> None:
    """The number of one topic says nothing about another."""
    watch = GapWatch()
    see(watch, 7)
    assert see(watch, 3, "B") is None
    assert see(watch, 8) is None


def test_a_new_incarnation_begins_at_one() -> None:
    """Whoever followed the one before has missed what the new one published first, on every topic."""
    watch = GapWatch()
    see(watch, 7)
    assert see(watch, 1, incarnation=2) is None
    watch = GapWatch()
    see(watch, 7)
    assert see(watch, 4, incarnation=2) == Gap("A", 2, 1, 3)
    assert see(watch, 2, "B", incarnation=2) == Gap("B", 2, 1, 1)


def test_a_former_incarnation_is_not_heard_any_more() -> None:
    """What an older process left in the queues is dropped, on every topic."""
    watch = GapWatch()
    see(watch, 1, incarnation=2)
    assert see(watch, 99, incarnation=1) is False
    assert see(watch, 99, "B", incarnation=1) is False
    assert see(watch, 2, incarnation=2) is None


def test_after_an_answer_new_topics_begin_at_one() -> None:
    """Whoever knows the last message of every topic misses nothing unknown."""
    watch = GapWatch()
    see(watch, 7)
    watch.answered(1)
    assert see(watch, 3, "B") == Gap("B", 1, 1, 2)
    watch = GapWatch()
    watch.answered(1)
    assert see(watch, 2) == Gap("A", 1, 1, 1)


def test_an_old_answer_says_nothing_about_a_new_incarnation() -> None:
    """The answer of a process that has gone does not count for its successor."""
    watch = GapWatch()
    see(watch, 7, incarnation=2)
    watch.answered(1)
    assert see(watch, 3, "B", incarnation=2) is None


@given(st.lists(st.sampled_from(["arrives", "lost", "twice"]), min_size=1, max_size=60))
def test_arrived_and_missed_make_the_whole(fates: list[str]) -> None:
    """Up to the last arrival every number was either taken once or is in exactly one gap."""
    watch = GapWatch()
    watch.answered(1)
    taken: list[int] = []
    missed: list[int] = []
    for seq, fate in enumerate(fates, 1):
        for _ in range({"arrives": 1, "lost": 0, "twice": 2}[fate]):
            seen = see(watch, seq)
            if isinstance(seen, Gap):
                missed += range(seen.first_seq, seen.last_seq + 1)
            if seen is not False:
                taken.append(seq)
    assert sorted(taken + missed) == list(range(1, max(taken, default=0) + 1))
    assert taken == [seq for seq, fate in enumerate(fates, 1) if fate != "lost"]
