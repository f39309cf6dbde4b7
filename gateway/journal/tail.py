"""Follows the journals of a process while it writes them: every record once, in order, over all its incarnations.

A record that is not whole yet is waited for. What can go wrong: a file whose writer died in the middle of a record ends
there; when a later incarnation has its own file, that one is read next.
"""

from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import msgspec

from gateway.journal.frame import FILE_HEADER, RECORD_HEADER_BYTES, CorruptJournalError
from gateway.journal.reader import journal_paths
from gateway.model.base import made
from gateway.model.record import JournalRecord

_DECODER: msgspec.msgpack.Decoder[JournalRecord] = msgspec.msgpack.Decoder(JournalRecord, dec_hook=made)


class JournalTail:
    """The journals of `process` in a run's folder."""

    def __init__(self, run_dir: Path, process: str) -> None:
        self._run_dir = run_dir
        self._process = process
        self._path: Path | None = None
        self._stream: BinaryIO | None = None

    def read(self, most: int, *, look: bool = True) -> list[JournalRecord]:
        """The next whole records, at most so many; fewer: there are no more now. `look` for a further file, too."""
        records: list[JournalRecord] = []
        while len(records) < most:
            record = self._next()
            if record is None and not (look and self._advance()):
                break
            if record is not None:
                records.append(record)
        return records

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _advance(self) -> bool:
        """Go on to the next file; False when there is none."""
        paths = journal_paths(self._run_dir, self._process)
        after = 0 if self._path is None else (paths.index(self._path) + 1 if self._path in paths else len(paths))
        if after >= len(paths):
            return False
        stream = paths[after].open("rb")
        if stream.read(len(FILE_HEADER)) != FILE_HEADER:
            stream.close()
            return False
        self.close()
        self._path, self._stream = paths[after], stream
        return True

    def _next(self) -> JournalRecord | None:
        stream = self._stream
        if stream is None:
            return None
        offset = stream.tell()
        head = stream.read(RECORD_HEADER_BYTES)
        if len(head) == RECORD_HEADER_BYTES:
            length = int.from_bytes(head[:4], "little")
            payload = stream.read(length)
            if len(payload) == length and length and self._whole(head, payload):
                return self._decode(payload, offset)
        stream.seek(offset)
        return None

    def _whole(self, head: bytes, payload: bytes) -> bool:
        return crc32(payload, crc32(head[:4] + bytes(4))) == int.from_bytes(head[4:], "little")

    def _decode(self, payload: bytes, offset: int) -> JournalRecord:
        try:
            return _DECODER.decode(payload)
        except msgspec.DecodeError as error:
            found = f"one that does not decode ({error})"
            raise CorruptJournalError(str(self._path), offset, "a record that this version knows", found) from error
