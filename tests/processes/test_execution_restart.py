"""What execution is when it comes back: a new incarnation for whoever listens, armed or not, with the watch's words."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.execution_site import write_site
from gateway.execution.engine import ExecutionEngine
from gateway.model.order import ExecType, ExecutionReport, OrdStatus, SessionChanged, Side
from gateway.model.record import Decision
from gateway.model.trade import Command, Restarted, Verb
from gateway.processes import start
from gateway.processes.execution import Rearm, recover, settings
from gateway.processes.execution_shell import ExecutionShell
from gateway.processes.lease import Lease
from gateway.processes.watch_journal import WATCH, words_since


class Returned:
    """A run whose first execution did `before`, and the second one's shell, as `main` makes it."""

    def __init__(self, folder: Path, bus_dir: Path, *before: Command) -> None:
        self.run_dir = folder / "run"
        site = write_site(folder)
        first = start.open_journal("execution", 1, site, self.run_dir)
        for seq, event in enumerate((Restarted(1), *before), start=1):
            first.append(Decision(seq, seq, event, ()))
        first.close()
        self.engine = ExecutionEngine(settings(site), 2)
        self.recovered = recover(self.engine, self.run_dir)
        journal = start.open_journal("execution", 2, site, self.run_dir)
        lease = Lease(self.run_dir)
        lease.give(2)
        self.wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.shell = ExecutionShell(site, self.engine, journal, lease, bus_dir, self.wake_fd, self.recovered.seq)
        self.published_as = self.shell.publisher.incarnation
        self.shell.handle(Restarted(2))

    def sessions_up(self) -> None:
        for venue_id in ("SHFE", "LME"):
            self.shell.handle(SessionChanged(venue_id, "orders", up=True, at_ns=10))

    def close(self) -> None:
        self.shell.close()
        os.close(self.wake_fd)


def command(verb: Verb, command_id: str = "K1") -> Command:
    return Command(command_id, verb, "Li Lei", "test")


@pytest.fixture
def bus_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        yield Path(folder)


def test_what_it_publishes_is_of_the_new_incarnation(tmp_path: Path, bus_dir: Path) -> None:
    """Although the journal that was read ends with the old one: a listener drops what is old."""
    returned = Returned(tmp_path, bus_dir)
    assert returned.published_as == 2
    returned.close()


@pytest.mark.parametrize(
    ("before", "armed"),
    [
        ((Verb.ARM,), True),
        ((), False),
        ((Verb.ARM, Verb.DISARM), False),
        ((Verb.ARM, Verb.KILL_HOLD), False),
        ((Verb.ARM, Verb.STOP), False),
        ((Verb.ARM, Verb.LEG_ORDER, Verb.WITHDRAW), True),
    ],
)
def test_it_arms_itself_where_it_was_armed_and_every_venue_has_spoken(
    tmp_path: Path,
    bus_dir: Path,
    before: tuple[Verb, ...],
    armed: bool,  # noqa: FBT001
) -> None:
    """Not before; and not where a person had disarmed, killed or stopped it."""
    returned = Returned(tmp_path, bus_dir, *(command(verb, f"K{place}") for place, verb in enumerate(before)))
    rearm = Rearm(returned.shell, wanted=returned.recovered.armed)
    rearm.look()
    assert returned.engine.ledger.armed is False
    returned.sessions_up()
    rearm.look()
    assert returned.engine.ledger.armed is armed
    returned.close()


def test_a_second_death_while_it_recovers_does_not_disarm_it(tmp_path: Path, bus_dir: Path) -> None:
    """Armed, killed, and killed again before it was armed again: the wish stands; a command of its own ends it."""
    returned = Returned(tmp_path, bus_dir, command(Verb.ARM))
    returned.close()
    engine = ExecutionEngine(settings(write_site(tmp_path)), 3)
    assert recover(engine, returned.run_dir).armed is True
    returned.shell.journal = start.open_journal("execution", 3, write_site(tmp_path), returned.run_dir)
    returned.shell.journal.append(Decision(9, 9, command(Verb.DISARM, "disarm-3"), ()))
    returned.shell.journal.close()
    assert recover(ExecutionEngine(settings(write_site(tmp_path)), 4), returned.run_dir).armed is False


def test_a_command_meanwhile_ends_the_wish_to_arm(tmp_path: Path, bus_dir: Path) -> None:
    """A person who disarms while it recovers is obeyed."""
    returned = Returned(tmp_path, bus_dir, command(Verb.ARM))
    rearm = Rearm(returned.shell, wanted=returned.recovered.armed)
    returned.shell.handle(command(Verb.DISARM, "K2"))
    returned.sessions_up()
    rearm.look()
    assert returned.engine.ledger.armed is False
    returned.close()


@pytest.mark.parametrize("verb", [Verb.LEG_ORDER, Verb.WITHDRAW])
def test_an_order_of_a_client_meanwhile_does_not_end_the_wish_to_arm(tmp_path: Path, bus_dir: Path, verb: Verb) -> None:
    """It is refused while nothing is armed, and decides nothing about it; also over a second death."""
    returned = Returned(tmp_path, bus_dir, command(Verb.ARM))
    rearm = Rearm(returned.shell, wanted=returned.recovered.armed)
    returned.shell.handle(command(verb, "O1-1.1"))
    assert recover(ExecutionEngine(settings(write_site(tmp_path)), 3), returned.run_dir).armed is True
    returned.sessions_up()
    rearm.look()
    assert returned.engine.ledger.armed is True
    returned.close()


def test_it_asks_again_soon_when_the_venue_missed_what_was_sent(tmp_path: Path, bus_dir: Path) -> None:
    """A question sent just before the venue's ResendRequest is filled over: the timer of the answer is set to soon."""
    returned = Returned(tmp_path, bus_dir)
    returned.sessions_up()
    returned.shell.timers.set("status:SHFE", 10**18)
    returned.shell.on_resend_request("SHFE.orders", 5, 0)
    returned.shell.take_messages()
    assert returned.shell.timers._due["status:SHFE"] < 10**18
    returned.close()


def test_only_what_the_watch_heard_after_execution_s_last_record_is_taken_up(tmp_path: Path) -> None:
    """What is older execution has taken up already, in an incarnation between."""
    site = write_site(tmp_path)
    run_dir = tmp_path / "run"
    heard = ExecutionReport(
        *("SHFE", 5, 5, 2, False, "C1-1", "", "V1", "E1", "", "", ExecType.CANCELED, OrdStatus.CANCELED),
        *("SHFE.cu2609", Side.BUY, 5, 0, "", None, 0, 0, ""),
    )
    journal = start.open_journal(WATCH, 1, site, run_dir)
    for at_ns in (5, 9):
        journal.append(Decision(at_ns, at_ns, heard, ()))
    journal.append(Decision(10, 10, SessionChanged("SHFE", "orders", up=False, at_ns=10), ()))
    journal.close()
    assert list(words_since(run_dir, 4)) == [heard, heard]
    assert list(words_since(run_dir, 5)) == [heard]
    assert list(words_since(run_dir, 9)) == []
