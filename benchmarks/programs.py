"""Child processes of a benchmark: started with its knobs, ended whatever happens. Both sides get the same knobs."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

STOP_TIMEOUT_S = 10.0
_SPINNER = "while True: pass"


class Knobs(msgspec.Struct, frozen=True):
    """What the machine does for the processes under test. Each applies to ours and to the reference alike.

    `burn`: a SCHED_IDLE spinner on each core, so that no core sleeps deeply. `warm`: execution builds orders and throws
    them away while it waits. `fifo`: the processes run under SCHED_FIFO.
    """

    burn: bool = False
    warm: bool = False
    fifo: bool = False

    def in_words(self) -> str:
        """For the head of a table."""
        return ", ".join(name for name in self.__struct_fields__ if getattr(self, name)) or "none"


class ProgramError(Exception):
    """A child process did not start or did not live; names the program and shows the end of what it said."""


class Programs:
    """Children, ended in reverse order when the context ends."""

    def __init__(self, log_dir: Path, knobs: Knobs) -> None:
        self._log_dir = log_dir
        self._knobs = knobs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        log_dir.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        if self._knobs.burn:
            for core in sorted(os.sched_getaffinity(0)):
                self._start_spinner(core)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        """Starts `command` with its output in a file of the log directory."""
        prefix = _fifo_prefix() if self._knobs.fifo else []
        variables = os.environ | (environment or {})
        with (self._log_dir / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [*prefix, *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=variables
            )
        self._running.append((name, child))

    def pid(self, name: str) -> int:
        """The process id of a child that was started."""
        return next(child.pid for started, child in self._running if started == name)

    def check(self) -> None:
        """ProgramError for a child that has ended by itself."""
        for name, child in self._running:
            if child.poll() is not None:
                raise ProgramError(f"{name} ended with {child.returncode}: {self.last_words(name)}")

    def last_words(self, name: str) -> str:
        """The end of what the child wrote."""
        path = self._log_dir / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace")[-1500:] if path.exists() else ""

    def stop(self) -> None:
        """SIGTERM to all, last started first; SIGKILL to what is left after 10 s."""
        for _, child in reversed(self._running):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        end = time.monotonic() + STOP_TIMEOUT_S
        for _, child in self._running:
            try:
                child.wait(max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()

    def _start_spinner(self, core: int) -> None:
        child = subprocess.Popen([sys.executable, "-c", _SPINNER], stdin=subprocess.DEVNULL)
        self._running.append((f"spinner-{core}", child))
        os.sched_setaffinity(child.pid, {core})
        os.sched_setscheduler(child.pid, os.SCHED_IDLE, os.sched_param(0))


def _fifo_prefix() -> list[str]:
    """What runs a command under SCHED_FIFO; a refusal of the kernel ends the child, with its words in the log."""
    path = shutil.which("chrt")
    if path is None:
        raise ProgramError("--fifo needs chrt, which is not installed (package util-linux)")
    return [path, "--fifo", "10"]


def cpu_seconds(pid: int) -> float:
    """Processor time of a process's living threads, by the scheduler's own count (the tick's count is coarse)."""
    told = (path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(line.split()[0]) for line in told) / 1e9
