"""The execution process as it runs in the field, between two venues that a test plays by hand, message by message."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import simplefix

from benchmarks.execution_site import DOMESTIC, OVERSEAS, intent, write_site
from gateway.bus.sockets import CommandClient, IntentSender
from gateway.execution.engine import ExecutionEngine
from gateway.execution.order_book import OwnOrder
from gateway.journal.reader import read_run
from gateway.model.order import ExecutionReport
from gateway.model.record import Decision
from gateway.model.trade import Command, CommandAnswered, ExecutionStatus, Verb
from gateway.processes.execution import recover, settings
from gateway.processes.settings import Site
from tests.fix.fix_peer import Peer, text

__all__ = ["DOMESTIC", "OVERSEAS", "Rig", "rig_in", "text", "until"]

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 20.0
"""Shorter than a heartbeat, which would begin a wait for a message anew."""


def until(done: Callable[[], object], what: str) -> None:
    """Wait for it, no longer than said."""
    end = time.monotonic() + TIMEOUT_S
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.02)


class Rig:
    """The execution process, its two venues, and what its journal says."""

    def __init__(self, folder: Path, bus_dir: Path) -> None:
        self.venues = {DOMESTIC: Peer(), OVERSEAS: Peer("FIX.4.2")}
        self.site: Site = write_site(folder, (self.venues[DOMESTIC].port, self.venues[OVERSEAS].port))
        self.run_dir, self._bus_dir = folder / "run", bus_dir
        self._commands = 0
        self.start()

    def start(self, *, died: bool = False, failed: bool = False) -> None:
        """The process, after it `died` by a signal or `failed` by itself; its sessions log on."""
        command = [sys.executable, "-m", "gateway.processes.execution", "--site", str(self.site.path)]
        command += ["--run-dir", str(self.run_dir), "--bus-dir", str(self._bus_dir)]
        command += ["--after-death", "signal" if died else "exit"] if died or failed else []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CMC_")}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        for venue in self.venues.values():
            venue.read("A", TIMEOUT_S)

    def ask(self, verb: Verb) -> CommandAnswered | ExecutionStatus | None:
        self._commands += 1
        with CommandClient(self._bus_dir) as client:
            return client.ask(Command(f"c{self._commands}", verb, "li", "test"), 500_000_000)

    def armed(self) -> int:
        """Arm it once both sessions are up; its incarnation."""

        def up() -> bool:
            status = self.ask(Verb.STATUS)
            return isinstance(status, ExecutionStatus) and all(all(one[1:]) for one in status.sessions)

        until(up, "the sessions are up")
        status, answer = self.ask(Verb.STATUS), self.ask(Verb.ARM)
        assert isinstance(status, ExecutionStatus)
        assert isinstance(answer, CommandAnswered)
        assert answer.done, answer.text
        return status.incarnation

    def open(self) -> dict[str, simplefix.FixMessage]:
        """An intent; the orders that reached the venues."""
        sender = IntentSender(self._bus_dir, 10)
        asked = intent(1, time.monotonic_ns(), self.armed())
        until(lambda: sender.send(asked), "execution takes the intent")
        orders = {name: venue.read("D", TIMEOUT_S) for name, venue in self.venues.items()}
        sender.close()
        return orders

    def reports(self) -> list[str]:
        """ExecID(17) of the reports in the journal."""
        events = [one.event for one in read_run(self.run_dir) if isinstance(one, Decision)]
        return [one.exec_id for one in events if isinstance(one, ExecutionReport)]

    def counted(self, venue: str) -> int:
        """The next number of the venue's that QuickFIX expects, as its store has it."""
        (file,) = (self.site.state_dir / "fix").glob(f"*-{venue}.orders.seqnums")
        return int(file.read_text(encoding="ascii").split(":")[1] or 0)

    def no_more_records(self) -> None:
        """From now on a write beyond what the journal has fails, in the process alone."""
        size = max(file.stat().st_size for file in (self.run_dir / "journal").glob("execution.*"))
        _, most = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, most))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(TIMEOUT_S)

    def position(self, venue: str) -> tuple[int, int]:
        """Net lots of the traded contract, and what its one order has filled, as an engine of now reads the journal."""
        engine = ExecutionEngine(settings(self.site), 99)
        recover(engine, self.run_dir)
        (own,) = {one for one in engine.ledger.orders.values() if one.order.venue_id == venue}
        return engine.ledger.positions[own.order.instrument_id].net_lots, own.filled_lots

    def order(self, venue: str) -> OwnOrder:
        """The one order at this venue, as an engine of now reads the journal."""
        engine = ExecutionEngine(settings(self.site), 99)
        recover(engine, self.run_dir)
        (own,) = {one for one in engine.ledger.orders.values() if one.order.venue_id == venue}
        return own

    def close(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        for venue in self.venues.values():
            venue.close()


@contextmanager
def rig_in(folder: Path) -> Iterator[Rig]:
    """One in this folder, ended in any case."""
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        made = Rig(folder, Path(bus_dir))
        try:
            yield made
        finally:
            made.close()
