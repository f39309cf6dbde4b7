"""What a stage of the rollout has shown so far, and what is missing for the next one.

The run's journals say when each stage began and why; figures of a stage are those of the pair trades that were opened
in it, measured and judged as acceptance does (`measured.py`, `judge.py`). In shadow nothing is sent: there the intents
count that would have been sent, and `grey_shadow.py` says what the market would have made of them.

Nothing passes by default: a gate that is not measured, or has too few samples, keeps the stage where it is. Times of
two boots of a machine are not put together: a stage that began before a boot is counted from the boot on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec

from acceptance.evidence import RunEvidence
from acceptance.grey_plan import Plan, StagePlan
from acceptance.grey_shadow import WouldBe, would_be
from acceptance.judge import Judged, Verdict, judge
from acceptance.measured import MEASURES
from acceptance.statistics import share_interval, share_needs
from gateway.journal.fold import RunStory
from gateway.journal.told import told
from gateway.journal.units import duration, percent
from gateway.model.record import Decision, JournalRecord
from gateway.model.rollout import SHADOW, WHOLE_E6, Rollout
from gateway.model.trade import Alarm, AlarmName, Announce, Command, CommandAnswered, Verb


class Span(NamedTuple):
    """A stretch of time in one stage."""

    plan: str
    """Digest of the plan's file."""
    name: str
    from_ns: int
    why: str
    who: str


class Gate(NamedTuple):
    """One thing that has to be shown."""

    name: str
    verdict: Verdict
    words: str
    judged: Judged | None = None


class Shown(NamedTuple):
    """Where the installation stands in its plan."""

    span: Span
    stage: StagePlan
    gates: list[Gate]
    next: str
    """The stage above; empty at the top."""

    @property
    def open(self) -> bool:
        """Whether everything is shown that the next stage asks for."""
        return bool(self.next) and all(one.verdict in {Verdict.PASS, Verdict.NOT_APPLICABLE} for one in self.gates)


def spans(records: Iterable[JournalRecord]) -> list[Span]:
    """Every stage that was entered, oldest first, from execution's own decisions."""
    found: list[Span] = []
    rollout: Rollout | None = None
    for record in records:
        if not isinstance(record, Decision):
            continue
        event = record.event
        said = [one.what for one in record.actions if isinstance(one, Announce)]
        if isinstance(event, Command) and any(isinstance(one, CommandAnswered) and one.done for one in said):
            if event.verb is Verb.ROLLOUT:
                given = msgspec.json.decode(event.argument, type=Rollout)
                if given != rollout:
                    rollout = given
                    found.append(Span(given.digest, given.stages[0].name, record.at_ns, event.reason, event.who))
            elif event.verb is Verb.STAGE and rollout is not None:
                name = event.argument.partition(" ")[0]
                if not found or found[-1].name != name:
                    found.append(Span(rollout.digest, name, record.at_ns, event.reason, event.who))
        for one in said:
            if isinstance(one, Alarm) and one.name is AlarmName.FELL_BACK and rollout is not None:
                moved, _, why = one.figures.partition(": ")
                name = moved.rpartition(" to ")[2]
                found.append(Span(rollout.digest, name, record.at_ns, why, "execution"))
    return found


def shown(plan: Plan, run: RunEvidence, records: Sequence[JournalRecord], run_dir: Path) -> Shown | None:
    """How the stage in force stands; None where this plan is not in force in the run."""
    entered = spans(records)
    if not entered or entered[-1].plan != plan.rollout.digest:
        return None
    span = entered[-1]
    place = plan.rollout.place(span.name)
    stage = plan.stages[place]
    above = plan.stages[place + 1].name if place + 1 < len(plan.stages) else ""
    part = within(run, span.from_ns)
    gates = [_time(stage, part), *_counts(stage, part, run_dir), *_alarms(stage, part)]
    gates += [_gate(judge(one, MEASURES[one.measure]([part], []))) for one in stage.gates]
    return Shown(span, stage, gates, above)


