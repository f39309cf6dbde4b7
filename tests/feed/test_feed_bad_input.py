"""What a venue cannot mean, from the wire to the bus: named, counted, alarmed; the book says unusable rather than wrong.

Text of a message goes in, as a session's thread hands it over; quotes and alarms come out. The decoder's own tables are
in tests/fix; here the fact is what readers of the bus are told.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.model.base import Message
from gateway.model.quote import BookState, Quote
from gateway.model.trade import Alarm, AlarmName
from gateway.processes.feed import Feed
from gateway.processes.settings import load_site

SITE = Path(__file__).resolve().parents[2] / "sites" / "demo.toml"
CU, CA = "SHFE.cu2609", "LME.CA3M"
HOUR_NS = 3600 * 10**9


def wire(text: str) -> str:
    return text.replace("|", "\x01")


def cu(rpt_seq: int, *, time: str = "01:02:03.004", bid: str = "71220", old: str = "", new: str = "") -> str:
    """A snapshot of cu2609, with `old` replaced by `new`."""
    text = (
        f"8=FIX.4.4|9=1|35=W|34={rpt_seq + 1}|49=SHFE|52=20260615-{time}|56=CMC|262=r1|55=cu2609|207=SHFE|75=20260615|"
        f"83={rpt_seq}|268=2|269=0|270={bid}|271=3|272=20260615|273={time}|290=1|"
        f"269=1|270=71230|271=5|272=20260615|273={time}|290=1|10=000|"
    )
    assert old in text
    return wire(text.replace(old, new, 1))


def ca(rpt_seq: int, *, time: str = "01:02:03.004", entry: str = "279=1|269=0|55=CA3M|270=9750.0|271=7|290=1") -> str:
    """An increment of CA3M with one entry."""
    stamp = f"|272=20260615|273={time}|83={rpt_seq}"
    return wire(
        f"8=FIX.4.2|9=1|35=X|34={rpt_seq + 1}|49=LME|52=20260615-{time}|56=CMC|262=r1|268=1|{entry}{stamp}|10=000|"
    )


def ca_image(rpt_seq: int, *, time: str = "01:02:03.004") -> str:
    return wire(
        f"8=FIX.4.2|9=1|35=W|34={rpt_seq + 1}|49=LME|52=20260615-{time}|56=CMC|262=r1|55=CA3M|83={rpt_seq}|268=2|"
        f"269=0|270=9749.5|271=3|272=20260615|273={time}|290=1|269=1|270=9750.5|271=5|272=20260615|273={time}|290=1|"
        "10=000|"
    )


class Bus:
    """Takes what the feed publishes."""

    def __init__(self) -> None:
        self.quotes: list[Quote] = []
        self.alarms: list[Alarm] = []

    def publish_as(self, _topic: str, message: Quote) -> None:
        self.quotes.append(message)

    def publish(self, message: Message) -> None:
        if isinstance(message, Alarm):
            self.alarms.append(message)


class Desk:
    """A feed with both sessions up and both books whole; `tell` gives what one message brought."""

    def __init__(self, wake_fd: int) -> None:
        self.bus = Bus()
        untyped: Any = self.bus
        self.feed = Feed(load_site(SITE), untyped, wake_fd)
        for key in ("SHFE.md", "LME.md"):
            self.feed.on_session(key, True, "")
        self.recv_ns = 10**12
        self.tell("SHFE.md", cu(10))
        self.tell("LME.md", ca_image(10))
        assert [one.state for one in self.bus.quotes[-2:]] == [BookState.OK, BookState.OK]

    def tell(self, key: str, raw: str) -> tuple[list[Quote], list[Alarm]]:
        quotes, alarms = len(self.bus.quotes), len(self.bus.alarms)
        self.recv_ns += 1_000_000
        self.feed.on_message(key, raw, self.recv_ns)
        return self.bus.quotes[quotes:], self.bus.alarms[alarms:]

    @property
    def bad_messages(self) -> int:
        return self.feed._core.bad_messages


@pytest.fixture
def desk() -> Iterator[Desk]:
    """The desk, with a descriptor to wake."""
    wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
    yield Desk(wake_fd)
    os.close(wake_fd)


CU_BAD = """
what                     | was                | is                 | named
price off its tick       | 270=71220          | 270=71225          | MDEntryPx(270) '71225'
price that is no number  | 270=71220          | 270=7122O          | MDEntryPx(270) '7122O'
no price                 | 270=71220|         |                    | MDEntryPx(270) is missing
negative size            | 271=3              | 271=-3             | MDEntrySize(271) '-3'
size of zero             | 271=3              | 271=0              | MDEntrySize(271) '0'
size of half a lot       | 271=3              | 271=0.5            | MDEntrySize(271) '0.5'
fewer entries than said  | 268=2              | 268=3              | NoMDEntries(268) '3'
truncated in an entry    | 290=1|269=1        | 290=1|269          | a field '269'
truncated after the head | |268=2             | |268               | NoMDEntries(268) is missing
a separator lost         | |271=5|272         | |271=5272          | MDEntrySize(271) '5272=20260615'
no such day              | 272=20260615       | 272=20260631       | '20260631-01:02:03.004'
no such position         | 290=1|269=1        | 290=0|269=1        | MDEntryPositionNo(290) '0'
another version's entry  | 269=0              | 269=J              | MDEntryType(269) 'J'
"""


@pytest.mark.parametrize("line", CU_BAD.strip().splitlines()[1:])
def test_a_snapshot_that_cannot_be_used_makes_its_book_unusable(line: str, desk: Desk) -> None:
    """One quote without levels, state bad, one alarm with the same words, one more bad message, a snapshot asked for;
    the next good one heals it, and the other venue's book was never touched.
    """
    cells = line.split(" | ")
    was, becomes, named = cells[1].strip(), cells[2].strip(), cells[3].strip()
    [quote], [alarm] = desk.tell("SHFE.md", cu(11, old=was, new=becomes))
    assert (quote.instrument_id, quote.state, quote.bids, quote.asks) == (CU, BookState.BAD, (), ())
    assert named in quote.detail
    assert (alarm.name, alarm.subject, alarm.figures) == (AlarmName.BAD_MESSAGE, CU, quote.detail)
    assert desk.bad_messages == 1
    assert CU in desk.feed._core.due_snapshots(2**62)
    [healed], alarms = desk.tell("SHFE.md", cu(12))
    assert (healed.state, healed.bids, alarms) == (BookState.OK, ((7122, 3),), [])
    states = {name: state for name, state, _ in desk.feed._core.states()}
    assert states[CA] is BookState.OK


CA_BAD = """
what                         | entry                                             | named
a level that is not there    | 279=1|269=0|55=CA3M|270=9749.0|271=7|290=2        | MDEntryPositionNo(290) 2
a level far away             | 279=0|269=0|55=CA3M|270=9749.0|271=7|290=5        | MDEntryPositionNo(290) 5
a level better than the best | 279=0|269=0|55=CA3M|270=9750.0|271=7|290=2        | levels out of order
off its tick                 | 279=1|269=0|55=CA3M|270=9749.7|271=7|290=1        | MDEntryPx(270) '9749.7'
a negative size              | 279=1|269=0|55=CA3M|270=9749.5|271=-7|290=1       | MDEntrySize(271) '-7'
another action               | 279=5|269=0|55=CA3M|270=9749.5|271=7|290=1        | MDUpdateAction(279) '5'
"""


@pytest.mark.parametrize("line", CA_BAD.strip().splitlines()[1:])
def test_an_increment_that_cannot_be_makes_its_book_unusable(line: str, desk: Desk) -> None:
    """State bad, no levels, the tag and its value in the words; good increments do not heal it, an image does."""
    entry, named = (cell.strip() for cell in line.split(" | ")[1:])
    quotes, _ = desk.tell("LME.md", ca(11, entry=entry))
    assert [(one.instrument_id, one.state, one.bids, one.asks) for one in quotes] == [(CA, BookState.BAD, (), ())]
    assert named in quotes[0].detail
    desk.tell("LME.md", ca(12))
    assert {name: state for name, state, _ in desk.feed._core.states()}[CA] is BookState.BAD
    quotes, _ = desk.tell("LME.md", ca_image(13))
    assert [one.state for one in quotes] == [BookState.OK]


UNKNOWN = """
what                | message
an unknown symbol   | 8=FIX.4.4|35=W|34=12|52=20260615-01:02:03.004|55=zn2609|83=1|268=0|10=000|
no symbol           | 8=FIX.4.4|35=W|34=12|52=20260615-01:02:03.004|83=1|268=0|10=000|
an unknown kind     | 8=FIX.4.4|35=AE|34=12|52=20260615-01:02:03.004|10=000|
noise               | 8=FIX.4.4|35=W|34=12|\x02\x7fß%$|10=000|
nothing but a head  | 8=FIX.4.4|35=W|
nothing             |
"""


@pytest.mark.parametrize("line", UNKNOWN.strip("\n").splitlines()[1:])
def test_a_message_about_no_book_of_ours_touches_none(line: str, desk: Desk) -> None:
    """It is counted and alarmed under the venue's name, and no book changes."""
    raw = wire(line.partition(" | ")[2].strip())
    before = desk.feed._core.states()
    quotes, [alarm] = desk.tell("SHFE.md", raw)
    assert quotes == []
    assert (alarm.name, alarm.subject) == (AlarmName.BAD_MESSAGE, "SHFE")
    assert "right would be" in alarm.figures or "is missing" in alarm.figures
    assert desk.bad_messages == 1
    assert desk.feed._core.states() == before


