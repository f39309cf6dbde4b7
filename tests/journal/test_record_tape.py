"""A record replays as a tape: read back by the simulators' own reader, which shares no code with the writer."""

from decimal import Decimal
from pathlib import Path

import pytest
from record_values import ASKS, BIDS, CA, CU, missed, observed, quote, segment

from gateway.journal.record_files import RepairMarks
from gateway.journal.to_tape import main
from gateway.model.quote import BookState, Quote
from gateway.model.record import Observed
from simulators.core.tape import Tape, TapeBook, TapeEvent, TapeInstrument, TapeStatus, TapeTrade
from simulators.tapes import load_tape

MS = 1_000_000


def tape_of(run_dir: Path) -> Tape:
    assert main([str(run_dir), str(run_dir / "tape")]) == 0
    return load_tape("csv", str(run_dir / "tape"), "", 1, 3600)


def events(run_dir: Path, *quotes: Quote) -> list[TapeEvent]:
    segment(run_dir, observed(quotes))
    return list(tape_of(run_dir).events())


def book(ms: int, bids: object = BIDS, asks: object = ASKS) -> TapeBook:
    return TapeBook(ms * MS, "SHFE", "cu2609", bids, asks)  # type: ignore[arg-type]


def status(ms: int, code: str) -> TapeStatus:
    return TapeStatus(ms * MS, "SHFE", "cu2609", code)


def test_books_trades_and_statuses_come_back(tmp_path: Path) -> None:
    """Each quote is a book at its arrival; a trade that is new stands before the book that follows from it."""
    moved = ((7823, 5), (7822, 12)), ((7824, 21),)
    found = events(
        tmp_path,
        quote(0, last=(7822, 1)),
        quote(2, bids=moved[0], asks=moved[1], last=(7823, 9)),
        quote(3, bids=moved[0], asks=moved[1], last=(7823, 9)),
        quote(4, last=(7823, 2)),
    )
    assert found == [
        status(0, "17"),
        book(0),
        TapeTrade(2 * MS, "SHFE", "cu2609", 7823, 9, "1"),
        book(2, *moved),
        book(3, *moved),
        TapeTrade(4 * MS, "SHFE", "cu2609", 7823, 2, "2"),
        book(4),
    ]


@pytest.mark.parametrize("state", [BookState.GAP, BookState.BAD, BookState.DOWN, BookState.EMPTY])
def test_what_was_not_known_is_never_told_as_if_it_had_been_live(tmp_path: Path, state: BookState) -> None:
    """Nothing can trade between the last book that was known and the first after it; no trade is told for in between."""
    found = events(
        tmp_path, quote(0, last=(7822, 1)), quote(5, state, last=(7822, 1)), quote(9, asks=(), last=(7700, 4))
    )
    assert found == [status(0, "17"), book(0), status(5, "2"), status(9, "17"), book(9, BIDS, ())]
    assert "1 stretches unknown, told as halts" in tape_of(tmp_path).label


def test_what_the_recorder_missed_is_not_known_either(tmp_path: Path) -> None:
    """Nobody saw the books between the last that was recorded and the next."""
    marks = RepairMarks()
    first = observed([quote(0)], marks)
    marks.missed(CU)
    (second,) = observed([quote(7)], marks)
    segment(
        tmp_path, [*first, Observed(second.at_ns, second.incarnation, 4, second.what, second.repaired), missed(2, 3)]
    )
    assert list(tape_of(tmp_path).events()) == [status(0, "17"), book(0), status(0, "2"), status(7, "17"), book(7)]


def test_a_recorder_that_died_leaves_a_stretch_that_is_not_known(tmp_path: Path) -> None:
    """The first quote of the next incarnation ends it."""
    segment(tmp_path, observed([quote(0)]), 1, 1)
    segment(tmp_path, observed([quote(8), quote(9)]), 1, 2)
    found = list(tape_of(tmp_path).events())
    assert found == [status(0, "17"), book(0), status(0, "2"), status(8, "17"), book(8), book(9)]


def test_books_of_an_auction_and_crossed_ones_stand_behind_a_status(tmp_path: Path) -> None:
    """The venue's own where it was told, else an auction; the tape's reader takes no crossed book otherwise."""
    crossed = ((7825, 1),), ((7823, 9),)
    found = events(
        tmp_path,
        quote(0, BookState.SHUT, *crossed, detail="SecurityTradingStatus(326)=21"),
        quote(1),
        quote(2, BookState.CROSSED, *crossed, detail="bid 7825 ask 7823 ticks"),
        quote(3),
        quote(4, BookState.SHUT, detail="SecurityTradingStatus(326)=18"),
    )
    assert found == [
        status(0, "21"), book(0, *crossed), status(1, "17"), book(1), status(2, "21"), book(2, *crossed),
        status(3, "17"), book(3), status(4, "18"), book(4),
    ]  # fmt: skip
    assert "1 crossed books, told behind an auction" in tape_of(tmp_path).label


def test_a_status_that_brought_no_book_counts_from_its_publication(tmp_path: Path) -> None:
    """Its quote keeps the receive time of the book, which has been told by then."""
    first = quote(0)
    later = quote(20, BookState.SHUT, detail="SecurityTradingStatus(326)=2")
    halt = Quote(
        CU, BookState.SHUT, BIDS, ASKS, first.recv_ns, first.venue_ns, later.pub_ns, 9, detail=later.detail
    )  # fmt: skip
    found = events(tmp_path, first, halt)
    assert found[2:] == [
        TapeStatus(20 * MS + 40_000, "SHFE", "cu2609", "2"),
        TapeBook(20_040_000, "SHFE", "cu2609", BIDS, ASKS),
    ]


def test_instruments_are_those_of_the_run_s_site_file(tmp_path: Path) -> None:
    """Symbol, tick and currency; the day is that of the record's begin; an instrument without a tick is named."""
    other = quote(2, name="LME.GONE")
    segment(tmp_path, observed([quote(0), quote(1, name=CA, bids=((19_501, 2),), asks=()), other]))
    tape = tape_of(tmp_path)
    assert tape.instruments == (
        TapeInstrument("LME", "CA3M", Decimal("0.50"), "USD", "20260615"),
        TapeInstrument("SHFE", "cu2609", Decimal(10), "CNY", "20260615"),
    )
    assert "1 without a tick in site.toml: LME.GONE" in tape.label
    assert "from 2026-06-15T01:00:00Z" in tape.label


def test_the_tape_is_the_same_from_logs_and_from_parquet(tmp_path: Path) -> None:
    """Which of its forms a segment has is of no consequence."""
    pytest.importorskip("pyarrow", reason="pyarrow, the optional part `record`, is not installed: no Parquet to test")
    from gateway.journal.to_parquet import convert_run

    segment(tmp_path, observed([quote(0), quote(1, BookState.GAP), quote(2, last=(7822, 1))]))
    before = list(tape_of(tmp_path).events())
    assert convert_run(tmp_path) == 0
    assert list(tape_of(tmp_path).events()) == before


def test_a_run_without_a_record_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what should be given."""
    assert main([str(tmp_path), str(tmp_path / "tape")]) == 2
    assert "no recorded quote of an instrument of its site.toml" in capsys.readouterr().err
