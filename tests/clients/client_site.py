"""A whole installation with clients: two simulated venues on a synthetic tape, `cmc up`, everything ended in any case."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from client_rig import ROOT, Client, FixClient, free_port, until

from gateway.processes import demo_sites
from gateway.processes.demo_sites import Asked
from gateway.processes.toml_text import toml_text

CMC = (sys.executable, "-m", "gateway.processes.cli")
ASKED = Asked("synthetic", "cu", "", 7, 120, "none", faults=False)


class Site:
    """The site's file, its folder, the port of its clients."""

    def __init__(self, folder: Path, site: Path, port: int) -> None:
        self.folder, self.site, self.port = folder, site, port

    def cmc(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, as a person calls it."""
        return subprocess.run(
            [*CMC, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=_environment()
        )

    def status(self) -> dict[str, Any]:
        """What `cmc status --json` says."""
        content: dict[str, Any] = json.loads(self.cmc("status", str(self.site), "--json").stdout)
        return content

    def arm(self) -> None:
        """Arm when every venue has spoken."""
        until(lambda: (self.status()["execution"] or {"sessions": ()})["sessions"] != (), 40)
        until(lambda: all(one[1] and one[2] for one in self.status()["execution"]["sessions"]), 40)
        done = self.cmc("arm", str(self.site), "--who", "Li Lei", "--reason", "test")
        assert done.returncode == 0, done.stdout + done.stderr

    def client(self, name: str, **more: Any) -> FixClient:  # noqa: ANN401
        return FixClient(self.port, name, **more)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CMC_")}


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def running(folder: Path, bus_dir: str, clients: list[Client], **top: Any) -> Iterator[Site]:  # noqa: ANN401 keys of the site
    """Venues and the whole gateway with these clients and no rule of its own."""
    made = demo_sites.plan(ASKED, demo_sites.tape_of(ASKED))
    venues = (made.domestic, made.overseas)
    free = _free_ports(4)
    ports = {venue.id: (free.pop(), free.pop()) for venue in venues}
    (folder / "ready").mkdir()
    content = demo_sites.site(made, ports, bus_dir)
    content["rule"] = []
    content["clients"] = {"port": free_port(), **top}
    content["client"] = clients
    path = folder / "site.toml"
    path.write_text(toml_text(content), encoding="utf-8")
    processes = []
    try:
        for venue in venues:
            profile = demo_sites.profile(made, venue, ASKED, folder, 0)
            profile["venue"]["md_port"], profile["venue"]["orders_port"] = ports[venue.id]
            profile["venue"]["state_dir"] = str(folder / "venue-state" / venue.id)
            (folder / f"{venue.id}.toml").write_text(toml_text(profile), encoding="utf-8")
            words = [*CMC, "simulate", str(folder / f"{venue.id}.toml")]
            processes.append(subprocess.Popen(words, cwd=ROOT, env=_environment()))
        until(lambda: all((folder / "ready" / f"venue-{venue.id}.json").exists() for venue in venues), 40)
        processes.append(subprocess.Popen([*CMC, "up", str(path)], cwd=ROOT, env=_environment()))
        until((folder / "state/run/ready/clients.json").exists, 40)
        yield Site(folder, path, content["clients"]["port"])
    finally:
        for one in reversed(processes):  # the gateway before its venues: what rests there is taken back
            one.terminate()
            one.wait(40)
        for left in psutil.process_iter(["cmdline"]):
            if str(path) in (left.info["cmdline"] or []):
                os.kill(left.pid, signal.SIGKILL)
