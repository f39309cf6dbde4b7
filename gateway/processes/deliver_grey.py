"""`cmc deliver grey` and `cmc deliver compare`: a rollout plan checked and put in force; two versions side by side.

The plan is checked against the site, signed by one of its approvers, kept with the run, and given to execution, which
begins at its first stage. `cmc stage` (`stage_command.py`) moves along it. Exit codes: 0 done, 1 refused, 2 a plan or
a call that is wrong.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.journal.told import environment_language, said, told, told_by

if TYPE_CHECKING:
    from acceptance.grey_plan import Plan
    from gateway.processes.settings import Site

OK, FAILED, WRONG_CALL = 0, 1, 2


def register(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both."""
    text = "Check a rollout plan; with --who and --key put it in force at its first stage (docs/DELIVERY.md)."
    grey = steps.add_parser("grey", help=text, description=text)
    grey.add_argument("plan", type=Path, metavar="PLAN", help="TOML, such as deploy/plans/demo.toml")
    grey.add_argument(
        "--site", type=Path, default=None, metavar="SITE", help="check the plan's names against this site"
    )
    grey.add_argument("--who", default="", help="approver of the plan who lets it begin")
    grey.add_argument("--key", type=Path, default=None, metavar="FILE", help="the approver's private key")
    grey.add_argument("--reason", default="", help="goes on record")
    grey.set_defaults(handler=_grey)
    text = "Compare two versions of the gateway that ran side by side on disjoint pairs."
    compare = steps.add_parser("compare", help=text, description=text)
    compare.add_argument("old", type=Path, metavar="OLD", help="run of the version in use")
    compare.add_argument("new", type=Path, metavar="NEW", help="run of the new version")
    compare.add_argument("--json", action="store_true", help="one JSON document on standard output")
    compare.set_defaults(handler=_compare)
    text = "All five steps on simulators, shortened but complete, with a signed report at the end."
    every = steps.add_parser("all", help=text, description=text)
    every.add_argument("--seed", type=int, default=7)
    every.add_argument("--stress-seconds", type=int, default=20, metavar="N", help="of each scenario (default 20)")
    every.add_argument("--full-seconds", type=int, default=420, metavar="N", help="at the last stage (default 420)")
    every.add_argument("--out", type=Path, default=Path("runs/acceptance"), metavar="DIR", help="a new folder")
    every.set_defaults(handler=_all)


def _all(parsed: argparse.Namespace) -> int:
    from gateway.processes import deliver_all  # noqa: PLC0415 a command loads what it needs

    return guarded(lambda: deliver_all.run(parsed))


def guarded(command: Callable[[], int]) -> int:
    """Refusals with 1, mistakes in files and calls with 2, each in words."""
    from acceptance.criteria import CriteriaError  # noqa: PLC0415 a command loads what it needs
    from acceptance.evidence import EvidenceError  # noqa: PLC0415
    from acceptance.grey_plan import PlanError  # noqa: PLC0415
    from acceptance.signing import SigningError  # noqa: PLC0415

    try:
        return command()
    except SigningError as error:
        _complain(told("refused: {}", told_by(error)))
        return FAILED
    except (PlanError, CriteriaError, EvidenceError) as error:
        _complain(told_by(error))
        return WRONG_CALL


def _grey(parsed: argparse.Namespace) -> int:
    return guarded(lambda: _put(parsed))


def _put(parsed: argparse.Namespace) -> int:
    from acceptance.grey_plan import load_plan, refuse_placeholders  # noqa: PLC0415
    from gateway.processes.site_open import load, site_path  # noqa: PLC0415

    plan = load_plan(parsed.plan)
    begins = bool(parsed.who or parsed.key or parsed.reason)
    site = load(site_path(parsed.site)) if parsed.site is not None or begins else None
    if site is not None:
        check_names(plan, site)
    for stage in plan.rollout.stages:
        _say(told("  {} ({})", stage.name, told(stage.kind)))
    refuse_placeholders(plan)
    if not begins or site is None:
        _say(told("plan {}: {} stages, {} approvers; it is not put in force without --who, --key and --reason",
                  plan.rollout.name, len(plan.stages), len(plan.approvers)))  # fmt: skip
        return OK
    return begin(plan, site, parsed.who, parsed.key, parsed.reason)


