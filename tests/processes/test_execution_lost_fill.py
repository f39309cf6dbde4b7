"""kill -9 between a message that QuickFIX has counted and its record: what the venue said then is not lost.

The execution process as it runs in the field, two venues played by hand. The window is held open by a journal that
takes no record: messages are handed over and counted, none of them is written, then the process is killed.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import simplefix

from benchmarks.execution_site import DOMESTIC, OVERSEAS, intent, write_site
from gateway.bus.sockets import CommandClient, IntentSender
from gateway.execution.engine import ExecutionEngine
from gateway.fix.resume import numbers_since_ns
from gateway.journal.reader import read_run
from gateway.model.order import ExecutionReport
from gateway.model.record import Decision
from gateway.model.trade import Command, CommandAnswered, ExecutionStatus, Verb
from gateway.processes.execution import recover, settings
from gateway.processes.settings import Site
from tests.fix.fix_peer import SENDING_TIME, Peer, text

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

    def start(self, *, died: bool = False) -> None:
        """The process; its sessions log on."""
        command = [sys.executable, "-m", "gateway.processes.execution", "--site", str(self.site.path)]
        command += ["--run-dir", str(self.run_dir), "--bus-dir", str(self._bus_dir)]
        command += ["--after-death", "signal"] if died else []
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

    def close(self) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        for venue in self.venues.values():
            venue.close()


def report(order: simplefix.FixMessage, exec_id: str, *, lots: int) -> list[tuple[int, str]]:
    """FIX 4.2: a fill of `lots`, or, with none, the end of the order."""
    qty = int(text(order, 38))
    kind, status = ("2" if lots == qty else "1", "2" if lots == qty else "4") if lots else ("4", "4")
    same = [(tag, text(order, tag)) for tag in (11, 1, 55, 54, 38, 44)]
    last = [(32, str(lots)), (31, text(order, 44))] if lots else []
    return [
        (37, "V1"), (17, exec_id), (20, "0"), (150, kind), (39, status), *same, *last,
        (151, "0"), (14, str(lots)), (6, "0"),
    ]  # fmt: skip


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        made = Rig(tmp_path, Path(bus_dir))
        yield made
        made.close()


def test_a_late_fill_of_an_ended_order_survives_a_kill_before_its_record(rig: Rig) -> None:
    """A 4.2 venue, which is not asked about ended orders: the first logon asks for all after the record, and counts it
    once, however often it is sent.
    """
    orders = rig.open()
    venue, order = rig.venues[OVERSEAS], orders[OVERSEAS]
    lots = int(text(order, 38))
    began_ns = numbers_since_ns(rig.site.state_dir / "fix", f"{OVERSEAS}.orders")
    until(lambda: time.time_ns() - began_ns > 10**9, "the numbers are older than a second, as the store tells it")
    venue.send("8", *report(order, "E1", lots=0))
    until(lambda: rig.reports() == ["E1"], "the end of the order is on record")
    rig.no_more_records()
    late = venue.next_out
    venue.send("8", *report(order, "E2", lots=lots))
    until(lambda: rig.counted(OVERSEAS) == late + 1, "QuickFIX has counted the fill")
    rig.kill()
    assert rig.reports() == ["E1"]
    assert rig.position(OVERSEAS) == (0, 0)
    rig.start(died=True)
    asked = venue.read("2", TIMEOUT_S)
    assert text(asked, 7) == str(late)
    again = ((43, "Y"), (122, SENDING_TIME))
    venue.send("8", *report(order, "E2", lots=lots), header=again, seq=late)
    venue.send("4", (123, "Y"), (36, str(venue.next_out)), header=again, seq=late + 1)
    until(lambda: rig.reports() == ["E1", "E2"], "the fill is on record")
    assert rig.position(OVERSEAS) == (-lots, lots)
    rig.kill()
    rig.start(died=True)
    assert text(venue.read("2", TIMEOUT_S), 7) == str(late + 1)
    venue.send("4", (123, "Y"), (36, str(venue.next_out)), header=again, seq=late + 1)
    assert rig.position(OVERSEAS) == (-lots, lots)


def test_the_age_of_the_numbers_is_in_the_store(rig: Rig) -> None:
    """QuickFIX writes when they began: read, it lies within this test."""
    since_ns = numbers_since_ns(rig.site.state_dir / "fix", f"{OVERSEAS}.orders")
    assert 0 <= time.time_ns() - since_ns < 120 * 10**9
