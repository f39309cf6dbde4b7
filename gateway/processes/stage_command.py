"""`cmc stage`: where an installation stands in its rollout, what is missing for the next stage, and the step itself.

Without a stage it shows; with one it asks execution to go there. Up along a plan it first measures what the stage has
shown: with anything missing it is refused here, and nothing is signed. Down, or without a plan, a name and a reason do.
Exit codes: 0 done (or shown), 1 refused or something is missing, 2 a wrong call.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.journal.told import told
from gateway.processes import clock
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.deliver_grey import guarded
from gateway.processes.site_open import load, operator_of, run_dir_of, site_path
from gateway.processes.supervisor_log import out, say

if TYPE_CHECKING:
    from acceptance.grey_gates import Shown
    from acceptance.grey_plan import Plan
    from gateway.processes.settings import Site


def run(parsed: argparse.Namespace) -> int:
    """The command."""
    if parsed.word is not None and parsed.word.endswith(".toml") and parsed.site is None:
        parsed.word, parsed.site = None, Path(parsed.word)
    site = load(site_path(parsed.site))
    return guarded(lambda: _show(site, as_json=parsed.json) if parsed.word is None else _move(site, parsed))


def look(site: "Site") -> "tuple[Plan, Shown] | None":
    """The plan in force and what its stage has shown; None where none is in force."""
    from acceptance.evidence import EvidenceError, read_evidence  # noqa: PLC0415 a command loads what it needs
    from acceptance.grey_gates import shown, spans  # noqa: PLC0415
    from acceptance.grey_plan import load_plan  # noqa: PLC0415
    from acceptance.grey_record import FOLDER  # noqa: PLC0415
    from gateway.journal.reader import read_run  # noqa: PLC0415

    run_dir = run_dir_of(site)
    records = list(read_run(run_dir, on_torn=lambda _torn: None)) if run_dir.is_dir() else []
    entered = spans(records)
    if not entered:
        return None
    kept = run_dir / FOLDER / f"{entered[-1].plan}.toml"
    plan = load_plan(kept)
    if plan.rollout.digest != entered[-1].plan:
        message = told("{}: was changed since it was put in force", kept)
        raise EvidenceError(message)
    evidence = read_evidence(run_dir)
    if evidence.faults:
        message = told("{}: the evidence does not verify: {}", evidence.name, evidence.faults[0])
        raise EvidenceError(message)
    found = shown(plan, evidence, records, run_dir)
    return (plan, found) if found is not None else None


def _show(site: "Site", *, as_json: bool) -> int:
    found = look(site)
    if found is None:
        if as_json:
            out(json.dumps({"plan": None, "stage": site.stage}))
        else:
            out(told("no rollout plan is in force; the site begins at stage {}", site.stage), site.language)
        return OK
    plan, shown = found
    if as_json:
        gates = [{"gate": one.name, "verdict": one.verdict.value, "words": one.words} for one in shown.gates]
        content = {"plan": plan.rollout.name, "stage": shown.span.name, "kind": shown.stage.kind, "next": shown.next,
                   "open": shown.open, "since_ns": shown.span.from_ns, "why": shown.span.why, "who": shown.span.who,
                   "gates": gates}  # fmt: skip
        out(json.dumps(content, ensure_ascii=False, indent=1))
    else:
        for line in lines(plan, shown):
            out(line, site.language)
    return OK if shown.open or not shown.next else FAILED


def lines(plan: "Plan", shown: "Shown") -> list[str]:
    """Where it stands, in words."""
    found = [told("plan {}: stage {} ({}), by {}: {}", plan.rollout.name, shown.span.name, told(shown.stage.kind),
                  shown.span.who, shown.span.why)]  # fmt: skip
    found += [told("  {}: {}: {}", one.name, told(one.verdict.value), one.words) for one in shown.gates]
    if not shown.next:
        return [*found, told("  the last stage: nothing is above it")]
    ready = told("may begin; `cmc stage {} --who NAME --key FILE --reason WORDS`", shown.next)
    return [*found, told("  next {}: {}", shown.next, ready if shown.open else told("not yet"))]


def _move(site: "Site", parsed: argparse.Namespace) -> int:
    from gateway.model.rollout import STAGES  # noqa: PLC0415
    from gateway.model.trade import Verb  # noqa: PLC0415
    from gateway.processes.site_operate import Asked, operate  # noqa: PLC0415

    if not (parsed.who or "").strip() or not (parsed.reason or "").strip():
        message = told("--who and --reason have to say something; both go on record")
        raise WrongCallError(message)
    found = look(site)
    if found is None:
        if parsed.word not in STAGES:
            message = told("stage {}: invalid choice; one of {}", repr(parsed.word), ", ".join(STAGES))
            raise WrongCallError(message)
        return operate(site.path, Asked(Verb.STAGE, parsed.word, parsed.who, parsed.reason))
    plan, shown = found
    if plan.rollout.place(parsed.word) <= plan.rollout.place(shown.span.name):
        return operate(site.path, Asked(Verb.STAGE, parsed.word, parsed.who, parsed.reason))
    return _up(site, parsed, plan, shown)


def _up(site: "Site", parsed: argparse.Namespace, plan: "Plan", shown: "Shown") -> int:
    """One stage up: everything shown, signed, and then asked for."""
    from acceptance import grey_record, signing  # noqa: PLC0415
    from gateway.model.trade import CommandAnswered, Verb  # noqa: PLC0415
    from gateway.processes import key_password  # noqa: PLC0415

    if parsed.word != shown.next:
        text = told("refused: {} to {} is not one stage up; {} is next", shown.span.name, parsed.word, shown.next)
        say(text, site.language)
        return FAILED
    signing.known(plan.approvers, parsed.who)
    if not shown.open:
        say(told("refused: stage {} has not shown what {} asks for", shown.span.name, shown.next), site.language)
        for line in lines(plan, shown):
            say(line, site.language)
        return FAILED
    if parsed.key is None:
        message = told("--key FILE: the private key of {}, who signs for the step", parsed.who)
        raise WrongCallError(message)
    key = signing.read_key(parsed.key, key_password.of_key)
    content = grey_record.content_of(plan, shown, shown.next, parsed.who, parsed.reason, clock.utc_ns())
    digest = grey_record.write_record(run_dir_of(site) / grey_record.FOLDER, content, key)
    answer = operator_of(site, parsed.who).ask(Verb.STAGE, parsed.reason, f"{shown.next} {digest}")
    if not isinstance(answer, CommandAnswered):
        say(
            told("execution did not answer; nothing is known. Is the site up? `cmc status {}`", site.path),
            site.language,
        )
        return FAILED
    out(told("{}: {}", told("done") if answer.done else told("refused"), answer.text), site.language)
    return OK if answer.done else FAILED
