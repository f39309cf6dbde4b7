"""The lease that lets execution write orders, and that the watch can take away.

Eight bytes of a file that both map into memory: the incarnation of the execution process that may send, 0 when nobody
may. Execution looks at it before every order, at the cost of reading memory; the watch writes 0 and then, whatever
execution is doing or however long it was stopped, no further order of it leaves.

What can go wrong: an order whose write has begun when the lease is taken. The watch therefore takes the lease, ends the
process, and only then asks the venues what is open.
"""

import mmap
import os
import struct
from pathlib import Path

LEASE_FILE = "lease"
_INCARNATION = struct.Struct("=Q")


class Lease:
    """The lease file of a run directory, mapped."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(run_dir / LEASE_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(handle).st_size < _INCARNATION.size:
                os.ftruncate(handle, _INCARNATION.size)
            self._memory = mmap.mmap(handle, _INCARNATION.size)
        finally:
            os.close(handle)

    @property
    def holder(self) -> int:
        """The incarnation that may send; 0: nobody."""
        holder: int = _INCARNATION.unpack_from(self._memory)[0]
        return holder

    def give(self, incarnation: int) -> None:
        """Let this incarnation send, and no other."""
        _INCARNATION.pack_into(self._memory, 0, incarnation)

    def take(self) -> None:
        """Let nobody send."""
        self.give(0)

    def close(self) -> None:
        self._memory.close()
