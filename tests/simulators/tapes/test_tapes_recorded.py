"""The recorded readers: on small invented files of the same form, and on hand-checked rows of the recorded sets."""

import gzip
import zipfile
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus, TapeTrade
from simulators.tapes import TAPES, TapeError, load_tape, usdcny_fixing
from simulators.tapes.recorded.cffex_ticks import _aggressor, if_ticks
from simulators.tapes.recorded.oanda_xauusd import xauusd_ticks
from simulators.tapes.recorded.sgx_cn import cn_book
from simulators.tapes.recorded.window import RecordedTape, window

HOUR_NS = 3600 * 10**9
CN_HEADER = "ts_sgt," + ",".join(
    f"{side}_{what}{i}" for i in (1, 2, 3) for side in ("bid", "ask") for what in ("price", "volume")
)
IF_HEADER = "ts_beijing,trading_date,price,volume,upper,lower,pre_settle,bid_price1,bid_volume1,ask_price1,ask_volume1"


def write_gz(path: Path, lines: list[str]) -> None:
    """A gzip file of lines, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def cn_row(time: str, bid: int, ask: int, *, size: int = 3) -> str:
    """A best-3 row around `bid` and `ask`, five points a level."""
    levels = ",".join(f"{bid - 5 * i}.0,{size},{ask + 5 * i}.0,{size}" for i in range(3))
    return f"2014-01-29T{time}+08:00,{levels}"


def write_cn(folder: Path, rows: list[str]) -> None:
    """The SGX CN set with these rows."""
    write_gz(folder / "sgx_cn_book/SGX_CN_20140129_l3.csv.gz", [CN_HEADER, *rows])


def if_row(time: str, price: str, volume: int, bid: str, ask: str) -> str:
    """A row of IF ticks: one lot bid, two lots asked."""
    return f"2021-01-04T{time}+08:00,20210104,{price},{volume},5700.0,4700.0,5200.0,{bid},1,{ask},2"


def write_if(folder: Path, rows: list[str]) -> None:
    """The CFFEX tick set with these rows."""
    write_gz(folder / "cffex_if_ticks/IF2101_20210104_l1.csv.gz", [IF_HEADER, *rows])


def cn_ladder(at_ns: int, bid: int, ask: int, size: int = 3) -> TapeBook:
    """What `cn_row` is in ticks of five points."""
    bids = tuple((bid // 5 - i, size) for i in range(3))
    asks = tuple((ask // 5 + i, size) for i in range(3))
    return TapeBook(at_ns, "SGX", "CN", bids, asks)


def test_cn_rows_are_kept_in_file_order_with_the_status_around_them(tmp_path: Path) -> None:
    """Lone, pre-open, same-stamp, unchanged and locked rows all become books; statuses tell when it trades."""
    rows = [
        "2014-01-29T04:24:59.489814800+08:00,6620.0,50,6895.0,2,,,,,,,,",
        cn_row("08:46:01.040796000", 6720, 6780),
        cn_row("09:00:00.000000001", 6740, 6760),
        cn_row("09:00:00.000000001", 6740, 6760),
        cn_row("09:00:00.000000001", 6740, 6755),
        cn_row("15:55:19.210194500", 6770, 6770),
    ]
    write_cn(tmp_path, rows)
    census: Counter[str] = Counter()
    nine, closing = 9 * HOUR_NS, 15 * HOUR_NS + 55 * 60 * 10**9
    assert list(cn_book(tmp_path).read(census)) == [
        TapeStatus(0, "SGX", "CN", "21"),
        TapeBook(4 * HOUR_NS + 1499489814800, "SGX", "CN", ((1324, 50),), ((1379, 2),)),
        cn_ladder(8 * HOUR_NS + 2761040796000, 6720, 6780),
        TapeStatus(nine, "SGX", "CN", "17"),
        cn_ladder(nine + 1, 6740, 6760),
        cn_ladder(nine + 1, 6740, 6760),
        cn_ladder(nine + 1, 6740, 6755),
        TapeStatus(closing, "SGX", "CN", "21"),
        cn_ladder(closing + 19210194500, 6770, 6770),
        TapeStatus(16 * HOUR_NS + 60 * 10**9, "SGX", "CN", "18"),
    ]
    assert census == {"pre-open": 2, "lone": 1, "continuous": 3, "unchanged": 1, "closing": 1, "locked": 1}


def test_if_snapshots_become_books_and_one_trade_of_the_volume(tmp_path: Path) -> None:
    """Auction and settlement rows are counted, not traded; the taker follows from the quote before, then the tick."""
    rows = [
        if_row("09:29:00.400", "5230.0", 240, "5230.0", "5230.8"),
        if_row("09:30:00.400", "5230.8", 71, "5231.4", "5231.6"),
        if_row("09:30:00.900", "5231.6", 5, "5231.2", "5231.6"),
        if_row("09:30:01.400", "5231.2", 6, "5231.0", "5231.4"),
        if_row("09:30:01.900", "5231.2", 7, "5231.0", "5231.4"),
        if_row("09:30:02.400", "5231.2", 0, "5231.0", "5231.6"),
        if_row("15:30:48.900", "5260.0", 0, "5259.2", "5262.0"),
    ]
    write_if(tmp_path, rows)
    source = if_ticks(tmp_path)
    assert source.instrument == TapeInstrument(
        "CFFEX", "IF2101", Decimal("0.2"), "CNY", "20210104", 28500, 23500, 26000
    )
    start = 9 * HOUR_NS + 30 * 60 * 10**9
    census: Counter[str] = Counter()

    def trade(ms: int, px_ticks: int, lots: int, aggressor: str) -> TapeTrade:
        return TapeTrade(start + ms * 10**6, "CFFEX", "IF2101", px_ticks, lots, aggressor)

    def book(ms: int, bid: int, ask: int) -> TapeBook:
        return TapeBook(start + ms * 10**6, "CFFEX", "IF2101", ((bid, 1),), ((ask, 2),))

    def status(at_ns: int, value: str) -> TapeStatus:
        return TapeStatus(at_ns, "CFFEX", "IF2101", value)

    assert list(source.read(census)) == [
        status(start - 60 * 10**9, "21"),
        status(start, "17"),
        trade(400, 26154, 71, "1"),  # no quote before: above the auction's price
        book(400, 26157, 26158),
        trade(900, 26158, 5, "1"),  # at the ask before
        book(900, 26156, 26158),
        trade(1400, 26156, 6, "2"),  # at the bid before
        book(1400, 26155, 26157),
        trade(1900, 26156, 7, "2"),  # inside, as the last: as the trade before
        book(1900, 26155, 26157),
        book(2400, 26155, 26158),
        status(11 * HOUR_NS + 1801 * 10**9, "2"),
        status(13 * HOUR_NS, "3"),
        status(15 * HOUR_NS + 10**9, "18"),
    ]
    assert census == {"auction": 1, "traded": 4, "quiet": 1, "settlement": 1}


@pytest.mark.parametrize(
    ("px_ticks", "bid", "ask", "last", "before", "expected"),
    [
        (102, 100, 102, 105, "2", "1"),  # at the ask, though lower than the last
        (103, 100, 102, 105, "2", "1"),
        (100, 100, 102, 90, "1", "2"),  # at the bid, though higher than the last
        (99, 100, 102, 90, "1", "2"),
        (101, 100, 102, 100, "2", "1"),  # inside: risen
        (101, 100, 102, 102, "1", "2"),  # inside: fallen
        (101, 100, 102, 101, "2", "2"),  # inside, unmoved: as the trade before
        (101, 100, 102, 101, "1", "1"),
    ],
)
def test_the_taker_follows_from_the_quote_then_the_tick_then_the_trade_before(
    px_ticks: int, bid: int, ask: int, last: int, before: str, expected: str
) -> None:
    """The rule as a table."""
    assert _aggressor(px_ticks, bid, ask, last, before) == expected


def write_xauusd(folder: Path, text: str) -> None:
    """The XAUUSD tick set with this text."""
    (folder / "xauusd").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "xauusd/tick_20140505_quote.zip", "w") as archive:
        archive.writestr("20140505_xauusd_tick_quote.csv", text)


def test_xauusd_milliseconds_in_utc_become_beijing_time_exactly(tmp_path: Path) -> None:
    """40.1868 ms after midnight UTC is 40 186 800 ns after 08:00 in Beijing; the size is the assumed one."""
    write_xauusd(tmp_path, "40.1868,1300.335,1300.799\r\n42,1300.3,1300.81\r\n")
    assert list(xauusd_ticks(tmp_path).read(Counter())) == [
        TapeStatus(8 * HOUR_NS, "OANDA", "XAUUSD", "17"),
        TapeBook(8 * HOUR_NS + 40_186_800, "OANDA", "XAUUSD", ((1300335, 100),), ((1300799, 100),)),
        TapeBook(8 * HOUR_NS + 42_000_000, "OANDA", "XAUUSD", ((1300300, 100),), ((1300810, 100),)),
    ]


def test_a_window_opens_with_the_last_status_and_book_before_it() -> None:
    """What stood at the start is told at 0; what lies beyond the end is left out."""
    before: list[TapeEvent] = [
        TapeStatus(1, "V", "S", "21"),
        TapeBook(2, "V", "S", (), ()),
        TapeStatus(3, "V", "S", "17"),
    ]
    inside: list[TapeEvent] = [TapeTrade(10, "V", "S", 5, 1, "1"), TapeBook(19, "V", "S", ((4, 1),), ())]
    after = [TapeBook(20, "V", "S", (), ())]
    assert list(window(iter([*before, *inside, *after]), 10, 20)) == [
        TapeStatus(0, "V", "S", "17"),
        TapeBook(0, "V", "S", (), ()),
        TapeTrade(0, "V", "S", 5, 1, "1"),
        TapeBook(9, "V", "S", ((4, 1),), ()),
    ]
    assert list(window(iter(before), 10, 20)) == [TapeStatus(0, "V", "S", "17"), TapeBook(0, "V", "S", (), ())]


@pytest.mark.parametrize(
    ("row", "place", "remedy"),
    [
        (cn_row("09:00:00.1", 6742, 6760), "line 3, bid_price1: '6742.0'", "a whole multiple of the tick 5"),
        (cn_row("09:00:00.1", 6740, 6760, size=0), "line 3, bid_volume1: '0'", "a whole number, 1 or more"),
        (cn_row("25:00:61", 6740, 6760), "line 3: '25:00:61'", "a time of day such as 09:30:00"),
        ("2014-01-30T09:00:00+08:00" + "," * 12, "line 3: '2014-01-30T09:00:00+08:00'", "a stamp 2014-01-29T"),
        ("2014-01-29T09:00:00+08:00,6740.0", "line 3: '2014-01-29T09:00:00+08:00,6740.0'", "13 fields"),
    ],
)
def test_a_row_that_cannot_be_is_told_with_line_value_and_remedy(
    tmp_path: Path, row: str, place: str, remedy: str
) -> None:
    """The error names the file, the line, what stands there and what would be right."""
    write_cn(tmp_path, [cn_row("08:59:00", 6740, 6760), row])
    with pytest.raises(TapeError) as error:
        list(cn_book(tmp_path).read(Counter()))
    assert f"SGX_CN_20140129_l3.csv.gz, {place}" in str(error.value)
    assert remedy in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2", "line 1: '1,2': three fields"),
        ("x,1,2", "line 1, milliseconds: 'x': milliseconds since midnight UTC"),
        ("1,1300.3355,1301", "line 1, bid: '1300.3355': a whole multiple of the tick 0.001"),
        ("1,1300,abc", "line 1, ask: 'abc': a decimal price"),
    ],
)
def test_a_quote_of_xauusd_that_cannot_be_is_told(tmp_path: Path, text: str, message: str) -> None:
    """As for every reader: line, value, remedy."""
    write_xauusd(tmp_path, text)
    with pytest.raises(TapeError, match=message):
        list(xauusd_ticks(tmp_path).read(Counter()))


def test_a_missing_or_broken_file_is_told_before_anything_starts(tmp_path: Path) -> None:
    """No folder, no file, a file that is no gzip, an unknown name, a bad start: each has its own words."""
    absent = str(tmp_path / "absent")
    with pytest.raises(TapeError, match=r"directory: .*absent.*: the folder of the recorded sets"):
        load_tape("recorded", "if-cn-ticks", absent, 1, 1)
    with pytest.raises(TapeError, match=r"IF2101_20210104_l1\.csv\.gz: 'no such file'"):
        load_tape("recorded", "if-cn-ticks", str(tmp_path), 1, 1)
    path = tmp_path / "cffex_if_ticks/IF2101_20210104_l1.csv.gz"
    path.parent.mkdir()
    path.write_text("plain", encoding="utf-8")
    with pytest.raises(TapeError, match=r"Not a gzipped file.*: a whole, readable file"):
        load_tape("recorded", "if-cn-ticks", str(tmp_path), 1, 1)
    with pytest.raises(TapeError, match="name: 'if-cn': one of if-cn-20140129"):
        load_tape("recorded", "if-cn", str(tmp_path), 1, 1)
    write_if(tmp_path, [if_row("09:30:00", "5230.0", 1, "5230.0", "5230.2")])
    write_cn(tmp_path, [])
    with pytest.raises(TapeError, match="name: 'noon': a time of day"):
        load_tape("recorded", "if-cn-ticks@noon", str(tmp_path), 1, 1)


def test_two_sources_are_merged_by_time_of_day_and_each_keeps_its_trading_date(tmp_path: Path) -> None:
    """From 09:30 both streams run on one clock; the label says that the dates differ."""
    rows = [if_row(f"09:30:0{i}.400", "5230.0", 0, "5230.0", "5230.2") for i in (0, 1)]
    write_if(tmp_path, rows)
    write_cn(tmp_path, [cn_row("09:29:00", 6740, 6760), cn_row("09:30:01", 6740, 6755)])
    tape = load_tape("recorded", "if-cn-ticks@09:30:00", str(tmp_path), 1, 5)
    second = 10**9
    quote = (((26150, 1),), ((26151, 2),))
    expected = [
        TapeStatus(0, "CFFEX", "IF2101", "17"),
        TapeStatus(0, "SGX", "CN", "17"),
        cn_ladder(0, 6740, 6760),
        TapeBook(400_000_000, "CFFEX", "IF2101", *quote),
        cn_ladder(second, 6740, 6755),
        TapeBook(second + 400_000_000, "CFFEX", "IF2101", *quote),
    ]
    assert list(tape.events()) == expected
    assert list(tape.events()) == expected
    assert [one.trading_date for one in tape.instruments] == ["20210104", "20140129"]
    assert "DATES DIFFER" in tape.label


def test_the_rate_of_a_day_is_that_of_the_day_before(tmp_path: Path) -> None:
    """No look-ahead: the same day's fixing is not known yet; after a weekend it is Friday's."""
    rows = ["2020-12-31,1.2271,8.0225,6.537772", "2021-01-04,1.2296,7.9484,6.464216"]
    write_gz(tmp_path / "fx/ECB_EURUSD_EURCNY_USDCNY_daily.csv.gz", ["Date,USD,CNY,USDCNY", *rows])
    assert usdcny_fixing(str(tmp_path), "20210104") == (Decimal("6.537772"), "2020-12-31")
    assert usdcny_fixing(str(tmp_path), "2021-01-09") == (Decimal("6.464216"), "2021-01-04")
    with pytest.raises(TapeError, match="a date after the first fixing of the file"):
        usdcny_fixing(str(tmp_path), "20201231")


# What follows reads the recorded sets themselves.


def opening(tape: RecordedTape) -> dict[str, TapeBook]:
    """The books at the start of a tape, by symbol."""
    return {event.symbol: event for event in tape.events() if isinstance(event, TapeBook) and event.at_ns == 0}


def recorded(folder: Path, name: str, seconds: int) -> RecordedTape:
    """A recorded pair of the real sets."""
    tape = load_tape("recorded", name, str(folder), 7, seconds)
    assert isinstance(tape, RecordedTape)
    return tape


def test_hand_checked_rows_of_if_and_cn(recorded_sets: Path) -> None:
    """At 09:31 IF stands as its file's line 122 says; line 123 follows 400 ms later with a trade of 8 at 5229.6."""
    tape = recorded(recorded_sets, "if-cn-ticks", 1)
    book = opening(tape)["IF2101"]
    assert (book.bids, book.asks) == (((26143, 4),), ((26149, 10),))
    events = [event for event in tape.events() if event.symbol == "IF2101" and event.at_ns]
    assert events[:2] == [
        TapeTrade(400_000_000, "CFFEX", "IF2101", 26148, 8, "1"),
        TapeBook(400_000_000, "CFFEX", "IF2101", ((26144, 3),), ((26148, 1),)),
    ]


