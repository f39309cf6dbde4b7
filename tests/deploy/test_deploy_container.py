"""The image as an engine runs it: two venues and the gateway in one namespace, killed, started again, stopped balanced.

It needs an engine and the image (docs/DELIVERY.md says how it is built), and is skipped with words where one is missing.
CMC_ENGINE names the command where it is another than `podman` or `docker`, CMC_IMAGE the image.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

ROOT = Path(__file__).parents[2]
IMAGE = os.environ.get("CMC_IMAGE", "cross-market-connect")
HARDENED = shlex.split(
    "--read-only --cap-drop=ALL --security-opt=no-new-privileges --init --tmpfs=/tmp --user=10001:10001"
)
"""As `x-hardened` of compose.yaml; tests/acceptance/test_deploy_files.py looks at that file."""
SITE = "/opt/cmc/deploy/sites/demo.toml"
COMMAND_S = 60
"""No call of the engine takes longer."""


class Engine:
    """A container engine and what was started on it here."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._mark = f"cmc-test-{uuid4().hex[:8]}"
        self.started: list[str] = []

    def call(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the engine's command; what it says of healthchecks that nobody times here goes unread."""
        full = [*self._command, *words]
        return subprocess.run(full, capture_output=True, text=True, check=check, timeout=COMMAND_S)

    def name(self, short: str) -> str:
        return f"{self._mark}-{short}"

    def run(self, short: str, network: str, more: list[str], *command: str) -> None:
        """Start a container of the image in the background."""
        self.started.append(short)
        kept = ["-v", f"{self.name(short)}:/var/lib/cmc"]
        words = [
            "run",
            "-d",
            "--name",
            self.name(short),
            "--network",
            network,
            *HARDENED,
            *kept,
            *more,
            IMAGE,
            *command,
        ]
        self.call(*words)

    def inside(self, short: str, *command: str) -> subprocess.CompletedProcess[str]:
        return self.call("exec", self.name(short), *command, check=False)

    def exit_code(self, short: str) -> int:
        return int(self.call("inspect", "--format", "{{.State.ExitCode}}", self.name(short)).stdout)

    def log(self, short: str) -> str:
        said = self.call("logs", self.name(short))
        return said.stdout + said.stderr

    def end(self) -> None:
        """Nothing is left: neither containers nor volumes."""
        for short in reversed(self.started):
            self.call("rm", "-f", self.name(short), check=False)
            self.call("volume", "rm", "-f", self.name(short), check=False)


def engine_command() -> tuple[list[str], str]:
    """The first engine that answers and has the image; else why there is none."""
    given = os.environ.get("CMC_ENGINE")
    why = []
    for words in [shlex.split(given)] if given else [["podman"], ["docker"]]:
        if shutil.which(words[0]) is None:
            why.append(f"{words[0]} is not installed")
        elif (said := asked([*words, "info"])) is not None:
            why.append(f"{words[0]} is installed, but no engine answers it: {said}")
        elif asked([*words, "image", "inspect", IMAGE]) is not None:
            why.append(f"{words[0]} has no image {IMAGE}; docs/DELIVERY.md says how it is built")
        else:
            return words, ""
    return [], "; ".join(why)


def asked(words: list[str]) -> str | None:
    """None where it succeeded; else the last line of what it said."""
    answer = subprocess.run(words, capture_output=True, text=True, check=False, timeout=COMMAND_S)
    return None if answer.returncode == 0 else (answer.stderr.strip().splitlines() or ["nothing"])[-1]


def wait(what: Callable[[], bool], seconds: float) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Two venues and the gateway, as compose.yaml starts them."""
    command, why = engine_command()
    if not command:
        pytest.skip(why)
    made = Engine(command)
    try:
        made.run("loopback", "none", ["--entrypoint", "sleep"], "infinity")
        shared = f"container:{made.name('loopback')}"
        for venue in ("shfe", "lme"):
            made.run(venue, shared, [], "simulate", f"/opt/cmc/deploy/container/{venue}.toml")
        made.run("gateway", shared, ["-e", f"CMC_SITE={SITE}"], "up", SITE)
        assert is_up(made), made.log("gateway")
        yield made
    finally:
        made.end()


def is_up(engine: Engine) -> bool:
    """As the healthcheck of compose.yaml asks, and every session is logged on."""

    def answers() -> bool:
        said = engine.inside("gateway", "cmc", "status", "--json")
        return said.returncode == 0 and all(one["up"] for one in json.loads(said.stdout)["sessions"])

    return wait(answers, 40)


def test_it_runs_without_any_right(engine: Engine) -> None:
    """Uid 10001, no capability, no way to more, nothing writable but its state and /tmp, which are its own."""
    status = engine.inside("gateway", "cat", "/proc/self/status").stdout
    assert re.findall(r"^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$", status, re.MULTILINE) == [("10001",) * 4]
    assert set(re.findall(r"^Cap\w+:\t(\w+)$", status, re.MULTILINE)) == {"0" * 16}
    assert re.findall(r"^NoNewPrivs:\t(\d)$", status, re.MULTILINE) == ["1"]
    for place, can in (("/opt/cmc/x", False), ("/etc/x", False), ("/var/lib/cmc/x", True), ("/tmp/x", True)):  # noqa: S108
        assert (engine.inside("gateway", "touch", place).returncode == 0) is can, place
    assert engine.inside("gateway", "stat", "-c", "%u %a", "/var/lib/cmc").stdout == "10001 700\n"


def test_nothing_is_reached_but_loopback(engine: Engine) -> None:
    """The one interface of the namespace is lo, and every listener is on 127.0.0.1."""
    lines = engine.inside("gateway", "cat", "/proc/net/dev").stdout.splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]
    sockets = engine.inside("gateway", "cat", "/proc/net/tcp").stdout.splitlines()[1:]
    listening = {one.split()[1].split(":")[0] for one in sockets if one.split()[3] == "0A"}
    assert listening == {"0100007F"}


def test_a_killed_venue_returns_and_is_logged_on_again(engine: Engine) -> None:
    """The namespace outlives a venue, so the gateway finds it where it was."""
    engine.call("kill", "--signal", "KILL", engine.name("lme"))
    engine.call("start", engine.name("lme"))
    assert is_up(engine)


def test_killed_it_returns_disarmed_and_stopped_it_ends_balanced(engine: Engine) -> None:
    """SIGKILL of everything at once, start, arm, stop: exit code 0, and its last word is that it is balanced."""
    assert engine.inside("gateway", "cmc", "arm", "--who", "Test", "--reason", "smoke test").returncode == 0
    engine.call("kill", "--signal", "KILL", engine.name("gateway"))
    assert wait(lambda: engine.exit_code("gateway") == 137, 10)
    engine.call("start", engine.name("gateway"))
    assert is_up(engine)
    status = json.loads(engine.inside("gateway", "cmc", "status", "--json").stdout)
    assert status["execution"]["armed"] is False
    assert engine.inside("gateway", "cmc", "arm", "--who", "Test", "--reason", "smoke test").returncode == 0
    engine.call("stop", "-t", "50", engine.name("gateway"))
    assert engine.exit_code("gateway") == 0
    assert "stopped with every trade balanced and no order working" in engine.log("gateway").splitlines()[-1]
