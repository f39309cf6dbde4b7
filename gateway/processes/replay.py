"""`cmc replay RUN`: the recorded inputs of a run go through the code of now, and every decision is compared.

Exit code 0: all the same; 1: the first difference is shown with its place, the input that led to it and both versions;
2: no run, or a record that cannot be read. Nothing of the run is changed.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway.journal.frame import CorruptJournalError
from gateway.journal.parquet import NoParquetError
from gateway.journal.reader import EXECUTION, RunNotFoundError, journal_paths, require_run
from gateway.journal.told import told, told_by
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.kept_settings import KeptSettingsError
from gateway.processes.replay_execution import CLIENTS, replay_clients, replay_execution
from gateway.processes.replay_records import size_bytes
from gateway.processes.replay_result import OnProgress, Replayed
from gateway.processes.replay_trigger import TRIGGER, replay_trigger
from gateway.processes.supervisor_log import out, say

LONG_BYTES = 20 * 2**20
"""From here on the progress of a replay is told."""


class Part(NamedTuple):
    """A process whose decisions are compared."""

    process: str
    replay: Callable[[Path, OnProgress], Replayed]


PARTS = (Part(TRIGGER, replay_trigger), Part(EXECUTION, replay_execution), Part(CLIENTS, replay_clients))
NOT_ALWAYS_THERE = frozenset({CLIENTS})
"""Processes that a site may do without."""


def run(run_dir: Path, *, as_json: bool) -> int:
    """Replay all that the run has a record of."""
    results = replayed(run_dir, is_quiet=as_json)
    if as_json:
        content = {"same": all(one.is_same for one in results), "run": str(run_dir),
                   "processes": [one.as_json() for one in results]}  # fmt: skip
        out(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        for one in results:
            _tell(one)
    return OK if all(one.is_same for one in results) else FAILED


def replayed(run_dir: Path, *, is_quiet: bool = True) -> list[Replayed]:
    """What became of each process's replay; WrongCallError where the run cannot be read."""
    try:
        require_run(run_dir)
        parts = [one for one in PARTS if one.process not in NOT_ALWAYS_THERE or journal_paths(run_dir, one.process)]
        return [_replayed(run_dir, one, is_quiet=is_quiet) for one in parts]
    except (RunNotFoundError, CorruptJournalError, KeptSettingsError, NoParquetError, OSError) as error:
        raise WrongCallError(told_by(error)) from error


def _replayed(run_dir: Path, part: Part, *, is_quiet: bool) -> Replayed:
    if not journal_paths(run_dir, part.process):
        none = Replayed(part.process)
        none.note(told("the run holds no journal of it: nothing to compare"))
        return none
    return part.replay(run_dir, _progress(run_dir, part.process, is_quiet=is_quiet))


def _progress(run_dir: Path, process: str, *, is_quiet: bool) -> OnProgress:
    if is_quiet or not sys.stderr.isatty() or size_bytes(run_dir, process) < LONG_BYTES:
        return lambda _: None
    return lambda compared: say(told("{}: {} records the same so far", process, compared))


def _tell(one: Replayed) -> None:
    for words in one.notes:
        out(told("{}: {}", one.process, words))
    if not one.incarnations:
        return
    counts = ", ".join(f"{name} {count}" for name, count in one.counts.items())
    if one.difference is None:
        out(told("{}: the same: {} records of {} incarnation(s), {}", one.process, one.compared, len(one.incarnations),
                 counts))  # fmt: skip
        return
    out(told("{}: DIFFERENT after {} records that are the same", one.process, one.compared))
    for line in one.difference.lines():
        out(line)
