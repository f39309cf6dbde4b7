"""Load on a gateway that runs: locust's page, workers, a port, faults, storms; and every way to end before the end."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from acceptance.evidence import read_loadtest
from gateway.processes import cli
from gateway.processes.deliver_stress import with_clients
from gateway.processes.deliver_world import free_port, gateway, venues
from gateway.processes.supervisor import live_children, read_status
from loadtest.session import Client

ROOT = Path(__file__).parents[2]
WAIT_S = 90.0


class World(NamedTuple):
    """A gateway with clients, on simulators."""

    port: int
    run_dir: Path
    site: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with venues(folder, seed=7, seconds=600, network="same-city") as at:
        tables = at.site_tables()
        port = with_clients(tables)
        with gateway(at, tables) as installed:
            installed.arm("test", "load")
            yield World(port, installed.run_dir, installed.site.path)


def stress(*words: str) -> subprocess.Popen[str]:
    """`cmc deliver stress`, in a group of its own as a shell starts it."""
    command = [sys.executable, "-m", "gateway.processes.cli", "deliver", "stress", *words]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def ended(step: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and what it said."""
    said, _ = step.communicate(timeout=WAIT_S)
    return step.returncode, said


def until(done: Callable[[], object], step: subprocess.Popen[str]) -> None:
    end = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < end
        assert step.poll() is None, step.communicate()[0]
        time.sleep(0.1)


def named(folder: Path, program: str = "") -> list[str]:
    """Command lines that name this folder and this program."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    return [one for one in lines if str(folder) in one and program in one]


def ordered(world: World) -> int:
    """How often the journal of clients names the probe."""
    return sum(one.read_bytes().count(b"PROBE") for one in (world.run_dir / "journal").glob("clients.*"))


def content(path: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return made


def test_locust_s_page_answers_on_loopback_and_the_run_ends_by_itself(world: World, tmp_path: Path) -> None:
    """Two scenarios, one page after the other on the same port; nobody has to press a button.

    The load has stepped back behind what it measures.
    """
    web = free_port()
    step = stress("--port", str(world.port), "--only", "step,soak", "--seconds", "5", "--web", str(web), "--out",
                  str(tmp_path / "out"))  # fmt: skip
    seen: dict[str, Any] = {}

    def shows_answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{web}/stats/requests", timeout=5) as answer:
                seen.update(json.load(answer))
        except OSError:
            return False
        return any(one["name"] == "order to answer" and one["num_requests"] for one in seen["stats"])

    until(shows_answers, step)
    listening = {
        one.laddr.ip for one in psutil.net_connections("tcp") if one.status == "LISTEN" and one.laddr.port == web
    }
    assert listening == {"127.0.0.1"}
    load = [one for one in psutil.Process(step.pid).children(recursive=True) if "locust" in one.cmdline()]
    assert {one.nice() for one in load} == {10}
    code, said = ended(step)
    assert code == 0, said
    for name in ("step", "soak"):
        assert content(tmp_path / "out" / f"load-{name}.json")["answered"] > 0
        assert read_loadtest(tmp_path / "out" / f"probe-{name}.json").failures == 0


def test_two_workers_make_one_load_on_a_running_gateway(world: World, tmp_path: Path) -> None:
    """Each takes every second session; the master's file has what both sent, and the probe stands beside it."""
    step = stress("--site", str(world.site), "--only", "step", "--seconds", "6", "--workers", "2", "--out",
                  str(tmp_path / "out"))  # fmt: skip
    code, said = ended(step)
    assert code == 0, said
    load = content(tmp_path / "out" / "load-step.json")
    assert load["workers"] == 2
    assert read_loadtest(tmp_path / "out" / "probe-step.json").against.config
    assert load["requests"] == load["answered"] > 50
    assert load["failures_by_reason"] == {}
    assert named(tmp_path) == []


