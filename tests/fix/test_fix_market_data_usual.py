"""The short cut of market data says what the long way says, or nothing."""

from collections.abc import Sequence
from random import Random

import pytest
import quickfix
from fix_values import CU, DOMESTIC, HG, OVERSEAS, wire
from hypothesis import given, settings
from hypothesis import strategies as st
from test_fix_market_data import BOOK, CHANGES, INCREMENT, SNAPSHOT

from gateway.fix.dialect import load_dialect
from gateway.fix.market_data import MarketDataDecoder
from gateway.fix.market_data_usual import UsualLayout
from gateway.fix.scan import Prices, Sizes, Stamps
from gateway.model.quote import LevelChange, MarketEvent, MdAction, MdSide
from tests.fix.fuzz_messages import Dialect, market_message, mutated, raw

VENUES = (
    Dialect("domestic44", b"FIX.4.4", True, b"cu2609", b"A1", (7123, b"10")),
    Dialect("overseas42", b"FIX.4.2", False, b"HGZ6", b"B7", (9122, b"0.0005")),
)


def decoder(name: str) -> MarketDataDecoder:
    """Of the venue that speaks this dialect."""
    if name == "domestic44":
        return MarketDataDecoder(DOMESTIC, "SHFE", {"cu2609": CU})
    return MarketDataDecoder(OVERSEAS, "COMEX", {"HGZ6": HG})


def usual(name: str) -> UsualLayout:
    """The short cut alone."""
    dialect, one = (DOMESTIC, CU) if name == "domestic44" else (OVERSEAS, HG)
    members = {
        msg_type: frozenset(spec.groups["268"].members)
        for msg_type, spec in dialect.dictionary.messages.items()
        if "268" in spec.groups
    }
    return UsualLayout(dialect, {one.symbol: Prices(one)}, Sizes(), Stamps(), members)


def from_quickfix(text: str, name: str) -> str:
    """As QuickFIX hands it on: fields sorted by tag, the group in the middle."""
    handed_on: str = quickfix.Message(text, quickfix.DataDictionary(f"fix_specs/{name}.xml"), False).toString()
    return handed_on


def long_way(name: str, text: str) -> Sequence[MarketEvent]:
    """What a decoder without any memory says."""
    return decoder(name).decode_any(text, 7)


@pytest.mark.parametrize(
    ("text", "name", "event"), [(SNAPSHOT, "domestic44", BOOK), (INCREMENT, "overseas42", CHANGES)]
)
def test_what_quickfix_hands_on_is_read_by_the_short_cut(text: str, name: str, event: MarketEvent) -> None:
    """Snapshots with limits behind the group, increments with a deletion and a trade: the event as it is."""
    assert usual(name).event(from_quickfix(text, name), 7) == event


def test_changes_that_follow_a_trade_are_read() -> None:
    """A trade has no position, so its entry is a field shorter; what follows is not shifted by it."""
    text = wire(
        "8=FIX.4.2|9=1|35=X|34=18|49=CX|52=20260105-01:02:03.100|56=CMC|262=r1|268=2|"
        "279=0|269=2|55=HGZ6|270=4.5610|271=1|272=20260105|273=01:02:03.004|83=12|"
        "279=1|269=0|55=HGZ6|270=4.5605|271=7|272=20260105|273=01:02:03.004|290=1|83=12|10=000|"
    )
    event = usual("overseas42").event(text, 7)
    assert event is not None
    assert event == long_way("overseas42", text)[0]
    assert getattr(event, "changes") == (LevelChange(MdAction.CHANGE, MdSide.BID, 1, 9121, 7),)  # noqa: B009
    assert (getattr(event, "last_px_ticks"), getattr(event, "last_qty_lots")) == (9122, 1)  # noqa: B009


