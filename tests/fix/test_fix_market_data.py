"""Market data: raw text in, events out; tables of what is right and what is not."""

import pytest
import quickfix
from fix_values import CU, DOMESTIC, HG, OVERSEAS, VENUE_NS, wire
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fix.dialect import load_dialect
from gateway.fix.market_data import MarketDataDecoder
from gateway.model.quote import (
    BadMarketData,
    BookIncrement,
    BookSnapshot,
    LevelChange,
    MarketEvent,
    MdAction,
    MdRejected,
    MdSide,
    StatusChange,
    TradingStatus,
)

SNAPSHOT = wire(
    "8=FIX.4.4|9=1|35=W|34=17|49=SHFE|52=20260105-01:02:03.100|56=CMC|262=r1|55=cu2609|207=SHFE|75=20260105|83=9|"
    "1148=60000|1149=80000|268=5|"
    "269=0|270=71220|271=3|272=20260105|273=01:02:03.004|290=1|"
    "269=0|270=71210|271=4|272=20260105|273=01:02:03.004|290=2|"
    "269=1|270=71230|271=5|272=20260105|273=01:02:03.004|290=1|"
    "269=1|270=71240|271=6|272=20260105|273=01:02:03.004|290=2|"
    "269=2|270=71230|271=2|272=20260105|273=01:02:03.004|10=000|"
)
BOOK = BookSnapshot(
    "SHFE.cu2609", 7, VENUE_NS, 17, 9, ((7122, 3), (7121, 4)), ((7123, 5), (7124, 6)), 7123, 2, 8000, 6000
)
INCREMENT = wire(
    "8=FIX.4.2|9=1|35=X|34=18|49=CX|52=20260105-01:02:03.100|56=CMC|262=r1|268=3|"
    "279=1|269=0|55=HGZ6|270=4.5605|271=7|272=20260105|273=01:02:03.004|290=1|83=12|"
    "279=2|269=1|55=HGZ6|270=4.5615|271=3|272=20260105|273=01:02:03.004|290=2|83=12|"
    "279=0|269=2|55=HGZ6|270=4.5610|271=1|272=20260105|273=01:02:03.004|83=12|10=000|"
)
CHANGES = BookIncrement(
    "COMEX.HGZ6",
    7,
    VENUE_NS,
    18,
    12,
    (
        LevelChange(MdAction.CHANGE, MdSide.BID, 1, 9121, 7),
        LevelChange(MdAction.DELETE, MdSide.OFFER, 2, 9123, 3),
    ),
    9122,
    1,
)


def decode(raw: str) -> list[MarketEvent]:
    """Decode with the dialect that the message's BeginString(8) names."""
    if raw.startswith("8=FIX.4.2"):
        return list(MarketDataDecoder(OVERSEAS, "COMEX", {"HGZ6": HG}).decode(raw, 7))
    return list(MarketDataDecoder(DOMESTIC, "SHFE", {"cu2609": CU}).decode(raw, 7))


def test_a_snapshot_is_the_whole_book() -> None:
    """Levels, last trade, limits, RptSeq and the venue's time of 35=W."""
    assert decode(SNAPSHOT) == [BOOK]


def test_an_increment_is_its_changes_in_order() -> None:
    """Actions, sides, positions, ticks and lots of 35=X, in the order of the message."""
    assert decode(INCREMENT) == [CHANGES]


@pytest.mark.parametrize(("raw", "spec"), [(SNAPSHOT, "domestic44"), (INCREMENT, "overseas42")])
def test_quickfixs_order_of_fields_says_the_same(raw: str, spec: str) -> None:
    """The text that QuickFIX gives (fields sorted, the group in the middle) decodes to the same event."""
    message = quickfix.Message(raw, quickfix.DataDictionary(f"fix_specs/{spec}.xml"), False)
    assert message.toString() != raw
    assert decode(message.toString()) == decode(raw)


SAME_BOOK = """
was                              | is
290=1|269=0|270=71210            | 269=0|270=71210
271=3                            | 271=3.0
270=71220                        | 270=71220.00
269=2|270=71230|271=2            | 269=2|270=71230|271=2|99999=own
"""


@pytest.mark.parametrize("row", SAME_BOOK.strip().splitlines()[2:])
def test_the_same_book_in_other_words(row: str) -> None:
    """Numbers with zeros behind the point and fields that nobody asked for change nothing."""
    was, becomes = (wire(cell.strip()) for cell in row.split(" | "))
    assert was in SNAPSHOT
    assert decode(SNAPSHOT.replace(was, becomes)) == [BOOK]


