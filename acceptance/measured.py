"""What a figure was found to be, before it is judged: a sample, a count of a whole, findings, or nothing and why.

Every figure of a run comes from `gateway/journal/measure.py`; here figures of several runs are put together, and what
cannot be measured says why.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from acceptance.evidence import LoadTest, RunEvidence
from gateway.journal import measure
from gateway.journal.fold import TradeStory
from gateway.journal.in_step import ClockPoint, in_step_sample, read_venue_clocks, true_ns
from gateway.journal.parquet import NoParquetError
from gateway.journal.told import told
from gateway.journal.trigger_times import quote_to_trigger_sample_ns
from gateway.journal.truth_times import first_arrivals
from gateway.model.trade import AlarmName

SAME_CITY = frozenset({"same-city", "same-rack", "none"})


class Measured(NamedTuple):
    """A figure. `sample` of percentiles and times, `part` of `whole` for shares, `findings` of what must not be."""

    sample: Sequence[int] = ()
    part: int = 0
    whole: int = 0
    findings: Sequence[str] = ()
    why_not: str = ""
    """Why nothing was measured; empty when something was."""
    applies: bool = True


Measure = Callable[[Sequence[RunEvidence], Sequence[LoadTest]], Measured]


def _sample(of: Callable[[RunEvidence], list[int]]) -> Measure:
    def measured(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
        sample = [value for run in runs for value in of(run)]
        return Measured(sample, why_not="" if sample else told("no pair trade gives this figure"))

    return measured


def _share(of: Callable[[RunEvidence], tuple[int, int]]) -> Measure:
    def measured(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
        parts = [of(run) for run in runs]
        whole = sum(one[1] for one in parts)
        why = "" if whole else told("no pair trade was dispatched")
        return Measured(part=sum(one[0] for one in parts), whole=whole, why_not=why)

    return measured


def _latencies(run: RunEvidence) -> list[int]:
    trades = run.story.trades.values()
    return [ns for trade in trades if (ns := measure.quote_to_order_ns(trade)) is not None]


def _to_trigger(run: RunEvidence) -> list[int]:
    """Of all quotes that the trigger took up, where it kept a journal; else of those that led to an intent."""
    try:
        every = quote_to_trigger_sample_ns(run.run_dir)
    except NoParquetError:
        every = []
    return every or [measure.quote_to_trigger_ns(intent) for intent in run.story.intents]


def _acceptance(run: RunEvidence) -> tuple[int, int]:
    share = measure.order_success(run.story)["trades"]
    return share["count"], share["of"]


def _completion(run: RunEvidence) -> tuple[int, int]:
    share = measure.pair_completion(run.story, run.site.budgets_e9)
    return share["count"], share["of"]


def _first_shot(run: RunEvidence) -> tuple[int, int]:
    share = measure.first_shot(run.story)
    return share["count"], share["of"]


def _slipped(run: RunEvidence) -> tuple[int, int]:
    return len(measure.over_budget(run.story, run.site.budgets_e9)), measure.legged(run.story)[1]


def _in_step(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
    sample: list[int] = []
    why = ""
    for run in runs:
        found, reason = in_step_sample(run.story.intents, read_venue_clocks(run.run_dir))
        sample += found
        why = why or (told(reason) if reason else "")
    return Measured(sample, why_not="" if sample else why or told("no intent was decided on"))


def _end_to_end(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
    """Where every venue of a run is near: the causing quote's true time to the last first order's arrival."""
    near = [run for run in runs if run.networks and set(run.networks.values()) <= SAME_CITY]
    if not near:
        far = sorted({f"{name} {way}" for run in runs for name, way in run.networks.items() if way not in SAME_CITY})
        return Measured(applies=False, why_not=told("not all venues are in the same city: {}", ", ".join(far) or "?"))
    sample = [ns for run in near for ns in _ways(run)]
    return Measured(sample, why_not="" if sample else told("no pair trade gives this figure"))


def _ways(run: RunEvidence) -> list[int]:
    clocks, arrivals = read_venue_clocks(run.run_dir), first_arrivals(run.run_dir)
    found = []
    for trade in run.story.trades.values():
        begun_ns, firsts = _caused_ns(trade, clocks), trade.first_orders
        reached = [arrivals[one.order.cl_ord_id] for one in firsts if one.order.cl_ord_id in arrivals]
        if begun_ns is not None and firsts and len(reached) == len(firsts):
            found.append(max(reached) - begun_ns)
    return found


def _caused_ns(trade: TradeStory, clocks: Mapping[str, list[ClockPoint]]) -> int | None:
    intent = trade.intent
    if intent is None:
        return None
    points = clocks.get(intent.cause_instrument_id.partition(".")[0], [])
    for leg in intent.legs:
        if leg.instrument_id == intent.cause_instrument_id and leg.venue_ns and len(points) > 1:
            return true_ns(points, leg.venue_ns)
    return None


def _journal_faults(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
    findings = [fault for run in runs for fault in run.faults]
    return Measured(findings=findings, whole=sum(run.records for run in runs))


def _differences(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
    findings: list[str] = []
    compared = 0
    for run in runs:
        result = run.reconciliation
        compared += result.orders
        findings += [f"{run.name}: {text}" for text in result.not_compared]
        findings += [
            f"{run.name}: {one.venue} {one.subject} {one.field}: {one.journal} / {one.venue_says}"
            for one in result.differences
        ]
        if not result.venues:
            findings.append(told("{}: holds no truth/<VENUE>/orders.jsonl to compare with", run.name))
    return Measured(findings=findings, whole=compared, why_not="" if compared else told("no order to compare"))


def _recovery(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
    times = [ns for run in runs for ns in measure.recovery_times_ns(run.story)]
    findings = [told("armed execution died and was not armed again") for ns in times if ns is None]
    sample = [ns for ns in times if ns is not None]
    return Measured(sample, findings=findings, why_not="" if times else told("no armed execution process died"))


def _soak(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
    findings = [
        f"{run.name}: {one.alarm.subject}: {one.alarm.figures}"
        for run in runs
        for one in run.story.alarms
        if one.alarm.name is AlarmName.INVARIANT
    ]
    lives = [life for run in runs for life in run.story.lives if life.armed_ns]
    sample = [life.last_ns - life.armed_ns for life in lives]
    return Measured(sample, findings=findings, why_not="" if sample else told("execution was never armed"))


def _load(_runs: Sequence[RunEvidence], tests: Sequence[LoadTest]) -> Measured:
    sample = [test.p99_ns for test in tests]
    findings = [f"{test.name}: {test.failures} / {test.requests}" for test in tests if test.failures]
    return Measured(sample, findings=findings, why_not="" if sample else told("no load-test file was given"))


MEASURES: dict[str, Measure] = {
    "journal_faults": _journal_faults,
    "gateway_latency_ns": _sample(_latencies),
    "quote_to_trigger_ns": _sample(_to_trigger),
    "end_to_end_ns": _end_to_end,
    "in_step_ns": _in_step,
    "order_acceptance": _share(_acceptance),
    "pair_completion": _share(_completion),
    "first_shot": _share(_first_shot),
    "legged_trades": _share(lambda run: measure.legged(run.story)),
    "legged_time_ns": _sample(lambda run: measure.legged_times_ns(run.story)),
    "slippage_over_limit": _share(_slipped),
    "capture": _share(lambda run: measure.capture(run.story)),
    "differences": _differences,
    "recovery_ns": _recovery,
    "loadtest_p99_ns": _load,
    "soak_ns": _soak,
}


def names() -> list[str]:
    """What a criterion may measure."""
    return sorted(MEASURES)
