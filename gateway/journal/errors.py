"""Why a record could not be written, by name. After any of these the caller sends no further order."""

from enum import StrEnum


class JournalCause(StrEnum):
    """What stood in the way."""

    DISK_FULL = "disk_full"
    """The file system or a limit on the file's size took no more (ENOSPC, EDQUOT, EFBIG)."""
    LOW_SPACE = "low_space"
    """Less space is free than `min_free_bytes`. Goes away when space is freed."""
    SHORT_WRITE = "short_write"
    """Only a part was written; it was taken back."""
    IO = "io"
    SYNC_FAILED = "sync_failed"
    """fdatasync failed: what was written since the last good one may be lost at a power cut. Never goes away."""
    ENCODE = "encode"
    """The record itself cannot be written: too large, or a number beyond 64 bits."""
    IN_USE = "in_use"
    """Another process writes this file."""
    BROKEN = "broken"
    """A part of a record could not be taken back; the file must not be written to any more."""
    CLOSED = "closed"


class JournalError(Exception):
    """A record is not in the journal. `cause` names why, the text carries file, figures and remedy."""

    def __init__(self, cause: JournalCause, text: str) -> None:
        """Text and name together."""
        super().__init__(f"{cause}: {text}")
        self.cause = cause
