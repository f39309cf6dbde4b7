"""`cmc check`, `up`, `down`, `status`, `arm`, `disarm`, `kill`: what a person does with one installation.

They open the site file, find the supervisor and execution, and say in words what happened. Trading is decided by
neither of them.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from gateway.bus.sockets import BusError, prepare_bus_dir
from gateway.journal.told import told
from gateway.model.site import PairSpec
from gateway.model.trade import CommandAnswered, ExecutionStatus, Verb
from gateway.processes import clock
from gateway.processes.child import Identity, alive, send_signal
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.held import clear_held, read_held
from gateway.processes.ids import IdCounter, next_epoch
from gateway.processes.operator import Operator, Stopped
from gateway.processes.session_rows import SessionError
from gateway.processes.settings import Site, SiteError, load_site
from gateway.processes.site_calendars import site_calendars, site_outlook_json, site_outlook_text, write_run_calendars
from gateway.processes.site_file import MS, SECOND
from gateway.processes.supervisor import (
    START_TIMEOUT_NS,
    STOP_ORDER,
    TERM_GRACE_NS,
    TICK_NS,
    Signals,
    Supervisor,
    SupervisorError,
    commands,
    live_children,
    lock,
    read_status,
)
from gateway.processes.supervisor_log import out, say, speaker

DEFAULT_SITE = Path("site.toml")
RUNS = Path("runs")
RUN_FOLDER = "run"
"""Of the state directory: journals, logs, ready files, status. It stays from one start to the next."""
PULL_NS = 10 * SECOND
"""How long `cmc kill` waits for the watch to have pulled everything."""
RESULT_FILE = "stopped.json"


def check(path: Path, *, as_json: bool) -> int:
    """Every mistake of a site file, or what it describes. A file with mistakes is a failed check."""
    if not path.is_file():
        message = told("{}: no such file; a site file, see docs/SITE_FILE.md", path)
        raise WrongCallError(message)
    try:
        site = load_site(path)
    except SiteError as error:
        if as_json:
            found = [{"key": one.key, "value": one.value, "remedy": one.remedy} for one in error.mistakes]
            out(json.dumps({"ok": False, "file": str(path), "mistakes": found}, indent=1, ensure_ascii=False))
        else:
            out(told("{}\n{} mistake(s)", error, len(error.mistakes)))
        return FAILED
    at_utc_ns = clock.utc_ns()
    try:
        calendars = site_calendars(site.calendars, at_utc_ns)
    except SessionError as error:
        out(told("{}: calendars: {}", path, error))
        return FAILED
    pairs = {one.pair_id: _instruments(one) for one in site.pairs.values()}
    if as_json:
        content = {"ok": True, "file": str(path), "digest": site.digest, "pairs": list(site.pairs)}
        content["calendars"] = site_outlook_json(calendars, pairs, at_utc_ns)
        out(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        out(
            told(
                "{}: {} venues, {} instruments, {} pairs, {} rules; digest {}",
                path,
                len(site.venues),
                len(site.instruments),
                len(site.pairs),
                len(site.rules),
                site.digest[:12],
            )
        )
        for line in site_outlook_text(calendars, pairs, at_utc_ns, site.language):
            out(line)
    return OK


def _instruments(pair: PairSpec) -> list[str]:
    """The legs that are traded and the currencies that they are priced with."""
    legs = [leg.instrument_id for leg in pair.legs]
    return [*legs, *(leg.fx_instrument_id for leg in pair.legs if leg.fx_instrument_id)]


def up(path: Path) -> int:
    """Run the site until a signal comes; 1 when it could not be kept running or stopped unbalanced."""
    site = _load(path)
    try:
        own = lock(site.state_dir)
    except SupervisorError as error:
        say(str(error))
        return FAILED
    run_dir = site.state_dir / RUN_FOLDER
    with own, Signals() as signals, speaker(run_dir) as tell:
        return _run(site, run_dir, signals, tell)


def _run(site: Site, run_dir: Path, signals: Signals, tell: Callable[[str], None]) -> int:
    left = live_children(read_status(run_dir) or {"children": []})
    if left:
        pids = ", ".join(f"{name} {one.pid}" for name, one in left.items())
        tell(
            told(
                "processes of a supervisor that died still run ({}); `cmc down {}` stops them in order", pids, site.path
            )
        )
        return FAILED
    shutil.copyfile(site.path, run_dir / "site.toml")
    try:
        write_run_calendars(run_dir, site.calendars, clock.utc_ns())
    except SessionError as error:
        tell(told("calendars: {}", error))
        return FAILED
    (run_dir / RESULT_FILE).unlink(missing_ok=True)
    try:
        own_directory(prepare_bus_dir(site.bus_dir))
    except (BusError, OSError) as error:
        tell(told("site.bus_dir: {}", error))
        return FAILED
    supervisor = Supervisor(commands(site, run_dir, site.bus_dir), run_dir, site.supervisor, tell)
    operator = _operator(site, "supervisor")

    def balance() -> Stopped:
        tell(told("stopping: no new trades; waiting for open ones to be balanced"))
        return operator.stop(
            "supervisor stops",
            site.supervisor.stop_timeout_ns,
            lambda: signals.insistent() or not supervisor.keep(),
        )

    failed = _keep(supervisor, signals, tell)
    stopped = supervisor.stop(balance)
    tell(stopped.words())
    result = {"balanced": stopped.balanced, "words": stopped.words(), "failed": failed}
    (run_dir / RESULT_FILE).write_text(json.dumps(result), encoding="utf-8")
    return FAILED if failed or not stopped.balanced else OK


def _keep(supervisor: Supervisor, signals: Signals, tell: Callable[[str], None]) -> bool:
    """Start and keep running until a signal; True when it failed."""
    try:
        supervisor.start(signals.any)
        tell(told("up; execution is disarmed until `cmc arm`; stop with Ctrl-C, SIGTERM or `cmc down`"))
        while not signals.any():
            supervisor.tick(clock.monotonic_ns())
            clock.pause_ns(TICK_NS)
    except SupervisorError as error:
        if signals.any():
            return False
        tell(str(error))
        return True
    return False


def own_directory(path: Path) -> None:
    """BusError unless this user owns it: whoever does can put sockets of their own in place of ours."""
    owner = path.stat().st_uid
    if owner != os.geteuid():
        message = told("bus_dir {}: belongs to user {}; one of user {} would be right", path, owner, os.geteuid())
        raise BusError(message)


def down(path: Path | None) -> int:
    """Stop the site's supervisor and wait; where it died, stop its processes in order."""
    site = _load(_site_path(path))
    run_dir = site.state_dir / RUN_FOLDER
    status_now = read_status(run_dir)
    if status_now is None:
        say(told("{}: not running", site.path))
        return OK
    supervisor = Identity(status_now["pid"], status_now["created"])
    if alive(supervisor):
        return _stop_supervisor(site, run_dir, supervisor)
    left = live_children(status_now)
    if not left:
        say(told("{}: not running", site.path))
        return OK
    say(told("the supervisor died; stopping {}", ", ".join(left)))
    stopped = _operator(site, "cmc down").stop("cmc down", site.supervisor.stop_timeout_ns)
    for name in STOP_ORDER:
        if name in left:
            _end(left[name])
    say(stopped.words())
    return OK if stopped.balanced else FAILED


