"""Ids that never repeat: a boot epoch from a file, and a counter.

Each start of a process takes the next epoch and has it on the disk before it makes an id; the ids of an epoch are
counted from 1. So a lost journal tail cannot lead to a ClOrdID that the venue has already seen, and a replay that is
given the epoch makes the same ids.

What can go wrong: a state directory that is deleted starts at epoch 1 again; then ids repeat, and the venue refuses
them as duplicates (OrdRejReason(103) = 6). A file that is there but holds no number is an error, never a fresh start.
"""

import fcntl
import os
from pathlib import Path

EPOCH_FILE = "epoch"
MAX_LENGTH = 16
"""The shortest ClOrdID(11) that a venue of ours allows."""


class EpochError(RuntimeError):
    """The epoch file cannot be trusted."""


def next_epoch(state_dir: Path) -> int:
    """The next epoch of this state directory, durable before it is returned; processes that ask at once get two."""
    state_dir.mkdir(parents=True, exist_ok=True)
    path = state_dir / EPOCH_FILE
    with (state_dir / f"{EPOCH_FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        epoch = _read(path) + 1
        write_durably(path, f"{epoch}\n")
    return epoch


def write_durably(path: Path, text: str) -> None:
    """Replace `path` by `text`: whole or not at all, and on the disk when this returns."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path) -> int:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0
    if not text.strip().isdecimal():
        message = (
            f"{path}: {text[:20]!r} is no epoch; write a number above every one in the journals' headers "
            "(JournalOpened.incarnation)"
        )
        raise EpochError(message)
    return int(text)


class IdCounter:
    """Ids `PREFIX EPOCH - N` without spaces, `C12-345`: digits, letters and one hyphen, at most 16 characters."""

    def __init__(self, prefix: str, epoch: int) -> None:
        if not (prefix.isascii() and prefix.isalpha()) or epoch < 1:
            message = f"id prefix {prefix!r} has to be letters and epoch {epoch} at least 1"
            raise ValueError(message)
        self._head = f"{prefix}{epoch}-"
        self._last = 0

    def next(self) -> str:
        """The next id; OverflowError when it would be longer than a venue allows."""
        made = f"{self._head}{self._last + 1}"
        if len(made) > MAX_LENGTH:
            message = f"id {made} is longer than {MAX_LENGTH} characters: restart the process for a new epoch"
            raise OverflowError(message)
        self._last += 1
        return made
