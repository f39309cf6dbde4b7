"""Reads journals: one file, or all of a run in the order in which they were written.

A run directory holds `journal/<process>.<incarnation>.journal`, one file per incarnation of a process. A torn tail is
handed to `on_torn`, by default a warning in the log; damage in the middle raises CorruptJournalError.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.journal.frame import MAX_RECORD_BYTES, CorruptJournalError, TornTail, scan
from gateway.model.record import JournalOpened, JournalRecord

EXECUTION = "execution"
RECORDER = "recorder"
JOURNAL_FOLDER = "journal"

OnTorn = Callable[[TornTail], None]
_log = logging.getLogger(__name__)


class RunNotFoundError(Exception):
    """A directory is no run: says which and what should be in it."""


def journal_path(run_dir: Path, process: str, incarnation: int) -> Path:
    """Where incarnation `incarnation` of `process` writes its journal."""
    return run_dir / JOURNAL_FOLDER / f"{process}.{incarnation:010d}.journal"


def journal_paths(run_dir: Path, process: str) -> list[Path]:
    """Journals of `process`, by incarnation."""
    found = (run_dir / JOURNAL_FOLDER).glob(f"{process}.*.journal")
    return sorted(found, key=lambda path: (len(path.name), path.name))


def read_journal(
    path: Path, *, on_torn: OnTorn | None = None, max_record_bytes: int = MAX_RECORD_BYTES
) -> Iterator[JournalRecord]:
    """Give every whole record of the file, JournalOpened first."""
    tell = on_torn or _warn
    with path.open("rb") as stream:
        for index, item in enumerate(scan(stream, str(path), max_record_bytes)):
            if isinstance(item, TornTail):
                tell(item)
                return
            if index == 0 and not isinstance(item.record, JournalOpened):
                found = type(item.record).__name__
                raise CorruptJournalError(str(path), item.offset, "JournalOpened as the first record", found)
            yield item.record


def read_run(run_dir: Path, process: str = EXECUTION, *, on_torn: OnTorn | None = None) -> Iterator[JournalRecord]:
    """Give the records of all incarnations of `process`, oldest first; none where it wrote no journal."""
    for path in journal_paths(run_dir, process):
        yield from read_journal(path, on_torn=on_torn)


def require_run(run_dir: Path) -> None:
    """Raise RunNotFoundError unless `run_dir` holds a journal of execution."""
    if not run_dir.is_dir():
        message = f"{run_dir}: no such directory; give the directory of a run, as `cmc demo` prints it"
        raise RunNotFoundError(message)
    if not journal_paths(run_dir, EXECUTION):
        message = f"{run_dir}: holds no {JOURNAL_FOLDER}/{EXECUTION}.*.journal; give the directory of a run"
        raise RunNotFoundError(message)


def _warn(torn: TornTail) -> None:
    _log.warning("%s: byte %d: torn tail of %d bytes cut off: %s", torn.name, torn.offset, torn.torn_bytes, torn.reason)
