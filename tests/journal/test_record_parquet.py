"""Closed segments as Parquet: every quote there and back, nothing lost by a kill, readable without our code."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from record_values import AHEAD_NS, ASKS, BIDS, CA, CU, MONO_NS, clock_pair, missed, observed, quote, segment

from gateway.journal import parquet, record_log
from gateway.journal.parquet import FACTS, convert, facts_of, recorded_quotes
from gateway.journal.quote_columns import LEAST_DEPTH, RecordedQuote, SegmentClock, columns, quote_of, row
from gateway.journal.reader import RECORDER, journal_path, read_run
from gateway.journal.record_commands import record_command
from gateway.journal.record_files import SegmentFiles, files_of, segments_of
from gateway.journal.record_log import logged_quotes, summarise_log
from gateway.journal.to_parquet import convert_run
from gateway.journal.writer import JournalWriter
from gateway.model.quote import BookState
from gateway.model.record import ClockPair, JournalOpened, Missed, Observed
from gateway.model.trade import PairPrice

ROOT = Path(__file__).resolve().parents[2]
TICKS = {CU: Decimal(10), CA: Decimal("0.50")}
pyarrow_parquet = pytest.importorskip(
    "pyarrow.parquet", reason="pyarrow, the optional part `record`, is not installed: no Parquet to test"
)


def records() -> list[Any]:
    """Each kind of quote, a gap of the book, one of the bus, a pair's price."""
    quotes = [
        quote(0, BookState.EMPTY, detail="no snapshot yet"),
        quote(1, last=(7822, 3)),
        quote(2, name=CA, bids=((19_500, 1),), asks=()),
        quote(3, BookState.GAP, detail="RptSeq(83) 9 came, 4 was due"),
        quote(4, bids=tuple((7800 - at, at + 1) for at in range(7))),
        quote(5, BookState.SHUT, detail="SecurityTradingStatus(326)=21"),
    ]
    found: list[Any] = observed(quotes)
    price = Observed(MONO_NS, 1, 1, PairPrice("CU-CA", MONO_NS, None, None, 0, 0, None, None, "no quote"))
    return [*found[:3], price, *found[3:], missed(4, 4), clock_pair(9)]


@pytest.fixture
def files(tmp_path: Path) -> SegmentFiles:
    """A closed segment with all of them."""
    return files_of(segment(tmp_path, records()))


def logged(files: SegmentFiles) -> list[RecordedQuote]:
    return list(logged_quotes(files.log, summarise_log(files.log)))


def test_every_quote_comes_back_as_it_was(files: SegmentFiles) -> None:
    """All fields, seven levels on one side, no levels on another, marks and what was missed."""
    before = logged(files)
    assert convert(files, TICKS)
    after = list(recorded_quotes(files))
    assert after == before
    assert [one.observed.repaired for one in after] == [False, True, True, False, True, False]
    assert [one.missed_before for one in after] == [0, 0, 0, 0, 1, 0]


def test_the_file_is_readable_without_our_code(files: SegmentFiles) -> None:
    """Flat columns, prices as ticks with an exact tick beside them, the clock's host and boot, zstd."""
    convert(files, TICKS)
    file = pyarrow_parquet.ParquetFile(files.parquet)
    rows = file.read().to_pylist()
    row = rows[1]
    assert (row["instrument_id"], row["state"], row["tick"]) == (CU, "ok", Decimal(10))
    assert row["bid_px_ticks_1"] * row["tick"] == Decimal(78_220)
    levels = [(row[f"bid_px_ticks_{at}"], row[f"bid_qty_lots_{at}"]) for at in (1, 2, 3)]
    assert levels == [*BIDS, (None, None)]
    assert (row["ask_px_ticks_1"], row["ask_qty_lots_1"]) == ASKS[0]
    assert (row["recv_ns"], row["calibrated_ns"], row["bound_ns"]) == (MONO_NS + 10**6, MONO_NS + 100_000, 250_000)
    assert row["recv_ns"] + row["utc_minus_monotonic_ns"] == row["venue_ns"]
    assert (row["clock_host"], row["clock_boot_id"]) == ("host-1", "boot-1")
    assert (row["last_px_ticks"], row["last_qty_lots"], rows[2]["last_px_ticks"]) == (7822, 3, None)
    assert rows[2]["tick"] == Decimal("0.5")
    chunks = file.metadata.row_group(0)
    assert {chunks.column(at).compression for at in range(chunks.num_columns)} == {"ZSTD"}
    facts = json.loads(file.schema_arrow.metadata[FACTS])
    assert facts["ticks"] == {CU: "10", CA: "0.50"}
    assert facts["clock_pairs"] == [[MONO_NS + 9 * 10**6, MONO_NS + 9 * 10**6 + AHEAD_NS]]