def test_hand_checked_rows_of_cn_that_share_a_stamp(recorded_sets: Path) -> None:
    """Lines 44 and 45 of the file, both at 09:00:05.2346916, come in the file's order."""
    tape = recorded(recorded_sets, "if-cn-ticks@09:00:05", 1)
    same = [event for event in tape.events() if isinstance(event, TapeBook) and event.at_ns == 234_691_600]
    bids = ((1348, 3), (1347, 28), (1346, 48))
    assert [(book.bids, book.asks) for book in same] == [
        (bids, ((1352, 3), (1354, 25), (1355, 20))),
        (bids, ((1352, 3), (1354, 23), (1355, 22))),
    ]


def test_hand_checked_quote_of_xauusd(recorded_sets: Path) -> None:
    """At 09:31 Beijing XAUUSD stands at the last quote before 5 460 000 ms UTC; the next comes 5 175.1608 ms later."""
    tape = recorded(recorded_sets, "if-xauusd", 6)
    assert opening(tape)["XAUUSD"].bids == ((1306300, 100),)
    first = next(event for event in tape.events() if event.symbol == "XAUUSD" and event.at_ns)
    assert first == TapeBook(5_175_160_800, "OANDA", "XAUUSD", ((1306341, 100),), ((1306645, 100),))


