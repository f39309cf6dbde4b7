"""The client acceptor under load: order to acknowledgement, by a plain probe session, from due times.

`python -m benchmarks.client_acceptor [--sessions 50] [--rates 0,1000,2000,3000] [--seconds 10]`. The process for
clients as an installation runs it (door, QuickFIX, engine, journal); trigger and execution are stand-ins that answer
and trade nothing. Load and probe are processes of their own, on the same machine. The probe sends 50 orders a second.

It prints, for each rate of the load, the percentiles of the probe's delay and how many orders of the load were
acknowledged; a rate is sustained while that is all of them and the delay does not grow.
"""

import argparse
import contextlib
import selectors
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.client_load import PREFIX, Session
from benchmarks.machine import describe, in_words
from benchmarks.pacing import due_times, undisturbed
from benchmarks.percentiles import Summary, summarise
from benchmarks.programs import cpu_seconds
from gateway.bus.sockets import prepare_bus_dir
from gateway.processes.toml_text import toml_text

ROOT = Path(__file__).parents[1]
PAIR = "CU-CA"
PROBE_RATE = 50
WIDE = 1_000_000


class Round(NamedTuple):
    """One rate of the load."""

    rate: int
    probe: Summary | None
    sent: int
    acked: int
    cpu_pct: float
    """Of one core, the process for clients."""
    cpu_us: float
    """Its processor time for each order of load and probe, its share of what it does anyway included."""


def free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def write_site(folder: Path, bus_dir: str, port: int, sessions: int) -> Path:
    """The demo's site with so many clients and a probe."""
    content = tomllib.loads((ROOT / "sites/demo.toml").read_text(encoding="utf-8"))
    content["site"] |= {"state_dir": "state", "bus_dir": bus_dir}
    content["journal"] |= {"min_free_mb": 1}
    content["clients"] = {"port": port, "messages_per_s": WIDE}
    names = ["PROBE", *(f"{PREFIX}{number}" for number in range(sessions))]
    row = {"accounts": ["A1"], "pairs": [PAIR], "orders_per_s": WIDE, "max_open_orders": WIDE}
    content["client"] = [{"id": name, **row} for name in names]
    path = folder / "site.toml"
    path.write_text(toml_text(content), encoding="utf-8")
    return path


@contextlib.contextmanager
def running(sessions: int) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """The process for clients and the stand-ins; the port and the process."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        folder = Path(name)
        port = free_port()
        site = write_site(folder, bus_dir, port, sessions)
        prepare_bus_dir(bus_dir)
        words = ["--site", str(site), "--run-dir", str(folder / "run"), "--bus-dir", bus_dir]
        others = subprocess.Popen([sys.executable, "-m", "benchmarks.client_others", bus_dir], cwd=ROOT)
        clients = subprocess.Popen([sys.executable, "-m", "gateway.processes.clients", *words], cwd=ROOT)
        try:
            end = time.monotonic() + 30
            while not (folder / "run/ready/clients.json").exists():
                if clients.poll() is not None or time.monotonic() > end:
                    message = "the process for clients did not start"
                    raise RuntimeError(message)
                time.sleep(0.05)
            time.sleep(1)  # both stand-ins have been heard
            yield port, clients
        finally:
            for process in (clients, others):
                process.terminate()
                process.wait(10)


def measure(port: int, clients: "subprocess.Popen[bytes]", sessions: int, rate: int, seconds: int) -> Round:
    """One rate: the load runs, the probe measures in its middle."""
    load = None
    if rate:
        words = [str(port), str(sessions), str(rate), str(seconds + 2), PAIR]
        command = [sys.executable, "-m", "benchmarks.client_load", *words]
        load = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert load.stdout is not None  # noqa: S101 - asked for above
        load.stdout.readline()
    before = cpu_seconds(clients.pid)
    begun = time.monotonic()
    probe = Session(port, "PROBE", pair=PAIR)
    probe.log_on()
    if load is not None and load.stdin is not None:
        load.stdin.write("go\n")
        load.stdin.flush()
        time.sleep(1)
    delays = _probe(probe, seconds)
    probe.socket.close()
    sent = acked = 0
    if load is not None:
        out, _ = load.communicate(timeout=60)
        sent, acked, _ = (int(word) for word in out.split())
    cpu_s = cpu_seconds(clients.pid) - before
    cpu_pct = 100 * cpu_s / (time.monotonic() - begun)
    time.sleep(0.5)
    return Round(rate, summarise(delays), sent, acked, cpu_pct, 1e6 * cpu_s / (sent + len(delays)))


def _probe(one: Session, seconds: int) -> list[int]:
    """Delay of each acknowledgement from the due time of its order."""
    waits = selectors.DefaultSelector()
    waits.register(one.socket, selectors.EVENT_READ)
    due: dict[str, int] = {}
    delays: list[int] = []
    with undisturbed():
        for number, due_ns in enumerate(due_times(PROBE_RATE, PROBE_RATE * seconds)):
            name = f"{due_ns:x}.{number}"
            due[name] = due_ns
            one.socket.sendall(one.order(name))
            until_ns = due_ns + 10**9 // PROBE_RATE - 2_000_000
            while (left_ns := until_ns - time.monotonic_ns()) > 0 and due:
                if waits.select(left_ns / 1e9):
                    now_ns = time.monotonic_ns()
                    delays += [now_ns - due.pop(found) for found in one.take() if found in due]
        end_ns = time.monotonic_ns() + 5 * 10**9
        while due and time.monotonic_ns() < end_ns:
            if waits.select(0.1):
                now_ns = time.monotonic_ns()
                delays += [now_ns - due.pop(found) for found in one.take() if found in due]
    return delays + [10**10] * len(due)


def table(rounds: list[Round], sessions: int) -> str:
    """The rounds as text."""
    lines = [
        f"{sessions} sessions; order to acknowledgement of a probe session, us from the due time",
        "orders/s       p50      p90      p99    p99.9   count   acked/sent        CPU of the process  us/order",
    ]
    for one in rounds:
        if one.probe is None:
            continue
        figures = (one.probe.p50_ns, one.probe.p90_ns, one.probe.p99_ns, one.probe.p99_9_ns)
        shown = " ".join(f"{ns / 1000:8.0f}" for ns in figures)
        answered = f"{one.acked:6d}/{one.sent:<6d}"
        cpu = f"{one.cpu_pct:12.0f} % {one.cpu_us:14.0f}"
        lines.append(f"{one.rate:8d}  {shown} {one.probe.count:7d}   {answered} {cpu}")
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client_acceptor")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--rates", default="0,1000,2000,3000")
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    print(in_words(describe()))
    rounds = []
    with running(given.sessions) as (port, clients):
        for rate in (int(word) for word in given.rates.split(",")):
            rounds.append(measure(port, clients, given.sessions, rate, given.seconds))
            print(table(rounds[-1:], given.sessions), flush=True)
    print(table(rounds, given.sessions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
