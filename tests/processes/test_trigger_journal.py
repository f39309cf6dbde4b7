"""The trigger's inputs on record: in order, behind the intents, told when they were lost; last intents of execution."""

from pathlib import Path

import pytest

from gateway.journal.errors import JournalCause, JournalError
from gateway.journal.reader import journal_path, read_journal
from gateway.journal.writer import JournalWriter
from gateway.model.order import Side
from gateway.model.record import Consumed, Decision, InputsLost, JournalOpened, JournalRecord, Ticked, TriggerStarted
from gateway.model.rules import RuleMemory
from gateway.model.trade import Intent, IntentLeg, TimerFired
from gateway.processes.last_intents import last_intents, remembering
from gateway.processes.trigger_journal import InputJournal

BOOT = "boot-1"
STARTED = TriggerStarted(1, 1, (), (), (), ())


def writer(run_dir: Path, process: str = "trigger", incarnation: int = 1, boot_id: str = BOOT) -> JournalWriter:
    path = journal_path(run_dir, process, incarnation)
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = JournalOpened(process, incarnation, "host", boot_id, 1, 2, "v", "d")
    return JournalWriter(path, opened, fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0)


def test_inputs_are_written_together_and_counted_from_one(tmp_path: Path) -> None:
    """What waits goes into one record, the next begins with the next number; nothing is written for nothing."""
    journal = InputJournal(writer(tmp_path), STARTED)
    for at_ns in (1, 2):
        journal.take(Ticked(at_ns))
    assert journal.write(3) == ""
    assert journal.write(4) == ""
    journal.take(Ticked(5))
    journal.close(6)
    records = list(read_journal(journal_path(tmp_path, "trigger", 1)))
    assert records[1:] == [STARTED, Consumed(1, (Ticked(1), Ticked(2))), Consumed(3, (Ticked(5),))]


class Full(JournalWriter):
    """A journal on a disk that takes nothing while `full`."""

    full = False

    def append(self, record: JournalRecord, *, use_reserve: bool = False) -> None:
        if self.full:
            raise JournalError(JournalCause.DISK_FULL, "no room")
        super().append(record, use_reserve=use_reserve)


def test_what_could_not_be_written_is_told_once_and_counted_when_there_is_room(tmp_path: Path) -> None:
    """Trading goes on: the first failure is said, later ones are not, and the file names the loss where it was."""
    path = tmp_path / "trigger.journal"
    opened = JournalOpened("trigger", 1, "host", BOOT, 1, 2, "v", "d")
    full = Full(path, opened, fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0)
    journal = InputJournal(full, STARTED)
    full.full = True
    journal.take(Ticked(1))
    journal.take(Ticked(2))
    assert "no room" in journal.write(3)
    journal.take(Ticked(4))
    assert journal.write(5) == ""
    full.full = False
    journal.take(Ticked(6))
    assert journal.write(7) == ""
    journal.close(8)
    *_, last = read_journal(path)
    assert isinstance(last, Consumed)
    lost, kept = last.inputs
    assert isinstance(lost, InputsLost)
    assert (lost.at_ns, lost.inputs, "no room" in lost.why, kept) == (7, 3, True, Ticked(6))


def intent(number: int, rule_id: str = "R", recv_ns: int = 100) -> Intent:
    legs = tuple(
        IntentLeg(name, Side.BUY, 1, 1, 1, 1, 1, recv_ns + back, 0, 0, 0, 1) for name, back in (("A.a", 0), ("B.b", -9))
    )
    return Intent(f"I{number}", 1, "P", rule_id, Side.BUY, 2, 0, 0, 0, legs, "A.a", recv_ns, 1, 1, 1, 1, recv_ns + 50)


def test_the_last_intent_of_each_rule_is_found_in_execution_s_journal(tmp_path: Path) -> None:
    """Of all its lives since this boot; what came before a torn end counts, other events do not."""
    for incarnation, given, boot in (
        (1, (intent(9, "old"),), "boot-0"),
        (2, (intent(1), TimerFired("Intent"), intent(2, "S"), intent(3)), BOOT),
        (3, (intent(4, "S", 500), intent(5, "T")), BOOT),
    ):
        journal = writer(tmp_path, "execution", incarnation, boot)
        for seq, event in enumerate(given, 1):
            journal.append(Decision(seq, seq, event, ()))
        journal.close()
    path = journal_path(tmp_path, "execution", 3)
    path.write_bytes(path.read_bytes()[:-5])
    assert last_intents(tmp_path, BOOT) == {"R": intent(3), "S": intent(4, "S", 500)}
    assert last_intents(tmp_path / "nowhere", BOOT) == {}


@pytest.mark.parametrize(
    ("memory", "learns"),
    [
        (RuleMemory("R", 1, 2, "I2", fence_ns=99), True),
        (RuleMemory("R", 1, 2, "I3", fence_ns=100), False),
        (RuleMemory("R", 1, 2, "I4", fence_ns=101), False),
    ],
)
def test_a_rule_learns_of_an_intent_that_it_forgot(memory: RuleMemory, learns: bool) -> None:  # noqa: FBT001 a column
    """One newer than it knows of: it is out until somebody speaks of it, and its quotes are old."""
    found = remembering(memory, intent(3))
    if not learns:
        assert found == memory
        return
    assert (found.intent_id, found.out, found.out_units, found.fence_ns, found.since_ns) == ("I3", True, 2, 100, 150)
    assert (found.net_units, found.filled_units, found.before_units) == (1, 2, 2)
