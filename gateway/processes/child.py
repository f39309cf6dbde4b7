"""One child process: started in a group of its own, its output in a log, its readiness in a file, its end told.

A group of its own keeps a Ctrl-C on the terminal away from it: the supervisor decides in which order processes end.
One that is handed its site (`handover.py`) is prepared first, which loads it, and begins at a word.

What can go wrong: a pid is used again by another process; so a process is known by pid and time of creation together,
and a signal goes only to one that matches.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from gateway.processes.handover import NOTHING, Word

FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that somebody else sends. A segmentation fault is a death by our own hand."""
LOG_TAIL_BYTES = 2000


class Identity(NamedTuple):
    """A process, told apart from a later one with the same pid."""

    pid: int
    created: float


def identity(pid: int) -> Identity | None:
    """Who `pid` is now; None when nobody."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, process.create_time())
    except psutil.Error:
        return None


def alive(one: Identity) -> bool:
    """Whether this very process still runs."""
    now = identity(one.pid)
    return now is not None and abs(now.created - one.created) < 1


def send_signal(one: Identity, number: signal.Signals) -> None:
    """Send it, if this very process still runs."""
    if alive(one):
        os.kill(one.pid, number)


class Child:
    """A program that the supervisor keeps: `python -m MODULE ARGUMENTS` or any other command."""

    def __init__(self, name: str, command: Sequence[str], run_dir: Path, site_fd: int = NOTHING) -> None:
        """`site_fd`: what `hand_over` gave, for a program that takes it."""
        self.name = name
        self.restarts = 0
        self.last_end = ""
        self._command = tuple(command)
        self._log = run_dir / "logs" / f"{name}.log"
        self._ready = run_dir / "ready" / f"{name}.json"
        self._site_fd = site_fd
        self._word: Word | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.identity: Identity | None = None

    def start(self, *more: str) -> None:
        """Start it with `more` arguments; its ready file of before is gone."""
        if self._word is None or self._word.said:
            self.prepare(*more)
        if self._word is not None:
            self._word.say()

    def prepare(self, *more: str) -> None:
        """As `start`; but one that is handed its site only loads, and begins when `start` is called."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._ready.parent.mkdir(parents=True, exist_ok=True)
        self._ready.unlink(missing_ok=True)
        word = Word() if self._site_fd != NOTHING else None
        handed = () if word is None else (self._site_fd, word.fd)
        if word is not None:
            more = (*more, "--site-fd", str(self._site_fd), "--word-fd", str(word.fd))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 our own programs
                [*self._command, *more],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                pass_fds=handed,
            )
        self._word = word
        if word is not None:
            word.started()
        self.identity = identity(self._process.pid)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """It runs, and has written {"ready": true} since it was started."""
        if not self.running:
            return False
        try:
            said = json.loads(self._ready.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(said, dict) and said.get("ready") is True

    @property
    def started(self) -> bool:
        """It was told to begin."""
        return self._process is not None and (self._word is None or self._word.said)

    def end(self) -> str:
        """How it ended: "signal" from outside, "exit" by itself; `last_end` has the words. Only after it ended."""
        code = self._process.returncode if self._process is not None else 0
        if code >= 0:
            self.last_end = f"exit code {code}"
            return "exit"
        number = -code
        known = number in {one.value for one in signal.Signals}
        self.last_end = f"signal {signal.Signals(number).name if known else number}"
        return "signal" if number in FROM_OUTSIDE else "exit"

    def terminate(self) -> None:
        self._withhold()
        if self._process is not None and self.running:
            self._process.terminate()

    def kill(self) -> None:
        self._withhold()
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait()

    def _withhold(self) -> None:
        if self._word is not None:
            self._word.withhold()

    def log_tail(self) -> str:
        """The last lines that it wrote."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - LOG_TAIL_BYTES))
                return log.read().decode(errors="replace").strip()
        except OSError:
            return ""


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs `module` with this interpreter."""
    return (sys.executable, "-m", module, *arguments)
