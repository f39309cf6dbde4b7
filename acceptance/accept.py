"""Acceptance from evidence to the signed report, and the check of such a report.

    runs, load tests -> evidence -> measured -> judged -> document -> page and PDF -> signature -> report
    report -> signature by a known approver -> page, PDF, pages and evidence unchanged

A run whose journal does not verify is refused: nothing is measured of it and nothing is signed. So is evidence that
counts anything twice. A report is written whatever the verdict is, fail included; what is signed says so. That a report
is whole says who signed which figures; that they are the evidence's figures is `again.py`'s matter.

What can go wrong, each refused by name: an unknown approver, another's key, a changed page, a missing or changed file.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from acceptance import pages, pdf, signing
from acceptance.criteria import CriteriaError, Criterion, asked_at, criteria_files
from acceptance.document import READABLE, About, canonical, document, slipped
from acceptance.evidence import EvidenceError, LoadTest, RunEvidence, digest_of, evidence_files
from acceptance.judge import Judged, Verdict, judge, overall
from acceptance.measured import MEASURES
from acceptance.overlap import overlaps
from gateway.journal.told import joined, told

REPORT_FILE, PDF_FILE = "acceptance.html", "acceptance.pdf"


class RefusedError(Exception):
    """No report is made, or a report is not what it says; names what is missing, changed or unknown."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be accepted, by whom."""

    runs: Sequence[RunEvidence]
    tests: Sequence[LoadTest]
    criteria: Sequence[Criterion]
    criteria_files: Sequence[Path]
    stage: str
    approver: signing.Approver
    open_points: Sequence[str] = ()
    font: Path | None = None
    other_evidence: Sequence[Path] = field(default_factory=tuple)


class Accepted(NamedTuple):
    """A report that was written."""

    path: Path
    verdict: Verdict
    judged: list[Judged]


def evaluate(
    runs: Sequence[RunEvidence], tests: Sequence[LoadTest], criteria: Sequence[Criterion], stage: str
) -> list[Judged]:
    """Every criterion that is asked at a stage, measured and judged."""
    if not runs:
        message = told("no run: at least one is needed")
        raise EvidenceError(message)
    judged = []
    for one in asked_at(list(criteria), stage):
        measure = MEASURES.get(one.measure)
        if measure is None:
            message = told(
                "criterion {}: measure {}: one of {}", one.id, repr(one.measure), ", ".join(sorted(MEASURES))
            )
            raise CriteriaError(message)
        judged.append(judge(one, measure(runs, tests)))
    return judged


def accept(asked: Asked, key: Any, about: About, folder: Path, at_utc_ns: int) -> Accepted:  # noqa: ANN401 - a key
    """Write the signed report into `folder`."""
    refuse_faults(asked.runs)
    refuse_overlaps(asked.runs, asked.tests)
    if signing.public_of(key) != asked.approver.public_key:
        message = told("the key is not that of {}: its public half is {}", asked.approver.name, signing.public_of(key))
        raise RefusedError(message)
    judged = evaluate(asked.runs, asked.tests, asked.criteria, asked.stage)
    folder.mkdir(parents=True, exist_ok=True)
    files = evidence_files(list(asked.runs), list(asked.tests), list(asked.other_evidence))
    near = [one._replace(path=os.path.relpath(one.path, folder.resolve())) for one in files]
    content = document(
        about,
        asked.runs,
        asked.tests,
        judged,
        near,
        criteria=asked.criteria,
        stage=asked.stage,
        approver=asked.approver,
        at_utc_ns=at_utc_ns,
        open_points=asked.open_points,
    )
    for one in (*content["runs"], *content["load_tests"]):
        one["path"] = os.path.relpath(Path(one["path"]).resolve(), folder.resolve())
    chain = list(dict.fromkeys(base for path in asked.criteria_files for base in criteria_files(path)))
    written = [_kept(path, number, folder) for number, path in enumerate(chain, 1)]
    for number, slip in enumerate(slipped(asked.runs), 1):
        (folder / slip.file).write_text(pages.render_slipped(slip, number), encoding="utf-8")
        written.append(slip.file)
    pdf.write_pdf(folder / PDF_FILE, content, judged, asked.font)
    content["files"] = {name: digest_of(folder / name) for name in [PDF_FILE, *written]}
    page = pages.render(content, judged)
    content["page_sha256"] = pages.digest(page)
    signature = signing.sign(key, canonical(content))
    path = folder / REPORT_FILE
    path.write_text(pages.with_signature(page, content, signature), encoding="utf-8")
    return Accepted(path, overall(judged), judged)


def refuse_faults(runs: Sequence[RunEvidence]) -> None:
    """A run with a fault is refused with all of them."""
    faults = [fault for run in runs for fault in run.faults]
    if faults:
        listed = joined("\n", faults)
        message = told("criterion journal: the evidence does not verify; nothing is signed:\n{}", listed)
        raise RefusedError(message)


def refuse_overlaps(runs: Sequence[RunEvidence], tests: Sequence[LoadTest]) -> None:
    """Evidence that would count anything twice is refused with what it is."""
    if twice := overlaps(runs, tests):
        message = told("the same would be counted twice; nothing is signed:\n{}", joined("\n", twice))
        raise RefusedError(message)


def verify(path: Path, approvers: Sequence[signing.Approver]) -> Mapping[str, Any]:
    """The document of a report that is whole and signed by a known approver; RefusedError otherwise."""
    path = path / REPORT_FILE if path.is_dir() else path
    page = _page(path)
    try:
        content, signature = pages.signed_block(page)
        name, key = str(content["approver"]["name"]), str(content["approver"]["public_key"])
        named, evidence, page_sha256 = dict(content["files"]), list(content["evidence"]), content["page_sha256"]
        signed = canonical(content)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = told("{}: no signed acceptance report", path)
        raise RefusedError(message) from error
    if content.get("format") not in READABLE:
        known = ", ".join(map(str, READABLE))
        message = told("{}: a report of format {}; this program knows {}", path, content.get("format"), known)
        raise RefusedError(message)
    try:
        approver = signing.known(approvers, name)
    except signing.SigningError as error:
        raise RefusedError(*error.args) from error
    if approver.public_key != key:
        message = told("{}: signed with {}, but the key of {} is {}", path, key, name, approver.public_key)
        raise RefusedError(message)
    if not signing.is_signed(approver.public_key, signed, signature):
        message = told("{}: the signature is not that of {} over this document: it was changed", path, name)
        raise RefusedError(message)
    if pages.digest(page) != page_sha256:
        message = told("{}: the page was changed after it was signed", path)
        raise RefusedError(message)
    wrong = [*_changed(path.parent, named), *_changed(path.parent, {one["path"]: one["sha256"] for one in evidence})]
    if wrong:
        message = told("{}: {}", path, joined("; ", wrong))
        raise RefusedError(message)
    return dict(content)


def _kept(path: Path, number: int, folder: Path) -> str:
    """A copy of a file of criteria, so that what was judged by stays with the report."""
    name = f"criteria-{number}.toml"
    (folder / name).write_bytes(path.read_bytes())
    return name


def _page(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = told("{}: no report that can be read", path)
        raise RefusedError(message) from error


def _changed(folder: Path, digests: Mapping[str, str]) -> list[str]:
    wrong: list[str] = []
    for name, digest in sorted(digests.items()):
        path = folder / name
        if not path.is_file():
            wrong.append(told("{} is missing", name))
        elif digest_of(path) != digest:
            wrong.append(told("{} was changed", name))
    return wrong
