"""Starts one load test: locust with or without its page, alone or as master and workers, and the probe beside it.

`python -m loadtest.run --port N --name ramp --shape ramp --kinds trader --users 20 --rate 10 --seconds 30 --out DIR`
writes `DIR/load-NAME.json` (locust's own delays), `DIR/probe-NAME.json` (the plain session's, for acceptance) and
`DIR/load-NAME.log` (what locust said). A result is written at the end of a test that was played to its end, and those
of an earlier one of the same name are taken away before: a test that was stopped leaves none.

The load comes from this machine and would take the processors from what it measures, which clients elsewhere do not: so
its processes step back (`--nice`) behind the gateway and the probe.

Every process it starts is ended, at the latest some seconds after the test's own length: by this program, however it
ends; where it is killed, by the kernel, which kills them with it.
"""

import argparse
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO

from loadtest.session import loopback
from loadtest.shapes import SHAPES

GRACE_S = 30
ROOT = Path(__file__).parents[1]
LOCUST_MODULE = "loadtest.locustfile"
LOCUSTFILE = ROOT.joinpath(*LOCUST_MODULE.split(".")).with_suffix(".py")
PROBE_DELAY_S = 2
LOAD_NICE = 10
"""Above `[clients] nice` of a site (5), so that the load is what waits."""
MOST_WORKERS = 16
TAIL_LINES = 5
PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A port of this machine that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def commands(given: argparse.Namespace, result: Path) -> list[list[str]]:
    """Locust's processes: the one that ends the test first."""
    base = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--loglevel", "WARNING"]
    base += ["--fix-port", str(given.port), "--pair", given.pair, "--prefix", given.prefix, "--rate", str(given.rate)]
    base += ["--kinds", given.kinds, "--shape", given.shape, "--most-users", str(given.users)]
    base += ["--seconds", str(given.seconds), "--workers-count", str(given.workers), "--name", given.name]
    lead = ["--result", str(result), "--only-summary"]
    if given.web:
        lead += ["--web-host", "127.0.0.1", "--web-port", str(given.web), "--autostart", "--autoquit", "1"]
    else:
        lead += ["--headless"]
    if given.workers == 1:
        return [base + lead]
    port = str(free_port())
    master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
    return [
        [*base, *lead, *master, "--expect-workers", str(given.workers)],
        *([*base, *worker] for _ in range(given.workers)),
    ]


def probe(given: argparse.Namespace, result: Path) -> list[str]:
    """The session that times."""
    seconds = max(1, given.seconds - 2 * PROBE_DELAY_S)
    return [sys.executable, "-m", "loadtest.probe", "--port", str(given.port), "--client", given.probe, "--pair",
            given.pair, "--rate", str(given.probe_rate), "--seconds", str(seconds), "--name", given.name, "--out",
            str(result)]  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """The test; 1 where an order of the probe failed, locust made no load, or a process did not end in time."""
    given.out.mkdir(parents=True, exist_ok=True)
    word = re.sub(r"\W+", "-", given.name)
    load, timed, log = (given.out / name for name in (f"load-{word}.json", f"probe-{word}.json", f"load-{word}.log"))
    for one in (load, timed):
        one.unlink(missing_ok=True)
    with ExitStack() as ending:
        said = ending.enter_context(log.open("wb"))
        locust = [_start(command, said, ending, given.nice) for command in commands(given, load)]
        try:
            code = 0
            if given.probe and not _ended(locust[0], PROBE_DELAY_S):
                code = _start(probe(given, timed), None, ending, 0).wait(given.seconds + GRACE_S)
            for process in locust:
                process.wait(GRACE_S + (0 if given.probe else given.seconds))
        except subprocess.TimeoutExpired as error:
            sys.stderr.write(f"{given.name}: did not end in time: {error}\n")
            return 1
    if not load.is_file():
        sys.stderr.write(f"{given.name}: locust made no result; {log} ends:\n{_tail(log)}\n")
        return 1
    return 1 if code else 0


def _start(command: list[str], said: IO[bytes] | None, ending: ExitStack, nice: int) -> "subprocess.Popen[bytes]":
    """A process that ends with this one, whatever ends this one."""
    begin = partial(_as_a_child, nice)
    one = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said, preexec_fn=begin)  # noqa: S603, PLW1509 our own program; there is one thread
    ending.callback(one.wait)
    ending.callback(one.kill)
    return one


def _as_a_child(nice: int) -> None:
    """Step back, and ask the kernel for SIGKILL when whoever started it is gone (prctl(2), PR_SET_PDEATHSIG)."""
    os.nice(nice)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Whether it ends within so many seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m loadtest.run", description=__doc__)
    made.add_argument("--host", type=loopback, default="127.0.0.1", help="loopback only")
    made.add_argument("--port", type=int, required=True, help="of the gateway's clients")
    made.add_argument("--name", default="load")
    made.add_argument("--pair", default="CU-CA")
    made.add_argument("--prefix", default="LOAD", help="CompIDs of the load: PREFIX0, PREFIX1, ...")
    made.add_argument("--probe", default="PROBE", help="CompID of the session that times; empty: none")
    made.add_argument("--probe-rate", type=float, default=50.0, help="orders a second of the session that times")
    made.add_argument("--kinds", default="trader", help="trader, burster, storm, slow, watcher")
    made.add_argument("--shape", default="soak", choices=sorted(SHAPES))
    made.add_argument("--users", type=int, default=10)
    made.add_argument("--rate", type=float, default=10.0, help="orders a second of one user")
    made.add_argument("--seconds", type=int, default=10)
    made.add_argument("--workers", type=int, default=1, choices=range(1, MOST_WORKERS + 1), metavar="N")
    made.add_argument(
        "--nice", type=int, default=LOAD_NICE, choices=range(20), metavar="N", help="of the load, 0 to 19"
    )
    made.add_argument("--web", type=int, default=0, metavar="PORT", help="locust's page on this port of loopback")
    made.add_argument("--out", type=Path, default=Path("runs/loadtest"))
    return made


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    for _number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(_number, _stop)  # so that locust and the probe are ended, too
    sys.exit(run(parser().parse_args()))