def within(run: RunEvidence, from_ns: int) -> RunEvidence:
    """The evidence of what was begun at or after this time."""
    story = run.story
    trades = {key: one for key, one in story.trades.items() if one.received_ns >= from_ns}
    orders = {key: one for key, one in story.orders.items() if one.trade_id in trades}
    lives = [replace(one, armed_ns=max(one.armed_ns, from_ns) if one.armed_ns else 0)
             for one in story.lives if one.last_ns >= from_ns]  # fmt: skip
    part: RunStory = replace(
        story,
        trades=trades,
        orders=orders,
        lives=lives,
        intents=[one for one in story.intents if one.decided_ns >= from_ns],
        refusals=[one for one in story.refusals if one.at_ns >= from_ns],
        alarms=[one for one in story.alarms if one.at_ns >= from_ns],
    )
    return replace(run, story=part)


def _time(stage: StagePlan, part: RunEvidence) -> Gate:
    armed_ns = sum(one.last_ns - one.armed_ns for one in part.story.lives if one.armed_ns)
    verdict = Verdict.PASS if armed_ns >= stage.least_ns and armed_ns else Verdict.NOT_ENOUGH
    return Gate("least_time", verdict, told("{} armed, at least {}", duration(armed_ns), duration(stage.least_ns)))


def _counts(stage: StagePlan, part: RunEvidence, run_dir: Path) -> list[Gate]:
    if stage.kind != SHADOW:
        count = len(part.story.trades)
        verdict = Verdict.PASS if count >= stage.least_trades else Verdict.NOT_ENOUGH
        return [Gate("least_trades", verdict, told("{} pair trades, at least {}", count, stage.least_trades))]
    found = would_be(part.story, run_dir)
    verdict = Verdict.PASS if found.intents >= stage.least_trades else Verdict.NOT_ENOUGH
    words = told("{} would-be pair trades, at least {}", found.intents, stage.least_trades)
    return [Gate("least_trades", verdict, words), *([_would_fill(stage, found)] if stage.would_fill_e6 else [])]


def _would_fill(stage: StagePlan, found: WouldBe) -> Gate:
    bound = stage.would_fill_e6 / WHOLE_E6
    if not found.compared:
        return Gate("would_fill", Verdict.NOT_MEASURED, told("no would-be trade could be compared with the record"))
    share = share_interval(found.filled, found.compared)
    low = share.low or 0.0
    words = told("{} of {} would have been filled on every leg, lower end {}, at least {}",
                 found.filled, found.compared, percent(low), percent(bound))  # fmt: skip
    if low >= bound:
        return Gate("would_fill", Verdict.PASS, words)
    if share.value < bound:
        return Gate("would_fill", Verdict.FAIL, words)
    needs = share_needs(found.compared - found.filled, bound)
    return Gate("would_fill", Verdict.NOT_ENOUGH, told("{}; {} would prove it", words, needs))


def _alarms(stage: StagePlan, part: RunEvidence) -> list[Gate]:
    if stage.most_alarms is None:
        return []
    count = len(part.story.alarms)
    verdict = Verdict.PASS if count <= stage.most_alarms else Verdict.FAIL
    return [Gate("most_alarms", verdict, told("{} alarms, at most {}", count, stage.most_alarms))]


def _gate(one: Judged) -> Gate:
    found = one.interval
    if one.why:
        return Gate(one.criterion.id, one.verdict, one.why, one)
    if found is None:
        return Gate(one.criterion.id, one.verdict, told("{} looked at", one.size), one)
    is_share = one.criterion.kind.value in {"share", "rate"}
    show = percent if is_share else (lambda value: duration(None if value is None else int(value)))
    words = told("{} ({} to {}) of {}, bound {}", show(found.value), show(found.low), show(found.high), one.size,
                 one.criterion.bound_text)  # fmt: skip
    return Gate(one.criterion.id, one.verdict, words, one)
