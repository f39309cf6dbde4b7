"""What a sign-off says, as plain data: what was accepted, on what evidence, with which result, by whom.

The document is what is signed: every word of it as canonical JSON (keys in order, no spaces, UTF-8). The page and the
PDF show it and are bound to it by their digests. It decides nothing; `judge.py` did.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from acceptance.criteria import Criterion, Kind
from acceptance.evidence import EvidenceFile, LoadTest, RunEvidence
from acceptance.judge import Judged, Verdict, overall
from acceptance.signing import Approver
from acceptance.statistics import Interval
from gateway.journal import measure
from gateway.journal.fold import TradeStory
from gateway.journal.frame import TornTail
from gateway.journal.told import EN, ZH, said, told
from gateway.journal.units import duration, money

FORMAT = 1
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
    stage: str,
    approver: Approver,
    at_utc_ns: int,
    open_points: Sequence[str],
) -> dict[str, Any]:
    """Everything that is signed but the digests of the page and its files."""
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
        "load_tests": [one.name for one in tests],
        "criteria": [_criterion(one) for one in judged],
        "limits": limits(runs),
        "slipped": [_slipped(one) for one in slipped(runs)],
        "open_points": [_both(one) for one in [*open_points, *_open_points(runs, judged)]],
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
    return duration(round(value)).replace("\N{EN DASH}", "-")


def slipped(runs: Sequence[RunEvidence]) -> list[Slipped]:
    """The trades that lost more than their budget, in order of run and trade."""
    found = []
    for run in runs:
        for trade in measure.over_budget(run.story, run.site.budgets_e9):
            last = trade.last
            if last is not None:
                budget_e9 = run.site.budgets_e9[last.pair_id] * max(last.hedged_units, 1)
                word = "".join(
                    char if char.isalnum() or char in "-_" else "_" for char in f"{run.name}-{trade.trade_id}"
                )
                found.append(Slipped(run.name, trade, budget_e9, f"slippage-{word}.html"))
    return found


def action_taken(trade: TradeStory) -> str:
    """What was done about a pair trade beyond its first orders, in words of its journal."""
    repairs = [story for story in trade.orders if not story.is_first_of_leg]
    last = trade.last
    cause = last.cause if last is not None and last.cause else "-"
    return told("{} repair orders, ended {}, cause {}", len(repairs), told(trade.outcome), cause)


def limits(runs: Sequence[RunEvidence]) -> list[dict[str, str]]:
    """Limits of the runs' site files: the whole installation's, and those of pairs, rules and instruments."""
    found: dict[str, str] = {}
    for run in runs:
        try:
            site = tomllib.loads(run.site_text)
        except tomllib.TOMLDecodeError:
            continue
        for table in _LIMIT_TABLES:
            for key, value in site.get(table, {}).items():
                found[f"{table}.{key}"] = str(value)
        for table in ("pair", "rule", "instrument"):
            for row in site.get(table, []):
                for key, value in row.items():
                    if key.startswith(_LIMIT_KEYS):
                        found[f"{table} {row.get('id', '?')}: {key}"] = str(value)
    return [{"key": key, "value": value} for key, value in found.items()]


def _run(run: RunEvidence) -> dict[str, Any]:
    opened = run.story.opened
    return {
        "name": run.name,
        "version": sorted({one.version for one in opened}),
        "config": sorted({one.site_digest for one in opened}),
        "hosts": sorted({one.host for one in opened}),
        "incarnations": len(opened),
        "pair_trades": len(run.story.trades),
        "networks": run.networks,
        "started": _utc(opened[0].utc_ns) if opened else "-",
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
        "verdict": one.verdict.value,
        "found": _found(one, found),
        "interval": _ends(criterion, found),
        "size": one.size,
        "needed": one.needed if one.verdict is Verdict.NOT_ENOUGH else 0,
        "why": _both(one.why),
        "findings": [_both(text) for text in one.measured.findings[:_MOST_FINDINGS]],
        "more_findings": max(0, len(one.measured.findings) - _MOST_FINDINGS),
    }


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


def _open_points(runs: Sequence[RunEvidence], judged: Sequence[Judged]) -> list[str]:
    points: list[str] = [
        told("criterion {}: {}", one.criterion.id, told(one.verdict.value))
        for one in judged
        if one.verdict not in {Verdict.PASS, Verdict.NOT_APPLICABLE}
    ]
    points += [_torn(torn) for run in runs for torn in run.torn]
    versions = sorted({one.version for run in runs for one in run.story.opened})
    if len(versions) > 1:
        points.append(told("the runs were made by different versions: {}", ", ".join(versions)))
    sites = {one.site_digest for run in runs for one in run.story.opened}
    if len(sites) > 1:
        points.append(told("the runs were made with {} different site files", len(sites)))
    return points


def _torn(torn: TornTail) -> str:
    name = torn.name.rpartition("/")[2]
    return told("{}: torn tail of {} bytes at byte {}: what a kill left over", name, torn.torn_bytes, torn.offset)


def _both(text: str) -> dict[str, str]:
    return {EN: said(text, EN), ZH: said(text, ZH)}


def _utc(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // _NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S")
