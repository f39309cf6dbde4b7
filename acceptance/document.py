"""What a sign-off says, as plain data: what was accepted, on what evidence, with which result, by whom.

The document is what is signed: every word of it as canonical JSON (keys in order, no spaces, UTF-8). The page and the
PDF show it and are bound to it by their digests. It decides nothing; `judge.py` did.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from acceptance.criteria import STAGES, Criterion, Kind, load_criteria
from acceptance.deviations import deviations
from acceptance.evidence import EvidenceFile, LoadTest, RunEvidence
from acceptance.judge import MILLION, Judged, Verdict, overall
from acceptance.run_points import differences, open_points_of
from acceptance.signing import Approver
from acceptance.statistics import Blocks, Interval, block_interval
from gateway.journal import measure
from gateway.journal.fold import TradeStory
from gateway.journal.frame import TornTail
from gateway.journal.told import EN, ZH, said, told
from gateway.journal.units import duration, money

FORMAT = 2
READABLE = (1, FORMAT)
"""Formats that are verified; one of 1 holds too little to be measured again."""
PRODUCT = "cross-market-connect"
_NS_PER_S = 1_000_000_000
_MOST_FINDINGS = 50
_LIMIT_TABLES = ("limits",)
_LIMIT_KEYS = ("max_", "min_", "throttle", "collar", "legged", "slippage", "ttl", "order_timeout", "units")


class About(NamedTuple):
    """What the caller knows of build, versions and machine."""

    build: str
    """The git commit of the code that measured, "unknown" where there is none."""
    version: str
    versions: Mapping[str, str]
    machine: Mapping[str, str | int]


class Slipped(NamedTuple):
    """A pair trade that lost more than its budget."""

    run: str
    trade: TradeStory
    budget_e9: int
    file: str
    """The page of its own."""


def document(
    about: About,
    runs: Sequence[RunEvidence],
    tests: Sequence[LoadTest],
    judged: Sequence[Judged],
    evidence: Sequence[EvidenceFile],
    *,
    criteria: Sequence[Criterion],
    stage: str,
    approver: Approver,
    at_utc_ns: int,
    open_points: Sequence[str],
) -> dict[str, Any]:
    """Everything that is signed but the digests of the page and its files.

    `criteria` are all that were given, those of later stages included.
    """
    return {
        "format": FORMAT,
        "product": PRODUCT,
        "build": about.build,
        "version": about.version,
        "versions": dict(about.versions),
        "machine": {key: str(value) for key, value in about.machine.items()},
        "stage": stage,
        "verdict": overall(judged).value,
        "runs": [_run(one) for one in runs],
        "load_tests": [_test(one) for one in tests],
        "criteria": [_criterion(one) for one in judged],
        "deviations": [
            {"id": one.id, "less": one.less, **_both(one.text)} for one in deviations(criteria, load_criteria(), stage)
        ],
        "not_asked": [one.id for one in criteria if STAGES.index(one.stage) > STAGES.index(stage)],
        "beside": beside(runs),
        "limits": limits(runs),
        "slipped": [_slipped(one) for one in slipped(runs)],
        "open_points": [_both(one) for one in [*open_points, *_open_points(runs, tests, judged)]],
        "evidence": [one._asdict() for one in evidence],
        "approver": approver._asdict(),
        "date": _utc(at_utc_ns),
    }


def canonical(content: Mapping[str, Any]) -> bytes:
    """The bytes that are signed."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def found_text(criterion: Criterion, value: float | None) -> str:
    """A figure in the unit of its criterion."""
    if value is None:
        return "-"
    if criterion.kind is Kind.SHARE:
        return f"{100 * value:.3f} %"
    if criterion.kind is Kind.RATE:
        return f"{1000 * value:.2f} / 1000"
    ns = round(value)
    text = duration(ns).replace("\N{EN DASH}", "-")
    if ns != criterion.bound and text == duration(criterion.bound):
        return f"{ns:,} ns"  # rounded it would read as the bound, on whichever side of it it is
    return text


def slipped(runs: Sequence[RunEvidence]) -> list[Slipped]:
    """The trades that lost more than their budget, in order of run and trade."""
    found: list[Slipped] = []
    for run in runs:
        for trade in measure.over_budget(run.story, run.site.budgets_e9):
            last = trade.last
            if last is not None:
                budget_e9 = run.site.budgets_e9[last.pair_id] * max(last.hedged_units, 1)
                word = "".join(
                    char if char.isalnum() or char in "-_" else "_" for char in f"{run.name}-{trade.trade_id}"
                )
                file = f"slippage-{word}.html"
                if any(one.file == file for one in found):  # two names may come to one word
                    file = f"slippage-{word}-{len(found) + 1}.html"
                found.append(Slipped(run.name, trade, budget_e9, file))
    return found


