"""Rollout plans as files, their gates over a run, the signed record, and two versions side by side."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from virtual_run import make_run

from acceptance import signing
from acceptance.evidence import EvidenceError, read_evidence
from acceptance.grey_compare import Finding, compare
from acceptance.grey_gates import shown, spans, within
from acceptance.grey_plan import Plan, PlanError, load_plan
from acceptance.grey_record import content_of, verify_record, write_record
from acceptance.judge import Verdict
from gateway.journal.told import said
from gateway.model.record import Decision
from gateway.model.rollout import Rollout
from gateway.model.trade import Alarm, AlarmName, Announce, Command, CommandAnswered, Verb

ROOT = Path(__file__).parents[2]
PLANS = ROOT / "deploy" / "plans"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """The demonstration's plan with a change."""
    text = (PLANS / "demo.toml").read_text(encoding="utf-8").replace("../../acceptance", str(ROOT / "acceptance"))
    assert old in text
    path = tmp_path / "plan.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["demo", "gold", "copper"])
def test_the_plans_that_are_shipped_hold(name: str) -> None:
    """All four kinds in their order, each stage below full with a time, trades and something to show."""
    plan = load_plan(PLANS / f"{name}.toml")
    kinds = [one.kind for one in plan.stages]
    assert list(dict.fromkeys(kinds)) == ["shadow", "canary", "limited", "full"]
    assert all(one.least_ns and one.least_trades and one.gates for one in plan.stages[:-1])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "canary"', 'kind = "limited"', "limited stage has a share|skips canary"),
        ('kind = "shadow"', 'kind = "full"', "skips shadow|fall_back"),
        ('pairs = ["CU-CA"]\naccounts', "accounts", "a canary names pairs"),
        ('gates = ["journal"]\nwould', 'gates = ["luck"]\nwould', "gates: luck: one of journal"),
        ('least_time = "20 s"\nleast_trades = 5\ngates = ["journal"]\nwould', "least_trades = 5\nwould", "least_time is missing"),
        ('share = "50 %"', 'share = "150 %"', "a share such as"),
        ("[stage.fall_back]\nmost_failed = 3\nmost_rejected = 3\nmost_late", "[stage.other]\nmost_late", "other: no such key"),
        ('latency = "250 ms"', "", "most_late and latency stand together"),
        ('alarms = ["invariant", ', 'alarms = ["thunder", ', "alarms: thunder: one of"),
        ("max_orders = 500", "max_orders = -1", "a whole number from 0"),
        ("[[approver]]", "[[approved]]", "approved: no such key"),
        ('criteria = "', 'criteria = "x', "criteria: .*no file of criteria"),
    ],
)  # fmt: skip
def test_a_plan_with_a_mistake_is_refused_with_what_would_be_right(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    """A skipped stage, a missing time or fall-back, an unknown gate or alarm, a senseless number."""
    with pytest.raises(PlanError) as caught:
        load_plan(changed(tmp_path, old, new))
    assert re.search(words, str(caught.value)), str(caught.value)


def records_of(plan: Plan, at_ns: int) -> list[Decision]:
    """Decisions that put the plan in force, go up to canary and fall back."""
    argument = msgspec.json.encode(plan.rollout).decode()
    digest = "ab" * 32
    done = Announce(CommandAnswered("c", True, ""))
    fell = Announce(Alarm(AlarmName.FELL_BACK, "demo", "canary to shadow: too late"))
    return [
        Decision(1, at_ns, Command("a", Verb.ROLLOUT, "li", "begin", argument), (done,)),
        Decision(2, at_ns + 10, Command("b", Verb.STAGE, "li", "shown", f"canary {digest}"), (done,)),
        Decision(3, at_ns + 20, Command("d", Verb.STATUS, "", "", ""), (fell,)),
    ]


def test_the_journal_says_which_stage_began_when_and_why() -> None:
    """The plan's first stage, the step up by a person, the fall-back by execution with its figures."""
    plan = load_plan(PLANS / "demo.toml")
    found = [(one.name, one.from_ns, one.why, one.who) for one in spans(records_of(plan, 100))]
    assert found == [
        ("shadow", 100, "begin", "li"),
        ("canary", 110, "shown", "li"),
        ("shadow", 120, "too late", "execution"),
    ]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of some minutes in virtual time."""
    return make_run(tmp_path_factory.mktemp("run") / "one", seconds=250)


def test_only_what_was_begun_in_the_stage_counts(run_dir: Path) -> None:
    """Pair trades from before the stage are no evidence for it."""
    run = read_evidence(run_dir)
    times = sorted(one.received_ns for one in run.story.trades.values())
    middle = times[len(times) // 2]
    part = within(run, middle)
    assert len(part.story.trades) == sum(one >= middle for one in times) < len(times)
    assert {one.trade_id for one in part.story.orders.values()} <= part.story.trades.keys()


def test_a_stage_with_too_little_is_not_open_and_says_what_is_missing(run_dir: Path) -> None:
    """Canary with too few trades: not enough, and the next stage stays shut."""
    plan = load_plan(PLANS / "copper.toml")
    run = read_evidence(run_dir)
    argument = msgspec.json.encode(plan.rollout).decode()
    done = Announce(CommandAnswered("c", True, ""))
    records = [
        Decision(1, 1, Command("a", Verb.ROLLOUT, "li", "begin", argument), (done,)),
        Decision(2, 2, Command("b", Verb.STAGE, "li", "shown", "canary " + "ab" * 32), (done,)),
    ]
    found = shown(plan, run, records, run_dir)
    assert found is not None
    assert (found.span.name, found.next, found.open) == ("canary", "limited-10", False)
    verdicts = {one.name: one.verdict for one in found.gates}
    assert verdicts["least_time"] is Verdict.NOT_ENOUGH
    assert verdicts["least_trades"] is Verdict.NOT_ENOUGH
    assert verdicts["journal"] is Verdict.PASS
    other = load_plan(PLANS / "demo.toml")
    assert shown(other, run, records, run_dir) is None


def signed(tmp_path: Path) -> tuple[Plan, Path]:
    """A plan with an approver of its own, and the key."""
    key = tmp_path / "li.key"
    public = signing.make_key(key)
    old = 'public_key = "ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="'
    return load_plan(changed(tmp_path, old, f'public_key = "{public}"')), key


def test_a_step_is_signed_by_an_approver_of_the_plan(tmp_path: Path) -> None:
    """The record verifies; changed by one word it does not; an unknown approver and another's key are refused."""
    plan, key = signed(tmp_path)
    content = content_of(plan, None, "shadow", "Demo Approver", "begin", 5)
    digest = write_record(tmp_path / "rollout", content, signing.read_key(key))
    (path,) = (tmp_path / "rollout").glob("*.json")
    assert verify_record(path, plan)["to"] == "shadow"
    assert len(digest) == 64
    path.write_text(path.read_text(encoding="utf-8").replace('"begin"', '"began"'), encoding="utf-8")
    with pytest.raises(signing.SigningError, match="changed afterwards"):
        verify_record(path, plan)
    with pytest.raises(signing.SigningError, match="approver 'nobody' is not known"):
        content_of(plan, None, "shadow", "nobody", "begin", 5)
    other = tmp_path / "other.key"
    signing.make_key(other)
    with pytest.raises(signing.SigningError, match="is not that of Demo Approver"):
        write_record(tmp_path / "rollout", content, signing.read_key(other))


def test_two_versions_on_one_pair_are_no_comparison(run_dir: Path) -> None:
    """Runs that share a pair are refused, since they traded against one another."""
    run = read_evidence(run_dir)
    with pytest.raises(EvidenceError, match="disjoint pairs only"):
        compare(run, run)


def test_a_version_that_is_slower_on_its_own_pairs_is_worse(tmp_path: Path, run_dir: Path) -> None:
    """Fifty times the processing time: the latency row says worse; the same version is not worse."""
    slow_dir = make_run(tmp_path / "slow", seconds=250, slower=50)
    old, same, slow = (read_evidence(one) for one in (run_dir, run_dir, slow_dir))
    for run in (same, slow):
        run.story.intents = [msgspec.structs.replace(one, pair_id=f"other {one.pair_id}") for one in run.story.intents]
    rows = {one.figure: one for one in compare(old, same)}
    assert rows["completed"].finding is not Finding.WORSE
    found = {one.figure: one.finding for one in compare(old, slow)}
    assert found["gateway_latency_p99"] in {Finding.WORSE, Finding.NOT_ENOUGH}
    assert {one.finding for one in rows.values()} <= {Finding.NOT_WORSE, Finding.NOT_ENOUGH}


def test_stages_are_said_in_chinese() -> None:
    """A stage's kind and a finding have their Chinese."""
    from gateway.journal.told import told

    assert [said(told(word), "zh") for word in ("shadow", "canary", "limited", "full", "worse")] == [
        "影子", "试点", "限量", "全量", "更差",
    ]  # fmt: skip
    assert isinstance(load_plan(PLANS / "demo.toml").rollout, Rollout)
