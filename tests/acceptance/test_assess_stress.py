"""Assessment of a site file with and without market data, and a short stress of a gateway on simulators."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway.processes import cli
from gateway.processes.deliver_assess import _delays

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "sites" / "demo.toml"


def cmc(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.processes.cli", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip


def test_an_assessment_asks_for_what_the_site_lacks(tmp_path: Path) -> None:
    """Without margins, fees, calendars and approvers each is a question; without data the curve is open, not guessed."""
    done = cmc("deliver", "assess", str(DEMO), "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "assess.json").read_text(encoding="utf-8"))
    titles = {one["title"]["en"]: one for one in content["sections"]}
    asked = {row[1]["en"] for row in titles["Questions"]["rows"]}
    assert "What is the margin of a lot, from which date?" in asked
    assert "Who approves a stage and the acceptance, with which key?" in asked
    assert "Which calendar has SHFE.cu2609, LME.CA3M, LME.USDCNH?" in asked
    assert ["5 : 1", "+0.00 %", "the site's"] in [[cell["en"] for cell in row] for row in titles["Pair CU-CA"]["rows"]]
    curve = titles["Opportunities at the site's thresholds, and what delay costs"]
    assert "no market data was given" in curve["texts"][0]["en"]
    rules = {(row[0]["en"], row[1]["en"]): row[3]["en"] for row in titles["Limits against rules"]["rows"]}
    assert rules["RTS 6 Art. 5 (2)", "a named person authorises"] == "missing"
    assert rules["RTS 6 Art. 15 (1) a", "price collar for each order"] == "met"
    assert rules["RTS 6 Art. 15 (1) a", "price collar over a period of time"] == "missing"
    assert "评估报告" in (tmp_path / "assess.html").read_text(encoding="utf-8")


def test_delay_costs_opportunities(tmp_path: Path) -> None:
    """With a tape: each delay is played, and a third of a second catches no more than none."""
    window = ("--from", "2026-06-15 09:00", "--to", "2026-06-15 09:02")
    done = cmc(
        "deliver",
        "assess",
        str(DEMO),
        "--tape",
        "synthetic",
        *window,
        "--delays-us",
        "300,300300",
        "--out",
        str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "assess.json").read_text(encoding="utf-8"))
    (curve,) = [one["curve"] for one in content["sections"] if "curve" in one]
    (at_once, caught), (later, caught_later) = curve["points"]
    assert (at_once, later) == (0.0, 300.0)
    assert caught >= caught_later
    assert caught > 0


@pytest.mark.parametrize("text", ["fast", "0", "300,", "-5"])
def test_senseless_delays_are_refused(text: str) -> None:
    """Each delay is a whole number of microseconds above 0."""
    with pytest.raises(cli.WrongCallError, match="whole numbers above 0"):
        _delays(text)


def test_a_site_file_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    """The file is named."""
    assert cli.main(["deliver", "assess", str(tmp_path / "none.toml")]) == 2


def test_a_short_stress_leaves_results_that_acceptance_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One scenario of some seconds on simulators: the probe's orders are answered, from due times, none failed."""
    monkeypatch.setenv("CMC_BUILD", "build-7")
    done = cmc("deliver", "stress", "--only", "step", "--seconds", "6", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    probe = json.loads((tmp_path / "probe-step.json").read_text(encoding="utf-8"))
    load = json.loads((tmp_path / "load-step.json").read_text(encoding="utf-8"))
    assert (probe["kind"], probe["failures"]) == ("loadtest", 0)
    assert probe["requests"] == probe["answered"] > 30
    assert load["requests"] > 50
    assert probe["gateway"] == load["gateway"]
    assert probe["gateway"]["build"] == "build-7"
    assert "压力测试报告" in (tmp_path / "stress.html").read_text(encoding="utf-8")


def test_a_step_that_is_told_to_stop_leaves_no_process(tmp_path: Path) -> None:
    """SIGTERM in the middle of a stress: venues, gateway and load are ended before the command is."""
    words = ["deliver", "stress", "--only", "soak", "--seconds", "60", "--out", str(tmp_path)]
    step = subprocess.Popen([sys.executable, "-m", "gateway.processes.cli", *words], cwd=ROOT)
    until = time.monotonic() + 60
    while not _running(tmp_path, "loadtest.probe") and time.monotonic() < until and step.poll() is None:
        time.sleep(0.1)
    step.send_signal(signal.SIGTERM)
    assert step.wait(80) == 128 + signal.SIGTERM
    assert _running(tmp_path, "") == []


def _running(folder: Path, program: str) -> list[str]:
    """Command lines that name this folder and this program."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    return [one for one in lines if str(folder) in one and program in one]


def test_lot_ratios_count_in_one_unit(tmp_path: Path) -> None:
    """Grams against troy ounces: three lots of 1 000 g leave 3.55 % of one of 100 oz open, and 28 : 9 next to nothing."""
    content = assessed(ROOT / "deploy" / "sites" / "gold.toml", tmp_path)
    rows = [[cell["en"] for cell in row] for row in content["Pair AU-GC"]["rows"]]
    assert rows[0] == ["3 : 1", "-3.55 %", "the site's"]
    assert rows[-1] == ["28 : 9", "+0.02 %", ""]


def test_the_count_of_cancels_is_that_of_domestic_contracts(tmp_path: Path) -> None:
    """400 a day of the SHFE contract is below 500; what COMEX allows is no matter of the SHFE's. At 500 it is too many."""
    gold = ROOT / "deploy" / "sites" / "gold.toml"
    at_500 = tmp_path / "gold.toml"
    at_500.write_text(
        gold.read_text(encoding="utf-8").replace("cancels_per_day = 400", "cancels_per_day = 500"), "utf-8"
    )
    found = [
        {row[1]["en"]: row[3]["en"] for row in assessed(site, tmp_path)["Limits against rules"]["rows"]}
        for site in (gold, at_500)
    ]
    asks = "cancels of a contract and day below 500"
    assert [one[asks] for one in found] == ["met", "missing"]
    assert found[0]["report from 20000 orders and cancels a day"] == "met"


def test_limits_beyond_the_margin_are_a_question(tmp_path: Path) -> None:
    """What the position limits tie up is held against what may be used, by venue and currency."""
    text = (ROOT / "deploy" / "sites" / "gold.toml").read_text(encoding="utf-8")
    beyond = tmp_path / "gold.toml"
    beyond.write_text(text.replace('margin_per_lot = "22000"', 'margin_per_lot = "9000000"'), encoding="utf-8")
    asked = [
        [row[1]["en"] for row in assessed(site, tmp_path)["Questions"]["rows"] if "tie up" in row[1]["en"]]
        for site in (ROOT / "deploy" / "sites" / "gold.toml", beyond)
    ]
    assert asked[0] == []
    assert len(asked[1]) == 1
    assert asked[1][0].endswith(" USD, more than the 500,000.00 that may be used: which is meant?")


def test_a_site_is_played_on_the_data_of_other_months(tmp_path: Path) -> None:
    """Market data are older than a site: its contracts are played as the tape's, everything else is the site's own."""
    gold = ROOT / "deploy" / "sites" / "gold.toml"
    ids = sorted(row["id"] for row in tomllib.loads(gold.read_text(encoding="utf-8"))["instrument"])
    month = {one.partition(".")[0]: one for one in ids if "USD" not in one}
    words = ["--as", f"{month['SHFE']}=SHFE.au2612", "--as", f"{month['COMEX']}=COMEX.GCZ6"]
    window = ["--from", "2026-06-15 09:00", "--to", "2026-06-15 09:02", "--delays-us", "300"]
    done = cmc("deliver", "assess", str(gold), "--tape", "synthetic", *words, *window, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "assess.json").read_text(encoding="utf-8"))
    (played,) = [one for one in content["sections"] if "curve" in one]
    assert int(played["rows"][0][1]["en"]) > 0
    assert f"{month['SHFE']} is played on the market data of SHFE.au2612" in [one["en"] for one in played["texts"]]
    assert content["sections"][1]["rows"][0][0]["en"] == month["SHFE"]


@pytest.mark.parametrize("word", ["SHFE.au2612", "SHFE.none=SHFE.au2612", "SHFE.cu2609=LME.x", "SHFE.cu2609=LME.CA3M"])
def test_a_contract_is_played_as_another_of_its_venue(word: str, tmp_path: Path) -> None:
    """Anything else is a wrong call."""
    assert cli.main(["deliver", "assess", str(DEMO), "--as", word, "--out", str(tmp_path)]) == 2


def assessed(site: Path, tmp_path: Path) -> dict[str, Any]:
    """Sections of an assessment by their titles."""
    assert cli.main(["deliver", "assess", str(site), "--out", str(tmp_path / "out")]) == 0
    content = json.loads((tmp_path / "out" / "assess.json").read_text(encoding="utf-8"))
    return {one["title"]["en"]: one for one in content["sections"]}
