"""A run with an injected defect fails the criterion that is about it, and no other that is not.

The runs are made in virtual time by the product's own trigger and execution (virtual_run.py), the defect where it
happens: in the venue, in the processing time, in the calibration of a clock, in a file.
"""

from pathlib import Path

import pytest
from virtual_run import make_run

from acceptance.accept import evaluate
from acceptance.criteria import load_criteria
from acceptance.evidence import EvidenceError, RunEvidence, read_evidence, read_loadtest
from gateway.journal.reader import EXECUTION, journal_path

STAGE = "canary"


def verdicts(*runs: RunEvidence) -> dict[str, str]:
    return {one.criterion.id: one.verdict.value for one in evaluate(runs, [], load_criteria(), STAGE)}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with nothing wrong: some 450 pair trades."""
    return make_run(tmp_path_factory.mktemp("runs") / "good")


def test_a_good_run_passes_every_criterion_of_the_stage(good: Path) -> None:
    """All but the one that does not apply where a venue is far away."""
    assert verdicts(read_evidence(good)) == {
        "journal": "pass",
        "gateway-latency": "pass",
        "quote-usable": "pass",
        "end-to-end": "does not apply",
        "in-step": "pass",
        "order-acceptance": "pass",
        "pair-completion": "pass",
        "first-shot": "pass",
        "legged-trades": "pass",
        "legged-time": "pass",
        "slippage-over-limit": "pass",
        "capture": "pass",
        "reconciliation": "pass",
    }


def test_slow_execution_fails_the_gateways_latency(tmp_path: Path) -> None:
    """Sixty times slower: the latency fails, and nothing that is not about time does."""
    found = verdicts(read_evidence(make_run(tmp_path / "slow", slower=60)))
    assert [name for name, verdict in found.items() if verdict == "fail"] == ["gateway-latency"]


def test_a_venue_that_rejects_5_percent_fails_the_acceptance_of_orders(tmp_path: Path) -> None:
    """Acceptance fails, and it alone: what was refused was repaired, so the trades were completed all the same."""
    found = verdicts(read_evidence(make_run(tmp_path / "rejects", reject=0.05)))
    assert [name for name, verdict in found.items() if verdict == "fail"] == ["order-acceptance"]


def test_a_clock_200_ms_off_fails_in_step(tmp_path: Path) -> None:
    """The calibrated times of one venue are wrong by so much: in step fails, and it alone."""
    found = verdicts(read_evidence(make_run(tmp_path / "clock", clock_error_ms=200)))
    assert [name for name, verdict in found.items() if verdict == "fail"] == ["in-step"]


def test_a_broken_journal_fails_the_journal_and_nothing_is_measured_of_it(good: Path, tmp_path: Path) -> None:
    """One byte in the middle: the criterion fails, and no figure passes on what could still be read."""
    broken = _copy(good, tmp_path / "broken")
    path = journal_path(broken, EXECUTION, 1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x01
    path.write_bytes(content)
    run = read_evidence(broken)
    assert any(f"{path}: byte" in fault for fault in run.faults)
    found = verdicts(run)
    assert found["journal"] == "fail"
    assert "pass" not in found.values()


def test_a_decision_that_was_cut_out_is_a_fault(good: Path, tmp_path: Path) -> None:
    """Every record that is left has its right checksum; the numbers of the decisions tell it, and nothing passes."""
    from gateway.journal.frame import FrameEncoder
    from gateway.journal.reader import read_journal
    from gateway.model.record import Decision

    cut = _copy(good, tmp_path / "cut")
    path = journal_path(cut, EXECUTION, 1)
    records = [one for one in read_journal(path) if not (isinstance(one, Decision) and one.seq == 100)]
    encode = FrameEncoder(1 << 20).encode
    path.write_bytes(path.read_bytes()[:12] + b"".join(bytes(encode(one)) for one in records))
    run = read_evidence(cut)
    assert run.faults == [f"cut: {path.name}: decision 101 follows decision 99"]
    assert "pass" not in verdicts(run).values()


def test_fills_that_the_venue_does_not_know_fail_the_reconciliation(good: Path, tmp_path: Path) -> None:
    """A line of the venue's own record is gone: the account differs, and it alone."""
    short = _copy(good, tmp_path / "short")
    fills = short / "truth" / "LME" / "fills.jsonl"
    fills.write_text("".join(fills.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    found = verdicts(read_evidence(short))
    assert [name for name, verdict in found.items() if verdict == "fail"] == ["reconciliation"]


def test_without_the_venues_record_nothing_is_reconciled(good: Path, tmp_path: Path) -> None:
    """It fails with the venue's name; it does not pass because nothing differs."""
    alone = _copy(good, tmp_path / "alone")
    for path in (alone / "truth" / "LME").iterdir():
        path.unlink()
    found = evaluate([read_evidence(alone)], [], load_criteria(), STAGE)
    (reconciliation,) = [one for one in found if one.criterion.id == "reconciliation"]
    assert reconciliation.verdict.value == "fail"
    assert "LME: its simulator left no truth/LME/orders.jsonl" in reconciliation.measured.findings[0]


def test_ten_lucky_trades_do_not_pass(tmp_path: Path) -> None:
    """A short run fails nothing and proves nothing: not enough, with how many it would take."""
    judged = evaluate([read_evidence(make_run(tmp_path / "short", seconds=60))], [], load_criteria(), STAGE)
    by_id = {one.criterion.id: one for one in judged}
    completion = by_id["pair-completion"]
    assert (completion.verdict.value, completion.needed) == ("not enough", 183)
    assert by_id["gateway-latency"].verdict.value == "not enough"
    assert 0 < completion.size < 50


def test_runs_add_up(good: Path, tmp_path: Path) -> None:
    """Two runs together are one sample."""
    other = make_run(tmp_path / "other", seconds=60, seed=6)
    both = evaluate([read_evidence(good), read_evidence(other)], [], load_criteria(), STAGE)
    alone = [evaluate([read_evidence(one)], [], load_criteria(), STAGE) for one in (good, other)]
    sizes = [next(one.size for one in found if one.criterion.id == "pair-completion") for found in (both, *alone)]
    assert sizes[0] == sizes[1] + sizes[2]


def test_in_one_city_the_whole_way_is_bound(tmp_path: Path) -> None:
    """From the venue's quote to the last order at its venue; the far profile leaves it out by name."""
    near = evaluate([read_evidence(make_run(tmp_path / "near", network="same-city"))], [], load_criteria(), STAGE)
    (end_to_end,) = [one for one in near if one.criterion.id == "end-to-end"]
    assert end_to_end.verdict.value == "pass"
    assert min(end_to_end.measured.sample) > 1_000_000


def test_what_is_no_run_and_no_load_test_is_refused(tmp_path: Path) -> None:
    """With the file and what would be right."""
    with pytest.raises(EvidenceError, match=r"holds no journal/execution\.\*\.journal"):
        read_evidence(tmp_path)
    with pytest.raises(EvidenceError, match="absent: no such directory"):
        read_evidence(tmp_path / "absent")
    with pytest.raises(EvidenceError, match="no run: at least one"):
        evaluate([], [], load_criteria(), STAGE)
    path = tmp_path / "load.json"
    for text in ("{", '{"kind": "other"}', '{"kind": "loadtest", "requests": 1, "failures": 0, "latency_ns": {}}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(EvidenceError, match=r"load\.json: no load-test file"):
            read_loadtest(path)
    with pytest.raises(EvidenceError, match="no such file"):
        read_loadtest(tmp_path / "absent.json")


def test_a_run_without_its_site_file_is_a_fault(good: Path, tmp_path: Path) -> None:
    """Without it no budget is known, and every slippage would be within it."""
    bare = _copy(good, tmp_path / "bare")
    (bare / "site.toml").unlink()
    assert read_evidence(bare).faults == ["bare: holds no site.toml: limits and budgets are not known"]


def _copy(run: Path, to: Path) -> Path:
    import shutil

    shutil.copytree(run, to)
    return to
