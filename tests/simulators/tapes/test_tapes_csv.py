"""The csv form: exact round trips, both forms of time, and a named mistake for every malformed line."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus, TapeTrade
from simulators.tapes import TAPES, TapeError, load_tape, write_csv_tape

INSTRUMENTS = "venue,symbol,tick,currency,trading_date,high_limit,low_limit,prev_settlement\n"
EVENTS = "time,venue,symbol,type,bids,asks,price,qty,aggressor,status\n"
CU = "SHFE,cu2609,10,CNY,20260615,86050,70400,78220\n"
GC = "COMEX,GCZ6,0.10,USD,20260615,,,\n"


class ListTape(NamedTuple):
    """A tape held as a tuple."""

    name: str
    label: str
    instruments: tuple[TapeInstrument, ...]
    duration_ns: int
    held: tuple[TapeEvent, ...]

    def events(self) -> Iterator[TapeEvent]:
        """The events, in order."""
        return iter(self.held)


def folder_of(tmp_path: Path, *events: str, instruments: str = CU + GC) -> Path:
    """A csv tape with these rows."""
    (tmp_path / "instruments.csv").write_text(INSTRUMENTS + instruments, encoding="utf-8")
    (tmp_path / "events.csv").write_text(EVENTS + "".join(f"{row}\n" for row in events), encoding="utf-8")
    return tmp_path


def read(folder: Path, seconds: int = 60) -> list[TapeEvent]:
    """The events of a csv tape."""
    return list(load_tape("csv", folder.name, str(folder.parent), 0, seconds).events())


LOTS = st.integers(1, 9_999)
SIDES = st.sampled_from(["1", "2"])


@st.composite
def tapes(draw: st.DrawFn) -> ListTape:
    """One instrument with negative prices too, three events of each kind, any name and label."""
    tick = draw(st.sampled_from([Decimal("0.0001"), Decimal("0.25"), Decimal(10)]))
    one = TapeInstrument("V", draw(st.sampled_from(["S", 'a "b", c'])), tick, "USD", "20260615", None, None, -5)
    stamps = sorted(draw(st.lists(st.integers(0, 10**12), min_size=9, max_size=9)))
    events: list[TapeEvent] = []
    for i, at_ns in enumerate(stamps):
        px_ticks = draw(st.integers(-(10**6), 10**9))
        book = TapeBook(at_ns, "V", one.symbol, ((px_ticks - 1, draw(LOTS)), (px_ticks - 3, draw(LOTS))), ())
        trade = TapeTrade(at_ns, "V", one.symbol, px_ticks, draw(LOTS), draw(SIDES))
        status = TapeStatus(at_ns, "V", one.symbol, draw(st.sampled_from(["2", "3", "17", "18", "21"])))
        events.append((book, trade, status)[i % 3])
    words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=["Cs"]))
    return ListTape(draw(words), draw(words), (one,), stamps[-1] + 1, tuple(events))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tape=tapes())
def test_any_tape_written_and_read_is_the_same(tmp_path: Path, tape: ListTape) -> None:
    """Name, label, instruments, duration and every event, exactly."""
    write_csv_tape(tape, tmp_path / "t")
    back = load_tape("csv", "t", str(tmp_path), 0, 10**6)
    assert (back.name, back.label, back.instruments, back.duration_ns) == tape[:4]
    assert tuple(back.events()) == tape.held
    assert tuple(back.events()) == tape.held


def test_a_synthetic_tape_written_and_read_is_the_same(tmp_path: Path) -> None:
    """All three instruments with their limits, and all events."""
    tape = load_tape("synthetic", "au", "", 3, 20)
    write_csv_tape(tape, tmp_path / "au")
    back = load_tape("csv", "au", str(tmp_path), 0, 3600)
    assert (back.name, back.label, back.instruments, back.duration_ns) == (
        tape.name,
        tape.label,
        tape.instruments,
        tape.duration_ns,
    )
    assert list(back.events()) == list(tape.events())


@pytest.mark.parametrize("name", list(TAPES["recorded"]))
def test_a_recorded_tape_written_and_read_is_the_same(tmp_path: Path, recorded_sets: Path, name: str) -> None:
    """An hour of it, locked books in the auction not refused."""
    tape = load_tape("recorded", f"{name}@15:00:00", str(recorded_sets), 3, 5400)
    write_csv_tape(tape, tmp_path / "r")
    assert read(tmp_path / "r", 5400) == list(tape.events())


def test_times_may_be_iso_8601_with_offset_down_to_nanoseconds(tmp_path: Path) -> None:
    """The first event is time 0; offsets are honoured; nothing is rounded."""
    folder = folder_of(
        tmp_path,
        "2026-06-15T09:00:00+08:00,SHFE,cu2609,status,,,,,,17",
        "2026-06-15T01:00:00.500000001Z,COMEX,GCZ6,book,4000.10:3 4000.00:5,4000.30:1,,,,",
        "2026-06-15T09:00:01.25+08:00,SHFE,cu2609,trade,,,78230,4,1,",
    )
    assert read(folder) == [
        TapeStatus(0, "SHFE", "cu2609", "17"),
        TapeBook(500_000_001, "COMEX", "GCZ6", ((40001, 3), (40000, 5)), ((40003, 1),)),
        TapeTrade(1_250_000_000, "SHFE", "cu2609", 7823, 4, "1"),
    ]


def test_without_tape_csv_the_folder_names_the_tape_and_the_last_event_ends_it(tmp_path: Path) -> None:
    """Name, label and duration have defaults; seconds cut it shorter."""
    rows = [f"{i}500000000,SHFE,cu2609,status,,,,,,17" for i in (1, 2, 3)]
    folder = folder_of(tmp_path, *rows)
    tape = load_tape("csv", folder.name, str(folder.parent), 0, 60)
    assert (tape.name, tape.duration_ns) == (folder.name, 3_500_000_001)
    assert tape.label == f"csv tape {folder.name}: recorded by its user"
    assert read(folder, 2) == [TapeStatus(1_500_000_000, "SHFE", "cu2609", "17")]


def test_a_file_saved_by_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """The mark is no part of the first column's name."""
    folder = folder_of(tmp_path, "0,SHFE,cu2609,status,,,,,,17")
    path = folder / "events.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(folder) == [TapeStatus(0, "SHFE", "cu2609", "17")]


