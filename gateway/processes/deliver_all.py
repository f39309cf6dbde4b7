"""`cmc deliver all`: the five steps on simulators, shortened but complete, ending with a signed report.

    assess     the demonstration's site with the synthetic tape, at three delays
    integrate  every dialog at both venues, pair trades end to end
    stress     every scenario, each some seconds long
    grey       a plan from shadow to full, each step shown, signed and taken; then full until there are trades enough;
               execution is killed three times on the way
    accept     judged by the criteria of a demonstration, signed, verified

Keys are made for the run and stay in its folder: they are nobody's. Every process that was started is ended. Exit
codes:
0 every criterion passed, 1 not every one did or a step failed (the report is there, too), 2 a wrong call.
"""

import argparse
import os
import shutil
import signal
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acceptance import accept as acceptance
from acceptance import signing
from acceptance.criteria import load_criteria
from acceptance.evidence import EvidenceError, read_loadtest
from acceptance.grey_plan import load_plan
from acceptance.grey_record import records, verify_record
from gateway.journal.told import environment_language, said, told, told_by
from gateway.processes import accept_runs, cli, clock, machine
from gateway.processes.deliver_accept import about
from gateway.processes.deliver_grey import begin
from gateway.processes.deliver_world import Installation, WorldError, gateway, keep_with_run, venues
from gateway.processes.durations import SECOND
from gateway.processes.site_open import RUN_FOLDER
from gateway.processes.stage_command import look
from gateway.processes.supervisor import read_status
from gateway.processes.toml_text import toml_text

OK, FAILED = 0, 1
ROOT = Path(__file__).parents[2]
SITE = ROOT / "sites" / "demo.toml"
PLAN = ROOT / "deploy" / "plans" / "demo.toml"
CRITERIA = ROOT / "acceptance" / "criteria-demo.toml"
WHO = "Demo Approver"
STAGE_S = 180
"""Longest that a stage below full may take to show what is asked."""
KEY = "approver.key"
WORLD = "world"
KILLS = 3
KILL_EVERY_S = 25
LOOK_S = 3
BAND = "20"
"""Thresholds of the demonstration's rule: nearer than the demo's, so that there are trades enough in minutes."""


