"""Runs as acceptance takes them: read, with a name each, and held against what execution itself kept of its settings.

A run's site.toml says what a slippage budget or a limit of legged time was; it is a copy that anybody can edit. What
execution decided by is kept beside it (`settings/`), under the digest that its journal opens with. Where the two differ
in what completion is judged by, or where nothing was kept and the file is no longer that of the journal, nothing can be
measured: a fault. A run of another build than the one that judges is told in the report.
"""

from collections.abc import Sequence
from pathlib import Path

from acceptance.evidence import RunEvidence, read_runs
from gateway.execution.ledger import ExecutionSettings
from gateway.journal.reader import EXECUTION
from gateway.journal.site_facts import SITE_FILE
from gateway.journal.told import told, told_by
from gateway.processes.build_id import build_id
from gateway.processes.kept_settings import KeptSettingsError, read_kept, read_settings


def read(run_dirs: Sequence[Path], *, tell_build: bool = True) -> list[RunEvidence]:
    """The runs, each held against what it kept; `tell_build`: note where another build than this one made it."""
    runs = read_runs(run_dirs)
    for run in runs:
        if not run.faults:
            _hold_against_kept(run)
            if tell_build:
                _judged_by_another(run)
        if run.faults:
            run.forget()
    return runs


def _hold_against_kept(run: RunEvidence) -> None:
    for opened in run.story.opened:
        try:
            kept = read_kept(run.run_dir, opened.site_digest, opened.incarnation, EXECUTION, ExecutionSettings)
            settings, words = (kept, "") if kept else read_settings(run.run_dir, opened.site_digest, opened.incarnation)
        except KeptSettingsError as error:
            _add(run.faults, told("{}: {}", run.name, told_by(error)))
            continue
        if words:
            _add(run.faults, told("{}: {}", run.name, words))
        _compare(run, settings)


def _compare(run: RunEvidence, settings: ExecutionSettings) -> None:
    decided = {name: one.slippage_budget_e9 for name, one in settings.pairs.items()}
    for name in sorted(decided.keys() | run.site.budgets_e9.keys()):
        if decided.get(name, 0) != run.site.budgets_e9.get(name, 0):
            fault = told("{}: {} says a slippage budget of {} for pair {}, but execution decided by {}", run.name,
                         SITE_FILE, str(run.site.budgets_e9.get(name)), name, str(decided.get(name)))  # fmt: skip
            _add(run.faults, fault)


def _judged_by_another(run: RunEvidence) -> None:
    here = build_id()
    others = sorted({one.build for one in run.story.opened if one.build and one.build != here})
    if others:
        _add(run.notes, told("made by build {}, judged by build {}", ", ".join(others), here))


def _add(listed: list[str], words: str) -> None:
    if words not in listed:
        listed.append(words)