def action_taken(trade: TradeStory) -> str:
    """What was done about a pair trade beyond its first orders, in words of its journal."""
    repairs = [story for story in trade.orders if not story.is_first_of_leg]
    last = trade.last
    cause = last.cause if last is not None and last.cause else "-"
    return told("{} repair orders, ended {}, cause {}", len(repairs), told(trade.outcome), cause)


def limits(runs: Sequence[RunEvidence]) -> list[dict[str, str]]:
    """Limits of the runs' site files: the whole installation's, and those of pairs, rules and instruments.

    Where runs differ in one, each value stands there with the runs that had it.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for run in runs:
        for key, value in _limits_of(run):
            found.setdefault(key, {}).setdefault(value, []).append(run.name)
    rows = []
    for key, values in found.items():
        same = len(values) == 1 and len(next(iter(values.values()))) == len(runs)
        rows += [{"key": key, "value": value if same else f"{value} ({', '.join(names)})"}
                 for value, names in values.items()]  # fmt: skip
    return rows


def _limits_of(run: RunEvidence) -> Iterator[tuple[str, str]]:
    try:
        site = tomllib.loads(run.site_text)
    except tomllib.TOMLDecodeError:
        return
    for table in _LIMIT_TABLES:
        for key, value in site.get(table, {}).items():
            yield f"{table}.{key}", _plain(value)
    for table in ("pair", "rule", "instrument"):
        for row in site.get(table, []):
            for key, value in row.items():
                if key.startswith(_LIMIT_KEYS):
                    yield f"{table} {row.get('id', '?')}: {key}", _plain(value)


def _plain(value: object) -> str:
    """A value of a site file as a person would write it."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return str(value)


def beside(runs: Sequence[RunEvidence]) -> list[dict[str, Any]]:
    """What stands beside the criteria, for each network profile: first shot, and what our own gate refused."""
    groups: dict[str, list[RunEvidence]] = {}
    for run in runs:
        way = ", ".join(f"{name} {profile or '?'}" for name, profile in sorted(run.networks.items())) or "?"
        groups.setdefault(way, []).append(run)
    return [{"network": way, **_beside(group)} for way, group in groups.items()]


def _beside(runs: Sequence[RunEvidence]) -> dict[str, Any]:
    shares: dict[str, list[int]] = {}
    refused: Counter[str] = Counter()
    for run in runs:
        for name, share in (
            ("order_acceptance", measure.order_success(run.story)["trades"]),
            ("pair_completion", measure.pair_completion(run.story, run.site.budgets_e9)),
            ("first_shot", measure.first_shot(run.story)),
        ):
            total = shares.setdefault(name, [0, 0])
            total[0] += share["count"]
            total[1] += share["of"]
        refused.update(measure.refusals(run.story))
    return {
        "intents": sum(len(run.story.intents) for run in runs),
        **{name: f"{part} / {whole}" for name, (part, whole) in shares.items()},
        "refused": [f"{name} {count}" for name, count in refused.most_common()],
    }


def _run(run: RunEvidence) -> dict[str, Any]:
    opened = run.story.opened
    return {
        "name": run.name,
        "path": str(run.run_dir),
        "build": sorted({one.build for one in opened}),
        "version": sorted({one.version for one in opened}),
        "config": sorted({one.site_digest for one in opened}),
        "hosts": sorted({one.host for one in opened}),
        "incarnations": len(opened),
        "pair_trades": len(run.story.trades),
        "networks": run.networks,
        "started": _utc(opened[0].utc_ns) if opened else "-",
    }


def _test(test: LoadTest) -> dict[str, Any]:
    return {
        "name": test.name,
        "path": str(test.path),
        "requests": test.requests,
        "failures": test.failures,
        "p99": duration(test.p99_ns).replace("\N{EN DASH}", "-"),
        "against": test.against._asdict(),
    }


