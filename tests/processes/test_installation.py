"""A whole installation on this machine: two simulated venues, `cmc up`, the operator's commands, `cmc down`, the demo."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from gateway.processes import demo_sites
from gateway.processes.demo_sites import Asked
from gateway.processes.toml_text import toml_text

ROOT = Path(__file__).parents[2]
CMC = (sys.executable, "-m", "gateway.processes.cli")
ASKED = Asked("synthetic", "cu", "", 7, 60, "none", faults=False)


class Installation(NamedTuple):
    """A site file whose venues run, and the folder that everything lies in."""

    site: Path
    folder: Path

    def cmc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command, as a person calls it."""
        return subprocess.run(
            [*CMC, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=_environment()
        )

    def up(self) -> subprocess.Popen[bytes]:
        """The site in a process of its own."""
        return subprocess.Popen([*CMC, "up", str(self.site)], cwd=ROOT, stderr=subprocess.DEVNULL, env=_environment())

    def status(self) -> dict[str, Any]:
        """What `cmc status --json` says."""
        content: dict[str, Any] = json.loads(self.cmc("status", str(self.site), "--json").stdout)
        return content


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CMC_")}


def until(done: Callable[[], bool], seconds: int = 30) -> None:
    """Wait for it, no longer than said."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.05)


def left_of(folder: Path) -> list[str]:
    """Processes that were started with a path in this folder and still run."""
    found = []
    for one in psutil.process_iter(["pid", "cmdline", "status"]):
        words = " ".join(one.info["cmdline"] or [])
        if str(folder) in words and one.pid != os.getpid() and one.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(words)
    return found


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Two venues that run, and a site file that connects to them; all of it ended in any case."""
    made = demo_sites.plan(ASKED, demo_sites.tape_of(ASKED))
    venues = (made.domestic, made.overseas)
    running = []
    (tmp_path / "ready").mkdir()
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        try:
            for venue in venues:
                profile = tmp_path / f"{venue.id}.toml"
                profile.write_text(toml_text(demo_sites.profile(made, venue, ASKED, tmp_path, 0)), encoding="utf-8")
                running.append(subprocess.Popen([*CMC, "simulate", str(profile)], cwd=ROOT, env=_environment()))
            files = {venue.id: tmp_path / "ready" / f"venue-{venue.id}.json" for venue in venues}
            until(lambda: all(file.exists() for file in files.values()))
            said = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}
            ports = {name: (one["md_port"], one["orders_port"]) for name, one in said.items()}
            site = tmp_path / "site.toml"
            site.write_text(toml_text(demo_sites.site(made, ports, bus_dir)), encoding="utf-8")
            yield Installation(site, tmp_path)
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(15)
            for pid in [one.pid for one in psutil.process_iter(["cmdline"]) if _ours(one, tmp_path)]:
                os.kill(pid, signal.SIGKILL)


def _ours(one: psutil.Process, folder: Path) -> bool:
    return f"{folder}/site.toml" in (one.info["cmdline"] or [])


def test_an_installation_goes_up_is_armed_refuses_a_second_one_and_goes_down_balanced(
    installation: Installation,
) -> None:
    """Status, arm, kill and down do what they say, and nothing is left at the end."""
    site = str(installation.site)
    up = installation.up()
    try:
        until(lambda: installation.status()["execution"] is not None)
        before = installation.status()
        assert [one["name"] for one in before["processes"]] == ["feed", "execution", "watch", "trigger", "recorder"]
        assert before["execution"]["armed"] is False
        assert installation.cmc("up", site).returncode == 1
        until(lambda: all(one[1] and one[2] for one in installation.status()["execution"]["sessions"]))
        armed = installation.cmc("arm", site, "--who", "Li Lei", "--reason", "test")
        assert (armed.returncode, installation.status()["execution"]["armed"]) == (0, True), armed.stdout + armed.stderr
        down = installation.cmc("down", site)
        assert down.returncode == 0, down.stderr
        assert "every trade balanced" in down.stderr
        assert up.wait(10) == 0
        assert left_of(installation.site) == []
    finally:
        up.kill()
        up.wait()


def test_a_supervisor_that_dies_ends_nothing_and_down_still_stops_in_order(installation: Installation) -> None:
    """Its processes go on; a second `up` is refused and says so; `cmc down` finds and ends them."""
    up = installation.up()
    try:
        until(lambda: installation.status()["execution"] is not None)
        until(lambda: all(one["state"] == "ready" for one in installation.status()["processes"]))
        up.kill()
        up.wait()
        assert installation.status()["execution"] is not None
        second = installation.cmc("up", str(installation.site))
        assert second.returncode == 1
        assert "processes of a supervisor that died still run" in second.stderr
        down = installation.cmc("down", str(installation.site))
        assert down.returncode == 0, down.stderr
        assert left_of(installation.site) == []
    finally:
        up.kill()
        up.wait()


def test_the_demo_trades_and_proves_it(tmp_path: Path) -> None:
    """Exit code 0, a report, a summary in which journal and venues agree, and no process left."""
    file = tmp_path / "summary.json"
    done = subprocess.run(
        [*CMC, "demo", "--seconds", "8", "--out", str(tmp_path), "--json", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(file.read_text(encoding="utf-8"))
    assert summary["reconciled_with_venues"] is True
    assert summary["pair_trades"]["opened"] >= 1
    assert summary["pair_trades"]["halted"] == summary["pair_trades"]["unfinished"] == 0
    assert len(list(tmp_path.glob("*/report.html"))) == 1
    assert left_of(tmp_path) == []


def test_ctrl_c_ends_the_demo_in_order(tmp_path: Path) -> None:
    """An interrupt while it trades: balanced, compared, reported, and nothing left."""
    demo = subprocess.Popen(
        [*CMC, "demo", "--seconds", "60", "--out", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(),
    )
    assert demo.stdout is not None
    try:
        said = ""
        for line in demo.stdout:
            said += line
            if " s left |" in line:
                demo.send_signal(signal.SIGINT)
                break
        said += demo.communicate(timeout=60)[0]
    finally:
        demo.kill()
        demo.wait()
        demo.stdout.close()
    assert "stopped with every trade balanced" in said
    assert "journal and venues agree" in said or "nothing to compare" in said
    assert left_of(tmp_path) == []
