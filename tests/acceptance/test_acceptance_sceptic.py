"""Ways to a pass that is not deserved, and to a report that verifies and lies: each is refused, seen or told."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from virtual_run import make_run

from acceptance import again, pages, signing
from acceptance.accept import Asked, RefusedError, accept, evaluate, verify
from acceptance.criteria import STANDARD, CriteriaError, Criterion, load_criteria
from acceptance.document import About, canonical, document, found_text, slipped
from acceptance.evidence import EvidenceError, RunEvidence, evidence_files, read_evidence, read_loadtest, read_runs
from acceptance.judge import Verdict, judge
from acceptance.load_file import Against, LoadTest
from acceptance.measured import Measured
from acceptance.run_points import SCENARIOS, differences, open_points_of
from acceptance.signing import Approver
from acceptance.statistics import percentile_interval, share_interval
from gateway.journal.fold import Life
from gateway.journal.frame import FrameEncoder
from gateway.journal.reader import EXECUTION, journal_path, read_journal
from gateway.model.record import ClockPair, JournalOpened
from gateway.processes import accept_runs
from gateway.processes.cli import main

ABOUT = About("0123abc", "0.1.0", {"python": "3.11"}, {"host": "test", "cores": 2})
S = 10**9
AT_NS = 1_780_000_000 * S


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of some 90 pair trades: half of what proves 98 %."""
    return make_run(tmp_path_factory.mktemp("runs") / "half", seconds=300)


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    """A copy of its own."""
    return Path(shutil.copytree(original, tmp_path / "half"))