def test_no_row_of_the_recorded_sets_is_lost(recorded_sets: Path) -> None:
    """Every row of the files is in a class: 25 309 of CN, 27 955 of IF, 186 204 of XAUUSD, 270 bars."""
    names = ("if-cn-ticks", "if-cn-20140129", "if-xauusd")
    ticks, bars, gold = (recorded(recorded_sets, name, 1).census() for name in names)
    assert ticks["CN"] == {
        "continuous": 25_270,
        "pre-open": 36,
        "closing": 3,
        "lone": 1,
        "locked": 3,
        "unchanged": 6_000,
    }
    assert ticks["IF2101"] == {"auction": 1, "traded": 20_977, "quiet": 6_975, "settlement": 2}
    assert bars["IF0000"] == {"bars": 270}
    assert gold["XAUUSD"] == {"quotes": 186_204}


@pytest.mark.parametrize("name", list(TAPES["recorded"]))
def test_a_whole_recorded_day_is_in_order_of_time_and_crossed_only_in_auction(recorded_sets: Path, name: str) -> None:
    """From midnight to the end: times never go back, and a book that trades continuously is not crossed."""
    status: dict[str, str] = {}
    before_ns = 0
    for event in recorded(recorded_sets, f"{name}@00:00:00", 86_400).events():
        assert event.at_ns >= before_ns
        before_ns = event.at_ns
        if isinstance(event, TapeStatus):
            status[event.symbol] = event.status
        elif isinstance(event, TapeBook):
            assert all(better[0] > worse[0] for better, worse in pairwise(event.bids))
            assert all(better[0] < worse[0] for better, worse in pairwise(event.asks))
            assert event.bids[0][0] < event.asks[0][0] or status[event.symbol] == "21"


@pytest.mark.parametrize("name", list(TAPES["recorded"]))
def test_both_sides_trade_from_the_start_and_move_within_a_minute(recorded_sets: Path, name: str) -> None:
    """At the documented start both books stand, ready to trade, and each changes at least 20 times in a minute."""
    events = list(recorded(recorded_sets, name, 60).events())
    statuses = [event.status for event in events if isinstance(event, TapeStatus)]
    books = Counter(event.symbol for event in events if isinstance(event, TapeBook))
    assert statuses == ["17", "17"]
    assert len(books) == 2
    assert min(books.values()) >= 20


def test_the_fixing_known_on_the_recorded_days(recorded_sets: Path) -> None:
    """2014-01-29 knows the rate of the 28th; 2021-01-04, after New Year's, that of 2020-12-31."""
    assert usdcny_fixing(str(recorded_sets), "20140129") == (Decimal("6.050919"), "2014-01-28")
    assert usdcny_fixing(str(recorded_sets), "20210104") == (Decimal("6.537772"), "2020-12-31")
