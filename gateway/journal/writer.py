"""Writes the journal: one record, one `write()`, before the caller acts on it.

A record that `append` has returned for survives the death of the process; it survives a power cut once fdatasync has
been called, which another thread does every `fdatasync_interval_ns` while there is something new, or `append` itself
where `sync_before_send` is set and the record holds orders.

The thread sleeps on a lock with a time limit and never is woken by `append`: a wake-up at that moment would take the
interpreter's lock from the thread that is about to send the order. A round with nothing new costs some microseconds.

What can go wrong is a `JournalError` with a name, from `append` itself or from the thread by way of the next `append`.
A record that was written in part is taken back, so that the file ends with a whole one. One thread may append.
"""

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import Final

from gateway.journal.errors import JournalCause, JournalError
from gateway.journal.frame import FILE_HEADER, MAX_RECORD_BYTES, FrameEncoder, RecordTooLargeError, TornTail, scan
from gateway.model.record import Decision, JournalOpened, JournalRecord
from gateway.model.trade import SendOrders

SPACE_CHECK_INTERVAL_NS: Final = 1_000_000_000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class JournalWriter:
    """An open journal file. `torn` is what a killed predecessor left at its end and was cut off, or None."""

    def __init__(
        self,
        path: Path,
        opened: JournalOpened,
        *,
        fdatasync_interval_ns: int,
        sync_before_send: bool,
        min_free_bytes: int,
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        """Create the file, or cut off its torn tail and go on; write `opened`; start the thread."""
        self.path = path
        self._name = str(path)
        self._encode = FrameEncoder(max_record_bytes).encode
        self._sync_before_send = sync_before_send
        self._min_free_bytes = min_free_bytes
        self._interval_s = fdatasync_interval_ns / 1e9
        self._failure: JournalError | None = None
        self._low_space: JournalError | None = None
        self._fd, self._size, self.torn = _open(path, max_record_bytes)
        self._synced_size = -1
        self._closed = False
        try:
            self._watch_space()
            self.append(opened)
            self.sync()
            _sync_directory(path.parent)
        except (JournalError, OSError):
            os.close(self._fd)
            raise
        self._stop = threading.Lock()
        self._stop.acquire()
        self._thread = threading.Thread(target=self._sync_loop, name=f"fdatasync {path.name}", daemon=True)
        self._thread.start()

    @property
    def size_bytes(self) -> int:
        """Length of the file: all of it whole records."""
        return self._size

    def append(self, record: JournalRecord, *, use_reserve: bool = False) -> None:
        """Write `record`, or raise JournalError and leave the file as it was.

        `use_reserve` goes below `min_free_bytes`: for the record that says why trading stops, and for what only
        reduces risk.
        """
        if self._failure is not None:
            raise self._failure
        if self._low_space is not None and not use_reserve:
            raise self._low_space
        try:
            buffer = self._encode(record)
        except (RecordTooLargeError, OverflowError, TypeError, NotImplementedError) as error:
            raise JournalError(JournalCause.ENCODE, f"{self._name}: {error}") from error
        try:
            written = os.write(self._fd, buffer)
        except OSError as error:
            raise self._not_written(error) from error
        if written != len(buffer):
            raise self._short(written, len(buffer))
        self._size += written
        if self._sync_before_send and _holds_orders(record):
            self.sync()

    def sync(self) -> None:
        """Return when everything appended so far is on the disk."""
        if self._failure is not None:
            raise self._failure
        size = self._size
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self._failure = _sync_failed(self._name, error)
            raise self._failure from error
        self._synced_size = size

    def close(self) -> None:
        """Write the rest to the disk and release the file. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._stop.release()
        self._thread.join()
        try:
            self.sync()
        finally:
            self._failure = self._failure or JournalError(JournalCause.CLOSED, f"{self._name} is closed")
            os.close(self._fd)

    def _sync_loop(self) -> None:
        rounds_per_check = max(1, int(SPACE_CHECK_INTERVAL_NS / 1e9 / self._interval_s))
        rounds = 0
        while not self._stop.acquire(timeout=self._interval_s):
            if self._size != self._synced_size:
                try:
                    self.sync()
                except JournalError:
                    return
            rounds += 1
            if rounds >= rounds_per_check:
                rounds = 0
                self._watch_space()

    def _watch_space(self) -> None:
        try:
            stat = os.statvfs(self._fd)
        except OSError as error:
            self._low_space = JournalError(JournalCause.IO, f"{self._name}: free space cannot be told: {error}")
            return
        free = stat.f_bavail * stat.f_frsize
        self._low_space = None if free >= self._min_free_bytes else _low_space(self._name, free, self._min_free_bytes)

    def _not_written(self, error: OSError) -> JournalError:
        """Nothing should have been written; make sure, and name the cause."""
        cause = JournalCause.DISK_FULL if error.errno in _FULL else JournalCause.IO
        text = f"{self._name}: {error.strerror} at byte {self._size}; free space, then start again"
        return self._take_back(cause, text)

    def _short(self, written: int, length: int) -> JournalError:
        text = f"{self._name}: {written} of {length} bytes were written at byte {self._size} and taken back; disk full?"
        return self._take_back(JournalCause.SHORT_WRITE, text)

    def _take_back(self, cause: JournalCause, text: str) -> JournalError:
        """Cut the file back to its last whole record; where that fails it must never be written again."""
        try:
            if os.fstat(self._fd).st_size != self._size:
                os.ftruncate(self._fd, self._size)
        except OSError as error:
            self._failure = JournalError(JournalCause.BROKEN, f"{text}; and it could not be cut back: {error}")
            return self._failure
        return JournalError(cause, text)


def _holds_orders(record: JournalRecord) -> bool:
    return type(record) is Decision and any(type(action) is SendOrders for action in record.actions)


def _open(path: Path, max_record_bytes: int) -> tuple[int, int, TornTail | None]:
    """Give an exclusive descriptor, where the last whole record ends, and what was cut off behind it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        _lock(fd, path)
        size, torn = _whole_size(fd, path, max_record_bytes)
        if torn is not None:
            os.ftruncate(fd, size)
        if size == 0:
            _write_header(fd, path)
            size = len(FILE_HEADER)
    except BaseException:
        os.close(fd)
        raise
    return fd, size, torn


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        text = f"{path} is being written by another process; stop that one first"
        raise JournalError(JournalCause.IN_USE, text) from error


def _whole_size(fd: int, path: Path, max_record_bytes: int) -> tuple[int, TornTail | None]:
    if os.fstat(fd).st_size == 0:
        return 0, None
    size = len(FILE_HEADER)
    with path.open("rb") as stream:
        for item in scan(stream, str(path), max_record_bytes):
            if isinstance(item, TornTail):
                return item.offset, item
            size = item.end_offset
    return size, None


def _write_header(fd: int, path: Path) -> None:
    try:
        written = os.write(fd, FILE_HEADER)
    except OSError as error:
        cause = JournalCause.DISK_FULL if error.errno in _FULL else JournalCause.IO
        raise JournalError(cause, f"{path}: {error.strerror} at byte 0") from error
    if written != len(FILE_HEADER):
        raise JournalError(JournalCause.SHORT_WRITE, f"{path}: {written} of {len(FILE_HEADER)} bytes were written")


def _sync_directory(folder: Path) -> None:
    """Make a new file's name survive a power cut too."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_failed(name: str, error: OSError) -> JournalError:
    text = f"{name}: fdatasync: {error.strerror}; what was written since the last one may not be on the disk"
    return JournalError(JournalCause.SYNC_FAILED, text)


def _low_space(name: str, free: int, wanted: int) -> JournalError:
    text = f"{name}: {free} bytes are free, {wanted} are asked for (min_free_mb); free space on this file system"
    return JournalError(JournalCause.LOW_SPACE, text)
