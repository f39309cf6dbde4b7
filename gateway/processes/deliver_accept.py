"""`cmc deliver accept | verify`: the signed acceptance report from the command line.

It reads what was asked for, hands it to `acceptance/`, and tells what came of it. Exit codes: 0 every criterion passed
(or the report is whole), 1 not every one did, or the evidence, the report or the approver was refused, 2 a wrong call.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.journal.told import environment_language, joined, said, told, told_by
from gateway.processes.build_id import BUILD

if TYPE_CHECKING:
    from acceptance.accept import Accepted
    from acceptance.deviations import Deviation
    from acceptance.document import About
    from acceptance.evidence import RunEvidence
    from acceptance.signing import Approver

OK, FAILED, WRONG_CALL = 0, 1, 2
PACKAGES = ("quickfix-tls", "pyzmq", "msgspec", "pydantic", "cryptography", "reportlab")
_GIT_S = 10


def register(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both commands."""
    text = "Judge runs by the criteria and write the signed report (docs/ACCEPTANCE.md)."
    accept = steps.add_parser("accept", help=text, description=text)
    accept.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders of runs")
    accept.add_argument("--loadtest", action="append", type=Path, default=[], metavar="FILE", help="load-test results")
    accept.add_argument("--criteria", type=Path, default=None, metavar="FILE", help="default: the product's own")
    accept.add_argument("--stage", default="full", help="shadow, canary, limited or full (default)")
    accept.add_argument("--approver", required=True, metavar="NAME", help="who signs")
    accept.add_argument("--key", required=True, type=Path, metavar="FILE", help="the approver's private key")
    accept.add_argument("--open-points", type=Path, default=None, metavar="FILE", help="one a line; # begins a comment")
    accept.add_argument(
        "--font", type=Path, default=None, metavar="FILE", help="TrueType font with Chinese, for the PDF"
    )
    accept.add_argument("--out", type=Path, default=None, metavar="DIR", help="default: acceptance-TIME beside the run")
    accept.add_argument("--json", action="store_true", help="one JSON document on standard output")
    accept.set_defaults(handler=_accept)
    text = "Check that a signed report, its files and its evidence are unchanged, and who signed it."
    verify = steps.add_parser("verify", help=text, description=text)
    verify.add_argument("report", type=Path, metavar="REPORT", help="acceptance.html, or the folder that holds it")
    verify.add_argument("--again", action="store_true", help="measure everything again from the evidence, and compare")
    verify.add_argument("--json", action="store_true", help="the signed document on standard output")
    verify.set_defaults(handler=_verify)
    for one in (accept, verify):
        one.add_argument(
            "--approvers",
            action="append",
            type=Path,
            default=[],
            metavar="FILE",
            help="site file, plan or other TOML file with [[approver]]; default: $CMC_SITE, else ./site.toml",
        )


def _accept(parsed: argparse.Namespace) -> int:
    return _guarded(lambda: _write_report(parsed))


def _write_report(parsed: argparse.Namespace) -> int:
    from acceptance import accept as acceptance  # noqa: PLC0415 a command loads what it needs
    from acceptance import signing  # noqa: PLC0415
    from acceptance.criteria import STANDARD, load_criteria  # noqa: PLC0415
    from acceptance.deviations import deviations  # noqa: PLC0415
    from acceptance.evidence import read_loadtest  # noqa: PLC0415
    from gateway.processes import accept_runs, clock, key_password  # noqa: PLC0415

    criteria = parsed.criteria or STANDARD
    rows = load_criteria(criteria)
    approver = signing.known(_approvers(parsed.approvers), parsed.approver)
    key = signing.read_key(parsed.key, key_password.of_key)
    runs = accept_runs.read(parsed.runs)
    at_utc_ns = clock.utc_ns()
    asked = acceptance.Asked(
        runs,
        [read_loadtest(path) for path in parsed.loadtest],
        rows,
        [criteria],
        parsed.stage,
        approver,
        _points(parsed.open_points),
        parsed.font,
    )
    folder = parsed.out or parsed.runs[0].resolve().parent / f"acceptance-{at_utc_ns // 10**9}"
    _refuse_place(folder, [run.run_dir for run in runs])
    accepted = acceptance.accept(asked, key, about(runs), folder, at_utc_ns)
    _tell(accepted, deviations(rows, load_criteria(), parsed.stage), as_json=parsed.json)
    return OK if accepted.verdict == "pass" else FAILED


def _refuse_place(folder: Path, runs: "Sequence[Path]") -> None:
    """A signed report is not written over, and none is written where evidence lies."""
    from acceptance.accept import REPORT_FILE  # noqa: PLC0415
    from acceptance.evidence import PARTS, EvidenceError  # noqa: PLC0415

    if (folder / REPORT_FILE).exists():
        message = told("{}: holds a signed report already; name another folder", folder)
        raise EvidenceError(message)
    place = folder.resolve()
    for run in runs:
        if any(place.is_relative_to(run.resolve() / part) for part in PARTS):
            message = told("{}: lies in the evidence of run {}; name another folder", folder, run)
            raise EvidenceError(message)