def test_faults_and_a_storm_while_the_load_runs(tmp_path: Path) -> None:
    """A market five times as fast at venues that misbehave: clients' orders are answered all the same."""
    out = tmp_path / "out"
    code, said = ended(stress("--only", "step", "--seconds", "5", "--faults", "--storm", "5", "--out", str(out)))
    assert code == 0, said
    assert content(out / "probe-step.json")["failures"] == 0
    profile = (out / "world" / "profiles" / "SHFE.toml").read_text(encoding="utf-8")
    assert "[[fault]]" in profile
    assert 'name = "storm"' in profile
    assert named(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_test_that_is_stopped_leaves_nothing(world: World, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C goes to everybody, SIGTERM to the command alone: no process, no result, no document."""
    out = tmp_path / "out"
    step = stress("--port", str(world.port), "--only", "soak", "--seconds", "60", "--out", str(out))
    until(lambda: named(tmp_path, "loadtest.probe"), step)
    if number is signal.SIGINT:
        os.killpg(step.pid, number)
    else:
        step.send_signal(number)
    code, _ = ended(step)
    assert code == 128 + number
    assert named(tmp_path) == []
    assert sorted(one.name for one in out.iterdir()) == ["load-soak.log"]


def test_a_load_whose_command_is_killed_ends_with_it(world: World, tmp_path: Path) -> None:
    """SIGKILL of the program that started locust and the probe: the kernel ends both."""
    command = [
        sys.executable,
        "-m",
        "loadtest.run",
        "--port",
        str(world.port),
        "--seconds",
        "60",
        "--out",
        str(tmp_path),
    ]
    load = subprocess.Popen(command, cwd=ROOT)
    end = time.monotonic() + WAIT_S
    while not named(tmp_path, "loadtest.probe") and time.monotonic() < end:
        time.sleep(0.1)
    load.kill()
    load.wait(WAIT_S)
    while named(tmp_path) and time.monotonic() < end:
        time.sleep(0.1)
    assert named(tmp_path) == []
    assert list(tmp_path.glob("*.json")) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--port", "FREE"], "nobody listens there"),
        (["--port", "CLIENTS", "--web", "CLIENTS"], "somebody listens there already"),
        (["--port", "CLIENTS", "--faults"], "are of the simulators"),
        (["--site", str(ROOT / "sites" / "demo.toml")], "no [[client]] PROBE, LOAD0, LOAD1, ...; the load has"),
        (["--workers", "17"], "--workers 17: a whole number from 1 to 16"),
        (["--storm", "0"], "--storm 0: a whole number from 1 to 1000"),
        (["--out", "USED"], "is there and not empty"),
    ],
)
def test_what_cannot_be_played_is_refused_before_it_begins(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    """A wrong call with the option, its value and what would be right; nothing is started or written."""
    used = tmp_path / "used"
    used.mkdir()
    (used / "probe-soak.json").write_text("{}", encoding="utf-8")
    values = {"FREE": str(free_port()), "CLIENTS": str(world.port), "USED": str(used)}
    given = [values.get(one, one) for one in words]
    out = [] if "--out" in given else ["--out", str(tmp_path / "new")]
    assert cli.main(["deliver", "stress", *given, *out]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_burst_of_others_costs_a_quiet_client_little(world: World) -> None:
    """Five hundred orders of twenty sessions wait, then one of the probe's: a few of them are answered before it."""
    status = read_status(world.run_dir)
    assert status is not None
    clients = live_children(status)["clients"].pid
    others = [Client("127.0.0.1", world.port, f"LOAD{number}") for number in range(20)]
    probe = Client("127.0.0.1", world.port, "PROBE")
    try:
        for one in (*others, probe):
            one.log_on()
        os.kill(clients, signal.SIGSTOP)
        try:
            for number in range(25):
                for one in others:
                    one.order(f"burst-{number}-{one.name}", "CU-CA")
            probe.order("quiet", "CU-CA")
        finally:
            os.kill(clients, signal.SIGCONT)
        before, after = answered_around(probe, others)
    finally:
        for one in (*others, probe):
            one.close()
    assert before < 60
    assert before + after == 500


def answered_around(probe: Client, others: list[Client]) -> tuple[int, int]:
    """Orders of others that were answered before the probe's one, and after it."""
    names: set[bytes] = set()
    before, read = -1, dict.fromkeys(others, b"")
    end = time.monotonic() + WAIT_S
    while (len(names) < 500 or before < 0) and time.monotonic() < end:
        ready, _, _ = select.select([probe.socket, *(one.socket for one in others)], [], [], 1.0)
        if probe.socket in ready and b"\x0111=quiet\x01" in probe.socket.recv(65_536) and before < 0:
            before = len(names)
        for one in others:
            if one.socket in ready:
                read[one] += one.socket.recv(65_536)
                names.update(re.findall(rb"\x0111=(burst-[^\x01]+)\x01", read[one]))
    return before, len(names) - before


def test_a_gateway_that_dies_is_no_pass(world: World, tmp_path: Path) -> None:
    """Killed in the middle, and not back in time: what was due and could not be sent counts as failed."""
    out = tmp_path / "out"
    step = stress("--port", str(world.port), "--only", "soak", "--seconds", "9", "--out", str(out))
    before = ordered(world)
    until(lambda: ordered(world) > before + 20, step)
    status = read_status(world.run_dir)
    assert status is not None
    os.kill(live_children(status)["clients"].pid, signal.SIGKILL)
    code, said = ended(step)
    assert code == 1, said
    probe = content(out / "probe-soak.json")
    assert probe["requests"] == 5 * 50 + 1
    assert probe["failures"] > 0
    assert probe["failures"] + probe["answered"] >= probe["requests"]
    assert named(tmp_path) == []
