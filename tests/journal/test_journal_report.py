"""Summary, report and commands of whole run directories."""

import json
import re
from pathlib import Path

import pytest
from fake_run import FakeRun, opened, plausible

from gateway.journal.commands import reconcile_command, report_command, trades_command
from gateway.journal.prices import observe, thin
from gateway.journal.reader import journal_path
from gateway.journal.report import write_report
from gateway.journal.summary import summarise
from gateway.journal.units import duration, money
from gateway.journal.words import LANGUAGES, _words
from gateway.journal.writer import JournalWriter
from gateway.model.record import Missed, Observed
from gateway.model.trade import PairPrice

MUST_HOLD = {
    "seed", "tape", "pair_trades", "orders", "quote_to_order_ns", "leg_skew_ns", "order_success", "pair_completion",
    "first_shot", "refusals", "alarms", "hops", "quotes_in_step_ns_p99", "reconciled_with_venues", "differences",
    "verdict", "machine", "files",
}  # fmt: skip


def test_summary_file_is_what_summarise_gives(tmp_path: Path) -> None:
    """summary.json holds every promised key and the same figures as the value returned."""
    run_dir = plausible(30).write(tmp_path)
    summary = summarise(run_dir, seed=3, tape="synthetic-cu", machine={"cores": 2})
    assert json.loads((run_dir / "summary.json").read_text()) == json.loads(json.dumps(summary))
    assert summary.keys() >= MUST_HOLD
    assert (summary["seed"], summary["tape"], summary["machine"]) == (3, "synthetic-cu", {"cores": 2})
    assert summary["reconciled_with_venues"] is True
    assert summary["quotes_in_step_ns_p99"] == "not measured"
    assert {"journal/execution.0000000001.journal", "site.toml"} <= {row["file"] for row in summary["files"]}


def test_later_summary_keeps_what_only_the_caller_knew(tmp_path: Path) -> None:
    """Seed, tape and machine of a former summary stay when they are not given again."""
    run_dir = plausible(8).write(tmp_path)
    first = summarise(run_dir, seed=3, tape="t", tape_label="label", machine={"cores": 2})
    assert summarise(run_dir) == first | {"files": summarise(run_dir)["files"]}


def test_report_holds_every_trade_and_both_languages(tmp_path: Path) -> None:
    """Each pair trade has its line, mark and timeline; the page has both languages and loads nothing."""
    run = plausible(40)
    run_dir = run.write(tmp_path)
    summarise(run_dir, seed=3, tape="t", tape_label="Synthetic copper <b>")
    page = write_report(run_dir).read_text()
    trades = re.findall(r'<details id="(P1-\d+)"', page)
    opened_trades = summarise(run_dir)["pair_trades"]["opened"]
    assert len(set(trades)) == len(trades) == opened_trades
    for trade_id in trades:
        assert f"<title>{trade_id}: " in page
    assert page.count('<path class="mark') == opened_trades
    assert "Synthetic copper &lt;b&gt;" in page
    assert "运行报告" in page
    assert "Run report" in page
    assert not re.search(r"(src|href)=|@import|url\(|https?://(?!www\.w3\.org)", page)
    assert len(page.encode()) < 400_000


def test_report_of_200_trades_stays_below_a_megabyte(tmp_path: Path) -> None:
    """Size stays bounded, and beyond the limit lines have no timeline but are there."""
    run = FakeRun(2)
    for _ in range(230):
        run.trade("hedged")
    page = write_report(run.write(tmp_path)).read_text()
    assert len(page.encode()) < 1_000_000
    assert len(re.findall(r'<details id="P1-', page)) == 200
    assert len(re.findall(r'<div class="row" id="P1-', page)) == 30


def test_run_without_recorder_site_or_truth_gives_an_honest_report(tmp_path: Path) -> None:
    """What is missing is said in words."""
    run_dir = plausible(10).write(tmp_path, recorder=False, site=False)
    for path in run_dir.glob("truth/*/*"):
        path.unlink()
    page = write_report(run_dir).read_text()
    assert "The recorder left no prices" in page
    assert "left no truth/SHFE/orders.jsonl" in page
    assert "The run does not say what its market data is." in page
    assert "pair currency" in page


def test_run_without_any_trade_gives_an_honest_report(tmp_path: Path) -> None:
    """No trade, no price: a page that says so, and a verdict of not enough trades."""
    JournalWriter(
        journal_path(tmp_path, "execution", 1), opened(), fdatasync_interval_ns=10**9, sync_before_send=False,
        min_free_bytes=0,
    ).close()  # fmt: skip
    summary = summarise(tmp_path)
    page = write_report(tmp_path).read_text()
    assert "No pair trade was opened." in page
    assert "Nothing to draw" in page
    assert summary["verdict"]["order_success"] == "not enough trades (0 of 183)"
    assert summary["verdict"]["overall"].startswith("not enough trades")


def test_torn_tail_is_in_summary_and_report(tmp_path: Path) -> None:
    """What was cut off is told, never silently."""
    run_dir = plausible(8).write(tmp_path)
    path = journal_path(run_dir, "execution", 1)
    path.write_bytes(path.read_bytes() + b"\x30\0\0")
    summary = summarise(run_dir)
    assert [(torn["torn_bytes"], torn["name"]) for torn in summary["torn_tails"]] == [(3, str(path))]
    assert "3 of 8 bytes of a record" in write_report(run_dir).read_text()