def check_names(plan: "Plan", site: "Site") -> None:
    """PlanError for a pair, venue, instrument or account that the site does not have."""
    from acceptance.grey_plan import PlanError  # noqa: PLC0415

    accounts = {one.spec.account for one in site.venues.values()} | {one.account for one in site.instruments.values()}
    for stage in plan.rollout.stages:
        for key, names, there in (
            ("pairs", stage.limits.pairs, list(site.pairs)),
            ("venues", stage.limits.venues, list(site.venues)),
            ("instruments", stage.limits.instruments, list(site.instruments)),
            ("accounts", stage.limits.accounts, sorted(accounts - {""})),
        ):
            unknown = [name for name in names if name not in there]
            if unknown:
                message = told("{}: stage {}: {} = {}: the site has {}",
                               plan.path, stage.name, key, unknown[0], ", ".join(there))  # fmt: skip
                raise PlanError(message)


def begin(plan: "Plan", site: "Site", who: str, key_file: Path | None, reason: str) -> int:
    """Sign that the plan begins, keep it with the run, give it to execution."""
    import msgspec  # noqa: PLC0415

    from acceptance import grey_record, signing  # noqa: PLC0415
    from acceptance.grey_plan import refuse_placeholders  # noqa: PLC0415
    from gateway.model.trade import CommandAnswered, Verb  # noqa: PLC0415
    from gateway.processes import clock, key_password  # noqa: PLC0415
    from gateway.processes.site_open import operator_of, run_dir_of  # noqa: PLC0415

    if not who or key_file is None or not reason.strip():
        _complain(told("--who, --key and --reason stand together: who lets the plan begin signs for it"))
        return WRONG_CALL
    refuse_placeholders(plan)
    signing.known(plan.approvers, who)
    key = signing.read_key(key_file, key_password.of_key)
    content = grey_record.content_of(plan, None, plan.stages[0].name, who, reason, clock.utc_ns())
    folder = run_dir_of(site) / grey_record.FOLDER
    grey_record.write_record(folder, content, key)
    kept = folder / f"{plan.rollout.digest}.toml"
    kept.write_bytes(plan.path.read_bytes())
    argument = msgspec.json.encode(plan.rollout).decode()
    answer = operator_of(site, who).ask(Verb.ROLLOUT, reason, argument)
    if not isinstance(answer, CommandAnswered):
        _complain(told("execution did not answer; nothing is known. Is the site up? `cmc status {}`", site.path))
        return FAILED
    _say(told("{}: {}", told("done") if answer.done else told("refused"), answer.text))
    return OK if answer.done else FAILED


def _compare(parsed: argparse.Namespace) -> int:
    return guarded(lambda: _compared(parsed))


def _compared(parsed: argparse.Namespace) -> int:
    from acceptance.evidence import read_evidence  # noqa: PLC0415
    from acceptance.grey_compare import Finding, compare  # noqa: PLC0415

    rows = compare(read_evidence(parsed.old), read_evidence(parsed.new))
    if parsed.json:
        print(json.dumps([one._asdict() for one in rows], ensure_ascii=False, indent=1))  # noqa: T201 the answer
    else:
        for one in rows:
            _say(told("{}: old {}, new {}, difference {}: {}",
                      one.figure, one.old, one.new, one.difference or "-", told(one.finding.value)))  # fmt: skip
    return FAILED if any(one.finding is not Finding.NOT_WORSE for one in rows) else OK


def _complain(text: str) -> None:
    print(said(text, environment_language()), file=sys.stderr)  # noqa: T201 a command line speaks


def _say(text: str) -> None:
    print(said(text, environment_language()))  # noqa: T201 the command's answer
