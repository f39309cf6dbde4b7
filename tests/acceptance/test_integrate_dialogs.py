"""Certification dialogs: the files, and one whole play against two simulated venues with trades end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.integrate_dialog import DIALOGS, VERBS, DialogFileError, load_dialogs
from acceptance.integrate_paper import evidence, paper
from acceptance.integrate_play import Came, Played, Result, Table, verdict

ROOT = Path(__file__).parents[2]
STEP = '[[step]]\ndo = "connect"\nen = "a"\nzh = "b"\n'
HEAD = 'name = "x"\nsession = "orders"\nen = "a"\nzh = "b"\n'


def test_every_verb_is_played_by_a_dialog_and_by_the_table() -> None:
    """What a dialog may ask for exists, and the shipped dialogs use all of it."""
    used = {step.do for one in load_dialogs(DIALOGS) for step in one.steps}
    assert used == set(VERBS)
    assert [verb for verb in VERBS if not hasattr(Table, f"_do_{verb}")] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "no [[step]]"),
        (HEAD.replace('"orders"', '"both"') + STEP, "session = 'both': md or orders"),
        (HEAD + STEP.replace("connect", "dance"), "do = 'dance': one of connect"),
        (HEAD + STEP + 'tif = "NOW"\n', "tif = 'NOW'"),
        (HEAD + STEP.replace('zh = "b"', ""), "zh is missing"),
        (HEAD + STEP + "speed = 1\n", "speed: no such key"),
        ("[", "no dialog that can be read"),
    ],
)
def test_a_dialog_with_a_mistake_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """Each mistake names the file and what would be right."""
    (tmp_path / "one.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DialogFileError) as caught:
        load_dialogs(tmp_path)
    assert words in str(caught.value)


def test_nothing_played_is_no_pass() -> None:
    """Without a step, or with steps that were not run, the verdict is not a pass; a failed step fails."""
    (step, *_) = load_dialogs(DIALOGS)[0].steps
    table = Played("X")
    assert verdict([table]) == "not measured"
    for came, said in ((Came.PASS, "pass"), (Came.NOT_RUN, "not measured"), (Came.FAIL, "fail")):
        table.results.append(Result("X", "d", step, came, "", 0, []))
        assert verdict([table]) == said


def test_passwords_are_in_no_document() -> None:
    """Password(554), NewPassword(925) and RawData(96) are hidden in page and evidence."""
    (step, *_) = load_dialogs(DIALOGS)[0].steps
    raw = "8=FIX.4.4\x0135=A\x01554=hunter2\x0196=hunter3\x01925=hunter4\x0110=1\x01"
    table = Played("X", [Result("X", "d", step, Came.PASS, raw.replace("\x01", "|"), 1, [(0, ">", raw)])])
    text = json.dumps(evidence([table])) + json.dumps(paper([table], None, "x", 0).plain())
    assert "hunter" not in text
    assert "554=***" in text


def test_all_dialogs_pass_at_both_venues_and_trades_reconcile(tmp_path: Path) -> None:
    """`cmc deliver integrate --simulators`: every step passes or says why it is skipped; a pair trade end to end."""
    words = ["deliver", "integrate", "--simulators", "--trades", "1", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "gateway.processes.cli", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads((tmp_path / "integrate.json").read_text(encoding="utf-8"))
    came = {one["came"] for one in content["steps"]}
    assert (content["verdict"], came) == ("pass", {"pass", "skipped"})
    skipped = {one["actual"] for one in content["steps"] if one["came"] == "skipped"}
    assert all("has no" in one or "was skipped" in one for one in skipped)
    assert {one["venue"] for one in content["steps"]} == {"SHFE", "LME"}
    assert all(one["log"] for one in content["steps"] if one["do"] != "connect" and one["came"] == "pass")
    page = (tmp_path / "integrate.html").read_text(encoding="utf-8")
    assert "联调报告" in page
    assert "https://" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize("words", [[], ["site.toml", "--simulators"]])
def test_a_site_or_simulators_is_asked_for(words: list[str]) -> None:
    """Neither, or both, is a wrong call."""
    from gateway.processes import cli

    assert cli.main(["deliver", "integrate", *words]) == 2
