"""Keeps the processes of one site: starts them in order, starts again what dies, stops them with no trade unbalanced.

Order of start: feed, execution, watch, recorder, trigger, and clients where the site has any, each after the one
before it has said that it is ready. Those that are handed the site load their code before that, several at the same
time. Order of stop: execution is asked to open nothing and to balance what is open; then trigger, execution, watch,
clients, feed and recorder end, the recorder last because it writes down what the others say at their end.

Execution is told how it died when it is started again: by itself (`--after-death exit`, it stays disarmed) or by a
signal from outside (`--after-death signal`). While the watch holds it (`held.json`) it is not started at all; when a
person lets it return it comes back as after an end of its own, disarmed.

What can go wrong: the supervisor itself dies. Its children go on; `cmc down` finds them in `status.json` and stops
them, and `cmc up` refuses until then. A lock on a file of the state directory keeps two supervisors apart; the kernel
gives it up with its owner, so none is ever stale.
"""

import fcntl
import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import IO, Any, NamedTuple, Self

from gateway.journal.told import told, told_by
from gateway.processes import clock
from gateway.processes.child import Child, Identity, alive, identity, python
from gateway.processes.durations import MS, SECOND
from gateway.processes.handover import NOTHING, hand_over
from gateway.processes.held import is_held
from gateway.processes.operator import Stopped
from gateway.processes.restarts import Restarts
from gateway.processes.site import Site, SupervisorSettings

START_ORDER = ("feed", "execution", "watch", "recorder", "trigger")
CLIENTS = "clients"
"""Started last, and only where the site has clients; ended after execution, whose last fills it tells them."""
STOP_ORDER = ("trigger", "execution", "watch", CLIENTS, "feed", "recorder")
HELD = "execution"
"""The process that `held.json` keeps down."""
START_TIMEOUT_NS = 30 * SECOND
"""A process that is not ready by then counts as failed."""
TERM_GRACE_NS = 5 * SECOND
"""From SIGTERM to SIGKILL."""
AT_ONCE = max(2, len(os.sched_getaffinity(0)))
"""So many load at the same time: more of them would hold up those whose turn is first."""
TICK_NS = 50 * MS
STATUS_EVERY_NS = SECOND
LOCK = "supervisor.lock"
STATUS = "status.json"

Say = Callable[[str], None]


class SupervisorError(RuntimeError):
    """The site cannot be started or kept running; the text says why and what to do."""


class Due(NamedTuple):
    """A restart that is waited for."""

    at_ns: int
    more: tuple[str, ...]


def commands(site: Site, run_dir: Path, bus_dir: Path) -> dict[str, tuple[str, ...]]:
    """What each process is started with."""
    arguments = ("--site", str(site.path), "--run-dir", str(run_dir), "--bus-dir", str(bus_dir))
    names = START_ORDER + ((CLIENTS,) if site.clients.specs else ())
    return {name: python(f"gateway.processes.{name}", *arguments) for name in names}