def test_every_beginning_of_a_message_is_bad_or_says_nothing_false(desk: Desk) -> None:
    """A snapshot cut off at any place never becomes another book: it is bad, unless only what nobody reads is missing."""
    whole = cu(11)
    for end in range(len(whole)):
        desk.tell("SHFE.md", cu(10))
        quotes, alarms = desk.tell("SHFE.md", whole[:end])
        for quote in quotes:
            assert quote.bids in ((), ((7122, 3),)), whole[:end]
            assert quote.asks in ((), ((7123, 5),)), whole[:end]
            assert (quote.bids == ()) == (quote.asks == ()) == (quote.state is BookState.BAD), whole[:end]
        assert bool(alarms) == any(one.state is BookState.BAD for one in quotes) or not quotes, whole[:end]


def test_an_older_book_does_not_come_back(desk: Desk) -> None:
    """A lower number with an earlier time is a late packet: no quote, no alarm, the newer book stays."""
    desk.tell("SHFE.md", cu(20, time="01:02:05.000"))
    assert desk.tell("SHFE.md", cu(19, time="01:02:04.500", bid="70000")) == ([], [])
    assert desk.tell("SHFE.md", cu(20, time="01:02:05.000", bid="70000")) == ([], [])


def test_a_clock_that_goes_back_is_no_gap(desk: Desk) -> None:
    """Numbers that follow count, whatever the stamps say; the quote carries the venue's stamp and our receive time."""
    for number, time in enumerate(("01:02:05.000", "01:02:04.000", "01:02:04.000", "00:02:04.000"), 11):
        [quote], alarms = desk.tell("LME.md", ca(number, time=time))
        assert (quote.state, quote.rpt_seq, alarms) == (BookState.OK, number, [])
        assert quote.recv_ns == desk.recv_ns
    assert desk.feed._core.totals() == (0, 0, 0)