def _criterion(one: Judged) -> dict[str, Any]:
    criterion, found = one.criterion, one.interval
    return {
        "id": criterion.id,
        "en": criterion.en,
        "zh": criterion.zh,
        "measure": criterion.measure,
        "kind": criterion.kind.value,
        "bound": criterion.bound_text if criterion.kind is not Kind.NONE else "0",
        "confidence": criterion.confidence,
        "percentile": criterion.percentile,
        "least": criterion.least,
        "stage": criterion.stage,
        "evidence": criterion.evidence.value,
        "exact": _exact(one),
        "left_out": one.measured.left_out,
        "blocks": _blocks(one),
        "verdict": one.verdict.value,
        "found": _found(one, found),
        "interval": _ends(criterion, found),
        "size": one.size,
        "needed": one.needed if one.verdict is Verdict.NOT_ENOUGH else 0,
        "why": _both(one.why),
        "findings": [_both(text) for text in one.measured.findings[:_MOST_FINDINGS]],
        "more_findings": max(0, len(one.measured.findings) - _MOST_FINDINGS),
    }


def _exact(one: Judged) -> dict[str, int]:
    """The figure without rounding: whole nanoseconds, or the count of the whole."""
    kind, found = one.criterion.kind, one.interval
    if kind in {Kind.SHARE, Kind.RATE}:
        return {"part": one.measured.part, "whole": one.measured.whole}
    if kind is Kind.NONE or found is None:
        return {}
    ends = {"value_ns": found.value, "low_ns": found.low, "high_ns": found.high}
    return {key: round(value) for key, value in ends.items() if value is not None}


def by_blocks(one: Judged) -> Blocks | None:
    """What the interval of a share would be if pair trades of one minute had something in common."""
    return block_interval(one.measured.blocks, one.criterion.confidence) if one.measured.blocks else None


def _blocks(one: Judged) -> dict[str, Any]:
    found = by_blocks(one)
    if found is None:
        return {}
    return {
        "blocks": found.blocks,
        "worth": f"{found.worth:.1f}",
        "interval": _ends(one.criterion, found.interval),
        "holds": _holds(one.criterion, found.interval),
        "worst": one.measured.part in {0, one.measured.whole},
    }


def _holds(criterion: Criterion, found: Interval) -> bool:
    bound = criterion.bound / MILLION
    if criterion.kind is Kind.RATE:
        return found.high is not None and found.high <= bound
    return found.low is not None and found.low >= bound


def _found(one: Judged, found: Interval | None) -> str:
    if one.criterion.kind is Kind.NONE:
        return str(len(one.measured.findings)) if one.size or one.measured.findings else "-"
    return found_text(one.criterion, None if found is None else found.value)


def _ends(criterion: Criterion, found: Interval | None) -> str:
    if found is None or criterion.kind in {Kind.NONE, Kind.DURATION, Kind.LONGEST}:
        return ""
    return f"{found_text(criterion, found.low)} .. {found_text(criterion, found.high)}"


def _slipped(one: Slipped) -> dict[str, Any]:
    last = one.trade.last
    return {
        "run": one.run,
        "trade": one.trade.trade_id,
        "pair": last.pair_id if last else "",
        "slippage": money(last.slippage_e9).replace("\N{MINUS SIGN}", "-") if last else "",
        "budget": money(one.budget_e9),
        "action": _both(action_taken(one.trade)),
        "file": one.file,
    }


def _open_points(runs: Sequence[RunEvidence], tests: Sequence[LoadTest], judged: Sequence[Judged]) -> list[str]:
    points: list[str] = [
        told("criterion {}: {}", one.criterion.id, told(one.verdict.value))
        for one in judged
        if one.verdict not in {Verdict.PASS, Verdict.NOT_APPLICABLE}
    ]
    points += [text for one in judged for text in _in_bursts(one)]
    points += [_torn(torn) for run in runs for torn in run.torn]
    points += [text for run in runs for text in open_points_of(run)]
    return [*points, *differences(runs, tests)]


def _in_bursts(one: Judged) -> list[str]:
    """A pass that rests on trades being independent, though those that failed came together."""
    found = by_blocks(one)
    mixed = found is not None and 0 < one.measured.part < one.measured.whole
    if found is None or not mixed or one.verdict is not Verdict.PASS or _holds(one.criterion, found.interval):
        return []
    words = told(
        "criterion {}: what did not count came in bursts; by minutes {} pair trades are worth {}; {} proves nothing",
        one.criterion.id,
        one.measured.whole,
        f"{found.worth:.0f}",
        _ends(one.criterion, found.interval),
    )
    return [words]


def _torn(torn: TornTail) -> str:
    name = torn.name.rpartition("/")[2]
    return told("{}: torn tail of {} bytes at byte {}: what a kill left over", name, torn.torn_bytes, torn.offset)


def _both(text: str) -> dict[str, str]:
    return {EN: said(text, EN), ZH: said(text, ZH)}


def _utc(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // _NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S")
