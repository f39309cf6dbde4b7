"""Simulated venues, and an installation beside them, for the steps of a delivery: started, watched and ended here.

The venues are the demo's, on a synthetic tape; the gateway is started as `cmc up` on a site file that is written for
them. It decides nothing about trades. Whatever happens, every process that was started is ended.

What can go wrong: a program that does not come up in time: WorldError with the end of its log.
"""

import json
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.told import Told, told
from gateway.model.trade import CommandAnswered, ExecutionStatus
from gateway.processes import clock, demo_sites
from gateway.processes.child import Child, python
from gateway.processes.demo_sites import Asked, Plan
from gateway.processes.durations import MS, SECOND
from gateway.processes.operator import Operator
from gateway.processes.settings import Site, load_site
from gateway.processes.site_open import operator_of, run_dir_of
from gateway.processes.toml_text import toml_text

UP_NS = 60 * SECOND
DOWN_NS = 40 * SECOND
LOOK_NS = 100 * MS


class WorldError(Exception):
    """The venues or the gateway did not come up, or did not end; says which, with its log."""


class Venues(NamedTuple):
    """Simulated venues that run, and what is known of them."""

    folder: Path
    plan: Plan
    ports: Mapping[str, tuple[int, int]]
    bus_dir: str

    def site_tables(self) -> dict[str, Any]:
        """The tables of a site file that connects to them."""
        return demo_sites.site(self.plan, self.ports, self.bus_dir)


class Installation(NamedTuple):
    """A gateway that runs."""

    site: Site
    operator: Operator

    @property
    def run_dir(self) -> Path:
        return run_dir_of(self.site)

    def arm(self, who: str, reason: str) -> None:
        """Armed, or WorldError."""
        said = operator_of(self.site, who).arm(reason, UP_NS)
        if said:
            message = told("execution could not be armed: {}", said)
            raise WorldError(message)

    def status(self) -> ExecutionStatus:
        """How execution stands."""
        answer = self.operator.status()
        if answer is None:
            message = told("execution did not answer")
            raise WorldError(message)
        return answer


@contextmanager
def venues(folder: Path, *, seed: int, seconds: int, network: str = "", faults: bool = False, name: str = "cu",
           profile: Mapping[str, Any] | None = None) -> Iterator[Venues]:  # fmt: skip
    """Both venues of a demo for so many seconds; `profile` overrides sections of their profiles."""
    asked = Asked("synthetic", name, "", seed, seconds, network, faults)
    plan = demo_sites.plan(asked, demo_sites.tape_of(asked))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profiles").mkdir(exist_ok=True)
    bus_dir = tempfile.mkdtemp(prefix="cmc-")
    children: dict[str, Child] = {}
    start_ns = clock.monotonic_ns() + 2 * SECOND
    with told_to_stop(), ExitStack() as ending:
        ending.callback(shutil.rmtree, bus_dir, ignore_errors=True)
        ending.callback(lambda: _end(list(children.values())))
        for venue in (plan.domestic, plan.overseas):
            content = demo_sites.profile(plan, venue, asked, folder, start_ns)
            for section, values in (profile or {}).items():
                content[section] = values if isinstance(values, list) else content.get(section, {}) | values
            path = folder / "profiles" / f"{venue.id}.toml"
            path.write_text(toml_text(content), encoding="utf-8")
            child = children[venue.id] = Child(f"venue-{venue.id}", python("simulators", str(path)), folder)
            child.start()
        ports = {venue_id: _ports(folder, child) for venue_id, child in children.items()}
        clock.pause_ns(max(0, start_ns - clock.monotonic_ns()))
        yield Venues(folder, plan, ports, bus_dir)


@contextmanager
def told_to_stop() -> Iterator[None]:
    """SIGTERM and SIGINT end the step as an error does: whatever was started is ended before this process is."""

    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def gateway(at: Venues, site: Mapping[str, Any]) -> Iterator[Installation]:
    """`cmc up` on these tables, until the block ends; then stopped balanced, and ended in any case."""
    path = at.folder / "site.toml"
    path.write_text(toml_text(site), encoding="utf-8")
    loaded = load_site(path)
    child = Child("cmc-up", python("gateway.processes.cli", "up", str(path)), at.folder)
    child.start()
    made = Installation(loaded, operator_of(loaded, "delivery"))
    try:
        _wait_up(made, child)
        yield made
    finally:
        child.terminate()
        until_ns = clock.monotonic_ns() + DOWN_NS
        while child.running and clock.monotonic_ns() < until_ns:
            clock.pause_ns(LOOK_NS)
        child.kill()


def keep_with_run(folder: Path, run_dir: Path) -> None:
    """What the venues recorded beside the run, as acceptance reads it."""
    for name in ("truth", "profiles"):
        if (folder / name).is_dir() and run_dir.is_dir() and not (run_dir / name).exists():
            shutil.copytree(folder / name, run_dir / name)


def _wait_up(made: Installation, child: Child) -> None:
    until_ns = clock.monotonic_ns() + UP_NS
    while clock.monotonic_ns() < until_ns and child.running:
        status = made.operator.status() if (made.run_dir / "ready" / "execution.json").is_file() else None
        waits = bool(made.site.clients.specs) and not (made.run_dir / "ready" / "clients.json").is_file()
        if not waits and status is not None and all(up and reconciled for _, up, reconciled in status.sessions):
            return
        clock.pause_ns(LOOK_NS)
    raise WorldError(_not_up(child))


def _ports(folder: Path, child: Child) -> tuple[int, int]:
    ready = folder / "ready" / f"{child.name}.json"
    until_ns = clock.monotonic_ns() + UP_NS
    while clock.monotonic_ns() < until_ns and child.running:
        try:
            said = json.loads(ready.read_text(encoding="utf-8"))
            return int(said["md_port"]), int(said["orders_port"])
        except (OSError, ValueError, KeyError):
            clock.pause_ns(LOOK_NS)
    raise WorldError(_not_up(child))


def _not_up(child: Child) -> Told:
    return told("{} did not start; its log ends:\n{}", child.name, child.log_tail())


def _end(children: list[Child]) -> None:
    for child in children:
        child.terminate()
    until_ns = clock.monotonic_ns() + DOWN_NS
    while any(child.running for child in children) and clock.monotonic_ns() < until_ns:
        clock.pause_ns(LOOK_NS)
    for child in children:
        child.kill()


def done(answer: object) -> bool:
    """Whether a command was carried out."""
    return isinstance(answer, CommandAnswered) and answer.done


def free_port() -> int:
    """A port of this machine that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