def _stop_supervisor(site: Site, run_dir: Path, supervisor: Identity) -> int:
    send_signal(supervisor, signal.SIGTERM)
    until_ns = clock.monotonic_ns() + site.supervisor.stop_timeout_ns + (len(STOP_ORDER) + 1) * TERM_GRACE_NS
    if not _wait(lambda: not alive(supervisor), until_ns):
        say(told("the supervisor (pid {}) does not end; see {}", supervisor.pid, run_dir / "logs"))
        return FAILED
    try:
        result = json.loads((run_dir / RESULT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        say(told("the supervisor ended without saying whether every trade is balanced"))
        return FAILED
    say(result["words"])
    return OK if result["balanced"] else FAILED


def _end(one: Identity) -> None:
    send_signal(one, signal.SIGTERM)
    if not _wait(lambda: not alive(one), clock.monotonic_ns() + TERM_GRACE_NS):
        send_signal(one, signal.SIGKILL)


def _wait(done: Callable[[], bool], until_ns: int) -> bool:
    while not done():
        if clock.monotonic_ns() > until_ns:
            return False
        clock.pause_ns(100 * MS)
    return True


def status(path: Path | None, *, as_json: bool) -> int:
    """The processes as the supervisor last wrote them, and execution as it answers now; 1 when it does not run."""
    site = _load(_site_path(path))
    table = read_status(site.state_dir / RUN_FOLDER) or {"children": [], "pid": 0, "created": 0}
    running = alive(Identity(table["pid"], table["created"]))
    execution = _operator(site, "cmc status").status() if "execution" in live_children(table) else None
    if as_json:
        content: dict[str, Any] = {"running": running, "processes": table["children"], "execution": None}
        if execution is not None:
            content["execution"] = {name: getattr(execution, name) for name in execution.__struct_fields__}
        out(msgspec.json.format(msgspec.json.encode(content), indent=1).decode())
    else:
        for line in _status_lines(site, table, execution, running=running):
            out(line)
    return OK if running and execution is not None else FAILED


def _status_lines(site: Site, table: dict[str, Any], execution: ExecutionStatus | None, *, running: bool) -> list[str]:
    lines = [f"{site.name}: {'running' if running else 'not running'} ({site.path})"]
    for one in table["children"]:
        end = f", last end: {one['last_end']}" if one["last_end"] else ""
        lines.append(f"  {one['name']:<10} {one['state']:<18} pid {one['pid'] or '-'}, restarts {one['restarts']}{end}")
    held = read_held(site.state_dir / RUN_FOLDER)
    if held is not None:
        return [*lines, *(f"  {line}" for line in held.words().splitlines())]
    if running and not any(one["name"] == "watch" and one["pid"] for one in table["children"]):
        lines.append("  NO WATCH: nothing pulls the orders of a hung execution")
    if execution is None:
        return [*lines, "  execution does not answer"]
    words = [
        "armed" if execution.armed else "disarmed",
        *(["stopping"] if execution.stopping else []),
        *(["HALTED"] if execution.halted else []),
        f"stage {execution.stage}",
        f"{execution.open_trades} open trades",
        f"{execution.working_orders} working orders",
    ]
    lines.append(f"  {', '.join(words)}")
    for venue, up_now, reconciled in execution.sessions:
        lines.append(f"  {venue}: orders {'up' if up_now else 'DOWN'}, {'' if reconciled else 'not '}reconciled")
    return lines


def operate(path: Path | None, verb: str, who: str, reason: str) -> int:
    """Send one command in a person's name; 1 when execution refuses it or does not answer."""
    if not who.strip() or not reason.strip():
        message = told("--who and --reason have to say something; both go on record")
        raise WrongCallError(message)
    site = _load(_site_path(path))
    operator = _operator(site, who)
    if verb.startswith("kill"):
        return _kill(site, operator, Verb(verb), reason)
    if verb == Verb.ARM and not _released(site, operator, reason):
        return FAILED
    answer = operator.ask(Verb(verb), reason)
    if not isinstance(answer, CommandAnswered):
        say(told("execution did not answer; nothing is known. Is the site up? `cmc status {}`", site.path))
        return FAILED
    out(told("{}: {}: {}", verb, "done" if answer.done else "refused", answer.text))
    return OK if answer.done else FAILED


def _kill(site: Site, operator: Operator, verb: Verb, reason: str) -> int:
    """Through execution, or through the watch, which then says in `held.json` what it did."""
    answer, whose = operator.kill(verb, reason, site.watch.answer_ns)
    if answer is None:
        say(
            told(
                "neither execution nor the watch answered; nothing is known. Is the site up? `cmc status {}`", site.path
            )
        )
        return FAILED
    out(told("{}: {} by {}: {}", verb.value, "done" if answer.done else "refused", whose, answer.text))
    run_dir = site.state_dir / RUN_FOLDER
    held = read_held(run_dir)
    if held is not None:
        _wait(lambda: (read_held(run_dir) or held).pulled, clock.monotonic_ns() + PULL_NS)
        out((read_held(run_dir) or held).words())
    return OK if answer.done else FAILED


def _released(site: Site, operator: Operator, reason: str) -> bool:
    """Where the watch holds execution: show why, let it return, and wait until it can be armed."""
    run_dir = site.state_dir / RUN_FOLDER
    held = read_held(run_dir)
    if held is None:
        return True
    out(held.words())
    answer = operator.release(reason)
    if answer is None and "watch" in live_children(read_status(run_dir) or {"children": []}):
        say(told("the watch runs and does not answer; execution stays held"))
        return False
    if answer is None or not answer.done:
        clear_held(run_dir)
    if not _wait(lambda: operator.status() is not None, clock.monotonic_ns() + START_TIMEOUT_NS):
        say(told("no longer held, but execution does not come up; `cmc status {}`", site.path))
        return False
    return True


def run_folder(path: Path | None) -> Path:
    """The run that a person means: a run's folder, the one of a site, or the newest under runs/."""
    if path is None:
        found = sorted(one for one in RUNS.glob("*") if one.is_dir())
        if not found:
            message = told("no run given and none in {}/; make one with `cmc demo`", RUNS)
            raise WrongCallError(message)
        return found[-1]
    if path.suffix == ".toml":
        return _load(path).state_dir / RUN_FOLDER
    return path


def _site_path(path: Path | None) -> Path:
    if path is not None:
        return path
    given = os.environ.get("CMC_SITE")
    if given:
        return Path(given)
    if DEFAULT_SITE.is_file():
        return DEFAULT_SITE
    message = told("which site? Name its file, set CMC_SITE, or stand in the folder of a site.toml")
    raise WrongCallError(message)


def _load(path: Path) -> Site:
    try:
        return load_site(path)
    except SiteError as error:
        message = told("nothing was started\n{}", error)
        raise WrongCallError(message) from error


def _operator(site: Site, who: str) -> Operator:
    return Operator(site.bus_dir, IdCounter("K", next_epoch(site.state_dir)), who)