@pytest.mark.parametrize(("first", "then"), [("02:02:03.004", "01:02:03.104"), ("00:02:03.004", "01:02:03.104")])
def test_a_clock_an_hour_off_makes_nothing_false(first: str, then: str, desk: Desk) -> None:
    """A venue whose clock is set right by an hour, either way: the books go on, on both kinds of feed."""
    for key, before, after, name in (
        ("SHFE.md", cu(11, time=first), cu(12, time=then, bid="71210"), CU),
        ("LME.md", ca(11, time=first), ca(12, time=then), CA),
    ):
        [wrong], _ = desk.tell(key, before)
        [right], alarms = desk.tell(key, after)
        assert (wrong.instrument_id, wrong.state, right.state, alarms) == (name, BookState.OK, BookState.OK, [])
        assert abs(abs(right.venue_ns - wrong.venue_ns) - HOUR_NS) == 100_000_000
        assert right.recv_ns - wrong.recv_ns == 1_000_000
    assert desk.feed._core.totals() == (0, 0, 0)


def test_bad_messages_without_end_cost_one_request_at_a_time(desk: Desk) -> None:
    """A venue that sends nothing but nonsense is asked again after a wait, not at every message."""
    for number in range(11, 211):
        desk.tell("SHFE.md", cu(number, old="270=71220", new="270=71221"))
    asked = [CU in desk.feed._core.due_snapshots(2**62 + at) for at in range(3)]
    assert (desk.bad_messages, asked) == (200, [True, False, False])