def test_without_positions_the_order_counts() -> None:
    """Where MDEntryPositionNo(290) is absent everywhere, levels stand in the order of the message."""
    raw = SNAPSHOT.replace(wire("|290=1"), "").replace(wire("|290=2"), "")
    assert decode(raw) == [BOOK]


def test_an_empty_book_takes_its_time_from_the_header() -> None:
    """No entries: an empty book at SendingTime(52)."""
    raw = wire("8=FIX.4.4|35=W|34=3|52=20260105-01:02:03.004|55=cu2609|83=1|268=0|10=000|")
    assert decode(raw) == [BookSnapshot("SHFE.cu2609", 7, VENUE_NS, 3, 1, (), ())]


BAD = """
message | was                      | is                    | reason
W       | 270=71220|271=3          | 270=71225|271=3       | MDEntryPx(270) '71225'; right would be a whole number of ticks
W       | 270=71220|271=3          | 270=abc|271=3         | MDEntryPx(270) 'abc'; right would be a price in ticks of 10
W       | 270=71220|271=3          | 270=NaN|271=3         | MDEntryPx(270) 'NaN'
W       | 270=71220|271=3          | 270=7_1220|271=3      | MDEntryPx(270) '7_1220'
W       | 270=71220|271=3          | 270=1e5|271=3         | MDEntryPx(270) '1e5'
W       | 270=71220|271=3          | 270=|271=3            | MDEntryPx(270) ''; right would be a value
W       | 270=71220|271=3          | 271=3                 | MDEntryPx(270) is missing
W       | 271=3                    | 271=-3                | MDEntrySize(271) '-3'; right would be a whole number of lots
W       | 271=3                    | 271=2.5               | MDEntrySize(271) '2.5'
W       | 271=3                    | 271=0                 | MDEntrySize(271) '0'; right would be at least 1 lot
W       | 271=3                    | 271=٣                 | MDEntrySize(271) '٣'
W       | 55=cu2609                | 55=cu2610             | Symbol(55) 'cu2610'; right would be an instrument of SHFE
W       | 55=cu2609|207            | 207                   | Symbol(55) is missing
W       | 83=9                     | 83=0                  | RptSeq(83) '0'; right would be 1 or more
W       | 83=9|                    | 82=9|                 | RptSeq(83) is missing
W       | 34=17                    | 34=x                  | MsgSeqNum(34) 'x'; right would be a whole number
W       | 269=2                    | 269=7                 | MDEntryType(269) '7'; right would be 0 bid, 1 offer or 2 trade
W       | 268=5                    | 268=4                 | NoMDEntries(268) '4'; right would be 5
W       | 268=5                    | 268=five              | NoMDEntries(268) 'five'; right would be 5
W       | 271=3|272=20260105|273=01:02:03.004 | 271=3|273=01:02:03.004 | MDEntryDate(272) or MDEntryTime(273) is missing
W       | 273=01:02:03.004         | 273=25:02:03.004      | MDEntryDate(272)-MDEntryTime(273) '20260105-25:02:03.004'
W       | 272=20260105             | 272=20261305          | MDEntryDate(272)-MDEntryTime(273) '20261305-01:02:03.004'
W       | 290=1|269=0              | 290=3|269=0           | MDEntryPositionNo(290) '2, 3'; right would be 1 to 2
W       | 290=2|269=1|270=71230    | 290=1|269=1|270=71230 | MDEntryPositionNo(290) '1, 1'; right would be 1 to 2
W       | 290=1|269=0              | 290=0|269=0           | MDEntryPositionNo(290) '0'; right would be 1 for the best
W       | 270=71210                | 270=71230             | MDEntryPx(270) '7123 ticks after 7122'; right would be each level worse
W       | 270=71240                | 270=71230             | MDEntryPx(270) '7123 ticks after 7123'
W       | 1149=80000               | 1149=80001            | a price limit(1149) '80001'
W       | 271=3                    | 271=3|271=3           | each tag once in an entry
W       | 271=3                    | 271                   | a field '271'; right would be TAG=VALUE
W       | 35=W                     | 35=8                  | MsgType(35) '8'; right would be one of W, f, Y, j or 3
X       | 270=4.5605               | 270=4.5607            | MDEntryPx(270) '4.5607'; right would be a whole number of ticks
X       | 279=1                    | 279=9                 | MDUpdateAction(279) '9'; right would be 0 new, 1 change or 2 delete
X       | 279=1|269=0              | 279=1|269=9           | MDEntryType(269) '9'
X       | 290=1|83=12              | 83=12                 | MDEntryPositionNo(290) is missing
X       | 290=1|83=12              | 290=1|83=11           | the same in all entries of an instrument
X       | 268=3                    | 268=2                 | NoMDEntries(268) '2'; right would be 3
"""


