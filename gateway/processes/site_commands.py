"""`cmc check`, `up`, `down`: a person looks over a site file, runs an installation and stops it.

They open the site file, find the supervisor and execution, and say in words what happened. Trading is decided by
neither of them.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from gateway.bus.sockets import BusError, prepare_bus_dir
from gateway.journal.told import said, told, told_by
from gateway.model.site import instruments_of
from gateway.processes import clock
from gateway.processes.child import Identity, alive, send_signal
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.operator import Stopped
from gateway.processes.session_rows import SessionError
from gateway.processes.settings import Site, SiteError, default_bus_dir, load_site
from gateway.processes.site_calendars import site_calendars, site_outlook_json, site_outlook_text, write_run_calendars
from gateway.processes.site_formula_days import beijing_day, day_mistakes, day_notes
from gateway.processes.site_open import RUN_FOLDER, language_of_file, load, operator_of, site_path, wait
from gateway.processes.supervisor import (
    STOP_ORDER,
    TERM_GRACE_NS,
    TICK_NS,
    Signals,
    Supervisor,
    SupervisorError,
    commands,
    live_children,
    lock,
    no_room,
    read_status,
)
from gateway.processes.supervisor_log import out, say, speaker

RESULT_FILE = "stopped.json"


def check(path: Path, *, as_json: bool) -> int:
    """Every mistake of a site file, or what it describes. A file with mistakes is a failed check."""
    if not path.is_file():
        message = told("{}: no such file; a site file, see docs/SITE_FILE.md", path)
        raise WrongCallError(message)
    try:
        site = load_site(path)
        _judge_today(site)
    except SiteError as error:
        language = language_of_file(path)
        if as_json:
            found = [
                {"key": one.key, "value": str(one.value), "remedy": said(one.remedy, language)}
                for one in error.mistakes
            ]
            out(json.dumps({"ok": False, "file": str(path), "mistakes": found}, indent=1, ensure_ascii=False))
        else:
            out(told("{}\n{} mistake(s)", told_by(error), len(error.mistakes)), language)
        return FAILED
    at_utc_ns = clock.utc_ns()
    try:
        calendars = site_calendars(site.calendars, at_utc_ns)
    except SessionError as error:
        out(told("{}: calendars: {}", path, error), site.language)
        return FAILED
    pairs = {one.pair_id: list(instruments_of(one)) for one in site.pairs.values()}
    notes = [*site.notes, *day_notes(site.pairs.values(), beijing_day(at_utc_ns))]
    if as_json:
        content = {"ok": True, "file": str(path), "digest": site.digest, "pairs": list(site.pairs)}
        content["notes"] = [said(one, site.language) for one in notes]
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
            ),
            site.language,
        )
        for note in notes:
            out(note, site.language)
        for line in site_outlook_text(calendars, pairs, at_utc_ns, site.language):
            out(line)
    return OK


def _judge_today(site: Site) -> None:
    """What is wrong on this day alone."""
    mistakes = day_mistakes(site.pairs.values(), beijing_day(clock.utc_ns()))
    if mistakes:
        raise SiteError(site.path, mistakes)


def up(path: Path) -> int:
    """Run the site until a signal comes; 1 when it could not be kept running or stopped unbalanced."""
    site = load(path)
    try:
        own = lock(site.state_dir)
    except SupervisorError as error:
        say(told_by(error), site.language)
        return FAILED
    run_dir = site.state_dir / RUN_FOLDER
    with own, Signals() as signals, speaker(run_dir, site.language) as tell:
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
    full = no_room(run_dir, site.journal.min_free_bytes)
    if full:
        tell(full)
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
    supervisor = Supervisor(commands(site, run_dir, site.bus_dir), run_dir, site.supervisor, tell, site)
    operator = operator_of(site, "supervisor")

    def balance() -> Stopped:
        tell(told("stopping: no new trades; waiting for open ones to be balanced"))
        return operator.stop(
            "supervisor stops",
            site.supervisor.stop_timeout_ns,
            lambda: signals.insistent() or not supervisor.keep(),
        )

    failed = _keep(supervisor, signals, tell)
    stopped = supervisor.stop(balance)
    _leave_no_sockets(site)
    tell(stopped.words())
    result = {"balanced": stopped.balanced, "words": stopped.words(), "failed": failed, "stopped": stopped._asdict()}
    try:
        (run_dir / RESULT_FILE).write_text(json.dumps(result), encoding="utf-8")
    except OSError as error:
        tell(told("{}: {}; `cmc down` cannot tell how it ended", run_dir / RESULT_FILE, error.strerror))
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
        tell(told_by(error))
        return True
    return False


def _leave_no_sockets(site: Site) -> None:
    """The directory of the sockets, where it is one that we chose: everybody who used it has ended."""
    if site.bus_dir == default_bus_dir(site.path):
        shutil.rmtree(site.bus_dir, ignore_errors=True)


def own_directory(path: Path) -> None:
    """BusError unless this user owns it: whoever does can put sockets of their own in place of ours."""
    owner = path.stat().st_uid
    if owner != os.geteuid():
        message = told("bus_dir {}: belongs to user {}; one of user {} would be right", path, owner, os.geteuid())
        raise BusError(message)


def down(path: Path | None) -> int:
    """Stop the site's supervisor and wait; where it died, stop its processes in order."""
    site = load(site_path(path))
    run_dir = site.state_dir / RUN_FOLDER
    status_now = read_status(run_dir)
    if status_now is None:
        say(told("{}: not running", site.path), site.language)
        return OK
    supervisor = Identity(status_now["pid"], status_now["created"])
    if alive(supervisor):
        return _stop_supervisor(site, run_dir, supervisor)
    left = live_children(status_now)
    if not left:
        say(told("{}: not running", site.path), site.language)
        return OK
    say(told("the supervisor died; stopping {}", ", ".join(left)), site.language)
    stopped = operator_of(site, "cmc down").stop("cmc down", site.supervisor.stop_timeout_ns)
    for name in STOP_ORDER:
        if name in left:
            _end(left[name])
    _leave_no_sockets(site)
    say(stopped.words(), site.language)
    return OK if stopped.balanced else FAILED


def _stop_supervisor(site: Site, run_dir: Path, supervisor: Identity) -> int:
    send_signal(supervisor, signal.SIGTERM)
    until_ns = clock.monotonic_ns() + site.supervisor.stop_timeout_ns + (len(STOP_ORDER) + 1) * TERM_GRACE_NS
    if not wait(lambda: not alive(supervisor), until_ns):
        say(told("the supervisor (pid {}) does not end; see {}", supervisor.pid, run_dir / "logs"), site.language)
        return FAILED
    try:
        result = json.loads((run_dir / RESULT_FILE).read_text(encoding="utf-8"))
        stopped = Stopped(**result["stopped"])
    except (OSError, ValueError, KeyError, TypeError):
        say(told("the supervisor ended without saying whether every trade is balanced"), site.language)
        return FAILED
    say(stopped.words(), site.language)
    return OK if stopped.balanced and not result["failed"] else FAILED


def _end(one: Identity) -> None:
    send_signal(one, signal.SIGTERM)
    if not wait(lambda: not alive(one), clock.monotonic_ns() + TERM_GRACE_NS):
        send_signal(one, signal.SIGKILL)
