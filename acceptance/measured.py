"""What a figure was found to be, before it is judged: a sample, a count of a whole, findings, or nothing and why.

Every figure of a run comes from `gateway/journal/measure.py`; here figures of several runs are put together, and what
cannot be measured says why.

What can go wrong: a sample that holds only what could be measured may look better than the run was. So whatever should
have given a value and gave none is counted (`left_out`), told in the report, and where it is more than what gave one,
nothing was measured.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
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

BLOCK_NS = 60 * 10**9
"""Pair trades of one such stretch may share a cause; the report says what that does to the intervals."""
LEAST_REQUESTS = 100
"""Of fewer the 99th percentile by nearest rank is the largest value, and the next one may be beyond it."""
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
    left_out: int = 0
    """How many things that should have given a value gave none."""
    short: str = ""
    """Why this cannot pass as it is, though nothing in it fails; empty where it can."""
    blocks: Sequence[tuple[int, int]] = ()
    """Of shares: part and whole of each block of time, for what trades of one block have in common."""


Measure = Callable[[Sequence[RunEvidence], Sequence[LoadTest]], Measured]


def _sample(of: Callable[[RunEvidence], tuple[list[int], int]]) -> Measure:
    """`of` gives a run's values, and how many there should be."""

    def measured(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
        found = [of(run) for run in runs]
        sample = [value for values, _ in found for value in values]
        return _counted(sample, sum(wanted for _, wanted in found), told("no pair trade gives this figure"))

    return measured


def _counted(sample: Sequence[int], wanted: int, why: str) -> Measured:
    left_out = max(0, wanted - len(sample))
    if sample and left_out > len(sample):
        words = told("{} gave a value and {} gave none: that is no measurement of the whole", len(sample), left_out)
        return Measured(why_not=words, left_out=left_out, short=words)
    return Measured(sample, why_not="" if sample else why, left_out=left_out)


def _share(of: Callable[[RunEvidence], tuple[int, int]], *, of_trades: bool = True) -> Measure:
    def measured(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
        parts = [of(run) for run in runs]
        whole = sum(one[1] for one in parts)
        why = "" if whole else told("no pair trade was dispatched")
        blocks = [of(part) for run in runs for part in by_block(run)] if of_trades else []
        return Measured(part=sum(one[0] for one in parts), whole=whole, why_not=why, blocks=blocks)

    return measured


def by_block(run: RunEvidence) -> Iterator[RunEvidence]:
    """The run cut into stretches of BLOCK_NS, by when its pair trades were taken up; empty stretches are left out."""
    trades: dict[int, dict[str, TradeStory]] = {}
    for name, trade in run.story.trades.items():
        trades.setdefault(trade.received_ns // BLOCK_NS, {})[name] = trade
    for _, block in sorted(trades.items()):
        orders = {story.order.cl_ord_id: story for trade in block.values() for story in trade.orders}
        yield replace(run, story=replace(run.story, trades=block, orders=orders))


def _latencies(run: RunEvidence) -> tuple[list[int], int]:
    trades = [trade for trade in run.story.trades.values() if trade.orders]
    return [ns for trade in trades if (ns := measure.quote_to_order_ns(trade)) is not None], len(trades)


def _to_trigger(run: RunEvidence) -> tuple[list[int], int]:
    """Of all quotes that the trigger took up, where it kept a journal; else of those that led to an intent."""
    try:
        every = quote_to_trigger_sample_ns(run.run_dir)
    except NoParquetError:
        every = []
    found = every or [measure.quote_to_trigger_ns(intent) for intent in run.story.intents]
    return found, len(found)


def _legged_times(run: RunEvidence) -> tuple[list[int], int]:
    return measure.legged_times_ns(run.story), measure.legged(run.story)[1]


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
    return _counted(sample, sum(len(run.story.intents) for run in runs), why or told("no intent was decided on"))


def _end_to_end(runs: Sequence[RunEvidence], _tests: Sequence[LoadTest]) -> Measured:
    """Where every venue of a run is near: the causing quote's true time to the last first order's arrival.

    A venue whose network nobody wrote down may be near: it is then not known whether the bound applies.
    """
    unknown = sorted({f"{run.name}: {venue}" for run in runs for venue in _venues(run) if not run.networks.get(venue)})
    if unknown:
        words = told("not known how far these venues are, for want of profiles/VENUE.toml: {}", ", ".join(unknown))
        return Measured(why_not=words, short=words)
    near = [run for run in runs if run.networks and set(run.networks.values()) <= SAME_CITY]
    if not near:
        far = sorted({f"{name} {way}" for run in runs for name, way in run.networks.items() if way not in SAME_CITY})
        if not far:
            return Measured(why_not=told("no pair trade gives this figure"))
        return Measured(applies=False, why_not=told("not all venues are in the same city: {}", ", ".join(far)))
    sample = [ns for run in near for ns in _ways(run)]
    wanted = sum(bool(trade.orders) for run in near for trade in run.story.trades.values())
    return _counted(sample, wanted, told("no pair trade gives this figure"))


def _venues(run: RunEvidence) -> set[str]:
    """Venues of the run's legs: those that orders went to, and those of intents that nothing was sent for."""
    legs = {leg.instrument_id.partition(".")[0] for intent in run.story.intents for leg in intent.legs}
    return {*measure.venues(run.story), *legs}


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
    """Time armed, once however many processes were armed at that time, of runs that traded."""
    findings = [
        f"{run.name}: {one.alarm.subject}: {one.alarm.figures}"
        for run in runs
        for one in run.story.alarms
        if one.alarm.name is AlarmName.INVARIANT
    ]
    traded = [run for run in runs if measure.legged(run.story)[1]]
    sample = [to_ns - from_ns for from_ns, to_ns in _united(span for run in traded for span in _armed(run))]
    why = told("execution was never armed") if traded else told("no pair trade was dispatched")
    return Measured(sample, findings=findings, why_not="" if sample else why)


def _armed(run: RunEvidence) -> Iterator[tuple[int, int]]:
    """Spans in which execution was armed, in nanoseconds since 1970.

    Times of one boot are put there by one pair of its clocks, so that a step of UTC neither adds nor hides any.
    """
    begun: dict[str, int] = {}
    for opened in run.story.opened:
        begun.setdefault(opened.boot_id, opened.utc_ns - opened.monotonic_ns)
    for life in run.story.lives:
        for from_ns, to_ns in life.armed_spans:
            yield begun[life.boot_id] + from_ns, begun[life.boot_id] + to_ns


def _united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What the spans cover, nothing twice."""
    found: list[tuple[int, int]] = []
    for from_ns, to_ns in sorted(spans):
        if found and from_ns <= found[-1][1]:
            found[-1] = (found[-1][0], max(to_ns, found[-1][1]))
        else:
            found.append((from_ns, to_ns))
    return found


def _load(_runs: Sequence[RunEvidence], tests: Sequence[LoadTest]) -> Measured:
    sample = [test.p99_ns for test in tests]
    findings = [f"{test.name}: {test.failures} / {test.requests}" for test in tests if test.failures]
    small = [f"{test.name} ({test.requests})" for test in tests if test.requests < LEAST_REQUESTS]
    short = told("{} requests at least for a 99th percentile: {}", LEAST_REQUESTS, ", ".join(small)) if small else ""
    why = "" if sample else told("no load-test file was given")
    return Measured(sample, findings=findings, why_not=why, short=short)


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
    "legged_time_ns": _sample(_legged_times),
    "slippage_over_limit": _share(_slipped),
    "capture": _share(lambda run: measure.capture(run.story), of_trades=False),
    "differences": _differences,
    "recovery_ns": _recovery,
    "loadtest_p99_ns": _load,
    "soak_ns": _soak,
}


def names() -> list[str]:
    """What a criterion may measure."""
    return sorted(MEASURES)
