"""How execution comes back: its journal is fed to a fresh engine, and after a death from outside it arms itself again.

There is no second code path that rebuilds state: what the engine was told, it is told again. Whether it may arm itself
is read from the same records.

What can go wrong: a record that the engine of today cannot take ends the start with its error; nothing is guessed.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from gateway.execution.engine import ExecutionEngine
from gateway.model.record import Decision
from gateway.model.trade import CLIENT_VERBS, Command, ExecutionEvent, Verb


class Recovered(NamedTuple):
    """Where the journals of earlier incarnations end."""

    seq: int
    at_ns: int
    armed: bool


def recover(engine: ExecutionEngine, records: Iterable[object]) -> Recovered:
    """Feed what earlier incarnations recorded to the engine; what is no decision is passed over.

    `armed` holds over deaths that follow each other: a command alone ends it, such as the one that an execution gives
    itself when it comes back after an end of its own. What clients' orders ask for is no such command.
    """
    seq = at_ns = 0
    armed = False
    for record in records:
        if isinstance(record, Decision):
            engine.on_event(record.event, record.at_ns)
            seq, at_ns = record.seq, record.at_ns
            armed = engine.ledger.armed or (armed and not _is_a_persons(record.event))
    return Recovered(seq, at_ns, armed and not engine.ledger.throttled)


def _is_a_persons(event: object) -> bool:
    return isinstance(event, Command) and event.verb not in CLIENT_VERBS


class Decides(Protocol):
    """A runner, or what stands before one."""

    @property
    def engine(self) -> ExecutionEngine: ...
    @property
    def writable(self) -> bool: ...
    def handle(self, event: ExecutionEvent) -> None: ...


class Rearm:
    """Arms again by itself, once; a command of a person ends the wish, an order of a client does not."""

    def __init__(self, runner: Decides, *, wanted: bool) -> None:
        self._runner = runner
        self._ledger = runner.engine.ledger
        self._wanted = wanted
        self._commands = self._ledger.commands_done

    def look(self) -> None:
        """Arm when it is wanted and every venue has spoken of every order."""
        ledger = self._ledger
        if not self._wanted:
            return
        if ledger.commands_done != self._commands:
            self._wanted = False
        elif all(venue.up and venue.reconciled for venue in ledger.venues.values()) and self._runner.writable:
            self._wanted = False
            reason = "it was armed and died by a signal from outside"
            self._runner.handle(Command(f"rearm-{ledger.incarnation}", Verb.ARM, "execution", reason))
