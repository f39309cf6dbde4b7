"""Replays execution: every journalled event goes into a fresh engine, and its actions are compared byte for byte.

This is what a restarted execution does with its journals (`execution.recover`), with a comparison: there is no second
code path. An incarnation that decided by other settings gets an engine of those, which is fed what came before, as the
live one was.

What can go wrong: an engine of other code raises where the recorded one did not; that is a difference like any other.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.execution.engine import ExecutionEngine
from gateway.execution.ledger import ExecutionSettings
from gateway.journal.frame import TornTail
from gateway.journal.reader import EXECUTION
from gateway.journal.told import told
from gateway.model.record import ClockPair, Decision, JournalOpened
from gateway.model.trade import Intent, SendOrders
from gateway.processes import machine
from gateway.processes.cores import execution_engine
from gateway.processes.kept_settings import read_settings
from gateway.processes.replay_compare import fields, same, text
from gateway.processes.replay_records import Place, placed_records
from gateway.processes.replay_result import PROGRESS_EVERY, Difference, OnProgress, Replayed, listed


class ExecutionReplay:
    """One replay of a run's execution journals."""

    def __init__(self, run_dir: Path, on_progress: OnProgress) -> None:
        self._run_dir = run_dir
        self._on_progress = on_progress
        self._engine: ExecutionEngine | None = None
        self._given: ExecutionSettings | None = None
        self._seq = 0
        self._utc_minus_monotonic_ns = 0
        self.result = Replayed(EXECUTION, counts={"intents": 0, "orders": 0})

    def run(self) -> Replayed:
        """All of it, or up to the first difference."""
        for one in placed_records(self._run_dir, EXECUTION, self._torn):
            if isinstance(one.record, JournalOpened):
                self._opened(one.record)
            elif isinstance(one.record, ClockPair):
                self._utc_minus_monotonic_ns = one.record.utc_ns - one.record.monotonic_ns
            elif isinstance(one.record, Decision):
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
        given, words = read_settings(self._run_dir, opened.site_digest, opened.incarnation)
        if words:
            self.result.note(words)
        if given == self._given:
            return
        if self._engine is not None:
            self.result.note(told("incarnation {} decided by other settings", opened.incarnation))
        self._given = given
        self._engine = execution_engine(given, opened.incarnation)
        for one in _before(self._run_dir, opened):
            self._engine.on_event(one.event, one.at_ns)

    def _decided(self, place: Place, recorded: Decision) -> None:
        assert self._engine is not None  # noqa: S101 the first record of each file has seen to it
        if recorded.seq != self._seq + 1:
            self.result.difference = self._differs(
                place, recorded, (), told("record {} follows record {}: what lay between is missing", recorded.seq,
                                          self._seq)
            )  # fmt: skip
            return
        self._seq = recorded.seq
        try:
            actions = tuple(self._engine.on_event(recorded.event, recorded.at_ns))
        except Exception as error:  # noqa: BLE001 code that differs may fail in any way: it is shown, not hidden
            why = told("the code of now fails at it: {}: {}", type(error).__name__, error)
            self.result.difference = self._differs(place, recorded, (), why)
            return
        if not same(recorded.actions, actions):
            self.result.difference = self._differs(place, recorded, actions, "")
            return
        result = self.result
        result.compared += 1
        result.counts["intents"] += isinstance(recorded.event, Intent)
        result.counts["orders"] += sum(len(one.orders) for one in actions if isinstance(one, SendOrders))
        if result.compared % PROGRESS_EVERY == 0:
            self._on_progress(result.compared)

    def _differs(self, place: Place, recorded: Decision, actions: tuple[Any, ...], why: str) -> Difference:
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


def _before(run_dir: Path, opened: JournalOpened) -> Iterator[Decision]:
    """What earlier incarnations decided on; nothing for the first."""
    for one in placed_records(run_dir, EXECUTION, lambda _: None):
        if isinstance(one.record, JournalOpened) and one.record == opened:
            return
        if isinstance(one.record, Decision):
            yield one.record


def replay_execution(run_dir: Path, on_progress: OnProgress) -> Replayed:
    """Compare every action of a run's execution."""
    return ExecutionReplay(run_dir, on_progress).run()
