"""Replays a process that journals its decisions: every event goes into a fresh engine, and its actions are compared,
byte for byte. Execution is one, the door to clients another.

This is what such a process does with its journals when it starts again, with a comparison: there is no second way. An
incarnation that decided by other settings gets an engine of those, which is fed what came before, as the live one was.

What can go wrong: an engine of other code raises where the recorded one did not; that is a difference like any other.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.frame import TornTail
from gateway.journal.told import told
from gateway.model.base import Message
from gateway.model.record import ClientDecision, ClockPair, Decision, JournalOpened
from gateway.processes import machine
from gateway.processes.replay_compare import fields, same, text
from gateway.processes.replay_records import Place, placed_records
from gateway.processes.replay_result import PROGRESS_EVERY, Difference, OnProgress, Replayed, listed

Recorded = Decision | ClientDecision
Engine = Callable[[Recorded], Sequence[Message]]
"""Takes the event of a record and gives the actions."""


class Decides(NamedTuple):
    """A process that journals its decisions."""

    process: str
    settings: Callable[[Path, JournalOpened], tuple[Message | None, str]]
    """Of an incarnation, and what has to be said of them; None: nobody knows, nothing of it is compared."""
    engine: Callable[[Any, int], Engine]
    """A fresh one of these settings, for this incarnation."""
    counted: Callable[[Recorded, Sequence[Message]], dict[str, int]]
    """What a record adds to the counts."""


class DecisionReplay:
    """One replay of the journals of one process."""

    def __init__(self, run_dir: Path, decides: Decides, on_progress: OnProgress) -> None:
        self._run_dir = run_dir
        self._decides = decides
        self._on_progress = on_progress
        self._engine: Engine | None = None
        self._given: Message | None = None
        self._seq = 0
        self._utc_minus_monotonic_ns = 0
        self.result = Replayed(decides.process)

    def run(self) -> Replayed:
        """All of it, or up to the first difference."""
        for one in placed_records(self._run_dir, self._decides.process, self._torn):
            if isinstance(one.record, JournalOpened):
                self._opened(one.record)
            elif isinstance(one.record, ClockPair):
                self._utc_minus_monotonic_ns = one.record.utc_ns - one.record.monotonic_ns
            elif isinstance(one.record, Decision | ClientDecision):
                self._decided(one.place, one.record)
                if self.result.difference is not None:
                    break
        return self.result

    def _opened(self, opened: JournalOpened) -> None:
        self.result.incarnations.append(opened.incarnation)
        self._utc_minus_monotonic_ns = opened.utc_ns - opened.monotonic_ns
        version = machine.version()
        if opened.version != version:
            self.result.note(
                told("recorded by version {}, replayed by {}: a difference may be a change of the program",
                     opened.version, version)
            )  # fmt: skip
        given, words = self._decides.settings(self._run_dir, opened)
        if words:
            self.result.note(words)
        if given is not None and given == self._given:
            return
        if self._engine is not None:
            self.result.note(told("incarnation {} decided by other settings", opened.incarnation))
        self._given = given
        self._engine = None if given is None else self._decides.engine(given, opened.incarnation)
        if self._engine is not None:
            for one in self._before(opened):
                self._engine(one)

    def _before(self, opened: JournalOpened) -> Iterator[Recorded]:
        """What earlier incarnations decided on; nothing for the first."""
        for one in placed_records(self._run_dir, self._decides.process, lambda _: None):
            if isinstance(one.record, JournalOpened) and one.record == opened:
                return
            if isinstance(one.record, Decision | ClientDecision):
                yield one.record

    def _decided(self, place: Place, recorded: Recorded) -> None:
        if recorded.seq != self._seq + 1:
            why = told("record {} follows record {}: what lay between is missing", recorded.seq, self._seq)
            self.result.difference = self._differs(place, recorded, (), why)
            return
        self._seq = recorded.seq
        if self._engine is None:
            return
        try:
            actions = tuple(self._engine(recorded))
        except Exception as error:  # noqa: BLE001 code that differs may fail in any way: it is shown, not hidden
            why = told("the code of now fails at it: {}: {}", type(error).__name__, error)
            self.result.difference = self._differs(place, recorded, (), why)
            return
        if not same(recorded.actions, actions):
            self.result.difference = self._differs(place, recorded, actions, "")
            return
        result = self.result
        result.compared += 1
        for name, count in self._decides.counted(recorded, actions).items():
            result.counts[name] = result.counts.get(name, 0) + count
        if result.compared % PROGRESS_EVERY == 0:
            self._on_progress(result.compared)

    def _differs(self, place: Place, recorded: Recorded, actions: tuple[Any, ...], why: str) -> Difference:
        return Difference(
            place,
            recorded.seq,
            recorded.at_ns,
            recorded.at_ns + self._utc_minus_monotonic_ns,
            text(recorded.event),
            listed(recorded.actions),
            listed(actions),
            () if why else tuple(fields(recorded.actions, actions, "actions")),
            why,
        )

    def _torn(self, torn: TornTail) -> None:
        self.result.note(
            told("{}: {} bytes at its end are no whole record (a kill cut it): left out", Path(torn.name).name,
                 torn.torn_bytes)
        )  # fmt: skip
