"""The two programs: the summary of a tape, and the fit of the synthetic parameters."""

from decimal import Decimal
from pathlib import Path

import pytest

from simulators.core.tape import TapeBook
from simulators.tapes import TapeError, fit, load_tape, write_csv_tape
from simulators.tapes.__main__ import main
from simulators.tapes.parameters import FITTED, load_fitted
from simulators.tapes.summary import digest, instrument_figures


def test_the_summary_prints_label_rates_basis_and_digest(capsys: pytest.CaptureFixture[str]) -> None:
    """One line per instrument, the basis with its opportunities, and the digest that `digest` gives."""
    assert main(["cu", "--seed", "3", "--seconds", "30"]) == 0
    printed = capsys.readouterr().out
    tape = load_tape("synthetic", "cu", "", 3, 30)
    assert printed.startswith(tape.label)
    assert f"sha256 {digest(tape.events())}" in printed
    for words in ("SHFE cu2609", "LME CA3M", "LME USDCNH", "half-life", "crossing both spreads costs", "edge from"):
        assert words in printed


def test_the_summary_of_a_csv_folder_has_the_digest_of_its_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written and read again, a tape keeps its digest."""
    tape = load_tape("synthetic", "cu", "", 3, 5)
    write_csv_tape(tape, tmp_path / "t")
    assert main([str(tmp_path / "t")]) == 0
    assert f"sha256 {digest(tape.events())}" in capsys.readouterr().out


def test_the_summary_of_a_recorded_pair_counts_the_classes_of_rows(
    recorded_sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The odd rows are told, not hidden."""
    assert main(["if-cn-ticks", "--dir", str(recorded_sets), "--seconds", "5"]) == 0
    printed = capsys.readouterr().out
    assert "CN: closing 3, continuous 25270, locked 3, lone 1, pre-open 36, unchanged 6000" in printed
    assert "DATES DIFFER" in printed


def test_an_unknown_name_ends_with_2_and_names_the_tapes(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong call is told on the error stream."""
    assert main(["zinc"]) == 2
    assert capsys.readouterr().err.startswith("name: 'zinc': one of cu, au, if-cn-20140129, if-cn-ticks, if-xauusd")


def test_the_figures_of_an_instrument_count_what_the_tape_holds() -> None:
    """Books and trades add up to the events."""
    tape = load_tape("synthetic", "cu", "", 3, 30)
    figures = instrument_figures(tape)
    assert sum(one.books + one.trades + one.statuses for one in figures) == len(list(tape.events()))
    assert [(one.symbol, one.statuses) for one in figures] == [("cu2609", 1), ("CA3M", 1), ("USDCNH", 1)]


def test_spread_and_depth_are_medians_over_books_with_two_sides(tmp_path: Path) -> None:
    """Spreads 1, 2, 4 have the median 2; a one-sided book does not count; best lots are of both sides."""
    rows = ["0,V,S,book,9:1,10:3 11:1,,,,", "1,V,S,book,9:5,11:5,,,,", "2,V,S,book,8:5,12:5,,,,", "3,V,S,book,8:9,,,,,"]
    header = "time,venue,symbol,type,bids,asks,price,qty,aggressor,status\n"
    (tmp_path / "events.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    columns = "venue,symbol,tick,currency,trading_date,high_limit,low_limit,prev_settlement\n"
    (tmp_path / "instruments.csv").write_text(columns + "V,S,1,USD,20260615,,,\n", encoding="utf-8")
    (figures,) = instrument_figures(load_tape("csv", "", str(tmp_path), 0, 1))
    assert figures == ("V", "S", 4, 0, 0, 4, Decimal(2), Decimal(5), Decimal(5))


def test_bursts_are_stretches_of_seconds_above_twice_the_mean() -> None:
    """Of 1 1 1 9 9 1 1 1 the mean is 3, so 9 9 is the only burst: 2 s at 9 a second, calm 3 s at 1."""
    assert fit.find_bursts([1, 1, 1, 9, 9, 1, 1, 1]) == fit.Bursts(1, 9, 3, 2)


def test_volatility_is_the_root_mean_square_change_per_root_second() -> None:
    """A mid that moves by 10 bp every ten seconds has 10 / sqrt(10) bp per root second."""
    mids = [10_000, 10_010, 10_000, 10_010, 10_000]
    books = [TapeBook(i * 10 * 10**9, "V", "S", ((mid - 1, 1),), ((mid + 1, 1),)) for i, mid in enumerate(mids)]
    assert fit.volatility_bp([*books, books[-1]._replace(at_ns=50 * 10**9)]) == pytest.approx(10 / 10**0.5, rel=0.01)


def test_sizes_are_told_per_mille_of_their_median() -> None:
    """Of 1 .. 101 the median is 51: the tables begin at the 1 % and end at the 99 % quantile."""
    table = fit.size_permille(list(range(1, 102)))
    assert (len(table), table[0], table[8], table[-1]) == (17, round(2000 / 51), 1000, round(100_000 / 51))


def test_the_committed_parameters_are_those_of_the_recorded_sets(
    recorded_sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fitting again gives `fitted.toml` byte for byte, and prints it."""
    assert fit.main([str(recorded_sets)]) == 0
    assert capsys.readouterr().out.endswith(FITTED.read_text(encoding="utf-8"))


def test_the_fit_ends_with_2_where_there_is_nothing_to_fit_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The missing file is named."""
    assert fit.main([str(tmp_path)]) == 2
    assert "SGX_CN_20140129_l3.csv.gz: 'no such file'" in capsys.readouterr().err.replace("\\\\", "\\")


def test_parameters_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """A missing figure names the file and how to make it again."""
    path = tmp_path / "fitted.toml"
    path.write_text('sources = ["x"]\n', encoding="utf-8")
    with pytest.raises(TapeError, match=r"fitted.toml: \"'arrivals'\": run `python -m simulators.tapes.fit"):
        load_fitted(path)
