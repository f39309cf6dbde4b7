"""The bar-derived stream: whatever the seed, its trades add up to the bars it was made of."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.core.tape import TapeBook, TapeTrade
from simulators.tapes import TapeError
from simulators.tapes.parameters import load_fitted
from simulators.tapes.recorded.cffex_bars import SPREAD_TICKS, STEPS, Bar, if_bars, last_prices, read_bars, volumes
from simulators.tapes.recorded.window import MINUTE_NS

HEADER = '"Date","Time","Open","High","Low","Close","TotalVolume"\n'
FITTED = load_fitted()


def write_bars(folder: Path, *rows: str) -> Path:
    """The IF bar set with these rows."""
    path = folder / "cffex_if_bars/IF0000_1min_20140129.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    """A bar of up to 200 ticks between low and high."""
    low = draw(st.integers(1_000, 20_000))
    high = low + draw(st.integers(0, 200))
    opening, closing = draw(st.integers(low, high)), draw(st.integers(low, high))
    return Bar(10 * MINUTE_NS, opening, high, low, closing, draw(st.integers(0, 9_000)))


@settings(max_examples=200, deadline=None)
@given(bar=bars(), seed=st.integers(0, 2**32))
def test_the_path_gives_back_open_high_low_and_close(bar: Bar, seed: int) -> None:
    """First, highest, lowest and last step are the bar's, whatever the seed."""
    path = last_prices(bar, Random(seed))  # noqa: S311 - seeded on purpose
    assert (len(path), path[0], max(path), min(path), path[-1]) == (STEPS, bar.open, bar.high, bar.low, bar.close)


@settings(max_examples=200, deadline=None)
@given(bar=bars(), seed=st.integers(0, 2**32))
def test_the_shares_add_up_to_the_volume(bar: Bar, seed: int) -> None:
    """No lot is lost or made, and with four lots and more the four prices of the bar are all traded."""
    random = Random(seed)  # noqa: S311 - seeded on purpose
    path = last_prices(bar, random)
    lots = volumes(bar, path, random)
    assert sum(lots) == bar.volume
    assert min(lots) >= 0
    if bar.volume >= 4:
        traded = [px for px, qty in zip(path, lots, strict=True) if qty]
        assert (traded[0], max(traded), min(traded), traded[-1]) == (bar.open, bar.high, bar.low, bar.close)


def test_books_stand_around_the_last_price_with_the_assumed_spread(tmp_path: Path) -> None:
    """A trade by a buyer is at the ask of the book after it, by a seller at the bid; spread and levels as stated."""
    write_bars(tmp_path, "2014/1/29,09:16:00,2238.0,2238.8,2236.4,2237.6,4777")
    events = list(if_bars(tmp_path, FITTED, 3).read(Counter()))
    trade = None
    for event in events:
        if isinstance(event, TapeTrade):
            trade = event
        elif isinstance(event, TapeBook):
            assert event.asks[0][0] - event.bids[0][0] == SPREAD_TICKS
            assert len(event.bids) == len(event.asks) == 5
            if trade and trade.at_ns == event.at_ns:
                assert trade.px_ticks == (event.asks if trade.aggressor == "1" else event.bids)[0][0]


def test_the_same_seed_gives_the_same_stream_and_another_seed_another(tmp_path: Path) -> None:
    """Determinism by seed; the label's note names it and says that quotes are derived and assumed."""
    write_bars(tmp_path, "2014/1/29,09:16:00,2238.0,2238.8,2236.4,2237.6,4777")
    first, again, other = (list(if_bars(tmp_path, FITTED, seed).read(Counter())) for seed in (3, 3, 4))
    assert first == again
    assert first != other
    note = if_bars(tmp_path, FITTED, 3).note
    assert "BAR-DERIVED" in note
    assert "seed 3" in note
    assert "spread 2 ticks" in note


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2014/1/30,09:16:00,1,1,1,1,1", "line 2, Date: '2014/1/30': 2014/1/29"),
        ("2014/1/29,09:16,1,1,1,1,1", "line 2, Time: '09:16': a time of day"),
        ("2014/1/29,09:16:00,1.1,1,1,1,1", r"line 2, Open: '1\.1': a whole multiple of the tick 0\.2"),
        ("2014/1/29,09:16:00,1,1,1,2,1", "line 2: .*: Low <= Open, Close <= High"),
        ("2014/1/29,09:16:00,1,1,1,1,-1", "line 2, TotalVolume: '-1': a whole number, 0 or more"),
    ],
)
def test_a_line_that_is_no_bar_is_told(tmp_path: Path, row: str, message: str) -> None:
    """File, line, field, value and remedy."""
    path = write_bars(tmp_path, row)
    with pytest.raises(TapeError, match=message):
        list(read_bars(path))


def test_the_stream_of_the_recorded_day_gives_back_its_bars(recorded_sets: Path) -> None:
    """All 270 minutes: open, high, low, close and volume of the trades are those of the file."""
    trades: dict[int, list[TapeTrade]] = {}
    for event in if_bars(recorded_sets, FITTED, 7).read(Counter()):
        if isinstance(event, TapeTrade):
            trades.setdefault(event.at_ns // MINUTE_NS, []).append(event)
    rebuilt = [
        Bar(
            (minute + 1) * MINUTE_NS,
            each[0].px_ticks,
            max(trade.px_ticks for trade in each),
            min(trade.px_ticks for trade in each),
            each[-1].px_ticks,
            sum(trade.qty_lots for trade in each),
        )
        for minute, each in trades.items()
    ]
    assert rebuilt == list(read_bars(recorded_sets / "cffex_if_bars/IF0000_1min_20140129.csv"))
    assert len(rebuilt) == 270