NOT_USUAL = """
case                                    | was                    | is
a size of nothing                       | 271=3                  | 271=0
a price off the tick                    | 270=71220              | 270=71221
a level that is not worse               | 270=71210              | 270=71220
asks that do not rise                   | 270=71240              | 270=71230
a position that is not the next         | 290=2                  | 290=3
an entry with another time              | 273=01:02:03.004|290=2 | 273=01:02:03.005|290=2
a count that is wrong                   | 268=5                  | 268=4
a symbol of nobody                      | 55=cu2609              | 55=cu2610
a symbol twice                          | 262=r1                 | 55=cu2610
a number twice                          | 262=r1                 | 34=99
a field without a tag                   | 262=r1                 | r1
a limit that is no price                | 1149=80000             | 1149=x
a limit before the group                | 262=r1                 | 1149=90000
a number that is none                   | 34=17                  | 34=-17
no RptSeq                               | 83=9                   | 84=9
RptSeq 0 where snapshots are all        | 83=9                   | 83=0
a moment that is none                   | 272=20260105           | 272=20261305
a kind that is unknown                  | 269=2                  | 269=7
"""


@pytest.mark.parametrize("row", NOT_USUAL.strip().splitlines()[1:])
def test_what_is_not_usual_or_wrong_is_left_to_the_long_way(row: str) -> None:
    """The short cut gives nothing, also when it has just read the right message, and the decoder what the long way says."""
    _, was, becomes = (wire(cell.strip()) for cell in row.split(" | "))
    text = from_quickfix(SNAPSHOT, "domestic44")
    short, whole = usual("domestic44"), decoder("domestic44")
    assert was in text
    changed = text.replace(was, becomes)
    assert short.event(text, 7) == BOOK
    assert short.event(changed, 7) is None
    assert whole.decode(text, 7) == (BOOK,)
    assert list(whole.decode(changed, 7)) == list(long_way("domestic44", changed))


def test_a_dialect_without_rpt_seq_takes_the_long_way() -> None:
    """There the layout is another one, and RptSeq is 0."""
    quiet = MarketDataDecoder(load_dialect("domestic44", rpt_seq=False), "SHFE", {"cu2609": CU})
    assert [getattr(event, "rpt_seq") for event in quiet.decode(SNAPSHOT, 7)] == [0]  # noqa: B009


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("seed", range(4))
def test_the_short_cut_never_differs_from_the_long_way(venue: Dialect, seed: int) -> None:
    """One decoder reads 3 000 messages, valid, mutated in fields and damaged as bytes, half of them as QuickFIX would
    hand them on; each is read as by a decoder that takes the long way and remembers nothing of a short one.
    """
    draw = Random(f"usual {venue.name} {seed}")  # noqa: S311 - fixed, not secret
    fast, slow = decoder(venue.name), decoder(venue.name)
    short = usual(venue.name)
    taken = 0
    for number in range(1, 3001):
        fields = market_message(draw, venue, number)
        data = raw(fields) if draw.random() < 0.3 else mutated(draw, fields)
        text = data.decode("utf-8", "surrogateescape")
        if draw.random() < 0.5:
            try:
                text = from_quickfix(text, venue.name)
            except (quickfix.InvalidMessage, TypeError):  # TypeError: bytes that are no UTF-8
                continue
        assert list(fast.decode(text, 7)) == list(slow.decode_any(text, 7)), text.replace("\x01", "|")
        taken += short.event(text, 7) is not None
    assert taken > 300


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_message_that_was_cut_and_pasted_is_read_alike(data: st.DataObject) -> None:
    """Whatever is cut out, doubled or overwritten in what QuickFIX handed on, and with memories of the whole message."""
    name = data.draw(st.sampled_from(["domestic44", "overseas42"]))
    text = from_quickfix(SNAPSHOT if name == "domestic44" else INCREMENT, name)
    fast = decoder(name)
    fast.decode(text, 7)
    for _ in range(data.draw(st.integers(1, 3))):
        fields = text.split("\x01")
        at = data.draw(st.integers(0, len(fields) - 1))
        other = data.draw(st.sampled_from(fields))
        match data.draw(st.integers(0, 3)):
            case 0:
                del fields[at]
            case 1:
                fields.insert(at, other)
            case 2:
                fields[at] = fields[at].partition("=")[0] + "=" + other.partition("=")[2]
            case _:
                fields[at] = data.draw(st.text(max_size=8))
        text = "\x01".join(fields)
    assert list(fast.decode(text, 7)) == list(long_way(name, text))