class Supervisor:
    """The children of one site. `tick` has to be called often; it never waits."""

    def __init__(
        self,
        programs: Mapping[str, Sequence[str]],
        run_dir: Path,
        settings: SupervisorSettings,
        say: Say,
        handed: Site | None = None,
    ) -> None:
        """`handed`: the site of programs that take it."""
        self._run_dir = run_dir
        self._settings = settings
        self._say = say
        self._site_fd = NOTHING if handed is None else hand_over(handed)
        self._children = {name: Child(name, command, run_dir, self._site_fd) for name, command in programs.items()}
        self._restarts = {name: Restarts(settings.restarts_max, settings.restarts_window_ns) for name in self._children}
        self._due: dict[str, Due] = {}
        self._status_due_ns = 0
        self._stopping = False
        self._unwritten = False
        """`status.json` could not be written the last time."""
        self._up = False
        """All have been ready once: an execution that does not run now died, and comes back."""

    def start(self, cancelled: Callable[[], bool] = lambda: False) -> None:
        """All of them, in order; SupervisorError when one does not come up."""
        held = is_held(self._run_dir)
        loading = (one for name, one in self._children.items() if not (name == HELD and held))
        if self._site_fd != NOTHING:
            for child in islice(loading, AT_ONCE):
                child.prepare()
        for name, child in self._children.items():
            if name == HELD and held:
                self._due[name] = Due(0, ("--after-death", "other"))
                self._say(told("{} is held by the watch and stays down until `cmc arm`", name))
                continue
            child.start()
            self._await_ready(child, cancelled)
            self.write_status()
            if self._site_fd != NOTHING:
                for coming in islice(loading, 1):
                    coming.prepare()
        self._up = True

    def _await_ready(self, child: Child, cancelled: Callable[[], bool]) -> None:
        until_ns = clock.monotonic_ns() + START_TIMEOUT_NS
        while not child.ready:
            if not child.running:
                child.end()
                message = told(
                    "{} ended while it started ({}); its log ends:\n{}", child.name, child.last_end, child.log_tail()
                )
                raise SupervisorError(message)
            if cancelled():
                message = told("stopped while {} started", child.name)
                raise SupervisorError(message)
            if clock.monotonic_ns() > until_ns:
                message = told(
                    "{} is not ready after {} s; its log:\n{}", child.name, START_TIMEOUT_NS // SECOND, child.log_tail()
                )
                raise SupervisorError(message)
            clock.pause_ns(10 * MS)
        self._say(told("{} is up (pid {})", child.name, child.identity.pid if child.identity else "?"))

    def tick(self, now_ns: int) -> None:
        """Start again what died and is due; SupervisorError when one died too often."""
        for name, child in self._children.items():
            if name in self._due:
                if now_ns >= self._due[name].at_ns and not (name == HELD and is_held(self._run_dir)):
                    due = self._due.pop(name)
                    child.restarts += 1
                    child.start(*due.more)
                    self.write_status()
                    self._say(told("{} started again, restart {}", name, child.restarts))
            elif child.started and not child.running:
                self._died(child, now_ns)
        if now_ns >= self._status_due_ns:
            self._status_due_ns = now_ns + STATUS_EVERY_NS
            self.write_status()

    def keep(self) -> bool:
        """`tick` for a caller that waits for something else; False, and said, when the site cannot be kept running."""
        try:
            self.tick(clock.monotonic_ns())
        except SupervisorError as error:
            self._say(told_by(error))
            return False
        return True

    def _died(self, child: Child, now_ns: int) -> None:
        how = child.end()
        if child.name == HELD and is_held(self._run_dir):
            self._due[child.name] = Due(now_ns, ("--after-death", "other"))
            self._say(
                told("{} ended ({}): the watch holds it, it stays down until `cmc arm`", child.name, child.last_end)
            )
            return
        wait_ns = self._restarts[child.name].died(now_ns)
        if wait_ns is None:
            message = told(
                "{} died again ({}), more than {} times in {} s; its log ends:\n{}",
                child.name,
                child.last_end,
                self._settings.restarts_max,
                self._settings.restarts_window_ns // SECOND,
                child.log_tail(),
            )
            raise SupervisorError(message)
        more = ("--after-death", how) if child.name == "execution" else ()
        self._due[child.name] = Due(now_ns + wait_ns, more)
        without = ""
        if child.name == "watch":
            without = told("; until it is back nothing pulls the orders of a hung execution")
        self._say(
            told("{} died ({}); starting it again in {} ms{}", child.name, child.last_end, wait_ns // MS, without)
        )

    def stop(self, balance: Callable[[], Stopped]) -> Stopped:
        """`balance` is asked first, while the children run; then each of them ends, by force if it has to be.

        `balance` calls `keep` while it waits: an execution that dies now is needed more than ever.
        """
        self._stopping = True
        self.write_status()
        execution = self._children.get("execution")
        started = execution is not None and execution.started
        stopped = Stopped(answered=False, open_trades=0, working_orders=0, pairs=(), started=started)
        try:
            if execution is not None and (self._up or execution.ready):
                stopped = balance()
        finally:
            self.end_children()
        return stopped

    def end_children(self) -> None:
        """SIGTERM in order, SIGKILL where that does not help; when this returns none is left."""
        self._stopping = True
        self._due.clear()
        order = [name for name in STOP_ORDER if name in self._children]
        order += [name for name in self._children if name not in order]
        try:
            for name in order:
                self._end(self._children[name])
        finally:
            for child in self._children.values():
                child.kill()
            self.write_status()
            if self._site_fd != NOTHING:
                os.close(self._site_fd)
                self._site_fd = NOTHING

    def _end(self, child: Child) -> None:
        if not child.running:
            return
        child.terminate()
        until_ns = clock.monotonic_ns() + TERM_GRACE_NS
        while child.running and clock.monotonic_ns() < until_ns:
            clock.pause_ns(10 * MS)
        if child.running:
            self._say(told("{} did not end within {} s of SIGTERM: killed", child.name, TERM_GRACE_NS // SECOND))
            child.kill()
        child.end()

    def table(self) -> list[dict[str, Any]]:
        """How each child stands, for people and `status.json`."""
        return [
            {
                "name": name,
                "pid": child.identity.pid if child.identity and child.running else None,
                "created": child.identity.created if child.identity and child.running else None,
                "state": self._state(name, child),
                "restarts": child.restarts,
                "last_end": child.last_end,
            }
            for name, child in self._children.items()
        ]

    def _state(self, name: str, child: Child) -> str:
        if name in self._due:
            return "held" if name == HELD and is_held(self._run_dir) else "waiting to restart"
        if not child.running:
            return "ended" if child.started else "not started"
        return "ready" if child.ready else "starting"

    def write_status(self) -> None:
        """`status.json`, whole or not at all."""
        own = identity(os.getpid())
        content = {
            "pid": os.getpid(),
            "created": own.created if own else 0,
            "run_dir": str(self._run_dir),
            "stopping": self._stopping,
            "utc_ns": clock.utc_ns(),
            "children": self.table(),
        }
        fresh = self._run_dir / f"{STATUS}.new"
        try:
            fresh.write_text(json.dumps(content, indent=1), encoding="utf-8")
            fresh.replace(self._run_dir / STATUS)
        except OSError as error:
            if not self._unwritten:
                self._say(told("{} cannot be written: {}; `cmc status` shows an old one", STATUS, error.strerror))
            self._unwritten = True
        else:
            self._unwritten = False


def no_room(folder: Path, needed_bytes: int) -> str:
    """Why a run must not begin in this folder; "" when the disk has room. The journal would open no trade."""
    free = shutil.disk_usage(folder).free
    if free >= needed_bytes:
        return ""
    return told(
        "{}: {} MB are free, journal.min_free_mb asks for {}: free space on this disk or name another",
        folder,
        free // 2**20,
        needed_bytes // 2**20,
    )


def read_status(run_dir: Path) -> dict[str, Any] | None:
    """What the supervisor of this run wrote last; None when there is nothing to read."""
    try:
        content = json.loads((run_dir / STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def live_children(status: Mapping[str, Any]) -> dict[str, Identity]:
    """The children in `status` that still run."""
    found = {one["name"]: Identity(one["pid"], one["created"]) for one in status["children"] if one["pid"]}
    return {name: one for name, one in found.items() if alive(one)}


def lock(state_dir: Path) -> IO[str]:
    """The right to run this site, until the file is closed; SupervisorError when another has it."""
    state_dir.mkdir(parents=True, exist_ok=True)
    file = (state_dir / LOCK).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        message = told("{}: this site runs already (supervisor pid {}); `cmc status` or `cmc down`", state_dir, owner)
        raise SupervisorError(message) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


class Signals:
    """SIGINT, SIGTERM and SIGHUP as a count; a program asks for it and is never interrupted in the middle."""

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1

    def any(self) -> bool:
        """At least one has come: stop."""
        return self.count > 0

    def insistent(self) -> bool:
        """A second one has come: wait no longer for the balance."""
        return self.count > 1
