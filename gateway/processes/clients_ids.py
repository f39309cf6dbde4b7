"""Digests of one client's ClOrdIDs(11) in files of the site's state, over all its runs: tables that are never rebuilt.

`ids.0` has room for 2**18 digests, each further file for four times as many; a new one begins when the newest is 60 %
full. So a look-up reads half a kilobyte of each of at most half a dozen files, an insertion writes eight bytes, and no
order ever waits for a table to grow. A file is buckets of 64 digests; one that is full goes on in the next bucket.

Ids are added after the journal has them, a few at a time, and a start adds those of its run's journal again: what a
kill has left out is there before anybody logs on. What was there at a start is on the disk; what came since may be lost
with the machine's power, and is in the journal.

What can go wrong: a file that is none of ours, or is cut off. The process does not start: it would take an id twice.
"""

import os
from pathlib import Path

from gateway.clients.used import DIGEST_BYTES, NONE

MAGIC = b"CMCIDS1\n"
HEAD_BYTES = 4096
BUCKET = 64
BUCKET_BYTES = BUCKET * DIGEST_BYTES
FIRST_BITS, STEP_BITS = 18, 2
FULL_OF_5 = 3
"""Of five places, so many are used before a further file begins."""


class IdsFileError(OSError):
    """A file of used ids that cannot be used; names it, and what would be right."""


class _Table:
    """One file."""

    def __init__(self, path: Path, bits: int) -> None:
        self.path = path
        self.places = 1 << bits
        self._buckets = self.places // BUCKET
        made = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        size = HEAD_BYTES + self.places * DIGEST_BYTES
        if made:
            os.ftruncate(self._fd, size)
            self.used = 0
            self.note()
        head = os.pread(self._fd, 24, 0)
        if os.fstat(self._fd).st_size != size or head[:8] != MAGIC or int.from_bytes(head[8:16], "little") != bits:
            os.close(self._fd)
            message = f"{path}: not a file of used ClOrdIDs of {size} bytes; put it back, or an id could be taken twice"
            raise IdsFileError(message)
        self.used = int.from_bytes(head[16:24], "little")
        self._bits = bits

    @property
    def full(self) -> bool:
        return self.used * 5 >= self.places * FULL_OF_5

    def place(self, digest: bytes) -> int:
        """Where it stands; below 0: the place for it, as -1 - place."""
        bucket = int.from_bytes(digest, "little") % self._buckets
        while True:
            at = HEAD_BYTES + bucket * BUCKET_BYTES
            held = os.pread(self._fd, BUCKET_BYTES, at)
            found = _find(held, digest)
            if found >= 0:
                return at + found
            free = _find(held, NONE)
            if free >= 0:
                return -1 - (at + free)
            bucket = (bucket + 1) % self._buckets

    def put(self, digest: bytes) -> None:
        """Keep one that is not there."""
        os.pwrite(self._fd, digest, -1 - self.place(digest))
        self.used += 1

    def note(self) -> None:
        """Write down how many there are."""
        bits = self.places.bit_length() - 1
        os.pwrite(self._fd, MAGIC + bits.to_bytes(8, "little") + self.used.to_bytes(8, "little"), 0)

    def close(self, *, last: bool) -> None:
        self.note()
        os.fsync(self._fd)
        if last:
            os.close(self._fd)


class IdsOnDisk:
    """The tables of a folder, newest last."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        count = 1
        while (folder / f"ids.{count}").exists():
            count += 1
        self._tables = [self._table(number) for number in range(count)]

    def __contains__(self, digest: bytes) -> bool:
        return any(one.place(digest) >= 0 for one in reversed(self._tables))

    def __len__(self) -> int:
        return sum(one.used for one in self._tables)

    def add(self, digest: bytes) -> None:
        """Keep it; nothing where it is there already."""
        if digest in self:
            return
        if self._tables[-1].full:
            self._tables[-1].note()
            self._tables.append(self._table(len(self._tables)))
        self._tables[-1].put(digest)

    def sync(self) -> None:
        """On the disk, all of it."""
        for one in self._tables:
            one.close(last=False)

    def close(self) -> None:
        for one in self._tables:
            one.close(last=True)

    def _table(self, number: int) -> _Table:
        return _Table(self._folder / f"ids.{number}", FIRST_BITS + number * STEP_BITS)


def folder_of(client_id: str) -> str:
    """The folder of a client's files; an id may hold slashes and dots."""
    return f"{client_id.replace('/', '%')}.ids"


def _find(held: bytes, digest: bytes) -> int:
    """Where a digest begins among others; below 0: nowhere."""
    at = held.find(digest)
    while at >= 0 and at % DIGEST_BYTES:
        at = held.find(digest, at + 1)
    return at
