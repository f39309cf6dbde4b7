"""All figures of a run in one JSON file, `summary.json`, for programs; `report.html` shows the same to people.

Reads journals, site file and the venues' truth of a run directory and nothing else; what the caller knows beside them
(seed, tape, machine) it hands in, and a later summary of the same run keeps it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.journal.fold import RunStory, fold
from gateway.journal.frame import TornTail
from gateway.journal.in_step import measure_in_step, read_venue_clocks
from gateway.journal.measure import (
    alarms,
    first_shot,
    latencies,
    order_counts,
    order_success,
    pair_completion,
    refusals,
    slippage,
    trade_counts,
)
from gateway.journal.reader import EXECUTION, JOURNAL_FOLDER, read_run, require_run
from gateway.journal.reconcile import Reconciliation, compare
from gateway.journal.site_facts import SiteFacts, read_site_facts
from gateway.journal.statistics import distribution
from gateway.journal.truth import read_truth
from gateway.journal.verdict import judge

SUMMARY_FILE = "summary.json"
SUMMARY_VERSION = 1
_GIVEN = ("seed", "tape", "tape_label", "network", "machine")


@dataclass(slots=True)
class Run:
    """A run directory, read."""

    run_dir: Path
    story: RunStory
    site: SiteFacts
    reconciliation: Reconciliation
    torn: list[TornTail] = field(default_factory=list)


def read(run_dir: Path) -> Run:
    """Read a run directory; RunNotFoundError where it is none."""
    require_run(run_dir)
    torn: list[TornTail] = []
    story = fold(read_run(run_dir, EXECUTION, on_torn=torn.append))
    site = read_site_facts(run_dir)
    return Run(run_dir, story, site, compare(story, read_truth(run_dir), site), torn)


def summarise(  # noqa: D417 - the rest is carried into the file as it is
    run_dir: Path,
    *,
    seed: int | None = None,
    tape: str | None = None,
    tape_label: str | None = None,
    network: Mapping[str, str] | None = None,
    machine: Mapping[str, str | int] | None = None,
) -> dict[str, Any]:
    """Write `summary.json` into the run directory and give what it holds.

    Args:
        run_dir: holds journal/, truth/ and site.toml.
    """
    given = {"seed": seed, "tape": tape, "tape_label": tape_label, "network": network, "machine": machine}
    summary = figures(read(run_dir), given)
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    (run_dir / SUMMARY_FILE).write_text(text + "\n", encoding="utf-8")
    return summary


def figures(run: Run, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the whole summary of a run that has been read."""
    story, reconciliation = run.story, run.reconciliation
    in_step = measure_in_step(story.intents, read_venue_clocks(run.run_dir))
    summary = {
        "version": SUMMARY_VERSION,
        **_given(run.run_dir, given),
        "run": _about(story),
        "pair_trades": trade_counts(story),
        "orders": order_counts(story),
        **latencies(story),
        "order_success": order_success(story),
        "pair_completion": pair_completion(story, run.site.budgets_e9),
        "first_shot": first_shot(story),
        "slippage_e9": _slippage(story, run.site),
        "intents": len(story.intents),
        "refusals": refusals(story),
        "alarms": alarms(story),
        "quotes_in_step_ns_p99": in_step.p99_ns,
        "quotes_in_step": {"count": in_step.decisions, "why": in_step.why},
        "reconciled_with_venues": reconciliation.equal,
        "reconciliation": {
            "venues": reconciliation.venues,
            "orders": reconciliation.orders,
            "fills": reconciliation.fills,
            "positions": reconciliation.positions,
            "not_compared": reconciliation.not_compared,
            "notes": reconciliation.notes,
        },
        "differences": [difference._asdict() for difference in reconciliation.differences],
        "torn_tails": [torn._asdict() for torn in run.torn],
        "percentiles": "exact, nearest rank",
        "interval": "Clopper-Pearson, two-sided 95 %, over pair trades",
        "files": _files(run.run_dir),
    }
    return {**summary, "verdict": judge(summary)}


def _given(run_dir: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the caller knows; what it does not, the run's former summary may."""
    former: dict[str, Any] = {}
    path = run_dir / SUMMARY_FILE
    if path.exists():
        try:
            former = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            former = {}
    return {name: given.get(name) if given.get(name) is not None else former.get(name) for name in _GIVEN}


def _about(story: RunStory) -> dict[str, Any]:
    opened = story.opened
    return {
        "incarnations": [first.incarnation for first in opened],
        "host": opened[0].host if opened else "",
        "boot_id": opened[0].boot_id if opened else "",
        "version": opened[0].version if opened else "",
        "site_digest": opened[0].site_digest if opened else "",
        "started_utc_ns": opened[0].utc_ns if opened else None,
        "duration_ns": max(story.last_ns - opened[0].monotonic_ns, 0) if opened and story.last_ns else 0,
        "decisions": story.decisions,
    }


def _slippage(story: RunStory, site: SiteFacts) -> dict[str, Any]:
    """Give sum and distribution by pair, in 1e-9 of its currency."""
    by_pair: dict[str, list[int]] = {}
    for _, pair_id, slippage_e9 in slippage(story):
        by_pair.setdefault(pair_id, []).append(slippage_e9)
    return {
        pair_id: {"currency": site.money_unit(pair_id), "sum": sum(sample), **distribution(sample)}
        for pair_id, sample in sorted(by_pair.items())
    }


def _files(run_dir: Path) -> list[dict[str, str | int]]:
    """Give every file of the run that figures were read from, with its size."""
    paths = sorted(run_dir.glob(f"{JOURNAL_FOLDER}/*")) + sorted(run_dir.glob("truth/*/*")) + [run_dir / "site.toml"]
    return [{"file": str(path.relative_to(run_dir)), "bytes": path.stat().st_size} for path in paths if path.is_file()]