def test_a_locked_book_is_read_in_auction_only(tmp_path: Path) -> None:
    """After status 21 bids may meet asks; after 17 they may not."""
    locked = "0,SHFE,cu2609,book,78230:1,78230:1,,,,"
    assert len(read(folder_of(tmp_path, "0,SHFE,cu2609,status,,,,,,21", locked))) == 2
    with pytest.raises(TapeError, match=r"line 3: '78230:1 / 78230:1': a best bid below the best ask"):
        read(folder_of(tmp_path, "0,SHFE,cu2609,status,,,,,,17", locked))


BAD_EVENTS = [
    ("x,SHFE,cu2609,status,,,,,,17", "line 3, time: 'x': whole nanoseconds since the start, or ISO-8601"),
    ("-1,SHFE,cu2609,status,,,,,,17", "line 3, time: '-1': whole nanoseconds"),
    ("4,SHFE,cu2609,status,,,,,,17", "line 3, time: '4': a time not before that of the row above"),
    ("2026-06-15T09:00:00,SHFE,cu2609,status,,,,,,17", "line 3, time: '2026-06-15T09:00:00': whole nanoseconds"),
    ("2026-06-15T09:00:00Z,SHFE,cu2609,status,,,,,,17", "'2026-06-15T09:00:00Z': the same form of time in every row"),
    ("2026-06-15T09:00:00.1234567890Z,SHFE,cu2609,status,,,,,,17", "line 3, time: '2026-06-15T09:00:00.1234567890Z'"),
    ("5,SHFE,cu2610,status,,,,,,17", "line 3, venue and symbol: 'SHFE,cu2610': an instrument of instruments.csv"),
    ("5,SHFE,cu2609,quote,,,,,,", "line 3, type: 'quote': book, trade or status"),
    ("5,SHFE,cu2609,status,,,,,,16", "line 3, status: '16': one of 2 (halt), 3 (resume), 17 (ready to trade)"),
    ("5,SHFE,cu2609,status,,,1,,,17", "line 3, price: '1': nothing in a row of type status"),
    ("5,SHFE,cu2609,trade,,,78235,1,1,", "line 3, price: '78235': a whole multiple of the tick 10"),
    ("5,SHFE,cu2609,trade,,,abc,1,1,", "line 3, price: 'abc': a decimal price"),
    ("5,SHFE,cu2609,trade,,,NaN,1,1,", "line 3, price: 'NaN'"),
    ("5,SHFE,cu2609,trade,,,86060,1,1,", "line 3, price: '86060': at most the high limit 86050"),
    ("5,SHFE,cu2609,trade,,,70390,1,1,", "line 3, price: '70390': at least the low limit 70400"),
    ("5,SHFE,cu2609,trade,,,78230,0,1,", "line 3, qty: '0': a whole number, 1 or more"),
    ("5,SHFE,cu2609,trade,,,78230,1.5,1,", "line 3, qty: '1.5': a whole number, 1 or more"),
    ("5,SHFE,cu2609,trade,,,78230,1,B,", "line 3, aggressor: 'B': 1 (a buyer took) or 2 (a seller took)"),
    ("5,SHFE,cu2609,trade,78230:1,,78230,1,1,", "line 3, bids: '78230:1': nothing in a row of type trade"),
    ("5,SHFE,cu2609,book,78230,78240:1,,,,", "line 3, bids: '78230': price:lots, levels apart by a space"),
    ("5,SHFE,cu2609,book,78230:1 78230:2,78240:1,,,,", "line 3, bids: '78230:1 78230:2': prices that fall"),
    ("5,SHFE,cu2609,book,78230:1,78250:1 78240:2,,,,", "line 3, asks: '78250:1 78240:2': prices that rise"),
    ("5,SHFE,cu2609,book,78250:1,78240:1,,,,", "line 3: '78250:1 / 78240:1': a best bid below the best ask"),
    ("5,SHFE,cu2609,book,78230:-1,78240:1,,,,", "line 3, bids: '-1': a whole number, 1 or more"),
    ("5,SHFE,cu2609,book", "line 3: '5,SHFE,cu2609,book': 10 fields"),
    ('5,SHFE,"cu2609', "unexpected end of data': fields apart by commas, quotes closed"),
]


