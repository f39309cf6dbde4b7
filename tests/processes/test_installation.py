"""A whole installation on this machine: two simulated venues, `cmc up`, the operator's commands, `cmc down`, the demo."""

import json
import os
import signal
import socket
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
    venues: dict[str, "subprocess.Popen[bytes]"]

    def start_venue(self, name: str) -> None:
        """It listens where it did before, and remembers its numbers."""
        profile = str(self.folder / f"{name}.toml")
        self.venues[name] = subprocess.Popen([*CMC, "simulate", profile], cwd=ROOT, env=_environment())

    def end_venue(self, name: str) -> None:
        """As when its machine loses power."""
        self.venues[name].kill()
        self.venues[name].wait()

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
    free = free_ports(4)
    ports = {venue.id: (free.pop(), free.pop()) for venue in venues}
    (tmp_path / "ready").mkdir()
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        site = tmp_path / "site.toml"
        site.write_text(toml_text(demo_sites.site(made, ports, bus_dir)), encoding="utf-8")
        installed = Installation(site, tmp_path, {})
        try:
            for venue in venues:
                content = demo_sites.profile(made, venue, ASKED, tmp_path, 0)
                content["venue"]["md_port"], content["venue"]["orders_port"] = ports[venue.id]
                content["venue"]["state_dir"] = str(tmp_path / "venue-state" / venue.id)
                (tmp_path / f"{venue.id}.toml").write_text(toml_text(content), encoding="utf-8")
                installed.start_venue(venue.id)
            until(lambda: all((tmp_path / "ready" / f"venue-{venue.id}.json").exists() for venue in venues))
            yield installed
        finally:
            for process in installed.venues.values():
                process.terminate()
            for process in installed.venues.values():
                process.wait(15)
            for pid in [one.pid for one in psutil.process_iter(["cmdline"]) if _ours(one, tmp_path)]:
                os.kill(pid, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Ports that nobody had a moment ago: a venue that comes back has to listen where it did."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


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
        assert [one["name"] for one in before["processes"]] == ["feed", "execution", "watch", "recorder", "trigger"]
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


def test_operators_commands_have_their_effect_on_a_running_installation(installation: Installation) -> None:
    """Pairs, positions, stage, fill, takeover, release, explain: exit codes, words, and what changed."""
    site = str(installation.site)
    who = (site, "--who", "Li Lei", "--reason", "test")
    up = installation.up()
    try:
        until(lambda: (installation.status()["execution"] or {"sessions": ()})["sessions"] != ())
        until(lambda: all(one[1] and one[2] for one in installation.status()["execution"]["sessions"]))
        assert installation.status()["pairs"][0]["why"][0] == "execution is disarmed until `cmc arm`"
        assert installation.cmc("arm", *who).returncode == 0
        until(lambda: bool(ended(installation)))
        trade = ended(installation)[0]
        pairs = json.loads(installation.cmc("pairs", site, "--json").stdout)
        assert [(one["pair"], one["traded"], one["price"]["verdict"]) for one in pairs] == [("CU-CA", True, "ok")]
        assert installation.cmc("stage", "limited", *who).returncode == 0
        assert installation.cmc("kill", "--hold", *who).returncode == 0
        until(lambda: installation.status()["execution"]["open_trades"] == 0)
        assert installation.status()["execution"]["stage"] == "limited"
        before = net(installation, "SHFE.cu2609")
        fill = ("fill", "add", trade, *who, "--leg", "1", "--side", "buy", "--lots", "5", "--price", "70000")
        first, again = (installation.cmc(*fill, "--exec-id", "E1") for _ in range(2))
        assert (first.returncode, again.returncode) == (0, 0), first.stdout + first.stderr
        assert "booked already" in again.stdout
        assert net(installation, "SHFE.cu2609") == before + 5
        taken = installation.cmc("trade", "takeover", trade, *who)
        assert (taken.returncode, f"{trade} is yours" in taken.stdout) == (0, True), taken.stdout
        assert installation.cmc("trade", "release", trade, *who).returncode == 0
        for call, words in (
            (("trade", "takeover", "P9-9", *who), "no pair trade 'P9-9'"),
            (("trade", "release", "P9-9", *who), "no pair trade 'P9-9'"),
            (("fill", "assign", trade, *who, "--leg", "1", "--exec-id", "none"), "no unexplained fill"),
            (("explain", "SHFE.cu2609", *who), "nothing unexplained"),
        ):
            refused = installation.cmc(*call)
            assert (refused.returncode, words in refused.stdout) == (1, True), refused.stdout + refused.stderr
        assert installation.cmc("down", site).returncode == 1  # what a person holds unbalanced is told at the end
        assert up.wait(10) == 1
    finally:
        up.kill()
        up.wait()


def ended(installation: Installation) -> list[str]:
    """Pair trades that are balanced."""
    listed = installation.cmc("trades", str(installation.site), "--json").stdout
    return [one["trade_id"] for one in json.loads(listed or "[]") if one["outcome"] == "hedged"]


def net(installation: Installation, name: str) -> int:
    """Lots held, as `cmc positions` says."""
    content = json.loads(installation.cmc("positions", str(installation.site), "--json").stdout)
    return next(int(one["net_lots"]) for one in content["instruments"] if one["instrument_id"] == name)


def test_a_venue_that_is_gone_is_told_and_comes_back_by_itself(installation: Installation) -> None:
    """Status says session, attempts, error and next attempt; the pair is not traded meanwhile, and is again after."""
    up = installation.up()
    try:
        until(lambda: len(sessions(installation, "up")) == 4)
        installation.cmc("arm", str(installation.site), "--who", "Li Lei", "--reason", "test")
        until(lambda: installation.status()["pairs"][0]["traded"])
        installation.end_venue("LME")
        until(lambda: sorted(sessions(installation, "waiting")) == ["LME.md", "LME.orders"])
        one = next(one for one in installation.status()["sessions"] if one["session"] == "LME.orders")
        assert one["attempts"] >= 1
        assert f"{one['venue']}.{one['kind']}" == "LME.orders"
        assert "LME: order session is down" in installation.status()["pairs"][0]["why"]
        assert installation.status()["pairs"][0]["traded"] is False
        plain = installation.cmc("status", str(installation.site)).stdout
        assert "LME.orders" in plain
        assert "DOWN" in plain
        installation.start_venue("LME")
        until(lambda: installation.status()["pairs"][0]["traded"], 40)
        assert len(sessions(installation, "up")) == 4
        assert installation.cmc("down", str(installation.site)).returncode == 0
    finally:
        up.kill()
        up.wait()


def sessions(installation: Installation, state: str) -> list[str]:
    """Keys of the sessions in this state."""
    return [one["session"] for one in installation.status()["sessions"] if one["state"] == state]


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
        [*CMC, "demo", "--seconds", "20", "--out", str(tmp_path), "--json", str(file)],
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
    assert 0 < summary["quotes_in_step_ns_p99"] < 35_000_000, "the venues' clocks are 1.3 s apart, one 90 ms away"
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
