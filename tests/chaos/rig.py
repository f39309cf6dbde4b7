"""A whole installation on real processes for tests that break it: two simulated venues and `cmc up`, in one folder.

It starts, looks and asks; what is broken and what is proved stands elsewhere. Times are seconds of time.monotonic().
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from gateway.journal.reconcile import Reconciliation, reconcile
from gateway.model.trade import CommandAnswered, ExecutionStatus, Verb
from gateway.processes import demo_sites
from gateway.processes.child import Identity, alive
from gateway.processes.demo_sites import Asked
from gateway.processes.held import Held, read_held
from gateway.processes.ids import IdCounter
from gateway.processes.operator import Operator
from gateway.processes.start import said_ready
from gateway.processes.supervisor import read_status
from gateway.processes.toml_text import toml_text

ROOT = Path(__file__).parents[2]
CMC = (sys.executable, "-m", "gateway.processes.cli")
HOME, AWAY = "SHFE", "LME"
VENUES = (HOME, AWAY)
WHO = "chaos"


class RigError(AssertionError):
    """Something did not come about in time."""


class Rig:
    """Call `start`, break what you like, call `close`. `tune(profile, venue)` and `tune_site(site)` change the files."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 7,
        seconds: int = 600,
        tune: Callable[[dict[str, Any], str], None] = lambda _profile, _venue: None,
        tune_site: Callable[[dict[str, Any]], None] = lambda _site: None,
    ) -> None:
        self.folder = folder.resolve()
        self.run_dir = self.folder / "state" / "run"
        self.site_path = self.folder / "site.toml"
        self.venues: dict[str, subprocess.Popen[bytes]] = {}
        self.up: subprocess.Popen[bytes] | None = None
        self._asked = Asked("synthetic", "cu", "", seed, seconds, "same-city", faults=False)
        self._tune = tune
        self._tune_site = tune_site
        self._bus_dir = tempfile.mkdtemp(prefix="cmc-")
        self._ids = IdCounter("Z", 1)
        self._start_ns = 0
        self._ports: dict[str, tuple[int, int]] = {}
        self._opened = 0
        self.took: list[tuple[str, float]] = []
        """What was waited for or asked, and the seconds that each took."""

    # Start and end ---------------------------------------------------------------------------------------------------

    def start(self, patience_s: float = 30) -> None:
        """Venues, then the gateway; returns when execution has its sessions up and reconciled, disarmed."""
        (self.folder / "ready").mkdir(parents=True, exist_ok=True)
        self._start_ns = time.monotonic_ns() + 500_000_000
        for venue in VENUES:
            self.write_profile(venue)
            self.start_venue(venue)
        for venue in VENUES:
            self.write_profile(venue)  # with its ports: one that is started again listens at the same
        made = demo_sites.plan(self._asked, demo_sites.tape_of(self._asked))
        site = demo_sites.site(made, self._ports, self._bus_dir)
        self._tune_site(site)
        self.site_path.write_text(toml_text(site), encoding="utf-8")
        truth = self.run_dir / "truth"
        truth.parent.mkdir(parents=True, exist_ok=True)
        truth.symlink_to(self.folder / "truth")
        self.start_gateway()
        self.until("sessions up and reconciled", self.reconciled, patience_s)

    def write_profile(self, venue: str) -> None:
        """The venue's profile, as it is to be from its next start on."""
        made = demo_sites.plan(self._asked, demo_sites.tape_of(self._asked))
        one = next(one for one in (made.domestic, made.overseas) if one.id == venue)
        profile = demo_sites.profile(made, one, self._asked, self.folder, self._start_ns)
        profile["network"] = {"profile": "same-city"}
        profile["venue"]["truth_books"] = False
        if venue in self._ports:
            profile["venue"]["md_port"], profile["venue"]["orders_port"] = self._ports[venue]
        self._tune(profile, venue)
        (self.folder / f"{venue}.toml").write_text(toml_text(profile), encoding="utf-8")

    def start_venue(self, venue: str) -> None:
        """Start its simulator and wait until it listens."""
        ready = self.folder / "ready" / f"venue-{venue}.json"
        ready.unlink(missing_ok=True)
        log = (self.folder / f"{venue}.log").open("ab")
        with log:
            self.venues[venue] = subprocess.Popen(
                [*CMC, "simulate", str(self.folder / f"{venue}.toml")], cwd=ROOT, stderr=log, env=environment()
            )
        self.until(f"{venue} listens", ready.exists)
        said = json.loads(ready.read_text(encoding="utf-8"))
        self._ports[venue] = (said["md_port"], said["orders_port"])

    def start_gateway(self) -> None:
        """`cmc up`; returns when every process is ready."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        with (self.folder / "up.log").open("ab") as log:
            self.up = subprocess.Popen([*CMC, "up", str(self.site_path)], cwd=ROOT, stderr=log, env=environment())
        before = self.up.pid
        self.until("cmc up is up", lambda: self._is_up(before))

    def _is_up(self, pid: int) -> bool:
        status = read_status(self.run_dir)
        if self.up is not None and self.up.poll() is not None:
            raise RigError(f"cmc up ended: {(self.folder / 'up.log').read_text(encoding='utf-8')[-2000:]}")
        return (
            status is not None
            and status["pid"] == pid
            and all(one["state"] in ("ready", "held") for one in status["children"])
        )

    def close(self) -> None:
        """End everything that was started here, at once: an orderly stop is a test's own business (`cmc down`)."""
        started = [*self.venues.values(), *([self.up] if self.up is not None else [])]
        try:
            for one in started:
                one.kill()
                one.wait()
        finally:
            for pid in self.ours():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.until("all are gone", lambda: not self.ours())
            shutil.rmtree(self._bus_dir, ignore_errors=True)

    def ours(self) -> list[int]:
        """Processes that were started with this folder's site file."""
        site = str(self.site_path)
        ended = psutil.STATUS_ZOMBIE
        processes = psutil.process_iter(["cmdline", "status"])
        return [one.pid for one in processes if site in (one.info["cmdline"] or []) and one.info["status"] != ended]

    # Ask -------------------------------------------------------------------------------------------------------------

    def cmc(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, as a person gives it, for this site."""
        begun = time.monotonic()
        done = subprocess.run(
            [*CMC, words[0], str(self.site_path), *words[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            env=environment(),
        )
        said = " ".join(done.stdout.split())[-200:]
        self.took.append((f"cmc {words[0]}: {said}", time.monotonic() - begun))
        return done

    def operator(self) -> Operator:
        return Operator(Path(self._bus_dir), self._ids, WHO)

    def ask(self, verb: Verb, argument: str = "") -> CommandAnswered | ExecutionStatus | None:
        """One command to execution."""
        return self.operator().ask(verb, "chaos", argument, 500_000_000)

    def status(self) -> ExecutionStatus | None:
        """Execution as it answers now."""
        answer = self.operator().ask(Verb.STATUS, "chaos", "", 500_000_000)
        return answer if isinstance(answer, ExecutionStatus) else None

    def reconciled(self) -> bool:
        status = self.status()
        return status is not None and all(up and whole for _, up, whole in status.sessions)

    def armed(self) -> bool:
        status = self.status()
        return status is not None and status.armed

    def arm(self) -> None:
        """Arm and wait until it is."""
        self.until("armed", lambda: self.does(Verb.ARM) and self.armed())

    def does(self, verb: Verb, argument: str = "") -> bool:
        """Whether execution did what it was asked."""
        answer = self.ask(verb, argument)
        return isinstance(answer, CommandAnswered) and answer.done

    def quiet(self) -> bool:
        """Nothing open, nothing working, everything reconciled."""
        status = self.status()
        return status is not None and not status.open_trades and not status.working_orders and self.reconciled()

    def process(self, name: str) -> Identity:
        """A process of the gateway, by its own word or the supervisor's."""
        if name == "supervisor":
            status = read_status(self.run_dir) or {}
            return Identity(int(status["pid"]), float(status["created"]))
        found = said_ready(self.run_dir, name)
        if found is not None and alive(found):
            return found
        for one in (read_status(self.run_dir) or {"children": []})["children"]:
            if one["name"] == name and one["pid"]:
                return Identity(one["pid"], one["created"])
        raise RigError(f"{name} does not run")

    def held(self) -> Held | None:
        return read_held(self.run_dir)

    # Venues' truth ---------------------------------------------------------------------------------------------------

    def truth(self, venue: str, file: str = "orders.jsonl") -> Iterator[dict[str, Any]]:
        """Whole lines of a truth file."""
        path = self.folder / "truth" / venue / file
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)

    def orders_at(self, venue: str) -> dict[str, dict[str, Any]]:
        """The last line of each order."""
        return {one["cl_ord_id"]: one for one in self.truth(venue)}

    def working_at(self, venue: str) -> list[str]:
        """ClOrdIDs of orders that work at the venue, by its own word."""
        return [name for name, one in self.orders_at(venue).items() if one["status"] in ("0", "1")]

    def filled_lots(self) -> int:
        """Lots filled at both venues so far."""
        return sum(int(one["last_qty"]) for venue in VENUES for one in self.truth(venue, "fills.jsonl"))

    def reconcile(self) -> Reconciliation:
        """Journal against truth."""
        shutil.copyfile(self.site_path, self.run_dir / "site.toml")
        return reconcile(self.run_dir)

    # Wait ------------------------------------------------------------------------------------------------------------

    def until(self, what: str, done: Callable[[], Any], seconds: float = 30, every: float = 0.02) -> float:
        """Wait for it; how long it took. RigError after `seconds`."""
        begun = time.monotonic()
        while not done():
            if time.monotonic() - begun > seconds:
                message = f"waited {seconds} s in vain: {what}; logs in {self.folder}"
                raise RigError(message)
            time.sleep(every)
        took = time.monotonic() - begun
        self.took.append((what, took))
        return took


def environment() -> dict[str, str]:
    """This process's, without overrides of a site."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CMC_")}
