"""What figures are measured from: runs (journals, venues' truth, site file) and load-test files, with their digests.

A run is read whole, every journal of every process from its first record to its last. What does not read is a *fault*
of that run, and of a run with a fault nothing is measured: a report that leaves out what it could not read would be a
pass by default.

What can go wrong: a folder that is no run, a file that is absent or no load test: EvidenceError names it and what would
be right.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.fold import RunStory, fold
from gateway.journal.frame import CorruptJournalError, TornTail
from gateway.journal.reader import EXECUTION, JOURNAL_FOLDER, RunNotFoundError, journal_paths, read_journal, require_run
from gateway.journal.reconcile import Reconciliation, compare
from gateway.journal.site_facts import SITE_FILE, SiteFacts, SiteFactsError, read_site_facts
from gateway.journal.told import told, told_by
from gateway.journal.truth import TRUTH_FOLDER, TruthError, read_truth
from gateway.model.record import Decision, JournalRecord

LOADTEST = "loadtest"
_BLOCK = 1 << 20
_PARTS = (JOURNAL_FOLDER, TRUTH_FOLDER, "profiles")


class EvidenceError(Exception):
    """Evidence that is missing or is not what it should be; names the file and what would be right."""


class EvidenceFile(NamedTuple):
    """A file that figures were read from. `path` is as it was given, absolute."""

    path: str
    size_bytes: int
    sha256: str


class LoadTest(NamedTuple):
    """Latencies of clients under load, from due times (docs/ACCEPTANCE.md)."""

    name: str
    path: Path
    requests: int
    failures: int
    p99_ns: int


@dataclass(slots=True)
class RunEvidence:
    """A run, read. With `faults` its story is empty."""

    name: str
    run_dir: Path
    story: RunStory = field(default_factory=RunStory)
    site: SiteFacts = field(default_factory=SiteFacts)
    site_text: str = ""
    reconciliation: Reconciliation = field(default_factory=Reconciliation)
    networks: dict[str, str] = field(default_factory=dict)
    """Network profile of each simulated venue."""
    records: int = 0
    faults: list[str] = field(default_factory=list)
    torn: list[TornTail] = field(default_factory=list)


def read_evidence(run_dir: Path) -> RunEvidence:
    """Read a run; what does not read is a fault of it."""
    try:
        require_run(run_dir)
    except RunNotFoundError as error:
        raise EvidenceError(told_by(error)) from error
    run = RunEvidence(run_dir.name, run_dir)
    try:
        _read_all(run)
        run.story = fold(_counted(run))
        run.site = read_site_facts(run_dir)
        run.reconciliation = compare(run.story, read_truth(run_dir), run.site)
        run.networks = _networks(run_dir)
    except (CorruptJournalError, SiteFactsError, TruthError, OSError, tomllib.TOMLDecodeError) as error:
        run.faults.append(f"{run.name}: {error}")
    site = run_dir / SITE_FILE
    run.site_text = site.read_text(encoding="utf-8", errors="replace") if site.is_file() else ""
    if not run.site_text:
        run.faults.append(told("{}: holds no {}: limits and budgets are not known", run.name, SITE_FILE))
    if run.faults:
        run.story, run.reconciliation = RunStory(), Reconciliation()
    return run


def read_loadtest(path: Path) -> LoadTest:
    """Read a load-test file."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content["kind"] != LOADTEST:
            raise KeyError("kind")  # noqa: TRY301 - told below, with the file
        counts = (content["requests"], content["failures"], content["latency_ns"]["p99"])
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise KeyError("requests, failures, latency_ns.p99")  # noqa: TRY301 - as above
        return LoadTest(str(content["name"]), path, *counts)
    except OSError as error:
        message = told("{}: no such file that can be read", path)
        raise EvidenceError(message) from error
    except (ValueError, KeyError, TypeError) as error:
        message = told("{}: no load-test file: {}; docs/ACCEPTANCE.md says what one holds", path, error)
        raise EvidenceError(message) from error


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def evidence_files(runs: list[RunEvidence], tests: list[LoadTest], others: list[Path]) -> list[EvidenceFile]:
    """Every file that figures were read from, with its digest, in order of path."""
    paths = {path for run in runs for path in _files(run.run_dir)}
    paths |= {test.path for test in tests} | set(others)
    return [EvidenceFile(str(path.resolve()), path.stat().st_size, digest_of(path)) for path in sorted(paths)]


def _files(run_dir: Path) -> Iterator[Path]:
    for part in _PARTS:
        yield from (path for path in (run_dir / part).rglob("*") if path.is_file())
    if (run_dir / SITE_FILE).is_file():
        yield run_dir / SITE_FILE


def _read_all(run: RunEvidence) -> None:
    """Read every journal that is not execution's, for its faults alone."""
    own = set(journal_paths(run.run_dir, EXECUTION))
    for path in sorted((run.run_dir / JOURNAL_FOLDER).glob("*.journal")):
        if path not in own:
            for _ in read_journal(path, on_torn=run.torn.append):
                run.records += 1


def _counted(run: RunEvidence) -> Iterator[JournalRecord]:
    """Execution's records; a decision that is missing, or there twice, is a fault."""
    last = 0
    for path in journal_paths(run.run_dir, EXECUTION):
        for record in read_journal(path, on_torn=run.torn.append):
            run.records += 1
            if isinstance(record, Decision):
                if record.seq != last + 1:
                    run.faults.append(
                        told("{}: {}: decision {} follows decision {}", run.name, path.name, record.seq, last)
                    )
                last = record.seq
            yield record


def _networks(run_dir: Path) -> dict[str, str]:
    found = {}
    for path in sorted((run_dir / "profiles").glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        found[str(content.get("venue", {}).get("name", path.stem))] = str(content.get("network", {}).get("profile", ""))
    return found