def test_reconcile_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 and figures when equal, 1 and each difference when not, 2 and a remedy for a wrong call."""
    run = plausible(10)
    run_dir = run.write(tmp_path / "a")
    assert reconcile_command(run_dir, as_json=False) == 0
    assert capsys.readouterr().out.startswith("equal: ")
    run.fills[0]["last_px"] = "1"
    run.write(tmp_path / "b")
    assert reconcile_command(tmp_path / "b", as_json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [one["field"] for one in answer["differences"]] == ["LastPx(31) of P1-000001"]
    assert reconcile_command(tmp_path / "b", as_json=False) == 1
    assert "NOT equal" in capsys.readouterr().out
    assert reconcile_command(tmp_path, as_json=True) == 2
    assert "give the directory of a run" in capsys.readouterr().err


def test_reconcile_command_without_truth_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run against real venues has no truth to compare with: told, exit code 2."""
    run_dir = plausible(8).write(tmp_path)
    for path in run_dir.glob("truth/*/*"):
        path.unlink()
    assert reconcile_command(run_dir, as_json=False) == 2
    assert "holds no truth/<VENUE>/orders.jsonl" in capsys.readouterr().err


def test_corrupt_journal_is_a_wrong_call_with_file_and_offset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Damage in the middle ends a command with 2, file and byte."""
    run_dir = plausible(8).write(tmp_path)
    path = journal_path(run_dir, "execution", 1)
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(data)
    assert report_command(run_dir) == 2
    assert f"{path}: byte " in capsys.readouterr().err


def test_report_command_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """summary.json and report.html are written and the page is named."""
    run_dir = plausible(8).write(tmp_path)
    assert report_command(run_dir) == 0
    assert str(run_dir / "report.html") in capsys.readouterr().out
    assert (run_dir / "summary.json").exists()


def test_trades_command_lists_every_trade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON with outcome and timeline in order of time; as a table with its id."""
    run = FakeRun(4)
    for kind in ("hedged", "late", "halted"):
        run.trade(kind)
    run_dir = run.write(tmp_path)
    assert trades_command(run_dir, as_json=True) == 0
    trades = json.loads(capsys.readouterr().out)
    assert [(trade["trade_id"], trade["outcome"], trade["legged"]) for trade in trades] == [
        ("P1-00001", "hedged", False),
        ("P1-00002", "hedged", False),
        ("P1-00003", "halted", True),
    ]
    times = [moment["at_ns"] for moment in trades[0]["timeline"]]
    assert times == sorted(times)
    assert (times[0], trades[0]["timeline"][0]["what"]) == (0, "quote received")
    assert [moment["what"] for moment in trades[0]["timeline"]].count("filled") == 2
    assert trades_command(run_dir, as_json=False) == 0
    assert "halted" in capsys.readouterr().out
    assert trades_command(tmp_path / "x", as_json=False) == 2


def test_line_is_broken_where_there_was_no_price() -> None:
    """A price that could not be had ends a stretch; the next one begins another."""
    prices = [(1, 10), (2, None), (3, 30), (4, 40)]
    records = [Observed(at, 1, at, PairPrice("P", at, px, None, 1, 1, None, None, "ok")) for at, px in prices]
    line = observe([*records, Missed(5, "P.P", 1, 7, 9)])
    assert line.lines["P"].buy == [[(1, 10)], [(3, 30), (4, 40)]]
    assert line.lines["P"].sell == []
    assert line.missed == 3


def test_thinning_keeps_extremes() -> None:
    """A thinned line keeps its lowest, highest, first and last point, in order of time."""
    points = [(at, (at * 7919) % 1000) for at in range(20_000)]
    points[12_345] = (12_345, 5000)
    points[777] = (777, -5000)
    kept = thin(points, 200)
    assert len(kept) <= 400
    assert kept == sorted(kept)
    assert {points[0], points[-1], (12_345, 5000), (777, -5000)} <= set(kept)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"), (999, "999 ns"), (1500, "1.50 µs"), (12_345, "12.3 µs"), (3_210_000, "3.21 ms"),
        (456_000_000, "456 ms"),
        (2_500_000_000, "2.50 s"), (125_000_000_000, "2 min 05 s"), (None, "–"),  # noqa: RUF001
    ],
)  # fmt: skip
def test_durations_read_in_their_unit(ns: int | None, text: str) -> None:
    """A span of time is told in the unit that suits it."""
    assert duration(ns) == text


def test_money_is_exact() -> None:
    """Amounts keep every digit and group thousands; a minus is a minus sign."""
    values = [0, 1, -1_500_000_000, 1_234_567_000_000_000, 100_000_000_000]
    assert [money(value) for value in values] == ["0", "0.000000001", "−1.5", "1,234,567", "100"]  # noqa: RUF001


def test_every_word_is_in_both_languages() -> None:
    """No entry of report_words.toml lacks a language."""
    assert [key for key, words in _words().items() if set(words) != set(LANGUAGES)] == []


def test_every_word_that_the_template_uses_exists() -> None:
    """The template names no key that report_words.toml does not have."""
    template = (Path(__file__).parents[2] / "gateway/journal/report.html.j2").read_text()
    used = set(re.findall(r't\("([a-z_0-9]+)"\)', template))
    assert used - _words().keys() == set()
