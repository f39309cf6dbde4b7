"""The records of a run's journals, one at a time, each with the place where it lies; what a kill cut off is told.

Memory stays flat however long a journal is. What can go wrong: damage in the middle is a `CorruptJournalError`, which
names file and byte; nothing behind it can be trusted.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.journal.frame import CorruptJournalError, TornTail, scan
from gateway.journal.reader import journal_paths
from gateway.model.record import JournalOpened, JournalRecord


class Place(NamedTuple):
    """Where a record lies."""

    file: str
    offset: int


class Placed(NamedTuple):
    """A record and its place."""

    place: Place
    record: JournalRecord


def placed_records(run_dir: Path, process: str, on_torn: Callable[[TornTail], None]) -> Iterator[Placed]:
    """The records of all incarnations of `process`, oldest first; a file opens with JournalOpened."""
    for path in journal_paths(run_dir, process):
        yield from _of_file(path, on_torn)


def size_bytes(run_dir: Path, process: str) -> int:
    """How much there is to read."""
    return sum(path.stat().st_size for path in journal_paths(run_dir, process))


def _of_file(path: Path, on_torn: Callable[[TornTail], None]) -> Iterator[Placed]:
    with path.open("rb") as stream:
        for index, item in enumerate(scan(stream, str(path))):
            if isinstance(item, TornTail):
                on_torn(item)
                return
            if index == 0 and not isinstance(item.record, JournalOpened):
                found = type(item.record).__name__
                raise CorruptJournalError(str(path), item.offset, "JournalOpened as the first record", found)
            yield Placed(Place(path.name, item.offset), item.record)