class Desk:
    """An approver with a key."""

    def __init__(self, folder: Path) -> None:
        self.key = folder / "key.pem"
        self.approver = Approver("Li Wei", signing.make_key(self.key))
        self.folder = folder / "report"
        self.list = folder / "approvers.toml"
        self.list.write_text(
            f'[[approver]]\nname = "Li Wei"\npublic_key = "{self.approver.public_key}"\n', encoding="utf-8"
        )

    def asked(self, runs: list[RunEvidence], criteria: Path = STANDARD, stage: str = "canary") -> Asked:
        return Asked(runs, [], load_criteria(criteria), [criteria], stage, self.approver)

    def accept(self, runs: list[RunEvidence], criteria: Path = STANDARD) -> dict[str, Any]:
        made = accept(self.asked(runs, criteria), signing.read_key(self.key), ABOUT, self.folder, AT_NS)
        return dict(verify(made.path, [self.approver]))

    def sign_again(self, content: dict[str, Any]) -> None:
        """Another document in the same page, with a good signature: what a signer with a changed program could do."""
        page = (self.folder / "acceptance.html").read_text(encoding="utf-8")
        empty = page.replace(page.partition(pages.BEGIN)[2].partition(pages.END)[0], "")
        signature = signing.sign(signing.read_key(self.key), canonical(content))
        text = pages.with_signature(empty, content, signature)
        (self.folder / "acceptance.html").write_text(text, encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def verdicts(runs: list[RunEvidence], stage: str = "canary") -> dict[str, str]:
    return {one.criterion.id: one.verdict.value for one in evaluate(runs, [], load_criteria(), stage)}


def reopened(path: Path) -> None:
    """The journal with a first record that says another boot and another time."""
    first, *rest = read_journal(path)
    assert isinstance(first, JournalOpened)
    other = JournalOpened("execution", 7, "other", "boot-x", 99, first.utc_ns + 5, first.version, first.site_digest)
    encode = FrameEncoder(1 << 20).encode
    path.write_bytes(path.read_bytes()[:12] + b"".join(bytes(encode(one)) for one in (other, *rest)))


# The same thing twice.


def test_a_run_counts_once_under_whatever_name(run: Path, desk: Desk, tmp_path: Path) -> None:
    """Named twice, named by a link, copied, cut off, or copied with another first record: refused with both names."""
    link = tmp_path / "link"
    link.symlink_to(run)
    copied = Path(shutil.copytree(run, tmp_path / "copied"))
    disguised = Path(shutil.copytree(run, tmp_path / "disguised"))
    reopened(journal_path(disguised, EXECUTION, 1))
    cut = Path(shutil.copytree(run, tmp_path / "cut"))
    journal = journal_path(cut, EXECUTION, 1)
    journal.write_bytes(journal.read_bytes()[: journal.stat().st_size // 2])
    for other in (run, link, copied, disguised, cut):
        with pytest.raises(RefusedError, match="the same would be counted twice") as refused:
            desk.accept(read_runs([run, other]))
        assert f"{run} and {other} both hold " in str(refused.value)
    assert not desk.folder.exists()


def test_a_load_test_counts_once(run: Path, desk: Desk, tmp_path: Path) -> None:
    """A copy under another name is the same test."""
    paths = [tmp_path / name for name in ("one.json", "two.json")]
    for path in paths:
        path.write_text(load_text(), encoding="utf-8")
    asked = desk.asked([read_evidence(run)])
    tests = [read_loadtest(path) for path in paths]
    with pytest.raises(RefusedError, match=r"one\.json and .*two\.json are the same load test"):
        accept(Asked(asked.runs, tests, asked.criteria, asked.criteria_files, "full", asked.approver),
               signing.read_key(desk.key), ABOUT, desk.folder, AT_NS)  # fmt: skip


def test_runs_of_one_name_are_told_apart(run: Path, tmp_path: Path) -> None:
    """By as much of the path as it takes; so are the pages of their single trades."""
    site = run / "site.toml"
    text = site.read_text(encoding="utf-8").replace('slippage_budget = "5000"', 'slippage_budget = "100"')
    site.write_text(text, encoding="utf-8")
    places = [tmp_path / name / "half" for name in ("a", "b")]
    for place in places:
        shutil.copytree(run, place)
    runs = read_runs(places)
    assert [one.name for one in runs] == ["a/half", "b/half"]
    files = [one.file for one in slipped(runs)]
    assert len(files) > 2
    assert len(set(files)) == len(files)
    runs[1].name = "a_half"
    assert len({one.file for one in slipped(runs)}) == len(files)


# Another run's parts.


def test_a_budget_that_was_raised_after_the_run_is_a_fault(run: Path) -> None:
    """The site file beside the journal is not the one that the journal names: nothing is measured of the run."""
    assert accept_runs.read([run])[0].faults == []
    site = run / "site.toml"
    text = site.read_text(encoding="utf-8").replace('slippage_budget = "5000"', 'slippage_budget = "9000"')
    site.write_text(text, encoding="utf-8")
    (found,) = accept_runs.read([run])
    assert "the file, the environment or the program has changed since" in found.faults[0]
    assert "pass" not in verdicts([found]).values()


def test_a_budget_other_than_the_kept_one_is_a_fault(run: Path) -> None:
    """What execution decided by is kept beside the journal, and counts against the site file."""
    from gateway.processes.cores import settings
    from gateway.processes.kept_settings import keep_settings
    from gateway.processes.settings import load_site

    site = load_site(run / "site.toml", {})
    kept = settings(site)
    keep_settings(run, site.digest, 1, kept)
    assert accept_runs.read([run])[0].faults == []
    pairs = {name: replace(one, slippage_budget_e9=1) for name, one in kept.pairs.items()}
    shutil.rmtree(run / "settings")
    keep_settings(run, site.digest, 1, replace(kept, pairs=pairs))
    (found,) = accept_runs.read([run])
    name = next(iter(kept.pairs))
    assert found.faults == [
        f"half: site.toml says a slippage budget of 5000000000000 for pair {name}, but execution decided by 1"
    ]


@pytest.mark.parametrize("missing", ["profiles", "profiles/LME.toml", "profiles/SHFE.toml"])
def test_a_network_that_nobody_wrote_down_is_not_far(run: Path, missing: str) -> None:
    """Without the profile of a venue nobody knows whether the end-to-end bound applies: it does not pass by that."""
    gone = run / missing
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    (found,) = [one for one in evaluate([read_evidence(run)], [], load_criteria(), "canary")
                if one.criterion.id == "end-to-end"]  # fmt: skip
    assert found.verdict is Verdict.NOT_MEASURED
    assert found.why.startswith("not known how far these venues are, for want of profiles/VENUE.toml: half: ")


def test_the_truth_of_another_run_differs(run: Path, tmp_path: Path) -> None:
    """Also when venues' names are exchanged."""
    other = make_run(tmp_path / "other", seconds=60, seed=9)
    shutil.rmtree(run / "truth")
    shutil.copytree(other / "truth", run / "truth")
    assert verdicts([read_evidence(run)])["reconciliation"] == "fail"
    for here, there in (("SHFE", "X"), ("LME", "SHFE"), ("X", "LME")):
        (other / "truth" / here).rename(other / "truth" / there)
    assert verdicts([read_evidence(other)])["reconciliation"] == "fail"


@pytest.mark.parametrize("link", ["truth", "truth/LME", "truth/LME/orders.jsonl", "journal", "site.toml"])
def test_evidence_lies_in_the_runs_own_folder(run: Path, tmp_path: Path, link: str) -> None:
    """A link is a fault: what it leads to is digested nowhere, or lies where it is another thing tomorrow."""
    elsewhere = tmp_path / "elsewhere"
    (run / link).rename(elsewhere)
    (run / link).symlink_to(elsewhere)
    found = read_evidence(run)
    assert found.faults[0] == f"half: {link} is a link; evidence lies in the run's own folder"
    assert found.story.trades == {}


def test_every_file_that_figures_come_from_is_evidence(run: Path, desk: Desk) -> None:
    """The recorder's Parquet files, the kept settings and the records of a rollout, too; one that changes is told."""
    for name in ("record/quotes.parquet", "settings/execution.x.json", "rollout/1.json"):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_text("{}", encoding="utf-8")
    content = desk.accept([read_evidence(run)])
    paths = [one["path"] for one in content["evidence"]]
    assert "../half/record/quotes.parquet" in paths
    assert "../half/settings/execution.x.json" in paths
    assert "../half/rollout/1.json" in paths
    (run / "record" / "quotes.parquet").write_text("{ }", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"\.\./half/record/quotes\.parquet was changed"):
        verify(desk.folder, [desk.approver])


def test_a_run_that_goes_on_is_not_accepted(run: Path) -> None:
    """A file that changed between the reading and its digest; a file that came or went."""
    found = read_evidence(run)
    path = journal_path(run, EXECUTION, 1)
    os.utime(path, ns=(1, 1))
    with pytest.raises(EvidenceError, match=r"changed while it was read: .*is the run still going on"):
        evidence_files([found], [], [])
    found = read_evidence(run)
    (run / "truth" / "new.csv").write_text("", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"truth/new\.csv"):
        evidence_files([found], [], [])


# Criteria.


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "criteria.toml"
    path.write_text(text, encoding="utf-8")
    return path


MISFITS = """
measure             | kind       | evidence | says
order_acceptance    | none       | journal  | kind = 'none': order_acceptance is judged by share
pair_completion     | rate       | journal  | kind = 'rate': pair_completion is judged by share
legged_trades       | share      | journal  | kind = 'share': legged_trades is judged by rate
in_step_ns          | percentile | journal  | evidence = 'journal': in_step_ns is measured from truth
differences         | none       | journal  | evidence = 'journal': differences is measured from truth
nothing_ns          | percentile | journal  | measure = 'nothing_ns': one of capture, differences
"""


@pytest.mark.parametrize("row", MISFITS.strip("\n").splitlines()[1:])
def test_a_measure_is_judged_as_it_can_be(row: str, tmp_path: Path) -> None:
    """That nothing may be found would be true of any share, however bad it is: it holds no findings."""
    measure, kind, evidence, says = (cell.strip() for cell in row.split(" | "))
    text = (
        f'[[criterion]]\nid = "one"\nen = "E."\nzh = "Z。"\nmeasure = "{measure}"\nkind = "{kind}"\nbound = "BOUND"\n'
        f'percentile = 99.0\nconfidence = 0.95\nstage = "canary"\nevidence = "{evidence}"\n'
    )
    bound = "50 ms" if kind == "percentile" else "98 %"
    with pytest.raises(CriteriaError) as refused:
        load_criteria(written(tmp_path, text.replace("BOUND", bound)))
    assert f"criterion one: {says}" in str(refused.value)


@pytest.mark.parametrize("text", ["criterion = 3", 'criterion = ["x"]', 'criterion = "x"'])
def test_criteria_are_tables(text: str, tmp_path: Path) -> None:
    """Anything else is refused with what would be right."""
    with pytest.raises(CriteriaError, match=r"tables, each begun by \[\[criterion\]\]"):
        load_criteria(written(tmp_path, text + "\n"))


def test_a_bound_without_end_is_refused_at_once(tmp_path: Path) -> None:
    """A number of a million digits is none that anybody meant."""
    row = 'base = "standard"\n[[criterion]]\nid = "soak"\nbound = "{} h"\n'
    for number in ("1e999999", "1e-999999999", "9" * 30):
        with pytest.raises(CriteriaError, match="bound = "):
            load_criteria(written(tmp_path, row.format(number)))


WEAKER = """
base = "standard"
[[criterion]]
id = "pair-completion"
bound = "50 %"
[[criterion]]
id = "gateway-latency"
percentile = 50.0
confidence = 0.8
[[criterion]]
id = "in-step"
stage = "full"
[[criterion]]
id = "first-shot"
bound = "95 %"
"""


def test_what_the_criteria_ask_less_is_told_at_the_top(run: Path, desk: Desk, tmp_path: Path) -> None:
    """In the document, on the page before any figure, in the PDF, on the command line; what they ask more is no less."""
    path = written(tmp_path, WEAKER)
    content = desk.accept([read_evidence(run)], path)
    assert [(one["en"], one["less"]) for one in content["deviations"]] == [
        ("gateway-latency: percentile 50, the product's own 99", True),
        ("gateway-latency: confidence 0.8, the product's own 0.95", True),
        ("in-step: asked from stage full on only", True),
        ("pair-completion: bound 50 %, the product's own 98 %", True),
        ("first-shot: bound 95 %, the product's own 90 %", False),
    ]
    page = (desk.folder / "acceptance.html").read_text(encoding="utf-8")
    told_at = page.index("Not the product&#39;s own criteria")
    assert told_at < page.index('id="journal"')
    assert "pair-completion：bound 为 50 %，产品自带为 98 %" in page  # noqa: RUF001 - Chinese has its own colon
    assert content["not_asked"] == ["in-step", "recovery", "client-latency", "soak"]


def test_a_criterion_left_out_is_told(run: Path, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                      monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A file with one criterion of its own passes by that; the report and both commands say what it left out."""
    monkeypatch.setenv("CMC_LANGUAGE", "en")
    row = 'id = "journal"\nen = "It reads."\nzh = "可读。"\nmeasure = "journal_faults"\nkind = "none"\n'
    path = written(tmp_path, f'[[criterion]]\n{row}stage = "shadow"\nevidence = "journal"\n')
    words = ["--approvers", str(desk.list)]
    assert main(["deliver", "accept", str(run), "--criteria", str(path), "--approver", "Li Wei", "--key", str(desk.key),
                 "--out", str(desk.folder), *words]) == 0  # fmt: skip
    said = capsys.readouterr().out
    assert said.count("not the product's own criteria: ") == 16
    assert "not the product's own criteria: soak: left out" in said
    assert "not the product's own criteria: journal: said in other words, judged the same" in said
    assert main(["deliver", "verify", str(desk.folder), *words]) == 0
    said = capsys.readouterr().out
    assert "its criteria ask for less than the product's own: gateway-latency: left out, " in said


def test_every_file_of_criteria_stays_with_the_report(run: Path, desk: Desk, tmp_path: Path) -> None:
    """Also one that is only another's base: what it asks for is nowhere else."""
    (tmp_path / "base.toml").write_text('base = "standard"\n[[criterion]]\nid = "soak"\nbound = "1 h"\n', "utf-8")
    content = desk.accept([read_evidence(run)], written(tmp_path, 'base = "base.toml"\n'))
    assert {"criteria-1.toml", "criteria-2.toml"} <= set(content["files"])
    assert 'bound = "1 h"' in (desk.folder / "criteria-2.toml").read_text(encoding="utf-8")


# Load-test files.


def load_text(**changes: object) -> str:
    content: dict[str, object] = {
        "kind": "loadtest", "name": "ramp", "requests": 1000, "failures": 0, "latency_ns": {"p99": 4_000_000}
    } | changes  # fmt: skip
    return json.dumps(content)


LOAD_FILES: list[tuple[str, str]] = [
    (load_text(requests=0), "requests = 0: a whole number from 1"),
    (load_text(requests=True), "requests = True: a whole number"),
    (load_text(requests=1e3), "requests = 1000.0: a whole number"),
    (load_text(failures=-1), "failures = -1: a whole number from 0 to 1000"),
    (load_text(failures=1001), "failures = 1001: a whole number from 0 to 1000"),
    (load_text(latency_ns={"p99": float("nan")}), "latency_ns.p99 = nan"),
    (load_text(latency_ns={"p99": float("inf")}), "latency_ns.p99 = inf"),
    (load_text(latency_ns={"p99": -5}), "latency_ns.p99 = -5"),
    (load_text(latency_ns={"p99": 0}), "latency_ns.p99 = 0: a whole number from 1"),
    (load_text(latency_ns={"p99": 10**40}), "latency_ns.p99 = 1000"),
    (load_text(latency_ns=[4]), "latency_ns.p99 = None"),
    (load_text(name=""), "name = '': a text"),
    (load_text(name="x" * 201), "name = 'xxx"),
    (load_text(kind="LOADTEST"), "kind = 'LOADTEST'"),
    (load_text(gateway="here"), "gateway = 'here': host, build and config as texts"),
    (load_text(histogram="HISTF"), "histogram = 'HISTF': one that can be read"),
    ('{"kind": "loadtest", "failures": 9, "failures": 0}', "a key stands there twice"),
    ("[]", "list"),
    ("[" * 100_000, "no load-test file"),
]


@pytest.mark.parametrize("place", range(len(LOAD_FILES)))
def test_a_load_test_file_holds_what_a_test_can_have(place: int, tmp_path: Path) -> None:
    """Anything else is refused with file, key, value and what would be right."""
    text, says = LOAD_FILES[place]
    path = tmp_path / "load.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvidenceError) as refused:
        read_loadtest(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_figure_beside_a_histogram_is_the_histograms(tmp_path: Path) -> None:
    """A 99th percentile that was changed by hand, or requests that nobody answered, do not fit it."""
    from loadtest.due import Delays

    delays = Delays()
    for number in range(200):
        delays.sent(0)
        delays.answered(1_000_000 + number * 50_000)
    path = tmp_path / "load.json"
    result = delays.result("ramp", {})
    path.write_text(json.dumps(result), encoding="utf-8")
    assert read_loadtest(path).p99_ns == result["latency_ns"]["p99"]
    assert read_loadtest(path).checked
    for change, says in (
        ({"latency_ns": {"p99": 1_000_000}}, "latency_ns.p99 = 1000000: "),
        ({"requests": 250}, "requests = 250: 200 answers of its histogram and 0 failures"),
        ({"requests": 150}, "requests = 150: "),
    ):
        path.write_text(json.dumps(result | change), encoding="utf-8")
        with pytest.raises(EvidenceError, match=says):
            read_loadtest(path)


def test_ninety_nine_requests_have_no_99th_percentile(run: Path, tmp_path: Path) -> None:
    """They fail when they are too slow, and prove nothing when they are not."""
    path = tmp_path / "load.json"
    for requests, p99_ns, verdict in (
        (100, 5_000_000, "pass"),
        (99, 5_000_000, "not enough"),
        (99, 5_000_001, "fail"),
    ):
        path.write_text(load_text(requests=requests, latency_ns={"p99": p99_ns}), encoding="utf-8")
        judged = evaluate([read_evidence(run)], [read_loadtest(path)], load_criteria(), "limited")
        assert {one.criterion.id: one.verdict.value for one in judged}["client-latency"] == verdict


# A report that verifies and lies.


def test_an_honest_report_measures_the_same_again(run: Path, desk: Desk) -> None:
    """Everything that comes from evidence comes out again."""
    assert again.differences(desk.accept(accept_runs.read([run])), desk.folder, accept_runs.read) == []


def change_figure(content: dict[str, Any]) -> None:
    row = next(one for one in content["criteria"] if one["id"] == "pair-completion")
    row["verdict"], row["interval"] = "pass", "98.100 % .. 100.000 %"


def change_verdict(content: dict[str, Any]) -> None:
    content["verdict"] = "pass"


def change_limit(content: dict[str, Any]) -> None:
    content["limits"][0]["value"] = "1"


def hide_deviation(content: dict[str, Any]) -> None:
    content["deviations"] = []


def hide_open_points(content: dict[str, Any]) -> None:
    content["open_points"] = []


LIES = """
change           | says
change_figure    | criteria pair-completion: verdict: the report says pass, its evidence not enough
change_verdict   | verdict: the report says pass, its evidence not enough
change_limit     | limits limits.max_open_trades: value: the report says 1, its evidence 8
hide_deviation   | deviations: the report says [], its evidence
hide_open_points | open point left out: criterion pair-completion: not enough
"""


@pytest.mark.parametrize("row", LIES.strip("\n").splitlines()[1:])
def test_a_signed_lie_is_found_by_measuring_again(row: str, run: Path, desk: Desk, tmp_path: Path) -> None:
    """It verifies, for the signer signed it; its evidence says otherwise."""
    change, says = (cell.strip() for cell in row.split(" | "))
    lines = 'base = "standard"\n[[criterion]]\nid = "first-shot"\nbound = "80 %"\n'
    content = desk.accept([read_evidence(run)], written(tmp_path, lines))
    globals()[change](content)
    desk.sign_again(content)
    assert verify(desk.folder, [desk.approver]) == content
    found = again.differences(content, desk.folder, accept_runs.read)
    assert any(one.startswith(says) for one in found), found


def test_the_command_measures_again(run: Path, desk: Desk, capsys: pytest.CaptureFixture[str],
                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Exit code 0 for the honest report, 1 with each difference for the other."""
    monkeypatch.setenv("CMC_LANGUAGE", "en")
    content = desk.accept([read_evidence(run)])
    words = ["deliver", "verify", str(desk.folder), "--approvers", str(desk.list), "--again"]
    for build in ("", "release-9"):  # another program may measure again, too: what it is called is no figure
        monkeypatch.setenv("CMC_BUILD", build)
        assert main(words) == 0
        assert "measured again from its evidence: the same" in capsys.readouterr().out
    change_figure(content)
    desk.sign_again(content)
    assert main(words) == 1
    assert "signed, but not what its evidence says:\ncriteria pair-completion: " in capsys.readouterr().err


def test_names_are_no_markup(run: Path, desk: Desk) -> None:
    """A run's folder, an approver, an open point, a limit's key: what looks like markup is shown as text."""
    evil = '"><img src=x onerror=alert(1)></script><script>'
    desk.approver = Approver(evil, desk.approver.public_key)
    found = read_evidence(run)
    found.name = evil
    site = found.site_text + f'\n[[rule]]\nid = {json.dumps(evil)}\nunits = "{"<b>"}"\n'
    found.site_text = site
    found.networks = dict.fromkeys(found.networks, evil)
    desk.accept([found])
    page = (desk.folder / "acceptance.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert page.count("<script") == 2
    assert page.count("</script>") == 2


def test_limits_of_runs_that_differ_both_stand_there(run: Path, tmp_path: Path) -> None:
    """The last run's does not stand for all."""
    other = make_run(tmp_path / "other", seconds=30, seed=8)
    found = read_runs([run, other])
    found[1].site_text = found[1].site_text.replace("max_open_trades = 8", "max_open_trades = 80")
    rows = document(ABOUT, found, [], [], [], criteria=[], stage="canary", approver=Approver("", ""), at_utc_ns=0,
                    open_points=[])["limits"]  # fmt: skip
    assert [one["value"] for one in rows if one["key"] == "limits.max_open_trades"] == ["8 (half)", "80 (other)"]


def test_what_most_do_not_give_is_not_measured(run: Path, tmp_path: Path) -> None:
    """Two runs, one without its venues' clocks: half is told, more than half is no figure of the whole."""
    other = make_run(tmp_path / "other", seconds=600, seed=8)
    for path in (other / "truth").glob("*/clock.csv"):
        path.unlink()
    (alone,) = of([read_evidence(run)], "in-step")
    assert alone.measured.left_out == 0
    (both,) = of([read_evidence(run), read_evidence(other)], "in-step")
    assert both.verdict is Verdict.NOT_MEASURED
    assert both.measured.left_out > len(alone.measured.sample)


def of(runs: list[RunEvidence], name: str) -> list[Any]:
    criteria: list[Criterion] = load_criteria()
    return [one for one in evaluate(runs, [], criteria, "full") if one.criterion.id == name]


# Time, and what trades have in common.


def armed(run: Path, spans: list[tuple[int, int]], utc_ns: int = 0) -> RunEvidence:
    """The run, armed in these seconds of a boot that began at this time of UTC."""
    found = read_evidence(run)
    opened = found.story.opened[0]
    found.story.opened = [replace(opened, boot_id="b", monotonic_ns=0, utc_ns=utc_ns * S)]
    found.story.lives = [Life("b", 0, armed_spans=[(one * S, two * S)]) for one, two in spans]
    return found


def soak(*runs: RunEvidence) -> Any:  # noqa: ANN401 - a judged criterion
    return of(list(runs), "soak")[0]


def test_a_soak_counts_each_moment_once(run: Path) -> None:
    """Two installations side by side for an hour have shown an hour; a moment of two processes is one."""
    hour = 3600
    one, two = armed(run, [(0, hour)]), armed(run, [(0, hour)])
    assert soak(one, two).interval.value == hour * S
    assert soak(one, armed(run, [(0, hour)], utc_ns=hour // 2)).interval.value == 1.5 * hour * S
    assert soak(armed(run, [(0, 10), (5, 20), (30, 40)])).interval.value == 30 * S


def test_a_soak_without_a_trade_is_none(run: Path) -> None:
    """Eight hours armed in a market that did nothing show nothing of trading."""
    quiet = armed(run, [(0, 9 * 3600)])
    quiet.story.trades, quiet.story.orders = {}, {}
    found = soak(quiet)
    assert (found.verdict, found.why) == (Verdict.NOT_MEASURED, "no pair trade was dispatched")
    assert soak(armed(run, [(0, 9 * 3600)])).verdict is Verdict.PASS


def test_trades_that_fail_in_bursts_are_told(run: Path, desk: Desk) -> None:
    """The criterion is judged as if trades were independent; where they plainly were not, an open point says so."""
    criterion = next(one for one in load_criteria() if one.id == "pair-completion")
    blocks = [(20, 20)] * 49 + [(9, 20)]
    measured = Measured(part=989, whole=1000, blocks=blocks)
    judged = judge(criterion, measured)
    assert judged.verdict is Verdict.PASS
    content = document(ABOUT, [read_evidence(run)], [], [judged], [], criteria=[criterion], stage="canary",
                       approver=desk.approver, at_utc_ns=0, open_points=[])  # fmt: skip
    (row,) = content["criteria"]
    assert (row["blocks"]["blocks"], row["blocks"]["holds"]) == (50, False)
    (point,) = [one["en"] for one in content["open_points"] if "came in bursts" in one["en"]]
    assert point.startswith("criterion pair-completion: what did not count came in bursts; by minutes 1000 pair trades")
    even = judge(criterion, measured._replace(blocks=[(20, 20)] * 39 + [(19, 20)] * 11))
    content = document(ABOUT, [read_evidence(run)], [], [even], [], criteria=[criterion], stage="canary",
                       approver=desk.approver, at_utc_ns=0, open_points=[])  # fmt: skip
    assert content["criteria"][0]["blocks"]["holds"]
    assert not [one for one in content["open_points"] if "came in bursts" in one["en"]]


def test_blocks_are_minutes_of_one_run(run: Path) -> None:
    """They add up to the whole, and those of two runs are not put together."""
    found = of(read_runs([run]), "pair-completion")[0].measured
    assert len(found.blocks) == 5
    assert [sum(column) for column in zip(*found.blocks, strict=True)] == [found.part, found.whole]


# What has to be told beside the figures.


def points(run: RunEvidence) -> list[str]:
    return list(open_points_of(run))


def test_a_run_that_nobody_stopped_may_be_cut_off(run: Path) -> None:
    """And one that was stopped is told of no such thing."""
    found = read_evidence(run)
    assert any(one.startswith("half: nobody stopped execution; its journal ends ") for one in points(found))
    found.story.lives[-1].was_stopped = True
    assert points(found) == []
    found.story.trades = {}
    assert points(found) == ["half: no pair trade"]


def test_a_host_whose_time_was_set_is_told(run: Path) -> None:
    """More than drift between two looks at both clocks, either way; over two boots nothing can be said."""
    found = read_evidence(run)
    found.story.lives[-1].was_stopped = True
    utc_ns = found.story.opened[0].utc_ns
    found.story.clock_pairs = [ClockPair(60 * S, utc_ns + 60 * S), ClockPair(120 * S, utc_ns + 118 * S)]
    assert points(found) == ["half: UTC of the host was set by -2.00 s while it ran"]
    found.story.clock_pairs[-1] = ClockPair(120 * S, utc_ns + 119 * S)
    assert points(found) == []


def test_runs_and_load_tests_of_several_installations_are_told(run: Path, tmp_path: Path) -> None:
    """Builds, versions, hosts, site files, and the gateway that a load test was made against."""
    found = read_evidence(run)
    opened = found.story.opened[0]
    other = read_evidence(make_run(tmp_path / "other", seconds=30))
    other.story.opened = [replace(opened, host="h2", version="0.2", site_digest="s2", build="b2")]
    same = Against(opened.host, opened.build, "")
    tests = [
        LoadTest("ours", run, 100, 0, 1, same, checked=True),
        LoadTest("none", run, 100, 0, 1),
        LoadTest("built", run, 100, 0, 1, same._replace(build="b3"), checked=True),
        LoadTest("away", run, 100, 0, 1, same._replace(host="h3"), checked=True),
    ]
    assert list(differences([found], tests)) == [
        "load tests that were not handed in: ramp, step, spike, opening bursts, disconnect storm, slow clients, soak",
        "load test none has no histogram that its figures could be read from again",
        "load test none does not say which gateway it was made against",
        "load test built was made against another build: b3",
        "load test away was made on another host: h3",
    ]
    assert list(differences([found, other], [])) == [
        "the runs were made by different versions: 0.1.0, 0.2",
        f"the runs were made by different builds: b2, {opened.build}",
        "the runs were made with 2 different site files",
        "the runs were made on different hosts: h2, virtual",
    ]


def test_a_run_of_another_build_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build that judges is not always the one that traded."""
    monkeypatch.setenv("CMC_BUILD", "release-9")
    (found,) = accept_runs.read([run])
    assert found.notes == [f"made by build {found.story.opened[0].build}, judged by build release-9"]


# Who signs, and where the report lies.


def test_a_key_is_one_persons(desk: Desk, tmp_path: Path) -> None:
    """Under two names nobody could tell who signed; also when the names stand in two files."""
    second = tmp_path / "plan.toml"
    second.write_text(desk.list.read_text(encoding="utf-8").replace("Li Wei", "Wang Fang"), encoding="utf-8")
    assert len(signing.read_approvers([desk.list, desk.list])) == 2
    with pytest.raises(signing.SigningError, match="'Li Wei' and 'Wang Fang' have one key: nobody could tell"):
        signing.read_approvers([desk.list, second])


def test_a_signed_report_is_not_written_over(run: Path, desk: Desk, capsys: pytest.CaptureFixture[str],
                                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Nor is one written among the evidence, of which it would become a part."""
    monkeypatch.setenv("CMC_LANGUAGE", "en")
    words = ["deliver", "accept", str(run), "--approver", "Li Wei", "--key", str(desk.key), "--approvers",
             str(desk.list), "--out"]  # fmt: skip
    assert main([*words, str(desk.folder)]) == 1
    before = (desk.folder / "acceptance.html").read_bytes()
    assert main([*words, str(desk.folder)]) == 2
    assert "holds a signed report already; name another folder" in capsys.readouterr().err
    assert (desk.folder / "acceptance.html").read_bytes() == before
    assert main([*words, str(run / "truth" / "report")]) == 2
    assert f"lies in the evidence of run {run}; name another folder" in capsys.readouterr().err


def test_what_was_left_out_is_told(run: Path) -> None:
    """Load tests that were not handed in, and execution's processes between those of the runs."""
    rows = tomllib.loads((Path(__file__).parents[2] / "loadtest" / "scenarios.toml").read_text(encoding="utf-8"))
    assert [one["name"] for one in rows["scenario"]] == list(SCENARIOS)
    found = read_evidence(run)
    opened = found.story.opened[0]
    against = Against(opened.host, opened.build, "")
    tests = [LoadTest(name, run, 100, 0, 1, against, checked=True) for name in SCENARIOS]
    assert list(differences([found], tests)) == []
    assert list(differences([found], tests[1:3])) == [
        "load tests that were not handed in: ramp, opening bursts, disconnect storm, slow clients, soak"
    ]
    found.story.opened = [replace(opened, incarnation=number) for number in (2, 3, 6)]
    assert list(differences([found], [])) == ["execution processes 1, 4, 5 of host virtual are in none of these runs"]


def test_a_block_that_no_program_would_write_is_no_report(run: Path, desk: Desk) -> None:
    """A number that is none, half a character, a thousand brackets: refused, not a crash."""
    desk.accept([read_evidence(run)])
    path = desk.folder / "acceptance.html"
    page = path.read_text(encoding="utf-8")
    inner = page.partition(pages.BEGIN)[2].partition(pages.END)[0]
    for bad in (inner.replace('"format": 2', '"format": NaN'), inner.replace('"format": 2', '"format": "\\ud800"'),
                "[" * 100_000):  # fmt: skip
        assert bad != inner
        path.write_text(page.replace(inner, bad), encoding="utf-8")
        with pytest.raises(RefusedError, match="no signed acceptance report"):
            verify(path, [desk.approver])


ROUNDED = """
ns         | shown
49962310   | 49,962,310 ns
50000000   | 50.0 ms
50040000   | 50,040,000 ns
49900000   | 49.9 ms
2009571    | 2.01 ms
"""


@pytest.mark.parametrize("row", ROUNDED.strip("\n").splitlines()[1:])
def test_a_figure_does_not_read_as_its_bound(row: str) -> None:
    """One that rounding would put on the bound is shown whole: the two sides of it are a pass and a fail."""
    ns, shown = (cell.strip() for cell in row.split("|"))
    criterion = next(one for one in load_criteria() if one.id == "gateway-latency")
    assert found_text(criterion, int(ns)) == shown


def test_a_journal_of_another_run_is_told(run: Path) -> None:
    """The trigger's figures would be another's: another site file, another start of the machine."""
    own = next(iter(read_journal(journal_path(run, EXECUTION, 1))))
    assert isinstance(own, JournalOpened)
    encode = FrameEncoder(1 << 20).encode
    path = journal_path(run, "trigger", 1)
    header = journal_path(run, EXECUTION, 1).read_bytes()[:12]
    for change, says in (
        ({}, []),
        ({"site_digest": "x"}, ["written under another site file than execution's journals"]),
        ({"boot_id": "x"}, ["written on another host, or after another start of it, than execution's journals"]),
    ):
        path.write_bytes(header + bytes(encode(replace(own, process="trigger", **change))))
        assert read_evidence(run).notes == [f"{path.name} was {one}" for one in says]


EDGES = """
count | of  | low     | high
0     | 1   | 0.0000  | 0.9750
1     | 1   | 0.0250  | 1.0000
0     | 183 | 0.0000  | 0.0200
183   | 183 | 0.9800  | 1.0000
1     | 183 | 0.0001  | 0.0301
"""


@pytest.mark.parametrize("row", EDGES.strip("\n").splitlines()[1:])
def test_a_share_at_its_edges(row: str) -> None:
    """None, all and one of one, of 183: by the law's closed forms."""
    count, of_all, low, high = (cell.strip() for cell in row.split("|"))
    found = share_interval(int(count), int(of_all))
    assert found.low is not None
    assert found.high is not None
    assert (f"{found.low:.4f}", f"{found.high:.4f}") == (low, high)


def test_ties_and_a_single_value_have_an_honest_percentile() -> None:
    """Equal values bound each other; one value bounds a 99th percentile from below alone (it lies above it in 1 % of cases)."""
    criterion = next(one for one in load_criteria() if one.id == "gateway-latency")
    assert percentile_interval([7] * 400, 99.0) == (7, 7, 7)
    assert percentile_interval([7], 99.0) == (7, 7, None)
    assert percentile_interval([7], 95.0) == (7, None, None)
    assert judge(criterion, Measured([criterion.bound] * 400)).verdict is Verdict.FAIL
    assert judge(criterion, Measured([criterion.bound - 1] * 400)).verdict is Verdict.PASS
    assert judge(criterion, Measured([1])).verdict is Verdict.NOT_ENOUGH