@pytest.mark.parametrize("row", BAD.strip().splitlines()[1:])
def test_what_cannot_be_used_is_named(row: str) -> None:
    """Tag, value and what would be right stand in the reason; the message is no book."""
    kind, was, becomes, reason = (wire(cell.strip()) for cell in row.split(" | "))
    good = {"W": SNAPSHOT, "X": INCREMENT}[kind]
    assert was in good
    times = -1 if was.startswith(("272", "273")) else 1
    [event] = decode(good.replace(was, becomes, times))
    assert isinstance(event, BadMarketData)
    assert reason in event.reason


def test_entries_of_another_instrument_still_count() -> None:
    """One X with a bad entry of one instrument and a good one of another: one event each."""
    raw = wire(
        "8=FIX.4.2|35=X|34=18|52=20260105-01:02:03.004|268=2|"
        "279=1|269=0|55=HGZ6|270=4.5605|271=7|290=1|83=12|279=1|269=0|55=HGH7|270=4.5605|271=7|290=1|83=5|10=000|"
    )
    first, second = decode(raw)
    assert first == BookIncrement(
        "COMEX.HGZ6", 7, VENUE_NS, 18, 12, (LevelChange(MdAction.CHANGE, MdSide.BID, 1, 9121, 7),)
    )
    assert isinstance(second, BadMarketData)
    assert "Symbol(55) 'HGH7'" in second.reason


def test_a_snapshot_before_the_first_increment_is_number_zero() -> None:
    """Where increments follow, RptSeq(83) of a snapshot is the last increment in it: 0 while there is none."""
    raw = wire("8=FIX.4.2|35=W|34=3|52=20260105-01:02:03.004|55=HGZ6|83=0|268=0|10=000|")
    assert decode(raw) == [BookSnapshot("COMEX.HGZ6", 7, VENUE_NS, 3, 0, (), ())]


def test_a_dialect_without_rpt_seq_has_zero() -> None:
    """Where the site says that the venue sends no RptSeq(83), it is 0 in the events."""
    decoder = MarketDataDecoder(load_dialect("overseas42", rpt_seq=False), "COMEX", {"HGZ6": HG})
    [event] = decoder.decode(INCREMENT.replace(wire("|83=12"), ""), 7)
    assert isinstance(event, BookIncrement)
    assert event.rpt_seq == 0


OTHER = [
    (
        "8=FIX.4.4|35=f|34=5|52=20260105-01:02:03.100|55=cu2609|207=SHFE|326=2|60=20260105-01:02:03.004|",
        StatusChange("SHFE.cu2609", 7, VENUE_NS, 5, TradingStatus.HALT),
    ),
    (
        "8=FIX.4.4|35=Y|34=5|52=20260105-01:02:03.004|262=r1|281=0|58=unknown symbol|",
        MdRejected("SHFE", 7, "r1", "0", "unknown symbol"),
    ),
    (
        "8=FIX.4.4|35=3|34=5|52=20260105-01:02:03.004|45=2|372=V|373=1|58=Required tag missing|",
        MdRejected("SHFE", 7, "", "1", "Required tag missing"),
    ),
    (
        "8=FIX.4.4|35=j|34=5|52=20260105-01:02:03.004|45=2|372=V|379=r1|380=3|58=not here|",
        MdRejected("SHFE", 7, "r1", "3", "not here"),
    ),
]


@pytest.mark.parametrize(("raw", "event"), OTHER)
def test_status_and_rejects(raw: str, event: MarketEvent) -> None:
    """35=f is a change of state; 35=Y, 35=3 and 35=j refuse a request."""
    assert decode(wire(raw)) == [event]


def test_an_unknown_trading_status_is_named() -> None:
    """SecurityTradingStatus(326) outside the list is no state."""
    [event] = decode(wire(OTHER[0][0].replace("326=2", "326=99")))
    assert isinstance(event, BadMarketData)
    assert "SecurityTradingStatus(326) '99'" in event.reason
    assert event.instrument_id == "SHFE.cu2609"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mutated_message_never_raises(data: st.DataObject) -> None:
    """Whatever is cut out, doubled or overwritten, events come out."""
    raw = data.draw(st.sampled_from([SNAPSHOT, INCREMENT]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(at, min(len(raw), at + 12)))
        new = data.draw(st.text(max_size=6) | st.sampled_from([raw[at:end] * 2, "\x01", "=", "9" * 5000]))
        raw = raw[:at] + new + raw[end:]
    begin = data.draw(st.sampled_from([raw, "8=FIX.4.4\x01" + raw, "8=FIX.4.2\x01" + raw]))
    for event in decode(begin):
        assert isinstance(event, MarketEvent)
