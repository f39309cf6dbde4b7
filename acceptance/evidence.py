"""What figures are measured from: runs (journals, venues' truth, site file) and load-test files, with their digests.

A run is read whole, every journal of every process from its first record to its last. What does not read is a *fault*
of that run, and of a run with a fault nothing is measured: a report that leaves out what it could not read would be a
pass by default.

A link in a run's folder is a fault: what it leads to lies elsewhere, and may be another thing tomorrow. Files that have
changed between the first look at them and their digest (a run that goes on) are refused.

What can go wrong: a folder that is no run, a file that is absent or no load test: EvidenceError names it and what would
be right.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from acceptance.load_file import EvidenceError, LoadTest, read_loadtest
from gateway.journal.fold import RunStory, fold
from gateway.journal.frame import CorruptJournalError, TornTail
from gateway.journal.reader import EXECUTION, JOURNAL_FOLDER, RunNotFoundError, journal_paths, read_journal, require_run
from gateway.journal.reconcile import Reconciliation, compare
from gateway.journal.record_files import RECORD_FOLDER
from gateway.journal.site_facts import SITE_FILE, SiteFacts, SiteFactsError, read_site_facts
from gateway.journal.told import told, told_by
from gateway.journal.truth import TRUTH_FOLDER, TruthError, read_truth
from gateway.model.record import Decision, JournalOpened, JournalRecord

__all__ = [
    "PARTS",
    "EvidenceError",
    "EvidenceFile",
    "LoadTest",
    "RunEvidence",
    "digest_of",
    "evidence_files",
    "read_evidence",
    "read_loadtest",
    "read_runs",
]

_BLOCK = 1 << 20
PARTS = (JOURNAL_FOLDER, TRUTH_FOLDER, RECORD_FOLDER, "profiles", "settings", "rollout")
"""Folders of a run that are evidence, whole."""

Stamp = tuple[int, int]
"""Size of a file, and when it was changed last."""


class EvidenceFile(NamedTuple):
    """A file that figures were read from. `path` is as it was given, absolute."""

    path: str
    size_bytes: int
    sha256: str


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
    stamps: dict[Path, Stamp] = field(default_factory=dict)
    """Every file as it was before anything of it was read."""
    notes: list[str] = field(default_factory=list)
    """What is to be told of the run and fails nothing by itself."""

    def forget(self) -> None:
        """Of a run with a fault nothing is measured."""
        self.story, self.reconciliation = RunStory(), Reconciliation()


def read_evidence(run_dir: Path) -> RunEvidence:
    """Read a run; what does not read is a fault of it."""
    try:
        require_run(run_dir)
    except RunNotFoundError as error:
        raise EvidenceError(told_by(error)) from error
    run = RunEvidence(run_dir.resolve().name, run_dir, stamps={path: _stamp(path) for path in _files(run_dir)})
    run.faults += [told("{}: {} is a link; evidence lies in the run's own folder", run.name, one)
                   for one in _links(run_dir)]  # fmt: skip
    try:
        others = _read_all(run)
        run.story = fold(_counted(run))
        run.notes += _strangers(run.story.opened, others)
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
        run.forget()
    return run


def read_runs(run_dirs: Sequence[Path]) -> list[RunEvidence]:
    """Read several; each has a name of its own, by as much of its path as that takes."""
    runs = [read_evidence(path) for path in run_dirs]
    for run in runs:
        parts = run.run_dir.resolve().parts
        others = [one.run_dir.resolve().parts for one in runs if one is not run]
        length = 1
        while length < len(parts) and any(one[-length:] == parts[-length:] for one in others):
            length += 1
        run.name = "/".join(parts[-length:])
    return runs


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
    found = [EvidenceFile(str(path.resolve()), path.stat().st_size, digest_of(path)) for path in sorted(paths)]
    for run in runs:
        now = {path: _stamp(path) for path in _files(run.run_dir)}
        if moved := sorted(
            str(path) for path in now.keys() | run.stamps.keys() if now.get(path) != run.stamps.get(path)
        ):
            message = told("{}: changed while it was read: {}; is the run still going on?", run.name, ", ".join(moved))
            raise EvidenceError(message)
    return found


def _files(run_dir: Path) -> Iterator[Path]:
    for part in PARTS:
        yield from (path for path in (run_dir / part).rglob("*") if path.is_file())
    if (run_dir / SITE_FILE).is_file():
        yield run_dir / SITE_FILE


def _stamp(path: Path) -> Stamp:
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns


def _links(run_dir: Path) -> Iterator[str]:
    """Symbolic links among the parts of a run; below one nothing is looked at."""
    for part in (*PARTS, SITE_FILE):
        top = run_dir / part
        yield from (str(one.relative_to(run_dir)) for one in (top, *sorted(top.rglob("*"))) if one.is_symlink())


def _read_all(run: RunEvidence) -> dict[str, JournalOpened]:
    """Read every journal that is not execution's, for its faults; how each begins, by its name."""
    own = set(journal_paths(run.run_dir, EXECUTION))
    opened: dict[str, JournalOpened] = {}
    for path in sorted((run.run_dir / JOURNAL_FOLDER).glob("*.journal")):
        if path not in own:
            for record in read_journal(path, on_torn=run.torn.append):
                run.records += 1
                if isinstance(record, JournalOpened):
                    opened[path.name] = record
    return opened


def _strangers(own: Sequence[JournalOpened], others: dict[str, JournalOpened]) -> Iterator[str]:
    """Journals that execution's know nothing of: another site file, another boot or host. Of another run, perhaps."""
    sites, boots = {one.site_digest for one in own}, {(one.host, one.boot_id) for one in own}
    for name, one in others.items():
        if one.site_digest not in sites:
            yield told("{} was written under another site file than execution's journals", name)
        if (one.host, one.boot_id) not in boots:
            yield told("{} was written on another host, or after another start of it, than execution's journals", name)


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
