"""`cmc deliver accept | verify | keygen` from the command line: exit codes and what is said."""

import json
from pathlib import Path

import pytest
from virtual_run import make_run

from gateway.processes.cli import main


def run(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a minute: too short to prove anything."""
    return make_run(tmp_path_factory.mktemp("runs") / "short", seconds=60)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an approver's key and the file that knows the approver; English is spoken."""
    monkeypatch.setenv("CMC_LANGUAGE", "en")
    monkeypatch.setenv("CMC_BUILD", "build-7")
    assert run("deliver", "keygen", tmp_path / "key.pem", "--name", "Li Wei", "--without-password") == 0
    said = capsys.readouterr().out
    assert "it stays with Li Wei" in said
    (tmp_path / "plan.toml").write_text(said[said.index("[[approver]]") :], encoding="utf-8")
    return tmp_path


def accept(desk: Path, short_run: Path, *more: object) -> int:
    words = [
        "--approver",
        "Li Wei",
        "--key",
        desk / "key.pem",
        "--approvers",
        desk / "plan.toml",
        "--out",
        desk / "out",
    ]
    return run("deliver", "accept", short_run, *words, *more)


def test_a_run_too_short_is_not_accepted_and_its_report_verifies(
    desk: Path, short_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and every criterion told; the report itself is whole, exit code 0."""
    assert accept(desk, short_run, "--stage", "canary") == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "journal: pass"
    assert said[-1] == f"not enough: {desk / 'out' / 'acceptance.html'}"
    assert any(line.startswith("pair-completion: not enough (") and line.endswith(" of 183)") for line in said)
    assert run("deliver", "verify", desk / "out", "--approvers", desk / "plan.toml") == 0
    assert capsys.readouterr().out.startswith("whole: signed by Li Wei on ")
    assert run("deliver", "verify", desk / "out", "--approvers", desk / "plan.toml", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["build"], content["verdict"], content["approver"]["name"]) == ("build-7", "not enough", "Li Wei")


def test_what_passes_exits_with_0(desk: Path, short_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With criteria that ask for what a minute can show."""
    criteria = desk / "few.toml"
    row = 'id = "journal"\nen = "It reads."\nzh = "可读。"\nmeasure = "journal_faults"\nkind = "none"\n'
    criteria.write_text(f'[[criterion]]\n{row}stage = "shadow"\nevidence = "journal"\n', encoding="utf-8")
    assert accept(desk, short_run, "--criteria", criteria, "--json") == 0
    assert json.loads(capsys.readouterr().out)["criteria"] == [{"id": "journal", "verdict": "pass", "why": ""}]


def test_open_points_are_written_down(desk: Path, short_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One a line; a comment is none."""
    points = desk / "points.txt"
    points.write_text("# ours\nvenue B's second line comes in December\n\n", encoding="utf-8")
    accept(desk, short_run, "--open-points", points)
    capsys.readouterr()
    run("deliver", "verify", desk / "out", "--approvers", desk / "plan.toml", "--json")
    assert json.loads(capsys.readouterr().out)["open_points"][0]["en"] == "venue B's second line comes in December"


def test_what_is_refused_exits_with_1(desk: Path, short_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown approver, a key that is none, a changed report; nothing is written for the first two."""
    words = ["--key", desk / "key.pem", "--approvers", desk / "plan.toml", "--out", desk / "out"]
    assert run("deliver", "accept", short_run, "--approver", "Wang Fang", *words) == 1
    assert "refused: approver 'Wang Fang' is not known; known: Li Wei" in capsys.readouterr().err
    words[1] = desk / "absent.pem"
    assert run("deliver", "accept", short_run, "--approver", "Li Wei", *words) == 1
    assert "no key that can be read" in capsys.readouterr().err
    assert not (desk / "out").exists()
    accept(desk, short_run)
    page = desk / "out" / "acceptance.html"
    page.write_text(page.read_text(encoding="utf-8").replace("Acceptance report", "Report"), encoding="utf-8")
    assert run("deliver", "verify", page, "--approvers", desk / "plan.toml") == 1
    assert "refused:" in capsys.readouterr().err


def test_a_wrong_call_exits_with_2(desk: Path, short_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No run, criteria that are none, a stage that is none, a load test that is none: told with the file."""
    assert accept(desk, desk / "absent") == 2
    assert "no such directory" in capsys.readouterr().err
    for words, says in (
        (("--criteria", desk / "absent.toml"), "no file of criteria"),
        (("--stage", "pilot"), "one of shadow, canary, limited, full"),
        (("--loadtest", desk / "plan.toml"), "no load-test file"),
        (("--open-points", desk / "absent.txt"), "no text file that can be read"),
        (("--font", desk / "absent.ttf"), "no such font file"),
    ):
        assert accept(desk, short_run, *words) == 2
        assert says in capsys.readouterr().err


def test_the_command_speaks_chinese(
    desk: Path, short_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the environment's word."""
    monkeypatch.setenv("CMC_LANGUAGE", "zh")
    accept(desk, short_run)
    assert "样本不足" in capsys.readouterr().out
    run("deliver", "verify", desk / "out", "--approvers", desk / "plan.toml")
    assert "由 Li Wei 于" in capsys.readouterr().out