def _tell(accepted: "Accepted", differ: "Sequence[Deviation]", *, as_json: bool) -> None:
    if as_json:
        rows = [{"id": one.criterion.id, "verdict": one.verdict.value, "why": one.why} for one in accepted.judged]
        content = {"report": str(accepted.path), "verdict": accepted.verdict.value, "criteria": rows,
                   "deviations": [one.text for one in differ]}  # fmt: skip
        print(json.dumps(content, ensure_ascii=False, indent=1))  # noqa: T201 the command's answer
        return
    for one in accepted.judged:
        name, verdict = one.criterion.id, told(one.verdict.value)
        _say(told("{}: {} ({})", name, verdict, one.why) if one.why else told("{}: {}", name, verdict))
    for each in differ:
        _say(told("not the product's own criteria: {}", each.text))
    _say(told("{}: {}", told(accepted.verdict.value), accepted.path))


def _verify(parsed: argparse.Namespace) -> int:
    return _guarded(lambda: _check_report(parsed))


def _check_report(parsed: argparse.Namespace) -> int:
    from acceptance import accept as acceptance  # noqa: PLC0415
    from acceptance import again  # noqa: PLC0415
    from gateway.processes import accept_runs  # noqa: PLC0415

    content = acceptance.verify(parsed.report, _approvers(parsed.approvers))
    if parsed.again:
        folder = parsed.report if parsed.report.is_dir() else parsed.report.parent
        if found := again.differences(content, folder, partial(accept_runs.read, tell_build=False)):
            message = told("{}: signed, but not what its evidence says:\n{}", parsed.report, joined("\n", found))
            raise acceptance.RefusedError(message)
    if parsed.json:
        print(json.dumps(content, ensure_ascii=False, indent=1))  # noqa: T201 the command's answer
        return OK
    files = len(content["evidence"]) + len(content["files"])
    who, date, verdict = content["approver"]["name"], content["date"], told(content["verdict"])
    _say(told("whole: signed by {} on {} UTC, verdict {}, {} files unchanged", who, date, verdict, files))
    if less := [one for one in content.get("deviations", []) if one["less"]]:
        _say(told("its criteria ask for less than the product's own: {}", ", ".join(one["en"] for one in less)))
    if parsed.again:
        _say(told("measured again from its evidence: the same"))
    return OK


def about(runs: "Sequence[RunEvidence]") -> "About":
    """Build, versions and machine; the runs' own version where they have one."""
    from acceptance.document import About  # noqa: PLC0415
    from gateway.processes import build_id as code  # noqa: PLC0415
    from gateway.processes import machine  # noqa: PLC0415

    versions = {name: version for name in PACKAGES if (version := _installed(name))}
    versions["python"] = sys.version.partition(" ")[0]
    versions["code"] = code.build_id()
    opened = [one.version for run in runs for one in run.story.opened]
    return About(build_id(), opened[-1] if opened else machine.version(), versions, machine.describe())


def build_id() -> str:
    """The commit of the code that runs, with a mark where files of it were changed; "unknown" outside a clone."""
    given = os.environ.get(BUILD)
    if given:
        return given
    git, root = shutil.which("git"), Path(__file__).parents[2]
    if git is None or not (root / ".git").exists():
        return "unknown"
    commit = _git(git, root, "rev-parse", "HEAD")
    changed = _git(git, root, "status", "--porcelain", "--untracked-files=no")
    return commit + ("+changed" if changed else "") if commit else "unknown"


def _git(git: str, root: Path, *words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - git, by its path, with fixed words
            [git, "-C", str(root), *words], capture_output=True, text=True, timeout=_GIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _approvers(paths: Sequence[Path]) -> "list[Approver]":
    from acceptance.signing import read_approvers  # noqa: PLC0415
    from gateway.processes.site_open import site_path  # noqa: PLC0415

    return read_approvers(paths or [site_path(None)])


def _points(path: Path | None) -> list[str]:
    from acceptance.evidence import EvidenceError  # noqa: PLC0415

    if path is None:
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = told("--open-points {}: no text file that can be read", path)
        raise EvidenceError(message) from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _guarded(command: Callable[[], int]) -> int:
    from acceptance.accept import RefusedError  # noqa: PLC0415
    from acceptance.criteria import CriteriaError  # noqa: PLC0415
    from acceptance.evidence import EvidenceError  # noqa: PLC0415
    from acceptance.pdf import PdfError  # noqa: PLC0415
    from acceptance.signing import SigningError  # noqa: PLC0415

    try:
        return command()
    except (RefusedError, SigningError) as error:
        _complain(told("refused: {}", told_by(error)))
        return FAILED
    except (CriteriaError, EvidenceError, PdfError, OSError) as error:
        _complain(told_by(error))
        return WRONG_CALL


def _complain(text: str) -> None:
    print(_in(text), file=sys.stderr)  # noqa: T201 a command line speaks


def _say(text: str) -> None:
    print(_in(text))  # noqa: T201 the command's answer


def _in(text: str) -> str:
    return said(text, environment_language())