def run(parsed: argparse.Namespace) -> int:
    """All five."""
    out: Path = parsed.out.resolve()
    if out.exists() and any(out.iterdir()):
        message = told("{}: is there and not empty; name another folder", out)
        raise cli.WrongCallError(message)
    out.mkdir(parents=True, exist_ok=True)
    begun_ns = clock.monotonic_ns()
    codes = [
        _step(1, ["assess", str(SITE), "--tape", "synthetic", "--from", "2026-06-15 09:00", "--to", "2026-06-15 09:10",
                  "--delays-us", "300,20300,300300", "--seed", str(parsed.seed), "--out", str(out / "assess")]),
        _step(2, ["integrate", "--simulators", "--seed", str(parsed.seed), "--out", str(out / "integrate")]),
        _step(3, ["stress", "--seconds", str(parsed.stress_seconds), "--seed", str(parsed.seed), "--out",
                  str(out / "stress")]),
    ]  # fmt: skip
    _say(told("4 of 5: {}", "grey"))
    try:
        run_dir, plan, key = grey(out / "grey", parsed.seed, parsed.full_seconds)
    except WorldError as error:
        _say(told("grey: {}", told_by(error)))
        codes.append(FAILED)
        run_dir, plan, key = left_of(out / "grey")
        if not (run_dir / "journal").is_dir():
            return FAILED
    _say(told("5 of 5: {}", "accept"))
    verdict = sign(out, run_dir, plan, key)
    _say(told("{} s for all five steps; {}", (clock.monotonic_ns() - begun_ns) // SECOND, machine.version()))
    return OK if verdict == "pass" and not any(codes) else FAILED


def _step(number: int, words: Sequence[str]) -> int:
    _say(told("{} of 5: {}", number, words[0]))
    return cli.main(["deliver", *words])


def left_of(out: Path) -> tuple[Path, Path, Path]:
    """Where the rollout has its run, its plan and the approver's key, however far it came."""
    return out / WORLD / "state" / RUN_FOLDER, out / "plan.toml", out / KEY


def grey(out: Path, seed: int, full_s: int) -> tuple[Path, Path, Path]:
    """The rollout on simulators; the run, the plan and the approver's key."""
    out.mkdir(parents=True, exist_ok=True)
    public = signing.make_key(out / KEY)
    run_dir, plan, key = left_of(out)
    content = tomllib.loads(PLAN.read_text(encoding="utf-8"))
    content["approver"] = [{"name": WHO, "public_key": public}]
    content["criteria"] = str(CRITERIA)
    content["stage"][-1]["fall_back"]["most_restarts"] = KILLS
    plan.write_text(toml_text(content), encoding="utf-8")
    total_s = full_s + 3 * STAGE_S + 60
    try:
        with venues(out / WORLD, seed=seed, seconds=total_s, network="same-city") as at:
            tables = at.site_tables()
            tables["approver"] = content["approver"]
            _busier(tables)
            with gateway(at, tables) as installed:
                installed.arm(WHO, "the rollout begins")
                if begin(load_plan(plan), installed.site, WHO, key, "demonstration"):
                    message = told("the plan was not put in force")
                    raise WorldError(message)
                climb(installed, key)
                _full(installed, full_s)
    finally:
        keep_with_run(out / WORLD, run_dir)
    for path in records(run_dir):
        verify_record(path, load_plan(plan))
    return run_dir, plan, key


def _busier(tables: dict[str, Any]) -> None:
    for rule in tables["rule"]:
        rule |= {"buy_at": f"-{BAND}", "sell_at": BAND, "cool_down_ms": 50, "max_units": 40}
    tables["limits"] |= {"throttle_trades": 10_000}


def climb(installed: Installation, key: Path) -> None:
    """One stage after the other, each when it has shown what is asked; WorldError when one takes too long."""
    until_ns = clock.monotonic_ns() + STAGE_S * SECOND
    while True:
        found = look(installed.site)
        if found is None:
            message = told("no rollout plan is in force")
            raise WorldError(message)
        plan, shown = found
        if not shown.next:
            return
        if shown.open:
            words = [
                "stage",
                shown.next,
                str(installed.site.path),
                "--who",
                WHO,
                "--reason",
                "shown",
                "--key",
                str(key),
            ]
            if cli.main(words) != OK:
                message = told("stage {} was refused", shown.next)
                raise WorldError(message)
            until_ns = clock.monotonic_ns() + STAGE_S * SECOND
        elif clock.monotonic_ns() > until_ns:
            missing = ", ".join(f"{one.name}: {one.words}" for one in shown.gates if one.verdict.value != "pass")
            message = told(
                "{}: stage {} did not show in {} s: {}", plan.rollout.name, shown.span.name, STAGE_S, missing
            )
            raise WorldError(message)
        clock.pause_ns(LOOK_S * SECOND)


def _full(installed: Installation, full_s: int) -> None:
    """Trade, and be killed three times on the way: execution comes back by itself."""
    until_ns = clock.monotonic_ns() + full_s * SECOND
    kills = 0
    next_ns = clock.monotonic_ns() + KILL_EVERY_S * SECOND
    while clock.monotonic_ns() < until_ns:
        if kills < KILLS and clock.monotonic_ns() > next_ns and full_s > KILL_EVERY_S:
            _kill_execution(installed)
            kills += 1
            next_ns = clock.monotonic_ns() + KILL_EVERY_S * SECOND
        clock.pause_ns(SECOND)


def _kill_execution(installed: Installation) -> None:
    """By the pid that its supervisor wrote down."""
    status = read_status(installed.run_dir) or {"children": []}
    for one in status["children"]:
        if one.get("name") == "execution" and one.get("pid"):
            os.kill(int(one["pid"]), signal.SIGKILL)
            return


def sign(out: Path, run_dir: Path, plan: Path, key: Path) -> str:
    """Judge, sign, verify; the verdict."""
    tests = []
    for path in sorted((out / "stress").glob("probe-*.json")):
        try:
            tests.append(read_loadtest(path))
        except EvidenceError as error:
            _say(told_by(error))
    runs = accept_runs.read([run_dir])
    approvers = signing.read_approvers([plan])
    asked = acceptance.Asked(
        runs,
        tests,
        load_criteria(CRITERIA),
        [CRITERIA],
        "full",
        signing.known(approvers, WHO),
        [told("a demonstration on simulators: the approver's key is nobody's")],
        other_evidence=[
            one
            for name in ("assess", "integrate", "stress")
            for kind in ("*.html", "*.json")
            for one in sorted((out / name).glob(kind))
        ],
    )
    folder = out / "acceptance"
    made = acceptance.accept(asked, signing.read_key(key), about(runs), folder, clock.utc_ns())
    acceptance.verify(made.path, approvers)
    for one in made.judged:
        words = told("{}: {} ({})", one.criterion.id, told(one.verdict.value), one.why)
        _say(words if one.why else told("{}: {}", one.criterion.id, told(one.verdict.value)))
    shutil.copyfile(plan, out / "plan.toml")
    _say(told("{}: {}", told(made.verdict.value), made.path))
    return made.verdict.value


def _say(text: str) -> None:
    print(said(text, environment_language()), flush=True)  # noqa: T201 the command's answer