def test_an_instrument_without_a_tick_has_none(files: SegmentFiles) -> None:
    """Null, and its ticks stay."""
    convert(files, {})
    rows = pyarrow_parquet.read_table(files.parquet).to_pylist()
    assert {row["tick"] for row in rows} == {None}
    assert rows[1]["bid_px_ticks_1"] == 7822


def test_what_is_no_quote_stays_in_the_log(files: SegmentFiles) -> None:
    """The report reads pair prices and what was missed as before, and the quotes are kept once."""
    convert(files, TICKS)
    kept = list(read_run(files.log.parents[1], RECORDER))
    assert [type(one) for one in kept] == [JournalOpened, Observed, Missed, ClockPair]
    assert logged(files) == []
    assert files.log.stat().st_mode & 0o777 == 0o600


def test_a_second_conversion_does_nothing(files: SegmentFiles) -> None:
    """Neither to a converted segment nor to one without quotes."""
    assert convert(files, TICKS)
    content = files.parquet.read_bytes()
    assert not convert(files, TICKS)
    assert files.parquet.read_bytes() == content
    without = files_of(segment(files.log.parents[1], [clock_pair(0)], 2))
    assert not convert(without, TICKS)
    assert not without.parquet.exists()


def test_a_segment_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    """The recorder's own lock says so."""
    path = segment(tmp_path, records())
    first = JournalOpened("recorder", 1, "h", "b", 0, 0, "", "")
    writer = JournalWriter(path, first, fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0)
    assert not convert(files_of(path), TICKS)
    writer.close()
    assert convert(files_of(path), TICKS)