@pytest.mark.parametrize(("row", "message"), BAD_EVENTS)
def test_a_malformed_event_is_told_with_file_line_value_and_remedy(tmp_path: Path, row: str, message: str) -> None:
    """Nothing is read past it: the tape does not load."""
    with pytest.raises(TapeError) as error:
        read(folder_of(tmp_path, "5,SHFE,cu2609,status,,,,,,17", row))
    assert str(error.value).startswith(str(tmp_path / "events.csv"))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("SHFE,cu2609,0,CNY,20260615,,,", "line 2, tick: '0': a decimal above 0"),
        ("SHFE,cu2609,ten,CNY,20260615,,,", "line 2, tick: 'ten': a decimal above 0"),
        ("SHFE,,10,CNY,20260615,,,", "line 2, symbol: '': a name"),
        ("SHFE,cu2609,10,CNY,2026-06-15,,,", "line 2, trading_date: '2026-06-15': a date YYYYMMDD"),
        ("SHFE,cu2609,10,CNY,20260615,86055,,", "line 2, high_limit: '86055': a whole multiple of the tick 10"),
        (f"{CU}SHFE,cu2609,10,CNY,20260615,,,", "line 3, venue and symbol: 'SHFE,cu2609': each instrument once"),
    ],
)
def test_a_malformed_instrument_is_told(tmp_path: Path, row: str, message: str) -> None:
    """File, line, field, value and remedy."""
    with pytest.raises(TapeError) as error:
        read(folder_of(tmp_path, "5,SHFE,cu2609,status,,,,,,17", instruments=row + "\n"))
    assert str(error.value).startswith(str(tmp_path / "instruments.csv"))
    assert message in str(error.value)


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    """No folder, no file, no column, no event, no instrument, a duration shorter than the events."""
    with pytest.raises(TapeError, match=r"absent': a folder with instruments.csv and events.csv"):
        read(tmp_path / "absent")
    with pytest.raises(TapeError, match=r"instruments.csv: 'no such file'"):
        read(tmp_path)
    with pytest.raises(TapeError, match=r"events.csv, line 2: '': at least one event"):
        read(folder_of(tmp_path))
    with pytest.raises(TapeError, match=r"instruments.csv, line 2: '': at least one instrument"):
        read(folder_of(tmp_path, instruments=""))
    folder = folder_of(tmp_path, "5,SHFE,cu2609,status,,,,,,17")
    (folder / "tape.csv").write_text("name,label,duration_ns\nx,y,5\n", encoding="utf-8")
    with pytest.raises(TapeError, match=r"tape.csv, line 2, duration_ns: '5': a whole number, 6 or more"):
        read(folder)
    (folder / "events.csv").write_text("time,venue\n", encoding="utf-8")
    with pytest.raises(TapeError, match=r"events.csv, line 1: 'time,venue': a header with the columns symbol, type"):
        read(folder)