@pytest.mark.parametrize("step", ["_write", "keep_the_rest"])
def test_a_conversion_that_breaks_off_loses_and_doubles_nothing(
    files: SegmentFiles, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the file is written, or between the file and the log: the quotes are there once, and the next one ends it."""
    before = logged(files)

    def broken(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(parquet, step, broken)
        with pytest.raises(OSError, match="no space left"):
            convert(files, TICKS)
    assert list(recorded_quotes(files)) == before
    assert not files.is_converted
    assert [one.name for one in files.log.parents[1].rglob("*.part")] == []
    assert convert(files, TICKS)
    assert list(recorded_quotes(files)) == before
    assert logged(files) == []


def test_a_file_with_too_few_rows_does_not_replace_the_log(
    files: SegmentFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are counted before a quote leaves the log."""
    one_less = record_log.logged_quotes(files.log, summarise_log(files.log))
    next(one_less)
    monkeypatch.setattr(parquet, "logged_quotes", lambda *_: one_less)
    with pytest.raises(parquet.NotConvertedError, match=r"6 quotes, but 5 rows in .*; the log is kept"):
        convert(files, TICKS)
    assert not files.parquet.exists()


def test_a_torn_segment_is_converted_up_to_its_tear(files: SegmentFiles) -> None:
    """What a kill left of one record is told in the facts."""
    before = logged(files)
    with files.log.open("ab") as stream:
        stream.write(b"\x40\x00\x00\x00half of a rec")
    assert convert(files, TICKS)
    assert list(recorded_quotes(files)) == before
    assert facts_of(files).torn_bytes == 17


def test_a_damaged_segment_is_told_and_the_others_are_converted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """File, byte and what is wrong; the damaged log stays as it is."""
    damaged, good = segment(tmp_path, records(), 1), segment(tmp_path, records(), 2)
    content = bytearray(damaged.read_bytes())
    content[200] ^= 1
    damaged.write_bytes(content)
    assert convert_run(tmp_path) == 1
    assert f"{damaged}: not converted: {damaged}: byte " in capfd.readouterr().err
    assert damaged.read_bytes() == content
    assert [files_of(one).is_converted for one in (damaged, good)] == [False, True]


def test_the_command_lists_segments_with_their_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A converted and an open segment: quotes, repairs, gaps, what was missed, bytes of each quote."""
    first, second = files_of(segment(tmp_path, records(), 1)), files_of(segment(tmp_path, records(), 2))
    convert(first, TICKS)
    assert record_command(tmp_path, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["form"]) for one in told["segments"]] == [
        ("0000000001-000001", "parquet"), ("0000000001-000002", "log"),
    ]  # fmt: skip
    sizes = [first.parquet.stat().st_size, second.log.stat().st_size]
    assert [one["bytes"] for one in told["segments"]] == sizes
    for one in told["segments"]:
        assert (one["quotes"], one["repaired"], one["gaps"], one["missed"]) == (6, 3, 1, 1)
        assert one["states"] == {"empty": 1, "gap": 1, "ok": 3, "shut": 1}
    assert told["bytes_per_quote"] == round(sum(sizes) / 12, 1)
    assert record_command(tmp_path, as_json=False) == 0
    assert "0000000001-000002" in capsys.readouterr().out


def test_a_directory_without_a_record_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what should be there."""
    assert record_command(tmp_path, as_json=True) == 2
    assert "holds no journal/recorder.*.journal; give the directory of a run" in capsys.readouterr().err


def test_a_log_of_an_older_form_is_converted_too(tmp_path: Path) -> None:
    """One file for an incarnation, and quotes without a mark."""
    path = segment(tmp_path, records())
    path.rename(journal_path(tmp_path, RECORDER, 1))
    assert convert_run(tmp_path) == 0
    assert [one.parquet.name for one in segments_of(tmp_path)] == ["quotes.0000000001.parquet"]


def python(source: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *(("-c", source) if source else ()), *arguments], cwd=ROOT, capture_output=True, text=True,
        timeout=60, env={**os.environ, **environment}, check=False,
    )  # fmt: skip


def test_no_process_that_trades_or_records_loads_pyarrow() -> None:
    """It is imported by the conversion alone, in a process of its own."""
    names = ("feed", "trigger", "execution", "watch", "recorder", "supervisor", "cli")
    lines = "".join(f"import gateway.processes.{name}\n" for name in names)
    done = python(f"import sys\n{lines}print([one for one in sys.modules if one.startswith('pyarrow')])")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_without_pyarrow_the_logs_stay_and_it_is_said(tmp_path: Path) -> None:
    """The conversion ends with 2, names what to install and touches nothing."""
    path = segment(tmp_path, records())
    content = path.read_bytes()
    blocked = tmp_path / "blocked" / "pyarrow"
    blocked.mkdir(parents=True)
    (blocked / "__init__.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    done = python("", "-m", "gateway.journal.to_parquet", str(tmp_path), PYTHONPATH=f"{blocked.parent}:{ROOT}")
    assert done.returncode == 2
    assert "the record stays as logs: pyarrow is not installed" in done.stderr
    assert "pip install 'cross-market-connect[record]'" in done.stderr
    assert path.read_bytes() == content


def test_a_quote_that_came_too_late_stays_marked_in_the_columns() -> None:
    """There and back; a row of an earlier version, without the column, is none."""
    late = RecordedQuote(
        Observed(5, 1, 2, quote(0), repaired=True, filled=True), quote(0), 0, SegmentClock("h", "b", 9)
    )
    values = dict(zip(columns(LEAST_DEPTH), row(late, None, LEAST_DEPTH), strict=True))
    assert values["filled"] is True
    assert quote_of(values, LEAST_DEPTH) == late
    del values["filled"]
    assert quote_of(values, LEAST_DEPTH).observed.filled is False
